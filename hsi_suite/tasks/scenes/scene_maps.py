"""The maps and pictures in a run's folder: of its scene, or of each of several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...atomic import make_folder
from ...data.scene import Georeference
from ...data.scene_list import file_name
from ...data.scene_stack import StackedScene
from ...data.writers import write_label_map, write_npy
from ...engine.observer import Observer
from ...errors import FormatLimitError
from ...palette import class_colours
from ...reports.drawing import save_png
from ...reports.maps import false_colour, map_figure
from ...runs.folder import LABEL_MAP, MAP_PICTURE, Run
from .page import MAPS, run_title
from .preparation import Prepared

_WHOLE = (slice(None), slice(None))


def write_maps(
    run: Run,
    prepared: Prepared,
    labels: NDArray[np.integer],
    metrics: Mapping[str, Any],
    observer: Observer,
) -> None:
    """Write the maps of a run, with their pictures.

    Of several scenes the picture and `map.npy` are of all, below each other; the folder `maps`
    holds a map with coordinates and a picture of each.

    Args:
        run: its folder.
        prepared: scene and split.
        labels: the map, lines × samples.
        metrics: the run's.
        observer: reports what a format cannot hold.
    """
    scene = prepared.scene
    write_npy(run.path / LABEL_MAP, labels)
    title = run_title(metrics)
    pictures = _Pictures.of(prepared, labels)
    pictures.save(run.path / MAP_PICTURE, title)
    if not isinstance(scene, StackedScene):
        path = run.path / "map"
        _write(path, prepared, labels, scene.georeference, scene.valid, observer)
        return
    folder = make_folder(run.path / MAPS)
    for part in scene.parts:
        path = folder / file_name(part.name)
        _write(path, prepared, labels[part.place], part.georeference, part.valid, observer)
        picture = path.with_name(f"{path.name}.png")
        pictures.save(picture, f"{part.name}: {title}", part.place)


def split_layer(
    labels: NDArray[np.integer], parts: Sequence[NDArray[np.integer]]
) -> NDArray[np.uint8]:
    """Which part of a split, or which fold, the pixels are in; see `reports.maps.map_figure`.

    Args:
        labels: lines × samples, 0 = unlabelled.
        parts: flat indices of each part in their order.
    """
    layer = np.zeros(labels.size, np.uint8)
    for code, pixels in enumerate(parts, 1):
        layer[pixels] = code
    layer[(labels.ravel() > 0) & (layer == 0)] = len(parts) + 1
    return layer.reshape(labels.shape)


def _write(
    path: Path,
    prepared: Prepared,
    labels: NDArray[np.integer],
    georeference: Georeference | None,
    valid: NDArray[np.bool_] | None,
    observer: Observer,
) -> None:
    names = prepared.scene.class_names
    for suffix in (".hdr", ".tif"):
        try:
            write_label_map(
                path.with_name(f"{path.name}{suffix}"),
                labels,
                names,
                class_colours(len(names)),
                georeference=georeference,
                valid=valid,
            )
        except FormatLimitError as error:
            # Not every format can hold every grid; the other map still does.
            observer.message(f"left out: {error}")


@dataclass(frozen=True)
class _Pictures:
    """Pictures of pieces of a scene: false colour, labels, map and parts of the split.

    Attributes:
        prepared: scene and split.
        labels: the map, lines × samples.
        shown: the bands of the false colours, lines × samples × 3.
        parts: lines × samples, positions in `SPLIT_PARTS`, or folds; see `map_figure`.
    """

    prepared: Prepared
    labels: NDArray[np.integer]
    shown: NDArray[np.generic]
    parts: NDArray[np.uint8]

    @classmethod
    def of(cls, prepared: Prepared, labels: NDArray[np.integer]) -> _Pictures:
        """Those of a map; the bands are read once."""
        split, folds = prepared.split, prepared.folds
        own = [split.train, split.validation, split.test]
        parts = split_layer(prepared.labels, [fold.split.test for fold in folds] or own)
        shown = prepared.spectra.layers(prepared.scene.false_colour)
        return cls(prepared, labels, shown, parts)

    def save(self, path: Path, title: str, place: tuple[slice, slice] = _WHOLE) -> None:
        """Write the picture of a piece as PNG."""
        scene = self.prepared.scene
        valid = None if scene.valid is None else scene.valid[place]
        figure = map_figure(
            self.labels[place],
            self.prepared.labels[place],
            false_colour(self.shown[place], (0, 1, 2), valid),
            scene.class_names,
            title=title,
            synthetic=scene.synthetic,
            valid=valid,
            split_parts=self.parts[place],
            folds=len(self.prepared.folds),
        )
        save_png(figure, path)
