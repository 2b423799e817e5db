"""What both sides are given: scene, split, reduced spectra, sizes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Workload:
    """The sizes of a comparison; the defaults are those of Indian Pines and the paper.

    Attributes:
        dataset: a name of `hsi data list`.
        components: principal components.
        window: side of the window in pixels.
        batch_size: windows per training step, and per forward pass of the usual batched map.
        dropout: share of units dropped in training.
        threads: CPU threads of every side.
        rounds: how often each side is timed, time permitting.
        budget: seconds after which a comparison starts no further round; one is always taken.
        steps: training steps timed in a round; the epoch is scaled from them.
        loop_pixels: pixels that the pixel-by-pixel map is timed on; the scene is scaled from them.
        map_pixels: the same for the map in batches of windows.
    """

    dataset: str = "synthetic_large"
    components: int = 30
    window: int = 25
    batch_size: int = 256
    dropout: float = 0.4
    threads: int = 2
    rounds: int = 4
    budget: float = 110.0
    steps: int = 2
    loop_pixels: int = 128
    map_pixels: int = 512

    def settings(self, more: Sequence[str] = ()) -> list[str]:
        """The `--set` texts that make a configuration of it."""
        return [
            f"reduction.components={self.components}",
            f"model.window={self.window}",
            f"model.options.dropout={self.dropout}",
            f"train.batch_size={self.batch_size}",
            "train.epochs=1",
            f"threads={self.threads}",
            "device=cpu",
            *more,
        ]

    def to_json(self) -> str:
        """One line that `from_json` reads."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Workload:
        """The workload that `to_json` wrote."""
        return cls(**json.loads(text))
