"""Maps of scenes by finished runs; the scenes need not fit into memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ...atomic import keeping, refuse_existing
from ...data.formats.cog_writer import cog_bytes, require_cog
from ...data.formats.geopackage_writer import require_geopackage
from ...data.map_filters import map_filter
from ...data.readers import CubeFile, open_cube, read_labels, scene_remarks
from ...engine.devices import computing, resolve_device
from ...engine.observer import Observer
from ...errors import RunError
from ...memory import DEFAULT_MEMORY_LIMIT, PROGRAM_BYTES, check_limit
from ...runs.finished_runs import report_unverified
from ...runs.folder import MODEL_ENDING, fold_files, open_run
from ...runs.machine import available_threads
from ...shown import Rows, Shown
from ...user_files import read_json, refuse_repeated, resolved
from ..shared.unfinished_output import goes_on, unfinished_folder, unfinished_output
from .denoising import denoise_file
from .ensemble import Ensemble, load_ensemble
from .map_finishing import MapProducts
from .prediction_places import (
    area_paths,
    asked_layers,
    check_files,
    check_names,
    layer_path,
    written_files,
)
from .scene_domain import in_learnt_bands, in_learnt_scale, warn_if_unlike
from .strip_memory import check_picture, models_bytes, strip_lines
from .strip_prediction import StripPrediction
from .tested_areas import test_sample


@dataclass(frozen=True, repr=False)
class Prediction(Shown):
    """A scene classified by one or several runs; what was written is read when it is asked for.

    Attributes:
        written: the map, then the probabilities, the uncertainty and the disagreement where there
            are any (of an ENVI pair the header), the polygons, and the areas as CSV and JSON.
        class_names: label k has name k − 1.
        probability_labels: label value of each layer of the probabilities.
        missing: number of pixels without data.
        held: the layers in memory by name ("labels", "probabilities", "uncertainty",
            "disagreement"), of a prediction that was written nowhere.
        changed: number of pixels that a filter changed.
        areas: areas of the classes as `<name>_areas.json` holds them; None where they were not
            asked for.
    """

    written: tuple[Path, ...]
    class_names: tuple[str, ...]
    probability_labels: tuple[int, ...]
    missing: int
    held: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    changed: int = 0
    areas: Mapping[str, Any] | None = None

    def shown(self) -> tuple[str, Rows]:
        """Where it lies, and how many pixels each class has."""
        rows = [("written", str(path)) for path in self.written]
        if not self.written:
            found = np.bincount(np.asarray(self.labels).reshape(-1), minlength=1)
            rows += [
                (self.class_names[label - 1], f"{found[label]:,} pixels")
                for label in self.probability_labels
                if label < len(found)
            ]
        rows += [("without data", f"{self.missing:,} pixels")] if self.missing else []
        rows += [("filtered", f"{self.changed:,} pixels changed")] if self.changed else []
        return f"Prediction of {len(self.probability_labels)} classes", rows

    @property
    def labels(self) -> NDArray[np.integer]:
        """The map, lines × samples, 0 where there is no data.

        Raises:
            InputFileError: it was written as a picture.
        """
        if self.held:
            return self.held["labels"]
        return read_labels(self.written[0]).labels

    @property
    def probabilities(self) -> NDArray[np.float32] | None:
        """Mean over the runs, lines × samples × classes; None where they were not asked for."""
        return self._layers("probabilities")

    @property
    def uncertainty(self) -> NDArray[np.float32] | None:
        """Lines × samples × 3; None where it was not asked for.

        The largest probability, its margin over the second largest, and the normalised entropy.
        """
        return self._layers("uncertainty")

    @property
    def disagreement(self) -> NDArray[np.float32] | None:
        """Share of the runs that give another label, lines × samples; None for one run."""
        if self.held:
            return self.held.get("disagreement")
        layers = self._layers("disagreement")
        return None if layers is None else layers[..., 0]

    def _layers(self, what: str) -> NDArray[np.float32] | None:
        if self.held:
            return self.held.get(what)
        for path in self.written[1:]:
            if path.stem.endswith(f"_{what}"):
                with open_cube(path) as file:
                    return file.read()
        return None


def predict(
    runs: Sequence[str | Path],
    output: str | Path,
    *,
    scene: str,
    overwrite: bool = False,
    scene_variable: str | None = None,
    axes: str | None = None,
    shape: Sequence[int] | None = None,
    nodata: float | None = None,
    resample: bool = False,
    probabilities: bool = False,
    uncertainty: bool = False,
    cog: bool = False,
    vector: str | Path | None = None,
    majority: int | None = None,
    min_area: str | float | None = None,
    areas: bool = False,
    test_time_averaging: bool = False,
    memory_limit: float = DEFAULT_MEMORY_LIMIT,
    device: str = "auto",
    threads: int | None = None,
    observer: Observer | None = None,
) -> Prediction:
    """Classify a scene with one run, or with several that average their probabilities.

    The scene is read, classified and written strip by strip, so it need not fit into memory. A
    call that was cut off leaves `<output>.partial`; the same call goes on from there, and the
    result is that of an unbroken one. A scene for runs that learnt from a denoised one
    (`preprocess.denoise`) is denoised in the same way first.

    Args:
        runs: folders of finished runs with the same classes.
        output: map to write: .tif, .hdr (ENVI), .npy, or .png (a picture with a legend, for scenes
            whose map fits into memory). Several runs also write `<name>_disagreement` beside it.
        scene: file of the cube.
        overwrite: whether the map may take the place of a finished file.
        scene_variable: the cube's variable, where the file holds several arrays.
        axes: order of its axes where the file does not say, see `data.readers.open_cube`.
        shape: lines and samples of a matrix of spectra.
        nodata: the value that marks missing data.
        resample: make the bands that the runs learnt of those of another sensor.
        probabilities: also write `<name>_probabilities`.
        uncertainty: also write `<name>_uncertainty`: the largest probability, its margin over the
            second largest, and the normalised entropy (`uncertainty.uncertainty_layers`).
        cog: write map and layers as Cloud-Optimised GeoTIFF, with overviews.
        vector: GeoPackage of the map's regions as polygons (.gpkg), see `data.map_polygons`.
        majority: side of the window whose most frequent class each pixel of the map takes.
        min_area: the smallest region that stays in the map: pixels (12, "12px"), or on the ground
            "3600m2" or "2ha"; see `data.map_filters`. Layers are never filtered.
        areas: also write `<name>_areas.csv` and `.json`: the area of each class, and for one run as
            its test pixels correct it (`metrics.areas`).
        test_time_averaging: average over all ways to turn and mirror a window, also with runs that
            were not evaluated so (`evaluation.orientations`).
        memory_limit: bytes for the whole process; on CUDA without what the driver takes.
        device: auto, cpu, cuda or cuda:N.
        threads: CPU threads; None takes the processors this process may use.
        observer: reports progress.

    Raises:
        RunError: a run is unfinished or given twice, or the runs do not have the same classes.
        ShapeError: the scene has other bands, or they do not cover those learnt.
        ConfigError: the memory limit is too low, no run has windows to turn, or a run gives no
            probabilities.
        OutputError: the output exists or cannot be written, or another process is writing it.
        Stopped: Ctrl-C; the same call goes on.
    """
    refuse_repeated(runs, "different runs, as each counts in the mean", kind=RunError)
    if cog:
        require_cog(Path(output))
    if vector is not None:
        require_geopackage(Path(vector))
    observer = observer or Observer()
    threads = threads or available_threads()
    where = resolve_device(device)
    with (
        open_cube(scene, variable=scene_variable, axes=axes, shape=shape, nodata=nodata) as file,
        computing(where, threads, deterministic=True),
    ):
        target = Path(output)
        filtering = map_filter(majority, min_area, file.georeference, file.shape[0])
        products = MapProducts(filtering, None if vector is None else Path(vector), areas)
        layers = asked_layers(runs, probabilities=probabilities, uncertainty=uncertainty)
        check_names(target, layers, products.files(target), Path(scene), runs)
        check_files(target, layers, products.files(target), file)
        results = written_files(target, layers, products.files(target))
        if not unfinished_folder(target).exists():
            refuse_existing(results, overwrite=overwrite)
        ensemble = load_ensemble(runs, where, threads)
        for run in map(open_run, runs):
            if number := len(fold_files(run, MODEL_ENDING)):
                observer.message(f"{run.path.name}: the mean of the models of its {number} folds")
        unverified = report_unverified(runs, observer)
        tested = ensemble.orientations
        if test_time_averaging:
            ensemble = ensemble.of_all_orientations()
        if probabilities or uncertainty:
            option = "--probabilities" if probabilities else "--uncertainty"
            ensemble.check_probabilities(observer, option)
        file = in_learnt_bands(file, ensemble, observer, resample=resample)
        for remark in scene_remarks(file):
            observer.message(f"{file.path.name}: {remark}")
        ensemble.check_scene(file)
        file = in_learnt_scale(file, ensemble, observer)
        left = memory_limit
        # Before the work of denoising: what does not fit without eigen-images never will.
        height = strip_lines(file, ensemble, left)
        if ensemble.denoised:
            file, denoised = denoise_file(file, where, memory_limit, observer)
            left -= denoised.plane_bytes
            height = strip_lines(file, ensemble, left)
        if target.suffix.lower() == ".png":
            check_picture(file, left)
        _check_finishing(products, file, ensemble, left, len(ensemble.labels) if cog else 0)
        if areas:
            as_tested = ensemble.orientations == tested
            sample, remarks = test_sample(runs, file, observer, as_tested=as_tested)
            products = replace(products, sample=sample, area_remarks=remarks)
        warn_if_unlike(file, ensemble, observer)
        identity = {
            "models": list(ensemble.checksums),
            "orientations": list(ensemble.orientations),
            "denoised": ensemble.denoised,
            "scene": [_state_of(path) for path in file.files],
            "variable": scene_variable,
            "axes": None if file.axes is None else [*file.axes.names, *file.axes.sizes],
            "nodata": str(nodata),
            "layers": layers,
            **({"resample": True} if resample else {}),
            **({"cog": True} if cog else {}),
            **products.identity(target),
            "lines in a strip": height,
            "device": str(where),
            "threads": threads,
            "versions": [version("hsi-suite"), torch.__version__],
        }
        job = StripPrediction(
            file, ensemble, target, layers, height, observer, unverified, cog, products
        )
        with unfinished_output(target, identity) as unfinished:
            # What an earlier call has written of the same is its own.
            own = goes_on(target, identity)
            with keeping(results, overwrite=overwrite or own):
                missing, changed = job.carry_out(unfinished)
    written = (target, *(layer_path(target, what) for what in layers), *products.files(target))
    found = read_json(area_paths(target)[1], "areas") if areas else None
    return Prediction(
        written, ensemble.class_names, ensemble.labels, missing, changed=changed, areas=found
    )


def _check_finishing(
    products: MapProducts, file: CubeFile, ensemble: Ensemble, limit: float, layers: int
) -> None:
    """Refuse what would not fit once everything is classified.

    Args:
        products: what is made of the map.
        file: the scene.
        ensemble: what classifies it.
        limit: bytes for the whole process.
        layers: of the file with the most of those that become cloud-optimised; 0: none does.

    Raises:
        ConfigError: it does not fit.
    """
    kept = models_bytes(ensemble)
    products.check_memory(limit, kept, file.shape[:2], len(ensemble.class_names))
    if layers:
        needed = PROGRAM_BYTES + kept + cog_bytes(layers)
        check_limit(limit, needed, "cloud-optimised files", "raise it, or leave --cog out")


def _state_of(path: Path) -> list[str | int]:
    state = path.stat()
    return [str(resolved(path)), state.st_size, state.st_mtime_ns]
