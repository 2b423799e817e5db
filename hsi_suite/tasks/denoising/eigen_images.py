"""The planes of a cube without their noise: one after the other, then all together."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import torch
from numpy.typing import NDArray

from ...engine.observer import Observer
from ...restoration.alike_pixels import SIDE, alike_estimate, equal_parts
from ...restoration.damage import Damage, Mask
from ...restoration.planes import PlaneDenoiser, denoise_plane, nearest_valid

Planes = NDArray[np.float32]
Values = NDArray[np.float64]
#: First and last line (exclusive) to the noisy planes there.
NoisyLines = Callable[[int, int], Planes]

# Step of the numerical derivative, in units of σ.
_PROBE = 0.1
# Side of the part of a scene from which the mixture is told.
_SEEN = 256


def denoise_planes(
    planes: Planes,
    levels: Values,
    denoiser: PlaneDenoiser,
    damage: Damage,
    observer: Observer,
    noisy: NoisyLines | None = None,
) -> None:
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
    """
    nearest = nearest_valid(damage.valid)
    if nearest is not None:
        for plane in planes:
            plane[:] = plane[nearest]
    # One plane has nothing to add to itself, and what has no noise needs no other.
    told = np.flatnonzero(levels > 0)
    if noisy is None or len(told) < 2:
        _one_by_one(planes, levels, denoiser, observer)
        return
    scale = levels[told].astype(np.float32)[:, None, None]
    part = _fullest_part(damage.valid)
    seen = planes[(slice(None), *part)][told] / scale
    _one_by_one(planes, levels, denoiser, observer)
    first = None if seen[0].size < planes[0].size else planes[told] / scale
    shares = _shares(seen, first, denoiser, damage.valid[part], observer)
    if not shares.any():
        return
    observer.begin("comparing pixels", planes.shape[1])
    for lines in equal_parts(planes.shape[1], SIDE):
        clean = planes[:, lines][told] / scale
        again = noisy(lines.start, lines.stop)[told] / scale
        alike = alike_estimate(again, clean, damage.valid[lines], torch.get_num_threads())
        mixed = clean + shares.astype(np.float32)[:, None, None] * (alike - clean)
        planes[told, lines] = mixed * scale
        observer.advance(lines.stop - lines.start)
    observer.end()


def best_shares(noisy: Planes, first: Planes, second: Planes, difference: Values) -> Values:
    """The share of a second estimate of each plane that makes the squared error smallest.

    The error of `first` + w (`second` - `first`) is a parabola of w that Stein's unbiased estimate
    (Annals of Statistics 1981) knows but for what is the same for all w; so the best w is known
    too. It is held within 0 and 1.

    Args:
        noisy: planes × lines × samples, with white noise of σ 1 in each.
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


def _one_by_one(
    planes: Planes, levels: Iterable[float], denoiser: PlaneDenoiser, observer: Observer
) -> None:
    # The probe measures the denoiser; that it is always the same makes results repeat.
    generator = np.random.default_rng(0)
    observer.begin("denoising", len(planes))
    for plane, level in zip(planes, levels, strict=True):
        plane[:] = denoise_plane(plane, float(level), denoiser, generator)
        observer.advance()
    observer.end()


def _shares(
    noisy: Planes,
    first: Planes | None,
    denoiser: PlaneDenoiser,
    valid: Mask,
    observer: Observer,
) -> Values:
    """`best_shares` of what alike pixels say of planes with noise of 1.

    The divergences come from one probe (Ramani et al., TIP 2008, section II), for which all is
    done a second time.

    Args:
        noisy: the planes.
        first: what the denoiser makes of them; None: not known yet.
        denoiser: of grey images.
        valid: lines × samples, which pixels hold data.
        observer: reports progress.
    """
    threads = torch.get_num_threads()
    if first is None:
        first = _clean(noisy, denoiser, observer)
    second = alike_estimate(noisy, first, valid, threads)
    probe = np.random.default_rng(1).choice(np.array([-1, 1], np.int8), noisy.shape)
    shaken = np.asarray(noisy + np.float32(_PROBE) * probe, np.float32)
    moved_first = _clean(shaken, denoiser, observer)
    change = alike_estimate(shaken, moved_first, valid, threads) - second
    change -= moved_first - first
    difference = [float(np.vdot(*pair)) / _PROBE for pair in zip(probe, change, strict=True)]
    return best_shares(noisy, first, second, np.array(difference))


def _clean(noisy: Planes, denoiser: PlaneDenoiser, observer: Observer) -> Planes:
    planes = noisy.copy()
    _one_by_one(planes, np.ones(len(planes)), denoiser, observer)
    return planes


def _fullest_part(valid: Mask) -> tuple[slice, slice]:
    """The part of at most `_SEEN` lines and samples with the most valid pixels."""
    parts = [
        (lines, samples)
        for lines in equal_parts(valid.shape[0], _SEEN)
        for samples in equal_parts(valid.shape[1], _SEEN)
    ]
    return max(parts, key=lambda part: int(valid[part].sum()))
