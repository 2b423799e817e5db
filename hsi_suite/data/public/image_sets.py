"""Public sets of photographs: what they are, where they lie, how they are fetched and verified.

A set is a folder. It is looked for by its name below `HSI_DATA_DIR`, then in the user's cache, and
downloaded into the cache, image by image, when it is in neither. One digest stands for the names
and contents of all its images.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from ...atomic import atomic_folder
from ...cache import cache_folder
from ...errors import ChecksumError, DatasetNotFoundError, OutputError, UnknownNameError
from ...registry import did_you_mean
from .bsds500_names import BSDS500_NAMES
from .download import DATA_VARIABLE, data_folder, say_on_stderr
from .transfer import Say, fetch
from .verification import (
    Check,
    LocalFile,
    RemoteFile,
    digests,
    record,
    recorded_digest,
)

IMAGE_ENDINGS = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp")
_MOST_NAMED = 10
_SAOYAN = (
    "https://raw.githubusercontent.com/SaoYan/DnCNN-PyTorch/"
    "6b0804951484eadb7f1ea24e8e5c9ede9bea485b/data/"
)
_BIDS = (
    "https://raw.githubusercontent.com/BIDS/BSDS500/"
    "a04b7c6c3a9f0ace74bf205c72a43d32e1c72722/BSDS500/data/images/"
)


@dataclass(frozen=True)
class RegisteredImages:
    """A public set of images.

    Attributes:
        title: how people call it.
        folders: names its folder may have.
        count: number of images.
        sha256: see `folder_digest`; None where it is not known: that of the first copy used is
            then written down in the cache, and holds from then on.
        citation: where it comes from.
        url: address of the folder, where it can be had; None where it is not offered.
        pattern: file name of image k, counted from 1.
        names: of the images below the address, with their folders, where they follow no pattern.
        subfolders: folders within its folder that the images may lie in instead, of one way to
            lay them out each; images of several folders are one set, in the order of their names.
    """

    title: str
    folders: tuple[str, ...]
    count: int
    sha256: str | None
    citation: str
    url: str | None = None
    pattern: str = "{:03}.png"
    names: tuple[str, ...] = ()
    subfolders: tuple[tuple[str, ...], ...] = ()

    @property
    def file_names(self) -> list[str]:
        """The names of its images at its address."""
        if self.names:
            return list(self.names)
        return [self.pattern.format(number) for number in range(1, self.count + 1)]


IMAGE_SETS: dict[str, RegisteredImages] = {
    "train400": RegisteredImages(
        title="Train400, 180 × 180, grey",
        folders=("Train400",),
        count=400,
        sha256="ed2547d0d9f5a7a34741e368ee2b03b9a7354ee432d7d2772221391b50675822",
        citation="BSD500 training crops as used for DnCNN (Zhang et al., TIP 2017)",
        url=f"{_SAOYAN}train/",
        pattern="test_{:03}.png",
    ),
    "cbsd432": RegisteredImages(
        title="CBSD432, colour",
        folders=("CBSD432",),
        count=432,
        sha256=None,
        citation="432 colour images of BSD500, without those of BSD68 (Zhang et al., TIP 2017)",
    ),
    "bsds500": RegisteredImages(
        title="BSDS500 without its validation folder, colour",
        folders=("BSDS500",),
        count=400,
        sha256="ea9f8e06111d54f340a0e42ec42e0ea0498f81f94d1ed4ffa7be68c6644c195b",
        citation="400 colour photographs, for research and education (Arbeláez et al., PAMI 2011)",
        url=_BIDS,
        names=BSDS500_NAMES,
        subfolders=(("train", "test"), ("data/images/train", "data/images/test")),
    ),
    "classic5": RegisteredImages(
        title="Classic5, grey, for JPEG",
        folders=("classic5", "Classic5"),
        count=5,
        sha256=None,
        citation="5 grey photographs, for scores only (Foi et al., TIP 2007)",
    ),
    "live1": RegisteredImages(
        title="LIVE1, colour, for JPEG",
        folders=("LIVE1", "live1"),
        count=29,
        sha256=None,
        citation="29 colour photographs, for scores only (Sheikh et al., LIVE database, release 2)",
    ),
    "set12": RegisteredImages(
        title="Set12, grey",
        folders=("Set12",),
        count=12,
        sha256="8055ac8859ffd66d9e8fd4e2dd171a22821b227dbae26757364f51f4ec966629",
        citation="12 grey photographs, for scores only (Zhang et al., TIP 2017)",
        url=f"{_SAOYAN}Set12/",
        pattern="{:02}.png",
    ),
    "bsd68": RegisteredImages(
        title="BSD68, grey",
        folders=("BSD68", "Set68"),
        count=68,
        sha256=None,
        citation="68 grey images of BSD, for scores only (Roth and Black, IJCV 2009)",
        url=f"{_SAOYAN}Set68/",
        pattern="test{:03}.png",
    ),
}


@dataclass(frozen=True)
class LocalImages:
    """A set's folder on this machine.

    Attributes:
        path: the folder.
        place: "folder" (below `HSI_DATA_DIR`) or "cache".
        check: what comparing its digest said.
        found: what it holds, in words.
        expected: what it should hold, in words.
        sha256: its digest.
        images: the files of its images, in the order of their names.
    """

    path: Path
    place: str
    check: Check
    found: str
    expected: str
    sha256: str
    images: tuple[Path, ...]


def check_image_set_name(name: str) -> RegisteredImages:
    """The set of a name.

    Raises:
        UnknownNameError: no set has it; lists the nearest names.
    """
    if name not in IMAGE_SETS:
        hint = did_you_mean(name, IMAGE_SETS, "or name a folder of your own: data.folder")
        known = ", ".join(IMAGE_SETS)
        raise UnknownNameError("image set", f"unknown name {name!r}", f"one of {known}", hint)
    return IMAGE_SETS[name]


def image_paths(folder: Path) -> list[Path]:
    """The images directly in a folder, in the order of their names, without hidden files."""
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in IMAGE_ENDINGS and path.is_file() and not path.name.startswith(".")
    )


def left_out(folder: Path) -> list[str]:
    """What else lies in a folder of images, by name; hidden files aside."""
    taken = {path.name for path in image_paths(folder)}
    return sorted(
        path.name + ("/" if path.is_dir() else "")
        for path in folder.iterdir()
        if path.name not in taken and not path.name.startswith(".")
    )


def left_out_text(folder: Path, names: Sequence[str]) -> str:
    """One line that names what of a folder is left out."""
    rest = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return (
        f"{folder}: left out, as only PNG, JPEG, TIFF and BMP files are read: "
        f"{', '.join(names[:_MOST_NAMED])}{rest}"
    )


def folder_digest(paths: Sequence[Path]) -> str:
    """SHA-256 over each image's name, a line feed and the SHA-256 of its content, in order."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(f"{path.name}\n".encode(errors="surrogateescape"))
        digest.update(bytes.fromhex(digests(path)[0]))
    return digest.hexdigest()


