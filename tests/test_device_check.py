"""`hsi doctor --gpu`, on this machine's processor."""

import itertools
import json
from types import SimpleNamespace

import pytest
import torch
from fake_cuda import fake_devices
from pretended_gpu import pretended_gpu

from hsi_suite.engine import device_names
from hsi_suite.engine.observer import Observer
from hsi_suite.environment import describe_environment
from hsi_suite.errors import ConfigError, Stopped
from hsi_suite.models.registry import model_names
from hsi_suite.runs import launch
from hsi_suite.tasks.device_check import check, smoke
from hsi_suite.tasks.device_check.check import Failure, check_device

pytestmark = pytest.mark.stand_in_pictures

CPU = torch.device("cpu")


def steady(folder, device, observer):
    return {"weights": str(torch.ones(3).sum()), "scores": device}


@pytest.fixture
def works(monkeypatch):
    """Pieces of work that are no work."""
    count = itertools.count()

    def drifting(folder, device, observer):
        return {"weights": str(next(count)), "scores": "1"}

    def failing(folder, device, observer):
        raise ConfigError("key", "a bad value", "a good one")

    def careless(folder, device, observer):
        torch.rand(3).cumsum(0)
        return {"scores": "1"}

    def breaking(folder, device, observer):
        raise RuntimeError("CUDA error: an illegal memory access\nCompile with ...")

    found = {
        "steady": steady, "drifting": drifting, "failing": failing, "breaking": breaking,
        "careless": careless,
    }  # fmt: skip
    monkeypatch.setattr(check, "SMOKE", found)
    monkeypatch.setattr(check, "model_names", lambda task: [])
    return found


def test_what_differs_fails_or_is_refused_is_found(works):
    found = check_device(CPU, Observer())
    rows = {row.name: row for row in found.work}
    assert [name for name, row in rows.items() if row.sound] == ["steady", "careless"]
    assert rows["drifting"].differing == ("weights",)
    assert rows["failing"].failure == Failure("key: a bad value; expected a good one")
    # A defect costs nothing but its own row, and is told with its place.
    broken = rows["breaking"].failure
    assert broken.line == "RuntimeError: CUDA error: an illegal memory access"
    assert "in breaking" in broken.traceback
    assert found.not_done == [rows["failing"].failure, broken] and not found.failures
    (line,) = found.findings
    assert line.startswith("aten::cumsum") and "test_device_check.py" in line
    assert not found.sound and found.dense < 1e-5 and 0 < found.precisions["bf16"] < 0.1


def test_the_command(hsi, works):
    status, out, err = hsi("doctor", "--gpu", "--device", "cpu")
    assert status == 1 and err.startswith("hsi doctor: small work of every kind on cpu, twice")
    assert out.endswith("not as it should be: drifting, failing, breaking, aten::cumsum\n")
    assert (
        "breaking             not done: RuntimeError: CUDA error: an illegal memory access\n" in out
    )
    assert "where it failed: --json has it\n" in out
    assert out.splitlines()[1].startswith("hsi-suite ")
    assert "drifting             differ" in out and "not the same: weights" in out
    assert "failing              not done: key" in out and "aten::cumsum" in out
    for name in ("drifting", "failing", "breaking", "careless"):
        works.pop(name)
    status, out, _ = hsi("doctor", "--gpu", "--device", "cpu")
    assert status == 0 and "0 without a deterministic form on CUDA" in out
    assert out.endswith("all is sound\n")
    status, out, _ = hsi("doctor", "--gpu", "--device", "cpu", "--json")
    assert status == 0 and json.loads(out)["sound"] is True
    assert hsi("doctor", "--json")[0] == 2
    assert hsi("doctor", "--gpu", "--device", "cuda:77")[0] == 2


