"""What `hsi data` says of sets of images, labelled or not: which there are and where they lie."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...commands import suggested
from ...errors import DatasetNotFoundError, UnknownNameError
from ...registry import did_you_mean
from ..catalogue import dataset_names
from ..labelled_images import IMAGE_CLASSES
from .download import say_on_stderr
from .image_sets import IMAGE_SETS, LocalImages, find_images, refuse_images
from .inventory import ABSENT, EMBEDDED, FileState, file_states
from .verification import Check


@dataclass(frozen=True)
class ImagesState:
    """A set of images, and where it lies on this machine.

    Attributes:
        name: of the set.
        local: what was found; None when it is not here.
    """

    name: str
    local: LocalImages | None

    @property
    def check(self) -> str:
        """What its checksum says, or that it is not here."""
        return self.local.check.value if self.local else ABSENT


def separate_image_sets(names: Iterable[str]) -> tuple[list[str], list[str]]:
    """Names of scenes and labelled images, and names of sets of images without labels.

    Raises:
        UnknownNameError: a name is nobody's.
    """
    scenes: list[str] = []
    images: list[str] = []
    for name in names:
        known = (*dataset_names(), *IMAGE_SETS, *IMAGE_CLASSES)
        if name not in known:
            hint = did_you_mean(name, known)
            raise UnknownNameError(
                "data set", f"unknown name {name!r}", f"one of {', '.join(known)}", hint
            )
        (images if name in IMAGE_SETS else scenes).append(name)
    return scenes, images


def images_states(names: Iterable[str]) -> list[ImagesState]:
    """Sets of images; nothing is downloaded or changed.

    Raises:
        UnknownNameError: a name is no set's.
    """
    return [ImagesState(name, find_images(name)) for name in dict.fromkeys(names)]


def refuse_image_sets(states: Iterable[ImagesState], *, absent_too: bool) -> None:
    """Refuse sets of images that are not the ones expected; see `refuse`.

    Raises:
        ChecksumError: names the wrong folder.
        DatasetNotFoundError: names the absent sets.
    """
    states = list(states)
    for state in states:
        if state.local is not None and state.local.check is Check.WRONG:
            refuse_images(state.name, state.local)
    absent = [state.name for state in states if state.local is None]
    if absent and absent_too:
        raise DatasetNotFoundError(
            ", ".join(absent),
            "not on this machine",
            "",
            f"run {suggested('data', 'fetch', *absent)}",
        )


def list_image_sets() -> list[dict[str, Any]]:
    """One entry for each registered set of images, of plain types."""
    return [_images_summary(state) for state in images_states(IMAGE_SETS)]


def describe_image_set(name: str) -> dict[str, Any]:
    """Everything known of a set of images, of plain types; nothing is downloaded.

    Raises:
        UnknownNameError: no set has this name.
    """
    [state] = images_states([name])
    known = IMAGE_SETS[name]
    return _images_summary(state) | {
        "path": str(state.local.path) if state.local else None,
        "url": known.url,
        "citation": known.citation,
    }


def _images_summary(state: ImagesState) -> dict[str, Any]:
    known = IMAGE_SETS[state.name]
    return {
        "name": state.name,
        "title": known.title,
        "images": known.count,
        "place": state.local.place if state.local else ABSENT,
        "check": state.check if state.local else "",
    }


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
        "files": [state.described() for state in states],
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
        "check": ", ".join(dict.fromkeys(state.check for state in states if state.local)),
    }
