"""One image in memory through a denoiser, tile by tile."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...engine.allocation import release_free_blocks
from ...engine.device_memory import TilesInHalves
from ...engine.observer import Observer
from ...engine.precision import forward_in
from ...engine.tiles import Region, Tiling
from ...models.two_passes import TwoPasses
from ...restoration.colour import LUMA, NOISE_GAIN, from_opponent, to_opponent
from ...restoration.shot_noise import ShotNoise
from ...schemas.denoising import ARTEFACTS
from ...transfer import to_device
from .denoiser import Denoiser
from .first_pass import FirstPass
from .restoration_settings import Restoration

Pixels = NDArray[Any]
Values = NDArray[np.float32]
#: From an image's own units to what the network sees.
SeenAs = Callable[[Pixels], Values]

# ITU-R 601, as JPEG has it.
_LUMA = np.array(LUMA, np.float32)
# (lines reversed, samples reversed, lines and samples exchanged)
_UPRIGHT = (False, False, False)
_SYMMETRIES = tuple(itertools.product((False, True), repeat=3))


@dataclass(frozen=True)
class Companion:
    """A second network, whose result is averaged with that of the first.

    Attributes:
        name: of its weights.
        denoiser: takes tiles that begin where those of the first do.
        sigmas: of each plane that it sees, as of `restore`.
        share: of it in the mean, 0 to 1.
    """

    name: str
    denoiser: Denoiser
    sigmas: tuple[float, ...]
    share: float


def as_plane(image: Pixels) -> Pixels:
    """A grey picture kept as red, green and blue as one plane; any other as it is.

    Its noise is one noise three times, so that the mean of the three has no less of it.
    """
    if image.ndim == 2:
        return image
    first, *others = np.moveaxis(image, 2, 0)
    return first if all(np.array_equal(first, other) for other in others) else image


def uses_opponent_colours(denoiser: Denoiser, image: Pixels) -> bool:
    """Whether a colour image is denoised as opponent channels.

    Their noise differs from channel to channel: a grey network for one σ gets red, green and
    blue instead.
    """
    trained = denoiser.header.sigma
    return (
        image.ndim == 3
        and not restores_luma(denoiser, image)
        and denoiser.header.in_channels == 1
        and trained is not None
        and trained[0] < trained[1]
    )


def restores_luma(denoiser: Denoiser, image: Pixels) -> bool:
    """Whether the luma alone of a colour image is restored, and its colour kept as it is.

    So the authors of DnCNN-3 do it, whose network knows what JPEG and lost resolution make of luma;
    those of the colour differences, which JPEG stores smaller, are others.
    """
    return (
        image.ndim == 3 and denoiser.header.in_channels == 1 and denoiser.header.noise in ARTEFACTS
    )


def known_noise(sigma: float, denoiser: Denoiser, image: Pixels) -> tuple[float, ...]:
    """σ of each plane the network sees, for independent noise of σ in the image's channels."""
    image = as_plane(image)
    if uses_opponent_colours(denoiser, image):
        return tuple(sigma * gain for gain in NOISE_GAIN)
    return (sigma,)


def image_noise(planes: tuple[float, ...]) -> float:
    """One σ for an image, from those of its planes; the inverse of `known_noise`."""
    if len(planes) == 1:
        return planes[0]
    return float(np.sqrt(np.mean(np.square(np.divide(planes, NOISE_GAIN)))))


def tile_radius(denoiser: Denoiser, how: Restoration) -> int | None:
    """How much tiles have around them while an image is restored; None: it is not cut.

    Less than the network sees where it goes in two passes, see `TwoPasses`, unless the image is
    averaged over its symmetries.
    """
    network = denoiser.network
    if isinstance(network, TwoPasses) and not how.self_ensemble:
        return network.pass_radius
    return network.receptive_radius


