"""What a run keeps of the spectra it learnt from, and what of another scene is held against it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...commands import suggested
from ...data.band_order import with_selection
from ...data.learnt_bands import with_learnt_bands
from ...data.pixel_spectra import PixelSpectra
from ...data.readers import CubeFile
from ...data.reduction import Reduction
from ...data.scene_stack import ScenePart, StackedScene, pixels_to_fit
from ...data.spectral_domain import SpectralDomain, band_list, dead_bands
from ...data.value_scale import ValueScale, declared_scale, rescaled
from ...engine.observer import Observer
from ...restoration.cube_lines import spread_lines
from ...schemas.classification import ClassificationConfig
from ..shared.settled_bands import opened_cube
from .ensemble import Ensemble
from .preparation import Prepared
from .scene_files import open_scenes

# Enough for shares of a thousandth; lines from all over a scene, each read by itself.
_PIXELS, _LINES = 20_000, 64


def learnt(config: ClassificationConfig, prepared: Prepared) -> dict[str, Any]:
    """What a classifier's header keeps of the spectra it learns from.

    Args:
        config: names the scene's file.
        prepared: holds the scene as it is learnt from, and its reduction.
    """
    scene, reduction = prepared.scene, prepared.reduction
    total = scene.lines * scene.samples
    pixels = np.arange(0, total, -(-total // _PIXELS))
    valid = pixels_to_fit(scene, prepared.split)
    if valid is not None:
        some = pixels[valid.reshape(-1)[pixels]]
        pixels = some if len(some) else np.flatnonzero(valid)[:_PIXELS]
    spectra = PixelSpectra(scene.cube).of(pixels)[:]
    domain = SpectralDomain.of(spectra, reduction.apply(spectra), reduction.mean)
    scale = None
    if config.data.scenes:
        with closing(open_scenes(config, Observer())) as opened:
            scale = declared_scale(opened.files[opened.reference])
    elif config.data.scene is not None:
        data = config.data
        with opened_cube(data) as file:
            chosen = with_selection(file, data.bands, drop_water=data.drop_water)
            scale = declared_scale(chosen)
    return {
        "domain": domain.to_dict(),
        "value_scale": None if scale is None else scale.to_dict(),
    }


def unlike_scenes(prepared: Prepared) -> list[str]:
    """A line for each of several scenes whose spectra are unlike those of the others.

    Training scenes are held against the first of them, others against all training scenes.

    Args:
        prepared: holds the scenes, how they are divided, and the reduction.
    """
    scene, reduction = prepared.scene, prepared.reduction
    if not isinstance(scene, StackedScene):
        return []
    train = prepared.split.train
    training = [part for part in scene.parts if part.mine(train, scene.samples).any()]
    # Folds train on every scene.
    training = training or list(scene.parts)
    spectra = {part.name: _spectra_of(scene, part) for part in scene.parts}
    first = spectra[training[0].name]
    learnt = np.concatenate([spectra[part.name] for part in training])
    warnings = []
    for part in scene.parts:
        known, whose = (
            (first, training[0].name) if part in training else (learnt, "the training scenes")
        )
        own = spectra[part.name]
        if not len(known) or not len(own) or own is known:
            continue
        mean = known.mean(0)
        domain = SpectralDomain.of(known, reduction.apply(known), mean)
        unlike = domain.unlike(own, reduction.apply(own), mean)
        if unlike is not None:
            warnings.append(
                f"{part.name}: its spectra are unlike those of {whose}: {unlike}; check "
                "that all scenes hold the same quantity in the same unit"
            )
    return warnings


def _spectra_of(scene: StackedScene, part: ScenePart) -> NDArray[np.float64]:
    """Spectra of pixels with data from lines all over a part of a stack, N × bands."""
    lines = np.array(spread_lines(part.lines, _LINES))
    step = -(-len(lines) * part.samples * len(scene.parts) // _PIXELS)
    samples = np.arange(0, part.samples, step)
    pixels = (part.first_line + lines)[:, None] * scene.samples + samples
    if part.valid is not None:
        pixels = pixels[part.valid[np.ix_(lines, samples)]]
    spectra = PixelSpectra(scene.cube).of(pixels.ravel())[:].astype(np.float64)
    return np.asarray(spectra[np.isfinite(spectra).all(1)])


def in_learnt_scale(file: CubeFile, ensemble: Ensemble, observer: Observer) -> CubeFile:
    """A scene in the values that an ensemble learnt, where both files declared what theirs mean.

    Args:
        file: the scene, open.
        ensemble: what will classify it; its runs are taken to have learnt in one scale.
        observer: reports a conversion.
    """
    given, learnt = declared_scale(file), ensemble.classifiers[0].header.value_scale
    if given is None or learnt is None:
        return file
    wanted = ValueScale.from_dict(learnt)
    if len(wanted.gain) != len(given.gain) or given.equals(wanted):
        return file
    observer.message(
        f"{file.path.name}: values are multiplied by {given.change_to(wanted)}, as its declared "
        "scale and that of the training scene say"
    )
    return rescaled(file, given, wanted)


def in_learnt_bands(
    file: CubeFile, ensemble: Ensemble, observer: Observer, *, resample: bool = False
) -> CubeFile:
    """A scene with the bands that an ensemble learnt, in their order, where it can be told.

    Args:
        file: the scene, open.
        ensemble: what will classify it; its runs learnt the same bands.
        observer: reports a change.
        resample: make these bands of others.

    Raises:
        ShapeError: they cannot be made.
    """
    learnt = ensemble.classifiers[0].header.known_bands
    return with_learnt_bands(file, learnt, observer, resample=resample)


def warn_if_unlike(file: CubeFile, ensemble: Ensemble, observer: Observer) -> None:
    """Warn of a scene whose spectra are unlike those that an ensemble learnt from.

    Args:
        file: the scene as it will be classified.
        ensemble: what will classify it.
        observer: reports it.
    """
    spectra = _sampled(file)
    for classifier in ensemble.classifiers:
        header, reduction = classifier.header, classifier.reduction
        domain = _usual(reduction)
        if header.domain is not None:
            domain = SpectralDomain.from_dict(header.domain)
        # What dead bands do to the rest must not be taken for other units.
        dead = dead_bands(spectra, reduction.mean)
        if dead:
            numbers = [file.band_numbers[band] for band in dead]
            observer.message(dead_bands_text(file.path, numbers))
            spectra[:, dead] = reduction.mean[dead]
        unlike = domain.unlike(spectra, reduction.apply(spectra), reduction.mean)
        if unlike is not None:
            observer.message(
                f"warning: {file.path.name}: its spectra are unlike those learnt from: {unlike}; "
                "bring the scene to the same units, or train on it"
            )
        if dead or unlike is not None:
            return


def dead_bands_text(path: Path, dead: Sequence[int]) -> str:
    """The warning of bands that hold one value in a scene's file."""
    verb = "holds" if len(dead) == 1 else "hold"
    return (
        f"warning: {path.name}: {band_list(dead)} {verb} the same value in every pixel, which no "
        f"band did in training; fill them first: {suggested('denoise', path, '--repair')}"
    )


def _usual(reduction: Reduction) -> SpectralDomain:
    """What older runs say: whitened and standardised components have deviations of 1.

    Components that are not whitened, whose directions have length 1, have unknown ones.
    """
    lengths = np.linalg.norm(reduction.matrix, axis=0)
    plain = bool(np.allclose(lengths[lengths > 0], 1))
    return SpectralDomain.usual(reduction.components, not plain)


def _sampled(file: CubeFile) -> NDArray[np.float64]:
    """Spectra of pixels with data from lines all over a scene, N × bands."""
    lines, samples, bands = file.shape
    chosen = spread_lines(lines, _LINES)
    step = -(-len(chosen) * samples // _PIXELS)
    parts = [np.empty((0, bands))]
    for line in chosen:
        block = file.read(line, line + 1)
        valid = file.valid(block, line)
        spectra = block[0] if valid is None else block[0][valid[0]]
        parts.append(spectra[::step].astype(np.float64))
    spectra = np.concatenate(parts)
    return np.asarray(spectra[np.isfinite(spectra).all(1)])
