"""Which array of a file is the training part of a split and which the test, by name and content."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputFileError
from .formats.array_choice import size_text

# Names under which published splits keep their parts, in lower case without "_": the part, alone
# or beside what the array is.
_STEMS = {
    "train": ("train", "training", "tr"),
    "validation": ("validation", "valid", "val", "va"),
    "test": ("test", "testing", "te", "ts"),
}
_FORMS = ("", "gt", "mask", "map", "idx", "ind", "inds", "index", "indices", "indexes", "pixels")
_NAMES = {
    part: {name for stem in stems for form in _FORMS for name in (stem + form, form + stem)}
    for part, stems in _STEMS.items()
}
_NAMES["train"].add("trlabel")
_NAMES["test"].add("tslabel")
# "IP_trainMap" is made of ip, train and map.
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_MOST_NAMED = 12
Loaders = Mapping[str, Callable[[], NDArray[Any]]]


@dataclass(frozen=True)
class PartNames:
    """The names of a split's arrays, where the user says them.

    Attributes:
        train: of the training part; None: told by name and content.
        validation: likewise.
        test: likewise.
        options: whether the user can say them, so that messages may ask for it.
    """

    train: str | None = None
    validation: str | None = None
    test: str | None = None
    options: bool = False

    @property
    def split_option(self) -> str:
        """The option that names the files of a split."""
        return "--split" if self.options else "--split-file"

    def of(self, part: str) -> str | None:
        """The name of a part's array."""
        return {"train": self.train, "validation": self.validation, "test": self.test}[part]

    def remedy(self, part: str, names: Sequence[str]) -> str:
        """How to name a part's array; "" where that cannot be said."""
        if not self.options or not names:
            return ""
        rest = ", or give --rest-is-test" if part == "test" else ""
        return f"name it: --{part}-variable {names[0]}{rest}"

    def refuse(self, path: Path, parts: Iterable[str] = tuple(_NAMES)) -> None:
        """Refuse names for a file without variables.

        Args:
            path: the file.
            parts: that it can hold.

        Raises:
            InputFileError: one is given.
        """
        for part in parts:
            if (name := self.of(part)) is not None:
                found = f"--{part}-variable {name} names a variable"
                raise InputFileError(path, found, "", "this file has none: leave it out")


def named_part(
    path: Path,
    part: str,
    arrays: Loaders,
    labels: NDArray[np.integer] | None,
    names: PartNames,
) -> NDArray[Any] | None:
    """The array of a part, by the name the user says, else by a name that splits use.

    Names of that part alone (train_map, TR) come before names that hold it as a word
    (IP_train_20). Of several the one counts whose content can be pixels of the scene: a map of
    its size, or a list of its pixels without one twice.

    Args:
        path: the file, for messages.
        part: train, validation or test.
        arrays: what loads each of its arrays.
        labels: lines × samples; None where the scene is not known, so that names alone decide.
        names: what the user says.

    Returns:
        None where no name fits.

    Raises:
        InputFileError: several arrays could be meant, or the user's name is not among them.
    """
    said = names.of(part)
    if said is not None:
        if said not in arrays:
            found = f"no variable {said!r}"
            raise InputFileError(path, found, f"one of {_listed(list(arrays))}")
        return arrays[said]()
    found_names = names_of(part, arrays)
    if len(found_names) < 2:
        return arrays[found_names[0]]() if found_names else None
    loaded = {name: arrays[name]() for name in found_names} if labels is not None else {}
    fitting = [name for name in loaded if labels is not None and _fits(loaded[name], labels)]
    if len(fitting) == 1:
        return loaded[fitting[0]]
    shown = [f"{n} ({size_text(loaded[n].shape)})" if n in loaded else n for n in found_names]
    raise InputFileError(
        path,
        f"{part} twice, as {' and '.join(shown[:_MOST_NAMED])}",
        "one array for each part",
        names.remedy(part, fitting or found_names),
    )


def names_of(part: str, arrays: Iterable[str]) -> list[str]:
    """The names that can be a part's: those of it alone, else those that hold it as a word."""
    given = list(arrays)
    exact = [name for name in given if name.lower().replace("_", "") in _NAMES[part]]
    others = [words for key, words in _STEMS.items() if key != part]
    return exact or [name for name in given if _speaks_of(name, _STEMS[part], others)]


def _speaks_of(name: str, stems: Sequence[str], others: Sequence[Sequence[str]]) -> bool:
    """Whether a name holds the word of a part, and none of another."""
    words = {word.lower() for word in _WORD.findall(name)}
    return bool(words & set(stems)) and not any(words & set(each) for each in others)


def _fits(array: NDArray[Any], labels: NDArray[np.integer]) -> bool:
    """Whether an array can stand for pixels of the scene."""
    if array.dtype.kind not in "biuf":
        return False
    if array.shape == labels.shape:
        return True
    if array.dtype.kind == "b" or not array.size:
        return False
    if array.size == max(array.shape):
        flat, most = array.ravel(), labels.size
        whole = bool((flat == np.floor(flat)).all())
        return whole and 0 <= flat.min() <= flat.max() <= most and len(np.unique(flat)) == len(flat)
    return array.ndim == 2 and 2 in array.shape


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:_MOST_NAMED]) or "no arrays"
