"""What is looked for: a measured spectrum, a patch of a picture, or a pixel of the gallery."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...data.field_spectra import Units, read_field_spectrum
from ...data.modalities import Modality
from ...data.spectral_resampling import ResampledSpectrum, resample
from ...data.strip_items import StripItems, picture_levels, sampled_pixels
from ...engine.observer import Observer
from ...errors import ConfigError, HsiSuiteError
from ...memory import DEFAULT_MEMORY_LIMIT
from .gallery import Gallery, open_gallery
from .gallery_domain import warn_if_unlike
from .gallery_index import GalleryIndex
from .gallery_pictures import coloured, surroundings, tile_reach
from .index_memory import check_picture
from .retriever import Retriever
from .sides import SIDES, Side

# Up to these levels of its mean spectrum a scene is taken for reflectance from 0 to 1, in percent,
# or times 10000.
_LEVELS = {1.0: 1.0, 60.0: 100.0, 6000.0: 10_000.0}


@dataclass(frozen=True, eq=False)
class QueryItem:
    """One query.

    Attributes:
        title: what it is, in a few words.
        side: the modality it is of.
        modality: its name.
        row: its place in the common space, length 1.
        remarks: what was made of it, in words for the user.
        spectrum: reflectance in the bands learnt from, NaN where not measured; None for others.
        wavelengths: of those bands in nm.
        patch: the surroundings in colours, uint8, odd and square × 3; None for others.
        left_out: the line and sample of a pixel of the gallery that is no match of itself.
        taken_for: the class that the run takes it for; None for pixels.
    """

    title: str
    side: Side
    modality: str
    row: NDArray[np.float32]
    remarks: tuple[str, ...] = ()
    spectrum: NDArray[np.float64] | None = None
    wavelengths: NDArray[np.float64] | None = None
    patch: NDArray[np.uint8] | None = None
    left_out: tuple[int, int] | None = None
    taken_for: str | None = None


def spectrum_query(
    retriever: Retriever,
    path: str,
    *,
    name: str | None,
    units: Units | None,
    scale: float | None,
) -> QueryItem:
    """A field spectrum, resampled to the bands that the run learnt.

    Args:
        retriever: the run's.
        path: CSV or other text, or an ENVI spectral library.
        name: which of several spectra.
        units: of its values; None reads them from the file.
        scale: value of the scene that stands for a reflectance of 1, for runs that learnt the
            level of spectra; None takes it from the scene's mean spectrum.

    Raises:
        ConfigError: the run did not learn spectra, or without wavelengths; or its scene is of
            radiance.
        InputFileError: the spectrum cannot be read or does not overlap with the bands.
    """
    side = _side_of("--spectrum", retriever, ("spectrum",))
    modality = retriever.modality(side)
    if modality.wavelengths is None:
        raise ConfigError(
            "--spectrum",
            f"the run learnt from {retriever.header.dataset}, whose wavelengths are unknown",
            "a run that learnt from a scene with wavelengths",
            "give the scene an ENVI header with wavelengths and train again",
        )
    measured = read_field_spectrum(path, name=name, units=units)
    resampled = resample(measured, modality.wavelengths)
    factor, remark = _scale(modality, scale)
    values, filled = _completed(resampled, modality, factor)
    items = values[None].astype(np.float32)
    return QueryItem(
        f"{measured.name} of {Path(path).name}",
        side,
        retriever.header.names[SIDES.index(side)],
        retriever.embed(items, side)[0],
        (*measured.remarks, resampled.remark, *filled, remark),
        spectrum=resampled.values,
        wavelengths=modality.wavelengths,
        taken_for=_taken_for(retriever, items, side),
    )


def patch_query(
    retriever: Retriever,
    path: str,
    at: tuple[int, int] | None,
    observer: Observer,
    memory_limit: float = DEFAULT_MEMORY_LIMIT,
    *,
    resample: bool = False,
) -> QueryItem:
    """A window of a picture or cube.

    Args:
        retriever: the run's.
        path: the picture.
        at: sample (x) and line (y) of the window's middle, from 0; None for the picture's middle.
        observer: reports how the file was read.
        memory_limit: bytes for the whole process.
        resample: make the bands that the run learnt of those of another sensor.

    Raises:
        ConfigError: the run did not learn pictures, or the place lies outside.
        InputFileError: the picture cannot be read as what the run learnt.
        ShapeError: it has other bands.
    """
    kinds = ("rgb", "panchromatic", "companion", "pca", "hsi")
    _side_of("--patch", retriever, kinds)
    failures: list[HsiSuiteError] = []
    for side in reversed(SIDES):
        modality = retriever.modality(side)
        if modality.kind not in kinds:
            continue
        try:
            with open_gallery(
                modality, scene=path, dataset=None, resample=resample, observer=observer
            ) as picture:
                check_picture(path, picture, memory_limit)
                item = _patch_of(retriever, side, picture, at)
                warn_if_unlike(picture, modality, observer)
                return item
        except HsiSuiteError as error:
            failures.append(error)
    raise failures[0]


def pixel_query(index: GalleryIndex, line: int, sample: int) -> QueryItem:
    """A pixel of the gallery itself, or the indexed one nearest to it.

    Args:
        index: the gallery.
        line: from 0, within it.
        sample: from 0, within it.
    """
    header = index.header
    away = np.abs(index.positions - np.array([line, sample])).max(1)
    item = int(away.argmin())
    there = (int(index.positions[item, 0]), int(index.positions[item, 1]))
    remarks = ["searched within one modality: the gallery's own rows are compared"]
    if there != (line, sample):
        remarks.append(
            f"line {line}, sample {sample} is not in the index; the nearest pixel that is, "
            f"line {there[0]}, sample {there[1]}, is taken"
        )
    row = np.array(index.embeddings[item])
    title = f"line {there[0]}, sample {there[1]} of {header.name}"
    return QueryItem(
        title,
        header.side,
        header.modality,
        row,
        tuple(remarks),
        patch=surroundings(index.picture, *there, tile_reach(header.window)),
        left_out=there,
    )


def _side_of(option: str, retriever: Retriever, kinds: tuple[str, ...]) -> Side:
    for side in SIDES:
        if retriever.modality(side).kind in kinds:
            return side
    what = "spectra" if kinds == ("spectrum",) else "pictures"
    raise ConfigError(
        option,
        f"the run learnt {' and '.join(retriever.header.names)}",
        f"a run that learnt {what}",
        "query by --pixel, or train another pair",
    )


def _scale(modality: Modality, scale: float | None) -> tuple[float, str]:
    """What reflectance is multiplied by, and why."""
    if modality.unit_norm:
        return 1.0, "spectra are compared at unit length, so that their level does not matter"
    if scale is not None:
        if not 0 < scale < math.inf:
            raise ConfigError("--scale", f"{scale}", "a number above 0")
        return scale, f"multiplied by {scale:g}, the scene's value for a reflectance of 1"
    mean = 0.0 if modality.mean is None else float(np.median(modality.mean))
    for level, factor in _LEVELS.items():
        if 0 < mean <= level:
            return factor, (
                f"multiplied by {factor:g}: the spectra learnt from are taken for reflectance "
                f"times {factor:g}, as they reach {mean:.3g} on average; --scale says otherwise"
            )
    raise ConfigError(
        "--scale",
        f"the spectra learnt from reach {mean:.3g} on average: no reflectance",
        "the scene's value for a reflectance of 1",
        "give it, or train with unit-norm spectra",
    )


def _completed(
    resampled: ResampledSpectrum, modality: Modality, factor: float
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Values in all bands, in the scene's units; those not measured take the mean's shape."""
    values, measured = resampled.values * factor, resampled.measured
    lacking = int((~measured).sum())
    if not lacking:
        return values, ()
    mean = np.ones(len(values)) if modality.mean is None else modality.mean.astype(np.float64)
    # At the level of the query: what is unknown shall speak neither for it nor against it.
    level = float(values[measured] @ mean[measured]) / float(np.square(mean[measured]).sum())
    return np.where(measured, values, level * mean), (
        f"{lacking} of {len(values)} bands were not measured: nothing is extrapolated, they take "
        "the mean of the spectra learnt from at the level of this one",
    )


