"""EnMAP L1B, L1C and L2A: GeoTIFF files and METADATA.XML.

Layout after the EnMAP Level 1B/1C/2A product specification (EN-PCV-ICD-2009) as public readers
use it: SNAP's optical toolbox, EnPT and the EnMAP-Box.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from ....errors import InputFileError
from ..array_axes import ArrayRequest
from ..array_choice import SCENE_OPTION, size_text
from ..cube_file import CubeFile
from ..line_masks import BothMasks
from .dlr_metadata import (
    BANDS,
    band_table,
    beside,
    described,
    marked_by_statistics,
    open_image,
)
from .facts import ProductBands, ProductFacts, require_known
from .flag_files import Flags, in_words, with_flags
from .joined_bands import BandsOf, JoinedBands
from .xml_metadata import XmlMetadata

_TAGS = {"centres": "wavelengthCenterOfBand", "widths": "FWHMOfBand",
         "gains": "GainOfBand", "offsets": "OffsetOfBand"}  # fmt: skip
_RADIANCE = ("top-of-atmosphere radiance", "W m-2 sr-1 nm-1")
_QUANTITIES = {"L1B": _RADIANCE, "L1C": _RADIANCE, "L2A": ("surface reflectance", "1")}
_DETECTORS = ("vnir", "swir")
# The background of L2A; its metadata do not tell it, or wrongly (SNAP's reader says so too).
_L2A_BACKGROUND = -32768.0
# QL_QUALITY_CLASSES: 1 land, 2 water, 3 background.
_BACKGROUND = 3
# QL_QUALITY_CLOUD and QL_QUALITY_CLOUDSHADOW: 0 clear.
_CLOUDED = 1


def open_enmap(
    metadata: XmlMetadata, request: ArrayRequest, image: Path | None, masked: bool
) -> CubeFile | None:
    """The cube of an EnMAP product; None where the metadata are of something else.

    The detectors of L1B are joined, their bands sorted by wavelength; `request.variable` names
    one of them. Bands of L1C and L2A stay in the order of the file.

    Args:
        metadata: of the product.
        request: which detector is meant.
        image: the file that the user named, where it was an image.
        masked: whether masks and nodata count.

    Raises:
        InputFileError: files or entries are missing, or it is of a level that is unknown.
    """
    if metadata.root.find(f"{BANDS}/bandID/{_TAGS['centres']}") is None:
        return None
    level = metadata.text("base/level")
    remedy = "read its image alone: rename a copy of it, so that it stands by itself"
    require_known(metadata.path, "EnMAP processing level", level, tuple(_QUANTITIES), remedy)
    schema = metadata.text("metadata/schema/versionSchema")
    if schema:
        require_known(
            metadata.path, "version of the EnMAP metadata's schema",
            schema.split(".")[0].lstrip("vV"), ("00", "0", "01", "1"), remedy,
        )  # fmt: skip
    bands = band_table(metadata, "bandID", _TAGS, "number")
    good = marked_by_statistics(metadata, len(bands))
    bands = ProductBands(bands.path, bands.centres, bands.widths, bands.gains, bands.offsets, good)
    if level == "L1B":
        cube = _in_sensor_geometry(metadata, bands, request, image, masked)
    else:
        _refuse_variable(metadata.path, request, ())
        cube = described(
            open_image(metadata, metadata.text("product/image/merge/name"), "-SPECTRAL_IMAGE",
                       masked, image), bands, metadata,
        )  # fmt: skip
    cube = replace(cube, path=image or metadata.path, nodata=_nodata(metadata, cube, level))
    return _with_facts(metadata, cube, level, masked)


def _nodata(metadata: XmlMetadata, cube: CubeFile, level: str) -> float | None:
    if cube.nodata is not None or level == "L2A":
        return _L2A_BACKGROUND if cube.nodata is None else cube.nodata
    text = metadata.text("specific/backgroundValue")
    try:
        return float(text) if text else None
    except ValueError:
        raise InputFileError(
            metadata.path, f"backgroundValue is {text[:40]!r}", "a number"
        ) from None


def _with_facts(metadata: XmlMetadata, cube: CubeFile, level: str, masked: bool) -> CubeFile:
    quantity, unit = _QUANTITIES[level]
    version = metadata.text("base/revision", "metadata/schema/processingVersion")
    flags = _flags(metadata) if masked and level != "L1B" else []
    cube = with_flags(cube, flags)
    others = "other QL files (haze, cirrus, snow, PIXELMASK)" if flags else "QL_QUALITY files"
    quality = in_words(flags, others)
    position = (
        "sensor geometry, without map coordinates: L1C and L2A have them"
        if level == "L1B"
        else "map grid"
    )
    facts = ProductFacts("EnMAP", level, version, quantity, unit, position, quality)
    return replace(
        cube,
        product=facts,
        kept_fields={**cube.kept_fields, "sensor type": facts.title},
    )


def _flags(metadata: XmlMetadata) -> list[Flags]:
    """The flags that lie beside a product on a map grid and say that the ground is not seen."""
    known = (
        ("CLASSES", _BACKGROUND, "background"),
        ("CLOUD", _CLOUDED, "clouds"),
        ("CLOUDSHADOW", _CLOUDED, "shadow of clouds"),
    )
    found = ((beside(metadata, "", f"-QL_QUALITY_{name}"), bad, what) for name, bad, what in known)
    return [Flags(path, (bad,), what) for path, bad, what in found if path is not None]


def _in_sensor_geometry(
    metadata: XmlMetadata,
    bands: ProductBands,
    request: ArrayRequest,
    image: Path | None,
    masked: bool,
) -> CubeFile:
    """L1B: both detectors, or the one that was named."""
    wanted = _refuse_variable(metadata.path, request, _DETECTORS)
    names = {d: metadata.text(f"product/image/{d}/name") for d in _DETECTORS}
    if wanted is None and image is not None:
        wanted = next((d for d in _DETECTORS if image.name == names[d]
                       or f"_{d}" in image.stem.lower()), None)  # fmt: skip
    parts: dict[str, CubeFile] = {}
    try:
        for detector in _DETECTORS:
            part = f"-SPECTRAL_IMAGE_{detector.upper()}"
            parts[detector] = open_image(metadata, names[detector], part, masked)
        return _selected(metadata, bands, parts, wanted)
    except BaseException:
        for opened in parts.values():
            opened.close()
        raise


def _selected(
    metadata: XmlMetadata, bands: ProductBands, parts: dict[str, CubeFile], wanted: str | None
) -> CubeFile:
    vnir, swir = (parts[detector] for detector in _DETECTORS)
    total = vnir.shape[2] + swir.shape[2]
    if total != len(bands):
        raise InputFileError(
            vnir.path, f"holds {vnir.shape[2]} bands and {swir.path.name} {swir.shape[2]}",
            f"{len(bands)} together by {metadata.path.name}",
            "the metadata belong to another product",
        )  # fmt: skip
    first = {"vnir": 0, "swir": vnir.shape[2]}
    if wanted is not None:
        parts.pop(_DETECTORS[1 - _DETECTORS.index(wanted)]).close()
        chosen = parts[wanted]
        own = bands.take(slice(first[wanted], first[wanted] + chosen.shape[2]))
        return replace(described(chosen, own, metadata), georeference=None)
    if vnir.shape[:2] != swir.shape[:2]:
        raise InputFileError(
            vnir.path,
            f"{size_text(vnir.shape[:2])} pixels, {swir.path.name} {size_text(swir.shape[:2])}",
            "equal sizes",
            f"read one detector: {SCENE_OPTION} vnir or swir",
        )
    order = np.argsort(bands.centres, kind="stable")
    joined = replace(
        vnir,
        shape=(*vnir.shape[:2], total),
        source=JoinedBands(
            [BandsOf(part.source, np.arange(part.shape[2])) for part in (vnir, swir)], order
        ),
        files=(*vnir.files, *swir.files),
        band_names=(),
        nodata=swir.nodata if vnir.nodata is None else vnir.nodata,
        mask=vnir.mask
        if swir.mask is None or vnir.mask is None
        else BothMasks(vnir.mask, swir.mask),
        georeference=None,
        remarks=(
            *vnir.remarks,
            "VNIR and SWIR are joined and sorted by wavelength, but L1B does not register them "
            f"with each other: {SCENE_OPTION} vnir or swir reads one, L1C and L2A are registered",
        ),
    )
    return described(joined, bands.take(order), metadata)


def _refuse_variable(path: Path, request: ArrayRequest, known: tuple[str, ...]) -> str | None:
    """The detector that the user names; None where they name none.

    Raises:
        InputFileError: there is no such detector.
    """
    name = request.variable
    if name is None:
        return None
    if name.lower() not in known:
        raise InputFileError(
            path,
            f"{SCENE_OPTION} {name}",
            " or ".join(known) or "no variable",
            "" if known else "this product holds one cube: leave it out",
        )
    return name.lower()
