"""What the metadata of DLR's products, EnMAP and DESIS, have in common."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....errors import InputFileError
from ..array_axes import ArrayRequest
from ..cube_file import CubeFile
from ..tiff_files import open_tiff
from .facts import ProductBands
from .xml_metadata import XmlMetadata

BANDS = "specific/bandCharacterisation"
_IMAGE = re.compile(r"(?i)-SPECTRAL_IMAGE.*$")
_TIFF_ENDINGS = {".tif", ".tiff", ".geotiff"}
_METADATA = re.compile(r"(?i)-METADATA$")


def metadata_beside(image: Path) -> Path | None:
    """The metadata file of an image, which bears the same name up to "-SPECTRAL_IMAGE"."""
    name = metadata_name(image)
    candidates = [] if name is None else [image.with_name(name), image.with_name(f"{name[:-3]}xml")]
    return next((path for path in candidates if path.is_file()), None)


def metadata_name(image: Path) -> str | None:
    """How the metadata of an image are called that bears the name of a product; None for others."""
    stem, found = _IMAGE.subn("", image.stem)
    return f"{stem}-METADATA.XML" if found and stem else None


def band_table(
    metadata: XmlMetadata, element: str, tags: Mapping[str, str], number: str
) -> ProductBands:
    """The table of bands, in the order of their numbers.

    Args:
        metadata: of the product.
        element: what one band is called there.
        tags: those of "centres", "widths", "gains" and "offsets" inside it.
        number: tag or attribute of the band's number.

    Raises:
        InputFileError: a value is missing or cannot be what it should be.
    """
    elements = metadata.root.findall(f"{BANDS}/{element}")
    order = {
        place: int(text) if text.isdigit() and len(text) < 10 else place
        for place, each in enumerate(elements)
        for text in [(each.get(number) or each.findtext(number) or "").strip()]
    }
    elements = [elements[place] for place in sorted(order, key=lambda place: order[place])]
    return ProductBands(
        metadata.path, **{name: metadata.numbers(elements, tag) for name, tag in tags.items()}
    )


def open_image(
    metadata: XmlMetadata, named: str, part: str, masked: bool, given: Path | None = None
) -> CubeFile:
    """An image of the product, which lies beside its metadata.

    Args:
        metadata: of the product.
        named: as the metadata call its file; "" when they do not.
        part: what stands behind the product's name otherwise, such as "-SPECTRAL_IMAGE".
        masked: whether masks inside the file count.
        given: the image, where the user named it.

    Raises:
        InputFileError: there is none, it is no TIFF file or damaged.
    """
    path = given or beside(metadata, named, part)
    if path is None:
        raise InputFileError(
            metadata.path,
            "the image that it describes does not lie beside it",
            named or f"{_METADATA.sub('', metadata.path.stem)}{part}.TIF",
            "copy all files of the product into one folder",
        )
    return open_tiff(path, ArrayRequest(), masked=masked)


def beside(metadata: XmlMetadata, named: str, part: str) -> Path | None:
    """A file of the product; None where it does not lie beside the metadata."""
    folder, stem = metadata.path.parent, _METADATA.sub("", metadata.path.stem)
    names = [f"{stem}{part}{ending}" for ending in (".TIF", ".tif", ".GEOTIFF", "_COG.TIF",
                                                    "_COG.tiff", "_COG.tif")]  # fmt: skip
    # The name in the metadata may be that of another form of the product; it is no path.
    if Path(named).name == named and Path(named).suffix.lower() in _TIFF_ENDINGS:
        names.insert(0, named)
    return next((folder / name for name in names if (folder / name).is_file()), None)


def described(image: CubeFile, bands: ProductBands, metadata: XmlMetadata) -> CubeFile:
    """An image with what the metadata say of its bands.

    Raises:
        InputFileError: it has another number of bands.
    """
    if image.shape[2] != len(bands):
        raise InputFileError(
            image.path,
            f"holds {image.shape[2]} bands",
            f"{len(bands)} by {metadata.path.name}",
            "the metadata belong to another product",
        )
    return replace(
        image,
        format="GeoTIFF and XML",
        files=(metadata.path, *image.files),
        wavelengths=bands.centres,
        fwhm=bands.widths if len(bands.widths) else None,
        kept_fields={**image.kept_fields, **bands.fields},
    )


def marked_by_statistics(metadata: XmlMetadata, count: int) -> NDArray[Any]:
    """Which bands hold values, by their statistics: in the others every value is the background.

    Empty where the metadata hold no statistics of every band.
    """
    elements = metadata.root.findall("product/bandStatistics/bandID")
    try:
        spread = metadata.numbers(elements, "stdDeviation")
        mean = metadata.numbers(elements, "mean")
    except InputFileError:
        return np.zeros(0)
    if len(elements) != count:
        return np.zeros(0)
    return np.asarray((spread != 0) | (mean >= 0))
