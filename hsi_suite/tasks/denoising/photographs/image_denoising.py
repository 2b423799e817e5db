"""`hsi denoise` for photographs: read, estimate the noise, denoise tile by tile, write."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ....atomic import keeping
from ....data.formats.image_notes import upright
from ....data.photograph_losses import lost_notes, lost_text
from ....data.photograph_writer import write_photograph
from ....data.photographs import Photograph, read_header, read_photograph
from ....engine.allocation import release_free_blocks
from ....engine.devices import computing, resolve_device
from ....engine.observer import Observer
from ....engine.precision import check_precision
from ....engine.tiles import Tiling
from ....errors import ConfigError, HsiSuiteError, InputFileError
from ....metrics.measures import measure
from ....reports.denoising.comparison import comparison_figure
from ....reports.denoising.contact_sheet import MOST, detail_of
from ....reports.drawing import save_png
from ....restoration.page_fusion import RADIUS
from ....runs.machine import available_threads
from ..denoising_options import DenoisingOptions
from ..image_files import report_left_out
from ..image_restoration import Pixels, image_noise, restore
from ..image_scores import image_scores
from ..image_tiling import tiling_of
from ..options_of_kinds import check_scale
from ..own_failures import own_failure
from .denoised_image import DenoisedImage, together
from .image_jobs import ImageJob, plan_jobs
from .image_sheet import check_sheet, write_sheet
from .network_choice import Networks
from .network_remarks import TAKES_NO_SIGMA
from .page_look import look_at
from .seen_page import SeenPage, joint_values
from .stack_denoising import denoise_pages
from .white_level import shifted_back

_LEVELS = 255.0


def denoise_images(
    inputs: Sequence[str | Path],
    output: str | Path | None = None,
    options: DenoisingOptions | None = None,
    observer: Observer | None = None,
    folders: Sequence[Path] = (),
    finished: Callable[[DenoisedImage], None] | None = None,
) -> tuple[list[DenoisedImage], dict[Path, HsiSuiteError]]:
    """Denoise photographs; one that fails does not keep the others back.

    Args:
        inputs: images, and folders of images.
        output: a file for one image, or a folder; None for `NAME_denoised.png` beside each.
        options: see `DenoisingOptions`.
        observer: reports progress.
        folders: further folders that inputs were found in, whose tree results keep.
        finished: is told of each when its file is written.

    Returns:
        What was denoised, and what was wrong with the other inputs, or with the contact sheet.

    Raises:
        HsiSuiteError: what is wrong with the options, the weights, the output, or a folder.
    """
    options, observer = options or DenoisingOptions(), observer or Observer()
    jobs, refused = plan_images(inputs, output, options, folders, observer)
    device = resolve_device(options.device)
    check_precision("--precision", options.how.precision, device, observer)
    with computing(device, options.threads or available_threads(), deterministic=True):
        # Pages are compared by the σ of white noise.
        white = options.joint and options.noise == "auto"
        noise = "gaussian" if white else options.noise
        networks = Networks(options.weights, noise, device, even=options.joint, fills=white)
        denoiser = networks.likely
        if options.joint and not denoiser.network.takes_noise_map:
            raise ConfigError(
                "--stack", "joint, with weights that take no σ", "weights that take one"
            )
        known = options.sigma is not None or options.page_sigmas
        if known and not denoiser.network.takes_noise_map:
            observer.message(TAKES_NO_SIGMA)
        report_left_out(inputs, observer, [output, options.contact_sheet, *_kept(options)])
        planned: list[tuple[int, ImageJob, Tiling]] = []
        for index, job in enumerate(jobs):
            with own_failure(job.source, refused, alone=len(jobs) == 1):
                planned.append((index, job, tiling_of(denoiser, job, options)))
        total = sum(
            _rounds(job, options) * tiling.count((job.header.lines, job.header.samples))
            for _, job, tiling in planned
        )
        observer.begin("denoising", total)
        done: list[DenoisedImage] = []
        for index, job, _ in planned:
            image = None
            with (
                own_failure(job.source, refused, alone=len(jobs) == 1),
                keeping(job.written(options.compare), overwrite=options.overwrite),
            ):
                image = _denoise(networks, job, options, index, observer)
            if image is not None:
                done.append(image)
                if finished is not None:
                    finished(image)
        observer.end()
    if options.contact_sheet is not None and done:
        rows = [
            (each.detail, str(each.source), each.noise_text)
            for each in done
            if each.detail is not None
        ]
        sheet = Path(options.contact_sheet)
        with own_failure(sheet, refused, alone=False):
            write_sheet(sheet, rows, overwrite=options.overwrite)
    return done, refused


def plan_images(
    inputs: Sequence[str | Path],
    output: str | Path | None,
    options: DenoisingOptions,
    folders: Sequence[Path] = (),
    observer: Observer | None = None,
) -> tuple[list[ImageJob], dict[Path, HsiSuiteError]]:
    """What `denoise_images` has to do, from names and headers; arguments as it has them.

    Returns:
        The pictures that can be denoised, and what is wrong with the other inputs.

    Raises:
        HsiSuiteError: what is wrong with the options, the output, a folder, or names.
    """
    options.check(inputs)
    check_scale(options)
    kept = _kept(options)
    jobs, refused = plan_jobs(
        inputs, output, overwrite=options.overwrite, compare=options.compare, kept=kept,
        folders=folders, kind=options.kind, quality=options.quality,
        aside=[options.contact_sheet], observer=observer,
    )  # fmt: skip
    if len(jobs) + len(refused) > 1 and options.reference is not None:
        raise ConfigError("--reference", "one image for several inputs", "one input")
    if options.contact_sheet is not None:
        how = {"overwrite": options.overwrite, "compare": options.compare}
        check_sheet(Path(options.contact_sheet), jobs, [*kept, *refused], **how)
    return jobs, refused


def _kept(options: DenoisingOptions) -> list[Path]:
    """Files besides the inputs that no result may take the place of."""
    return [] if options.reference is None else [Path(options.reference)]


def _rounds(job: ImageJob, options: DenoisingOptions) -> int:
    """How often a picture's size goes through the network."""
    pages = job.header.pages
    return 2 * pages if options.joint and pages > 1 else pages