def test_without_a_gpu_the_command_says_why_and_what_it_does_instead(hsi, works, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("hsi_suite.engine.device_names.why_none", lambda: "none is there")
    for name in [name for name in works if name != "steady"]:
        works.pop(name)
    err = hsi("doctor", "--gpu")[2]
    assert err.splitlines()[1] == "no CUDA device (none is there): a dry run on the processor"


def test_a_check_that_is_stopped_names_no_folder_that_is_gone(hsi, works, monkeypatch):
    def stopped(*given):
        raise Stopped("go on with: hsi train --resume gone")

    monkeypatch.setattr(check, "check_device", stopped)
    status, _, err = hsi("doctor", "--gpu", "--device", "cpu")
    assert status == 130 and "resume" not in err and "begins anew" in err


def test_what_else_fails_is_told_and_the_rest_is_there(hsi, works, monkeypatch):
    monkeypatch.setattr(check, "SMOKE", {"steady": steady})

    def broken(*given):
        raise RuntimeError("an engine is missing")

    monkeypatch.setattr(check, "_against_fp32", broken)
    monkeypatch.setattr(check, "_dense_against_windows", broken)
    found = check_device(CPU, Observer())
    assert found.dense is None and not found.precisions
    assert found.wrong == ["a scene at once against its windows", "bf16 against fp32"]
    status, out, _ = hsi("doctor", "--gpu", "--device", "cpu")
    assert status == 1 and out.count("not done: RuntimeError: an engine is missing") == 2
    told = json.loads(hsi("doctor", "--gpu", "--device", "cpu", "--json")[1])
    assert "in broken" in told["failures"]["bf16 against fp32"]["traceback"]


def test_a_stop_is_no_failure(works):
    def stopped(folder, device, observer):
        raise Stopped

    works["drifting"] = stopped
    with pytest.raises(Stopped):
        check_device(CPU, Observer())


def test_a_device_that_computes_nothing_is_one_line(hsi, works, monkeypatch):
    def busy(*given, **options):
        raise RuntimeError("CUDA error: CUDA-capable device(s) is/are busy or unavailable")

    monkeypatch.setattr(check, "describe_environment", busy)
    status, out, err = hsi("doctor", "--gpu", "--device", "cpu")
    assert status == 2 and not out
    assert err.splitlines()[-1].startswith("error: cpu: is busy: another program has it")


def test_the_driver_is_told(hsi, works, monkeypatch):
    monkeypatch.setattr(check, "SMOKE", {"steady": steady})
    facts = describe_environment("cpu", 1) | {"device_name": "A GPU", "device_megabytes": 16_000}
    facts |= {"cuda": "12.8", "cudnn": 91002, "driver": "570.86.15"}
    monkeypatch.setattr(check, "_facts", lambda device: facts)
    out = hsi("doctor", "--gpu", "--device", "cpu")[1]
    assert out.splitlines()[0].startswith("A GPU, 16,000 MB, torch ")
    assert out.splitlines()[0].endswith(", CUDA 12.8, cuDNN 91002, driver 570.86.15")


def test_where_there_is_no_device_the_reason_is_told(hsi, monkeypatch):
    fake_devices(monkeypatch, 0)
    monkeypatch.setattr(device_names, "version", lambda name: "2.13.0+cpu")
    status, out, _ = hsi("doctor")
    assert status == 0
    assert "CUDA devices     none: this torch was built without CUDA\n" in out


def test_a_device_that_does_not_answer_hides_nothing_else(hsi, monkeypatch):
    def properties(number):
        if number == 0:
            raise RuntimeError("CUDA error: CUDA-capable device(s) is/are busy\nCompile with ...")
        return SimpleNamespace(total_memory=16e9)

    fake_devices(monkeypatch, 2, capability=(7, 5), name="Tesla T4")
    monkeypatch.setattr(torch.cuda, "get_device_properties", properties)
    status, out, _ = hsi("doctor")
    assert status == 0 and "Tesla T4 (capability 7.5, 16,000 MB)" in out and "HSI_DATA_DIR" in out
    assert "cuda:0, which does not answer (CUDA error: CUDA-capable device(s) is/are busy)," in out


def test_devices_are_listed_with_what_they_can(hsi, monkeypatch):
    fake_devices(monkeypatch, 2, capability=(7, 5), name="Tesla T4")
    status, out, _ = hsi("doctor")
    assert status == 0 and out.count("Tesla T4 (capability 7.5, 16,000 MB)") == 2


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
@pytest.mark.parametrize(
    "name", ["a scene at once", "windows of a scene", "denoising", "images", "retrieval"]
)
def test_work_on_a_pretended_gpu_mixes_no_devices(tmp_path, monkeypatch, name):
    with pretended_gpu(monkeypatch) as gpu:
        found = smoke.SMOKE[name](tmp_path, "cuda", Observer())
    assert gpu.count > 1000
    assert {"weights", "scores"} <= found.keys() and len(set(found.values())) == len(found)
    (run,) = (tmp_path / "runs").iterdir()
    facts = json.loads((run / "environment.json").read_text())
    assert facts["device_name"] == "a pretended GPU" and facts["precision"]["train"]
    assert facts["variables"]["CUBLAS_WORKSPACE_CONFIG"]


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_the_check_itself_mixes_no_devices(monkeypatch, works):
    memory = SimpleNamespace(total_memory=16e9)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: memory)
    with pretended_gpu(monkeypatch):
        found = check_device(torch.device("cuda", 0), Observer(), names=["steady"])
    assert found.sound and found.dense < 1e-5, found
    assert set(found.precisions) == {"tf32", "bf16", "fp16"}
    assert found.facts["device_name"] == "a pretended GPU"
    assert found.facts["device_megabytes"] == 16_000


def test_the_other_work_is_configured_right(tmp_path, monkeypatch):
    begun = []

    def start(config, output, observer):
        begun.append(config)
        raise ConfigError("enough", "seen")

    monkeypatch.setattr(launch, "start", start)
    for number, work in enumerate(smoke.SMOKE.values()):
        with pytest.raises(ConfigError, match="enough"):
            work(tmp_path / str(number), "cpu", Observer())
    assert {config.task for config in begun} == {
        "classification", "denoising", "image_classification", "retrieval",
    }  # fmt: skip
    assert {config.device for config in begun} == {"cpu"}


def test_a_dry_run_is_of_every_network(monkeypatch):
    passed = []
    monkeypatch.setattr(check, "SMOKE", {})
    monkeypatch.setattr(check, "pass_through", lambda names, watch: passed.extend(names))
    check_device(CPU, Observer())
    assert {name for task in check._TASKS for name in model_names(task)} == set(passed)


@pytest.mark.cuda
def test_a_gpu_is_sound():
    found = check_device(torch.device("cuda"), Observer())
    assert found.sound, found
    assert all(row.megabytes for row in found.work) and {"tf32", "fp16"} & found.precisions.keys()
