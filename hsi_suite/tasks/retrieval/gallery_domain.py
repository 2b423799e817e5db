"""Whether the spectra of a gallery are like those that a run learnt from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...data.modalities import Modality
from ...data.spectral_domain import SpectralDomain
from ...engine.observer import Observer
from ...restoration.cube_lines import spread_lines
from .gallery import Gallery

# Lines from all over a gallery and pixels of each; no more is needed to tell other units.
_LINES, _PIXELS = 64, 500


def warn_if_unlike(gallery: Gallery, modality: Modality, observer: Observer) -> None:
    """Warn of a gallery in other units than the scene learnt from.

    Colours, greys and heights are told by their place among those of their own picture, spectra
    of unit length have no level: all units are alike to them.

    Args:
        gallery: what is searched, or looked at.
        modality: how its pixels are seen.
        observer: hears of it.
    """
    if modality.kind not in ("spectrum", "pca", "hsi") or modality.unit_norm:
        return
    if modality.mean is None or modality.scale is None:
        return
    spectra = _sampled(gallery)
    reduced: NDArray[np.floating] = spectra
    mean: NDArray[np.float64] = modality.mean.astype(np.float64)
    if modality.reduction is not None:
        reduced, mean = modality.reduction.apply(spectra), modality.reduction.mean
    standardised = (reduced - modality.mean) / modality.scale
    told = SpectralDomain.usual(standardised.shape[1]).unlike(spectra, standardised, mean)
    if told is not None:
        observer.message(
            f"warning: {gallery.name}: its spectra are unlike those learnt from: {told}; "
            "bring it to the same units"
        )


def _sampled(gallery: Gallery) -> NDArray[np.float64]:
    """Spectra of pixels with data, N × bands."""
    lines, samples, bands = gallery.shape
    parts = [np.empty((0, bands))]
    for line in spread_lines(lines, _LINES):
        scene = gallery.read(line, line + 1)
        good = np.isfinite(scene.cube[0]).all(-1)
        if scene.valid is not None:
            good &= scene.valid[0]
        parts.append(scene.cube[0][good][:: -(-samples // _PIXELS)].astype(np.float64))
    return np.concatenate(parts)
