"""The pretended GPU refuses what a real one would, so that passing under it says something."""

import numpy as np
import pytest
import torch
from pretended_gpu import MixedDevicesError, pretended_gpu
from torch import nn


@pytest.fixture
def gpu(monkeypatch):
    with pretended_gpu(monkeypatch) as operations:
        yield operations


def test_what_comes_of_tensors_of_a_gpu_is_there_too(gpu):
    there = torch.ones(2, 3).to("cuda")
    layer = nn.Linear(3, 4).to(torch.device("cuda", 0))
    made = layer(there).relu()
    made.sum().backward()
    for each in (there, made, made[0], there.float(), torch.zeros(1, device="cuda"),
                 torch.zeros_like(there), torch.arange(3, device=there.device),
                 layer.weight.grad, torch.from_numpy(np.ones(2)).to(there)):  # fmt: skip
        assert each.device == torch.device("cuda", 0) and each.is_cuda
    for each in (there.cpu(), there.to("cpu"), torch.ones(2)):
        assert each.device.type == "cpu" and not each.is_cuda
    assert gpu.count > 10


def test_both_sides_do_not_mix(gpu):
    there, here = torch.ones(2, 2).to("cuda"), torch.ones(2, 2)
    for mixed in (
        lambda: there + here,
        lambda: there @ here,
        lambda: torch.cat([here, there]),
        lambda: nn.Linear(2, 2)(there),
        lambda: here[there[0].long()] * there,
    ):
        with pytest.raises(MixedDevicesError):
            mixed()
    with pytest.raises(TypeError, match="numpy"):
        there.numpy()
    # Numbers, indices of the host and copies do.
    assert (there * torch.tensor(2.0)).sum() == 8
    assert there[torch.tensor([0])].device.type == "cuda"
    assert there.copy_(here * 3).sum().item() == 12
    assert here.copy_(there).device.type == "cpu"
