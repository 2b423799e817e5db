"""What a finished run is used for: maps of other scenes, and its figures once more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..config import validate
from ..data.leakage import audit
from ..data.readers import open_cube, read_scene
from ..data.scene import Scene
from ..data.splits import Split, load_split
from ..data.writers import MAP_ENDINGS, write_label_map, write_layers
from ..engine.devices import computing, resolve_device
from ..engine.observer import Observer
from ..errors import ConfigError, OutputError, RunError, ShapeError
from ..palette import class_colours
from ..reports.drawing import save_png
from ..reports.maps import false_colour, map_figure
from ..runs import MODEL, SPLIT, Run, open_run
from ..schemas.classification import ClassificationConfig
from .classifier import Classifier, load_classifier, most_probable
from .denoiser_scores import evaluate_denoiser
from .evaluation import dropout_spread, part_scores, predicted_classes
from .machine import available_threads
from .preparation import Prepared, check_values, class_indices, load_scene, tell_missing

_LAYERS = ("probabilities", "disagreement")


@dataclass(frozen=True)
class Prediction:
    """A scene classified by one or several runs.

    Attributes:
        scene: the scene.
        labels: lines × samples, 0 where there is no data.
        class_names: label k has name k − 1.
        probabilities: mean over the runs, lines × samples × classes.
        probability_labels: label value of each class in `probabilities`.
        disagreement: share of the runs that give another label, lines × samples; None for one.
        written: the files that were written.
    """

    scene: Scene
    labels: NDArray[np.integer]
    class_names: tuple[str, ...]
    probabilities: NDArray[np.float32]
    probability_labels: tuple[int, ...]
    disagreement: NDArray[np.float32] | None
    written: tuple[Path, ...]


def predict(
    runs: Sequence[str | Path],
    output: str | Path,
    *,
    scene: str,
    scene_variable: str | None = None,
    nodata: float | None = None,
    probabilities: bool = False,
    device: str = "auto",
    threads: int | None = None,
    observer: Observer | None = None,
) -> Prediction:
    """Classify a scene with one run, or with several that average their probabilities.

    Args:
        runs: folders of finished runs with the same classes.
        output: map to write: .tif, .hdr (ENVI), .npy, or .png (a picture with a legend). Several
            runs also write `<name>_disagreement` beside it.
        scene: file of the cube.
        scene_variable: the cube's variable, where the file holds several arrays.
        nodata: the value that marks missing pixels.
        probabilities: also write `<name>_probabilities`.
        device: auto, cpu, cuda or cuda:N.
        threads: CPU threads; None takes the processors this process may use.
        observer: hears of the progress.

    Raises:
        RunError: a run is unfinished, or the runs do not have the same classes.
        ShapeError: the scene has other bands.
        OutputError: the output cannot be written.
    """
    observer = observer or Observer()
    target = _check_output(Path(output), scene, scene_variable, runs)
    threads = threads or available_threads()
    where = resolve_device(device)
    with computing(where, threads, deterministic=True):
        classifiers = [_finished_classifier(run, where, threads) for run in runs]
        names = _common_class_names(runs, classifiers)
        loaded = read_scene(scene, variable=scene_variable, nodata=nodata)
        check_values(loaded)
        tell_missing(loaded, observer)
        for classifier in classifiers:
            _check_wavelengths(classifier, loaded)
        labels_of = tuple(sorted({k for c in classifiers for k in c.header.labels}))
        mean, votes = _average(classifiers, loaded, labels_of, observer)
    labels = most_probable(mean, labels_of)
    disagreement = _disagreement(votes, labels, np.isnan(mean[..., 0]))
    written = _write(target, loaded, labels, names, mean if probabilities else None, labels_of)
    if disagreement is not None:
        written += _write_layer(
            target, "disagreement", disagreement[..., None], ["disagreement"], loaded
        )
    return Prediction(loaded, labels, names, mean, labels_of, disagreement, tuple(written))


def evaluate(
    run: str | Path, *, dropout_at_test: bool = False, observer: Observer | None = None
) -> dict[str, Any]:
    """A run's test figures, computed again from its saved model and split.

    Of a denoiser those of its validation images.

    Args:
        run: folder of a finished run.
        dropout_at_test: also show what leaving dropout on would do.
        observer: hears of the progress.

    Returns:
        "run", "test" (the figures), "stored" (as metrics.json has them), "equal", and
        "dropout_at_test" where asked for.

    Raises:
        RunError: the run is unfinished or damaged.
        ChecksumError: the data are not those of the run.
    """
    observer = observer or Observer()
    opened = open_run(run)
    if opened.config.get("task") == "denoising":
        if dropout_at_test:
            raise ConfigError("--dropout-at-test", "a denoiser has no dropout", "a classifier")
        return evaluate_denoiser(opened, observer)
    config = validate(ClassificationConfig, opened.config, opened.path)
    threads = config.threads or available_threads()
    device = resolve_device(config.device)
    with computing(device, threads, config.deterministic):
        classifier = _finished_classifier(run, device, threads)
        scene = load_scene(config.data, observer)
        _check_data(opened, scene)
        assert scene.labels is not None
        split = load_split(opened.path / SPLIT)
        _check_split(opened, split, scene.labels)
        prepared = Prepared(
            scene=scene,
            labels=scene.labels,
            split=split,
            leakage=audit(split, window=config.model.window),
            reduction=classifier.reduction,
            classes=class_indices(scene.labels, split.classes),
        )
        wanted = np.zeros(scene.labels.size, bool)
        wanted[split.test] = True
        rows = classifier.probabilities(
            scene.cube,
            scene.valid,
            wanted=wanted.reshape(scene.labels.shape),
            batch_size=config.evaluation.batch_size,
            observer=observer,
        )
        figures = part_scores(prepared, split.test, predicted_classes(rows, split.test))
        stored = opened.metrics.get("test")
        if not isinstance(stored, dict):
            raise RunError(opened.path / "metrics.json", "holds no test figures", "a run's metrics")
        result: dict[str, Any] = {
            "run": str(opened.path),
            "test": figures,
            "stored": stored,
            "equal": figures == stored,
        }
        if dropout_at_test:
            result["dropout_at_test"] = dropout_spread(classifier, prepared, config)
    return result


def _finished_classifier(run: str | Path, device: torch.device, threads: int) -> Classifier:
    opened = open_run(run)
    if not opened.finished:
        raise RunError(
            run, "is not finished", "a finished run", f"run `hsi train --resume {run}` first"
        )
    return load_classifier(opened.path / MODEL, device, threads)


def _common_class_names(
    runs: Sequence[str | Path], classifiers: Sequence[Classifier]
) -> tuple[str, ...]:
    names = classifiers[0].header.class_names
    for run, classifier in zip(runs, classifiers, strict=True):
        if classifier.header.class_names != names:
            raise RunError(
                run,
                "has other classes than the first run",
                ", ".join(names),
                "average runs of one data set only",
            )
    return tuple(names)


def _check_wavelengths(classifier: Classifier, scene: Scene) -> None:
    learnt = classifier.header.wavelengths
    if learnt is None or scene.wavelengths is None or len(learnt) != scene.bands:
        return
    centres = np.asarray(learnt)
    apart = float(np.abs(centres - scene.wavelengths).max())
    # Tables of one sensor differ by a few nm between flights; a whole band is another band.
    if apart > max(5.0, float(np.median(np.abs(np.diff(centres))))):
        raise ShapeError(
            scene.name,
            f"bands up to {apart:.0f} nm away from those the model learnt",
            "the same bands",
            "predict a scene of the same sensor and bands",
        )


def _check_data(run: Run, scene: Scene) -> None:
    then = run.environment.get("data") or {}
    if any(then.get(name) != digest for name, digest in scene.checksums.items()):
        raise RunError(
            run.path,
            "the data have changed since this run was trained",
            "the same files",
            "`hsi data verify` checks registered data sets",
        )


def _check_split(run: Run, split: Split, labels: NDArray[np.integer]) -> None:
    """Refuse a split that is not of these labels."""
    pixels = np.concatenate([split.train, split.validation, split.test])
    fits = (
        split.shape == labels.shape
        and len(split.test) > 0
        and len(np.unique(pixels)) == len(pixels)
        and (pixels >= 0).all()
        and (pixels < labels.size).all()
        and set(np.unique(labels.reshape(-1)[pixels]).tolist()) <= set(split.classes)
    )
    if not fits:
        raise RunError(run.path / SPLIT, "is not a split of this scene", "the run's own split")


def _average(
    classifiers: Sequence[Classifier], scene: Scene, labels: tuple[int, ...], observer: Observer
) -> tuple[NDArray[np.float32], list[NDArray[np.integer]]]:
    """Mean probabilities over the classes that any run knows, and each run's own labels."""
    mean = np.zeros((scene.lines, scene.samples, len(labels)), np.float32)
    votes = []
    for classifier in classifiers:
        rows = classifier.probabilities(scene.cube, scene.valid, observer=observer)
        places = [labels.index(label) for label in classifier.header.labels]
        mean[..., places] += rows / len(classifiers)
        mean[np.isnan(rows[..., 0])] = np.nan
        votes.append(classifier.label_map(rows))
    return mean, votes


