"""The items of a scene in one modality, cut out when they are needed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError, InputFileError, ShapeError
from .modalities import Items, Modality, no_companion
from .scene import Scene

# A picture's values are known by where they lie between these percentiles of their own scene.
PERCENTILES = (2.0, 98.0)
# Kinds of modalities that are pictures, and measured so.
PICTURES = ("rgb", "panchromatic", "companion")


class ItemSource:
    """The items of one scene in one modality.

    Raises:
        InputFileError: the scene has no wavelengths, no such bands or no companion.
        ShapeError: the scene has other bands.
    """

    def __init__(self, modality: Modality, scene: Scene) -> None:
        self.modality = modality
        self.samples = scene.samples
        self._layer = _layer(modality, scene)
        if len(modality.shape) > 1:
            reach = modality.window // 2
            edges = ((reach, reach), (reach, reach), (0, 0))
            self._layer = np.pad(self._layer, edges, mode="edge")

    def items(self, pixels: NDArray[np.integer]) -> Items:
        """The items at N flat pixel indices; see `Modality` for their shape."""
        lines, samples = np.divmod(np.asarray(pixels), self.samples)
        if len(self.modality.shape) == 1:
            return np.asarray(self._layer[lines, samples], np.float32)
        reach = np.arange(self.modality.window)
        windows = self._layer[lines[:, None, None] + reach[:, None], samples[:, None, None] + reach]
        return np.ascontiguousarray(np.moveaxis(windows, 3, 1), np.float32)


def _layer(modality: Modality, scene: Scene) -> NDArray[np.float32]:
    """What items are cut from, lines × samples × channels."""
    layer = modality_layer(modality, scene)
    if modality.kind in PICTURES:
        return _stretched(layer.astype(np.float64, copy=False), scene.valid)
    return _filled(layer.astype(np.float32, copy=False), scene.valid)


def modality_layer(modality: Modality, scene: Scene) -> NDArray[np.float64 | np.float32]:
    """What a modality sees of each pixel, before it is measured: lines × samples × channels.

    Raises:
        InputFileError: the scene has no wavelengths, no such bands or no companion.
        ShapeError: the scene has other bands.
        ConfigError: the modality is of ready features.
    """
    kind = modality.kind
    if kind in ("features", "patches"):
        raise ConfigError("retrieval", f"ready {kind}, which no scene has", "a pair of a scene")
    if kind == "companion":
        name = modality.companion or ""
        if name not in scene.companions:
            raise no_companion(scene, f"no companion layer {name!r}")
        return scene.companions[name].astype(np.float64)[..., None]
    if kind in PICTURES:
        return _averaged(scene, modality.weights)
    reduction = modality.reduction
    bands = modality.channels if reduction is None else len(reduction.mean)
    if scene.bands != bands:
        raise ShapeError(
            scene.name,
            f"{scene.bands} bands",
            f"the {bands} bands learnt from",
            "take a scene of the same sensor, or give --side of the other modality",
        )
    return scene.cube.astype(np.float32) if reduction is None else reduction.apply(scene.cube)


def _averaged(scene: Scene, weights: tuple[tuple[float, float], ...]) -> NDArray[np.float64]:
    """Means of bands, or the bands themselves of an image that has as many as are wanted."""
    if scene.wavelengths is None:
        if scene.bands == len(weights):
            return scene.cube.astype(np.float64)
        raise InputFileError(
            scene.name,
            f"{scene.bands} bands without wavelengths",
            f"wavelengths, or an image of {len(weights)} {'bands' if len(weights) > 1 else 'band'}",
            "give the file an ENVI header with wavelengths",
        )
    layers = []
    for low, high in weights:
        inside = (scene.wavelengths >= low) & (scene.wavelengths <= high)
        if not inside.any():
            raise InputFileError(
                scene.name,
                f"no band between {low:g} and {high:g} nm",
                "one for each colour",
                "choose another scene, pair or data.panchromatic",
            )
        layers.append(scene.cube[..., inside].mean(-1, dtype=np.float64))
    return np.stack(layers, -1)


def _stretched(image: NDArray[np.float64], valid: NDArray[np.bool_] | None) -> NDArray[np.float32]:
    good = np.asarray(np.isfinite(image).all(-1))
    good = good if valid is None else good & valid
    if not good.any():
        return np.zeros(image.shape, np.float32)
    low, high = np.percentile(image[good], PERCENTILES, axis=0)
    return _filled(((image - low) / np.where(high > low, high - low, 1)).astype(np.float32), good)


def _filled(layer: NDArray[np.float32], valid: NDArray[np.bool_] | None) -> NDArray[np.float32]:
    """`layer` with the mean of the good pixels where there is no data."""
    good = np.asarray(np.isfinite(layer).all(-1))
    good = good if valid is None else good & valid
    if good.all() or not good.any():
        return layer
    layer = layer.copy()
    layer[~good] = layer[good].mean(0, dtype=np.float64)
    return layer
