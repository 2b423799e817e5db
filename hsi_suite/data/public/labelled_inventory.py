"""What `hsi data` tells of the sets of labelled images."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..labelled_images import IMAGE_CLASSES
from .download import say_on_stderr
from .inventory import ABSENT, EMBEDDED, FileState, file_states

__all__ = ["IMAGE_CLASSES", "describe_labelled_images", "list_labelled_images"]


def list_labelled_images() -> list[dict[str, Any]]:
    """One entry for each registered set of labelled images, of plain types; see `list_datasets`."""
    return [_summary(name, file_states([name])) for name in IMAGE_CLASSES]


def describe_labelled_images(name: str) -> dict[str, Any]:
    """Everything known of a set of labelled images, of plain types; nothing is downloaded.

    Raises:
        UnknownNameError: no set has this name.
    """
    known, states = IMAGE_CLASSES[name], file_states([name])
    described = _summary(name, states) | {
        "class_names": list(known.class_names),
        "citation": known.citation,
        "notes": known.notes,
        "files": [
            {
                "name": state.file.name,
                "path": str(state.local.path) if state.local else None,
                "check": state.verdict,
                "urls": list(state.file.urls),
            }
            for state in states
        ],
    }
    if not states:
        images = known.load(False, say_on_stderr)
        counts = np.bincount(images.classes, minlength=len(known.class_names))
        described["images_per_class"] = [int(count) for count in counts]
    return described


def _summary(name: str, states: list[FileState]) -> dict[str, Any]:
    known = IMAGE_CLASSES[name]
    places = [state.local.place if state.local else ABSENT for state in states] or [EMBEDDED]
    return {
        "name": name,
        "title": known.title,
        "images": known.count,
        "shape": list(known.shape),
        "classes": len(known.class_names),
        "place": ", ".join(dict.fromkeys(places)),
        "check": ", ".join(dict.fromkeys(state.verdict for state in states if state.local)),
    }
