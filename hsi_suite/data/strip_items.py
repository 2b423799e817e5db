"""Items of a gallery too large for memory, cut out strip by strip as from the whole scene."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import InputFileError
from .item_source import PERCENTILES, PICTURES, ItemSource, modality_layer
from .modalities import Items, Modality
from .scene import Scene

# Pixels that the levels are taken from: all of a small scene, every n-th line and sample of others.
_SAMPLED_PIXELS = 2**21


class Lines(Protocol):
    """Where the lines of a scene come from."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Lines, samples and bands."""
        ...

    def read(self, first_line: int, last_line: int) -> Scene:
        """Lines first_line … last_line − 1 as a scene of their own."""
        ...


@dataclass(frozen=True, eq=False)
class Levels:
    """What the values of a modality's layer are measured against, for each channel.

    Attributes:
        low: becomes 0.
        high: becomes 1.
        fill: takes the place of missing pixels afterwards.
    """

    low: NDArray[np.float64]
    high: NDArray[np.float64]
    fill: NDArray[np.float32]


class StripItems:
    """The items of a scene in one modality, read by strips.

    The levels of pictures are those of the whole scene, so that strips show no seams: what comes
    out is what `ItemSource` gives for the scene as one.

    Raises:
        InputFileError: the scene has no wavelengths, no such bands, no companion or no data.
        ShapeError: the scene has other bands.
        ConfigError: the modality is of ready features, which no scene has.
    """

    def __init__(self, modality: Modality, lines: Lines) -> None:
        self.modality = modality
        self._lines = lines
        self._levels = _levels(modality, lines)
        # The layer that is cut is ready already: nothing but windows is asked of the source.
        self._ready = replace(
            modality, kind="hsi", wavelengths=None, reduction=None, companion=None
        )
        if len(modality.shape) == 1:
            self._ready = replace(self._ready, kind="spectrum")

    @property
    def reach(self) -> int:
        """Lines above and below a strip that its items depend on."""
        return self.modality.window // 2

    def strip(self, first_line: int, last_line: int) -> StripSource:
        """Lines first_line … last_line − 1 and what their items need around them."""
        above = max(0, first_line - self.reach)
        scene = self._lines.read(above, min(last_line + self.reach, self._lines.shape[0]))
        layer, good = _measured(modality_layer(self.modality, scene), scene.valid, self._levels)
        source = ItemSource(self._ready, Scene(scene.name, layer))
        inner = slice(first_line - above, last_line - above)
        return StripSource(source, scene, good, inner)


@dataclass(frozen=True, eq=False)
class StripSource:
    """Some lines of a scene, ready to give items.

    Attributes:
        source: cuts items out of the lines and those around them.
        scene: the same lines as they were read.
        good: lines × samples, False where the pixel itself holds no data.
        inner: the lines that were asked for.
    """

    source: ItemSource
    scene: Scene
    good: NDArray[np.bool_]
    inner: slice

    def items(self, lines: NDArray[np.integer], samples: NDArray[np.integer]) -> Items:
        """Items of pixels; lines are counted from the first one asked for."""
        return self.source.items((lines + self.inner.start) * self.source.samples + samples)


def _levels(modality: Modality, lines: Lines) -> Levels:
    values = sampled_pixels(lines, lambda scene: modality_layer(modality, scene))
    channels = values.shape[1]
    low, high = np.zeros(channels), np.ones(channels)
    if modality.kind in PICTURES:
        low, high = picture_levels(values)
    fill = ((values - low) / (high - low)).mean(0)
    return Levels(low, high, fill.astype(np.float32))


def picture_levels(
    values: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What becomes 0 and what becomes 1 of each channel: its 2nd and 98th percentile.

    Args:
        values: pixels × channels.
    """
    low, high = np.percentile(values, PERCENTILES, axis=0)
    return low, np.where(high > low, high, low + 1)


def sampled_pixels(lines: Lines, layer: Callable[[Scene], NDArray[Any]]) -> NDArray[np.float64]:
    """Pixels with data: all of a small scene, of others every n-th line and sample.

    Args:
        lines: the scene.
        layer: gives of some of its lines what is wanted, lines × samples × channels.

    Returns:
        Pixels × channels.

    Raises:
        InputFileError: there is none.
    """
    height, width, _ = lines.shape
    step = math.ceil(math.sqrt(height * width / _SAMPLED_PIXELS))
    block = max(1, _SAMPLED_PIXELS // width // 8) if step == 1 else 1
    found = []
    name = ""
    for first in range(0, height, block if step == 1 else step):
        scene = lines.read(first, min(first + block, height))
        name = scene.name
        values = layer(scene)[:, ::step]
        good = np.isfinite(values).all(-1)
        if scene.valid is not None:
            good &= scene.valid[:, ::step]
        found.append(np.asarray(values[good], np.float64))
    pixels = np.concatenate(found)
    if not len(pixels):
        raise InputFileError(name, "no pixel with data", "a gallery with at least one")
    return pixels


def _measured(
    layer: NDArray[np.float64 | np.float32], valid: NDArray[np.bool_] | None, levels: Levels
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """The layer against its levels, missing pixels filled, and where there is data."""
    good = np.asarray(np.isfinite(layer).all(-1))
    good = good if valid is None else good & valid
    with np.errstate(over="ignore", invalid="ignore"):
        ready = ((layer - levels.low) / (levels.high - levels.low)).astype(np.float32)
    ready[~good] = levels.fill
    return ready, good
