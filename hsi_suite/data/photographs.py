"""One photograph with all that its file says about it: read, and written again unharmed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, UnidentifiedImageError

from ..errors import InputFileError
from ..memory import bytes_of, require_room
from ..process_wide import while_used
from ..restoration.lossy_coding import LossyCoding
from ..user_files import require_regular
from .formats.avif_files import avif_header, avif_picture
from .formats.camera_files import camera_header, camera_picture, is_raw
from .formats.cut_pictures import check_complete
from .formats.decoded_picture import DecodedPicture, PictureHeader
from .formats.deep_png import decode_deep_png, is_deep_png
from .formats.geotiff_tags import ExtraTag
from .formats.image_notes import (
    dpi_of,
    exif_of,
    icc_of,
    orientation_as_exif,
    orientation_in,
    plain_texts,
    texts_of,
    with_orientation,
    xmp_of,
)
from .formats.iptc import iptc_of, iptc_of_tiff
from .formats.jpeg2000_files import (
    jpeg2000_header,
    jpeg2000_picture,
    jpeg2000_profile,
    jpeg2000_remark,
)
from .formats.jpeg_coding import JpegCoding, jpeg_coding
from .formats.lossy_coding import lossy_coding
from .formats.netpbm import netpbm_header, netpbm_picture
from .formats.other_colours import Inks
from .formats.plain_tiff import PlainTiff, is_one_picture, is_tiff, plain_tiff
from .formats.png_colours import Chunk, colour_chunks
from .formats.reading_guard import muted_errors, reading
from .formats.tiff_exif import exif_of_tiff

_WHAT = "an image (PNG, JPEG, TIFF, WebP, AVIF, JPEG 2000, BMP, GIF or Netpbm's)"
_FORMATS = ("PNG", "JPEG", "MPO", "TIFF", "BMP", "DIB", "WEBP", "GIF", "JPEG2000")
# Kinds that Pillow does not read, or not with all their bits; AVIF before HEIC, whose brands it
# may have as well.
_HEADERS = (avif_header, camera_header, jpeg2000_header, netpbm_header)
_PICTURES = (avif_picture, camera_picture, jpeg2000_picture, netpbm_picture)
# Cameras keep previews and second views of the same picture in their MPO files.
_FIRST_OF_MANY = "MPO"
_MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK")
_STRIP = 256
# What a decoder holds, and the values taken from it.
_COPIES = 2


@dataclass(frozen=True)
class PhotographHeader:
    """What can be known of a photograph without its pixels.

    Attributes:
        lines: height in pixels, as stored.
        samples: width in pixels, as stored.
        channels: 1 for grey, 3 for RGB.
        dtype: uint8, uint16 or float32.
        alpha: whether there is transparency.
        georeferenced: whether it says where on Earth it lies.
        white: the value that the file's type and bits make white; 1 for floats.
        pages: pictures in the file; those of a stack are described by the largest.
    """

    lines: int
    samples: int
    channels: int
    dtype: np.dtype[Any]
    alpha: bool
    georeferenced: bool = False
    white: float = 255.0
    pages: int = 1


@dataclass(frozen=True, eq=False)
class Photograph:
    """A photograph in memory.

    Attributes:
        values: lines × samples for grey, lines × samples × 3 for RGB; uint8, uint16 or float32.
        alpha: lines × samples of the same type, or None.
        icc_profile: what the colours mean, or None.
        exif: what the camera noted, as a TIFF structure, or None; the orientation among it is
            not applied to the pixels.
        dpi: dots per inch along samples and lines, or None.
        geotags: where it lies, as the tags of a TIFF file; () where it does not say.
        white: the value that is white; None for the type's largest, and 1 for floats.
        xmp: what programs noted, an XMP packet, or None.
        jpeg: how it was compressed, of a JPEG file.
        remark: what became of its values where they are not as stored, for the user, or "".
        iptc: what agencies note (caption, keywords, author), as records of IPTC, or None.
        texts: keywords and texts that a PNG has; the comment of a JPEG or GIF is called Comment.
        colours: what a PNG says of its colours beside a profile.
        coding: how coarsely it was quantised, of a WebP, AVIF or HEIC file.
    """

    values: NDArray[Any]
    alpha: NDArray[Any] | None = None
    icc_profile: bytes | None = None
    exif: bytes | None = None
    dpi: tuple[float, float] | None = None
    geotags: tuple[ExtraTag, ...] = ()
    white: float | None = None
    xmp: bytes | None = None
    jpeg: JpegCoding | None = None
    remark: str = ""
    iptc: bytes | None = None
    texts: tuple[tuple[str, str], ...] = ()
    colours: tuple[Chunk, ...] = ()
    coding: LossyCoding | None = None

    @property
    def header(self) -> PhotographHeader:
        """What its file's header says."""
        return PhotographHeader(
            lines=self.values.shape[0],
            samples=self.values.shape[1],
            channels=1 if self.values.ndim == 2 else 3,
            dtype=self.values.dtype,
            alpha=self.alpha is not None,
            georeferenced=bool(self.geotags),
            white=_white_of(self.values.dtype) if self.white is None else self.white,
        )

    @property
    def orientation(self) -> int:
        """EXIF's number of the turn that brings the picture upright; 1 for none."""
        if self.exif is None:
            return 1
        return orientation_in(self.exif)


