"""Which class a drawn feature is of, by one of its fields."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputFileError
from ..registry import did_you_mean
from .formats.drawn_features import FIELD_OPTION, DrawnFeatures, same_name

# Fields that hold numbers of features or what programs say of them, never classes.
_NO_CLASS = {
    "fid", "id", "gid", "oid", "ogcfid", "objectid", "uuid", "guid", "timestamp", "begin", "end",
    "altitudemode", "tessellate", "extrude", "visibility", "draworder", "icon", "shapearea",
    "shapeleng", "shapelength", "area", "perimeter", "description", "snippet",
}  # fmt: skip
_USUAL = {
    "class", "classname", "classid", "classes", "label", "labels", "landcover", "lulc", "category",
    "klasse", "code", "type",
}  # fmt: skip
_MOST_SHOWN = 12


@dataclass(frozen=True)
class DrawnClasses:
    """The classes of features.

    Attributes:
        values: of each feature in turn: a number as the field has it, or from 1 on for texts.
        said: False where the field says nothing of a feature.
        names: of the values from 1 on; None for numbers.
        field: where they are from.
        remark: what the user should know of it.
    """

    values: NDArray[np.int64]
    said: NDArray[np.bool_]
    names: tuple[str, ...] | None
    field: str
    remark: str


def classes_of(
    layers: Sequence[DrawnFeatures], field: str | None, order: Sequence[str] = ()
) -> DrawnClasses:
    """The class of every feature of some layers, which share a numbering.

    Whole numbers, also as text, are labels as they are. Texts are numbered from 1 on in the order
    of the alphabet, capital letters like small ones, or of a list.

    Args:
        layers: at least one.
        field: the one that holds the class; None where only one could be meant.
        order: names from 1 on, for classes by name; none for the order of the alphabet.

    Raises:
        InputFileError: it is open which field is meant, the layers lack it, or its values are no
            classes.
    """
    chosen = _chosen(layers, field)
    path = layers[0].path
    texts = [_text(value) for layer in layers for value in layer.fields[chosen]]
    said = np.array([text != "" for text in texts])
    numbers = [number for text in texts if (number := _whole(text)) is not None]
    if not said.any():
        raise InputFileError(path, f"{chosen} is empty in every feature", "classes")
    values = np.zeros(len(texts), np.int64)
    if len(numbers) == said.sum():
        values[said] = numbers
        if np.abs(values).max() > np.iinfo(np.int32).max:
            raise InputFileError(
                path, f"{chosen} holds {values[np.abs(values).argmax()]}", "numbers of classes"
            )
        remark = f"classes are the numbers in the field {chosen}"
        return DrawnClasses(values, said, None, chosen, remark)
    if all(_is_number(text) for text in texts if text):
        wrong = next(text for text in texts if text and _whole(text) is None)
        raise InputFileError(path, f"{chosen} holds {wrong}", "whole numbers or names of classes")
    found = sorted({text for text in texts if text}, key=lambda t: (t.casefold(), t))
    names = tuple(order or found)
    unknown = [name for name in found if name not in names]
    if unknown:
        raise InputFileError(
            path, f"{chosen} holds {unknown[0]!r}", f"one of the class names: {_listed(names)}"
        )
    places = {name: place for place, name in enumerate(names, 1)}
    values[said] = [places[text] for text in texts if text]
    how = "the list of class names" if order else "the alphabet"
    remark = f"classes are the {len(found)} names in the field {chosen}, in order of {how}"
    return DrawnClasses(values, said, names, chosen, remark)


def _chosen(layers: Sequence[DrawnFeatures], field: str | None) -> str:
    common = [f for f in layers[0].fields if all(f in layer.fields for layer in layers)]
    path = layers[0].path
    if field is not None:
        meant = same_name(field, common)
        if meant is not None:
            return meant
        for layer in layers:
            if field not in layer.fields:
                path = layer.path
        hint = did_you_mean(field, common)
        raise InputFileError(path, f"no field {field!r}", _listed(common) or "a field", hint)
    possible = [name for name in common if _plain(name) not in _NO_CLASS]
    candidates = [name for name in possible if _may_be_classes(layers, name)]
    if not candidates:  # labels of a single class, as several scenes may have
        named = [name for name in possible if _plain(name) in _USUAL]
        candidates = [name for name in named if _may_be_classes(layers, name, least=1)]
    usual = [name for name in candidates if _plain(name) in _USUAL]
    for left in (candidates, usual, [name for name in usual if _plain(name) == "class"]):
        if len(left) == 1:
            return left[0]
    if not candidates:
        found = f"no field that could hold classes ({_listed(common) or 'there is none'})"
        hint = f"give {FIELD_OPTION} NAME" if common else "give each feature its class in a field"
        raise InputFileError(path, found, "whole numbers or names", hint)
    found = f"{len(candidates)} fields could hold the classes"
    raise InputFileError(path, found, "", f"give {FIELD_OPTION}: {_listed(candidates)}")


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace(" ", "").replace("-", "")


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_SHOWN} more" if len(names) > _MOST_SHOWN else ""
    return ", ".join(names[:_MOST_SHOWN]) + more


def _may_be_classes(layers: Sequence[DrawnFeatures], name: str, least: int = 2) -> bool:
    """Whether a field holds texts or whole numbers, of so many kinds at least."""
    found = {_text(value) for layer in layers for value in layer.fields[name]} - {""}
    measured = all(map(_is_number, found)) and any(_whole(text) is None for text in found)
    return len(found) >= least and not measured


def _text(value: Any) -> str:
    """A value as text; "" where there is none."""
    if value is None or (isinstance(value, float | np.floating) and np.isnan(value)):
        return ""
    if isinstance(value, bool | np.bool_):
        return str(int(value))
    if isinstance(value, float | np.floating) and np.isfinite(value) and value == int(value):
        return str(int(value))
    return " ".join(str(value).split())


def _whole(text: str) -> int | None:
    digits = text.removeprefix("-").removeprefix("+")
    return int(text) if digits.isascii() and digits.isdigit() and len(digits) < 19 else None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def refuse_open_zero(path: Path, classes: DrawnClasses, unlabelled: float | None) -> None:
    """Refuse features of class 0 where nobody says what 0 is, and a value for classes by name.

    Raises:
        InputFileError: it is open, or the value means nothing.
    """
    if classes.names is not None:
        if unlabelled is not None:
            found = f"--unlabelled {unlabelled:g} with classes by name ({classes.field})"
            raise InputFileError(path, found, "", "leave it out")
        return
    zeros = int((classes.said & (classes.values == 0)).sum())
    if zeros and unlabelled is None:
        raise InputFileError(
            path,
            f"{zeros} features have the number 0 in {classes.field}: a class, or unlabelled",
            "",
            "give --unlabelled -1 if 0 is a class, or --unlabelled 0 if it is none",
        )
