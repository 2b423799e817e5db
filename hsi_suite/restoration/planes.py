"""Planes of any scale through denoisers of grey images, which know values from 0 to 1."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..errors import InputFileError

Plane = NDArray[np.float32]

# Step of the numerical derivative, in units of σ; the result hardly depends on it.
_PROBE = 0.1


@dataclass(frozen=True)
class PlaneDenoiser:
    """A denoiser of grey images.

    Attributes:
        run: from an image (lines × samples, 0 to 1) and the σ of each of its pixels to the clean
            image.
        highest_sigma: the strongest noise it knows, on the scale of the image.
        takes_noise_map: whether it looks at σ. What one that does not makes of a plane is judged
            and blended with it, see `denoise_plane`.
        work_bytes: the most memory that it takes for an image of so many pixels.
    """

    run: Callable[[Plane, Plane], Plane]
    highest_sigma: float = math.inf
    takes_noise_map: bool = True
    work_bytes: Callable[[int], float] = lambda pixels: 0.0


def denoise_plane(
    plane: Plane, sigma: float, denoiser: PlaneDenoiser, generator: np.random.Generator
) -> Plane:
    """A plane without its noise.

    The plane is brought to the range 0 to 1, or to less where its noise would be stronger than
    the denoiser knows. A denoiser that does not look at σ may then meet much weaker noise than it
    takes away. So its result y' is blended with the plane y as y + w (y' - y), with the w that
    makes Stein's unbiased estimate of the squared error smallest (Stein, Annals of Statistics
    1981); the divergence in it comes from one probe (Ramani et al., TIP 2008, section II). Of one
    that looks at σ the result is blended where it differs from the plane by more than σ (root
    mean square): the true image does not, so that it is the network that errs. w is then the
    largest that Stein's estimate allows.

    Args:
        plane: lines × samples, of any scale.
        sigma: standard deviation of its noise; 0 returns the plane.
        denoiser: what takes the noise away.
        generator: of the probe.

    Raises:
        InputFileError: the denoiser returned values that are no numbers.
    """
    low, high = float(plane.min()), float(plane.max())
    if sigma == 0 or high == low:
        return plane
    factor = min(1 / (high - low), denoiser.highest_sigma / sigma)
    level = np.full(plane.shape, sigma * factor, np.float32)

    def run(values: Plane) -> Plane:
        scaled = ((values - low) * factor).astype(np.float32)
        return np.asarray(denoiser.run(scaled, level) / factor + low, np.float32)

    clean = run(plane)
    if not np.isfinite(clean).all():
        raise InputFileError("denoiser", "gave values that are no numbers", "finite values")
    change = clean - plane
    moved = float(np.mean(np.square(change, dtype=np.float64)))
    if denoiser.takes_noise_map:
        # Where noise is weak, what the network gets wrong can exceed it.
        weight = 1.0 if moved <= sigma**2 else sigma**2 / moved
    else:
        probe = generator.choice(np.array([-1, 1], np.float32), plane.shape)
        step = np.float32(_PROBE * sigma)
        shaken = np.asarray(plane + step * probe, np.float32)
        divergence = float(np.mean(probe * (run(shaken) - clean)) / step)
        weight = min(max(sigma**2 * (1 - divergence) / moved, 0.0), 1.0) if moved > 0 else 0.0
    if weight == 1:
        return clean
    blended: Plane = plane + np.float32(weight) * change
    return blended


def nearest_valid(valid: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]] | None:
    """For each pixel the line and the sample of the nearest valid one; None when all are valid.

    A plane indexed with them has no holes whose edges a denoiser would draw.
    """
    if valid.all():
        return None
    lines, samples = ndimage.distance_transform_edt(
        ~valid, return_distances=False, return_indices=True
    )
    return lines, samples
