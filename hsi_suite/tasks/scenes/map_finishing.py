"""What becomes of a classified map before it gets its place: filters, areas, polygons."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from os.path import relpath
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...atomic import atomic_file
from ...data.formats.geopackage_writer import write_geopackage
from ...data.map_filters import MapFilter, count_small
from ...data.map_polygons import STRIP_PIXELS, map_polygons
from ...data.pixel_areas import line_areas
from ...data.scene import Georeference
from ...data.strip_files import StripFile, start_map
from ...engine.observer import Observer
from ...errors import OutputError
from ...memory import PROGRAM_BYTES, check_limit
from ...palette import class_colours
from .class_areas import NO_SQUARE_METRES, MappedAreas, TestSample, area_table, write_areas
from .prediction_places import area_paths, stored_map

Labels = NDArray[np.integer[Any]]


@dataclass(frozen=True)
class MapProducts:
    """What is asked for beside a map as it is classified.

    Attributes:
        map_filter: filters the map.
        vector: the GeoPackage of its polygons; None: none.
        areas: whether its classes' areas are written.
        sample: the test pixels that judge the map; None where there are none.
        area_remarks: what the areas' reader should know.
    """

    map_filter: MapFilter = field(default_factory=MapFilter)
    vector: Path | None = None
    areas: bool = False
    sample: TestSample | None = None
    area_remarks: tuple[str, ...] = ()

    def files(self, target: Path) -> list[Path]:
        """Where they are written beside a map."""
        vector = [] if self.vector is None else [self.vector]
        return [*vector, *(area_paths(target) if self.areas else ())]

    def identity(self, target: Path) -> dict[str, Any]:
        """What tells calls with a target apart; nothing where nothing is asked for."""
        asked = {
            "vector": None if self.vector is None else relpath(self.vector, target.parent),
            "filter": str(self.map_filter) or None,
            "areas": self.areas or None,
        }
        return {key: value for key, value in asked.items() if value is not None}

    def check_memory(self, limit: float, kept: float, shape: tuple[int, int], classes: int) -> None:
        """Refuse a map that is too large to be filtered within the limit.

        Args:
            limit: bytes for the whole process.
            kept: bytes of the classifiers.
            shape: lines, samples.
            classes: number of classes.

        Raises:
            ConfigError: it is.
        """
        if self.map_filter:
            itemsize = 1 if classes <= np.iinfo(np.uint8).max else 2
            needed = self.map_filter.memory(shape[0] * shape[1], itemsize)
            what = f"a map of {shape[0]:,} × {shape[1]:,} pixels filtered in memory"
            check_limit(
                limit, PROGRAM_BYTES + kept + needed, what, "raise it, or leave the filter out"
            )


@dataclass(frozen=True)
class MapFinishing:
    """A map in the folder of a prediction, and what is made of it.

    Attributes:
        products: what is asked for.
        folder: where the map lies and everything is made.
        target: the map's place in the end.
        class_names: label k has name k − 1.
        georeference: of the map; None when unknown.
        remark: what files say of themselves; None: nothing.
        observer: reports what is done.
    """

    products: MapProducts
    folder: Path
    target: Path
    class_names: tuple[str, ...]
    georeference: Georeference | None
    remark: str | None
    observer: Observer

    def carry_out(self, file: StripFile) -> tuple[StripFile, int]:
        """Make everything of a map whose values are all written; a second call does the same.

        Args:
            file: the map as it was classified.

        Returns:
            The map to be given its place, and the number of pixels that the filter changed.

        Raises:
            OutputError: something cannot be written.
        """
        if self.products.areas:
            self._write_areas(file)
        changed, remark = 0, self.remark
        if self.products.map_filter:
            file, changed, remark = self._filtered(file)
        if self.products.vector is not None:
            self._write_polygons(file, self.products.vector, remark)
        return file, changed

    def _strips(self, file: StripFile) -> Iterator[Labels]:
        lines, samples, _ = file.shape
        height = max(1, STRIP_PIXELS // samples)
        for first in range(0, lines, height):
            strip = file.read(self.folder, first, min(first + height, lines))[..., 0]
            if strip.max() > len(self.class_names):
                raise OutputError(
                    self.folder, f"holds a label {strip.max()}", "labels of the map's classes",
                    "remove it and begin anew",
                )  # fmt: skip
            yield strip

    def _filtered(self, file: StripFile) -> tuple[StripFile, int, str]:
        lines, samples, _ = file.shape
        asked = self.products.map_filter
        before = np.concatenate(list(self._strips(file)))
        after = asked.apply(before)
        changed = int(np.count_nonzero(before != after))
        del before
        pixels = max(1, int(np.count_nonzero(after)))
        # Without commas, which ENVI's headers take for the ends of items.
        told = f"filtered: {asked}; {changed} pixels changed ({changed / pixels:.2%})"
        self.observer.message(f"{self.target.name} is {told}; scores are those of the map before")
        small = 0 if asked.min_area is None else count_small(after, asked.min_area)
        if small:
            regions = "region stays" if small == 1 else "regions stay"
            self.observer.message(
                f"{self.target.name}: {small:,} {regions} below {asked.min_area} pixels: none of "
                "that size is beside"
            )
        remark = "; ".join([told, *([] if self.remark is None else [self.remark])])
        colours = class_colours(len(self.class_names))
        filtered = start_map(
            self.folder, stored_map(self.target), (lines, samples), self.class_names, colours,
            self.georeference, remark,
        )  # fmt: skip
        filtered.write(self.folder, 0, after[..., None])
        return filtered, changed, remark

    def _write_polygons(self, file: StripFile, vector: Path, remark: str | None) -> None:
        lines, samples, _ = file.shape
        self.observer.begin("polygons", lines * samples)

        def strips() -> Iterator[Labels]:
            for strip in self._strips(file):
                yield strip
                self.observer.advance(strip.size)

        written = write_geopackage(
            self.folder / vector.name,
            map_polygons(strips()),
            self.class_names,
            class_colours(len(self.class_names)),
            self.georeference,
            remark,
        )
        self.observer.end()
        place = "" if self.georeference is not None else (
            "; the scene has no coordinates, so theirs are samples and lines, y downwards"
        )  # fmt: skip
        self.observer.message(f"{vector.name}: {written:,} polygons{place}")

    def _write_areas(self, file: StripFile) -> None:
        areas = line_areas(self.georeference, file.shape[0])
        mapped = MappedAreas.of(self._strips(file), len(self.class_names), areas)
        remarks = list(self.products.area_remarks)
        if self.products.map_filter:
            remarks.append("Areas are those of the map before the filter, which was tested.")
        if areas is None:
            remarks.append(NO_SQUARE_METRES)
        table = area_table(mapped, self.class_names, self.products.sample, remarks)
        write_areas(table, *(self.folder / path.name for path in area_paths(self.target)))

    def give_places(self) -> list[str]:
        """Copy what does not lie beside the map to its place.

        Returns:
            The names of what lies beside it.

        Raises:
            OutputError: a place cannot be written.
        """
        names = []
        for path in self.products.files(self.target):
            if path.parent.absolute() == self.target.parent.absolute():
                names.append(path.name)
            else:
                with atomic_file(path) as temporary:
                    shutil.copyfile(self.folder / path.name, temporary)
        return names
