"""Puts what the package knows of itself into the pages, where they ask for it.

A page asks by a line `<!-- generated: WHAT -->`; on GitHub the line is not seen. What is asked for
is Markdown, made from the registries, the commands, the schemas or the public names.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import command_pages
import configuration_pages
import public_names
import registry_tables
import sidebar

ASKED = re.compile(r"^<!-- generated: ([a-z_ ]+) -->$", re.MULTILINE)
ROUTING = re.compile(r"set_\w+_request")
_INDEX = (
    '<!doctype html><meta charset="utf-8"><title>hsi_suite</title>'
    '<meta http-equiv="refresh" content="0; url={0}.html"><a href="{0}.html">hsi_suite</a>\n'
)
GENERATED: dict[str, Callable[[], str]] = {
    "sidebar": sidebar.sidebar,
    "commands": command_pages.commands,
    "configurations": configuration_pages.configurations,
    "keys": configuration_pages.keys,
    "public names": public_names.public_names,
    "networks": registry_tables.networks,
    "classical models": registry_tables.classical_models,
    "blocks": registry_tables.blocks,
    "scenes": registry_tables.scenes,
    "image sets": registry_tables.image_sets,
    "labelled images": registry_tables.labelled_images,
    "formats": registry_tables.formats,
    "noise kinds": registry_tables.noise_kinds,
    "measures": registry_tables.measures,
}


def filled(text: str) -> str:
    """A page with everything it asks for.

    Raises:
        KeyError: it asks for what nobody makes.
    """
    return ASKED.sub(lambda asked: GENERATED[asked[1]](), text)


def _fill(app: Any, name: str, content: list[str]) -> None:
    content[0] = filled(content[0])


def _skip(app: Any, what: str, name: str, value: Any, skipped: bool, options: Any) -> bool | None:
    """Leave out what scikit-learn adds to its estimators: it is not ours, and needs its pages."""
    return True if ROUTING.fullmatch(name) else None


def _whole_sentence(
    app: Any, what: str, name: str, value: Any, options: Any, lines: list[str]
) -> None:
    """Undo what napoleon makes of a property: it takes what stands before a colon for a type."""
    if what == "property" and any(line.startswith(":type:") for line in lines):
        lines[:] = [*(inspect.getdoc(value) or "").splitlines(), ""]


def _front_door(app: Any, error: Exception | None) -> None:
    """An index.html where everybody looks for one."""
    if error is None and app.builder.format == "html":
        Path(app.outdir, "index.html").write_text(_INDEX.format(app.config.root_doc), "utf-8")


def setup(app: Any) -> dict[str, bool]:
    """Called by Sphinx."""
    app.setup_extension("sphinx.ext.autodoc")
    app.connect("source-read", _fill)
    app.connect("autodoc-skip-member", _skip)
    app.connect("autodoc-process-docstring", _whole_sentence, priority=900)
    app.connect("build-finished", _front_door)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
