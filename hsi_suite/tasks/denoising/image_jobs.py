"""Which images are denoised, where the results go, and whether memory will do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from ...atomic import refuse_existing
from ...data.formats.camera_files import is_raw
from ...data.photograph_stacks import open_stack, stack_kind
from ...data.photograph_writer import check_writable
from ...data.photographs import PhotographHeader, read_header
from ...engine.memory import layer_bytes
from ...engine.tiles import Tiling, side_within
from ...errors import ConfigError, HsiSuiteError, InputFileError, OutputError
from ...memory import PROGRAM_BYTES, memory_text
from ...models.two_passes import TwoPasses
from ...user_files import resolved
from .denoiser import Denoiser
from .image_files import COMPARISON_SUFFIX, images_in
from .image_restoration import tile_radius
from .image_targets import Targets
from .restoration_settings import Restoration

# Copies of an image while it is decoded: Pillow's own, and ours; of 16 bits two of Pillow's.
_DECODING = {"uint8": 2.5, "uint16": 3.5, "float32": 2.5}
# A network's memory against its largest layer, with the gaps that malloc leaves between blocks:
# 5 for DnCNN; 10 for the default denoiser, which keeps layers for its way up, and up to 17 over a
# dozen tiles, as the gaps differ from tile to tile (measured).
_LIVE_LAYERS = 18
_PROBE = 64


@dataclass(frozen=True)
class ImageJob:
    """One image to be denoised.

    Attributes:
        source: the image.
        target: where the result goes.
        header: of the image.
    """

    source: Path
    target: Path
    header: PhotographHeader

    @property
    def comparison(self) -> Path:
        """Where the picture of before and after goes."""
        return self.target.with_name(f"{self.target.stem}{COMPARISON_SUFFIX}.png")

    def written(self, compare: bool) -> list[Path]:
        """All files that go with the result."""
        return [self.target, self.comparison] if compare else [self.target]


def plan_jobs(
    inputs: Sequence[str | Path],
    output: str | Path | None,
    *,
    overwrite: bool,
    compare: bool = False,
    kept: Sequence[Path] = (),
    folders: Sequence[Path] = (),
    kind: str | None = None,
    quality: int | None = None,
    aside: Sequence[str | Path | None] = (),
) -> tuple[list[ImageJob], dict[Path, HsiSuiteError]]:
    """The images that inputs name, and where each result goes.

    Args:
        inputs: images, and folders whose images are meant, see `image_files.folder_content`.
        output: a file for one image, or a folder, in which results lie as their images do in the
            folders given; None for `NAME_denoised.png` beside each image (`.tif` where its values
            are floats or of 9 to 15 bits, or it has coordinates or several pages).
        overwrite: whether a result may take the place of a finished file, an input among them.
        compare: whether pictures of before and after are written beside the results.
        kept: further files that nothing may take the place of.
        folders: further folders that inputs were found in.
        kind: of all results, see `photograph_endings.KINDS`; None as said above.
        quality: of all results, 1 to 100.
        aside: files in the folders that the call writes as well, which are no inputs.

    Returns:
        The jobs, and the inputs that cannot be denoised with what is wrong: they cannot be read,
        or their result cannot be written or exists already.

    Raises:
        InputFileError: a folder without images.
        OutputError: two results would have one name, or one would replace what is kept.
        ConfigError: the kind contradicts the output, or has no quality.
    """
    given = [path for path in map(Path, inputs) if path.is_dir()]
    alone = len(inputs) == 1 and not given
    targets = Targets(output, alone, [*folders, *given], kind, quality)
    targets.check()
    named = [path for each in inputs for path in images_in(Path(each), [output, *aside, *kept])]
    # A file named twice, or with its folder, is meant once.
    sources = list({resolved(path.parent) / path.name: path for path in named}.values())
    jobs: list[ImageJob] = []
    refused: dict[Path, HsiSuiteError] = {}
    for source in sources:
        try:
            header = _header(source)
            target = targets.of(source, header)
            check_writable(target, header)
            jobs.append(ImageJob(source, target, header))
        except HsiSuiteError as error:
            refused[source] = error
    _check_targets(jobs, [] if overwrite else sources, kept)
    for job in list(jobs):
        try:
            refuse_existing(job.written(compare), overwrite=overwrite)
        except HsiSuiteError as error:
            refused[job.source] = error
            jobs.remove(job)
    return jobs, refused


def _header(source: Path) -> PhotographHeader:
    """Of a photograph, or of the pictures of a TIFF file."""
    if is_raw(source) or stack_kind(source) is None:
        return read_header(source)
    with open_stack(source) as stack:
        return stack.header


def _check_targets(jobs: list[ImageJob], sources: Sequence[Path], kept: Sequence[Path]) -> None:
    inputs = {resolved(path) for path in (*sources, *kept)}
    taken: dict[Path, Path] = {}
    for job in jobs:
        for target in (job.target, job.comparison):
            place = resolved(target)
            if place in taken:
                raise OutputError(
                    target,
                    f"would be a result of {taken[place]} and of {job.source}",
                    "two names",
                    "denoise them in two commands, one kind of file (FOLDER/*.png) or one -o each",
                )
            taken[place] = job.source
            if place in inputs:
                raise OutputError(target, "is an input", "a new name", "name one with -o")


def plan_tiles(
    denoiser: Denoiser,
    job: ImageJob,
    *,
    tile: int | None,
    memory_limit: float,
    copies: float,
    how: Restoration,
) -> Tiling:
    """How an image is cut so that everything fits in memory.

    Args:
        denoiser: what it is denoised with.
        job: the image.
        tile: side of the tiles as asked for; None: as large as memory allows.
        memory_limit: bytes for the whole process.
        copies: how often the image is held in memory beside the network's work.
        how: it is restored.

    Raises:
        InputFileError: the image alone is too large.
        ConfigError: no tile fits, or the network cannot work on tiles.
    """
    shape = (job.header.lines, job.header.samples)
    channels = job.header.channels + job.header.alpha
    size = float(shape[0]) * shape[1] * channels * job.header.dtype.itemsize
    needed = PROGRAM_BYTES + size * max(copies, _DECODING[job.header.dtype.name])
    if needed > memory_limit:
        raise InputFileError(
            job.source,
            f"{shape[1]:,} × {shape[0]:,} pixels need about {memory_text(needed)}",
            f"at most the memory limit, {memory_text(memory_limit)}",
            "raise --memory-limit if the image is really so large",
        )
    radius: int | None = denoiser.network.receptive_radius  # type: ignore[assignment]
    multiple: int = denoiser.network.multiple  # type: ignore[assignment]
    around = tile_radius(denoiser, how)
    held = size * copies
    if isinstance(denoiser.network, TwoPasses) and around != radius:
        held += 4.0 * denoiser.network.kept * shape[0] * shape[1]
    pixels = int((memory_limit - PROGRAM_BYTES - held) / bytes_per_pixel(denoiser))
    if radius is None or around is None:
        if tile is not None or pixels < shape[0] * shape[1]:
            raise ConfigError(
                "tile",
                "this network looks at the whole image, which "
                + ("is not to be cut" if tile is not None else "does not fit in memory"),
                "one tile",
                "choose other weights, or --tile auto with a larger --memory-limit",
            )
        return Tiling(None, 0, 1)
    if tile is not None:
        _check_piece(tile, shape, around + multiple, pixels)
        return Tiling(tile, radius, multiple)
    return Tiling(side_within(pixels, shape, around, multiple), radius, multiple)


def _check_piece(tile: int, shape: tuple[int, int], around: int, pixels: int) -> None:
    lines, samples = (min(tile + 2 * around, size) for size in shape)
    if lines * samples > pixels:
        raise ConfigError(
            "--tile",
            f"{tile}; with its surroundings {samples:,} × {lines:,} pixels",
            f"at most {max(pixels, 0):,} pixels, for which there is memory",
            "lower --tile or raise --memory-limit",
        )


def bytes_per_pixel(denoiser: Denoiser) -> float:
    """Memory that a network takes for each pixel of a piece, from a look at its layers."""
    device = next(denoiser.network.parameters()).device
    probe = torch.zeros(1, denoiser.header.in_channels, _PROBE, _PROBE, device=device)
    sizes = [layer.output for layer in layer_bytes(denoiser.network, lambda: denoiser(probe, 0.1))]
    # And a piece of the image itself, in and out, as float32 in three colours.
    return _LIVE_LAYERS * max(sizes) / _PROBE**2 + 6 * 3 * 4