def _white_of(dtype: np.dtype[Any]) -> float:
    return float(np.iinfo(dtype).max) if dtype.kind in "iu" else 1.0


def is_photograph(path: Path) -> bool:
    """Whether a file that may be a TIFF holds one picture in grey or colours.

    Files that cannot be read count as photographs: `read_header` says what is wrong with them.
    """
    if is_raw(path):
        return True
    try:
        with reading(path, _WHAT):
            return is_one_picture(path)
    except InputFileError:
        return True


def read_header(path: Path) -> PhotographHeader:
    """What a photograph's file says of it, without decoding it.

    Raises:
        InputFileError: no such file, or nothing this module can read.
    """
    _check_there(path)
    with reading(path, _WHAT):
        for header_of in _HEADERS:
            if (header := header_of(path)) is not None:
                return _header_of(header)
        if (page := plain_tiff(path)) is not None:
            return PhotographHeader(
                page.lines,
                page.samples,
                page.channels,
                page.dtype,
                page.alpha,
                bool(page.geotags),
                page.white,
            )
        with _any_size(), _opened(path) as image:
            _check_mode(path, image)
            deep = is_deep_png(image)
            # Pillow says RGBA where a PNG of 16 bits holds grey values with transparency.
            grey = image.mode in ("1", "L", "LA", "I;16") or (
                deep and str(image.tile[0].args).startswith("LA")
            )
            alpha = image.mode in ("LA", "RGBA", "PA") or "transparency" in image.info
            dtype = np.dtype(np.uint16 if deep else np.uint8)
            white = _white_of(dtype)
            return PhotographHeader(
                image.height, image.width, 1 if grey else 3, dtype, alpha, white=white
            )


def _header_of(header: PictureHeader) -> PhotographHeader:
    return PhotographHeader(
        header.lines,
        header.samples,
        header.channels,
        header.dtype,
        header.alpha,
        white=_white_of(header.dtype) if header.white is None else header.white,
    )


def read_photograph(path: Path) -> Photograph:
    """A photograph with everything that `Photograph` keeps.

    Raises:
        InputFileError: it cannot be read, or values are missing in it.
    """
    header = read_header(path)
    shape = (header.lines, header.samples, header.channels + header.alpha)
    require_room(path, bytes_of(shape, header.dtype, _COPIES))
    with reading(path, _WHAT):
        decoded = (picture_of(path) for picture_of in _PICTURES)
        if (picture := next((each for each in decoded if each is not None), None)) is not None:
            photograph = _of_picture(picture)
        elif (page := plain_tiff(path)) is not None:
            photograph = _read_plain_tiff(path, page)
        else:
            photograph = _read_with_pillow(path)
    require_numbers(path, photograph.values)
    with reading(path, _WHAT):
        return replace(photograph, coding=lossy_coding(path))


def require_numbers(path: Path, values: NDArray[Any], where: str = "") -> None:
    """Refuse floats that are no numbers, where pixels are missing.

    Args:
        path: the file.
        values: of a picture.
        where: which of several in the file, with a space at its end.

    Raises:
        InputFileError: some are missing.
    """
    if values.dtype.kind != "f" or (known := np.isfinite(values)).all():
        return
    count = known.size - int(known.sum())
    many = "values that are no numbers" if count > 1 else "value that is no number"
    raise InputFileError(
        path,
        f"{where}holds {count:,} {many} or beyond float32",
        "a value everywhere",
        "fill them first, as with the median: v[~numpy.isfinite(v)] = numpy.nanmedian(v)",
    )


def _of_picture(picture: DecodedPicture) -> Photograph:
    plain = divided(picture.values, picture.icc_profile, picture.exif, None)
    return replace(
        plain,
        xmp=picture.xmp,
        remark=picture.remark,
        white=picture.white,
        colours=picture.colours,
    )


def _read_plain_tiff(path: Path, page: PlainTiff) -> Photograph:
    exif = _with_turn(exif_of_tiff(path), page.orientation)
    plain = divided(page.read(path), page.icc_profile, exif, page.dpi)
    return replace(
        plain,
        geotags=page.geotags,
        white=page.white,
        xmp=page.xmp,
        remark=page.remark,
        iptc=iptc_of_tiff(path),
    )