def _patch_of(
    retriever: Retriever, side: Side, picture: Gallery, at: tuple[int, int] | None
) -> QueryItem:
    lines, samples, _ = picture.shape
    sample, line = (samples // 2, lines // 2) if at is None else at
    if not (0 <= line < lines and 0 <= sample < samples):
        raise ConfigError(
            "--at",
            f"{sample},{line}",
            f"X from 0 to {samples - 1}, Y from 0 to {lines - 1}, as {picture.name} is large",
        )
    modality = retriever.modality(side)
    strip = StripItems(modality, picture).strip(line, line + 1)
    if not strip.good[strip.inner][0, sample]:
        raise ConfigError("--at", f"{sample},{line} holds no data", "a pixel with data")
    items = strip.items(np.array([0]), np.array([sample]))
    window = modality.window
    remark = (
        f"window of {window} × {window} pixels around X {sample}, Y {line} of {picture.name}, "
        f"seen as {modality.kind}; its pixels must be as large on the ground as the gallery's"
    )
    return QueryItem(
        f"X {sample}, Y {line} of {picture.name}",
        side,
        retriever.header.names[SIDES.index(side)],
        retriever.embed(items, side)[0],
        (remark,),
        patch=_coloured(picture, line, sample, tile_reach(window)),
        taken_for=_taken_for(retriever, items, side),
    )


def _coloured(picture: Gallery, line: int, sample: int, reach: int) -> NDArray[np.uint8]:
    """The surroundings of a pixel in colours, stretched as the whole picture."""
    shown = list(picture.shown)
    levels = picture_levels(sampled_pixels(picture, lambda scene: scene.cube[..., shown]))
    first = max(0, line - reach)
    rows = picture.read(first, min(picture.shape[0], line + reach + 1))
    good = np.ones(rows.cube.shape[:2], bool) if rows.valid is None else rows.valid
    return surroundings(coloured(rows.cube[..., shown], levels, good), line - first, sample, reach)


def _taken_for(retriever: Retriever, items: NDArray[np.float32], side: Side) -> str:
    # Label predictions are fitted to 0 and 1, not to shares: only which is highest means anything.
    return retriever.header.class_names[int(retriever.posteriors(items, side)[0].argmax())]
