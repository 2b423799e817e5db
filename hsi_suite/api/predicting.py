"""Maps of scenes from Python: what `hsi predict` does."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..arguments import checked
from ..atomic import temporary_folder
from ..errors import ConfigError
from ..memory import DEFAULT_MEMORY_LIMIT
from ..runs.folder import Run
from ..tasks.scenes.prediction import Prediction
from ..tasks.scenes.prediction import predict as predict_scene
from .arguments import Place, RunLike, SceneLike, as_list, as_text, folder_of
from .array_files import scene_arrays, scene_files
from .progress import progress


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
        "shape": as_list(shape), "nodata": nodata, "resample": resample,
        "probabilities": probabilities, "uncertainty": uncertainty, "cog": cog,
        "vector": as_text(vector), "majority": majority, "min_area": min_area, "areas": areas,
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