def _with_turn(exif: bytes | None, orientation: int) -> bytes | None:
    return orientation_as_exif(orientation) if exif is None else with_orientation(exif, orientation)


def _read_with_pillow(path: Path) -> Photograph:
    # The C library behind Pillow writes what it thinks of damaged TIFF files to the terminal.
    tiff = is_tiff(path)
    quiet = muted_errors() if tiff else nullcontext()
    with _any_size():
        check_complete(path)
    with _any_size(), quiet, path.open("rb") as stream, Image.open(stream) as image:
        # Asked first: looking for notes may decode the image, after which it is not to be found.
        deep = is_deep_png(image)
        # Before all other notes: those of a PNG may stand behind its pixels.
        texts = texts_of(image)
        icc, exif, dpi = icc_of(image), exif_of(image), dpi_of(image)
        if tiff:
            exif = _with_turn(exif_of_tiff(path), 1 if exif is None else orientation_in(exif))
        notes: dict[str, Any] = {
            "xmp": xmp_of(image),
            "iptc": iptc_of_tiff(path) if tiff else iptc_of(image, texts),
            "texts": plain_texts(texts),
            "colours": colour_chunks(path),
            "remark": jpeg2000_remark(path),
        }
        if image.format == "JPEG2000":
            icc = jpeg2000_profile(path)
        if deep:
            return replace(divided(decode_deep_png(stream), icc, exif, dpi), **notes)
        notes["jpeg"] = jpeg_coding(image)
        if image.mode == "CMYK":
            inks = Inks(icc)
            image.load()
            plain = divided(inks(_values(image)), None, exif, dpi)
            return replace(plain, **notes | {"remark": inks.remark})
        converted = image.mode in ("P", "PA", "1") or "transparency" in image.info
        values = _values(image.convert(_plain_mode(image)) if converted else image)
    return replace(divided(values, icc, exif, dpi), **notes)


def _values(image: Image.Image) -> NDArray[np.uint8]:
    """An image's values, lines × samples × channels."""
    image.load()
    channels = len(image.getbands())
    values = np.empty((image.height, image.width, channels), np.uint8)
    # By strips, as NumPy would hold the whole image three times.
    for first in range(0, image.height, _STRIP):
        last = min(first + _STRIP, image.height)
        strip = np.asarray(image.crop((0, first, image.width, last)))
        values[first:last] = strip.reshape(last - first, image.width, channels)
    return values


def _plain_mode(image: Image.Image) -> str:
    if image.mode == "1":
        return "L"
    transparent = image.mode == "PA" or "transparency" in image.info
    if image.mode == "L":
        return "LA"
    return "RGBA" if transparent else "RGB"


def divided(
    values: NDArray[Any], icc: bytes | None, exif: bytes | None, dpi: tuple[float, float] | None
) -> Photograph:
    """Colours and transparency of lines × samples × channels."""
    colours = 1 if values.shape[2] < 3 else 3
    alpha = None if values.shape[2] == colours else np.ascontiguousarray(values[..., colours])
    kept = values[..., 0] if colours == 1 else values[..., :3]
    return Photograph(np.ascontiguousarray(kept), alpha, icc, exif, dpi)


def _check_there(path: Path) -> None:
    if require_regular(path, _WHAT) == 0:
        raise InputFileError(path, "is empty", _WHAT)


@contextmanager
def _opened(path: Path) -> Iterator[ImageFile.ImageFile]:
    try:
        image = Image.open(path)
    except UnidentifiedImageError:
        raise InputFileError(
            path, "is no picture of a kind that is known", _WHAT, "convert it to PNG or TIFF"
        ) from None
    with image:
        yield image


def _check_mode(path: Path, image: Image.Image) -> None:
    if image.format not in _FORMATS:
        raise InputFileError(
            path, f"is of the kind {image.format}", _WHAT, "convert it to PNG or TIFF"
        )
    frames = getattr(image, "n_frames", 1)
    if frames > 1 and image.format != _FIRST_OF_MANY:
        remedy = "" if image.format == "TIFF" else "save the frame that is meant as a picture"
        raise InputFileError(path, f"holds {frames} images", "one", remedy)
    if image.mode not in _MODES and not is_deep_png(image):
        raise InputFileError(
            path, f"has colours of mode {image.mode}", "grey, palette or RGB", "convert it to RGB"
        )
    if is_deep_png(image) and "transparency" in image.info:
        raise InputFileError(
            path, "has 16 bits and one transparent colour", "an alpha channel", "convert it"
        )


@while_used
@contextmanager
def _any_size() -> Iterator[None]:
    # The callers of read_header judge the size by the memory there is; Pillow would by a number.
    limit = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = None
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS = limit
