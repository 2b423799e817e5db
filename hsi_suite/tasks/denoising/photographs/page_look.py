"""What has to be known of a picture before it is denoised."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....data.noise import add_gaussian
from ....data.photographs import Photograph
from ....engine.observer import Observer
from ....errors import InputFileError, ShapeError
from ....restoration.jpeg_traces import quality_of_table
from ....restoration.noise_estimate import SMALLEST_IMAGE
from ..denoising_options import DenoisingOptions
from ..image_restoration import Pixels
from ..image_tiling import tiling_of
from .image_jobs import ImageJob
from .network_choice import Choice, Networks
from .network_remarks import network_remarks
from .seen_page import SeenPage
from .white_level import WhiteLevel, reference_values, unknown_scale, white_level

_LEVELS = 255.0


def look_at(
    networks: Networks,
    job: ImageJob,
    photograph: Photograph,
    reference: Photograph | None,
    options: DenoisingOptions,
    number: tuple[int, int],
    observer: Observer,
) -> SeenPage:
    """What has to be known of a picture before it is denoised.

    Args:
        networks: to choose from.
        job: the picture's.
        photograph: as it was read.
        reference: the clean one, where there is one.
        options: see `DenoisingOptions`.
        number: of the file and the page.
        observer: is told what is remarkable, of a file once.

    Raises:
        InputFileError: the reference does not fit, a scale that the image does not have, or
            too few pixels to estimate the noise from.
        ConfigError: no tile fits into memory.
    """
    noisy = photograph.values
    if photograph.remark and number[1] == 0:
        observer.message(f"{job.source}: {photograph.remark}")
    level, truth = _scale(photograph, reference, options, job.source)
    white = level.value
    if options.add_noise is not None:
        truth = noisy if truth is None else truth
        noisy = _with_noise(noisy, white, options.add_noise, options.seed + sum(number))
    seen = noisy if not level.black else noisy.astype(np.float32) - np.float32(level.black)
    photograph, seen, struck = _filled(networks, photograph, seen, level, options)
    choice = _choose(networks, job.source, photograph, seen, white, options)
    if struck:
        # What is filled no longer says how noise was clipped there.
        words = f"{struck}; otherwise {choice.words}" if choice.words else struck
        choice = replace(choice, words=words, shipped=False)
    # A clean picture goes through none; its tiles are counted all the same.
    denoiser = choice.denoiser or networks.likely
    beside = None if choice.companion is None else choice.companion.denoiser
    tiling = tiling_of(denoiser, job, options, beside, filled=bool(struck))
    planned = tiling_of(networks.likely, job, options).count((seen.shape[0], seen.shape[1]))
    page = SeenPage(photograph, truth, noisy, seen, level, choice, tiling, planned)
    if choice.denoiser is None:
        return page
    # The pages of a stack are mostly alike.
    noise = choice.noise
    remarks = (*noise.remarks, *network_remarks(denoiser, noisy, noise.sigmas))
    # What a line advises is of the page that was looked at.
    of_page = "" if job.header.pages == 1 else f", page 1 of {job.header.pages:,}"
    for remark in remarks if number[1] == 0 else ():
        observer.message(f"{job.source}{of_page}: {remark}")
    return page


def _filled(
    networks: Networks,
    photograph: Photograph,
    seen: Pixels,
    level: WhiteLevel,
    options: DenoisingOptions,
) -> tuple[Photograph, Pixels, str]:
    """A photograph and its values without salt and pepper, and what was filled, in words."""
    known = options.sigma is not None or options.add_noise is not None
    values, struck = networks.filled(seen, level, known=known)
    # What comes of no network is written as the photograph has it.
    return replace(photograph, values=values) if struck else photograph, values, struck


def _choose(
    networks: Networks,
    source: Path,
    photograph: Photograph,
    seen: Pixels,
    white: float,
    options: DenoisingOptions,
) -> Choice:
    """What a picture is denoised with, from its values above black."""
    try:
        return networks.choose(
            seen,
            white,
            sigma=None if options.sigma is None else options.sigma / _LEVELS,
            added=options.add_noise is not None,
            quality=_quality(photograph),
            coding=photograph.coding,
        )
    except ShapeError:
        lines, samples = seen.shape[:2]
        raise InputFileError(
            source,
            f"has {samples} × {lines} pixels, too few to estimate the noise from",
            f"at least {SMALLEST_IMAGE} × {SMALLEST_IMAGE}",
            "say the noise with --sigma",
        ) from None


def _quality(photograph: Photograph) -> int | None:
    """Of a JPEG file, as its tables have it."""
    return None if photograph.jpeg is None else quality_of_table(photograph.jpeg.tables[0][1])


def _scale(
    photograph: Photograph, reference: Photograph | None, options: DenoisingOptions, source: Path
) -> tuple[WhiteLevel, NDArray[Any] | None]:
    """What is white, and the values of the reference where there is one.

    Raises:
        InputFileError: the reference does not fit, or an option counts on a scale that the image
            does not have.
    """
    _refuse_white_beyond(photograph, options.white, source)
    level = white_level(photograph, options.white, reference)
    if not level.known:
        for name, value in (("--sigma", options.sigma), ("--add-noise", options.add_noise)):
            if value is not None:
                raise unknown_scale(source, name, photograph)
    if options.reference is None or reference is None:
        return level, None
    return level, reference_values(Path(options.reference), reference, photograph, level)


def _refuse_white_beyond(photograph: Photograph, white: float | None, source: Path) -> None:
    """Refuse a white that a type of whole numbers does not reach: all of it would count as dark."""
    dtype = photograph.values.dtype
    if white is None or dtype.kind == "f" or white <= np.iinfo(dtype).max:
        return
    most = np.iinfo(dtype).max
    raise InputFileError(
        source,
        f"holds whole numbers of up to {most}, and --white is {white:g}",
        f"a white of at most {most}",
        "leave --white out for it",
    )


def _with_noise(image: NDArray[Any], white: float, sigma: float, seed: int) -> NDArray[np.float32]:
    generator = np.random.default_rng(seed)
    return add_gaussian(image.astype(np.float32), sigma / _LEVELS * white, generator)
