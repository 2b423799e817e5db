"""Runs from Python: what the commands train, evaluate, predict, batch and replay do."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from numpy.typing import ArrayLike
from torch import nn

from ..arguments import checked
from ..atomic import temporary_folder
from ..data.scene import Scene
from ..data.splits import Split
from ..engine.dask_executor import tls_files
from ..errors import ConfigError
from ..memory import DEFAULT_MEMORY_LIMIT
from ..models.registry import entered
from ..pipelines.reproducibility import run_batch
from ..runs import launch
from ..runs.batches.files import Batch
from ..runs.evaluation import evaluate as evaluate_run
from ..runs.evaluation import evaluate_together as evaluate_runs_together
from ..runs.folder import Run
from ..runs.replay import Replay
from ..runs.replay import replay as replay_runs
from ..tasks.scenes.prediction import Prediction
from ..tasks.scenes.prediction import predict as predict_scene
from .arguments import RunLike, Settings, as_json, folder_of, settings_texts
from .array_files import kept_split, scene_arrays, scene_files
from .evaluation import Evaluation, JointEvaluation, evaluation_of, joint_evaluation_of
from .progress import job_progress, progress
from .several_scenes import are_several, several_scenes

Place = str | os.PathLike[str]
SceneLike = Place | Scene | ArrayLike
Scenes = SceneLike | Sequence[SceneLike]


@checked
def train(
    scene: Scenes | None = None,
    labels: Place | ArrayLike | Sequence[Place | ArrayLike] | None = None,
    *,
    dataset: str | None = None,
    model: str | type[nn.Module] | None = None,
    config: Place | None = None,
    settings: Settings = (),
    split: Literal["random", "disjoint", "polygons", "spatial_folds", "scenes", "file"]
    | Split
    | None = None,
    split_file: Place | None = None,
    test_scenes: Sequence[str] | None = None,
    validation_scenes: Sequence[str] | None = None,
    resample: bool | None = None,
    epochs: int | None = None,
    seed: int | None = None,
    baselines: Sequence[str] | None = None,
    class_names: Place | Sequence[str] | None = None,
    scene_variable: str | None = None,
    labels_variable: str | None = None,
    axes: str | None = None,
    shape: Sequence[int] | None = None,
    bands: str | None = None,
    drop_water: bool | None = None,
    unlabelled: float | None = None,
    warp_labels: bool | None = None,
    labels_field: str | None = None,
    labels_layer: str | None = None,
    labels_buffer: float | None = None,
    labels_crs: str | None = None,
    all_touched: bool | None = None,
    nodata: float | None = None,
    allow_unverified: bool | None = None,
    device: str | None = None,
    threads: int | None = None,
    memory_limit: float | None = None,
    output: Place = "runs",
    resume: RunLike | None = None,
    verbose: bool | int = 1,
) -> Run:
    """Train a classifier of scenes or images, a denoiser or a retriever, and evaluate it.

    What `hsi train` does, in a run folder: the same call again shows a finished run and goes on
    with an interrupted one. What is trained follows from the data set or the configuration.

    Args:
        scene: a cube of your own: a file, a `Scene`, or an array of lines × samples × bands.
            Arrays are kept in the hidden folder `.arrays` of `output`, so that the run can be
            evaluated and replayed. A list of them, a folder or a table stands for several.
        labels: its label map: a file (several with commas), or lines × samples, 0 = unlabelled;
            None takes those of a `Scene`. Of several scenes a list, one for each.
        dataset: a registered data set instead, see `hsi data list`.
        model: a name of `hsi_suite.models.names()`, FILE.py:Class, or a class: an `nn.Module` that
            takes in_channels, num_classes and window.
        config: name or file of a configuration; None takes the one that fits data and model.
        settings: further keys, {"train.optimizer.learning_rate": 1e-4}.
        split: random, disjoint, polygons, spatial_folds, scenes or file, or a split of
            `hsi_suite.splits`.
        split_file: a fixed split: masks, label maps or lists of pixels; TRAIN,TEST for two files.
        test_scenes: of several scenes the names of those held out for the test: names of files,
            of `Scene` objects, or scene1, scene2 and so on of arrays.
        validation_scenes: names of those that select the epoch.
        resample: make the bands of the first training scene out of those of the others.
        epochs: passes over the training part.
        seed: of everything drawn at random.
        baselines: of svm, forest, cnn1d, lda, gaussian, spectral_angle: trained on the same split.
        class_names: a text file with a name per line, or the names.
        scene_variable: the cube's variable, where the file holds several arrays.
        labels_variable: the label map's.
        axes: order of the cube's axes where the file does not tell, such as "band,y,x".
        shape: lines and samples of a matrix of spectra.
        bands: which bands of the file: "good", "all", or a list such as "1-50,400-900nm".
        drop_water: leave out the bands in which water vapour leaves hardly any light.
        unlabelled: the label value that stands for none; None is 0.
        warp_labels: take the nearest labels where their grid is another.
        labels_field: of drawn labels: the field that holds the class.
        labels_layer: the layer of a file with several.
        labels_buffer: distance from points and lines within which pixels count, in metres.
        labels_crs: their coordinate system, where the file names none.
        all_touched: count all pixels that a polygon touches, not only those whose centre it holds.
        nodata: the value that marks missing data.
        allow_unverified: use data whose checksum is wrong or unknown; every product says so.
        device: auto, cpu, cuda or cuda:N.
        threads: CPU threads; part of a run's identity.
        memory_limit: bytes within which a scene in a file is read; None takes 2e9.
        output: where run folders are made.
        resume: an interrupted run to go on with; beside it only device, memory_limit and verbose.
        verbose: 0 reports no progress.

    Returns:
        The finished run: `run.metrics`, `run.history`, `run.label_map`, `run.path`.

    Raises:
        ConfigError: a parameter is unknown or has an impossible value.
        HsiSuiteError: the data cannot be used, or the output cannot be written.
        Stopped: Ctrl-C; the same call goes on.

    >>> run = train(dataset="synthetic", epochs=1, seed=1)  # doctest: +SKIP
    >>> run.metrics["test"]["overall_accuracy"]  # doctest: +SKIP
    """
    given: dict[str, Any] = {
        "dataset": dataset, "split_file": _text(split_file), "epochs": epochs,
        "baselines": _list(baselines), "class_names": class_names, "seed": seed,
        "labels_variable": labels_variable, "scene_variable": scene_variable, "axes": axes,
        "shape": _list(shape), "threads": threads,
        "unlabelled": unlabelled, "warp_labels": warp_labels, "nodata": nodata, "device": device,
        "allow_unverified": allow_unverified, "bands": bands, "drop_water": drop_water,
        "labels_field": labels_field, "labels_layer": labels_layer, "labels_crs": labels_crs,
        "labels_buffer": labels_buffer, "all_touched": all_touched, "resample": resample,
        "test_scenes": _list(test_scenes), "validation_scenes": _list(validation_scenes),
    }  # fmt: skip
    named = {"scene": scene, "labels": labels, "model": model, "config": config, "split": split}
    observer = progress(verbose)
    if resume is not None:
        beside = [k for k, v in (given | named).items() if v is not None and k != "device"]
        if beside or settings:
            found = f"{', '.join(beside or ['settings'])} beside it"
            raise ConfigError("resume", found, "none: a run keeps its configuration")
        return launch.resume(folder_of(resume), observer, memory_limit, device)
    given |= _data(scene, labels, class_names, split, Path(output))
    if isinstance(split, Split):
        given |= {"split": "file", "split_file": _split_file(split, output, split_file)}
    else:
        given["split"] = split
    configuration = launch.configure(
        config=_text(config),
        model=entered(model) if isinstance(model, type) else model,
        settings=settings_texts(settings),
        **{name: _plain(value) for name, value in given.items()},
    )
    return launch.start(configuration, Path(output), observer, memory_limit)


@checked
def evaluate(
    run: RunLike,
    *,
    dropout_at_test: bool = False,
    memory_limit: float | None = None,
    device: str | None = None,
    verbose: bool | int = 1,
) -> Evaluation:
    """A run's test figures, computed again from its saved model and split.

    Of a denoiser those of its validation images.

    Args:
        run: a finished run, or its folder.
        dropout_at_test: also show what leaving dropout on would do.
        memory_limit: bytes within which a scene of your own is read.
        device: auto, cpu, cuda or cuda:N in the place of the one that the run was made with.
        verbose: 0 reports no progress.

    Raises:
        RunError: the run is unfinished or damaged.
        ChecksumError: the data are not those of the run.
    """
    return evaluation_of(
        evaluate_run(
            folder_of(run),
            dropout_at_test=dropout_at_test,
            memory_limit=memory_limit,
            device=device,
            observer=progress(verbose),
        )
    )


@checked
def evaluate_together(
    runs: Sequence[RunLike],
    *,
    memory_limit: float | None = None,
    device: str | None = None,
    verbose: bool | int = 1,
) -> JointEvaluation:
    """The test figures of several runs that answer together, by the mean of their probabilities.

    What counts is what all of them tested: none of the runs has learnt from it.

    Args:
        runs: finished runs of classifiers, or their folders: of one scene, or of the same images.
        memory_limit: bytes within which a scene of your own is read.
        device: auto, cpu, cuda or cuda:N in the place of those that the runs were made with.
        verbose: 0 reports no progress.

    Raises:
        RunError: a run is unfinished, damaged or given twice, its data have changed, or the runs
            do not have the same scene or images, labels and classes, or nothing in common that
            all of them tested.
    """
    return joint_evaluation_of(
        evaluate_runs_together(
            [folder_of(run) for run in runs],
            memory_limit=memory_limit,
            device=device,
            observer=progress(verbose),
        )
    )


@checked
def predict(
    runs: RunLike | Sequence[RunLike],
    scene: SceneLike,
    output: Place | None = None,
    *,
    overwrite: bool = False,
    scene_variable: str | None = None,
    axes: str | None = None,
    shape: Sequence[int] | None = None,
    nodata: float | None = None,
    resample: bool = False,
    probabilities: bool = False,
    uncertainty: bool = False,
    cog: bool = False,
    vector: Place | None = None,
    majority: int | None = None,
    min_area: str | float | None = None,
    areas: bool = False,
    test_time_averaging: bool = False,
    memory_limit: float = DEFAULT_MEMORY_LIMIT,
    device: str = "auto",
    threads: int | None = None,
    verbose: bool | int = 1,
) -> Prediction:
    """Classify a scene with one run, or with several that average their probabilities.

    A scene in a file is read, classified and written strip by strip, so it need not fit into
    memory; a call that was cut off goes on from `<output>.partial`.

    Args:
        runs: a finished run of a classification or its folder, or several with the same classes.
        scene: a file, a `Scene`, or an array of lines × samples × bands.
        output: the map to write: .tif, .hdr (ENVI), .npy or .png; None keeps it in memory.
            Several runs also write `<name>_disagreement` beside it.
        overwrite: whether the map may take the place of a finished file.
        scene_variable: the cube's variable, where the file holds several arrays.
        axes: order of its axes where the file does not tell, such as "band,y,x".
        shape: lines and samples of a matrix of spectra.
        nodata: the value that marks missing data.
        resample: make the bands that the runs learnt of those of another sensor.
        probabilities: also `<name>_probabilities`, lines × samples × classes.
        uncertainty: also `<name>_uncertainty`, lines × samples × 3: the largest probability, its
            margin over the second largest, and the entropy divided by ln(classes).
        cog: write map and layers as Cloud-Optimised GeoTIFF (.tif; extra `geo`).
        vector: the GeoPackage to write the map's regions to, as polygons (.gpkg; extra `geo`).
        majority: side of the window whose most frequent class each pixel of the map takes.
        min_area: the smallest region that stays in the map: pixels, or "3600m2", "2ha". Layers
            are never filtered.
        areas: also the area of each class, corrected by the run's test (`hsi.metrics.areas`).
        test_time_averaging: average over all ways to turn and mirror a window.
        memory_limit: bytes for the whole process.
        device: auto, cpu, cuda or cuda:N.
        threads: CPU threads; None takes the processors this process may use.
        verbose: 0 reports no progress.

    Returns:
        `labels` (lines × samples, 0 where there is no data), `probabilities`, `uncertainty`,
        `disagreement`, `class_names`, `areas`, `changed` (pixels that a filter changed), and
        `written`, the files.

    Raises:
        RunError: a run is unfinished or given twice, or the runs do not have the same classes.
        ShapeError, InputFileError: the scene has other bands, or measures nothing at some of them.
        OutputError: the output exists or cannot be written.
    """
    chosen = [runs] if isinstance(runs, Run | str | os.PathLike) else list(runs)
    options: dict[str, Any] = {
        "overwrite": overwrite, "scene_variable": scene_variable, "axes": axes,
        "shape": _list(shape), "nodata": nodata, "resample": resample,
        "probabilities": probabilities, "uncertainty": uncertainty, "cog": cog,
        "vector": _text(vector), "majority": majority, "min_area": min_area, "areas": areas,
        "test_time_averaging": test_time_averaging, "memory_limit": memory_limit,
        "device": device, "threads": threads, "observer": progress(verbose),
    }  # fmt: skip
    if not chosen:
        raise ConfigError("runs", "none", "one run, or several of the same classes")
    if cog and output is None:
        raise ConfigError("cog", "no output", "the file to write", "give output='map.tif'")
    folders = [folder_of(run) for run in chosen]
    with temporary_folder("hsi-predict-") as temporary:
        arrays = None if isinstance(scene, str | os.PathLike) else scene_arrays(scene)
        file = os.fspath(scene) if isinstance(scene, str | os.PathLike) else ""
        if arrays is not None:
            files = scene_files(replace(arrays, labels=None), temporary)
            file, options["axes"] = files["scene"], files.get("axes")
        target = temporary / "map.npy" if output is None else Path(output)
        found = predict_scene(folders, target, scene=file, **options)
        if output is not None:
            return found
        layers = {
            "labels": found.labels,
            "probabilities": found.probabilities,
            "uncertainty": found.uncertainty,
            "disagreement": found.disagreement,
        }
        held = {name: layer for name, layer in layers.items() if layer is not None}
        vectors = () if vector is None else (Path(vector),)
        if arrays is not None:
            held["labels"] = arrays.cube.like(held["labels"])
        return replace(found, written=vectors, held=held)


@checked
def batch(
    config: Place | Mapping[str, Any],
    *,
    runs: int | None = None,
    jobs: int | Literal["auto"] | None = None,
    together: int | None = None,
    scheduler: str | None = None,
    tls_ca_file: str | None = None,
    tls_cert: str | None = None,
    tls_key: str | None = None,
    output: Place = "runs",
    verbose: bool | int = 1,
) -> Batch:
    """Carry out many runs and sum them up: how much they vary, why, and which model is better.

    Each run has a process of its own. Finished runs are never redone: the same call goes on.

    Args:
        config: a shipped batch ("batch/smoke"), a file, or its keys:
            {"datasets": ["synthetic"], "models": ["svm", "hybridsn"], "runs": 5}.
        runs: the seeds 0 … runs − 1 instead of those of the configuration.
        jobs: runs at a time on this machine; auto: processors divided by threads.
        together: seeds of one configuration that are trained at once; None as `config` says.
        scheduler: address of a dask scheduler that shares out the runs, or local.
        tls_ca_file: authority of a scheduler tls://HOST:PORT.
        tls_cert: your certificate for it.
        tls_key: the key of your certificate.
        output: where the batch's folder is made.
        verbose: 0 reports no progress.

    Returns:
        `runs` (those that finished), `failures`, `summary`, `path`.

    Raises:
        ConfigError: the batch or one of its runs is not configured right; nothing is begun.
        RunError: not a single run finished, or another process carries the batch out.
        Stopped: Ctrl-C; the same call goes on.
    """
    options: dict[str, Any] = {
        "runs": runs, "jobs": jobs, "together": together, "scheduler": scheduler,
        "tls": tls_files(tls_ca_file, tls_cert, tls_key),
    }  # fmt: skip
    observer = job_progress(verbose)
    if not isinstance(config, Mapping):
        return run_batch(os.fspath(config), Path(output), observer, **options)
    # Files that its keys name are looked for from the folder of the program, as with a file there.
    with temporary_folder("hsi-batch-") as folder:
        path = folder / "batch.yaml"
        path.write_text(as_json("config", {"name": "batch", **config}), "utf-8")
        try:
            return run_batch(str(path), Path(output), observer, **options)
        except ConfigError as error:
            subject = error.subject.replace(f"{path}: ", "").replace(str(path), "config")
            raise ConfigError(subject, error.found, error.expected, error.remedy) from None


@checked
def replay(
    run: RunLike | Batch,
    *,
    sample: int | None = None,
    memory_limit: float | None = None,
    device: str | None = None,
    verbose: bool | int = 1,
) -> Replay:
    """Carry out finished runs once more and compare weights, predictions and figures bit by bit.

    The runs' own folders are only read.

    Args:
        run: a run or its folder, or a batch or its folder.
        sample: how many runs of a batch to replay, chosen by a fixed seed; None for all.
        memory_limit: bytes for classifications of scenes; None takes 2e9.
        device: in the place of the runs' own; bits then differ where the kind of device does.
        verbose: 0 reports no progress.

    Raises:
        RunError: there is no finished run.
        ConfigError: fewer than one run is to be sampled.
        Stopped: Ctrl-C; nothing is left of the replay.
    """
    return replay_runs(
        run.path if isinstance(run, Batch) else folder_of(run),
        sample=sample,
        memory_limit=memory_limit,
        device=device,
        observer=progress(verbose),
    )


def _data(scene: Any, labels: Any, class_names: Any, split: Any, output: Path) -> dict[str, Any]:
    """The options that say where the data are; arrays become files."""
    names = () if class_names is None or isinstance(class_names, str | os.PathLike) else class_names
    if are_several(scene):
        for each in scene:
            _refuse_polygons(each, split)
        return several_scenes(scene, labels, names, output)
    if scene is None or isinstance(scene, str | os.PathLike):
        if names:
            raise ConfigError(
                "names of classes", "a sequence beside a file", "a text file, one name per line"
            )
        if labels is not None and not isinstance(labels, str | os.PathLike):
            raise ConfigError(
                "labels",
                "an array beside a scene in a file",
                "both in files, or both as arrays",
                "read the scene with hsi_suite.read_scene",
            )
        return {"scene": _text(scene), "labels": _text(labels)}
    if isinstance(labels, str | os.PathLike):
        raise ConfigError(
            "labels", "a file beside a scene in memory", "an array", "give both alike"
        )
    _refuse_polygons(scene, split)
    arrays = scene_arrays(scene, labels, names)
    if arrays.labels is None:
        raise ConfigError("labels", "none", "lines × samples, 0 = unlabelled, beside the cube")
    return scene_files(arrays, output)


def _refuse_polygons(scene: Any, split: Any) -> None:
    # A label map in a file knows no polygons.
    if not isinstance(scene, Scene) or scene.label_features is None:
        return
    if split == "polygons":
        remedy = "hsi_suite.splits.polygons(scene.labels, scene.label_features, guard=...)"
        raise ConfigError("split", "polygons, of a scene in memory", "a split made of them", remedy)
    if split == "spatial_folds":
        found = "spatial_folds of drawn labels, of a scene in memory"
        raise ConfigError("split", found, "the files", "give scene and labels as files")


def _split_file(split: Split, output: Place, beside: Place | None) -> str:
    if beside is not None:
        raise ConfigError("split_file", "given beside a split", "one of the two")
    return kept_split(split, Path(output))


def _text(place: Any) -> Any:
    return None if place is None else os.fspath(place)


def _list(values: Sequence[Any] | None) -> list[Any] | None:
    return None if values is None else [_plain(value) for value in values]


def _plain(value: Any) -> Any:
    """NumPy's scalars and paths as configurations have them."""
    if hasattr(value, "item") and not hasattr(value, "__len__"):
        return value.item()
    return os.fspath(value) if isinstance(value, os.PathLike) else value
