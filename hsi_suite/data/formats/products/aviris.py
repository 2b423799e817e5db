"""AVIRIS and AVIRIS-NG: ENVI files of JPL.

Layout after the README files that JPL ships with the flight lines (AVIRIS distribution document
030217; AVIRIS-NG distribution document).
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np

from ....errors import InputFileError
from ....user_files import read_text
from ..cube_file import CubeFile
from ..envi_fields import Fields
from ..envi_files import open_envi
from ..envi_header import GAINS, HeaderList, HeaderValue
from ..geolocation import WGS84, BandAlone, Geolocation, require_same_pixels
from .facts import ProductFacts

# How flight lines are called: f080611t01p00r07, ang20170228t170016.
_FLIGHT = re.compile(r"\b(?:(f\d{6}t\d{2}p\d{2}r\d{2})|(ang\d{8}t\d{6}))", re.IGNORECASE)
_NEXT = re.compile(r"AVIRIS[\s_-]*(NG|next)", re.IGNORECASE)
_QUANTITIES = (
    (re.compile(r"reflectance|_rfl|_corr|refl\b", re.IGNORECASE), "surface reflectance", "1"),
    (re.compile(r"radiance|rdn", re.IGNORECASE), "radiance", "uW cm-2 sr-1 nm-1"),
)
# The first generation has 224 channels, the next one more than 400.
_MOST_CLASSIC_BANDS = 300
_DESCRIBING = ("description", "sensor type", "band names")


def with_aviris_facts(file: CubeFile, fields: Fields) -> CubeFile | None:
    """An ENVI cube with what is known of it as an AVIRIS product; None where it is none.

    Args:
        file: open.
        fields: of its header, which has to name the instrument or a flight line.

    Raises:
        InputFileError: the table of gains beside it is damaged.
    """
    text = " ".join(_text(fields.get(name, "")) for name in _DESCRIBING)
    flight = _FLIGHT.search(text)
    if flight is None and "aviris" not in text.lower():
        return None
    later = bool(_NEXT.search(text)) or bool(flight and flight[2])
    name = "AVIRIS-NG" if later or file.shape[2] > _MOST_CLASSIC_BANDS else "AVIRIS"
    told = any(pattern.search(text) for pattern, *_ in _QUANTITIES)
    # The name of the flight line says it where the description does not.
    said = text if told else file.files[0].stem
    quantity, unit = next(
        ((what, unit) for pattern, what, unit in _QUANTITIES if pattern.search(said)),
        ("radiance or reflectance, which the header does not say", ""),
    )
    version = re.search(r"_(v\d\w*?)(?:_|\b)", text)
    # First what may be refused, then what opens another file.
    table, scale = _gains(file) if quantity == "radiance" else ((), {})
    geolocation = _places(file)
    position = "map grid"
    if file.georeference is None:
        by = f" ({geolocation.path.stem})" if geolocation is not None else ""
        position = f"sensor geometry, without a map grid{by}"
    level = {"surface reflectance": "L2", "radiance": "L1B"}.get(quantity, "")
    facts = ProductFacts(name, level, version[1] if version else "", quantity, unit, position)
    return replace(
        file,
        product=facts,
        geolocation=geolocation,
        files=(*file.files, *table),
        kept_fields={"sensor type": facts.title, **file.kept_fields, **scale},
    )


def _text(value: HeaderValue) -> str:
    if isinstance(value, HeaderList):
        return value.text
    return value if isinstance(value, str) else " ".join(value)


def _places(file: CubeFile) -> Geolocation | None:
    """Where each pixel lies, by the IGM file of the flight: easting, northing, height.

    Raises:
        InputFileError: it is damaged, or of other pixels.
    """
    tables = [p for p in _of_the_flight(file) if p.stem.lower().endswith("igm")]
    headers = [path for path in tables if path.suffix.lower() == ".hdr"]
    if file.georeference is not None or len(headers) != 1:
        return None
    igm = open_envi(headers[0])
    if igm.shape[:2] != file.shape[:2] or igm.shape[2] < 2:
        igm.close()
        require_same_pixels(headers[0], "an IGM file", igm.shape, file.shape[:2])
        return None
    x, y = BandAlone(igm.source, 0), BandAlone(igm.source, 1)
    crs = igm.georeference.crs if igm.georeference is not None else None
    found = Geolocation(headers[0], x, y, file.shape[:2], crs)
    if crs is None and (np.abs(found.points()[:, 2:]) <= (180, 90)).all():
        found = replace(found, crs=WGS84)
    return found


def _of_the_flight(file: CubeFile) -> list[Path]:
    """Files beside the cube that bear the name of its flight line."""
    flight = _FLIGHT.match(file.files[0].name)
    if flight is None:
        return []
    name = flight[0].lower()
    return sorted(p for p in file.files[0].parent.iterdir() if p.name.lower().startswith(name))


def _gains(file: CubeFile) -> tuple[tuple[Path, ...], dict[str, HeaderValue]]:
    """The table of gains that lies beside whole numbers: value / gain is the radiance.

    Returns:
        The table's file and the field that says it; nothing where there is none.

    Raises:
        InputFileError: it is damaged, or of another number of bands.
    """
    tables = [path for path in _of_the_flight(file) if path.suffix.lower() == ".gain"]
    if file.dtype.kind not in "iu" or GAINS in file.kept_fields or len(tables) != 1:
        return (), {}
    rows = [line.split() for line in read_text(tables[0], "a table of gains").splitlines()]
    try:
        gains = tuple(1 / float(row[0]) for row in rows if row)
    except (ValueError, ZeroDivisionError):
        gains = ()
    if len(gains) != file.shape[2]:
        raise InputFileError(
            tables[0],
            "is no table of gains",
            f"a number other than 0 for each of {file.shape[2]} bands",
            "copy it again, or remove it to read the values without their scale",
        )
    return (tables[0],), {GAINS: tuple(map(repr, gains))}
