"""The products that are known, and where they are looked for.

A new product is a module with a function that opens it, or gives None where a file is of
something else, and a name in one of these tuples; of HDF5 files in that of `hdf5_registry`.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Protocol

from ....errors import InputFileError
from ..array_axes import ArrayRequest
from ..cube_file import CubeFile
from ..envi_fields import Fields
from ..envi_header import parse_envi_header
from ..tiff_files import open_tiff
from .aviris import with_aviris_facts
from .desis import open_desis
from .dlr_metadata import metadata_beside, metadata_name
from .enmap import open_enmap
from .xml_metadata import XmlMetadata


class EnviProduct(Protocol):
    """Says what is known of a product that is an ENVI file."""

    def __call__(self, file: CubeFile, fields: Fields) -> CubeFile | None:
        """The cube; None where it is of something else."""
        ...


class XmlProduct(Protocol):
    """Opens a product whose metadata lie in an XML file."""

    def __call__(
        self, metadata: XmlMetadata, request: ArrayRequest, image: Path | None, masked: bool
    ) -> CubeFile | None:
        """The cube; None where the metadata are of something else."""
        ...


XML_PRODUCTS: tuple[XmlProduct, ...] = (open_enmap, open_desis)
ENVI_PRODUCTS: tuple[EnviProduct, ...] = (with_aviris_facts,)


def open_xml_product(path: Path, request: ArrayRequest, *, masked: bool) -> CubeFile:
    """The cube that an XML file describes.

    Raises:
        InputFileError: it is of no known product, or the product is damaged.
    """
    return _opened(XmlMetadata.read(path), request, None, masked)


def open_tiff_product(path: Path, request: ArrayRequest, *, masked: bool) -> CubeFile | None:
    """The cube of a TIFF file that is an image of a product; None where it is none.

    Raises:
        InputFileError: the product's metadata are damaged, or of no known product.
    """
    beside = metadata_beside(path)
    if beside is not None:
        return _opened(XmlMetadata.read(beside), request, path, masked)
    name = metadata_name(path)
    if name is None:
        return None
    remark = (
        f"{name} does not lie beside it: read without the product's wavelengths, scale and masks"
    )
    file = open_tiff(path, request, masked=masked)
    return replace(file, remarks=(*file.remarks, remark))


def with_envi_product(file: CubeFile) -> CubeFile:
    """An open ENVI cube with what is known of it as a product; itself where it is none.

    Raises:
        InputFileError: what belongs to the product is damaged.
    """
    try:
        fields = parse_envi_header(file.files[0])
        found = (product(file, fields) for product in ENVI_PRODUCTS)
        return next((cube for cube in found if cube is not None), file)
    except BaseException:
        file.close()
        raise


def _opened(
    metadata: XmlMetadata, request: ArrayRequest, image: Path | None, masked: bool
) -> CubeFile:
    for product in XML_PRODUCTS:
        cube = product(metadata, request, image, masked)
        if cube is not None:
            return cube
    raise InputFileError(
        metadata.path,
        f"XML of no known product (<{metadata.root.tag[:40]}>)",
        "the metadata of EnMAP or DESIS",
    )
