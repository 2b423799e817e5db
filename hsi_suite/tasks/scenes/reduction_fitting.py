"""The reduction of a scene's spectra, fitted as a configuration says."""

from __future__ import annotations

import numpy as np

from ...data.pixel_spectra import PixelSpectra
from ...data.readers import SceneFile
from ...data.reduction import (
    Reduction,
    check_components,
    fit_nothing,
    fit_pca,
    fit_standardisation,
)
from ...data.scene import Scene
from ...data.scene_stack import pixels_to_fit
from ...data.splits import Split
from ...schemas.classification import ReductionConfig


def fit_reduction(
    config: ReductionConfig, scene: Scene | SceneFile, split: Split, rank: int | None = None
) -> Reduction:
    """The reduction of the spectra, fitted on the whole scene or on the training part.

    Scenes that a split holds out whole never take part.

    Args:
        config: which one.
        scene: what is reduced.
        split: its training part.
        rank: in how many directions the spectra vary, where that is known; principal components
            beyond it are rounding errors and become 0.
    """
    spectra = PixelSpectra(scene.cube)
    if config.fit_on == "train":
        spectra = spectra.of(split.train)
    elif (chosen := pixels_to_fit(scene, split)) is not None:
        spectra = spectra.of(np.flatnonzero(chosen))
    if config.method == "standardize":
        return fit_standardisation(spectra)
    if config.method == "none":
        return fit_nothing(spectra)
    check_components("reduction.components", config.components, scene.bands)
    kept = min(config.components, rank or config.components)
    fitted = fit_pca(spectra, kept, config.whiten)
    empty = config.components - kept
    if not empty:
        return fitted
    return Reduction(
        fitted.mean,
        np.pad(fitted.matrix, ((0, 0), (0, empty))),
        np.pad(fitted.explained, (0, empty)),
    )
