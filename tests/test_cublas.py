"""What cuBLAS reads is there before CUDA can start."""

import os

import pytest
import torch
from fake_cuda import fake_devices

from hsi_suite.cublas import SETTING, WORKSPACE, reserve_workspace
from hsi_suite.engine.devices import computing
from hsi_suite.engine.sliding import _outliers
from hsi_suite.errors import DeviceError


def test_it_is_set_and_what_a_user_has_set_is_kept(monkeypatch):
    # By the import of the package.
    assert os.environ.get(WORKSPACE)
    monkeypatch.setenv(WORKSPACE, ":16:8")
    reserve_workspace()
    assert os.environ[WORKSPACE] == ":16:8"
    monkeypatch.delenv(WORKSPACE)
    reserve_workspace()
    assert os.environ[WORKSPACE] == SETTING == ":4096:8"


def test_determinism_is_refused_where_cublas_has_started_without_it(monkeypatch):
    device = torch.device("cuda", 0)
    fake_devices(monkeypatch)
    monkeypatch.delenv(WORKSPACE)
    with (
        pytest.raises(DeviceError, match=f"{WORKSPACE}: not set although CUDA has started"),
        computing(device, 1, deterministic=True),
    ):
        pass
    with computing(device, 1, deterministic=False), computing(torch.device("cpu"), 1, True):
        assert WORKSPACE not in os.environ
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: False)
    with computing(device, 1, deterministic=True):
        assert os.environ[WORKSPACE] == SETTING


def test_sorting_finds_what_kthvalue_finds():
    generator = torch.Generator().manual_seed(0)
    said = set()
    for size in (1, 2, 3, 4, 7, 40):
        for factor in (1.0, 30.0, 120.0, 1e4):
            features = torch.rand(3, size, size, generator=generator)
            features[:, size // 2, size // 2] *= factor
            peaks = features.abs().amax(0).flatten()
            typical = peaks.kthvalue(1 + len(peaks) // 4).values
            said.add(bool(peaks.max() > 50 * typical))
            assert _outliers(features) == bool(peaks.max() > 50 * typical)
    assert said == {True, False}
