"""Training spectra and changed copies of them, for models that are fitted at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .field_shifts import FieldShifts


def varied(
    spectra: NDArray[np.float32],
    *,
    copies: int,
    gain: float,
    noise: float,
    fields: float,
    shifts: FieldShifts | None,
    origin: NDArray[np.float32],
    generator: np.random.Generator,
) -> NDArray[np.float32]:
    """Copies of spectra, each changed as a window of one pixel is by `WindowAugmentation`.

    Args:
        spectra: reduced, N × components.
        copies: of each.
        gain: greatest relative change of brightness.
        noise: standard deviation on each value.
        fields: standard deviation of the share of a shift between fields.
        shifts: those between fields; None where there are none.
        origin: components of the mean spectrum that the reduction takes from all spectra.
        generator: source of chance.

    Returns:
        copies · N × components: all spectra once, all once more, and so on.
    """
    more = np.tile(spectra, (copies, 1))
    gains = gain * (2 * generator.random((len(more), 1), np.float32) - 1)
    more += gains * (more + origin)
    if shifts:
        strengths = fields * generator.standard_normal(len(more))
        more += shifts.draw(generator.random((len(more), 2)), strengths)
    if noise:
        more += noise * generator.standard_normal(more.shape, np.float32)
    return more
