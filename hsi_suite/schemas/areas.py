"""What a run's areas.json holds, as far as its page shows it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field

from ..errors import RunError
from ..user_files import read_json
from .stored import Stored, check_stored

_REMEDY = "train the run again, or remove the file"


class _Area(Stored):
    label: int = Field(ge=1)
    name: str
    mapped_area: float
    adjusted_area: float | None
    standard_error: float | None
    test_pixels: int
    users_accuracy: float | None
    users_accuracy_standard_error: float | None
    producers_accuracy: float | None
    producers_accuracy_standard_error: float | None


class _Areas(Stored):
    unit: str
    map_area: float
    classes: list[_Area]
    overall_accuracy: float | None
    overall_accuracy_standard_error: float | None
    remarks: list[str]


def read_areas(path: Path) -> dict[str, Any] | None:
    """The areas of a run's map; None of runs that are older than these.

    Raises:
        RunError: the file is damaged.
    """
    if not path.exists():
        return None
    areas = read_json(path, "areas", _REMEDY, kind=RunError)
    check_stored(_Areas, areas, path, _REMEDY)
    return areas
