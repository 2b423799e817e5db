"""Images with one class each: what they are in memory, and the registered sets."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..errors import UnknownNameError
from ..registry import Registry, did_you_mean
from .cifar import CIFAR10_ARCHIVE, CIFAR10_CLASSES, read_cifar10
from .public.download import locate, say_on_stderr
from .public.transfer import Say
from .public.verification import RemoteFile

Part = Literal["train", "validation", "test"]
Pixels = NDArray[np.uint8]
Colour = Literal["grey", "rgb"]

_DIGITS_WHITE = 16


@dataclass(frozen=True, eq=False)
class LabelledImages:
    """Images of any sizes in memory, each of one class.

    Attributes:
        name: of the registered set or the folder.
        class_names: the classes, in the order of a model's outputs.
        pixels: the pixels of all images one after the other, line by line: P × channels, uint8.
        shapes: lines and samples of each image, N × 2.
        classes: class index of each image, N.
        names: what each image is called, N.
        given: indices of the images by part, as their distributor divided them; empty where
            nobody has. With "test" alone beside "train", validation is still to be set apart.
        checksums: SHA-256 by file name, of a folder as a whole under "images".
        unverified: files of a registered set that no published checksum vouches for.
    """

    name: str
    class_names: tuple[str, ...]
    pixels: Pixels
    shapes: NDArray[np.int64]
    classes: NDArray[np.int64]
    names: Sequence[str]
    given: Mapping[Part, NDArray[np.int64]] = field(default_factory=dict)
    checksums: Mapping[str, str] = field(default_factory=dict)
    unverified: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.classes)

    @property
    def channels(self) -> int:
        """1 for grey, 3 for RGB."""
        return int(self.pixels.shape[1])

    @cached_property
    def offsets(self) -> NDArray[np.int64]:
        """Index of each image's first pixel in `pixels`, N."""
        counts = self.shapes.prod(1)
        offsets: NDArray[np.int64] = np.cumsum(counts) - counts
        return offsets

    def image(self, index: int) -> Pixels:
        """One image, lines × samples × channels."""
        first, shape = int(self.offsets[index]), self.shapes[index]
        return self.pixels[first : first + int(shape.prod())].reshape(*shape, self.channels)


@dataclass(frozen=True)
class RegisteredImageClasses:
    """A set of labelled images that can be named.

    Attributes:
        title: how people call it.
        count: number of images.
        shape: lines, samples and channels of each.
        class_names: the classes, in the order of their numbers.
        files: what it is made of; empty for the embedded one.
        citation: where it comes from.
        load: reads it; called with `allow_unverified` and `on_message`.
        notes: what else a user should know.
    """

    title: str
    count: int
    shape: tuple[int, int, int]
    class_names: tuple[str, ...]
    files: tuple[RemoteFile, ...]
    citation: str
    load: Callable[[bool, Say], LabelledImages]
    notes: str = ""


def from_blocks(
    name: str,
    class_names: tuple[str, ...],
    images: Pixels,
    classes: NDArray[np.int64],
    given: Mapping[Part, NDArray[np.int64]],
    checksums: Mapping[str, str],
) -> LabelledImages:
    """Images of one size, N × lines × samples × channels, named by their numbers."""
    number, lines, samples, channels = images.shape
    return LabelledImages(
        name=name,
        class_names=class_names,
        pixels=images.reshape(-1, channels),
        shapes=np.tile(np.array([[lines, samples]]), (number, 1)),
        classes=classes,
        names=[str(index) for index in range(number)],
        given=given,
        checksums=checksums,
    )


def _load_cifar10(allow_unverified: bool, say: Say) -> LabelledImages:
    (local,) = locate([CIFAR10_ARCHIVE], allow_unverified=allow_unverified, on_message=say)
    images, classes, test = read_cifar10(local.path)
    given: dict[Part, NDArray[np.int64]] = {
        "train": np.flatnonzero(~test),
        "test": np.flatnonzero(test),
    }
    checksums = {CIFAR10_ARCHIVE.name: local.sha256}
    found = from_blocks("cifar10", CIFAR10_CLASSES, images, classes, given, checksums)
    return found if local.verified else replace(found, unverified=(CIFAR10_ARCHIVE.name,))