def registered_folder(sha256: str) -> str | None:
    """The folder's name of the set whose images have this digest (`folder_digest`).

    Of a set whose checksum nobody publishes, that of the first copy used counts.
    """
    for known in IMAGE_SETS.values():
        if sha256 == (known.sha256 or recorded_digest(known.folders[0])):
            return known.folders[0]
    return None


def find_images(name: str) -> LocalImages | None:
    """Look for a set on this machine, changing nothing; None when it is not here.

    Raises:
        UnknownNameError: no set has this name.
        InputFileError: an image cannot be read.
    """
    known = check_image_set_name(name)
    root = data_folder()
    for folder in _folders(root) if root is not None else ():
        # A folder of this name may hold nothing but the one with the images.
        if folder.name in known.folders and _paths_of(known, folder):
            return _inspect(name, folder, "folder")
    cached = cache_folder() / known.folders[0]
    return _inspect(name, cached, "cache") if cached.is_dir() else None


def locate_images(name: str, *, on_message: Say = say_on_stderr) -> LocalImages:
    """Find a set on this machine, or download it into the cache, and check it.

    Raises:
        UnknownNameError: no set has this name.
        ChecksumError: the folder holds something else, or the same laid out otherwise.
        DatasetNotFoundError: it is not here and cannot be downloaded.
        OutputError: the cache cannot be written.
    """
    local = find_images(name)
    if local is None:
        _refuse_other_layout(name)
        local = _download(name, on_message)
    if local.check is Check.WRONG:
        refuse_images(name, local)
    if local.check is Check.UNRECORDED:
        on_message(
            f"{local.path}: nobody publishes its checksum; recorded its SHA-256, {local.sha256}"
        )
        _record(name, local, on_message)
    return local


