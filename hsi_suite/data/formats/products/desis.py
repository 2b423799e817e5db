"""DESIS L1B, L1C and L2A: GeoTIFF files and METADATA.xml of DLR.

Layout after the readers of the EnMAP-Box and of HyTools, and DLR's product description
(PAV-DLR-TN-004).
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np

from ....errors import InputFileError
from ..array_axes import ArrayRequest
from ..array_choice import SCENE_OPTION
from ..cube_file import CubeFile
from .dlr_metadata import BANDS, band_table, beside, described, open_image
from .facts import ProductBands, ProductFacts, require_known
from .flag_files import Flags, in_words, with_flags
from .xml_metadata import XmlMetadata

_TAGS = {"centres": "wavelengthCenterOfBand", "widths": "wavelengthWidthOfBand",
         "gains": "gainOfBand", "offsets": "offsetOfBand"}  # fmt: skip
_RADIANCE = ("top-of-atmosphere radiance", "mW cm-2 sr-1 um-1")
_QUANTITIES = {"L1B": _RADIANCE, "L1C": _RADIANCE, "L2A": ("surface reflectance", "1")}
# The product's own name stands in its metadata: DESIS-HSI-L2A-DT…-V0210.
_NAME = re.compile(r"DESIS-HSI-(L\w\w)(?:\S*-V(\d{4})\b)?")
_BACKGROUND = -32768.0
# Layers of QL_QUALITY-2, from 0: 0 shadow, 5 clouds over land, 6 clouds over water.
_UNSEEN = (0, 5, 6)
_REMEDY = "read its image alone: rename a copy of it, so that it stands by itself"


def open_desis(
    metadata: XmlMetadata, request: ArrayRequest, image: Path | None, masked: bool
) -> CubeFile | None:
    """The cube of a DESIS product; None where the metadata are of something else.

    Args:
        metadata: of the product.
        request: what the user says of the array; a variable is refused.
        image: the file that the user named, where it was the image.
        masked: whether masks and nodata count.

    Raises:
        InputFileError: files or entries are missing, or it is of a level that is unknown.
    """
    if metadata.root.find(f"{BANDS}/band/{_TAGS['centres']}") is None:
        return None
    if request.variable is not None:
        raise InputFileError(
            metadata.path, f"{SCENE_OPTION} {request.variable}", "no variable",
            "this product holds one cube: leave it out",
        )  # fmt: skip
    bands = band_table(metadata, "band", _TAGS, "bandNumber")
    level, version = _told(metadata, bands)
    require_known(metadata.path, "DESIS processing level", level, tuple(_QUANTITIES), _REMEDY)
    if version:
        known = ("V01", "V02")
        require_known(metadata.path, "DESIS version", f"V{version}"[:3], known, _REMEDY)
    cube = described(
        open_image(metadata, metadata.text("product/image/name"), "-SPECTRAL_IMAGE", masked, image),
        bands, metadata,
    )  # fmt: skip
    quantity, unit = _QUANTITIES[level]
    position = "map grid"
    if level == "L1B":
        position = "sensor geometry, without map coordinates: L1C and L2A have them"
    flags = _flags(metadata) if masked and level == "L2A" else []
    others = "haze, snow, water and QL_QUALITY" if flags else "QL_QUALITY files"
    facts = ProductFacts("DESIS", level, version, quantity, unit, position, in_words(flags, others))
    return replace(
        with_flags(cube, flags),
        path=image or metadata.path,
        georeference=None if level == "L1B" else cube.georeference,
        nodata=_BACKGROUND if cube.nodata is None else cube.nodata,
        kept_fields={**cube.kept_fields, "sensor type": facts.title},
        product=facts,
    )


def _flags(metadata: XmlMetadata) -> list[Flags]:
    """The layers of QL_QUALITY-2 that say that the ground is not seen."""
    path = beside(metadata, "", "-QL_QUALITY-2")
    what = "clouds and their shadow"
    return [] if path is None else [Flags(path, (1,), what, _UNSEEN)]


def _told(metadata: XmlMetadata, bands: ProductBands) -> tuple[str, str]:
    """Level and version: by the name of the product in its metadata, or by their entries.

    Where neither says the level, one scale of 0.0001 for all bands is that of L2A.
    """
    names = (_NAME.search(element.text or "") for element in metadata.root.iter())
    found = [match for match in names if match]
    level = metadata.text("base/level", "processing/level", "metadata/level")
    version = metadata.text("base/revision", "base/version").lstrip("vV")
    for match in found:
        level, version = level or match[1], version or match[2] or ""
    if not level and np.allclose(bands.gains, 1e-4) and not bands.offsets.any():
        level = "L2A"
    return level, version