def _load_digits(allow_unverified: bool, say: Say) -> LabelledImages:
    from sklearn.datasets import load_digits

    values, classes = load_digits(return_X_y=True)
    scaled = np.rint(values * (255 / _DIGITS_WHITE)).astype(np.uint8)
    digest = hashlib.sha256(scaled.tobytes() + classes.astype("<i8").tobytes()).hexdigest()
    return from_blocks(
        "digits",
        tuple(map(str, range(10))),
        scaled.reshape(-1, 8, 8, 1),
        classes.astype(np.int64),
        {},
        {"digits": digest},
    )


IMAGE_CLASSES: Registry[RegisteredImageClasses] = Registry("data set")
IMAGE_CLASSES.add(
    "digits",
    RegisteredImageClasses(
        title="Handwritten digits, as scikit-learn brings them",
        count=1797,
        shape=(8, 8, 1),
        class_names=tuple(map(str, range(10))),
        files=(),
        citation="E. Alpaydin, C. Kaynak: Optical Recognition of Handwritten Digits. UCI Machine "
        "Learning Repository, 1998. doi:10.24432/C50P49. The 1,797 digits of its test part.",
        load=_load_digits,
        notes="Divided at random: nobody's test part. The same 13 writers are on both sides.",
    ),
)
IMAGE_CLASSES.add(
    "cifar10",
    RegisteredImageClasses(
        title="CIFAR-10, small photographs of ten kinds of things",
        count=60_000,
        shape=(32, 32, 3),
        class_names=CIFAR10_CLASSES,
        files=(CIFAR10_ARCHIVE,),
        citation="A. Krizhevsky: Learning Multiple Layers of Features from Tiny Images. Technical "
        "report, University of Toronto, 2009. https://www.cs.toronto.edu/~kriz/cifar.html",
        load=_load_cifar10,
        notes="Its own test part of 10,000 images is used for final scores only. The archive's "
        "MD5, as its page states, is c32a1d4ab5d03f1284b67883e8d87530.",
    ),
)


def load_labelled_images(
    name: str, *, allow_unverified: bool = False, on_message: Say = say_on_stderr
) -> LabelledImages:
    """A registered set of labelled images, downloaded where it is not on this machine.

    Args:
        name: digits or cifar10.
        allow_unverified: use a file whose checksum is wrong, and say so.
        on_message: reports downloads and everything that was not verified.

    Raises:
        UnknownNameError: no set of this name.
        ChecksumError: a file is not the one expected.
        DatasetNotFoundError: it is on no disk and cannot be downloaded.
        InputFileError: a file does not hold what it should.
    """
    if name not in IMAGE_CLASSES:
        hint = did_you_mean(name, IMAGE_CLASSES, "or name a folder (data.folder)", most=1)
        known = ", ".join(IMAGE_CLASSES)
        raise UnknownNameError("data set", f"no images called {name!r}", f"one of {known}", hint)
    return IMAGE_CLASSES[name].load(allow_unverified, on_message)


def recoloured(images: LabelledImages, colour: Colour) -> LabelledImages:
    """The images as grey values (luma, ITU-R 601) or as RGB; unchanged if they are so already."""
    channels = 1 if colour == "grey" else 3
    if images.channels == channels:
        return images
    if channels == 3:
        pixels = np.repeat(images.pixels, 3, axis=1)
    else:
        # As one picture of a single column: Pillow has the same rounding for every image.
        column = Image.fromarray(np.ascontiguousarray(images.pixels[:, None]))
        pixels = np.asarray(column.convert("L"), np.uint8).reshape(-1, 1)
    return replace(images, pixels=pixels)


def resized(images: LabelledImages, shorter_side: int) -> LabelledImages:
    """The images with their shorter side brought to a length, antialiased, the aspect kept."""
    pixels, shapes = [], []
    for index in range(len(images)):
        image = resize_image(images.image(index), shorter_side)
        shapes.append(image.shape[:2])
        pixels.append(image.reshape(-1, images.channels))
    return replace(images, pixels=np.concatenate(pixels), shapes=np.array(shapes, np.int64))


def resize_image(image: Pixels, shorter_side: int) -> Pixels:
    """One image (lines × samples × channels) with its shorter side brought to a length.

    Pillow's bicubic filter, which widens with the step and so keeps fine patterns from aliasing.
    """
    lines, samples = image.shape[:2]
    scale = shorter_side / min(lines, samples)
    size = (max(1, round(samples * scale)), max(1, round(lines * scale)))
    if size == (samples, lines):
        return image
    flat = image[..., 0] if image.shape[2] == 1 else image
    changed = Image.fromarray(np.ascontiguousarray(flat)).resize(size, Image.Resampling.BICUBIC)
    return np.asarray(changed, np.uint8).reshape(size[1], size[0], image.shape[2])
