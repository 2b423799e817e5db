"""Which images are denoised, and where the results go."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ....atomic import refuse_existing
from ....data.formats.camera_files import is_raw
from ....data.photograph_stacks import open_stack, stack_kind
from ....data.photograph_writer import check_writable
from ....data.photographs import PhotographHeader, read_header
from ....engine.observer import Observer
from ....errors import HsiSuiteError, OutputError
from ....user_files import resolved
from ..image_files import COMPARISON_SUFFIX, images_in
from .image_targets import Targets


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
    observer: Observer | None = None,
) -> tuple[list[ImageJob], dict[Path, HsiSuiteError]]:
    """The images that inputs name, and where each result goes.

    Images that differ in their endings alone, as a raw file and its JPEG, keep these in the names
    of their results, which is said.

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
        observer: is told of names.

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
    jobs = _told_apart(jobs, targets, observer or Observer())
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


def _told_apart(jobs: list[ImageJob], targets: Targets, observer: Observer) -> list[ImageJob]:
    """The same jobs; what would have one name, keeps the endings of its sources in it."""
    alike: dict[Path, list[ImageJob]] = defaultdict(list)
    for job in jobs:
        alike[resolved(job.target)].append(job)
    renamed: dict[Path, Path] = {}
    for sharing in alike.values():
        if len({job.source.name for job in sharing}) == len(sharing) > 1:
            for job in sharing:
                renamed[job.source] = targets.of(job.source, job.header, in_full=True)
    if renamed:
        example = next(iter(renamed.values()))
        observer.message(
            f"{len(renamed)} images differ in their endings alone, which stay in the names of "
            f"their results, as in {example}"
        )
    return [replace(job, target=renamed.get(job.source, job.target)) for job in jobs]


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
