"""Denoisers judged on photographs as cameras write them: real pairs, or simulated ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ...data.artefacts import eight_bits
from ...data.camera import take_photograph
from ...data.camera_range import CameraRange
from ...data.images import ImageSet
from ...data.pair_alignment import align
from ...data.photograph_pairs import pairs_in
from ...data.photographs import read_photograph
from ...engine.devices import computing, resolve_device
from ...engine.observer import Observer
from ...engine.tiles import Tiling
from ...errors import InputFileError
from ...restoration.classical import non_local_means, wavelet_shrinkage
from ...runs.machine import available_threads
from ...user_files import resolved
from ...weights import DEFAULT_WEIGHTS
from .denoiser import Denoiser
from .evaluation import mean_scores
from .image_restoration import Companion, Pixels, image_noise, known_noise, restore
from .image_scores import image_scores
from .photographs.network_choice import Networks, Noise
from .photographs.noise_estimation import EstimatedNoise, estimate_image_noise
from .restoration_settings import Restoration
from .score_levels import check_isos, check_sigmas
from .scores import evaluated_images
from .weights import load_weights

Plane = NDArray[np.float32]

_WHITE = 255.0
_PEAK = "peak_signal_noise_ratio"
_TOLD = "hsi denoise --noise camera"


@dataclass(frozen=True, eq=False)
class Pair:
    """A noisy photograph and what it shows, lines × samples (× 3) of uint8 each."""

    noisy: Pixels
    clean: Pixels


@dataclass(frozen=True)
class Group:
    """Pairs whose scores make one column.

    Attributes:
        title: of the column.
        pairs: read or made one by one, each time anew.
    """

    title: str
    pairs: Sequence[Callable[[], Pair]]


def evaluate_photographs(
    weights: str | Path,
    pairs: str | Path | None,
    data: str | Path,
    isos: Sequence[float] | None,
    *,
    aligned: bool = False,
    observer: Observer | None = None,
    **how: Any,
) -> dict[str, Any]:
    """The same on the pairs of a folder, or on simulated photographs of clean images.

    Args:
        weights: see `load_weights`.
        pairs: a folder, or None.
        data: clean images, as of `evaluate_weights`, in colour; used where `pairs` is None.
        isos: sensitivities of the simulated camera.
        aligned: whether pairs are scored a second time, each reference moved to where its noisy
            photograph shows the same; see `align`.
        observer: reports progress.
        how: further arguments of `evaluate_pairs`.

    Raises:
        HsiSuiteError: as `evaluate_pairs`, `real_pairs` and `simulated_pairs`.
    """
    observer = observer or Observer()
    if pairs is not None:
        name = resolved(Path(pairs)).name
        groups = real_pairs(pairs, aligned=aligned)
        return evaluate_pairs(weights, groups, data=name, observer=observer, **how)
    images = evaluated_images(data, "rgb", observer)
    groups = simulated_pairs(images, isos or [])
    return evaluate_pairs(weights, groups, data=images.name, observer=observer, **how)


def evaluate_pairs(
    weights: str | Path,
    groups: Sequence[Group],
    *,
    data: str,
    sigmas: Sequence[float] = (5.0, 10.0, 15.0),
    device: str = "auto",
    threads: int | None = None,
    observer: Observer | None = None,
) -> dict[str, Any]:
    """Scores of a denoiser beside those of other methods, on the same photographs.

    All results are rounded to whole levels and clipped, as files hold them.

    Args:
        weights: see `load_weights`.
        groups: see `real_pairs` and `simulated_pairs`.
        data: what they are called.
        sigmas: at which the default denoiser is tried, on the scale 0 to 255; a σ is the same for
            all photographs.
        device: auto, cpu, cuda or cuda:N.
        threads: CPU threads; None takes the processors this process may use.
        observer: reports progress.

    Returns:
        "weights", "data", "images", "columns" (titles of the groups) and "methods": rows of
        "method", "kind" and "scores" by column (means over the photographs, and "smallest_gain",
        in dB).

    Raises:
        ConfigError: a negative σ.
        HsiSuiteError: the weights or a photograph cannot be read.
    """
    observer = observer or Observer()
    check_sigmas(sigmas)
    where = resolve_device(device)
    with computing(where, threads or available_threads(), deterministic=True):
        methods = _methods(weights, sigmas, where)
        observer.begin("scoring", sum(len(group.pairs) for group in groups) * len(methods))
        columns = {group.title: _column(group, methods, observer) for group in groups}
        observer.end()
    rows = [("noisy", "noisy"), *((name, kind) for name, (kind, _) in methods.items())]
    return {
        "weights": str(weights),
        "data": data,
        "images": len(groups[0].pairs),
        "columns": [*columns],
        "methods": [
            {
                "method": name,
                "kind": kind,
                "scores": {title: column[name] for title, column in columns.items()},
            }
            for name, kind in rows
        ],
    }


def real_pairs(folder: str | Path, *, aligned: bool = False) -> list[Group]:
    """The pairs of a folder; see `pairs_in`. Where `aligned`, also with aligned references.

    Raises:
        InputFileError: it holds none, or, to be aligned, one that cannot be.
    """
    pairs = pairs_in(folder)
    readers = [_reader(pair.noisy, pair.clean) for pair in pairs]
    groups = [Group("real", readers)]
    if aligned:
        moved = [_aligned(read, pair.clean) for read, pair in zip(readers, pairs, strict=True)]
        for read in moved:
            read()  # What cannot be aligned is refused before anything is scored.
        groups.append(Group("aligned", moved))
    return groups


def simulated_pairs(images: ImageSet, isos: Sequence[float]) -> list[Group]:
    """Photographs by the camera in the middle of all (`CameraRange`), at some sensitivities.

    The noise of image k has seed k.

    Raises:
        ConfigError: a sensitivity that is not positive.
    """
    check_isos(isos)
    return [
        Group(f"ISO {iso:g}", [_taker(image, iso, k) for k, image in enumerate(images.images)])
        for iso in isos
    ]


def _reader(noisy: Path, clean: Path) -> Callable[[], Pair]:
    def read() -> Pair:
        photographs = [read_photograph(path).values for path in (noisy, clean)]
        for path, values in zip((noisy, clean), photographs, strict=True):
            if values.dtype != np.uint8:
                raise InputFileError(path, f"holds {values.dtype} values", "8 bits per value")
        if photographs[0].shape != photographs[1].shape:
            found = " × ".join(map(str, photographs[1].shape))
            raise InputFileError(clean, f"is of {found}", "the size of the noisy one")
        return Pair(*photographs)

    return read


def _aligned(read: Callable[[], Pair], clean: Path) -> Callable[[], Pair]:
    known: list[tuple[float, float]] = []

    def read_aligned() -> Pair:
        pair = read()
        try:
            found = align(pair.noisy, pair.clean, known[0] if known else None)
        except ValueError as error:
            raise InputFileError(
                clean, f"is not aligned: {error}", "one scene, at least 32 × 32"
            ) from error
        # Searched for once; the photographs themselves are too many to keep.
        known[:] = [found.shift]
        return Pair(found.noisy, eight_bits((found.clean / _WHITE).astype(np.float32)))

    return read_aligned


def _taker(image: NDArray[np.uint8], iso: float, seed: int) -> Callable[[], Pair]:
    def take() -> Pair:
        clean = image.astype(np.float32) / np.float32(_WHITE)
        camera = CameraRange().middle(iso)
        photograph = take_photograph(clean, camera, np.random.default_rng(seed))
        return Pair(eight_bits(photograph), image)

    return take


Method = Callable[[Pixels], Pixels]


def _methods(
    weights: str | Path, sigmas: Sequence[float], device: torch.device
) -> dict[str, tuple[str, Method]]:
    default = load_weights(None, device)
    methods: dict[str, tuple[str, Method]] = {
        "wavelet (BayesShrink), σ estimated": (
            "classical",
            _classical(wavelet_shrinkage, default),
        ),
        "non-local means, σ estimated": ("classical", _classical(non_local_means, default)),
        f"{DEFAULT_WEIGHTS}, σ estimated": ("classical", _estimating(default)),
    }
    for sigma in sigmas:
        methods[f"{DEFAULT_WEIGHTS}, σ {sigma:g}"] = ("classical", _at(default, sigma))
    said: dict[str, Noise] = {"hsi denoise, chosen by itself": "auto", _TOLD: "camera"}
    for name, noise in said.items():
        methods[name] = ("classical", _choosing(Networks(None, noise, device)))
    own = load_weights(weights, device)
    if Path(weights).name != DEFAULT_WEIGHTS:
        run = _estimating(own) if own.network.takes_noise_map else _at(own, 0.0)
        methods[Path(weights).name] = ("weights", run)
    return methods


def _column(
    group: Group, methods: dict[str, tuple[str, Method]], observer: Observer
) -> dict[str, dict[str, float]]:
    """Mean scores of each method, and of the noisy photographs."""
    scores: dict[str, list[dict[str, float]]] = {"noisy": [], **{name: [] for name in methods}}
    for pair in (make() for make in group.pairs):
        scores["noisy"].append(image_scores(pair.clean, pair.noisy, _WHITE))
        for name, (_, method) in methods.items():
            scores[name].append(image_scores(pair.clean, method(pair.noisy), _WHITE))
            observer.advance()
    noisy = [each[_PEAK] for each in scores["noisy"]]
    return {
        name: {
            **mean_scores(rows),
            "smallest_gain": min(
                row[_PEAK] - before for row, before in zip(rows, noisy, strict=True)
            ),
        }
        for name, rows in scores.items()
    }


def _at(denoiser: Denoiser, sigma: float) -> Method:
    def run(noisy: Pixels) -> Pixels:
        known = known_noise(sigma / _WHITE, denoiser, noisy)
        return _restored(denoiser, noisy, EstimatedNoise(known, ()))

    return run


def _estimating(denoiser: Denoiser) -> Method:
    def run(noisy: Pixels) -> Pixels:
        return _restored(denoiser, noisy, estimate_image_noise(noisy, _WHITE, denoiser))

    return run


def _choosing(networks: Networks) -> Method:
    """What `hsi denoise` does, of a file that does not say its quality."""

    def run(noisy: Pixels) -> Pixels:
        choice = networks.choose(noisy, _WHITE)
        if choice.denoiser is None:
            return noisy
        clean = _restored(choice.denoiser, noisy, choice.noise, choice.companion)
        choice.unclipped(noisy, clean, _WHITE)
        return choice.held(noisy, clean, _WHITE)

    return run


def _restored(
    denoiser: Denoiser,
    noisy: Pixels,
    noise: EstimatedNoise,
    companion: Companion | None = None,
) -> Pixels:
    whole = Tiling(None, 0, denoiser.network.multiple)
    return restore(
        denoiser, noisy, _WHITE, noise.sigmas, whole, Restoration(),
        dtype=noisy.dtype, companion=companion, shot=noise.shot,
    )  # fmt: skip


def _classical(method: Callable[[Plane, float], Plane], judge: Denoiser) -> Method:
    """A method for planes on each colour, with the σ that is estimated of the photograph."""

    def run(noisy: Pixels) -> Pixels:
        sigma = image_noise(estimate_image_noise(noisy, _WHITE, judge).sigmas)
        shares = noisy.astype(np.float32) / np.float32(_WHITE)
        planes = [shares] if noisy.ndim == 2 else list(np.moveaxis(shares, 2, 0))
        clean = np.stack([method(np.ascontiguousarray(plane), sigma) for plane in planes], -1)
        levels = np.rint(clean.reshape(noisy.shape) * _WHITE).clip(0, _WHITE)
        return np.asarray(levels, np.uint8)

    return run
