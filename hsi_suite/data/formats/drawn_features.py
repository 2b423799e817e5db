"""Labels as people draw them: shapes, and what is said of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypedDict
from unicodedata import normalize

import numpy as np
from numpy.typing import NDArray

from ...errors import InputFileError

LAYER_OPTION, FIELD_OPTION = "--labels-layer", "--labels-field"
CRS_OPTION, BUFFER_OPTION = "--labels-crs", "--labels-buffer"
Geometries = NDArray[np.object_]


class DrawnKeywords(TypedDict, total=False):
    """The options of drawn labels as keywords; see `DrawnOptions`."""

    labels_field: str | None
    labels_layer: str | None
    labels_buffer: float | None
    labels_crs: str | None
    all_touched: bool


@dataclass(frozen=True)
class DrawnOptions:
    """What a user says of drawn labels.

    Attributes:
        field: the one that holds the class; None where only one could be meant.
        layer: of a file with several; None for the only one.
        buffer: half the width that points and lines get, in metres; None: they take the pixels
            they touch.
        crs: the reference system of the coordinates, where the file names none.
        all_touched: label every pixel that a shape touches, not those alone whose centre it holds.
    """

    field: str | None = None
    layer: str | None = None
    buffer: float | None = None
    crs: str | None = None
    all_touched: bool = False

    @classmethod
    def of(cls, keywords: DrawnKeywords) -> DrawnOptions:
        """Those of keywords, as functions take them."""
        return cls(
            field=keywords.get("labels_field"),
            layer=keywords.get("labels_layer"),
            buffer=keywords.get("labels_buffer"),
            crs=keywords.get("labels_crs"),
            all_touched=bool(keywords.get("all_touched")),
        )

    def given(self) -> tuple[str, ...]:
        """The options that are not as they are by default."""
        said = {
            FIELD_OPTION: self.field,
            LAYER_OPTION: self.layer,
            BUFFER_OPTION: self.buffer,
            CRS_OPTION: self.crs,
            "--all-touched": self.all_touched or None,
        }
        return tuple(option for option, value in said.items() if value is not None)


@dataclass(frozen=True)
class DrawnFeatures:
    """The shapes of a layer, in the order of the file.

    Attributes:
        path: the file.
        geometries: of shapely, None where a feature has none.
        fields: what is said of every feature, by the name of the field.
        crs: the reference system as WKT or "EPSG:n"; None where the file names none.
        frame: what coordinates without a reference system are: "unknown", of the scene's own
            system ("scene"), or "pixels": samples and lines, the first pixel from 0 to 1.
        files: all files that were read.
        remarks: what a user should know of how the file was read, a short line each.
        assumed: whether the file itself names no system, and `crs` is what its format then means.
    """

    path: Path
    geometries: Geometries
    fields: Mapping[str, NDArray[Any]]
    crs: str | None
    frame: Literal["unknown", "scene", "pixels"]
    files: tuple[Path, ...]
    remarks: tuple[str, ...] = field(default=())
    assumed: bool = False


def require_geo(path: Path) -> None:
    """Refuse drawn labels where the libraries that read and draw them are not installed.

    Raises:
        InputFileError: they are not.
    """
    try:
        import pyogrio  # noqa: F401
        import rasterio  # noqa: F401
        import shapely  # noqa: F401
    except ImportError:
        raise InputFileError(
            path,
            "drawn labels need pyogrio, shapely and rasterio, which are not installed",
            "",
            "install hsi-suite[geo]",
        ) from None


def chosen_layer(path: Path, layers: Sequence[str], wanted: str | None) -> str:
    """The layer that is meant.

    Raises:
        InputFileError: there is none, not this one, or several and none is named.
    """
    if not layers:
        raise InputFileError(path, "holds no layer of points, lines or polygons", "drawn labels")
    listed = ", ".join(layers)
    if wanted is None and len(layers) == 1:
        return layers[0]
    if wanted is None:
        raise InputFileError(path, f"{len(layers)} layers", "", f"give {LAYER_OPTION}: {listed}")
    meant = same_name(wanted, layers)
    if meant is None:
        raise InputFileError(path, f"no layer {wanted!r}", listed)
    return meant


def same_name(wanted: str, names: Sequence[str]) -> str | None:
    """The one of some names that is meant; None where there is none.

    Letters with marks may be one character or two (as macOS writes them): they look the same.
    """
    if wanted in names:
        return wanted
    plain = normalize("NFC", wanted)
    return next((name for name in names if normalize("NFC", name) == plain), None)


def refuse_layer(path: Path, what: str, wanted: str | None) -> None:
    """Refuse the name of a layer for a file that has no layers.

    Raises:
        InputFileError: one is named.
    """
    if wanted is not None:
        found = f"{LAYER_OPTION} {wanted} names a layer"
        raise InputFileError(path, found, "", f"a {what} has none: leave it out")
