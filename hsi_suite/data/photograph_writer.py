"""Photographs as files of every kind that is written, with colour profile and camera's notes."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin, features

from ..atomic import atomic_file
from ..errors import OutputError
from .formats.deep_png import XMP_KEYWORD, encode_deep_png
from .formats.image_notes import COMMENT, orientation_as_exif, upright, with_dpi
from .formats.iptc import PNG_KEYWORD, jpeg_segment, png_text
from .formats.netpbm import write_netpbm
from .formats.png_colours import Chunk, with_chunks
from .formats.reading_guard import quiet_libraries
from .formats.tiff_exif import add_exif, note_tags
from .photograph_endings import JPEG_ENDINGS, WRITTEN_NETPBM
from .photographs import Photograph, PhotographHeader

_METRES_PER_INCH = 0.0254
_QUALITY = 95
# Lines and samples that kinds can count, of JPEG less what is counted along.
_SIDES = {".jpg": 65_500, ".jpeg": 65_500, ".webp": 16_383, ".avif": 65_536}
#: Bytes of EXIF, of XMP and of a comment that a JPEG's segments have room for.
JPEG_LONGEST = 65_500
# Half the time of Pillow's own choice, for files 0.2 % to 2 % larger (measured).
_LOSSLESS = {"lossless": True, "method": 2, "quality": 50}
_EIGHT, _DEEP, _FLOAT = np.dtype(np.uint8), np.dtype(np.uint16), np.dtype(np.float32)
_CANNOT_ENCODE = (ArithmeticError, LookupError, TypeError, ValueError, struct.error)
# What values each kind of file holds, and whether it holds transparency.
_HOLDS: dict[str, tuple[tuple[np.dtype[Any], ...], bool]] = {
    ".png": ((_EIGHT, _DEEP), True),
    ".jpg": ((_EIGHT,), False),
    ".jpeg": ((_EIGHT,), False),
    ".bmp": ((_EIGHT,), False),
    ".webp": ((_EIGHT,), True),
    ".avif": ((_EIGHT,), True),
    ".jp2": ((_EIGHT, _DEEP), False),
    **dict.fromkeys(WRITTEN_NETPBM, ((_EIGHT, _DEEP), False)),
    ".tif": ((_EIGHT, _DEEP, _FLOAT), True),
    ".tiff": ((_EIGHT, _DEEP, _FLOAT), True),
}


def check_writable(path: Path, header: PhotographHeader) -> None:
    """See that a file of this name can hold a photograph, before work is done for it.

    Raises:
        OutputError: it cannot.
    """
    ending, dtype, alpha = path.suffix.lower(), header.dtype, header.alpha
    if ending not in _HOLDS:
        raise OutputError(path, "ends as no image file does", f"one of {', '.join(_HOLDS)}")
    if header.pages > 1 and ending not in (".tif", ".tiff"):
        raise OutputError(path, f"cannot hold {header.pages} pages", "a file ending .tif")
    types, transparent = _HOLDS[ending]
    if dtype not in types or (alpha and not transparent):
        what = "transparency" if dtype in types else f"{dtype} values"
        others = [end for end, (held, clear) in _HOLDS.items() if dtype in held and clear >= alpha]
        raise OutputError(
            path, f"cannot hold the input's {what}", f"a file ending {' or '.join(others)}"
        )
    if ending == ".pgm" and header.channels > 1:
        raise OutputError(path, "cannot hold the input's colours", "a file ending .ppm")
    if ending == ".avif" and not features.check("avif"):
        raise OutputError(path, "cannot be written here", "Pillow 11.3 or newer, with AVIF")
    most = _SIDES.get(ending)
    if most is not None and max(header.lines, header.samples) > most:
        raise OutputError(
            path,
            f"cannot hold {header.samples:,} × {header.lines:,} pixels",
            f"at most {most:,} along each side, or a file ending .png or .tif",
        )


def write_photograph(
    path: Path, photograph: Photograph, *, overwrite: bool = True, quality: int | None = None
) -> None:
    """Write a photograph, whole or not at all; the ending chooses the kind of file.

    PNG, JPEG, TIFF, WebP and AVIF keep profile, EXIF, XMP and resolution (the last two have that in
    their EXIF), the first three IPTC's notes too, a TIFF coordinates, a PNG texts and what another
    one said of its colours, a JPEG one of the texts as its comment. A JPEG for which the EXIF is
    too long keeps its orientation, and no XMP, IPTC or comment that is too long:
    `photograph_losses` says what is left out. EXIF that is damaged is left out of a TIFF.
    A BMP file keeps the resolution alone, JPEG 2000 and Netpbm's files nothing, so their pixels are
    turned upright. A JPEG that was one before is compressed as it was, others and AVIF with quality
    95 without colour subsampling; WebP and JPEG 2000 files are lossless. Values of 9 to 15 bits
    stay as they are in a TIFF, JPEG 2000 or Netpbm file and are stretched to 16 in a PNG, as that
    format has no other white.

    Args:
        path: where to.
        photograph: what is written.
        overwrite: whether it may take the place of a file that has come meanwhile.
        quality: 1 to 100, of a JPEG, an AVIF or a lossy WebP; None as said above.

    Raises:
        OutputError: a file of this ending cannot hold it, or the place cannot be written.
        ExistingOutputError: there is a file, which must be kept.
    """
    check_writable(path, photograph.header)
    with atomic_file(path, replace=overwrite) as temporary, encoding(path):
        if path.suffix.lower() in (".tif", ".tiff"):
            _write_tiff(temporary, photograph)
        elif path.suffix.lower() == ".jp2":
            _write_jpeg2000(temporary, photograph)
        elif path.suffix.lower() in WRITTEN_NETPBM:
            _write_netpbm(temporary, photograph, colours=path.suffix.lower() == ".ppm")
        elif photograph.values.dtype == np.uint16:
            _write_deep_png(temporary, photograph)
        else:
            _write_with_pillow(temporary, photograph, quality)


@contextmanager
def encoding(path: Path) -> Iterator[None]:
    """What a library cannot encode is one clear line; what it says meanwhile stays silent."""
    try:
        with quiet_libraries():
            yield
    except _CANNOT_ENCODE as error:
        raise OutputError(
            path,
            f"cannot be encoded ({error or type(error).__name__})",
            "what this kind of file can hold",
            "name another kind with -o, such as .tif",
        ) from error


def _with_alpha(photograph: Photograph) -> NDArray[Any]:
    """Colours and transparency as lines × samples (× channels)."""
    if photograph.alpha is None:
        return photograph.values
    return np.dstack([photograph.values, photograph.alpha])


def _write_with_pillow(path: Path, photograph: Photograph, quality: int | None) -> None:
    kind = "JPEG" if path.suffix.lower() in JPEG_ENDINGS else path.suffix[1:].upper()
    values = _with_alpha(photograph)
    if kind == "BMP":
        values = upright(values, photograph.orientation)
        options = _bmp_options(photograph)
    elif kind == "JPEG":
        options = _jpeg_options(photograph, quality)
    elif kind == "WEBP":
        options = _webp_options(photograph, quality)
    elif kind == "AVIF":
        options = _avif_options(photograph, quality)
    else:
        options = _png_options(photograph)
    encoded = io.BytesIO()
    Image.fromarray(values).save(encoded, kind, **options)
    # Into a file Pillow's encoders write themselves, and overlook a disk that is full.
    if kind == "PNG" and photograph.colours:
        path.write_bytes(with_chunks(encoded.getvalue(), _colours(photograph)))
    else:
        path.write_bytes(encoded.getbuffer())


def _bmp_options(photograph: Photograph) -> dict[str, Any]:
    dpi = photograph.dpi
    if dpi is None:
        return {}
    return {"dpi": dpi[::-1] if photograph.orientation >= 5 else dpi}


def _notes(photograph: Photograph) -> dict[str, Any]:
    """What Pillow's writers take alike."""
    notes = {"icc_profile": photograph.icc_profile, "dpi": photograph.dpi, "exif": photograph.exif}
    return {name: value for name, value in notes.items() if value is not None}