def restore(
    denoiser: Denoiser,
    image: Pixels,
    white: float,
    sigmas: tuple[float, ...],
    tiling: Tiling,
    how: Restoration,
    *,
    dtype: np.dtype[Any],
    companion: Companion | None = None,
    shot: ShotNoise | None = None,
    observer: Observer | None = None,
) -> Pixels:
    """The denoised image; integers are rounded and clipped.

    Args:
        denoiser: for grey or for colour; a grey image is three equal channels to one for colour.
        image: lines × samples (× 3).
        white: the value that counts as 1, see `white_level.WhiteLevel`.
        sigmas: of each plane, see `known_noise`; on the scale 0 to 1.
        tiling: fitting the network, with its `receptive_radius` around tiles; where it goes in
            two passes, less is taken, see `tile_radius`.
        how: see `Restoration`.
        dtype: of the result.
        companion: of the network, or None.
        shot: how the noise grows with brightness; `sigmas` are those of evened values then.
        observer: counts each tile.
    """
    observer = observer or Observer()
    plane = as_plane(image)
    if plane.ndim < image.ndim:
        grey = restore(
            denoiser, plane, white, sigmas, tiling, how,
            dtype=dtype, companion=companion, shot=shot, observer=observer,
        )  # fmt: skip
        return np.repeat(grey[..., None], image.shape[2], 2)
    output = np.empty(image.shape, dtype)
    shape = (image.shape[0], image.shape[1])
    with torch.inference_mode(), forward_in(how.precision, _device(denoiser)):
        seen_as = _seen_as(white, shot)
        clean_of = _clean_tiles(denoiser, image, seen_as, sigmas, tiling, how)
        if companion is not None:
            second = _clean_tiles(companion.denoiser, image, seen_as, companion.sigmas, tiling, how)
            clean_of = _mean_tiles(clean_of, second, companion.share)
        clean_parts = TilesInHalves(tiling, clean_of)
        before: list[int] = []
        for tile in tiling.tiles(shape):
            size = [part.stop - part.start for part in tiling.surroundings(tile, shape)[0]]
            # Pieces of one size find the blocks of the one before; of others, which lie at the
            # border, the gaps they leave in memory would add up.
            if before and size != before:
                release_free_blocks()
            before = size
            for part, clean in clean_parts(tile):
                noisy = _scaled(image[part], white)
                clean = clean if shot is None else shot.back(clean)
                _store(output, part, noisy + np.float32(how.strength) * (clean - noisy), white)
            observer.advance()
    return output


def _clean_tiles(
    denoiser: Denoiser,
    image: Pixels,
    seen_as: SeenAs,
    sigmas: tuple[float, ...],
    tiling: Tiling,
    how: Restoration,
) -> Callable[[Region], Values]:
    """What gives a tile's clean values."""
    network, shape = denoiser.network, (image.shape[0], image.shape[1])
    radius = tile_radius(denoiser, how)
    apart = isinstance(network, TwoPasses) and radius is not None and radius < tiling.radius
    if radius is not None:
        tiling = replace(tiling, radius=min(radius, tiling.radius))
    if not isinstance(network, TwoPasses) or not apart:
        return lambda tile: _ensemble(
            denoiser, image, seen_as, sigmas, tiling, tile, how.self_ensemble
        )
    device, (sigma,) = _device(denoiser), sigmas

    def seen(piece: Region) -> Tensor:
        channels = _channels(seen_as(image[piece]), denoiser)
        return to_device(torch.from_numpy(np.ascontiguousarray(channels))[None], device)

    def first_of(tile: Region) -> Values:
        piece, inner = tiling.surroundings(tile, shape)
        return _values(denoiser.first_pass(seen(piece), sigma))[:, *inner]

    first = FirstPass(first_of, network.kept, shape, tiling)

    def clean_of(tile: Region) -> Values:
        piece, inner = tiling.surroundings(tile, shape)
        made = torch.from_numpy(np.ascontiguousarray(first(piece)))
        clean = _values(denoiser.second_pass(seen(piece), sigma, to_device(made[None], device)))
        return _as_image(clean[:, *inner], image.ndim)

    return clean_of


def _mean_tiles(
    first: Callable[[Region], Values], second: Callable[[Region], Values], share: float
) -> Callable[[Region], Values]:
    """What gives the mean of two results, in which the second has a share."""

    def mean_of(tile: Region) -> Values:
        clean = first(tile)
        # The blocks that one network leaves do not fit the other, and would add up.
        release_free_blocks()
        mean = np.asarray(clean + np.float32(share) * (second(tile) - clean), np.float32)
        release_free_blocks()
        return mean

    return mean_of


def _values(planes: Tensor) -> Values:
    """One image of a batch of one, channels × lines × samples."""
    return planes[0].float().cpu().numpy()


