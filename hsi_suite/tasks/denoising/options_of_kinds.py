"""Options of `hsi denoise` that are for cubes alone or for photographs alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...data.photograph_endings import PHOTOGRAPH_ENDINGS
from ...errors import ConfigError, HsiSuiteError, InputFileError
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
_OF_PHOTOGRAPHS: Mapping[str, Any] = {
    **dict.fromkeys(("white", "quality", "kind", "contact_sheet")),
    "noise": "auto",
}
_CALLED = {"kind": "--format", "non_local": "--local"}
# Of 8 bits: the greatest σ of photographs.
_LEVELS = 255.0


def kinds_by_name(
    inputs: Sequence[str | Path], written: Sequence[str | Path | None] = ()
) -> tuple[list[Path], list[Path], list[Path]]:
    """The inputs, and what of folders is meant, as photographs, cubes and what may be either.

    Args:
        inputs: files and folders, see `image_files.folder_content`.
        written: what the call writes to, which is no input.
    """
    images: list[Path] = []
    cubes: list[Path] = []
    either: list[Path] = []
    for given in map(Path, inputs):
        for path in folder_content(given, written).images if given.is_dir() else [given]:
            ending = path.suffix.lower()
            kind = cubes if ending in CUBE_NAMES else either
            (images if ending in _PHOTOGRAPH_NAMES else kind).append(path)
    return images, cubes, either


def refuse_other_kind(
    images: Sequence[Path],
    cubes: Sequence[Path],
    options: DenoisingOptions,
    given: Mapping[str, Any],
) -> None:
    """Refuse options that are for none of the inputs.

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
        check_scale(options)
        # TIFF files alone have pages.
        if not cubes and all(path.suffix.lower() in _PHOTOGRAPH_NAMES for path in images):
            refuse_page_sigmas(options, images[0], 1)
    if images and cubes:
        if options.reference is not None:
            raise ConfigError("--reference", f"given with {images[0]} and {cubes[0]}", "one input")
    elif images:
        _refuse_given(_OF_CUBES, given, images[0], "cubes", "leave it out")
    elif cubes:
        remedy = f"leave it out{_or_pages(cubes)}"
        _refuse_given(_OF_PHOTOGRAPHS, given, cubes[0], "photographs", remedy)
        if options.page_sigmas:
            number = len(options.page_sigmas)
            raise ConfigError("--sigma", f"{number} values given with {cubes[0]}", "one value")


def done_without(
    images: Sequence[Path], cubes: Sequence[Path], given: Mapping[str, Any]
) -> list[str]:
    """Which of photographs and cubes of one call are denoised without which options, in words.

    What is for photographs asks nothing of the cubes in the same folder, nor the other way round.

    Args:
        images: photographs among the inputs.
        cubes: cubes among them.
        given: all of the command, by its names.
    """
    if not (images and cubes):
        return []
    said = []
    # A contact sheet says itself that cubes are not on it.
    photographic = [name for name in _given(_OF_PHOTOGRAPHS, given) if name != "--contact-sheet"]
    pages = "; --stack pages takes pages of TIFF files for pictures"
    pages = pages if _may_be_pictures(cubes) else ""
    for names, meant, others, kind, remedy in (
        (photographic, "photographs", cubes, "cube", pages),
        (_given(_OF_CUBES, given), "cubes", images, "photograph", ""),
    ):
        if names:
            verb = "is" if len(names) == 1 else "are"
            left = "it" if len(names) == 1 else "them"
            said.append(
                f"{' and '.join(names)} {verb} for {meant}; {_counted(others, kind)} denoised "
                f"without {left}{remedy}"
            )
    return said


def refused_cubes(
    images: Sequence[Path], cubes: Sequence[Path], options: DenoisingOptions
) -> dict[Path, HsiSuiteError]:
    """The cubes that are not denoised beside photographs, as a σ is on the scale of these.

    Args:
        images: photographs among the inputs.
        cubes: cubes among them.
        options: those of both.
    """
    sigma = options.sigma is not None or options.page_sigmas
    name = "--sigma" if sigma else None if options.add_noise is None else "--add-noise"
    if name is None or not images:
        return {}
    return {
        cube: InputFileError(
            cube,
            f"is a cube, and {name} is on the scale 0 to {_LEVELS:g} of the photographs beside it",
            "",
            f"denoise cubes in a call of their own{_or_pages(cubes)}",
        )
        for cube in cubes
    }


def _or_pages(cubes: Sequence[Path]) -> str:
    """A further remedy, where a cube may be a stack of pictures."""
    may = _may_be_pictures(cubes)
    return ", or take the pages of a TIFF file for pictures with --stack pages" if may else ""


def _may_be_pictures(cubes: Sequence[Path]) -> bool:
    return any(cube.suffix.lower() in TIFF_NAMES for cube in cubes)


def _counted(paths: Sequence[Path], kind: str) -> str:
    """One file by its name, several by their number and ends, and "is" or "are"."""
    if len(paths) == 1:
        return f"{paths[0]}, a {kind}, is"
    return f"{len(paths)} {kind}s, from {paths[0]} to {paths[-1]}, are"


def _given(usual: Mapping[str, Any], given: Mapping[str, Any]) -> list[str]:
    """The options that say something else than is usual, as the command has them."""
    return [
        _CALLED.get(name, f"--{name.replace('_', '-')}")
        for name, value in usual.items()
        if given[name] not in (value, None)
    ]


def _refuse_given(
    usual: Mapping[str, Any], given: Mapping[str, Any], path: Path, meant: str, remedy: str
) -> None:
    for option in _given(usual, given):
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
