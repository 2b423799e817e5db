"""Two folders of what should be the same run, compared bit by bit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch

from ..errors import RunError
from ..metrics.measures import MEASURES
from ..models.stored_model import read_model
from .folder import LABEL_MAP, METRICS, Run

#: Names and lines beyond this number are counted only.
_LISTED = 20
# Where the scores of predictions stand, for runs that leave no map.
_FIGURES = ("test", "validation")


@dataclass(frozen=True)
class Compared:
    """How much of something is equal.

    Attributes:
        what: what was compared.
        total: how many.
        equal: how many of them are equal to the last bit.
        differences: the first of those that are not, in words.
    """

    what: str
    total: int
    equal: int
    differences: tuple[str, ...] = ()

    @property
    def identical(self) -> bool:
        """Whether all are equal."""
        return self.equal == self.total

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self) | {"differences": list(self.differences)}


def compare_weights(then: Run, now: Run) -> Compared:
    """Every tensor of every model file, byte by byte.

    Raises:
        RunError: a model file is missing or damaged.
    """
    first, second = _tensors(then), _tensors(now)
    if not first:
        raise RunError(then.path, "holds no model", "model.safetensors")
    lines = []
    for name in sorted({*first, *second}):
        old, new = first.get(name), second.get(name)
        if old is None or new is None:
            lines.append(f"{name}: {'only now' if old is None else 'only then'}")
        elif old.dtype != new.dtype or old.shape != new.shape:
            lines.append(f"{name}: {_kind(old)} then, {_kind(new)} now")
        elif not torch.equal(_bytes(old), _bytes(new)):
            lines.append(f"{name}: {_distance(old, new)}")
    return _compared("tensors", len({*first, *second}), lines)


def compare_predictions(then: Run, now: Run) -> Compared:
    """The map pixel by pixel; without a map the scores that the predictions gave."""
    if not (then.path / LABEL_MAP).is_file():
        return _compared_trees("scores of predictions", _predicted(then), _predicted(now))
    old, new = then.label_map, now.label_map
    if old.shape != new.shape:
        return Compared("pixels of the map", old.size, 0, (f"{old.shape} then, {new.shape} now",))
    return Compared("pixels of the map", old.size, int(np.sum(old == new)))


def compare_metrics(then: Run, now: Run) -> Compared:
    """Every value of metrics.json, but facts that were not recorded yet when the run was made."""
    named = {key: value for key, value in now.metrics.items() if key in then.metrics}
    return _compared_trees(f"values of {METRICS}", then.metrics, named)


def _tensors(run: Run) -> dict[str, torch.Tensor]:
    files = sorted(run.path.glob("*.safetensors"))
    found: dict[str, torch.Tensor] = {}
    for path in files:
        above = f"{path.stem}/" if len(files) > 1 else ""
        found |= {f"{above}{name}": tensor for name, tensor in read_model(path)[1].items()}
    return found


def _bytes(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.contiguous().reshape(-1).view(torch.uint8)


def _kind(tensor: torch.Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} {tuple(tensor.shape)}"


def _distance(old: torch.Tensor, new: torch.Tensor) -> str:
    differing = int((old != new).sum())
    largest = (old.double() - new.double()).abs().max().item()
    return f"{differing:,} of {old.numel():,} values differ, by up to {largest:.3g}"


def _predicted(run: Run) -> dict[str, Any]:
    return {part: run.metrics[part] for part in _FIGURES if part in run.metrics}


def _compared_trees(what: str, then: Any, now: Any) -> Compared:
    old, new = dict(_leaves(then)), dict(_leaves(now))
    # A measure that was added since says nothing of the run.
    new = {place: value for place, value in new.items() if place in old or not _measured(place)}
    lines = [
        f"{place}: {old.get(place, 'nothing')} then, {new.get(place, 'nothing')} now"
        for place in dict.fromkeys([*old, *new])
        if place not in old or place not in new or not _same(old[place], new[place])
    ]
    return _compared(what, len({*old, *new}), lines)


def _measured(place: str) -> bool:
    return any(part in MEASURES for part in place.split("."))


def _same(old: Any, new: Any) -> bool:
    # Written out, as NaN equals nothing and 1 equals True.
    return repr(old) == repr(new)


def _leaves(tree: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    entries: list[tuple[Any, Any]] = []
    if isinstance(tree, Mapping):
        entries = list(tree.items())
    elif isinstance(tree, list):
        entries = list(enumerate(tree))
    if not entries:
        yield place, tree
    for key, value in entries:
        yield from _leaves(value, f"{place}.{key}" if place else str(key))


def _compared(what: str, total: int, lines: list[str]) -> Compared:
    return Compared(what, total, total - len(lines), tuple(lines[:_LISTED]))
