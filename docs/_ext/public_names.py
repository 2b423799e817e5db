"""The reference of the Python interface: directives of autodoc for every public name."""

from __future__ import annotations

import inspect
from types import ModuleType
from typing import Any

import hsi_suite

MODULES = ("splits", "metrics", "models", "blocks")


def public_names() -> str:
    """What `hsi_suite` offers: estimators, functions and results, then its four modules."""
    own = {name: getattr(hsi_suite, name) for name in hsi_suite.__all__ if name not in MODULES}
    groups: dict[str, dict[str, Any]] = {
        "Estimators": {},
        "Functions": {},
        "What they take and give": {},
    }
    for name, value in own.items():
        if not inspect.isclass(value):
            groups["Functions"][name] = value
        elif hasattr(value, "get_params"):
            groups["Estimators"][name] = value
        else:
            groups["What they take and give"][name] = value
    parts = [_part(title, "hsi_suite", "", names) for title, names in groups.items()]
    return "\n\n".join([*parts, *map(_module, MODULES)])


def _module(name: str) -> str:
    module: ModuleType = getattr(hsi_suite, name)
    intro = (inspect.getdoc(module) or "").split("\n\n")[0]
    # What is documented above, as `hsi_suite.Split`, is so once.
    names = {
        each: getattr(module, each) for each in module.__all__ if each not in hsi_suite.__all__
    }
    return _part(f"hsi_suite.{name}", f"hsi_suite.{name}", intro, names)


def _part(title: str, module: str, intro: str, names: dict[str, Any]) -> str:
    entries = "\n\n".join(
        f".. {_directive(value)}:: {module}.{name}" for name, value in names.items()
    )
    return f"## {title}\n\n{intro}\n\n```{{eval-rst}}\n{entries}\n```"


def _directive(value: Any) -> str:
    if inspect.isclass(value):
        return "autoexception" if issubclass(value, BaseException) else "autoclass"
    return "autofunction" if callable(value) else "autodata"
