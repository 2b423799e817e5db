"""What `hsi data` says: which data sets there are, where their files lie, what they hold."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...commands import suggested
from ...errors import ChecksumError, DatasetNotFoundError
from ..catalogue import check_dataset_name, dataset_names, load_dataset, public_scenes
from ..labelled_images import IMAGE_CLASSES
from ..scene import Scene
from ..synthetic_recipes import SYNTHETIC_RECIPES
from ..wavelengths import wavelength_span
from .download import find
from .verification import Check, LocalFile, RemoteFile

EMBEDDED = "embedded"
ABSENT = "not here"
NO_CHECKSUM = "unverifiable: no published checksum"


@dataclass(frozen=True)
class FileState:
    """A file of a public scene, and where it lies on this machine.

    Attributes:
        dataset: the first data set asked for that uses it.
        file: what it should be.
        local: what was found; None when it is not here.
    """

    dataset: str
    file: RemoteFile
    local: LocalFile | None

    @property
    def check(self) -> str:
        """What its checksum says, or that it is not here."""
        return self.local.check.value if self.local else ABSENT

    def described(self) -> dict[str, Any]:
        """Plain values, as `hsi data info` shows them."""
        return {
            "name": self.file.name,
            "path": str(self.local.path) if self.local else None,
            "check": self.check,
            "urls": list(self.file.urls),
        }


def file_states(names: Iterable[str]) -> list[FileState]:
    """The files of public scenes and labelled images, each once; nothing is changed.

    Args:
        names: data sets; synthetic and embedded ones have no files.

    Raises:
        UnknownNameError: a name is no data set's.
    """
    states: dict[str, FileState] = {}
    for name in names:
        if name not in IMAGE_CLASSES:
            check_dataset_name(name)
        known = next(
            (sets[name] for sets in (public_scenes(), IMAGE_CLASSES) if name in sets), None
        )
        for file in known.files if known else ():
            if file.name not in states:
                states[file.name] = FileState(name, file, find(file))
    return list(states.values())


def refuse(states: Iterable[FileState], *, absent_too: bool) -> None:
    """Refuse files that are not the ones expected.

    Args:
        states: the files.
        absent_too: refuse files that are not here as well.

    Raises:
        ChecksumError: names the wrong files.
        DatasetNotFoundError: names the absent ones.
    """
    states = list(states)
    for state in states:
        if state.local is not None and state.local.check is Check.WRONG:
            local = state.local
            remedy = f"replace it by {state.file.source}"
            found = f"its {local.kind} is {local.found}"
            raise ChecksumError(local.path, found, local.expected, remedy)
    absent = [state for state in states if state.local is None]
    if absent and absent_too:
        sets = dict.fromkeys(state.dataset for state in absent)
        raise DatasetNotFoundError(
            ", ".join(state.file.name for state in absent),
            "not on this machine",
            "",
            f"run {suggested('data', 'fetch', *sets)}",
        )


def list_datasets() -> list[dict[str, Any]]:
    """One entry for each data set, of plain types.

    `place` is "embedded", "folder" (`HSI_DATA_DIR`), "cache", both of these, "1 of 2 files" or
    "not here"; `check` is what the checksums say, "" where no file is;
    `trust` is there where nobody publishes them.
    """
    return [_summary(name, file_states([name])) for name in dataset_names()]


def describe_dataset(name: str) -> dict[str, Any]:
    """Everything known of a data set, of plain types; nothing is downloaded.

    The type and the number of pixels of each class are there only when the files are.

    Raises:
        UnknownNameError: no data set is called `name`.
        InputFileError: a file does not hold what it should.
    """
    states = file_states([name])
    described = _summary(name, states)
    if name in SYNTHETIC_RECIPES:
        return described | _contents(load_dataset(name))
    public = public_scenes()[name]
    described |= {
        "sensor": public.sensor,
        "class_names": list(public.class_names),
        "wavelengths_nm": wavelength_span(public.wavelengths() if public.wavelengths else None),
        "wavelengths_approximate": public.approximate_wavelengths,
        "false_colour": list(public.false_colour),
        "default_config": public.default_config,
        "citation": public.citation,
        "notes": public.notes,
        "files": [state.described() for state in states],
    }
    here = {state.file.name: state.local for state in states if state.local}
    if len(here) == len(states) and all(each.check is not Check.WRONG for each in here.values()):
        described |= _contents(public.read(here))
    return described


def _summary(name: str, states: list[FileState]) -> dict[str, Any]:
    if name in SYNTHETIC_RECIPES:
        recipe = SYNTHETIC_RECIPES[name]
        title, classes = "Synthetic farmland, generated, not recorded", len(recipe.classes)
        shape = [*recipe.shape, recipe.bands]
        places = [EMBEDDED]
    else:
        public = public_scenes()[name]
        title, classes, shape = public.title, len(public.class_names), list(public.shape)
        places = [state.local.place for state in states if state.local]
        if len(places) < len(states):
            places = [f"{len(places)} of {len(states)} files" if places else ABSENT]
    return {
        "name": name,
        "title": title,
        "shape": shape,
        "classes": classes,
        "place": ", ".join(dict.fromkeys(places)),
        "check": ", ".join(dict.fromkeys(state.check for state in states if state.local)),
        **({} if all(state.file.published for state in states) else {"trust": NO_CHECKSUM}),
    }


def _contents(scene: Scene) -> dict[str, Any]:
    contents: dict[str, Any] = {
        "dtype": str(scene.cube.dtype),
        "class_names": list(scene.class_names),
        "wavelengths_nm": wavelength_span(scene.wavelengths),
    }
    if scene.companions:
        contents["companions"] = list(scene.companions)
    if scene.labels is not None:
        counts = np.bincount(scene.labels.ravel(), minlength=len(scene.class_names) + 1)
        contents["unlabelled"] = int(counts[0])
        contents["pixels"] = [int(count) for count in counts[1:]]
    return contents
