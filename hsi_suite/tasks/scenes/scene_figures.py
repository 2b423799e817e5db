"""The pictures of a run's scene for a paper, from its map, its split and the scene read again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from ...data.ground_scale import GroundScale, ground_scale
from ...data.pixel_spectra import PixelSpectra
from ...data.readers import SceneFile
from ...data.scene import Georeference, Scene
from ...data.scene_list import file_name
from ...data.scene_stack import StackedScene
from ...data.splits import load_split
from ...engine.observer import Observer
from ...errors import RunError
from ...palette import RIGHT, UNLABELLED, WRONG
from ...reports.maps import Image, class_entries, coloured_labels, false_colour, split_picture
from ...reports.paper.figure import PaperFigure
from ...reports.paper.frame import MapFrame
from ...reports.paper.panels import Entry, Panel, legend_figure, scene_figure
from ...runs.folder import LABEL_MAP, Run
from ...runs.pages import PageFacts
from ...schemas.classification import ClassificationConfig
from .run_evaluation import check_data, split_files
from .scene_loading import close_scene, load_scene
from .scene_maps import split_layer

_ONE, _SEVERAL = 4.0, 9.6  # inches on a page: one column and two
_WHOLE = (slice(None), slice(None))
_COLOURS = ("red", "green", "blue")


def scene_figures(facts: PageFacts, observer: Observer) -> list[PaperFigure]:
    """False colour, truth, map, the map of test pixels, errors and split, legend, and all in one.

    Of several scenes those of each, its name before them. The false colour is that of the scene as
    it was recorded.

    Args:
        facts: of a finished run.
        observer: reports how the scene is read.

    Raises:
        HsiSuiteError: the scene cannot be read, or is not that of the run.
    """
    run, config = facts.run, cast(ClassificationConfig, facts.config)
    splits = [load_split(file) for file in split_files(run)]
    scene = load_scene(config, observer)
    try:
        check_data(run, scene)
        assert scene.labels is not None
        labels = _label_map(run, scene.labels.shape, len(scene.class_names))
        shown = PixelSpectra(scene.cube).layers(scene.false_colour)
    finally:
        close_scene(scene)
    parts = [split.test for split in splits]
    if len(splits) == 1:
        parts = [splits[0].train, splits[0].validation, splits[0].test]
    tested = np.zeros(labels.size, bool)
    tested[np.concatenate([split.test for split in splits])] = True
    layers = _Layers(
        scene, labels, shown, split_layer(scene.labels, parts), tested.reshape(labels.shape),
        len(splits) if len(splits) > 1 else 0,
    )  # fmt: skip
    if not isinstance(scene, StackedScene):
        return list(layers.figures(scene.name, "", _WHOLE, scene.georeference, scene.valid))
    return [
        figure
        for part in scene.parts
        for figure in layers.figures(
            part.name, f"{file_name(part.name)}_", part.place, part.georeference, part.valid
        )
    ]


def _label_map(run: Run, shape: tuple[int, ...], classes: int) -> NDArray[np.integer]:
    labels, path = run.label_map, run.path / LABEL_MAP
    fits = labels.shape == shape and labels.min() >= 0 and labels.max() <= classes
    if not fits:
        raise RunError(path, "is no map of this scene", "labels of its size", "train the run again")
    return labels


@dataclass(frozen=True, eq=False)
class _Layers:
    """What is drawn of a scene, or of several in one, lines × samples each.

    Attributes:
        scene: with labels.
        labels: the map.
        shown: three bands, lines × samples × 3.
        parts: of the split, or folds, see `reports.maps.map_figure`.
        tested: whether a pixel is one of the test.
        folds: of a cross-validation their number, else 0.
    """

    scene: Scene | SceneFile
    labels: NDArray[np.integer]
    shown: NDArray[np.generic]
    parts: NDArray[np.uint8]
    tested: NDArray[np.bool_]
    folds: int

    def figures(
        self,
        name: str,
        prefix: str,
        place: tuple[slice, slice],
        georeference: Georeference | None,
        valid: NDArray[np.bool_] | None,
    ) -> Iterator[PaperFigure]:
        """Those of a piece of the scene.

        Args:
            name: of the piece.
            prefix: of the names of its files.
            place: its lines and samples.
            georeference: of it.
            valid: of it, False where there is no data; None: everywhere some.
        """
        scene, labels, tested = self.scene, self.labels[place], self.tested[place]
        assert scene.labels is not None
        truth, names = scene.labels[place], scene.class_names
        ground = ground_scale(georeference, *labels.shape)
        frame = _frame(ground, *labels.shape)
        classes = class_entries(labels, truth, names, valid)
        split, parts = split_picture(self.parts[place], self.folds)
        answers = coloured_labels(np.where(tested, labels, 0), names, None)
        picture = false_colour(self.shown[place], (0, 1, 2), valid)
        marks: list[Entry] = [("right", RIGHT), ("wrong", WRONG), ("not tested", UNLABELLED)]
        panels = {
            "false_colour": (
                Panel("false colour", picture, _bands(scene)),
                [], "False colour, each band stretched from its 2 % to its 98 % quantile.",
            ),
            "ground_truth": (
                Panel("ground truth", coloured_labels(truth, names, None)), [],
                "Ground truth, in the colours of the legend.",
            ),
            "map": (
                Panel("map", coloured_labels(labels, names, valid)), [],
                "Classification map, in the colours of the legend.",
            ),
            "map_of_test_pixels": (
                Panel("map, test pixels", answers), [],
                "Classification map on the test pixels alone; all others are black.",
            ),
            "test_errors": (
                Panel("test errors", _errors(labels, truth, tested)), marks,
                "Test pixels that are classified right and wrong.",
            ),
            "split": (
                Panel("split", split), [*parts, ("unlabelled", UNLABELLED)],
                "Folds of the cross-validation." if self.folds else "Parts of the split.",
            ),
        }  # fmt: skip
        coordinates = _coordinates(ground)
        for key, (panel, entries, caption) in panels.items():
            note = f" {panel.note[0].upper()}{panel.note[1:]}." if panel.note else ""
            yield PaperFigure(
                f"{prefix}{key}", f"{name}. {caption}{note} {coordinates}",
                partial(scene_figure, [panel], entries, frame), _ONE,
            )  # fmt: skip
        yield PaperFigure(
            f"{prefix}legend", f"{name}. The classes.", partial(legend_figure, classes), _ONE
        )
        together = [panels[key][0] for key in ("false_colour", "ground_truth", "map", "split")]
        legend = [*classes, *((f"split: {part}", colour) for part, colour in parts)]
        caption = "False colour, ground truth, classification map and split."
        yield PaperFigure(
            f"{prefix}scene", f"{name}. {caption} {coordinates}",
            partial(scene_figure, together, legend, frame), _SEVERAL,
        )  # fmt: skip


def _errors(
    labels: NDArray[np.integer], truth: NDArray[np.integer], tested: NDArray[np.bool_]
) -> Image:
    image = np.zeros((*labels.shape, 3), np.uint8)
    image[tested] = np.where((labels == truth)[tested][:, None], RIGHT, WRONG)
    return image


def _frame(ground: GroundScale | None, lines: int, samples: int) -> MapFrame:
    if ground is None:
        return MapFrame(lines, samples)
    return MapFrame(
        lines, samples, ground.transform, ground.unit, ground.sample_metres, ground.line_metres,
        ground.north,
    )  # fmt: skip


def _bands(scene: Scene | SceneFile) -> str:
    """Which bands are red, green and blue: wavelengths, and numbers in the file from 1."""
    bands = scene.false_colour
    numbers = bands if scene.selection is None else [scene.selection.bands[band] for band in bands]
    words = [
        f"{colour} band {number + 1}" for colour, number in zip(_COLOURS, numbers, strict=True)
    ]
    if scene.wavelengths is not None:
        centres: Sequence[Any] = [scene.wavelengths[band] for band in bands]
        words = [
            f"{colour} {centre:.0f} nm (band {number + 1})"
            for colour, centre, number in zip(_COLOURS, centres, numbers, strict=True)
        ]
    return ", ".join(words)


def _coordinates(ground: GroundScale | None) -> str:
    if ground is None:
        return "Coordinates are lines and samples, counted from 0."
    system = f"Coordinates: {ground.system}." if ground.system else "Coordinates of its file."
    if ground.sample_metres is not None:
        system += " The scale bar is that of the middle of the scene"
        system += "; the arrow points along the meridian there." if ground.true_north else (
            "; the arrow points to the north of the grid."
        )  # fmt: skip
    return system
