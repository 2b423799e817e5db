"""Pixels of a cube that hold no data."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from ..errors import InputFileError

_BLOCK_VALUES = 2**23


def valid_pixels(cube: NDArray[Any], nodata: float | None) -> NDArray[np.bool_] | None:
    """Where a pixel holds data in all bands; None when every pixel does.

    Args:
        cube: lines × samples × bands, of the whole scene or of some lines.
        nodata: value of missing pixels beside NaN and infinity; None: there is none.
    """
    if not _can_miss(nodata, cube.dtype):
        return None
    marker = _representable(nodata, cube.dtype)
    lines, samples, bands = cube.shape
    valid = np.ones((lines, samples), dtype=bool)
    step = max(1, _BLOCK_VALUES // (samples * bands))
    for start in range(0, lines, step):
        missing = _missing_values(cube[start : start + step], marker)
        valid[start : start + step] = ~missing.any(axis=2)
    return None if valid.all() else valid


def valid_of_blocks(
    blocks: Callable[[], Iterable[NDArray[Any]]], nodata: float | None, dtype: np.dtype[Any]
) -> NDArray[np.bool_] | None:
    """`valid_pixels` of a cube that comes in blocks of lines.

    Args:
        blocks: begins to read all its lines, lines × samples × bands each; not called where
            nothing can be missing.
        nodata: as in `valid_pixels`.
        dtype: type of the values.
    """
    if not _can_miss(nodata, dtype):
        return None
    parts = []
    for block in blocks():
        valid = valid_pixels(block, nodata)
        parts.append(np.ones(block.shape[:2], bool) if valid is None else valid)
    mask: NDArray[np.bool_] = np.concatenate(parts)
    return None if mask.all() else mask


def refuse_without_data(
    path: Path, blocks: Iterable[NDArray[Any]], nodata: float | None
) -> NoReturn:
    """Say why a scene has no valid pixel, as far as it shows.

    Args:
        path: of the scene.
        blocks: all its lines, lines × samples × bands each.
        nodata: as in `valid_pixels`.

    Raises:
        InputFileError: always; some bands hold no data at all, or no pixel holds data in all.
    """
    empty: NDArray[np.bool_] = np.ones(1, bool)
    for block in blocks:
        missing = _missing_values(block, _representable(nodata, block.dtype))
        empty = empty & missing.all(axis=(0, 1))
    marked = "" if nodata is None else f" or nodata ({nodata:g})"
    remedy = "" if nodata is None else "; --nodata nan switches the nodata value off"
    if empty.any():
        named = ", ".join(str(band + 1) for band in np.flatnonzero(empty)[:10])
        raise InputFileError(
            path,
            f"every pixel of {int(empty.sum())} of {empty.size} bands (number {named}) is NaN, "
            f"infinite{marked}",
            "",
            f"leave these bands out of the file{remedy}",
        )
    raise InputFileError(
        path, f"every pixel has a band that is NaN, infinite{marked}", "valid pixels", remedy[2:]
    )


def check_labelled_pixels(
    path: Path, labels: NDArray[np.integer], valid: NDArray[np.bool_]
) -> None:
    """Refuse labels where there is no data.

    Args:
        path: of the scene.
        labels: lines × samples, 0 = unlabelled.
        valid: lines × samples.

    Raises:
        InputFileError: a labelled pixel is not valid.
    """
    lost = np.argwhere((labels > 0) & ~valid)
    if len(lost):
        line, sample = (int(place) + 1 for place in lost[0])
        raise InputFileError(
            path,
            f"labelled pixels without data (NaN, infinite or nodata): {len(lost)}, "
            f"the first at line {line}, sample {sample}",
            "data in every labelled pixel",
            "set their labels to 0, or --nodata nan if that value is data",
        )


def _missing_values(block: NDArray[Any], marker: Any) -> NDArray[np.bool_]:
    missing = ~np.isfinite(block) if block.dtype.kind == "f" else np.zeros(block.shape, bool)
    if marker is not None:
        missing |= block == marker
    return missing


def _can_miss(nodata: float | None, dtype: np.dtype[Any]) -> bool:
    return dtype.kind == "f" or _representable(nodata, dtype) is not None


def _representable(nodata: float | None, dtype: np.dtype[Any]) -> Any:
    """`nodata` as a value of `dtype`; None when no element can equal it."""
    if nodata is None or np.isnan(nodata):
        return None
    if dtype.kind == "f":
        with np.errstate(over="ignore"):
            return np.array(nodata).astype(dtype)
    limits = np.iinfo(dtype)
    fits = float(nodata).is_integer() and limits.min <= nodata <= limits.max
    return np.array(int(nodata), dtype=dtype) if fits else None
