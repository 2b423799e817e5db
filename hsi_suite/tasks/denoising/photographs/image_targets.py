"""Where the results of photographs go, and as what kind of file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ....data.photograph_endings import KINDS, LOSSY_ENDINGS, OTHER_ENDINGS
from ....errors import ConfigError, OutputError
from ..image_files import SUFFIX, place_in_tree

if TYPE_CHECKING:
    from ....data.photographs import PhotographHeader


@dataclass(frozen=True)
class Targets:
    """Where results go.

    Attributes:
        output: a file for one image, or a folder; None for beside each image.
        alone: whether the inputs name one image, so that `output` may be a file.
        folders: that were given; below `output` results lie as their images do in these.
        kind: of the files, one of `photograph_endings.KINDS`; None for what suits the image.
        quality: of the files, 1 to 100; None for what suits them.
    """

    output: str | Path | None
    alone: bool
    folders: Sequence[Path] = ()
    kind: str | None = None
    quality: int | None = None

    @property
    def file(self) -> Path | None:
        """The one file that the output is; None for a folder or none."""
        if self.output is None or not self.alone or is_folder(self.output):
            return None
        return Path(self.output)

    def check(self) -> None:
        """Refuse what contradicts itself.

        Raises:
            OutputError: one file for several images.
            ConfigError: a kind that is not that of the output's name, or a quality of files that
                have none.
        """
        if self.output is not None and not self.alone and not is_folder(self.output):
            raise OutputError(self.output, "is one file for several images", "a folder")
        named = None if self.file is None else self.file.suffix.lower()
        if self.kind is not None and named is not None and not _is_of(named, self.kind):
            raise ConfigError(
                "--format", f"{self.kind} for {self.file}", "one kind", "leave one of the two out"
            )
        ending = named or KINDS.get(self.kind or "")
        if self.quality is not None and ending not in LOSSY_ENDINGS:
            what = "without the kind of file" if ending is None else f"given for {ending} files"
            raise ConfigError(
                "--quality", what, "JPEG, WebP or AVIF", "add --format jpeg, or name a .jpg with -o"
            )

    def of(self, source: Path, header: PhotographHeader, *, in_full: bool = False) -> Path:
        """Where the result of an image goes; its name may keep the image's in full."""
        if (file := self.file) is not None:
            return file
        name = f"{source.name if in_full else source.stem}{SUFFIX}{self._ending(header)}"
        if self.output is None:
            return source.with_name(name)
        return Path(self.output) / place_in_tree(source, self.folders) / name

    def _ending(self, header: PhotographHeader) -> str:
        if self.kind is not None:
            return KINDS[self.kind]
        partial = header.dtype == np.uint16 and header.white < np.iinfo(np.uint16).max
        floats = header.dtype == np.float32
        return ".tif" if floats or header.georeferenced or partial or header.pages > 1 else ".png"


def is_folder(output: str | Path) -> bool:
    """Whether an output is meant as a folder."""
    return Path(output).is_dir() or str(output).endswith("/") or not Path(output).suffix


def _is_of(ending: str, kind: str) -> bool:
    return ending == KINDS[kind] or OTHER_ENDINGS.get(ending) == kind
