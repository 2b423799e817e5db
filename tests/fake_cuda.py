"""What torch would say of CUDA devices that are not there."""

from types import SimpleNamespace

import torch


def fake_devices(monkeypatch, count=1, *, capability=(8, 0), name="A GPU", peak=0):
    """Let torch answer as with `count` equal devices; nothing can be computed on them."""
    answers = {
        "is_available": lambda: count > 0,
        "is_initialized": lambda: count > 0,
        "device_count": lambda: count,
        "get_device_name": lambda device=None: name,
        "get_device_capability": lambda device=None: capability,
        "get_device_properties": lambda device=None: SimpleNamespace(total_memory=16e9, name=name),
        "max_memory_allocated": lambda device=None: peak,
        "reset_peak_memory_stats": lambda device=None: None,
        "empty_cache": lambda: None,
    }
    for key, answer in answers.items():
        monkeypatch.setattr(torch.cuda, key, answer)
