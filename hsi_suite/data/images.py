"""Sets of photographs for training and scoring denoisers: registered ones, or any folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from ..errors import HsiSuiteError, InputFileError
from ..memory import require_room
from ..user_files import require_folder, require_regular, resolved
from .formats.cut_pictures import check_complete
from .formats.plain_tiff import is_tiff
from .formats.reading_guard import quiet_libraries
from .photographs import read_photograph
from .public.download import say_on_stderr
from .public.image_sets import (
    IMAGE_ENDINGS,
    IMAGE_SETS,
    folder_digest,
    image_paths,
    left_out,
    left_out_text,
    locate_images,
)
from .public.transfer import Say

__all__ = ["IMAGE_SETS", "Colour", "ImageSet", "load_images", "read_folder", "read_image"]

# What Pillow holds at four bytes a pixel, and what it is turned into.
_COPIES = 2

Colour = Literal["grey", "rgb"]


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


def load_images(name: str, colour: Colour = "grey", *, on_message: Say = say_on_stderr) -> ImageSet:
    """A registered set, downloaded where it is not on this machine; see `locate_images`.

    Raises:
        UnknownNameError: no set of this name.
        DatasetNotFoundError: it is not on this machine and cannot be downloaded.
        ChecksumError: the folder holds something else.
        InputFileError: an image cannot be read.
    """
    local = locate_images(name, on_message=on_message)
    return _read_all(IMAGE_SETS[name].folders[0], local.images, colour)


def read_folder(
    folder: str | Path, colour: Colour = "grey", *, on_message: Say | None = None
) -> ImageSet:
    """All images directly in a folder, in the order of their names; hidden files are left out.

    Args:
        folder: with PNG, JPEG, TIFF or BMP files.
        colour: grey (luma, ITU-R 601) or rgb; transparency is dropped.
        on_message: reports what else lies there and is left out.

    Raises:
        InputFileError: no folder, no images in it, or an image that cannot be read.
    """
    folder = Path(folder)
    require_folder(folder, "a folder of images")
    paths = image_paths(folder)
    if not paths:
        raise InputFileError(folder, "holds no images", f"files {', '.join(IMAGE_ENDINGS)}")
    if on_message is not None and (others := left_out(folder)):
        on_message(left_out_text(folder, others))
    return _read_all(resolved(folder).name, paths, colour)


def _read_all(name: str, paths: Sequence[Path], colour: Colour) -> ImageSet:
    images = tuple(read_image(path, colour) for path in paths)
    return ImageSet(name, tuple(path.name for path in paths), images, folder_digest(paths))


def read_image(path: str | Path, colour: Colour = "grey") -> NDArray[np.uint8]:
    """One image as 8-bit values; images of 16 bit are rounded to 8.

    Raises:
        InputFileError: it cannot be read, or holds floating-point values.
    """
    path = Path(path)
    require_regular(path, "an image")
    if is_tiff(path):
        return _read_tiff(path, colour)
    try:
        with quiet_libraries(), Image.open(path) as file:
            require_room(path, 4.0 * _COPIES * file.width * file.height)
            check_complete(path)
            mode = file.mode
            shallow = _to_eight_bits(file) if mode.startswith("I") else file
            values = np.asarray(shallow.convert("L" if colour == "grey" else "RGB"), np.uint8)
    except HsiSuiteError:
        raise
    except Exception as error:  # whatever Pillow raises for damaged files
        raise InputFileError(path, f"cannot be read ({_reason(error)})", "an image") from error
    if mode == "F":
        raise InputFileError(path, "holds floating-point values", "8 or 16 bits per value")
    return values


def _read_tiff(path: Path, colour: Colour) -> NDArray[np.uint8]:
    """The same of a TIFF file, of which Pillow reads few kinds."""
    photograph = read_photograph(path)
    values = photograph.values
    if values.dtype.kind == "f":
        raise InputFileError(path, "holds floating-point values", "8 or 16 bits per value")
    if values.dtype != np.uint8:
        shares = values.astype(np.float64) * (255 / photograph.header.white)
        values = np.rint(shares).clip(0, 255).astype(np.uint8)
    return np.asarray(Image.fromarray(values).convert("L" if colour == "grey" else "RGB"))


def _to_eight_bits(image: Image.Image) -> Image.Image:
    deep = np.asarray(image, np.float64) / 257
    return Image.fromarray(np.clip(np.rint(deep), 0, 255).astype(np.uint8))


def _reason(error: BaseException) -> str:
    if isinstance(error, Image.DecompressionBombError):
        return "far more pixels than a photograph has"
    if isinstance(error, UnidentifiedImageError):
        return "no image format that is known"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
