"""A folder with one sub-folder of images per class, divided into parts or not."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ..checksums import hash_file
from ..errors import InputFileError
from ..user_files import require_folder, resolved
from .images import Colour, read_image
from .labelled_images import LabelledImages, Part, Pixels, resize_image
from .public.image_sets import IMAGE_ENDINGS, image_paths, left_out, left_out_text
from .public.transfer import Say

_PARTS: dict[str, Part] = {
    "train": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
}
_LAYOUT = "one sub-folder of images per class, or train/ and test/ with such sub-folders"
# Longer ones would grow beyond measure when their shorter side is brought to a length.
_LONGEST = 50


def read_class_folder(
    folder: str | Path, *, colour: Colour, shorter_side: int, on_message: Say
) -> LabelledImages:
    """The images of a folder whose sub-folders are classes, sorted by name.

    Where a sub-folder is called train, it and test, val, valid or validation beside it are the
    parts, and the classes are one level below. Images of val without test are the test part:
    what is not learnt from is for scores, and validation is set apart from training.

    Args:
        folder: with PNG, JPEG, TIFF or BMP files in the classes' sub-folders; other and hidden
            files are left out.
        colour: grey (luma, ITU-R 601) or rgb.
        shorter_side: that every image is resized to, antialiased, its aspect kept.
        on_message: reports how many images are read.

    Raises:
        InputFileError: no folder, no classes, a class without images, a class of the test part
            that is not in training, or an image that cannot be read; names it.
    """
    folder = Path(folder)
    require_folder(folder, _LAYOUT)
    files = list(_listed(folder))
    class_names = sorted({path.parent.name for part, path in files if part in ("", "train")})
    _check_classes(folder, files, class_names)
    for parent in dict.fromkeys(path.parent for _, path in files):
        if others := left_out(parent):
            on_message(left_out_text(parent, others))
    on_message(f"{folder}: reading {len(files):,} images of {len(class_names)} classes")
    digest = hashlib.sha256()
    blocks: list[Pixels] = []
    shapes = []
    for _, path in files:
        image = _read(path, colour, shorter_side)
        blocks.append(image.reshape(-1, image.shape[2]))
        shapes.append(image.shape[:2])
        name = path.relative_to(folder).as_posix().encode("utf-8", "surrogateescape")
        digest.update(name + b"\n" + bytes.fromhex(hash_file(path)))
    parts = np.array([part for part, _ in files])
    return LabelledImages(
        name=resolved(folder).name,
        class_names=tuple(class_names),
        pixels=np.concatenate(blocks),
        shapes=np.array(shapes, np.int64),
        classes=np.array([class_names.index(path.parent.name) for _, path in files], np.int64),
        names=[str(path.relative_to(folder)) for _, path in files],
        given={part: np.flatnonzero(parts == part) for part in _PARTS.values() if part in parts},
        checksums={"images": digest.hexdigest()},
    )


def _listed(folder: Path) -> Iterator[tuple[Part | str, Path]]:
    """Every image with its part, "" where the folder is not divided."""
    named = {path.name.lower(): path for path in _folders(folder)}
    divided = "train" in named and bool(_folders(named["train"]))
    if not divided:
        yield from (("", path) for path in _images(folder))
        return
    parts = {_PARTS[name] for name in named if name in _PARTS}
    for name, path in named.items():
        if name not in _PARTS:
            raise InputFileError(path, "stands beside train/", f"only {', '.join(_PARTS)} there")
        part = _PARTS[name]
        if part == "validation" and "test" not in parts:
            part = "test"
        yield from ((part, image) for image in _images(path))


def _images(folder: Path) -> Iterator[Path]:
    classes = _folders(folder)
    if not classes:
        raise InputFileError(folder, "has no sub-folders", _LAYOUT)
    for each in classes:
        images = image_paths(each)
        if not images:
            raise InputFileError(
                each,
                "holds no images",
                f"files {', '.join(IMAGE_ENDINGS)}",
                "remove the empty class",
            )
        yield from images


def _folders(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))


def _check_classes(
    folder: Path, files: list[tuple[Part | str, Path]], class_names: list[str]
) -> None:
    if len(class_names) < 2:
        raise InputFileError(
            folder, f"holds only the class {class_names[0]}", "two or more classes"
        )
    for _, path in files:
        if path.parent.name not in class_names:
            raise InputFileError(
                path.parent, "is no class of train/", f"one of {', '.join(class_names)}"
            )


def _read(path: Path, colour: Colour, shorter_side: int) -> Pixels:
    image = read_image(path, colour)
    lines, samples = image.shape[:2]
    if max(lines, samples) > _LONGEST * min(lines, samples):
        raise InputFileError(
            path,
            f"is {lines} × {samples} pixels",
            f"an image at most {_LONGEST} times as long as it is wide",
        )
    return resize_image(image.reshape(lines, samples, -1), shorter_side)
