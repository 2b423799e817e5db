"""Which files can hold a checkpoint, by how they begin; known without torch."""

from __future__ import annotations

from pathlib import Path

from ..errors import InputFileError
from ..guard import reason_of
from ..user_files import require_regular

FORMS = (
    "a DnCNN, FDnCNN, FFDNet, IRCNN or DRUNet: .pth (KAIR, SaoYan), MatConvNet .mat (v7.3) or "
    ".safetensors"
)
# A zip archive, as PyTorch writes since 1.6; a pickle, as before it, which is read as data only;
# HDF5, alone and behind the header of MATLAB's v7.3.
_ARCHIVE, _PICKLE, _HDF5 = b"PK\x03\x04", b"\x80", b"\x89HDF\r\n\x1a\n"
_MATLAB_HEADER = 512
# safetensors: the length of the JSON text that follows it.
_LENGTH = 8


def require_checkpoint(path: Path) -> int:
    """Refuse what is no file of weights.

    Returns:
        Its size in bytes.

    Raises:
        InputFileError: it is missing, no file, unreadable, or begins as no checkpoint does.
    """
    size = require_regular(path, FORMS)
    try:
        with path.open("rb") as file:
            head = file.read(_MATLAB_HEADER + len(_HDF5))
    except OSError as error:
        raise InputFileError(path, f"cannot be read ({reason_of(error)})", FORMS) from error
    text = head[_LENGTH : _LENGTH + 1] == b"{" and path.suffix == ".safetensors"
    hdf5 = _HDF5 in (head[: len(_HDF5)], head[_MATLAB_HEADER:])
    if not (text or hdf5 or head.startswith((_ARCHIVE, _PICKLE))):
        raise InputFileError(path, "is no checkpoint" if head else "is empty", FORMS)
    return size
