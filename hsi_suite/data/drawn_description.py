"""What `hsi data info` tells of drawn labels."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from .formats.drawn_features import DrawnFeatures, DrawnOptions
from .formats.drawn_files import drawn_layers, read_drawn
from .formats.drawn_formats import DrawnFormat

_MOST_VALUES = 12
_FRAMES = {
    "unknown": "names none: give --labels-crs",
    "scene": "that of the scene",
    "pixels": "samples and lines of the scene",
}


def describe_drawn(path: Path, kind: DrawnFormat) -> dict[str, Any]:
    """The layers of a file with their shapes, reference systems and fields, in plain types.

    Raises:
        InputFileError: the file is damaged or empty, or the libraries are not installed.
    """
    layers = drawn_layers(path, kind)
    described = [
        _described(
            None if name is None else f"{name}: ", read_drawn(path, DrawnOptions(layer=name))
        )
        for name in layers
    ]
    joined: dict[str, Any] = {"path": str(path), "format": f"{kind}, for --labels"}
    for each in described:
        joined |= each
    return joined


def _described(prefix: str | None, layer: DrawnFeatures) -> dict[str, Any]:
    start = prefix or ""
    kinds = Counter("nothing" if shape is None else shape.geom_type for shape in layer.geometries)
    fields = {f"{start}field {name}": _values(values) for name, values in layer.fields.items()}
    return {
        f"{start}features": ", ".join(f"{number:,} {name}" for name, number in kinds.items()),
        f"{start}crs": layer.crs or _FRAMES[layer.frame],
        **fields,
    }


def _values(values: Any) -> str:
    """The values of a field, with how often each stands there."""
    texts = ["nothing" if _is_nothing(value) else str(value) for value in values]
    counted = Counter(texts).most_common()
    shown = ", ".join(f"{text} ({number:,})" for text, number in counted[:_MOST_VALUES])
    return shown + (
        f" and {len(counted) - _MOST_VALUES:,} more" if len(counted) > _MOST_VALUES else ""
    )


def _is_nothing(value: Any) -> bool:
    return value is None or (isinstance(value, float | np.floating) and bool(np.isnan(value)))
