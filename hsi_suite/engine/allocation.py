"""How this process keeps memory that it will soon need again."""

from __future__ import annotations

import ctypes
import platform

# Numbers of mallopt's parameters in glibc's malloc.h.
_TRIM_THRESHOLD = -1
_MMAP_THRESHOLD = -3
_LARGE = 2**30


def keep_large_blocks() -> bool:
    """Let malloc keep the large blocks that are freed, for the rest of the process.

    A network frees and asks for the same large activations at every layer. By default each comes
    fresh from the system, which fills every page with zeros first. This changes the whole
    process: it is for commands, never for the library.

    Returns:
        Whether it could be done: with glibc only.
    """
    libc = _glibc()
    return libc is not None and bool(
        libc.mallopt(_MMAP_THRESHOLD, _LARGE) and libc.mallopt(_TRIM_THRESHOLD, _LARGE)
    )


def release_free_blocks() -> None:
    """Give what is free back to the system; without glibc nothing happens."""
    libc = _glibc()
    if libc is not None:
        libc.malloc_trim(0)


def _glibc() -> ctypes.CDLL | None:
    return ctypes.CDLL(None) if platform.libc_ver()[0] == "glibc" else None
