"""Sets of photographs for training and scoring denoisers: registered ones, or any folder."""

from __future__ import annotations

import hashlib
import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from ..errors import ChecksumError, DatasetNotFoundError, InputFileError, UnknownNameError
from ..registry import nearest_names
from .public.download import DATA_VARIABLE, data_folder

Colour = Literal["grey", "rgb"]
SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp")

# What Pillow really raises for files that are cut short, empty or of another kind.
_BROKEN = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    struct.error,
    zlib.error,
    IndexError,
    KeyError,
    TypeError,
    Image.DecompressionBombError,
)


@dataclass(frozen=True)
class RegisteredImages:
    """A public set of images.

    Attributes:
        folders: names its folder may have.
        count: number of images.
        sha256: digest of names and contents as of `ImageSet`; None where it is not known.
        citation: where it comes from.
    """

    folders: tuple[str, ...]
    count: int
    sha256: str | None
    citation: str


IMAGE_SETS: dict[str, RegisteredImages] = {
    "train400": RegisteredImages(
        folders=("Train400",),
        count=400,
        sha256="ed2547d0d9f5a7a34741e368ee2b03b9a7354ee432d7d2772221391b50675822",
        citation="BSD500 training crops as used for DnCNN (Zhang et al., TIP 2017)",
    ),
    "cbsd432": RegisteredImages(
        folders=("CBSD432",),
        count=432,
        sha256=None,
        citation="432 colour images of BSD500, without those of BSD68 (Zhang et al., TIP 2017)",
    ),
    "set12": RegisteredImages(
        folders=("Set12",),
        count=12,
        sha256="8055ac8859ffd66d9e8fd4e2dd171a22821b227dbae26757364f51f4ec966629",
        citation="12 grey photographs, for scores only (Zhang et al., TIP 2017)",
    ),
    "bsd68": RegisteredImages(
        folders=("BSD68", "Set68"),
        count=68,
        sha256=None,
        citation="68 grey images of BSD, for scores only (Roth and Black, IJCV 2009)",
    ),
}


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Images in memory.

    Attributes:
        name: of the registered set or the folder.
        names: file name of each image, sorted.
        images: lines × samples of uint8 each; of rgb sets lines × samples × 3.
        sha256: one digest of all names and contents.
    """

    name: str
    names: tuple[str, ...]
    images: tuple[NDArray[np.uint8], ...]
    sha256: str

    def __len__(self) -> int:
        return len(self.images)


def load_images(name: str, colour: Colour = "grey") -> ImageSet:
    """A registered set, looked for by its folder's name below `HSI_DATA_DIR`.

    Raises:
        UnknownNameError: no set of this name.
        DatasetNotFoundError: it is not on this machine.
        ChecksumError: the folder holds something else.
        InputFileError: an image cannot be read.
    """
    if name not in IMAGE_SETS:
        near = nearest_names(name, IMAGE_SETS)
        hint = f"did you mean {' or '.join(near)}?" if near else "or name a folder of your own"
        known = ", ".join(IMAGE_SETS)
        raise UnknownNameError("image set", f"unknown name {name!r}", f"one of {known}", hint)
    known_set = IMAGE_SETS[name]
    folder = _find_folder(known_set.folders)
    if folder is None:
        raise DatasetNotFoundError(
            name,
            "not on this machine",
            f"a folder {known_set.folders[0]} below {DATA_VARIABLE}",
            f"put its {known_set.count} images there",
        )
    found = read_folder(folder, colour)
    if len(found) != known_set.count:
        raise ChecksumError(folder, f"{len(found)} images", f"the {known_set.count} of {name}")
    if known_set.sha256 is not None and found.sha256 != known_set.sha256:
        raise ChecksumError(
            folder, f"SHA-256 {found.sha256}", known_set.sha256, f"replace it by the real {name}"
        )
    return ImageSet(known_set.folders[0], found.names, found.images, found.sha256)


def read_folder(folder: str | Path, colour: Colour = "grey") -> ImageSet:
    """All images directly in a folder, in the order of their names.

    Args:
        folder: with PNG, JPEG, TIFF or BMP files.
        colour: grey (luma, ITU-R 601) or rgb; transparency is dropped.

    Raises:
        InputFileError: no folder, no images in it, or an image that cannot be read.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputFileError(folder, "no such folder", "a folder of images")
    paths = sorted(p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES and p.is_file())
    if not paths:
        raise InputFileError(folder, "holds no images", f"files {', '.join(SUFFIXES)}")
    digest = hashlib.sha256()
    images = []
    for path in paths:
        images.append(read_image(path, colour))
        digest.update(f"{path.name}\n".encode() + hashlib.sha256(path.read_bytes()).digest())
    names = tuple(path.name for path in paths)
    return ImageSet(folder.resolve().name, names, tuple(images), digest.hexdigest())


def read_image(path: str | Path, colour: Colour = "grey") -> NDArray[np.uint8]:
    """One image as 8-bit values; images of 16 bit are rounded to 8.

    Raises:
        InputFileError: it cannot be read, or holds floating-point values.
    """
    path = Path(path)
    try:
        with Image.open(path) as file:
            mode = file.mode
            shallow = _to_eight_bits(file) if mode.startswith("I") else file
            values = np.asarray(shallow.convert("L" if colour == "grey" else "RGB"), np.uint8)
    except _BROKEN as error:
        raise InputFileError(path, f"cannot be read ({_reason(error)})", "an image") from error
    if mode == "F":
        raise InputFileError(path, "holds floating-point values", "8 or 16 bits per value")
    return values


def _to_eight_bits(image: Image.Image) -> Image.Image:
    deep = np.asarray(image, np.float64) / 257
    return Image.fromarray(np.clip(np.rint(deep), 0, 255).astype(np.uint8))


def _reason(error: BaseException) -> str:
    if isinstance(error, Image.DecompressionBombError):
        return "far more pixels than a photograph has"
    if isinstance(error, UnidentifiedImageError):
        return "no image format that is known"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _find_folder(names: tuple[str, ...]) -> Path | None:
    root = data_folder()
    if root is None:
        return None
    return next((path for path in _folders(root) if path.name in names), None)


def _folders(root: Path) -> Iterator[Path]:
    for parent, folders, _ in os.walk(root):
        folders.sort()
        yield Path(parent)
