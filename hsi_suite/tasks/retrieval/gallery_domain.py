"""Whether the spectra of a gallery are like those that a run learnt from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...data.modalities import Modality
from ...data.spectral_domain import SpectralDomain, band_list, dead_bands
from ...engine.observer import Observer
from ...restoration.cube_lines import spread_lines
from .gallery import Gallery

# Lines from all over a gallery and pixels of each; no more is needed to notice other units.
_LINES, _PIXELS = 64, 500


def warn_if_unlike(gallery: Gallery, modality: Modality, observer: Observer) -> None:
    """Warn of a gallery in other units than the scene learnt from.

    Colours, greys and heights are known by their place among those of their own picture, spectra
    of unit length have no level: all units are alike to them.

    Args:
        gallery: what is searched, or looked at.
        modality: how its pixels are seen.
        observer: reports it.
    """
    if modality.kind not in ("spectrum", "pca", "hsi"):
        return
    spectra, reduction = _sampled(gallery), modality.reduction
    mean = modality.mean if reduction is None else reduction.mean
    comparable = not modality.unit_norm and mean is not None
    dead = dead_bands(spectra, mean if comparable else None)
    if dead:
        numbers = [gallery.band_numbers[band] for band in dead] if gallery.band_numbers else dead
        observer.message(
            f"warning: {gallery.name}: {band_list(numbers)} hold{'s' * (len(dead) == 1)} the same "
            "value in every pixel; repair the scene first: `hsi denoise SCENE --repair`"
        )
    if not comparable or modality.mean is None or modality.scale is None or mean is None:
        return
    mean = mean.astype(np.float64)
    spectra[:, dead] = mean[dead]
    reduced = spectra if reduction is None else reduction.apply(spectra)
    standardised = (reduced - modality.mean) / modality.scale
    difference = SpectralDomain.usual(standardised.shape[1]).unlike(spectra, standardised, mean)
    if difference is not None:
        observer.message(
            f"warning: {gallery.name}: its spectra are unlike those learnt from: {difference}; "
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