def _png_options(photograph: Photograph) -> dict[str, Any]:
    info = _png_texts(photograph)
    if (text := _text(photograph.xmp)) is not None:
        info.add_itxt(XMP_KEYWORD, text)
    return _notes(photograph) | {"pnginfo": info}


def _png_texts(photograph: Photograph) -> PngImagePlugin.PngInfo:
    """Texts, and notes that PNG files hold as such."""
    info = PngImagePlugin.PngInfo()
    for keyword, text in photograph.texts:
        info.add_text(keyword, text)
    if photograph.iptc is not None:
        info.add_text(PNG_KEYWORD, png_text(photograph.iptc), zip=True)
    return info


def _colours(photograph: Photograph) -> list[Chunk]:
    """Beside a profile a PNG must not name sRGB as well."""
    profile = photograph.icc_profile is not None
    return [chunk for chunk in photograph.colours if not (profile and chunk[0] == b"sRGB")]


def _jpeg_options(photograph: Photograph, quality: int | None) -> dict[str, Any]:
    options = _notes(photograph)
    exif, xmp, coding = photograph.exif, photograph.xmp, photograph.jpeg
    if exif is not None:
        short = exif if len(exif) <= JPEG_LONGEST else orientation_as_exif(photograph.orientation)
        options["exif"] = b"Exif\0\0" + short if short is not None else b""
    if xmp is not None and len(xmp) <= JPEG_LONGEST:
        options["xmp"] = xmp
    if photograph.iptc is not None:
        options["extra"] = jpeg_segment(photograph.iptc)
    comment = dict(photograph.texts).get(COMMENT, "").encode()
    if 0 < len(comment) <= JPEG_LONGEST:
        options["comment"] = comment
    if quality is not None:
        return options | {
            "quality": quality,
            "subsampling": 0 if coding is None else coding.subsampling,
        }
    if coding is not None:
        return options | coding.options(photograph.values.ndim == 2)
    return options | {"quality": _QUALITY, "subsampling": 0}


