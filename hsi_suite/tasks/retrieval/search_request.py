"""What a search is asked for, and where: checked before torch is loaded, which takes seconds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import ConfigError, InputFileError
from ...user_files import require_folder

if TYPE_CHECKING:
    from ...data.field_spectra import Units

INDEX = "index.json"
AN_INDEX = "an index that `hsi retrieve index` made"
_MAKE_ONE = "make one with `hsi retrieve index`"


@dataclass(frozen=True)
class Query:
    """What is looked for; exactly one of spectrum, patch and pixel.

    Attributes:
        spectrum: a table or an ENVI spectral library.
        name: which of its spectra.
        units: of its values; None reads them from the file.
        scale: the scene's value of a reflectance of 1; None takes it from the run.
        patch: a picture or cube.
        at: X and Y in it, from 0; None for its middle.
        pixel: line and sample of the gallery, from 0.
        resample: make the bands that the run learnt of those of the patch's sensor.
    """

    spectrum: str | None = None
    name: str | None = None
    units: Units | None = None
    scale: float | None = None
    patch: str | None = None
    at: tuple[int, int] | None = None
    pixel: tuple[int, int] | None = None
    resample: bool = False

    def check(self) -> None:
        """Refuse what is no one query.

        Raises:
            ConfigError: none or several are given, an option of another, or a place before 0.
        """
        wanted = (("--spectrum", self.spectrum), ("--patch", self.patch), ("--pixel", self.pixel))
        given = [name for name, value in wanted if value is not None]
        if len(given) != 1:
            found = f"{' and '.join(given)} given" if given else "none given"
            raise ConfigError("--spectrum, --patch, --pixel", found, "one of them")
        for option, value, other in (
            ("--name", self.name, "--spectrum"),
            ("--units", self.units, "--spectrum"),
            ("--scale", self.scale, "--spectrum"),
            ("--at", self.at, "--patch"),
            ("--resample", self.resample or None, "--patch"),
        ):
            if value is not None and given != [other]:
                raise ConfigError(option, f"given with {given[0]}", f"{other}, to which it belongs")
        if self.at is not None and min(self.at) < 0:
            raise ConfigError("--at", ",".join(map(str, self.at)), "X and Y from 0")


def require_index(path: Path) -> Path:
    """The file that says what the index in a folder is.

    Raises:
        InputFileError: there is no such folder, or it holds no index.
    """
    require_folder(path, AN_INDEX, _MAKE_ONE)
    if not (path / INDEX).exists():
        raise InputFileError(path, f"holds no {INDEX}", AN_INDEX, _MAKE_ONE)
    return path / INDEX
