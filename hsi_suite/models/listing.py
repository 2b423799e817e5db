"""Lists of all models and blocks, which load none of them unless other packages offer some."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.metadata import entry_points
from typing import Any

from .known_blocks import BLOCKS
from .known_facts import SPECTRA, Facts
from .known_names import FACTS, NETWORKS

# `AUTO` of the configurations, which models do not know.
_AUTO = "auto"
_CHOICE = (
    "One of the best of several on spatial folds of the training pixels (hsi train --model auto)"
)
_CLASSIFIES = "classification"


def list_models() -> list[dict[str, Any]]:
    """Name, kind, task, summary and parameters (of the usual instance) of every model."""
    rows = [
        *((name, "network", task, FACTS[name]) for name, task in NETWORKS.items()),
        *((name, "network", task, facts) for name, task, facts in _networks_of_others()),
        *((name, "classical", _CLASSIFIES, facts) for name, facts in SPECTRA.items()),
        (_AUTO, "choice", _CLASSIFIES, Facts(_CHOICE)),
    ]
    return [
        {"name": name, "kind": kind, "task": task, "summary": facts.summary,
         "parameters": facts.parameters}
        for name, kind, task, facts in rows
    ]  # fmt: skip


def list_blocks() -> list[dict[str, Any]]:
    """Name, summary and preset options of every building block."""
    return [
        {"name": name, "summary": block.summary, "preset": dict(block.preset)}
        for name, block in BLOCKS.items()
    ]


def _networks_of_others() -> Iterator[tuple[str, str, Facts]]:
    """Networks of other packages, and those that a program has registered."""
    if not entry_points(group="hsi_suite.models") and f"{__package__}.registry" not in sys.modules:
        return
    from .registry import model_names, spec_of

    for name in model_names():
        if name not in NETWORKS:
            spec = spec_of(name)
            yield name, spec.task, Facts(spec.summary, spec.example_parameters)
