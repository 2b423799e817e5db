"""The keys that say where a scene, or several, come from."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from ..config import Section
from .training import NumberOrNaN, Seed, Text

Size = Annotated[int, Field(ge=1)]


def _as_text(value: Any) -> Any:
    """A list of bands that YAML took for a number, or a list of them."""
    if isinstance(value, list | tuple):
        return ",".join(map(str, value))
    return str(value) if type(value) in (int, float) else value


OF_FILES = (
    "scene_variable",
    "axes",
    "shape",
    "labels",
    "labels_variable",
    "class_names",
    "unlabelled",
    "warp_labels",
    "labels_field",
    "labels_layer",
    "labels_buffer",
    "labels_crs",
    "all_touched",
    "nodata",
)
"""Keys that say how files of the user's are read, and what their labels are."""
BandsText = Annotated[Text, BeforeValidator(_as_text)]


class SceneConfig(Section):
    """Where the scene comes from: a registered data set or the user's own files.

    Attributes:
        dataset: a name of `hsi data list`.
        seed: of a synthetic data set's generator; null takes its own. `--seed` does not touch it.
        scene: the user's cube.
        scene_variable: its variable, where the file holds several arrays.
        axes: order of its axes, where the file does not say: "y,x,band", "band,y,x" and so on;
            of a matrix of spectra "band,pixel" or "pixel,band".
        shape: lines and samples of a matrix of spectra.
        labels: the user's label map, or labels as people draw them: GeoPackage, GeoJSON, Shapefile,
            KML, FlatGeobuf, a table of points, ENVI's regions of interest.
        labels_variable: its variable, where the file holds several arrays.
        class_names: a text file with one name per line.
        unlabelled: the value of unlabelled pixels in the label map; null: 0. With another one, 0
            is a class of its own where it occurs.
        warp_labels: bring labels on another grid to the scene's, nearest neighbour.
        labels_field: of drawn labels: the field that holds the class; null where only one could.
        labels_layer: of drawn labels: the layer, where a file has several.
        labels_buffer: of drawn labels: metres by which points and lines are widened.
        labels_crs: of drawn labels: the reference system, where the file names none.
        all_touched: of drawn labels: label every pixel that a polygon touches, not those alone
            whose centre it holds.
        nodata: the value that marks missing data.
        bands: which bands are used: good (all but those that the file marks as bad), all, or a
            list of numbers and ranges, or of wavelengths: 1-50,60 or 400-1340,1460-1790. A list
            leaves bad bands out too, unless it begins with "all,".
        drop_water: leave out the bands in which water vapour leaves hardly any light, 1340 to
            1460, 1790 to 1960 and above 2450 nm.
        allow_unverified: use registered files although their checksum is wrong or unknown,
            and say so.
    """

    dataset: Text | None = None
    seed: Seed | None = None
    scene: Text | None = None
    scene_variable: Text | None = None
    axes: Text | None = None
    shape: Annotated[list[Size], Field(min_length=2, max_length=2)] | None = None
    labels: Text | None = None
    labels_variable: Text | None = None
    class_names: Text | None = None
    unlabelled: NumberOrNaN | None = None
    warp_labels: bool = False
    labels_field: Text | None = None
    labels_layer: Text | None = None
    labels_buffer: Annotated[float, Field(ge=0)] | None = None
    labels_crs: Text | None = None
    all_touched: bool = False
    nodata: NumberOrNaN | None = None
    bands: BandsText = "good"
    drop_water: bool = False
    allow_unverified: bool = False

    @model_validator(mode="after")
    def _one_source(self) -> SceneConfig:
        if (self.dataset is None) == (self.scene is None):
            raise ValueError("either a data set (--dataset) or a cube of your own (--scene)")
        if self.scene is not None and self.labels is None:
            raise ValueError("labels (--labels) beside the cube")
        return self


class NamedSceneConfig(Section):
    """One of several scenes.

    Attributes:
        scene: its cube.
        labels: its labels, as `data.labels`.
        name: how it is called in splits, reports and maps; null takes the file's name.
        role: train, validation or test, for `split.kind=scenes`; null where nothing is said.
        class_names: a text file with one name per line; null takes `data.class_names`.
    """

    scene: Text
    labels: Text
    name: Text | None = None
    role: Literal["train", "validation", "test"] | None = None
    class_names: Text | None = None


class ScenesConfig(SceneConfig):
    """Where the scene comes from, or several: all other keys hold for each of them.

    Attributes:
        scenes: in the place of data.scene and data.labels.
        resample: make the bands of the first training scene out of those of the others.
    """

    scenes: list[NamedSceneConfig] = Field(default_factory=list)
    resample: bool = False

    @model_validator(mode="after")
    def _one_source(self) -> ScenesConfig:
        if sum(map(bool, (self.dataset, self.scene, self.scenes))) != 1:
            raise ValueError("either a data set (--dataset) or a cube of your own (--scene)")
        if self.scene is not None and self.labels is None:
            raise ValueError(
                "labels (--labels) beside the cube; several scenes, or a table of them, as a list "
                "in data.scenes"
            )
        if self.scenes and self.labels is not None:
            raise ValueError("the labels of several scenes in data.scenes")
        if self.resample and not self.scenes:
            raise ValueError("several scenes with data.resample (--resample)")
        return self
