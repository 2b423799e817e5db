"""The page and the JSON of an audit."""

from __future__ import annotations

from pathlib import Path

from ...atomic import keeping, make_folder, write_json, write_text
from ...reports.auditing.page import audit_page
from ...reports.html import html_page
from ...reports.languages.speaking import speaking
from .audit_places import audit_paths
from .split_audit import SplitAudit


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
