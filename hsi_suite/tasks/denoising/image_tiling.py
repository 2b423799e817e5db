"""How pictures are cut for the network, so that everything fits in memory."""

from __future__ import annotations

import numpy as np
import torch

from ...engine.memory import layer_bytes
from ...engine.tiles import Tiling, side_within
from ...errors import ConfigError, InputFileError
from ...memory import PROGRAM_BYTES, memory_text
from ...models.two_passes import TwoPasses
from ...restoration.page_fusion import RADIUS
from .denoiser import Denoiser
from .denoising_options import DenoisingOptions
from .image_restoration import tile_radius
from .options_of_kinds import refuse_page_sigmas
from .photographs.image_jobs import ImageJob
from .restoration_settings import Restoration

# Copies of an image while it is decoded: Pillow's own, and ours; of 16 bits two of Pillow's.
_DECODING = {"uint8": 2.5, "uint16": 3.5, "float32": 2.5}
# A network's memory against its largest layer, with the gaps that malloc leaves between blocks:
# 5 for DnCNN; 10 for the default denoiser, which keeps layers for its way up, and up to 17 over a
# dozen tiles, as the gaps differ from tile to tile (measured).
_LIVE_LAYERS = 18
_PROBE = 64


def tiling_of(
    denoiser: Denoiser,
    job: ImageJob,
    options: DenoisingOptions,
    beside: Denoiser | None = None,
    *,
    filled: bool = False,
) -> Tiling:
    """How a picture is cut, by what its denoising holds of it in memory.

    Arguments as of `plan_tiles`; and whether a copy is held with some values filled.

    Raises:
        InputFileError: other pages than there are σ of pages, or the picture alone is too large.
        ConfigError: no tile fits, or the network cannot work on tiles.
    """
    refuse_page_sigmas(options, job.source, job.header.pages)
    copies = 3.0 if filled else 2.0
    if options.add_noise is not None:
        # Noise is added in float32, beside the clean image, and is drawn in one piece.
        copies += 2 * 4 / job.header.dtype.itemsize
    if options.reference is not None:
        copies += 1
    if job.header.dtype != np.uint8:
        # It may stand on a pedestal, without which it is held in float32, before and after.
        copies += 4 / job.header.dtype.itemsize * (1 + (job.header.dtype == np.uint16))
    if options.joint and job.header.pages > 1:
        # Noisy, as seen and denoised, of each page of the window; and what is computed of them.
        copies += (2 * RADIUS + 1) * (2 + 4 / job.header.dtype.itemsize)
        copies += 14 * 4 / job.header.dtype.itemsize
    return plan_tiles(
        denoiser, job,
        tile=options.tile, memory_limit=options.memory_limit, copies=copies, how=options.how,
        beside=beside,
    )  # fmt: skip


def plan_tiles(
    denoiser: Denoiser,
    job: ImageJob,
    *,
    tile: int | None,
    memory_limit: float,
    copies: float,
    how: Restoration,
    beside: Denoiser | None = None,
) -> Tiling:
    """How an image is cut so that everything fits in memory.

    Args:
        denoiser: what it is denoised with.
        job: the image.
        tile: side of the tiles as asked for; None: as large as memory allows.
        memory_limit: bytes for the whole process.
        copies: how often the image is held in memory beside the network's work.
        how: it is restored.
        beside: a second network for the same tiles, one after the other.

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
    radius, multiple = denoiser.network.receptive_radius, denoiser.network.multiple
    around = tile_radius(denoiser, how)
    networks = [denoiser] if beside is None else [denoiser, beside]
    held = size * copies
    held += sum(_kept_planes(each, how) for each in networks) * 4.0 * shape[0] * shape[1]
    pixels = int((memory_limit - PROGRAM_BYTES - held) / max(map(bytes_per_pixel, networks)))
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


def _kept_planes(denoiser: Denoiser, how: Restoration) -> int:
    """Planes of the whole image that a network keeps between its passes."""
    network = denoiser.network
    apart = tile_radius(denoiser, how) != network.receptive_radius
    return network.kept if isinstance(network, TwoPasses) and apart else 0


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
