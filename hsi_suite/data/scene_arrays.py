"""Scenes as `xarray.DataArray`s, and back: everything known of a scene goes along."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError, ShapeError
from .band_selection import BandSelection, LeftOut, places_of, select_bands
from .data_arrays import as_labels, is_data_array, ordered_cube, ordered_layer, plain_numbers
from .formats.array_axes import CUBE_AXES
from .formats.array_facts import GOOD_BANDS
from .formats.cf_grid import (
    GRID_MAPPING,
    TRANSFORM,
    USUAL_MAPPINGS,
    VALID,
    centres,
    counts_only,
    grid_of,
    is_turned,
    map_info_of,
    mapping_attributes,
    read_geotransform,
    system_of,
    turned_centres,
)
from .missing_data import representable, valid_pixels
from .scene import Georeference, Scene, nearest_bands

_DIMS = ("y", "x", "wavelength")
_LAYER = _DIMS[:2]
_COMPANION = "companion_"
_TEXTS = ("remarks", "label_remarks", "unverified")
_FILLS = ("_FillValue", "missing_value", "fill_value", "nodata")
_NAMES = "class_names"


def to_data_array(scene: Scene) -> Any:
    """See `Scene.to_xarray`."""
    try:
        import xarray
    except ImportError as error:
        raise ConfigError(
            "to_xarray", "xarray is not installed", "", "pip install 'hsi-suite[xarray]'"
        ) from error
    attributes = _attributes(scene)
    coordinates: dict[str, Any] = _bands(scene) | _place(scene)
    layers: dict[str, NDArray[Any] | None] = {
        "labels": scene.labels,
        "label_features": scene.label_features,
        VALID: scene.valid,
        **{_COMPANION + name: layer for name, layer in scene.companions.items()},
    }
    coordinates |= {n: (_LAYER, layer, {}) for n, layer in layers.items() if layer is not None}
    if scene.class_names:
        attributes[_NAMES] = list(scene.class_names)
    return xarray.DataArray(scene.cube, coordinates, _DIMS, scene.name, attributes)


def _attributes(scene: Scene) -> dict[str, Any]:
    attributes: dict[str, Any] = {
        "false_colour": list(scene.false_colour),
        "bands": scene.bands,  # of these three
    }
    if scene.nodata is not None:
        held = representable(scene.nodata, scene.cube.dtype)
        nan = np.isnan(scene.nodata) and scene.cube.dtype.kind == "f"
        if held is not None or nan:
            attributes["_FillValue"] = scene.cube.dtype.type(scene.nodata)
        if held is None or float(held) != scene.nodata:
            attributes["nodata"] = scene.nodata
    if scene.synthetic:
        attributes["synthetic"] = 1
    if scene.citation:
        attributes["citation"] = scene.citation
    if scene.checksums:
        attributes["checksums"] = json.dumps(dict(scene.checksums))
    return attributes | {n: list(getattr(scene, n)) for n in _TEXTS if getattr(scene, n)}


def _bands(scene: Scene) -> dict[str, Any]:
    axis, found = _DIMS[2:], {}
    nm = {"units": "nm"}
    if scene.wavelengths is not None:
        said = {"standard_name": "radiation_wavelength", "long_name": "centre of the band"}
        found["wavelength"] = (axis, scene.wavelengths, nm | said)
    if scene.fwhm is not None:
        said = {"long_name": "full width at half maximum"}
        found["fwhm"] = (axis, scene.fwhm, nm | said)
    if scene.selection is not None:
        rest = [[each.reason, each.bands, each.places] for each in scene.selection.left_out]
        told = {"of": scene.selection.of, "unit": scene.selection.unit, "left_out": rest}
        said = {"long_name": "number in the file, from 1", "selection": json.dumps(told)}
        found["band"] = (axis, np.array(scene.selection.bands) + 1, said)
    return found


def _place(scene: Scene) -> dict[str, Any]:
    place = scene.georeference
    if place is None:
        return {}
    size = scene.lines, scene.samples
    found: dict[str, Any] = {
        GRID_MAPPING: ((), 0, mapping_attributes(place.crs, place.transform, place.map_info))
    }
    if is_turned(place.transform):
        x, y = turned_centres(place.transform, *size)
        return found | {"xc": (_LAYER, x, {"axis": "X"}), "yc": (_LAYER, y, {"axis": "Y"})}
    x, y = centres(place.transform, *size)
    return found | {"x": ("x", x, {"axis": "X"}), "y": ("y", y, {"axis": "Y"})}


def from_data_array(array: Any, labels: Any, class_names: Sequence[str], bands: str) -> Scene:
    """See `Scene.from_xarray`."""
    if not is_data_array(array):
        raise ShapeError("array", f"a {type(array).__name__}", "an xarray.DataArray",
                         "of a Dataset take one variable: dataset['reflectance']")  # fmt: skip
    name = str(array.name or "array")
    ordered, wavelengths = ordered_cube(array, name)
    values = plain_numbers(ordered.values, name)
    if not values.size:
        raise ShapeError(name, f"an array of shape {values.shape}", "lines × samples × bands")
    fwhm = _band_values(ordered, "fwhm")
    kept, selection = _selection(ordered, wavelengths, bands, name)
    if kept is not None:
        values = values[..., kept]
        wavelengths, fwhm = (None if v is None else v[kept] for v in (wavelengths, fwhm))
    attributes, layers = ordered.attrs, _layers(ordered)
    truth, names = _labels(ordered, layers, labels, class_names)
    nodata = _nodata(ordered, name)
    valid = valid_pixels(values, nodata)
    if VALID in layers:
        marked = layers[VALID].astype(bool)
        valid = marked if valid is None else marked & valid
    shown = _shown(attributes, values.shape[2])
    texts = {key: _texts(attributes, key) for key in _TEXTS}
    return Scene(
        name, values, truth, names,
        layers.get("label_features"), wavelengths, _georeference(ordered, name),
        {n.removeprefix(_COMPANION): layer for n, layer in layers.items()
         if n.startswith(_COMPANION)},
        valid, nodata, shown or nearest_bands(wavelengths, values.shape[2]),
        bool(attributes.get("synthetic", False)),
        _checksums(attributes), str(attributes.get("citation", "")), fwhm=fwhm,
        selection=selection, **texts,
    )  # fmt: skip


def _labels(
    array: Any, layers: dict[str, NDArray[Any]], labels: Any, class_names: Sequence[str]
) -> tuple[NDArray[np.integer] | None, tuple[str, ...]]:
    """The label map and the names of its classes."""
    own = layers.get("labels")
    truth: NDArray[np.integer] | None = None
    if labels is None and own is not None and own.dtype.kind in "iu" and not own.any():
        truth = own.astype(np.uint16)  # a part cut out where nothing is labelled
    elif labels is not None or own is not None:
        truth = as_labels(own if labels is None else labels, array.shape[:2])
    names = tuple(class_names) or _texts(array.attrs, _NAMES)
    highest = 0 if truth is None else int(truth.max())
    if names and len(names) < highest:
        found = f"{len(names)} names, and labels up to {highest}"
        raise ConfigError(_NAMES, found, "a name for every label from 1 on")
    return truth, names or tuple(f"class {k}" for k in range(1, highest + 1))


def _shown(attributes: Any, bands: int) -> tuple[int, int, int] | None:
    """The bands shown as red, green and blue that came along; None where they make no sense."""
    try:
        red, green, blue = map(int, attributes["false_colour"])
        of = int(attributes["bands"])
    except (KeyError, TypeError, ValueError):
        return None
    fits = of == bands and all(0 <= band < bands for band in (red, green, blue))
    return (red, green, blue) if fits else None


def _layers(array: Any) -> dict[str, NDArray[Any]]:
    """The coordinates of lines × samples."""
    plane = set(array.dims[:2])
    return {
        str(name): np.asarray(ordered_layer(layer, str(name)))
        for name, layer in array.coords.items()
        if set(layer.dims) == plane
    }


def _band_values(array: Any, name: str) -> NDArray[np.float64] | None:
    if name not in array.coords or array.coords[name].dims != array.dims[2:]:
        return None
    values = np.asarray(array.coords[name].values)
    if values.dtype.kind not in "buif":
        raise ShapeError(name, f"values of type {values.dtype}", "a number for each band")
    return values.astype(np.float64)


def _selection(
    array: Any, wavelengths: NDArray[np.float64] | None, bands: str, name: str
) -> tuple[list[int] | None, BandSelection | None]:
    """The bands that are taken, and of which bands of a file these are."""
    count = array.shape[2]
    marks = next(
        (m for m in (_band_values(array, key) for key in GOOD_BANDS) if m is not None), None
    )
    bad = [] if marks is None else np.flatnonzero(marks == 0).tolist()
    chosen = select_bands(bands, count, wavelengths, bad, name=name)
    if chosen is not None:
        return list(chosen.bands), chosen
    numbers = _band_values(array, "band")
    told = array.coords["band"].attrs.get("selection") if numbers is not None else None
    if numbers is None or told is None:
        return None, None
    used = tuple(int(number) - 1 for number in numbers)
    try:
        stated = json.loads(told)
        of = int(stated["of"])
        rest = tuple(LeftOut(str(r), tuple(map(int, b)), str(p)) for r, b, p in stated["left_out"])
        unit = str(stated["unit"])
    except (KeyError, RecursionError, TypeError, ValueError) as error:
        found = "attrs['selection'] is damaged"
        raise ShapeError("band", found, "as to_xarray wrote it") from error
    if not used or list(used) != sorted(set(used)) or not 0 <= used[0] <= used[-1] < of:
        return None, None
    gone = set(range(of)) - set(used) - {band for each in rest for band in each.bands}
    if gone:
        dropped = tuple(sorted(gone))
        rest += (LeftOut("not asked for", dropped, places_of(dropped, None)),)
    return None, BandSelection(of, used, rest, unit)


def _georeference(array: Any, name: str) -> Georeference | None:
    told = (array.encoding.get("grid_mapping"), array.attrs.get("grid_mapping"), *USUAL_MAPPINGS)
    mapping = next((each for each in told if each in array.coords), None)
    stated = {} if mapping is None else dict(array.coords[mapping].attrs)
    system = system_of(stated)
    grid = grid_of(
        _coordinate(array, "x"), _coordinate(array, "y"), read_geotransform(stated.get(TRANSFORM))
    )
    if grid.problem:
        names = ", ".join(map(repr, array.dims[:2]))
        raise ShapeError(
            name, grid.problem, "a regular grid", f"drop_vars([{names}]) leaves them out"
        )
    if grid.transform is None or (not stated and counts_only(grid.transform)):
        return None
    return Georeference(system, grid.transform, map_info_of(stated, system, grid.transform))


def _coordinate(array: Any, axis: str) -> NDArray[np.float64] | None:
    """The x of the samples or the y of the lines, or that of all pixels; None where unknown."""
    own, turned = array.dims[CUBE_AXES.index(axis)], f"{axis}c"
    values = array.coords[own].values if own in array.coords else _layers(array).get(turned)
    plain = values is not None and values.dtype.kind in "iuf"
    return np.asarray(values, np.float64) if plain else None


def _nodata(array: Any, name: str) -> float | None:
    keys = ("nodata", *_FILLS) if "nodata" in array.attrs else _FILLS
    for source in (array.attrs, array.encoding):
        for key in keys:
            if source.get(key) is not None:
                try:
                    return float(np.asarray(source[key]).reshape(-1)[0])
                except (TypeError, ValueError, IndexError) as error:
                    found = f"{key} is {source[key]!r}"
                    raise ShapeError(name, found, "a number") from error
    return None


def _texts(attributes: Any, key: str) -> tuple[str, ...]:
    value = attributes.get(key, ())
    return (value,) if isinstance(value, str) else tuple(map(str, value))


def _checksums(attributes: Any) -> dict[str, str]:
    try:
        found = json.loads(attributes.get("checksums", "{}"))
        return {str(name): str(digest) for name, digest in found.items()}
    except (AttributeError, RecursionError, TypeError, ValueError) as error:
        found = "attrs['checksums'] is damaged"
        raise ShapeError("checksums", found, "as to_xarray wrote it") from error
