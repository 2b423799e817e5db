"""One seed, many independent random streams.

Every draw in the project names its stream. A stream's seed is derived from the base seed by a
hash of the stream's name, or set alone, so that one source of chance can vary while the others
stay fixed. Draws inside training are functions of (stream, epoch or step) and keep no state: a
resumed run draws what an unbroken one would have drawn.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch

STREAMS = ("split", "init", "order", "dropout", "noise", "augment")


def derive_seed(base: int, *path: str | int) -> int:
    """A 63-bit seed from `base` and a path of names or counters, equal on every machine."""
    text = "/".join([str(base), *map(str, path)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


@dataclass(frozen=True)
class SeedStreams:
    """The seeds of one run.

    Attributes:
        base: the seed the user gave.
        fixed: seeds set alone, by stream name.
    """

    base: int
    fixed: Mapping[str, int] = field(default_factory=dict)

    def seed(self, stream: str, *path: str | int) -> int:
        """The seed of `stream`, or of a place inside it (an epoch, a step)."""
        if stream not in STREAMS:
            raise ValueError(f"no random stream is called {stream!r}")
        own = self.fixed.get(stream)
        root = derive_seed(self.base, stream) if own is None else own
        return derive_seed(root, *path) if path else root

    def numpy(self, stream: str, *path: str | int) -> np.random.Generator:
        """A NumPy generator for `stream`."""
        return np.random.default_rng(self.seed(stream, *path))

    def torch(self, stream: str, *path: str | int) -> torch.Generator:
        """A CPU generator of torch for `stream`; draw on the CPU, then move."""
        import torch

        return torch.Generator().manual_seed(self.seed(stream, *path))


def seed_own_draws(seed: int, devices: Sequence[torch.device] = ()) -> None:
    """Seed what torch draws without a generator, on the processor and the devices named.

    `torch.manual_seed` would seed all devices, and with them the draws of a program that computes
    there itself. While CUDA has not started it also keeps the whole stack of calls beside the seed
    that CUDA would get: a millisecond, at every step of a training.

    Args:
        seed: of all of them.
        devices: those of CUDA, which has started.
    """
    import torch

    torch.default_generator.manual_seed(seed)
    for device in devices:
        index = torch.cuda.current_device() if device.index is None else device.index
        torch.cuda.default_generators[index].manual_seed(seed)