def _ensemble(
    denoiser: Denoiser,
    image: Pixels,
    seen_as: SeenAs,
    sigmas: tuple[float, ...],
    tiling: Tiling,
    tile: Region,
    every_symmetry: bool,
) -> Values:
    """A tile's clean values, as the mean over some symmetries of the whole image."""
    symmetries = _SYMMETRIES if every_symmetry else (_UPRIGHT,)
    total: Values | None = None
    for symmetry in symmetries:
        # The view and the tile in it are turned, so that cells lie as in the whole turned image.
        view, place = _turned(image, symmetry), _turned_region(tile, image.shape, symmetry)
        piece, inner = tiling.surroundings(place, (view.shape[0], view.shape[1]))
        clean = _turned_back(_network(denoiser, seen_as(view[piece]), sigmas)[inner], symmetry)
        total = clean if total is None else total + clean
    assert total is not None
    return np.asarray(total / np.float32(len(symmetries)), np.float32)


def _network(denoiser: Denoiser, piece: Values, sigmas: tuple[float, ...]) -> Values:
    """The network on a piece of lines × samples (× 3), on the scale 0 to 1."""
    if restores_luma(denoiser, piece):
        luma = np.ascontiguousarray(piece @ _LUMA)
        change = _planes(denoiser, luma[None], sigmas)[0] - luma
        # Red, green and blue all change by as much as luma, where the colour differences stay.
        return np.asarray(piece + change[..., None], np.float32)
    if len(sigmas) == 3:
        return from_opponent(_planes(denoiser, to_opponent(piece), sigmas))
    return _as_image(_planes(denoiser, _channels(piece, denoiser), sigmas), piece.ndim)


def _channels(piece: Values, denoiser: Denoiser) -> Values:
    """Channels × lines × samples; a grey piece is as many equal ones as the network takes."""
    if piece.ndim == 2:
        return np.repeat(piece[None], denoiser.header.in_channels, 0)
    return np.moveaxis(piece, 2, 0)


def _as_image(channels: Values, dimensions: int) -> Values:
    """The inverse: lines × samples (× channels); of a grey image the mean of its channels."""
    if dimensions == 2:
        return np.asarray(channels.mean(0), np.float32)
    return np.asarray(np.moveaxis(channels, 0, 2), np.float32)


def _planes(denoiser: Denoiser, planes: Values, sigmas: tuple[float, ...]) -> Values:
    """Channels × lines × samples through the network, as many at a time as it takes."""
    step = denoiser.header.in_channels
    device = _device(denoiser)
    clean = np.empty_like(planes)
    for number, first in enumerate(range(0, len(planes), step)):
        group = torch.from_numpy(np.ascontiguousarray(planes[first : first + step]))
        sigma = sigmas[min(number, len(sigmas) - 1)]
        clean[first : first + step] = _values(denoiser(to_device(group[None], device), sigma))
    return clean


def _seen_as(white: float, shot: ShotNoise | None) -> SeenAs:
    if shot is None:
        return partial(_scaled, white=white)
    return lambda values: shot.evened(_scaled(values, white))


def _scaled(values: Pixels, white: float) -> Values:
    return np.asarray(values, np.float32) / np.float32(white)


def _store(output: Pixels, tile: Region, clean: Values, white: float) -> None:
    values = clean * np.float32(white)
    if np.issubdtype(output.dtype, np.integer):
        ends = np.iinfo(output.dtype)
        values = np.rint(values).clip(ends.min, ends.max)
    output[tile] = values.astype(output.dtype)


def _turned(image: Pixels, symmetry: tuple[bool, ...]) -> Pixels:
    lines, samples, exchange = symmetry
    view = image[:: -1 if lines else 1, :: -1 if samples else 1]
    return view.swapaxes(0, 1) if exchange else view


def _turned_back(image: Values, symmetry: tuple[bool, ...]) -> Values:
    lines, samples, exchange = symmetry
    view = image.swapaxes(0, 1) if exchange else image
    return view[:: -1 if lines else 1, :: -1 if samples else 1]


def _turned_region(tile: Region, shape: tuple[int, ...], symmetry: tuple[bool, ...]) -> Region:
    parts = [
        slice(size - part.stop, size - part.start) if reverse else part
        for part, size, reverse in zip(tile, shape[:2], symmetry[:2], strict=True)
    ]
    return (parts[1], parts[0]) if symmetry[2] else (parts[0], parts[1])


def _device(denoiser: Denoiser) -> torch.device:
    return next(denoiser.network.parameters()).device
