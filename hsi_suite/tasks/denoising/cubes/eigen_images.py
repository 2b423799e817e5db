"""The planes of a cube without their noise: one after the other, then all together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from ....engine.observer import Observer
from ....restoration.alike_pixels import SIDE, alike_estimate, equal_parts
from ....restoration.damage import Damage, Mask
from ....restoration.planes import PlaneDenoiser, denoise_plane, nearest_valid

Planes = NDArray[np.float32]
Values = NDArray[np.float64]
#: First and last line (exclusive) to the noisy planes there.
NoisyLines = Callable[[int, int], Planes]
Part = tuple[slice, slice]

# Step of the numerical derivative, in units of σ.
_PROBE = 0.1
# Side of the scenes that the mixture is told from whole; of larger ones four parts of half of it.
_SEEN = 256
# Planes of float32 that are held at once while shares are told, and while a tile is compared; and
# what neighbours and their covariances take (measured by tracemalloc: less than that by a fifth).
_WEIGHED, _COMPARED = 8, 6
_NEIGHBOURS_BYTES = 40e6


def denoise_planes(
    planes: Planes,
    levels: Values,
    denoiser: PlaneDenoiser,
    damage: Damage,
    observer: Observer,
    noisy: NoisyLines | None = None,
) -> Values | None:
    """Take the noise out of planes, in place.

    Eigen-images are then denoised a second time by what pixels with alike spectra say, see
    `alike_estimate`, and both results are mixed by `best_shares`.

    Args:
        planes: of a cube, planes × lines × samples.
        levels: σ of the noise of each.
        denoiser: of grey images.
        damage: which pixels hold no data.
        observer: reports progress.
        noisy: given of eigen-images (by falling strength, their noise independent): reads lines
            of them once more, so that the noisy ones need not be kept. None: one by one is all.

    Returns:
        The share, 0 to 1, that alike pixels have in each plane; None where they were not asked.
    """
    nearest = nearest_valid(damage.valid)
    if nearest is not None:
        for plane in planes:
            plane[:] = plane[nearest]
    # One plane has nothing to add to itself, and what has no noise needs no other.
    told = np.flatnonzero(levels > 0)
    together = noisy is not None and len(told) > 1
    scale = levels[told].astype(np.float32)[:, None, None]
    parts = seen_parts(damage.valid) if together else []
    seen = [planes[(slice(None), *part)][told] / scale for part in parts]
    observer.begin("denoising", len(planes))
    _one_by_one(planes, levels, denoiser, observer)
    observer.end()
    if noisy is None or not together:
        return None
    known = planes[told] / scale if seen[0].shape[1:] == damage.valid.shape else None
    valid = [damage.valid[part] for part in parts]
    shares = _shares(seen, known, valid, denoiser, observer)
    del seen, known
    everywhere = np.zeros(len(planes))
    everywhere[told] = shares
    if not shares.any():
        return everywhere
    weights = shares.astype(np.float32)[:, None, None]
    threads = torch.get_num_threads()
    observer.begin("comparing pixels", planes.shape[1])
    for lines in equal_parts(planes.shape[1], SIDE):
        strip = noisy(lines.start, lines.stop)
        for samples in equal_parts(planes.shape[2], SIDE):
            clean = planes[:, lines, samples][told] / scale
            again = strip[:, :, samples][told] / scale
            alike = alike_estimate(again, clean, damage.valid[lines, samples], threads)
            alike -= clean
            planes[told, lines, samples] = (clean + weights * alike) * scale
        observer.advance(lines.stop - lines.start)
    observer.end()
    return everywhere


def together_bytes(rank: int, lines: int, samples: int) -> float:
    """Memory that denoising eigen-images together takes beside the planes themselves."""
    if rank < 2:
        return 0.0
    plane = 4.0 * rank
    tall, wide = min(lines, SIDE), min(samples, SIDE)
    weighing = plane * _WEIGHED * min(lines * samples, _SEEN**2)
    comparing = plane * (2 * tall * samples + _COMPARED * tall * wide)
    return max(weighing, comparing) + _NEIGHBOURS_BYTES


def best_shares(noisy: Planes, first: Planes, second: Planes, difference: Values) -> Values:
    """The share of a second estimate of each plane that makes the squared error smallest.

    The error of `first` + w (`second` - `first`) is a parabola of w that Stein's unbiased estimate
    (Annals of Statistics 1981) knows but for what is the same for all w; so the best w is known
    too. It is held within 0 and 1.

    Args:
        noisy: planes × pixels, with white noise of σ 1 in each.
        first: estimate of the clean planes.
        second: another one.
        difference: of each plane, the divergence of `second` less that of `first`: the sum over
            its pixels of how much an estimate follows the pixel's own noisy value.
    """
    shares = np.zeros(len(noisy))
    for number, (plane, one, other) in enumerate(zip(noisy, first, second, strict=True)):
        change = other.astype(np.float64) - one
        size = float(np.vdot(change, change))
        if size > 0:
            gain = float(np.vdot(plane - one, change)) - difference[number]
            shares[number] = min(max(gain / size, 0), 1)
    return shares


def seen_parts(valid: Mask) -> list[Part]:
    """The parts of a scene from which the mixture is told.

    A small scene is told from whole. Of a large one a part of each quarter, the one with the most
    data: what lies in one corner says little of the others, and where half a scene is water, say,
    a single part would choose for both halves by one of them.

    Args:
        valid: lines × samples, which pixels hold data.
    """
    lines, samples = valid.shape
    if max(lines, samples) <= _SEEN:
        return [(slice(0, lines), slice(0, samples))]
    side = _SEEN // 2
    down, across = (1, 4) if lines <= side else (4, 1) if samples <= side else (2, 2)
    parts = []
    for rows in equal_parts(lines, -(-lines // down)):
        for columns in equal_parts(samples, -(-samples // across)):
            choice = [(one, two) for one in _windows(rows, side) for two in _windows(columns, side)]
            # Of those with as much data the one in the middle.
            middle = choice[len(choice) // 2]
            best = max([middle, *choice], key=lambda part: int(valid[part].sum()))
            if valid[best].any():
                parts.append(best)
    return parts


def _windows(whole: slice, side: int) -> list[slice]:
    """As few windows of one size as there can be that fill a stretch."""
    size = whole.stop - whole.start
    side = min(side, size)
    starts = np.linspace(whole.start, whole.stop - side, -(-size // side)).round().astype(int)
    return [slice(start, start + side) for start in starts.tolist()]


def _one_by_one(
    planes: Planes, levels: Iterable[float], denoiser: PlaneDenoiser, observer: Observer
) -> None:
    # The probe measures the denoiser; that it is always the same makes results repeat.
    generator = np.random.default_rng(0)
    for plane, level in zip(planes, levels, strict=True):
        plane[:] = denoise_plane(plane, float(level), denoiser, generator)
        observer.advance()


def _shares(
    seen: Sequence[Planes],
    known: Planes | None,
    valid: Sequence[Mask],
    denoiser: PlaneDenoiser,
    observer: Observer,
) -> Values:
    """`best_shares` of what alike pixels say of planes with noise of 1, of some parts together.

    The divergences come from one probe (Ramani et al., TIP 2008, section II), for which all is
    done a second time.

    Args:
        seen: the planes of each part.
        known: what the denoiser makes of them, where there is one part; None: not known yet.
        valid: lines × samples of each part, which pixels hold data.
        denoiser: of grey images.
        observer: reports progress.
    """
    threads, generator = torch.get_num_threads(), np.random.default_rng(1)
    firsts: list[Planes] = []
    seconds: list[Planes] = []
    difference = np.zeros(len(seen[0]))
    observer.begin("weighing", sum(map(len, seen)) * (2 if known is None else 1))
    for noisy, mask in zip(seen, valid, strict=True):
        first = _clean(noisy, denoiser, observer) if known is None else known
        second = alike_estimate(noisy, first, mask, threads)
        probe = generator.choice(np.array([-1, 1], np.int8), noisy.shape)
        shaken = np.asarray(noisy + np.float32(_PROBE) * probe, np.float32)
        moved_first = _clean(shaken, denoiser, observer)
        change = alike_estimate(shaken, moved_first, mask, threads) - second
        change -= moved_first - first
        pairs = zip(probe, change, strict=True)
        difference += [float(np.vdot(*pair)) / _PROBE for pair in pairs]
        firsts.append(first)
        seconds.append(second)
    observer.end()
    return best_shares(_joined(seen), _joined(firsts), _joined(seconds), difference)


def _joined(parts: Sequence[Planes]) -> Planes:
    """The pixels of parts, planes × pixels."""
    return np.concatenate([part.reshape(len(part), -1) for part in parts], 1)


def _clean(noisy: Planes, denoiser: PlaneDenoiser, observer: Observer) -> Planes:
    planes = noisy.copy()
    _one_by_one(planes, np.ones(len(planes)), denoiser, observer)
    return planes
