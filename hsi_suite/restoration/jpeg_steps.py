"""No more is taken from a JPEG than its coder can have put there.

What a JPEG holds of a frequency is the original's, rounded to whole steps: the original lies within
half a step of it (the quantisation constraint set of Zakhor, IEEE TCSVT 1992). A network for JPEG
that has learnt noise as well takes texture for noise; held to the steps, it cannot.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from .colour import LUMA
from .jpeg_grids import BLOCK
from .jpeg_traces import JpegTraces, luma_steps

Values = NDArray[np.float32]
Pixels = NDArray[Any]

# Of a step; twice what rounding does, as what is found to be JPEG alone may have noise after all:
# chosen of 0.5, 0.75, 1, 1.5 and 2 (docs/explanations/jpeg.md).
_SHARE = 1.0
_LEVELS = 255.0
_STRIP = 32 * BLOCK
_LUMA = np.array(LUMA, np.float32)


def hold_to_steps(image: Pixels, clean: Pixels, jpeg: JpegTraces, white: float) -> None:
    """Bring a denoised JPEG back, in place, to within its steps in luma.

    Args:
        image: as it was decoded, lines × samples (× 3).
        clean: the same denoised.
        jpeg: its quality and grid.
        white: the value that is white.
    """
    most = (_SHARE * luma_steps(jpeg.quality)).astype(np.float32)
    scale = np.float32(_LEVELS / white)
    lines, samples = image.shape[:2]
    above, left = ((BLOCK - start) % BLOCK for start in jpeg.corner)
    right = -(left + samples) % BLOCK
    for begin in range(-above, lines, _STRIP):
        part = slice(max(begin, 0), min(begin + _STRIP, lines))
        change = _luma(clean[part]) - _luma(image[part])
        before = part.start - begin
        edges = ((before, -(before + len(change)) % BLOCK), (left, right))
        padded = np.pad(change * scale, edges)
        back = _beyond(padded, most)[before : before + len(change), left : left + samples] / scale
        _subtract(clean[part], back)


def _luma(values: Pixels) -> Values:
    plain = values.astype(np.float32)
    return plain if plain.ndim == 2 else np.asarray(plain @ _LUMA)


def _beyond(change: Values, most: Values) -> Values:
    """What of a change lies beyond what each frequency of the blocks may change."""
    down, across = (size // BLOCK for size in change.shape)
    blocks = change.reshape(down, BLOCK, across, BLOCK).swapaxes(1, 2)
    spread = fft.dctn(blocks, axes=(2, 3), norm="ortho")
    back = fft.idctn(spread - spread.clip(-most, most), axes=(2, 3), norm="ortho")
    return np.asarray(back.swapaxes(1, 2).reshape(change.shape), np.float32)


def _subtract(values: Pixels, back: Values) -> None:
    corrected = values.astype(np.float32) - (back if values.ndim == 2 else back[..., None])
    if values.dtype.kind == "u":
        corrected = np.rint(corrected).clip(0, np.iinfo(values.dtype).max)
    values[...] = corrected