def refuse_images(name: str, local: LocalImages) -> NoReturn:
    """Raise the ChecksumError that says what a folder holds instead of the set."""
    remedy = f"replace it by the real {name}"
    if local.place == "cache":
        remedy = "delete the folder to download it anew"
    raise ChecksumError(local.path, local.found, local.expected, remedy)


def _inspect(name: str, folder: Path, place: str) -> LocalImages:
    known = IMAGE_SETS[name]
    paths = _paths_of(known, folder)
    sha256 = folder_digest(paths)
    if len(paths) != known.count:
        found, expected = f"{len(paths)} images", f"the {known.count} of {name}"
        return LocalImages(folder, place, Check.WRONG, found, expected, sha256, paths)
    wanted, right = known.sha256, Check.VERIFIED
    if wanted is None:
        wanted, right = recorded_digest(known.folders[0]), Check.RECORDED
    check = right if sha256 == wanted else Check.WRONG if wanted else Check.UNRECORDED
    return LocalImages(folder, place, check, f"SHA-256 {sha256}", wanted or "", sha256, paths)


def _paths_of(known: RegisteredImages, folder: Path) -> tuple[Path, ...]:
    """The images of a set's folder, laid out in any of its ways, in the order of their names."""
    for layout in ((".",), *known.subfolders):
        places = [folder / each for each in layout]
        paths = [path for place in places if place.is_dir() for path in image_paths(place)]
        if paths:
            return tuple(sorted(paths, key=lambda path: path.name))
    return ()


def _refuse_other_layout(name: str) -> None:
    """Refuse to download a set of whose name there is a folder with images, laid out otherwise.

    Raises:
        ChecksumError: names the folder, and how it may be laid out.
    """
    known, root = IMAGE_SETS[name], data_folder()
    for folder in _folders(root) if root is not None else ():
        if folder.name not in known.folders:
            continue
        count = sum(len(image_paths(each)) for each in _folders(folder))
        if count:
            ways = ["directly in it", *(f"in {' and '.join(each)}" for each in known.subfolders)]
            raise ChecksumError(
                folder,
                f"holds {count} images, not as {name} is laid out",
                f"its {known.count} images {', or '.join(ways)}",
                f"lay them out so, or rename the folder to have {name} downloaded",
            )


def _record(name: str, local: LocalImages, say: Say) -> None:
    folder = IMAGE_SETS[name].folders[0]
    try:
        record(
            RemoteFile(folder, ()),
            LocalFile(
                local.path, local.place, local.check, local.sha256, "SHA-256", local.sha256, ""
            ),
        )
    except OutputError as error:
        say(f"not recorded: {error}")


def _download(name: str, say: Say) -> LocalImages:
    known = IMAGE_SETS[name]
    if known.url is None:
        _raise_not_found(name, "it is offered at no address that is known")
    say(f"downloading the {known.count} images of {known.folders[0]} from {known.url}")
    target, silent_hosts = cache_folder() / known.folders[0], set[str]()
    with atomic_folder(target) as scratch:
        for file in known.file_names:
            url = f"{known.url}{file}"
            (scratch / file).parent.mkdir(parents=True, exist_ok=True)
            failure = fetch(url, scratch / file, lambda message: None, silent_hosts)
            if failure:
                _raise_not_found(name, f"{url} {failure}")
        local = _inspect(name, scratch, "cache")
        if local.check is Check.WRONG:
            raise ChecksumError(known.url, f"gave {local.found}", local.expected, _where(name))
    return _inspect(name, target, "cache")


def _raise_not_found(name: str, reason: str) -> NoReturn:
    raise DatasetNotFoundError(
        name, f"not on this machine and not downloaded: {reason}", "", _where(name)
    )


def _where(name: str) -> str:
    known, root = IMAGE_SETS[name], data_folder()
    below = (
        f"{DATA_VARIABLE} ({root})" if root is not None else f"a folder that {DATA_VARIABLE} names"
    )
    return f"put its {known.count} images into a folder {known.folders[0]} below {below}"


def _folders(root: Path) -> Iterator[Path]:
    for parent, folders, _ in os.walk(root):
        folders.sort()
        yield Path(parent)
