"""What every side is given: scene, split, reduced spectra, photograph, sizes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any


@dataclass(frozen=True)
class Shape:
    """A scene of random numbers, for timings in which only sizes matter.

    Attributes:
        lines: of the scene.
        samples: of the scene.
        classes: number of classes.
        labelled: pixels that have a label.
        train: share of them that is trained on.
    """

    lines: int
    samples: int
    classes: int
    labelled: int
    train: float = 0.3


@dataclass(frozen=True)
class Workload:
    """The sizes of the comparisons; the defaults are those of Indian Pines and the papers.

    Attributes:
        dataset: a name of `hsi data list`.
        shape: a scene of random numbers instead of the data set.
        components: principal components.
        window: side of the window in pixels.
        batch_size: windows per training step, and per forward pass of the usual batched map.
        dropout: share of units dropped in training.
        device: cpu or cuda.
        threads: CPU threads of every side.
        rounds: how often each side is timed, time permitting.
        budget: seconds after which a comparison starts no further round; one is always taken.
        steps: training steps timed in a round; the epoch is scaled from them.
        loop_pixels: pixels that the pixel-by-pixel map is timed on; the scene is scaled from them.
        map_pixels: the same for the map in batches of windows.
        photograph: side in pixels of the photograph that is denoised.
        scored_images: how many photographs methods of denoising are scored on; None for all.
    """

    dataset: str = "synthetic_large"
    shape: Shape | None = None
    components: int = 30
    window: int = 25
    batch_size: int = 256
    dropout: float = 0.4
    device: str = "cpu"
    threads: int = 2
    rounds: int = 5
    budget: float = 150.0
    steps: int = 2
    loop_pixels: int = 128
    map_pixels: int = 512
    photograph: int = 1024
    scored_images: int | None = None

    def on_device(self, device: str) -> Workload:
        """The same on another device; on a GPU with more of each, as it is done so quickly."""
        if device == "cpu":
            return self
        return replace(
            self, device=device, steps=12, loop_pixels=1024, map_pixels=8192, photograph=2048
        )

    def settings(self, more: Sequence[str] = ()) -> list[str]:
        """The `--set` texts that make a configuration of it."""
        return [
            f"reduction.components={self.components}",
            f"model.window={self.window}",
            f"model.options.dropout={self.dropout}",
            f"train.batch_size={self.batch_size}",
            "train.epochs=1",
            f"threads={self.threads}",
            f"device={self.device}",
            *more,
        ]

    def to_json(self) -> str:
        """One line that `from_json` reads."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Workload:
        """The workload that `to_json` wrote."""
        values: dict[str, Any] = json.loads(text)
        if values["shape"] is not None:
            values["shape"] = Shape(**values["shape"])
        return cls(**values)
