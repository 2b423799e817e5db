"""How far colours are apart, for all eyes: deficient vision simulated, differences in CIELAB."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: What colours become without one kind of cone, in linear sRGB: G. M. Machado, M. M. Oliveira,
#: L. A. F. Fernandes, "A physiologically-based model for simulation of color vision deficiency",
#: IEEE TVCG 15(6), 2009, severity 1.0. "normal" leaves them alone.
VISIONS: Mapping[str, Floats] = {
    "normal": np.eye(3),
    "protanopia": np.array([
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ]),
    "deuteranopia": np.array([
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ]),
    "tritanopia": np.array([
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ]),
}  # fmt: skip

# Linear sRGB to CIE XYZ under D65, IEC 61966-2-1; the white point is that of its white.
_XYZ = np.array([
    [0.4124564, 0.3575761, 0.1804375],
    [0.2126729, 0.7151522, 0.0721750],
    [0.0193339, 0.1191920, 0.9503041],
])  # fmt: skip


def cielab(colours: NDArray[np.number], vision: str = "normal") -> Floats:
    """CIELAB coordinates of colours as an eye sees them.

    Args:
        colours: … × 3, sRGB levels of 0 to 255.
        vision: one of `VISIONS`.

    Returns:
        … × 3: L* (0 black to 100 white), a*, b*.
    """
    unit = np.asarray(colours, np.float64) / 255
    linear = np.where(unit <= 0.04045, unit / 12.92, ((unit + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ VISIONS[vision].T, 0, 1)
    part = (seen @ _XYZ.T) / _XYZ.sum(1)
    root = np.where(part > (6 / 29) ** 3, np.cbrt(part), part / (3 * (6 / 29) ** 2) + 4 / 29)
    x, y, z = np.moveaxis(root, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], -1)


def differences(first: NDArray[np.number], second: NDArray[np.number]) -> Floats:
    """Between any two colours the least difference in CIELAB (ΔE*ab, CIE 1976) of all visions.

    About 2 can just be seen side by side; 10 is seen at a glance.

    Args:
        first: N × 3, sRGB levels of 0 to 255.
        second: M × 3.

    Returns:
        N × M.
    """
    seen = ((cielab(first, name), cielab(second, name)) for name in VISIONS)
    each = [np.linalg.norm(one[:, None] - other[None], axis=-1) for one, other in seen]
    least: Floats = np.min(each, axis=0)
    return least


def least_difference(colours: NDArray[np.number]) -> float:
    """The difference of the two colours that are most alike, see `differences`."""
    every = differences(colours, colours)
    return float(every[~np.eye(len(every), dtype=bool)].min())
