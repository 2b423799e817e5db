"""Maps of scenes by finished runs; the scenes need not fit into memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ...atomic import keeping, refuse_existing
from ...data.formats.cog_writer import require_cog
from ...data.formats.map_styles import side_names
from ...data.readers import CubeFile, open_cube, read_labels, scene_remarks
from ...engine.devices import computing, resolve_device
from ...engine.observer import Observer
from ...errors import OutputError, RunError
from ...map_endings import check_map_ending
from ...memory import DEFAULT_MEMORY_LIMIT
from ...runs.finished_runs import report_unverified
from ...runs.machine import available_threads
from ...shown import Rows, Shown
from ...user_files import refuse_repeated, resolved
from ..shared.unfinished_output import goes_on, unfinished_folder, unfinished_output
from .denoising import denoise_file
from .ensemble import load_ensemble
from .scene_domain import in_learnt_bands, in_learnt_scale, warn_if_unlike
from .strip_memory import check_picture, strip_lines
from .strip_prediction import StripPrediction, layer_path

_LAYERS = ("probabilities", "uncertainty", "disagreement")


@dataclass(frozen=True, repr=False)
class Prediction(Shown):
    """A scene classified by one or several runs; what was written is read when it is asked for.

    Attributes:
        written: the map, then the probabilities, the uncertainty and the disagreement where there
            are any; of an ENVI pair the header.
        class_names: label k has name k − 1.
        probability_labels: label value of each layer of the probabilities.
        missing: number of pixels without data.
        held: the layers in memory by name ("labels", "probabilities", "uncertainty",
            "disagreement"), of a prediction that was written nowhere.
    """

    written: tuple[Path, ...]
    class_names: tuple[str, ...]
    probability_labels: tuple[int, ...]
    missing: int
    held: Mapping[str, NDArray[Any]] = field(default_factory=dict)

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
    observer = observer or Observer()
    threads = threads or available_threads()
    where = resolve_device(device)
    with (
        open_cube(scene, variable=scene_variable, axes=axes, shape=shape, nodata=nodata) as file,
        computing(where, threads, deterministic=True),
    ):
        target = _checked_target(Path(output), file, runs)
        asked = {
            "probabilities": probabilities,
            "uncertainty": uncertainty,
            "disagreement": len(runs) > 1,
        }
        layers = [what for what in _LAYERS if asked[what]]
        results = _results(target, layers)
        if not unfinished_folder(target).exists():
            refuse_existing(results, overwrite=overwrite)
        ensemble = load_ensemble(runs, where, threads)
        unverified = report_unverified(runs, observer)
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
        warn_if_unlike(file, ensemble, observer)
        identity = {
            "models": list(ensemble.checksums),
            "orientations": [each.header.orientations for each in ensemble.classifiers],
            "denoised": ensemble.denoised,
            "scene": [_state_of(path) for path in file.files],
            "variable": scene_variable,
            "axes": None if file.axes is None else [*file.axes.names, *file.axes.sizes],
            "nodata": str(nodata),
            "layers": layers,
            **({"resample": True} if resample else {}),
            **({"cog": True} if cog else {}),
            "lines in a strip": height,
            "device": str(where),
            "threads": threads,
            "versions": [version("hsi-suite"), torch.__version__],
        }
        job = StripPrediction(file, ensemble, target, layers, height, observer, unverified, cog)
        with unfinished_output(target, identity) as unfinished:
            # What an earlier call has written of the same is its own.
            own = goes_on(target, identity)
            with keeping(results, overwrite=overwrite or own):
                missing = job.carry_out(unfinished)
    written = (target, *(layer_path(target, what) for what in layers))
    return Prediction(written, ensemble.class_names, ensemble.labels, missing)


def _results(target: Path, layers: Sequence[str]) -> list[Path]:
    """All files that are written; an ENVI map is a pair, a TIFF one has names and style beside."""
    places = [target, *(layer_path(target, what) for what in layers)]
    data = [place.with_suffix(".img") for place in places if place.suffix.lower() == ".hdr"]
    beside = side_names(target.name) if target.suffix.lower() in (".tif", ".tiff") else ()
    return [*places, *data, *(target.with_name(name) for name in beside)]


def _state_of(path: Path) -> list[str | int]:
    state = path.stat()
    return [str(resolved(path)), state.st_size, state.st_mtime_ns]


def _check_place(place: Path) -> None:
    """Refuse to replace what is no file of its own."""
    if place.is_symlink():
        raise OutputError(
            place, "this is a link", "a file name", f"name {resolved(place)} itself, or remove it"
        )
    if place.is_dir():
        raise OutputError(place, "this is a folder", "a file name", "end it in .tif")
    if place.exists() and not place.is_file():
        raise OutputError(place, "this is a pipe, a socket or a device", "a file name")


def _checked_target(path: Path, file: CubeFile, runs: Sequence[str | Path]) -> Path:
    """The map's place, once nothing is in the way that must be kept."""
    for place in (path, *(layer_path(path, what) for what in _LAYERS)):
        _check_place(place)
    check_map_ending(path)
    # An ENVI map is a pair of files, and so may be the scene.
    written = {
        resolved(output.with_suffix(ending))
        for output in (path, *(layer_path(path, what) for what in _LAYERS))
        for ending in (output.suffix, ".img")
    }
    if {resolved(Path(name)) for name in file.files} & written:
        raise OutputError(path, "would replace the scene", "another name: no input is overwritten")
    if any(resolved(path).parent == resolved(Path(run)) for run in runs):
        raise OutputError(
            path, "lies inside a run's folder", "another folder: runs are kept as they are"
        )
    return path
