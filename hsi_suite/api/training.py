"""Trainings from Python: what `hsi train` does."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from numpy.typing import ArrayLike
from torch import nn

from ..arguments import checked
from ..data.scene import Scene
from ..data.splits import Split
from ..errors import ConfigError
from ..models.registry import entered
from ..runs import launch
from ..runs.folder import Run
from .arguments import (
    Place,
    RunLike,
    SceneLike,
    Settings,
    as_list,
    as_plain,
    as_text,
    folder_of,
    settings_texts,
)
from .array_files import kept_split, scene_arrays, scene_files
from .progress import progress
from .several_scenes import are_several, several_scenes

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
        "dataset": dataset, "split_file": as_text(split_file), "epochs": epochs,
        "baselines": as_list(baselines), "class_names": class_names, "seed": seed,
        "labels_variable": labels_variable, "scene_variable": scene_variable, "axes": axes,
        "shape": as_list(shape), "threads": threads,
        "unlabelled": unlabelled, "warp_labels": warp_labels, "nodata": nodata, "device": device,
        "allow_unverified": allow_unverified, "bands": bands, "drop_water": drop_water,
        "labels_field": labels_field, "labels_layer": labels_layer, "labels_crs": labels_crs,
        "labels_buffer": labels_buffer, "all_touched": all_touched, "resample": resample,
        "test_scenes": as_list(test_scenes), "validation_scenes": as_list(validation_scenes),
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
        config=as_text(config),
        model=entered(model) if isinstance(model, type) else model,
        settings=settings_texts(settings),
        **{name: as_plain(value) for name, value in given.items()},
    )
    return launch.start(configuration, Path(output), observer, memory_limit)


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
        return {"scene": as_text(scene), "labels": as_text(labels)}
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