def _disagreement(
    votes: list[NDArray[np.integer]], labels: NDArray[np.integer], missing: NDArray[np.bool_]
) -> NDArray[np.float32] | None:
    """Share of the runs that give another label than the mean; None for a single run."""
    if len(votes) == 1:
        return None
    share = np.stack([vote != labels for vote in votes]).mean(0, dtype=np.float32)
    return np.where(missing, np.float32(np.nan), share)


def _check_output(path: Path, scene: str, variable: str | None, runs: Sequence[str | Path]) -> Path:
    if path.suffix.lower() not in MAP_ENDINGS:
        raise OutputError(
            path, f"unknown kind of map {path.suffix!r}", f"one of {', '.join(MAP_ENDINGS)}"
        )
    suffix = ".npy" if path.suffix.lower() == ".png" else path.suffix
    layers = (path.with_name(f"{path.stem}_{what}{suffix}") for what in _LAYERS)
    # An ENVI map is a pair of files, and so may be the scene.
    written = {
        file.with_suffix(ending).resolve()
        for file in (path, *layers)
        for ending in (file.suffix, ".img")
    }
    with open_cube(scene, variable=variable) as cube:
        inputs = {Path(file).resolve() for file in cube.files}
    if inputs & written:
        raise OutputError(path, "would replace the scene", "another name: no input is overwritten")
    if any(path.resolve().parent == Path(run).resolve() for run in runs):
        raise OutputError(
            path, "lies inside a run's folder", "another folder: runs are kept as they are"
        )
    return path


def _write(
    target: Path,
    scene: Scene,
    labels: NDArray[np.integer],
    names: tuple[str, ...],
    probabilities: NDArray[np.float32] | None,
    probability_labels: tuple[int, ...],
) -> list[Path]:
    if target.suffix.lower() == ".png":
        rgb = false_colour(scene.cube, scene.false_colour, scene.valid)
        figure = map_figure(
            labels, None, rgb, names, title=scene.name, synthetic=scene.synthetic, valid=scene.valid
        )
        save_png(figure, target)
    else:
        write_label_map(
            target,
            labels,
            names,
            class_colours(len(names)),
            georeference=scene.georeference,
            valid=scene.valid,
        )
    if probabilities is None:
        return [target]
    bands = [names[label - 1] for label in probability_labels]
    return [target, *_write_layer(target, "probabilities", probabilities, bands, scene)]


def _write_layer(
    target: Path, what: str, layers: NDArray[np.float32], bands: list[str], scene: Scene
) -> list[Path]:
    suffix = ".npy" if target.suffix.lower() == ".png" else target.suffix
    path = target.with_name(f"{target.stem}_{what}{suffix}")
    write_layers(path, layers, bands, georeference=scene.georeference)
    return [path]