def _denoise(
    networks: Networks,
    job: ImageJob,
    options: DenoisingOptions,
    index: int,
    observer: Observer,
) -> DenoisedImage:
    path = None if options.reference is None else Path(options.reference)
    if job.header.pages > 1:
        return together(_denoise_stack(networks, job, options, index, observer))
    photograph = read_photograph(job.source)
    reference = None
    if path is not None:
        _check_size(path, photograph)
        reference = read_photograph(path)
    seen = look_at(networks, job, photograph, reference, options, (index, 0), observer)
    first = _first(seen, options, observer)
    seen = _unclipped(seen, first, options)
    clean, image = _finished(job, seen, first, options, (index, 0))
    result = replace(photograph, values=clean)
    if lost := lost_notes(photograph, job.target):
        observer.message(f"{job.source}: {lost_text(lost, job.target)}")
    # Encoding takes memory of its own; what the network needed can go.
    del photograph, reference, seen, first
    release_free_blocks()
    write_photograph(job.target, result, overwrite=options.overwrite, quality=options.quality)
    return image


def _denoise_stack(
    networks: Networks,
    job: ImageJob,
    options: DenoisingOptions,
    index: int,
    observer: Observer,
) -> list[DenoisedImage]:
    """Page by page, or with the neighbours of each."""
    numbers, share = iter(range(job.header.pages)), options.how.strength
    if options.joint:
        # What is averaged and compared is denoised in full.
        options = replace(options, how=replace(options.how, strength=1.0))

    def look(page: Photograph, truth: Photograph | None, number: int) -> tuple[SeenPage, Pixels]:
        own = options.for_page(number)
        seen = look_at(networks, job, page, truth, own, (index, number), observer)
        return seen, _first(seen, options, observer)

    def finish(window: Sequence[tuple[SeenPage, Pixels]], place: int) -> Any:
        number, (seen, clean) = next(numbers), window[place]
        if len(window) > 1:
            again = partial(_restore, seen, options=options, observer=observer)
            clean = joint_values(window, place, again)
        if options.joint:
            # The page by itself is still compared with those that follow.
            clean = clean.copy()
            if share == 1 and not seen.level.black:
                clean = shifted_back(clean, 0.0, seen.photograph.values.dtype)
        seen = _unclipped(seen, clean, options)
        if options.joint and share < 1:
            clean = seen.values + np.float32(share) * (clean - seen.values)
        return _finished(job, seen, clean, options.for_page(number), (index, number))

    reference = None if options.reference is None else Path(options.reference)
    radius = RADIUS if options.joint else 0
    return denoise_pages(job.source, job.target, reference, look, finish, radius)


