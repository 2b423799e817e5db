"""The page and the JSON of an audit."""

from __future__ import annotations

from pathlib import Path

from ...atomic import keeping, make_folder, write_json, write_text
from ...errors import OutputError
from ...reports.auditing.page import audit_page
from ...reports.html import html_page
from ...reports.languages.speaking import speaking
from .split_audit import SplitAudit

_ENDINGS = (".html", ".htm")


def audit_paths(page: Path | str) -> tuple[Path, Path]:
    """Where the page and the JSON of an audit lie.

    Raises:
        OutputError: the name is none of a page.
    """
    path = Path(page)
    if path.suffix.lower() not in _ENDINGS:
        raise OutputError(path, "is not the name of a page", "a name that ends in .html")
    return path, path.with_suffix(".json")


def write_audit(
    found: SplitAudit, page: Path | str, *, overwrite: bool = False
) -> tuple[Path, Path]:
    """Write the page of an audit, and its JSON beside it.

    Returns:
        Both paths.

    Raises:
        OutputError: the name is none of a page, or the place cannot be written.
        ExistingOutputError: one of them is there already.
    """
    path, data = audit_paths(page)
    split, flat = found.parts.split, found.labels.ravel()
    truth = flat[split.test]
    right = {"position": found.guessed == truth}
    if found.predictions is not None:
        right["map"] = found.predictions.ravel()[split.test] == truth
    parts = {"train": split.train, "validation": split.validation, "test": split.test}
    with keeping((path, data), overwrite=overwrite, together=True):
        with speaking("audit"):
            text = html_page(audit_page(found.facts, found.labels, parts, right))
        make_folder(path.parent)
        write_json(data, found.facts)
        write_text(path, text)
    return path, data
