"""The files of several scenes, brought to the same bands and the same scale of values."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace

import numpy as np

from ...data.band_matching import differing, require_same_bands
from ...data.band_order import with_bands, with_selection
from ...data.band_selection import same_band, settled
from ...data.learnt_bands import known_bands, with_learnt_bands
from ...data.missing_data import band_list
from ...data.readers import CubeFile
from ...data.value_scale import declared_scale, rescaled
from ...engine.observer import Observer
from ...errors import ShapeError
from ...schemas.classification import ClassificationConfig
from ...schemas.scene_data import ScenesConfig
from ..shared.settled_bands import bands_of, opened_cube, with_settled_bands

_REMEDY = (
    "--resample makes its bands those of the first training scene; or name bands that all have "
    "with --bands"
)


@dataclass(frozen=True)
class OpenScenes:
    """Files of several scenes with the same bands, in the same scale of values.

    Attributes:
        files: open, one for each scene.
        reference: which of them the others were brought to: the first training scene.
    """

    files: tuple[CubeFile, ...]
    reference: int

    def close(self) -> None:
        """Close them."""
        for file in self.files:
            file.close()


def open_scenes(config: ClassificationConfig, observer: Observer) -> OpenScenes:
    """The files of the scenes, to be closed by the caller.

    Args:
        config: names them.
        observer: reports what was done to bands and values.

    Raises:
        ShapeError: the scenes have other bands.
        HsiSuiteError: a file cannot be opened.
    """
    data = config.data
    with ExitStack() as stack:
        files = [stack.enter_context(opened_cube(data, entry.scene)) for entry in data.scenes]
        place = _first_training(config)
        chosen = _same_bands(files, place, data, observer)
        opened = OpenScenes(tuple(_same_scale(chosen, place, observer)), place)
        stack.pop_all()
    return opened


def settled_data(config: ClassificationConfig) -> ScenesConfig:
    """The section `data` with bands that stay the same whatever a file marks as bad.

    Raises:
        InputFileError: a scene cannot be opened.
        ConfigError: the choice does not suit them.
    """
    data = config.data
    if not data.scenes:
        return with_settled_bands(data)
    with ExitStack() as stack:
        files = [stack.enter_context(opened_cube(data, entry.scene)) for entry in data.scenes]
        first = files[_first_training(config)]
        alike = _alike(files, first)
        if not alike and not data.resample:
            return data
        bad = _bad_bands(files) if alike else first.bad_bands
        selection = bands_of(data, first, bad)
    return data.model_copy(update={"bands": settled(selection, data.bands, bad)})


def _first_training(config: ClassificationConfig) -> int:
    """The place of the first scene that is not held out by name."""
    held = {*config.split.test_scenes, *config.split.validation_scenes}
    names = [entry.name for entry in config.data.scenes]
    return next((place for place, name in enumerate(names) if name not in held), 0)


def _alike(files: Sequence[CubeFile], first: CubeFile) -> bool:
    """Whether all files have the same bands, number for number."""
    for file in files:
        if file.shape[2] != first.shape[2]:
            return False
        ours, theirs = first.wavelengths, file.wavelengths
        if ours is None or theirs is None:
            continue
        if float(np.abs(ours - theirs).max()) > same_band(ours):
            return False
    return True


def _bad_bands(files: Sequence[CubeFile]) -> tuple[int, ...]:
    """The bands that any file marks as bad."""
    return tuple(sorted({band for file in files for band in file.bad_bands}))


def _same_bands(
    files: Sequence[CubeFile], place: int, data: ScenesConfig, observer: Observer
) -> list[CubeFile]:
    first = files[place]
    if data.resample:
        target = with_selection(first, data.bands, drop_water=data.drop_water)
        learnt = known_bands(target)
        return [
            replace(target, remarks=file.remarks)
            if file is first
            else with_learnt_bands(file, learnt, observer, resample=True)
            for file in files
        ]
    if not _alike(files, first):
        chosen = [with_selection(f, data.bands, drop_water=data.drop_water) for f in files]
        for file in chosen:
            _require_same(file, chosen[place])
        return chosen
    bad = _bad_bands(files)
    selection = bands_of(data, first, bad)
    if selection is None:
        return list(files)
    _report_bad(files, bad, selection.bands, observer)
    bands = np.array(selection.bands)
    return [replace(with_bands(file, bands), selection=selection) for file in files]


def _report_bad(
    files: Sequence[CubeFile], bad: Sequence[int], used: Sequence[int], observer: Observer
) -> None:
    """Say where scenes mark different bands as bad, and that all of them are left out."""
    left = set(bad) - set(used)
    if not left or len({file.bad_bands for file in files}) == 1:
        return
    marks = "; ".join(
        f"{file.path.name} marks {band_list(file.bad_bands) if file.bad_bands else 'none'}"
        for file in files
    )
    observer.message(f"bands that any scene marks as bad are left out of all ({marks})")


def _require_same(file: CubeFile, first: CubeFile) -> None:
    given, wanted = known_bands(file), known_bands(first)
    name = file.path.name
    try:
        if given.count != wanted.count:
            found = f"{given.count} bands"
            if given.wavelengths is not None:
                found = differing(given, wanted)
            raise ShapeError(name, found, f"the {wanted.count} bands of {first.path.name}")
        require_same_bands(name, given, wanted)
    except ShapeError as error:
        found = error.found
        for words in ("those the model learnt", "those learnt"):
            found = found.replace(words, f"those of {first.path.name}")
        raise ShapeError(name, found, error.expected, _REMEDY) from None


def _same_scale(files: Sequence[CubeFile], place: int, observer: Observer) -> list[CubeFile]:
    """The files with values that stand for the same, where they declare what theirs mean."""
    wanted = declared_scale(files[place])
    changed = []
    for file in files:
        given = declared_scale(file)
        if given is not None and wanted is not None and not given.equals(wanted):
            observer.message(
                f"{file.path.name}: values are brought to the scale of {files[place].path.name}, "
                f"as both declare theirs (times {given.change_to(wanted)})"
            )
            file = rescaled(file, given, wanted)
        changed.append(file)
    return changed
