"""What a pixel is seen as: a spectrum, or a window of components, colours, greys or heights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError, InputFileError, ShapeError
from ..registry import did_you_mean, listed
from .band_matching import KnownBands, header_numbers, known_from
from .reduction import Reduction, fit_pca
from .scene import Scene, check_window

Items = NDArray[np.float32]

#: Kinds that come from a scene; the others come ready made.
SCENE_KINDS = ("spectrum", "pca", "hsi", "rgb", "panchromatic", "companion")
KINDS = (*SCENE_KINDS, "features", "patches")
# Red, green and blue are means over these ranges in nm, a panchromatic image over the last.
COLOURS = ((600.0, 700.0), (500.0, 600.0), (400.0, 500.0))
PANCHROMATIC = (450.0, 900.0)
_ARRAYS = ("mean", "scale", "reduction_mean", "reduction_matrix")


@dataclass(frozen=True, eq=False)
class Modality:
    """A way of seeing pixels, with all that it takes to see those of another scene alike.

    Items are N × channels for spectra and ready features, else N × channels × window × window
    around the pixel, the scene's border pixels repeated outwards. Spectra are in the scene's own
    units; `rgb`, `panchromatic` and `companion` as the place between the 2nd and the 98th
    percentile of their layer in their own scene, so that images of any unit can be compared; `pca`
    and `hsi` as principal components, of which `pca` has few, an image, and `hsi` many.

    Attributes:
        kind: one of `KINDS`.
        channels: values of an item, or of each of its pixels.
        window: side in pixels, odd; 1 for spectra and features.
        wavelengths: centres of the bands of `spectrum`, `pca` and `hsi` in nm; None if unknown.
        unit_norm: `prepare` scales each item of `spectrum` or `features` to length 1 first.
        companion: name of the layer of `companion`.
        weights: ranges in nm over which the bands of each channel of `rgb` and `panchromatic` are
            averaged.
        reduction: from bands to the components of `pca` and `hsi`.
        fwhm: widths of these bands in nm; None if unknown.
        file_bands: bands of the file that they were chosen from; None: they are all.
        band_numbers: their numbers there, from 1.
        mean: of each channel over the training items; None before `fitted`.
        scale: their standard deviations; as `mean`.
    """

    kind: str
    channels: int
    window: int = 1
    wavelengths: NDArray[np.float64] | None = None
    unit_norm: bool = False
    companion: str | None = None
    weights: tuple[tuple[float, float], ...] = ()
    reduction: Reduction | None = None
    mean: NDArray[np.float32] | None = None
    scale: NDArray[np.float32] | None = None
    fwhm: NDArray[np.float64] | None = None
    file_bands: int | None = None
    band_numbers: tuple[int, ...] | None = None

    @property
    def known_bands(self) -> KnownBands | None:
        """The bands of the cubes that it is of; None where it is of no certain bands.

        Raises:
            ValueError: what is kept of them does not fit.
        """
        if self.kind not in ("spectrum", "pca", "hsi"):
            return None
        count = self.channels if self.reduction is None else len(self.reduction.mean)
        return known_from(
            count,
            None if self.wavelengths is None else self.wavelengths.tolist(),
            None if self.fwhm is None else self.fwhm.tolist(),
            self.file_bands,
            self.band_numbers,
        )

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one item."""
        flat = self.kind in ("spectrum", "features")
        return (self.channels,) if flat else (self.channels, self.window, self.window)

    def prepare(self, items: Items) -> Items:
        """Items as the network wants them: of unit length where asked for, then standardised.

        Raises:
            ShapeError: they have another shape than those learnt from.
        """
        if items.shape[1:] != self.shape:
            raise ShapeError(
                f"{self.kind} items", f"shape {items.shape[1:]}", f"{self.shape} for each"
            )
        items = self._scaled(items)
        if self.mean is None or self.scale is None:
            return items
        axes = (..., *[None] * (items.ndim - 2))
        return np.asarray((items - self.mean[axes]) / self.scale[axes], np.float32)

    def fitted(self, items: Items) -> Modality:
        """The same with the mean and deviation of each channel of some items."""
        items = self._scaled(items)
        axes = (0, *range(2, items.ndim))
        mean, scale = items.mean(axes, np.float64), items.std(axes, np.float64)
        return replace(
            self,
            mean=mean.astype(np.float32),
            scale=np.where(scale > 0, scale, 1).astype(np.float32),
        )

    def to_dict(self) -> dict[str, Any]:
        """What it is beside its arrays, in plain types for JSON."""
        centres = None if self.wavelengths is None else self.wavelengths.tolist()
        bands = {
            "fwhm": None if self.fwhm is None else self.fwhm.tolist(),
            "file_bands": self.file_bands,
            "band_numbers": None if self.band_numbers is None else list(self.band_numbers),
        }
        return {
            "kind": self.kind,
            "channels": self.channels,
            "window": self.window,
            "wavelengths": centres,
            "unit_norm": self.unit_norm,
            "companion": self.companion,
            "weights": [list(pair) for pair in self.weights],
            **{name: value for name, value in bands.items() if value is not None},
        }

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Its arrays by name; those it does not have are absent."""
        reduction = self.reduction
        matrices = (None, None) if reduction is None else (reduction.mean, reduction.matrix)
        values = (self.mean, self.scale, *matrices)
        return {
            name: value for name, value in zip(_ARRAYS, values, strict=True) if value is not None
        }

    def _scaled(self, items: Items) -> Items:
        items = np.asarray(items, np.float32)
        return unit_rows(items) if self.unit_norm else items


def modality_from(fields: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Modality:
    """The modality that `to_dict` and `arrays` described.

    Raises:
        KeyError, TypeError, ValueError: they did not.
    """
    given = dict(fields)
    if given["kind"] not in KINDS:
        raise ValueError("kind")
    centres, widths = given.pop("wavelengths"), given.pop("fwhm", None)
    numbers = given.pop("band_numbers", None)
    weights = tuple((float(low), float(high)) for low, high in given.pop("weights"))
    reduction = None
    if "reduction_matrix" in arrays:
        matrix = arrays["reduction_matrix"]
        reduction = Reduction(arrays["reduction_mean"], matrix, np.zeros(matrix.shape[1]))
    modality = Modality(
        **given,
        wavelengths=None if centres is None else np.array(centres, np.float64),
        fwhm=None if widths is None else np.array(widths, np.float64),
        band_numbers=None if numbers is None else tuple(map(int, numbers)),
        weights=weights,
        reduction=reduction,
        mean=arrays["mean"],
        scale=arrays["scale"],
    )
    _ = modality.known_bands  # raises where what is kept does not fit
    return modality


@dataclass(frozen=True)
class ModalityOptions:
    """What can be chosen about a modality.

    Attributes:
        window: side of windows in pixels, odd.
        components: of `pca` and `hsi`.
        unit_norm: of `spectrum` and `features`.
        companion: name of the layer; None for the scene's only one.
        panchromatic: range in nm over whose bands a panchromatic image is the mean.
    """

    window: int = 11
    components: int = 3
    unit_norm: bool = True
    companion: str | None = None
    panchromatic: tuple[float, float] = field(default=PANCHROMATIC)


def check_scene_kind(kind: str) -> None:
    """Refuse what no pixel of a scene can be seen as.

    Raises:
        ConfigError: no such kind.
    """
    if kind not in SCENE_KINDS:
        hint = did_you_mean(kind, SCENE_KINDS)
        raise ConfigError("data.pair", f"unknown kind {kind!r}", listed(SCENE_KINDS), hint)


def scene_modality(
    kind: str, scene: Scene, learnt: NDArray[np.integer], options: ModalityOptions
) -> Modality:
    """A modality of a scene, not yet `fitted` to items.

    Args:
        kind: one of `SCENE_KINDS`.
        scene: where the items come from.
        learnt: flat indices of the pixels that principal components are fitted to.
        options: the choices.

    Raises:
        ConfigError: no such kind.
        InputFileError: the scene has no companion of this name.
        ShapeError: more components than bands, or a window larger than the scene.
    """
    check_scene_kind(kind)
    bands = _bands_of(scene)
    if kind == "spectrum":
        return Modality(kind, scene.bands, unit_norm=options.unit_norm, **bands)
    window = options.window
    check_window("data.window", window, scene.lines, scene.samples)
    if kind in ("pca", "hsi"):
        spectra = scene.cube.reshape(-1, scene.bands)[learnt]
        reduction = fit_pca(spectra, options.components, whiten=False)
        return Modality(kind, options.components, window, reduction=reduction, **bands)
    if kind == "companion":
        name = options.companion or _only_companion(scene)
        return Modality(kind, 1, window, companion=name)
    weights = COLOURS if kind == "rgb" else (options.panchromatic,)
    return Modality(kind, len(weights), window, weights=weights)


def _bands_of(scene: Scene) -> dict[str, Any]:
    file_bands, numbers = header_numbers(scene.selection)
    return {
        "wavelengths": scene.wavelengths,
        "fwhm": scene.fwhm,
        "file_bands": file_bands,
        "band_numbers": None if numbers is None else tuple(numbers),
    }


def ready_modality(shape: tuple[int, ...], *, unit_norm: bool) -> Modality:
    """The modality of items that come ready made, not yet `fitted` to them.

    Args:
        shape: of an item: values, or channels × lines × samples of a square patch of odd side.
        unit_norm: scale features to length 1; patches stay as they are.

    Raises:
        ShapeError: patches that are not square, or of even side.
    """
    if len(shape) == 1:
        return Modality("features", shape[0], unit_norm=unit_norm)
    channels, lines, samples = shape
    if lines != samples or lines % 2 == 0:
        raise ShapeError("patches", f"{lines} × {samples} pixels", "square ones of odd side")
    return Modality("patches", channels, lines)


def unit_rows(items: Items) -> Items:
    """Items divided by their L2 norm; those that are 0 stay so."""
    lengths = np.sqrt(np.square(items, dtype=np.float64).sum(tuple(range(1, items.ndim))))
    safe = np.where(lengths > 0, lengths, 1).reshape(-1, *[1] * (items.ndim - 1))
    return np.asarray(items / safe, np.float32)


def _only_companion(scene: Scene) -> str:
    names = list(scene.companions)
    if len(names) != 1:
        found = f"{len(names)} companion layers ({', '.join(names)})" if names else ""
        raise no_companion(scene, found or "no companion layer, such as LiDAR height")
    return names[0]


def no_companion(scene: Scene, found: str) -> InputFileError:
    """What is raised where a scene lacks the layer that is asked for."""
    known = ", ".join(list(scene.companions)[:20])
    expected = f"data.companion as one of {known}" if known else "a scene with one"
    return InputFileError(scene.name, found, expected)