def _first(page: SeenPage, options: DenoisingOptions, observer: Observer) -> Pixels:
    """A picture by itself through the network; the picture, where it is clean."""
    if page.choice.denoiser is None:
        observer.advance(page.planned)
        return page.photograph.values
    whole = not page.level.black and not options.joint
    dtype = page.photograph.values.dtype if whole else np.dtype(np.float32)
    return _restore(page, page.values, page.sigmas, dtype, options=options, observer=observer)


def _restore(
    page: SeenPage,
    values: Pixels,
    sigmas: tuple[float, ...],
    dtype: np.dtype[Any],
    *,
    options: DenoisingOptions,
    observer: Observer,
) -> Pixels:
    assert page.choice.denoiser is not None
    clean = restore(
        page.choice.denoiser, values, page.level.value, sigmas, page.tiling, options.how,
        dtype=dtype, companion=page.choice.companion, shot=page.choice.noise.shot,
        observer=page.watched(observer),
    )  # fmt: skip
    return page.choice.held(values, clean, page.level.value)


def _unclipped(page: SeenPage, clean: Pixels, options: DenoisingOptions) -> SeenPage:
    """Undo in a denoised picture, in place, that its noise was clipped, and say so of the page."""
    white, strength = page.level.value, options.how.strength
    return replace(page, choice=page.choice.unclipped(page.values, clean, white, strength))


def _within_bits(clean: Pixels, photograph: Photograph) -> Pixels:
    """Values that reach no further than the bits of the file, where its type has more."""
    white, dtype = photograph.header.white, clean.dtype
    if dtype.kind != "u" or white >= np.iinfo(dtype).max:
        return clean
    within: Pixels = np.minimum(clean, dtype.type(max(white, photograph.values.max())))
    return within


def _finished(
    job: ImageJob,
    page: SeenPage,
    clean: Pixels,
    options: DenoisingOptions,
    number: tuple[int, int],
) -> tuple[Pixels, DenoisedImage]:
    """The values of a denoised picture in its own type, and what became of it."""
    photograph, truth, noisy, level = page.photograph, page.truth, page.noisy, page.level
    white = level.value
    denoiser = page.choice.denoiser
    if denoiser is not None and (clean.dtype != photograph.values.dtype or level.black):
        clean = shifted_back(clean, level.black, photograph.values.dtype)
    if denoiser is not None:
        clean = _within_bits(clean, photograph)
    before = None if truth is None else image_scores(truth, noisy, white)
    after = None if truth is None else image_scores(truth, clean, white)
    compared = options.compare and number[1] == 0
    if compared:
        drawn = [image - level.black if level.black else image for image in (noisy, clean)]
        first, second = (upright(image, photograph.orientation) for image in drawn)
        figure = comparison_figure(first, second, white, _captions(before, after))
        save_png(figure, job.comparison)
    detail = None
    if options.contact_sheet is not None and number[1] == 0 and number[0] < MOST:
        views = [upright(image, photograph.orientation) for image in (noisy, clean)]
        detail = detail_of(views[0], views[1], white, level.black)
    uses_sigma = denoiser is not None and denoiser.network.takes_noise_map
    return clean, DenoisedImage(
        source=job.source,
        target=job.target,
        comparison=job.comparison if compared else None,
        sigma=image_noise(page.sigmas) * _LEVELS if uses_sigma else None,
        white=level,
        estimated=bool(uses_sigma and options.sigma is None),
        before=before,
        after=after,
        detail=detail,
        choice=page.choice.words,
    )


def _check_size(reference: Path, photograph: Photograph) -> None:
    """Refuse a reference of another size before it is decoded: it may be of any."""
    header = read_header(reference)
    lines, samples = photograph.values.shape[:2]
    if (header.lines, header.samples) != (lines, samples):
        raise InputFileError(
            reference,
            f"is of {header.samples:,} × {header.lines:,} pixels",
            f"{samples:,} × {lines:,}, as the input",
        )


def _captions(before: dict[str, float] | None, after: dict[str, float] | None) -> dict[str, str]:
    ratio = measure("peak_signal_noise_ratio")
    captions = {"noisy": "noisy", "denoised": "denoised", "difference": "noisy − denoised"}
    for name, scores in (("noisy", before), ("denoised", after)):
        if scores is not None:
            captions[name] += f", {ratio.with_unit(scores[ratio.name])}"
    return captions
