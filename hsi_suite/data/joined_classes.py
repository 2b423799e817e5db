"""The classes of several scenes as one list, whatever numbers each scene's labels give them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import InputFileError

_NUMBERED = re.compile(r"class (\d+)")


@dataclass(frozen=True)
class SceneClasses:
    """What a scene says of its classes.

    Attributes:
        scene: its name.
        labels: lines × samples, 0 = unlabelled.
        names: one for each label from 1 on; "class 3" and so on where the labels have none.
    """

    scene: str
    labels: NDArray[np.integer]
    names: tuple[str, ...]

    @property
    def numbered(self) -> bool:
        """Whether its classes have numbers alone."""
        return all(_NUMBERED.fullmatch(name) for name in self.names)


@dataclass(frozen=True)
class JoinedClasses:
    """Classes of several scenes.

    Attributes:
        names: one for each label from 1 on.
        labels: of each scene, in this numbering.
        remarks: how they were joined, a line each.
    """

    names: tuple[str, ...]
    labels: tuple[NDArray[np.integer], ...]
    remarks: tuple[str, ...]


def join_classes(scenes: Sequence[SceneClasses]) -> JoinedClasses:
    """Labels of several scenes in one numbering.

    Classes of one name are one class; where labels have no names, those of one number. Those of
    the first scene come first, in its order, then what further scenes add.

    Raises:
        InputFileError: some scenes name their classes and others only number them, or a scene has
            a name twice.
    """
    named = [scene for scene in scenes if not scene.numbered]
    if named and len(named) < len(scenes):
        other = next(scene for scene in scenes if scene.numbered)
        raise InputFileError(
            other.scene,
            f"its labels are numbers without names, and those of {named[0].scene} have names",
            "names in all scenes, or in none",
            "give --class-names FILE, with a name for every number",
        )
    if len({scene.names for scene in scenes}) == 1:
        names = scenes[0].names
        labels = tuple(scene.labels for scene in scenes)
    else:
        for scene in scenes:
            _refuse_twice(scene)
        names = _all_names(scenes)
        labels = tuple(_renumbered(scene, names) for scene in scenes)
    how = "name" if named else "number"
    return JoinedClasses(names, labels, (*_alike(names), *_lacking(scenes, names, labels, how)))


def _refuse_twice(scene: SceneClasses) -> None:
    twice = next((name for name in scene.names if scene.names.count(name) > 1), None)
    if twice is not None:
        raise InputFileError(
            scene.scene,
            f"two of its classes are called {twice!r}",
            "a name for each, as classes of several scenes are joined by name",
            "give --class-names FILE",
        )


def _all_names(scenes: Sequence[SceneClasses]) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name for scene in scenes for name in scene.names))
    if not all(scene.numbered for scene in scenes):
        return names
    # Numbers stay what they are in the files.
    return max((scene.names for scene in scenes), key=len) if _nested(scenes) else names


def _nested(scenes: Sequence[SceneClasses]) -> bool:
    """Whether the shorter lists are the beginnings of the longest."""
    longest = max((scene.names for scene in scenes), key=len)
    return all(longest[: len(scene.names)] == scene.names for scene in scenes)


def _renumbered(scene: SceneClasses, names: tuple[str, ...]) -> NDArray[np.integer]:
    places = {name: place for place, name in enumerate(names, 1)}
    table = np.array([0, *(places[name] for name in scene.names)], np.int32)
    labels: NDArray[np.integer] = table[scene.labels]
    return labels


def _alike(names: Sequence[str]) -> list[str]:
    """A line for names that differ in capitals or spaces alone."""
    seen: dict[str, str] = {}
    found = []
    for name in names:
        first = seen.setdefault(" ".join(name.casefold().split()), name)
        if first != name:
            found.append(
                f"classes {first!r} and {name!r} count as two; if they are one, give both the "
                "same name"
            )
    return found


def _lacking(
    scenes: Sequence[SceneClasses],
    names: tuple[str, ...],
    labels: Sequence[NDArray[np.integer]],
    how: str,
) -> list[str]:
    """Which classes occur in all scenes, and which scenes lack others."""
    there = np.array([np.bincount(each.ravel(), minlength=len(names) + 1) > 0 for each in labels])
    used = np.flatnonzero(there[:, 1:].any(0))
    everywhere = int(there[:, 1:].all(0).sum())
    remarks = [
        f"classes of {len(scenes)} scenes are joined by {how}: {len(used)} in all, {everywhere} of "
        "them in every scene"
    ]
    for scene, has in zip(scenes, there[:, 1:], strict=True):
        missing = [names[label] for label in used if not has[label]]
        if missing:
            more = ", …" if len(missing) > 6 else ""
            remarks.append(f"{scene.scene} has no pixel of {', '.join(missing[:6])}{more}")
    return remarks
