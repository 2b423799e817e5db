"""Denoisers of grey photographs for the planes of cubes, tile by tile."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....engine.tiles import Tiling, side_within
from ....errors import ConfigError
from ....restoration.planes import Plane, PlaneDenoiser
from ..denoiser import Denoiser
from ..image_restoration import restore
from ..image_tiling import bytes_per_pixel
from ..restoration_settings import Restoration

# At most, of the memory limit; larger tiles make nothing faster.
_NETWORK_SHARE = 0.3


def grey_plane_denoiser(
    denoiser: Denoiser, how: Restoration, tile: int | None, memory_limit: float
) -> PlaneDenoiser:
    """A denoiser of grey images for the planes of cubes, tile by tile.

    Args:
        denoiser: of grey images.
        how: self-ensemble and precision; the strength is the cube's matter.
        tile: side of the tiles in pixels; None: as memory allows.
        memory_limit: bytes for the whole process.

    Raises:
        ConfigError: a network for colour images.
    """
    trained = denoiser.header.sigma
    if denoiser.header.in_channels != 1:
        raise ConfigError("--weights", "a network for RGB", "one for grey images", "choose another")
    radius, multiple = denoiser.network.receptive_radius, denoiser.network.multiple
    per_pixel = bytes_per_pixel(denoiser)
    share = memory_limit * _NETWORK_SHARE
    pixels = int(share / per_pixel)
    full = Restoration(1.0, how.self_ensemble, how.precision)

    def run(plane: Plane, level: NDArray[np.float32]) -> Plane:
        if radius is None:
            _check_whole(plane.size, pixels)
            tiling = Tiling(None, 0, 1)
        else:
            side = tile or side_within(pixels, (plane.shape[0], plane.shape[1]), radius, multiple)
            tiling = Tiling(side, radius, multiple)
        sigma = (float(level.flat[0]),)
        dtype: np.dtype[Any] = np.dtype(np.float32)
        return restore(denoiser, plane, 1.0, sigma, tiling, full, dtype=dtype)

    highest = trained[1] / 255 if trained is not None else float("inf")
    return PlaneDenoiser(
        run,
        highest,
        denoiser.network.takes_noise_map,
        lambda plane: min(share, plane * per_pixel),
    )


def _check_whole(size: int, pixels: int) -> None:
    if size > pixels:
        raise ConfigError(
            "memory limit",
            f"this network looks at whole planes, and {size:,} pixels do not fit",
            f"at most {pixels:,}",
            "raise --memory-limit, or choose other weights",
        )
