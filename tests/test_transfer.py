"""Tensors on their way to a device."""

import torch

from hsi_suite.transfer import to_device


class Host:
    """A tensor of the host that notes how it is sent."""

    def __init__(self, kind="cpu"):
        self.device = torch.device(kind)
        self.calls = []

    def pin_memory(self):
        self.calls.append("pinned")
        return self

    def to(self, device, non_blocking=False):
        self.calls.append((str(device), non_blocking))
        return self


def test_a_gpu_fetches_from_pinned_memory_while_the_program_goes_on():
    values = Host()
    to_device(values, torch.device("cuda", 1))
    assert values.calls == ["pinned", ("cuda:1", True)]
    there = Host("cuda")
    to_device(there, torch.device("cuda", 0))
    assert there.calls == [("cuda:0", False)]
    here = torch.ones(3)
    assert to_device(here, torch.device("cpu")) is here