def _webp_options(photograph: Photograph, quality: int | None) -> dict[str, Any]:
    # Colours below full transparency are values too.
    how = _LOSSLESS if quality is None else {"quality": quality}
    return _notes_with_dpi(photograph) | how | {"exact": True}


def _avif_options(photograph: Photograph, quality: int | None) -> dict[str, Any]:
    how = {"quality": _QUALITY if quality is None else quality, "subsampling": "4:4:4"}
    return _notes_with_dpi(photograph) | how


def _notes_with_dpi(photograph: Photograph) -> dict[str, Any]:
    """For kinds that hold XMP, and resolution in EXIF alone."""
    options = _notes(photograph)
    options.pop("dpi", None)
    if (exif := with_dpi(photograph.exif, photograph.dpi)) is not None:
        options["exif"] = exif
    if photograph.xmp is not None:
        options["xmp"] = photograph.xmp
    return options


def _text(xmp: bytes | None) -> str | None:
    """XMP as the text that PNG files hold; None where it is none."""
    try:
        return None if xmp is None else xmp.decode()
    except UnicodeDecodeError:
        return None


def _write_deep_png(path: Path, photograph: Photograph) -> None:
    values = _full_range(_with_alpha(photograph), photograph.header.white)
    resolution = None
    if photograph.dpi is not None:
        across, along = (round(value / _METRES_PER_INCH) for value in photograph.dpi)
        resolution = (across, along)
    with path.open("wb") as stream:
        encode_deep_png(
            stream,
            values.reshape(*values.shape[:2], -1),
            icc_profile=photograph.icc_profile,
            exif=photograph.exif,
            xmp=_text(photograph.xmp),
            chunks=[
                *_colours(photograph),
                *((kind, content) for kind, content, _ in _png_texts(photograph).chunks),
            ],
            dots_per_metre=resolution,
        )


def _write_jpeg2000(path: Path, photograph: Photograph) -> None:
    white = int(photograph.header.white)
    bits = white.bit_length()
    # A white that is no power of two less 1 cannot be said.
    own = bits if white == 2**bits - 1 else 8 * photograph.values.dtype.itemsize
    values = np.ascontiguousarray(upright(photograph.values, photograph.orientation))
    path.write_bytes(
        imagecodecs.jpeg2k_encode(
            values, level=0, reversible=True, codecformat="jp2", bitspersample=own
        )
    )


def _write_netpbm(path: Path, photograph: Photograph, *, colours: bool) -> None:
    values = upright(photograph.values, photograph.orientation)
    if colours and values.ndim == 2:
        values = np.repeat(values[..., None], 3, 2)
    with path.open("wb") as stream:
        write_netpbm(stream, values, int(photograph.header.white))


def _full_range(values: NDArray[np.uint16], white: float) -> NDArray[np.uint16]:
    most = np.iinfo(np.uint16).max
    if white == most:
        return values
    stretched: NDArray[np.uint16] = np.rint(np.minimum(values * (most / white), most)).astype("u2")
    return stretched


def _write_tiff(path: Path, photograph: Photograph) -> None:
    options: dict[str, Any] = {}
    if photograph.alpha is not None:
        options["extrasamples"] = ["unassalpha"]
    if photograph.dpi is not None:
        options |= {"resolution": photograph.dpi, "resolutionunit": "inch"}
    notes = note_tags(photograph.exif, photograph.xmp, photograph.iptc)
    options["extratags"] = [*photograph.geotags, *notes]
    if photograph.orientation != 1:
        options["extratags"].append((274, "H", 1, photograph.orientation, True))
    # tifffile takes a last axis of two for pages unless it is said to be planes of one picture.
    values = _with_alpha(photograph)
    if values.ndim == 3:
        options["planarconfig"] = "contig"
    tifffile.imwrite(
        path,
        values,
        photometric="rgb" if photograph.values.ndim == 3 else "minisblack",
        compression="zlib",
        iccprofile=photograph.icc_profile,
        metadata=None,
        software=False,
        byteorder="<",
        **options,
    )
    add_exif(path, photograph.exif)
