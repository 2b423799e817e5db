"""CIFAR-10 in its binary form, straight from the archive: nothing is unpacked to disk."""

from __future__ import annotations

import tarfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import InputFileError
from ..guard import parsing
from ..user_files import require_regular
from .public.verification import RemoteFile

CIFAR10_CLASSES = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)
# The page states the MD5 c32a1d4ab5d03f1284b67883e8d87530; the file of that MD5 has this SHA-256.
CIFAR10_ARCHIVE = RemoteFile(
    "cifar-10-binary.tar.gz",
    ("https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",),
    sha256="c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
)

_FOLDER = "cifar-10-batches-bin"
_TEST = f"{_FOLDER}/test_batch.bin"
_BATCHES = (*(f"{_FOLDER}/data_batch_{number}.bin" for number in range(1, 6)), _TEST)
_RECORDS = 10_000
_SIDE = 32
_RECORD = 1 + 3 * _SIDE**2
# A hostile archive may hold any number of members, of any length; the real one has 9.
_WHOLE = "the archive of CIFAR-10, whole"
_MOST_MEMBERS = 1000


def read_cifar10(
    path: Path,
) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.bool_]]:
    """The images of cifar-10-binary.tar.gz, in the order of its six files, the test file last.

    Only the six members of exactly the right name, kind and size are read, into memory; whatever
    else an archive holds is passed over.

    Returns:
        Images N × 32 × 32 × 3, their classes N, and whether each is of the test part.

    Raises:
        InputFileError: the file is no such archive, or is damaged.
    """
    batches: dict[str, NDArray[np.uint8]] = {}
    require_regular(path, _WHOLE)
    with parsing(path, _WHOLE, "fetch it again"), tarfile.open(path, "r:*") as archive:
        for number, member in enumerate(archive):
            if number >= _MOST_MEMBERS:
                raise _wrong(path, f"more than {_MOST_MEMBERS} members")
            if member.name in _BATCHES:
                if member.name in batches:
                    raise _wrong(path, f"{member.name} twice")
                batches[member.name] = _read_batch(path, archive, member)
            if len(batches) == len(_BATCHES):
                break
    missing = [name for name in _BATCHES if name not in batches]
    if missing:
        raise _wrong(path, f"no {', '.join(missing)}")
    records = np.concatenate([batches[name] for name in _BATCHES])
    planes = records[:, 1:].reshape(-1, 3, _SIDE, _SIDE)
    images = np.ascontiguousarray(planes.transpose(0, 2, 3, 1))
    test = np.repeat([name == _TEST for name in _BATCHES], _RECORDS)
    return images, records[:, 0].astype(np.int64), test


def _read_batch(path: Path, archive: tarfile.TarFile, member: tarfile.TarInfo) -> NDArray[np.uint8]:
    size = _RECORDS * _RECORD
    # Links and devices have no content of their own: they are refused, not followed.
    if not member.isreg() or member.size != size:
        raise _wrong(
            path, f"{member.name} of {member.size:,} bytes" if member.isreg() else "a link"
        )
    stream = archive.extractfile(member)
    content = b"" if stream is None else stream.read(size)
    if len(content) != size:
        raise _wrong(path, f"only {len(content):,} bytes of {member.name}")
    records = np.frombuffer(content, np.uint8).reshape(_RECORDS, _RECORD)
    highest = int(records[:, 0].max())
    if highest >= len(CIFAR10_CLASSES):
        raise _wrong(path, f"the class {highest} in {member.name}")
    return records


def _wrong(path: Path, found: str) -> InputFileError:
    return InputFileError(
        path,
        f"holds {found}",
        f"six files of {_RECORDS:,} records of {_RECORD} bytes, classes 0 to 9",
        "fetch the archive again",
    )
