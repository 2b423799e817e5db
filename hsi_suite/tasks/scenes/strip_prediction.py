"""One scene classified strip by strip into files that grow as it goes."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...data.formats.cog_writer import make_cog
from ...data.missing_data import MissingSurvey, filled
from ...data.readers import CubeFile
from ...data.scene import Scene, nearest_bands
from ...data.strip_files import StripFile, start_layers, start_map
from ...engine.allocation import release_free_blocks
from ...engine.finite import NotFiniteError
from ...engine.observer import Observer
from ...errors import FormatLimitError, InputFileError, Stopped
from ...palette import class_colours
from ...reports.content import unverified_mark, unverified_text
from ...reports.drawing import save_png
from ...reports.maps import false_colour, map_figure
from ..shared.unfinished_output import UnfinishedOutput
from .ensemble import Classified, Ensemble
from .map_finishing import MapFinishing, MapProducts
from .prediction_places import layer_path, stored_map
from .scene_checks import check_values
from .uncertainty import UNCERTAINTY_BANDS, uncertainty_layers


@dataclass(frozen=True)
class StripPrediction:
    """A scene to be classified into files.

    Attributes:
        file: the scene.
        ensemble: what classifies it.
        target: where the map goes; the other files get their places beside it.
        layers: of "probabilities", "uncertainty" and "disagreement", what is written beside the
            map.
        height: lines in a strip.
        observer: counts each pixel once for each classifier.
        unverified: files that the classifiers learnt from and nobody vouches for; what is written
            says so.
        cog: whether the files become Cloud-Optimised GeoTIFFs in the end.
        products: what is made of the map beside it.
    """

    file: CubeFile
    ensemble: Ensemble
    target: Path
    layers: list[str]
    height: int
    observer: Observer
    unverified: tuple[str, ...] = ()
    cog: bool = False
    products: MapProducts = field(default_factory=MapProducts)

    def carry_out(self, unfinished: UnfinishedOutput) -> tuple[int, int]:
        """Classify what is not done yet and give the files their places.

        Args:
            unfinished: the target's folder; it is removed at the end.

        Returns:
            The number of pixels without data, and of those that a filter changed.

        Raises:
            HsiSuiteError: the scene cannot be classified, or a file not be written.
            Stopped: Ctrl-C; what is done is kept.
        """
        saved = unfinished.progress(self.observer)
        try:
            progress = self._start(unfinished) if saved is None else _Progress.from_json(saved)
            self._classify(unfinished, progress)
            file = self.file
            file.require_data(progress.survey)
            self._finish(unfinished, progress)
        except KeyboardInterrupt:
            raise Stopped(
                f"what is done is kept in {unfinished.folder}, and the same command goes on"
            ) from None
        except (InputFileError, FormatLimitError, NotFiniteError):
            unfinished.remove()
            raise
        unfinished.remove()
        name = self.file.path.stem
        if summary := progress.survey.summary():
            self.observer.message(f"{name}: {summary}")
        if progress.missing:
            self.observer.message(
                f"{name}: {progress.missing:,} pixels hold no data and are left out"
            )
        return progress.missing, progress.changed

    def _strips(self) -> list[tuple[int, int]]:
        lines = self.file.shape[0]
        return [(line, min(line + self.height, lines)) for line in range(0, lines, self.height)]

    def _start(self, unfinished: UnfinishedOutput) -> _Progress:
        """Make the files, without values yet."""
        folder, (lines, samples, _) = unfinished.folder, self.file.shape
        names, place, remark = self.ensemble.class_names, self.file.georeference, self._remark
        # A map that is filtered in the end is made of this one, which is kept until then.
        target = stored_map(self.target)
        if self.products.map_filter:
            target = target.with_name(f"{target.stem}_unfiltered.npy")
        colours = class_colours(len(names))
        files = {"map": start_map(folder, target, (lines, samples), names, colours, place, remark)}
        for what in self.layers:
            bands = {
                "probabilities": [names[label - 1] for label in self.ensemble.labels],
                "uncertainty": UNCERTAINTY_BANDS,
            }.get(what, [what])
            size = (lines, samples, len(bands))
            target = layer_path(self.target, what)
            files[what] = start_layers(folder, target, size, bands, place, remark)
        return _Progress(files)

    @property
    def _remark(self) -> str | None:
        return unverified_text(self.unverified) if self.unverified else None

    def _classify(self, unfinished: UnfinishedOutput, progress: _Progress) -> None:
        lines, samples, _ = self.file.shape
        passes = len(self.ensemble.classifiers)
        strips = self._strips()
        done = sum(last - first for first, last in strips[: progress.strips])
        if done:
            self.observer.message(f"going on after {done:,} of {lines:,} lines")
        self.observer.begin("classifying", lines * samples * passes, done * samples * passes)
        for first, last in strips[progress.strips :]:
            got = self._classify_strip(first, last, progress.survey)
            for what, file in progress.files.items():
                file.write(unfinished.folder, first, _layer(got, what))
            missing = int((got.labels == 0).sum())
            progress.missing += missing
            progress.strips += 1
            unfinished.save(progress.to_json())
            self.observer.advance(missing * passes)
            release_free_blocks()
        self.observer.end()

    def _classify_strip(self, first: int, last: int, survey: MissingSurvey) -> Classified:
        above = max(0, first - self.ensemble.radius)
        below = min(last + self.ensemble.radius, self.file.shape[0])
        cube = self.file.read(above, below)
        valid = self.file.valid(cube, above)
        inner = slice(first - above, last - above)
        survey.add(cube[inner], self.file.nodata, None if valid is None else valid[inner])
        cube = filled(cube, self.file.nodata, self.file.wavelengths)
        check_values(Scene(self.file.path.stem, cube, valid=valid), self.file.path)
        return self.ensemble.classify(cube, valid, inner, self.observer)

    def _finish(self, unfinished: UnfinishedOutput, progress: _Progress) -> None:
        """Give the files their places, what the user named last."""
        finishing = MapFinishing(
            self.products,
            unfinished.folder,
            self.target,
            self.ensemble.class_names,
            self.file.georeference,
            self._remark,
            self.observer,
        )
        if not progress.finished:
            progress.files["map"], progress.changed = finishing.carry_out(progress.files["map"])
            progress.finished = True
            unfinished.save(progress.to_json())
        if self.target.suffix.lower() == ".png":
            labels = np.load(unfinished.folder / stored_map(self.target).name, allow_pickle=False)
            self._draw(labels, progress.changed)
            progress.files.pop("map")
        if self.cog:
            self._optimise(unfinished, progress)
        names = [name for file in reversed(progress.files.values()) for name in file.names[::-1]]
        names = [*finishing.give_places(), *names]
        unfinished.move(sorted(names, key=lambda name: name == self.target.name))

    def _optimise(self, unfinished: UnfinishedOutput, progress: _Progress) -> None:
        """Make the files cloud-optimised that a call before did not, nor gave their places."""
        for what, file in progress.files.items():
            path = unfinished.folder / file.names[-1]
            if path.exists():
                self.observer.message(f"{path.name}: making tiles and overviews")
                make_cog(path, self.target.with_name(path.name), classes=what == "map")

    def _draw(self, labels: NDArray[np.integer], changed: int) -> None:
        shown = self.file.default_bands or nearest_bands(self.file.wavelengths, self.file.shape[2])
        blocks = [self.file.read(*strip)[..., list(shown)] for strip in self._strips()]
        valid = labels > 0
        marks = unverified_mark({"unverified": self.unverified})
        if self.products.map_filter:
            marks += f" (filtered, {changed:,} pixels changed)"
        figure = map_figure(
            labels,
            None,
            false_colour(np.concatenate(blocks), (0, 1, 2), valid),
            self.ensemble.class_names,
            title=self.file.path.stem + marks,
            synthetic=False,
            valid=valid,
        )
        save_png(figure, self.target)


@dataclass
class _Progress:
    """How far the files are.

    Attributes:
        files: by what they hold.
        strips: how many are classified.
        missing: number of pixels without data.
        finished: whether the map is filtered and everything is made of it.
        changed: number of pixels that the filter changed.
        survey: of missing data.
    """

    files: dict[str, StripFile]
    strips: int = 0
    missing: int = 0
    finished: bool = False
    changed: int = 0
    survey: MissingSurvey = field(default_factory=MissingSurvey)

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"survey": self.survey.to_json()}

    @classmethod
    def from_json(cls, saved: dict[str, Any]) -> _Progress:
        files = {what: StripFile(**file) for what, file in saved["files"].items()}
        survey = MissingSurvey.from_json(saved["survey"])
        return cls(**saved | {"files": files, "survey": survey})


def _layer(got: Classified, what: str) -> NDArray[Any]:
    """One of the files' lines × samples × bands."""
    if what == "probabilities":
        return got.probabilities
    if what == "uncertainty":
        return uncertainty_layers(got.probabilities)
    return (got.labels if what == "map" else got.disagreement)[..., None]
