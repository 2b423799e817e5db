"""What the system says of CUDA devices, without torch."""

import sys

import pytest

from hsi_suite.engine import device_names
from hsi_suite.errors import DeviceError

LISTED = "proc/driver/nvidia/gpus"
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing is known")


@pytest.fixture
def root(tmp_path, monkeypatch):
    """The root of a system with torch for CUDA, and nothing else."""
    monkeypatch.setattr(device_names, "version", lambda name: "2.13.0+cu130")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    (tmp_path / "proc").mkdir()
    (tmp_path / "dev").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("traces", "visible", "most"),
    [
        ([], None, 0),
        (["dev/nvidia0"], None, None),
        (["dev/nvidia0", f"{LISTED}/a", f"{LISTED}/b"], None, 2),
        (["dev/nvidia0", f"{LISTED}/a", f"{LISTED}/b"], "1", 1),
        (["dev/nvidia0", f"{LISTED}/a", f"{LISTED}/b"], "", 0),
        (["dev/nvidia0", f"{LISTED}/a", f"{LISTED}/b"], "1,-1,0", 1),
        (["dev/nvidia0", f"{LISTED}/a"], "GPU-1,GPU-2", 1),
        (["dev/nvmap"], None, None),
        (["dev/dxg"], None, None),
        (["dev/kfd"], None, None),
    ],
)
def test_drivers_say_how_many_there_can_be(root, monkeypatch, traces, visible, most):
    for trace in traces:
        (root / trace).parent.mkdir(parents=True, exist_ok=True)
        (root / trace).touch()
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert device_names.most_cuda_devices(root) == most


def test_a_torch_for_processors_finds_none(root, monkeypatch):
    (root / "dev" / "nvidia0").touch()
    monkeypatch.setattr(device_names, "version", lambda name: "2.13.0+cpu")
    assert device_names.most_cuda_devices(root) == 0


DRIVER = (
    "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.86.15  Release Build  (x@y)\n"
    "GCC version:  gcc version 12.2.0 (Debian 12.2.0-14)\n"
)


def test_the_system_tells_its_driver(root):
    assert device_names.driver_version(root) is None
    told = root / "proc/driver/nvidia/version"
    told.parent.mkdir(parents=True)
    told.write_text(DRIVER)
    assert device_names.driver_version(root) == "570.86.15"


def test_why_there_is_no_device(root, monkeypatch):
    assert device_names.why_none(root) == "the system has no driver for one"
    (root / LISTED / "a").mkdir(parents=True)
    (root / "proc/driver/nvidia/version").write_text(DRIVER)
    assert device_names.why_none(root).endswith("for a newer driver than this one 570.86.15")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "7")
    assert device_names.why_none(root).startswith("CUDA_VISIBLE_DEVICES='7' leaves none")
    monkeypatch.setattr(device_names, "version", lambda name: "2.13.0+cpu")
    assert device_names.why_none(root) == "this torch was built without CUDA"
    line = str(device_names.no_such_device(0, 0))
    assert "this machine has 0 CUDA devices (this torch was built without CUDA)" in line
    assert "(" not in str(device_names.no_such_device(2, 2))


def test_only_what_cannot_be_there_is_refused(monkeypatch):
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    monkeypatch.setattr(device_names, "most_cuda_devices", lambda: 2)
    for name in ("auto", "cpu", "cuda", "cuda:1"):
        device_names.require_device(name)
    with pytest.raises(DeviceError, match="cuda:2, and this machine has 2 CUDA devices"):
        device_names.require_device("cuda:2")
    monkeypatch.setattr(device_names, "most_cuda_devices", lambda: None)
    device_names.require_device("cuda:2")
    monkeypatch.setattr(device_names, "launched_processes", lambda: 2)
    monkeypatch.setattr(device_names, "most_cuda_devices", lambda: 0)
    device_names.require_device("cuda:5")


@pytest.mark.parametrize(
    ("name", "most", "sure"),
    [("auto", 0, "cpu"), ("auto", None, "auto"), ("auto", 1, "auto"), ("cuda", 0, "cuda")],
)
def test_auto_is_the_processor_only_where_nothing_else_can_be(monkeypatch, name, most, sure):
    monkeypatch.setattr(device_names, "most_cuda_devices", lambda: most)
    assert device_names.sure_device(name) == sure
