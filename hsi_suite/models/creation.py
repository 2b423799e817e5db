"""A network by name, as a plain `nn.Module`."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from ..errors import ConfigError
from .building import build_denoiser, build_model, build_retriever
from .registry import spec_of


def create(name: str, *, seed: int | None = None, **arguments: Any) -> nn.Module:
    """A registered network with fresh weights, in training mode.

    Args:
        name: of `names()`, or FILE.py:Class.
        seed: of the initial weights, drawn as a training with `hsi train` draws them; None draws
            from torch's own generator of this moment.
        arguments: of a classifier in_channels, num_classes, window; of a denoiser in_channels; of
            a retriever first_shape, second_shape, num_classes; and the options of the network.

    Raises:
        UnknownNameError: no model of this name.
        ConfigError: an argument is missing, unknown or impossible.
        ShapeError: the network cannot take this window or number of channels.
    """
    spec = spec_of(name)
    chosen = int(torch.randint(2**62, ()).item()) if seed is None else seed
    build, needed = {
        "classification": (build_model, ("in_channels", "num_classes", "window")),
        "denoising": (build_denoiser, ("in_channels",)),
        "retrieval": (build_retriever, ("first_shape", "second_shape", "num_classes")),
    }[spec.task]
    missing = [key for key in needed if key not in arguments]
    if missing:
        raise ConfigError(f"model {name}", f"no {' and no '.join(missing)}", ", ".join(needed))
    fixed = {key: arguments.pop(key) for key in needed}
    generator = torch.Generator().manual_seed(chosen)
    model: nn.Module = build(name, **fixed, options=arguments, generator=generator)  # type: ignore[operator]
    return model
