"""What cuBLAS reads is there before CUDA can start."""

import os

import torch

from hsi_suite.cublas import SETTING, WORKSPACE, reserve_workspace
from hsi_suite.engine.sliding import _outliers


def test_it_is_set_and_what_a_user_has_set_is_kept(monkeypatch):
    # By the import of the package.
    assert os.environ.get(WORKSPACE)
    monkeypatch.setenv(WORKSPACE, ":16:8")
    reserve_workspace()
    assert os.environ[WORKSPACE] == ":16:8"
    monkeypatch.delenv(WORKSPACE)
    reserve_workspace()
    assert os.environ[WORKSPACE] == SETTING == ":4096:8"


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
