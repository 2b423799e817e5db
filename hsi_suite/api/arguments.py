"""What public functions take beside arrays: settings, runs, files and plain values."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..data.scene import Scene
from ..errors import ConfigError
from ..printable import shortened
from ..runs.folder import Run

Settings = Mapping[str, Any] | Sequence[str]
"""Keys of a configuration: {"train.epochs": 20}, or "train.epochs=20" texts as of `--set`."""
Place = str | os.PathLike[str]
"""A file or a folder."""
RunLike = Place | Run
"""A run: its folder, or what `train` returned."""
SceneLike = Place | Scene | ArrayLike
"""A scene: its file, or lines × samples × bands in memory."""


def settings_texts(settings: Settings) -> list[str]:
    """Settings as `--set` has them.

    Raises:
        ConfigError: a value that no configuration can hold.
    """
    if not isinstance(settings, Mapping):
        return list(settings)
    return [f"{key}={as_json(f'settings: {key}', value)}" for key, value in settings.items()]


def as_json(name: str, value: Any) -> str:
    """A value of a configuration as JSON, which is YAML as well.

    Raises:
        ConfigError: one that no configuration can hold.
    """
    try:
        return json.dumps(value, default=_plain, ensure_ascii=False)
    except (TypeError, ValueError):
        found = f"{shortened(repr(value))} ({type(value).__name__})"
        raise ConfigError(name, found, "numbers, texts, lists, None") from None


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    raise TypeError


def folder_of(run: RunLike) -> Path:
    """The folder of a run."""
    return run.path if isinstance(run, Run) else Path(run)


def as_text(place: Any) -> Any:
    """A path as text; None stays None."""
    return None if place is None else os.fspath(place)


def as_list(values: Sequence[Any] | None) -> list[Any] | None:
    """A sequence as configurations have it."""
    return None if values is None else [as_plain(value) for value in values]


def as_plain(value: Any) -> Any:
    """NumPy's scalars and paths as configurations have them."""
    if hasattr(value, "item") and not hasattr(value, "__len__"):
        return value.item()
    return os.fspath(value) if isinstance(value, os.PathLike) else value
