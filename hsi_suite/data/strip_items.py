"""Items of a gallery too large for memory, cut out strip by strip as from the whole scene."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError, InputFileError, ShapeError
from .item_source import ItemSource
from .modalities import Items, Modality, no_companion
from .scene import Scene

# Pixels that the levels are told from: all of a small scene, every n-th line and sample of others.
_SAMPLED_PIXELS = 2**21
_PERCENTILES = (2.0, 98.0)
_STRETCHED = ("rgb", "panchromatic", "companion")


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

    Args:
        modality: how pixels are seen.
        lines: the scene.

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


def modality_layer(modality: Modality, scene: Scene) -> NDArray[np.float64 | np.float32]:
    """What a modality sees of each pixel, before it is measured: lines × samples × channels.

    Raises:
        InputFileError: the scene has no wavelengths, no such bands or no companion.
        ShapeError: the scene has other bands.
        ConfigError: the modality is of ready features.
    """
    kind = modality.kind
    if kind == "features":
        raise ConfigError("retrieval", "ready features, which no scene has", "a pair of a scene")
    if kind == "companion":
        name = modality.companion or ""
        if name not in scene.companions:
            raise no_companion(scene, f"no companion layer {name!r}")
        return scene.companions[name].astype(np.float64)[..., None]
    if kind in ("rgb", "panchromatic"):
        return _averaged(scene, modality.weights)
    reduction = modality.reduction
    bands = modality.channels if reduction is None else len(reduction.mean)
    if scene.bands != bands:
        raise ShapeError(
            scene.name,
            f"{scene.bands} bands",
            f"the {bands} bands learnt from",
            "search a scene of the same sensor, or give --side of the other modality",
        )
    return scene.cube.astype(np.float32) if reduction is None else reduction.apply(scene.cube)


def _averaged(scene: Scene, weights: tuple[tuple[float, float], ...]) -> NDArray[np.float64]:
    """Means of bands, or the bands themselves of a picture that has as many as are wanted."""
    if scene.wavelengths is None:
        if scene.bands == len(weights):
            return scene.cube.astype(np.float64)
        raise InputFileError(
            scene.name,
            f"{scene.bands} bands without wavelengths",
            f"an image of {len(weights)} {'bands' if len(weights) > 1 else 'band'}, or wavelengths",
            "give the file an ENVI header with wavelengths",
        )
    layers = []
    for low, high in weights:
        inside = (scene.wavelengths >= low) & (scene.wavelengths <= high)
        if not inside.any():
            raise InputFileError(
                scene.name, f"no band between {low:g} and {high:g} nm", "one for each colour"
            )
        layers.append(scene.cube[..., inside].mean(-1, dtype=np.float64))
    return np.stack(layers, -1)


def _levels(modality: Modality, lines: Lines) -> Levels:
    values = sampled_pixels(lines, lambda scene: modality_layer(modality, scene))
    channels = values.shape[1]
    low, high = np.zeros(channels), np.ones(channels)
    if modality.kind in _STRETCHED:
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
    low, high = np.percentile(values, _PERCENTILES, axis=0)
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
