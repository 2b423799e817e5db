"""Which inputs of `hsi denoise` are cubes, where their results go, and how they are denoised."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ....atomic import keeping
from ....data.cube_writer import files_of_cube
from ....data.formats.camera_files import is_raw
from ....data.formats.file_format import FileFormat, recognise_format
from ....data.photograph_stacks import Stacking, stack_kind
from ....data.photographs import is_photograph
from ....data.readers import open_cube
from ....engine.devices import computing, resolve_device
from ....engine.observer import Observer
from ....engine.precision import check_precision
from ....errors import ConfigError, HsiSuiteError, OutputError
from ....map_endings import CUBE_ENDINGS
from ....memory import PROGRAM_BYTES, check_limit
from ....restoration.planes import PlaneDenoiser
from ....runs.machine import available_threads
from ....user_files import resolved
from ..denoising_options import DenoisingOptions
from ..image_files import SUFFIX, images_in, place_in_tree, report_left_out
from ..options_of_kinds import CUBE_NAMES
from ..own_failures import own_failure
from ..weights import load_weights
from .cube_demonstration import CubeNoise
from .cube_denoising import Mode, Rank
from .cube_file_denoising import DenoisedFile, denoise_cube_file
from .plane_denoising import grey_plane_denoiser

# With blocks of lines in float64 and their masks, on their way in and out (measured: 80 MB).
_LEAST_BYTES = PROGRAM_BYTES + 100e6


@dataclass(frozen=True)
class CubeSettings:
    """What a user may choose for cubes alone.

    Attributes:
        rank: number of eigen-images, or "auto".
        mode: "subspace", "robust", or "bands" for each band alone.
        repair: replace dead bands and missing values.
        non_local: denoise eigen-images a second time together.
        variable: which of several arrays in a file is the cube.
        axes: order of its axes where the file does not say, see `data.readers.open_cube`.
        shape: lines and samples of a matrix of spectra.
        nodata: the value that marks missing pixels; NaN: none does.
        noise: kind of the noise that `add_noise` adds.
        bands: which bands the result has, see `data.band_selection`; None: all, those marked as
            bad unchanged.
        drop_water: leave out of it the bands dark from water vapour.
    """

    rank: Rank = "auto"
    mode: Mode = "subspace"
    repair: bool = False
    non_local: bool = True
    variable: str | None = None
    axes: str | None = None
    shape: tuple[int, int] | None = None
    nodata: float | None = None
    noise: CubeNoise = "gaussian"
    bands: str | None = None
    drop_water: bool = False


def separate_cubes(
    inputs: Sequence[str | Path],
    observer: Observer | None = None,
    stacking: Stacking = "auto",
    written: Sequence[str | Path | None] = (),
) -> tuple[list[Path], list[Path]]:
    """The photographs and the cubes among inputs, recognised by their content.

    Folders stand for the images in them. A TIFF file is a photograph where it holds one grey or
    RGB image, or several that are no bands (frames in time, slices in depth, pages in colour);
    what cannot be read counts as a photograph, whose reader then says what is wrong.
    The observer reports what of a folder is left out; what the call writes to is no input.

    Raises:
        InputFileError: a folder without images.
    """
    images: list[Path] = []
    cubes: list[Path] = []
    observer = observer or Observer()
    report_left_out(inputs, observer, written)
    for given in map(Path, inputs):
        for path in images_in(given, written):
            (cubes if _is_cube(path, stacking, observer) else images).append(path)
    return images, cubes


def _is_cube(path: Path, stacking: Stacking, observer: Observer) -> bool:
    try:
        kind = recognise_format(path)
    except HsiSuiteError:
        # A cube's name with nothing readable behind it: the cube's reader knows what to say.
        return path.suffix.lower() in CUBE_NAMES
    if is_raw(path):
        return False
    if kind is FileFormat.TIFF:
        return not is_photograph(path) and not _is_stack(path, stacking, observer)
    return kind is not FileFormat.PNG


def _is_stack(path: Path, stacking: Stacking, observer: Observer) -> bool:
    """Whether the pages of a TIFF file are pictures of their own."""
    try:
        kind = stack_kind(path)
    except HsiSuiteError:
        return False
    if kind is None or stacking != "auto":
        return kind is not None and stacking == "pages"
    axes = f" (axes {kind.axes})" if kind.axes else ""
    if kind.separate:
        could = len(kind.axes) == 3 and "S" not in kind.axes
        other = "; --stack bands takes them for bands of a cube" if could else ""
        observer.message(f"{path}: {kind.pages} pictures{axes} are denoised one by one{other}")
    elif "C" in kind.axes:
        # A microscope's channels are as likely as a spectrometer's.
        observer.message(
            f"{path}: {kind.pages} channels{axes} are taken for bands of a cube; --stack pages "
            "takes them for pictures"
        )
    return kind.separate


def refuse_shared_names(
    images: Sequence[Path],
    cubes: Sequence[Path],
    output: str | Path | None,
    folders: Sequence[Path] = (),
) -> None:
    """Refuse photographs and cubes of one call whose results would have one name.

    Raises:
        OutputError: the first pair of them.
    """
    if output is not None and Path(output).suffix and not Path(output).is_dir():
        if images and cubes:
            raise OutputError(output, "is one file for several inputs", "a folder")
        return

    def folder_of(source: Path) -> Path:
        if output is None:
            return resolved(source.parent)
        return resolved(Path(output) / place_in_tree(source, folders))

    places = {
        folder_of(image) / f"{image.stem}{SUFFIX}{ending}": image
        for image in images
        for ending in (".png", ".tif")
    }
    for cube in cubes:
        place = folder_of(cube) / _beside(cube).name
        if place in places:
            raise OutputError(
                place.name,
                f"would be a result of {cube} and of {places[place]}",
                "two names",
                "denoise them in two commands, with -o",
            )


def denoise_cubes(
    inputs: Sequence[Path],
    output: str | Path | None,
    options: DenoisingOptions,
    settings: CubeSettings,
    observer: Observer | None = None,
    folders: Sequence[Path] = (),
    finished: Callable[[DenoisedFile], None] | None = None,
) -> tuple[list[DenoisedFile], dict[Path, HsiSuiteError]]:
    """Denoise cubes; one that fails does not keep the others back.

    Args:
        inputs: files of cubes, see `data.readers.open_cube`.
        output: a file for one cube, or a folder; None for `NAME_denoised` beside each, as TIFF or
            NPY where the input is one and as ENVI elsewhere.
        options: those common with photographs; σ is in the units of the cube, `compare` asks for
            a page beside the result.
        settings: those of cubes.
        observer: reports progress.
        folders: that inputs were found in, whose tree results keep below `output`.
        finished: is told of each when its files are written.

    Returns:
        What was denoised, and what was wrong with the other inputs.

    Raises:
        HsiSuiteError: what is wrong with the options, the weights or the output.
    """
    observer = observer or Observer()
    inputs = list(dict.fromkeys(inputs))
    _check(options, inputs)
    kept = [] if options.reference is None else [Path(options.reference)]
    targets = _targets(inputs, output, kept, folders, compare=options.compare)
    device = resolve_device(options.device)
    done: list[DenoisedFile] = []
    refused: dict[Path, HsiSuiteError] = {}
    check_precision("--precision", options.how.precision, device, observer)
    with computing(device, options.threads or available_threads(), deterministic=True):
        denoiser = load_weights(options.weights, device)
        planes = grey_plane_denoiser(denoiser, options.how, options.tile, options.memory_limit)
        for source, target in zip(inputs, targets, strict=True):
            file = None
            with (
                own_failure(source, refused, alone=len(inputs) == 1),
                keeping(_written(target, options.compare), overwrite=options.overwrite),
            ):
                file = _denoise(source, target, planes, options, settings, observer)
            if file is not None:
                done.append(file)
                if finished is not None:
                    finished(file)
    return done, refused


def _denoise(
    source: Path,
    target: Path,
    planes: PlaneDenoiser,
    options: DenoisingOptions,
    settings: CubeSettings,
    observer: Observer,
) -> DenoisedFile:
    added = None
    if options.add_noise is not None:
        added = (settings.noise, options.add_noise, options.seed)
    return denoise_cube_file(
        source,
        target,
        planes,
        denoiser_name=Path(options.weights or "default_denoiser").name,
        variable=settings.variable,
        axes=settings.axes,
        shape=settings.shape,
        nodata=settings.nodata,
        bands=settings.bands,
        drop_water=settings.drop_water,
        reference=options.reference,
        added_noise=added,
        report=_page(target) if options.compare else None,
        observer=observer,
        sigma="auto" if options.sigma is None else options.sigma,
        rank=settings.rank,
        mode=settings.mode,
        repair=settings.repair,
        non_local=settings.non_local,
        strength=options.how.strength,
        plane_bytes=options.memory_limit - _LEAST_BYTES,
    )


def _check(options: DenoisingOptions, inputs: Sequence[Path]) -> None:
    options.check(inputs)
    check_limit(options.memory_limit, _LEAST_BYTES, "any cube")
    if options.reference is not None and len(inputs) > 1:
        raise ConfigError("--reference", "one cube for several inputs", "one input")


def _targets(
    inputs: Sequence[Path],
    output: str | Path | None,
    kept: Sequence[Path],
    folders: Sequence[Path],
    *,
    compare: bool,
) -> list[Path]:
    """Where each result goes: to names of their own, and to those of no input's files."""
    folder = None if output is None else Path(output)
    if folder is not None and folder.suffix and not folder.is_dir():
        if len(inputs) > 1:
            raise OutputError(folder, "is one file for several cubes", "a folder")
        targets = [folder]
    else:
        targets = [_beside(source) for source in inputs]
        if folder is not None:
            targets = [
                folder / place_in_tree(source, folders) / target.name
                for source, target in zip(inputs, targets, strict=True)
            ]
    untouchable = {resolved(file) for path in (*inputs, *kept) for file in _files_of(path)}
    taken: dict[Path, Path] = {}
    for target, source in zip(targets, inputs, strict=True):
        for written in _written(target, compare):
            place = resolved(written)
            if taken.setdefault(place, source) != source:
                raise OutputError(written, f"would be a result of {taken[place]} and of {source}")
            if place in untouchable:
                raise OutputError(written, "is an input", "a new name", "name one with -o")
    return targets


def _files_of(path: Path) -> tuple[Path, ...]:
    """A cube's files: an ENVI cube has two. What is wrong with one is said when its turn comes."""
    try:
        with open_cube(path) as file:
            return (path, *file.files)
    except HsiSuiteError:
        return (path,)


def _written(target: Path, compare: bool) -> list[Path]:
    """All files that go with a result."""
    return [*files_of_cube(target), *([_page(target)] if compare else [])]


def _page(target: Path) -> Path:
    return target.with_suffix(".html")


def _beside(source: Path) -> Path:
    ending = source.suffix.lower()
    kept = ending if ending in CUBE_ENDINGS else ".hdr"
    return source.with_name(f"{source.stem}{SUFFIX}{kept}")
