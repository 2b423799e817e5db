"""Options of `hsi denoise` that are for cubes alone or for photographs alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...data.photograph_endings import PHOTOGRAPH_ENDINGS
from ...errors import ConfigError, InputFileError
from .denoising_options import DenoisingOptions
from .image_files import folder_content

#: Cubes by their names; a TIFF file may be either.
CUBE_NAMES = frozenset((".hdr", ".mat", ".npy", ".npz", ".h5", ".hdf5", ".he5", ".nc", ".xml"))
TIFF_NAMES = frozenset((".tif", ".tiff"))
_PHOTOGRAPH_NAMES = frozenset(PHOTOGRAPH_ENDINGS) - TIFF_NAMES
# Options by their names in the command, and what they are where nothing is said.
_OF_CUBES: Mapping[str, Any] = {
    **dict.fromkeys(("rank", "scene_variable", "axes", "shape", "nodata", "bands")),
    "mode": "subspace",
    "repair": False,
    "non_local": True,
    "drop_water": False,
    "add_kind": "gaussian",
}
_SHEET = "contact_sheet"
_OF_PHOTOGRAPHS: Mapping[str, Any] = {
    **dict.fromkeys(("white", "quality", "kind", _SHEET)),
    "noise": "auto",
}
_CALLED = {"kind": "--format", "non_local": "--local"}
# Of 8 bits: the greatest σ of photographs.
_LEVELS = 255.0


def named_kinds(inputs: Sequence[str | Path]) -> tuple[list[Path], list[Path]]:
    """The inputs that are photographs by their names, and those that are cubes.

    TIFF files, folders and what has no ending of either are among neither.
    """
    files = [path for path in map(Path, inputs) if not path.is_dir()]
    images, cubes = (
        [path for path in files if path.suffix.lower() in names]
        for names in (_PHOTOGRAPH_NAMES, CUBE_NAMES)
    )
    return images, cubes


def photographs_in_folders(
    inputs: Sequence[str | Path], written: Sequence[str | Path | None] = ()
) -> list[Path]:
    """What of the folders among inputs is a photograph by its name, see `folder_content`."""
    folders = (path for path in map(Path, inputs) if path.is_dir())
    found = [path for folder in folders for path in folder_content(folder, written).images]
    return [path for path in found if path.suffix.lower() in _PHOTOGRAPH_NAMES]


def refuse_other_kind(
    images: Sequence[Path],
    cubes: Sequence[Path],
    options: DenoisingOptions,
    given: Mapping[str, Any],
) -> None:
    """Refuse options that are for the other kind of inputs.

    Args:
        images: photographs among the inputs.
        cubes: cubes among them.
        options: those of both.
        given: all of the command, by its names.

    Raises:
        ConfigError: names the option and the first input that it is not for.
        InputFileError: of a photograph, which has one page, there are several σ.
    """
    if images:
        remedy = "denoise photographs in a call of their own" if cubes else "leave it out"
        _refuse_given(_OF_CUBES, given, images[0], "cubes", remedy)
        check_scale(options)
        # TIFF files alone have pages.
        for path in images:
            if path.suffix.lower() in _PHOTOGRAPH_NAMES:
                refuse_page_sigmas(options, path, 1)
    if not cubes:
        return
    remedy = "denoise cubes in a call of their own" if images else "leave it out"
    if cubes[0].suffix.lower() in TIFF_NAMES:
        remedy += ", or take the pages of a TIFF file for pictures with --stack pages"
    # A sheet of the photographs of a folder asks nothing of the cubes among them.
    usual = {
        name: _OF_PHOTOGRAPHS[name] for name in _OF_PHOTOGRAPHS if not (images and name == _SHEET)
    }
    _refuse_given(usual, given, cubes[0], "photographs", remedy)
    if options.page_sigmas:
        number = len(options.page_sigmas)
        raise ConfigError("--sigma", f"{number} values given with {cubes[0]}", "one value")
    if options.reference is not None and images:
        raise ConfigError("--reference", f"given with {images[0]} and {cubes[0]}", "one input")


def _refuse_given(
    usual: Mapping[str, Any], given: Mapping[str, Any], path: Path, meant: str, remedy: str
) -> None:
    for name, value in usual.items():
        if given[name] not in (value, None):
            option = _CALLED.get(name, f"--{name.replace('_', '-')}")
            raise ConfigError(option, f"given with {path}", meant, remedy)


def check_scale(options: DenoisingOptions) -> None:
    """Refuse a σ of photographs above 255, the scale that it is given on.

    Raises:
        ConfigError: names the option.
    """
    sigmas = [("--sigma", value) for value in (options.sigma, *options.page_sigmas)]
    for name, value in (*sigmas, ("--add-noise", options.add_noise)):
        if value is not None and value > _LEVELS:
            raise ConfigError(name, f"{value:g}", f"0 to {_LEVELS:g}, whatever the image's depth")


def refuse_page_sigmas(options: DenoisingOptions, path: Path, pages: int) -> None:
    """Refuse σ of pages that are of another number than the pages.

    Args:
        options: may name one σ for each page.
        path: of the photograph or stack.
        pages: that it has.

    Raises:
        InputFileError: it has more or fewer.
    """
    count = len(options.page_sigmas)
    if count and count != pages:
        has = "one page" if pages == 1 else f"{pages} pages"
        expected = "one σ for each page, or one σ"
        raise InputFileError(path, f"has {has}, and --sigma names {count}", expected)
