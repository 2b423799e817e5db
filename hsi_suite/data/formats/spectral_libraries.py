"""ENVI spectral libraries: a header and the spectra beside it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from ...errors import InputFileError
from .envi_header import HeaderValue, parse_envi_header
from .file_format import header_beside
from .reading_guard import reading
from .spectrum_tables import SpectrumTable

_WHAT = "an ENVI spectral library (.sli and .hdr)"
_KIND = "envi spectral library"
# A table may lie beside the header of an image of the same name.
_TEXT_ENDINGS = (".csv", ".txt", ".tsv", ".asc")


def is_spectral_library(path: Path) -> bool:
    """Whether `path` is an ENVI header, or the data file of one by its name.

    Files that cannot be read are none: who reads them as text says what is wrong with them.
    """
    if not path.is_file():
        return False
    try:
        header = _header_of(path)
    except OSError:
        return False
    return header == path or (header is not None and path.suffix.lower() not in _TEXT_ENDINGS)


def read_spectral_library(path: Path) -> SpectrumTable:
    """The spectra of an ENVI spectral library.

    Args:
        path: its header or its data file.

    Raises:
        InputFileError: a file of the pair is missing or damaged, the header is one of an image,
            or it names no wavelengths.
    """
    # It takes part of a second, which commands without a library need not wait for.
    from spectral.io import envi
    from spectral.utilities.errors import SpyException

    header = _header_of(path)
    if header is None:
        raise InputFileError(path, "no ENVI header lies beside it", _WHAT)
    fields = parse_envi_header(header)
    kind = str(fields.get("file type", "")).lower()
    if kind != _KIND:
        found = f"file type = {kind}" if kind else "the field 'file type' is missing"
        raise InputFileError(header, found, "file type = ENVI Spectral Library")
    with reading(path, _WHAT), _quiet():
        try:
            data = None if path == header else str(path.resolve())
            library = envi.open(str(header.resolve()), image=data)
        except SyntaxError as error:
            raise ValueError(str(error)) from error
        except SpyException as error:
            raise ValueError(str(error) or type(error).__name__) from error
        values = np.asarray(library.spectra, dtype=np.float64)
        names = tuple(map(str, library.names))
    if library.bands.centers is None:
        raise InputFileError(header, "names no wavelengths", "wavelength = { … }")
    centres = np.array(library.bands.centers, dtype=np.float64)
    if not np.isfinite(centres).all() or centres.min() <= 0:
        raise InputFileError(header, "has wavelengths that are not positive", "wavelengths")
    return SpectrumTable(
        path,
        "ENVI spectral library",
        centres,
        names,
        values,
        (str(fields.get("wavelength units", "")),),
        ((_text(fields, "y axis", "z plot titles", "description"),),) * len(names),
        _scale_factor(header, fields),
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the library's log lines off the user's terminal."""
    logger = logging.getLogger("spectral")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(level)


def _header_of(path: Path) -> Path | None:
    with path.open("rb") as file:
        head = file.read(64).removeprefix(b"\xef\xbb\xbf").lstrip()
    return path if head.startswith(b"ENVI") else header_beside(path)


def _text(fields: dict[str, HeaderValue], *names: str) -> str:
    found = [fields.get(name, "") for name in names]
    return " ".join(item if isinstance(item, str) else " ".join(item) for item in found)


def _scale_factor(header: Path, fields: dict[str, HeaderValue]) -> float | None:
    text = fields.get("reflectance scale factor")
    if text is None:
        return None
    try:
        factor = float(str(text))
    except ValueError:
        factor = 0.0
    if not 0 < factor < 1e9:
        raise InputFileError(header, f"reflectance scale factor = {text}", "a number above 0")
    return factor
