"""Pixels that files of flags beside a product call useless: clouds, shadow, background."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ....errors import InputFileError
from ..array_axes import ArrayRequest
from ..array_choice import size_text
from ..cube_file import CubeFile, LineSource
from ..line_masks import BothMasks
from ..tiff_files import open_tiff
from .joined_bands import FlagMask


@dataclass(frozen=True)
class Flags:
    """Flags of each pixel, in a file of their own.

    Attributes:
        path: the file.
        bad: the flags of pixels that are masked.
        what: those pixels in words.
        bands: in which bands of the file they stand, from 0.
    """

    path: Path
    bad: Sequence[int]
    what: str
    bands: Sequence[int] = (0,)


def with_flags(cube: CubeFile, flags: Sequence[Flags]) -> CubeFile:
    """A cube without the pixels that TIFF files of flags mask.

    Args:
        cube: open.
        flags: on its grid.

    Raises:
        InputFileError: a file is damaged, or of another size or number of bands.
    """
    try:
        for each in flags:
            opened = open_tiff(each.path, ArrayRequest(), masked=False)
            try:
                require_fitting(cube, each, opened.shape)
            except BaseException:
                opened.close()
                raise
            cube = masked_by(cube, each, opened.source)
    except BaseException:
        cube.close()
        raise
    return cube


def masked_by(cube: CubeFile, flags: Flags, source: LineSource) -> CubeFile:
    """A cube without the pixels that flags of its lines and samples mask."""
    mask = FlagMask(source, flags.bad, flags.bands)
    return replace(
        cube,
        mask=mask if cube.mask is None else BothMasks(cube.mask, mask),
        files=(*cube.files, flags.path),
    )


def require_fitting(cube: CubeFile, flags: Flags, shape: Sequence[int]) -> None:
    """Refuse flags of other pixels, or without the bands that are wanted.

    Raises:
        InputFileError: they are.
    """
    remedy = "it belongs to another product: remove it"
    if tuple(shape[:2]) != cube.shape[:2]:
        raise InputFileError(
            flags.path,
            f"{size_text(shape[:2])} pixels",
            f"{size_text(cube.shape[:2])} as in {cube.path.name}",
            remedy,
        )
    if shape[2] <= max(flags.bands):
        found = f"{shape[2]} bands"
        raise InputFileError(flags.path, found, f"{max(flags.bands) + 1} at least", remedy)


def in_words(flags: Sequence[Flags], others: str) -> str:
    """What is masked by which file, and what is not, for `hsi data info`.

    Args:
        flags: those that are applied.
        others: what else the product flags.
    """
    if not flags:
        return f"{others} are not applied"
    told = ", ".join(f"{each.what} ({_short(each.path)})" for each in flags)
    return f"masked: {told}; without these files they are kept; {others} are not applied"


def _short(path: Path) -> str:
    return path.stem[path.stem.find("QL_") :] if "QL_" in path.stem else path.name
