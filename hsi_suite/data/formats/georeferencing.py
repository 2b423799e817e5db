"""Georeferences in ENVI's map info and as EPSG codes; needs no rasterio for the common cases."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from ..scene import Georeference

Affine = tuple[float, float, float, float, float, float]

# EPSG code = family + zone, for UTM's northern half and, where it exists, the southern one.
_UTM_FAMILIES = {
    "WGS-84": (32600, 32700, 60),
    "North America 1983": (26900, None, 23),
    "North America 1927": (26700, None, 22),
    "European Terrestrial Reference System 1989": (25800, None, 38),
}
_GEOGRAPHIC = {"WGS-84": 4326, "North America 1983": 4269, "North America 1927": 4267}
_DATUM_ALIASES = {
    "wgs84": "WGS-84",
    "wgs1984": "WGS-84",
    "nad83": "North America 1983",
    "northamerica1983": "North America 1983",
    "nad27": "North America 1927",
    "northamerica1927": "North America 1927",
    "etrs89": "European Terrestrial Reference System 1989",
    "europeanterrestrialreferencesystem1989": "European Terrestrial Reference System 1989",
}

_GLUED = re.compile(r"(utm|arbitrary|geographic lat/lon)\s+[-+\d.]+")


def read_map_info(fields: Sequence[str], coordinate_system: str | None) -> Georeference | None:
    """The georeference in an ENVI header; None when its numbers make no sense.

    Args:
        fields: the items of "map info": projection, reference sample and line (1-based, the
            upper-left corner of the first pixel being 1), its x and y, pixel sizes, for UTM zone
            and hemisphere, datum, and name=value pairs.
        coordinate_system: "coordinate system string", WKT; None when the header has none.
    """
    if fields and _GLUED.fullmatch(fields[0].strip().lower()):
        return None  # a comma is missing, and every number would mean the next one
    try:
        sample, line, x, y, width, height = (float(field) for field in fields[1:7])
        angle = math.radians(float(_option(fields, "rotation") or 0.0))
    except ValueError:
        return None
    if not all(map(math.isfinite, (sample, line, x, y, width, height, angle))) or not width:
        return None
    cos, sin = math.cos(angle), math.sin(angle)
    # As GDAL reads it: the reference pixel is counted back to the corner without the rotation.
    transform = (
        cos * width,
        sin * width,
        x - (sample - 1) * width,
        sin * height,
        -cos * height,
        y + (line - 1) * height,
    )
    return Georeference(
        crs=coordinate_system or _crs_of(fields),
        transform=_clean(transform),
        map_info=tuple(fields),
    )


def make_map_info(transform: Affine, epsg: int | None) -> tuple[str, ...] | None:
    """ENVI's "map info" for a transform; None for a sheared or mirrored grid, which it cannot say.

    Args:
        transform: (a, b, c, d, e, f) of `Georeference`.
        epsg: code of the reference system when `simple_epsg` knows it.
    """
    a, b, c, d, e, f = transform
    if b == 0.0 == d:
        width, height, angle = a, -e, 0.0
    else:
        width, height, angle = math.hypot(a, b), math.hypot(d, e), math.atan2(b, a)
        scale = 1e-9 * max(width, height)
        if abs(math.sin(angle) * height - d) > scale or abs(math.cos(angle) * height + e) > scale:
            return None
    info: tuple[str, ...]
    corner = ("1", "1", repr(float(c)), repr(float(f)), repr(float(width)), repr(float(height)))
    projection = utm_zone(epsg)
    geographic = next((name for name, code in _GEOGRAPHIC.items() if code == epsg), None)
    if projection is not None:
        datum, zone, hemisphere = projection
        info = ("UTM", *corner, str(zone), hemisphere, datum, "units=Meters")
    elif geographic is not None:
        info = ("Geographic Lat/Lon", *corner, geographic, "units=Degrees")
    else:
        info = ("Arbitrary", *corner, "0", "North")
    return (*info, f"rotation={math.degrees(angle)!r}") if angle else info


def simple_epsg(crs: str | None) -> int | None:
    """The EPSG code of `crs` when it is one of UTM or a common geographic system, else None.

    Understands "EPSG:n", WKT that ends in an EPSG authority, and ESRI's names of UTM zones.
    """
    text = (crs or "").strip()
    match = (
        re.fullmatch(r"EPSG:(\d+)", text, re.IGNORECASE)
        or re.search(r'AUTHORITY\["EPSG",\s*"(\d+)"\]\s*\]$', text)
        or re.search(r'\bID\["EPSG",\s*(\d+)\]\s*\]$', text)
    )
    if match:
        code = int(match.group(1))
        return code if code in _GEOGRAPHIC.values() or utm_zone(code) else None
    match = re.match(r'PROJCS\["WGS_1984_UTM_Zone_(\d+)([NS])"', text)
    if match:
        return (32600 if match.group(2) == "N" else 32700) + int(match.group(1))
    return None


def same_system(first: str | None, second: str | None) -> bool | None:
    """Whether two reference systems are one, however they are spelled; None where that is unknown.

    Args:
        first: WKT or "EPSG:n"; None: unknown.
        second: the other one.
    """
    if not first or not second:
        return None
    if first.strip() == second.strip():
        return True
    codes = simple_epsg(first), simple_epsg(second)
    if None not in codes:
        return codes[0] == codes[1]
    try:
        from rasterio.crs import CRS
        from rasterio.env import Env
        from rasterio.errors import CRSError
    except ImportError:
        return None
    try:
        with Env():
            systems = CRS.from_user_input(first), CRS.from_user_input(second)
            if systems[0] == systems[1]:
                return True
            # Dialects of WKT name datums differently; the authority's code does not.
            found = [system.to_epsg() for system in systems]
            if None not in found:
                return bool(found[0] == found[1])
            return bool(systems[0].to_dict() == systems[1].to_dict())
    except CRSError:
        return None


def utm_zone(epsg: int | None) -> tuple[str, int, str] | None:
    """Datum (ENVI's name), zone and hemisphere of a UTM system's EPSG code, else None."""
    for datum, (north, south, last_zone) in _UTM_FAMILIES.items():
        for family, hemisphere in ((north, "North"), (south, "South")):
            if epsg is not None and family is not None and 1 <= epsg - family <= last_zone:
                return datum, epsg - family, hemisphere
    return None


def is_geographic(epsg: int) -> bool:
    """Whether a code known to `simple_epsg` means degrees instead of metres."""
    return epsg in _GEOGRAPHIC.values()


def _crs_of(fields: Sequence[str]) -> str | None:
    """The reference system that map info names by itself: UTM or latitude and longitude."""
    projection = fields[0].strip().lower()
    if projection == "utm" and len(fields) > 9 and fields[7].strip().isdigit():
        north, south, last_zone = _UTM_FAMILIES.get(_datum(fields[9]), (None, None, 0))
        family = south if fields[8].strip().lower() == "south" else north
        zone = int(fields[7])
        return f"EPSG:{family + zone}" if family and 1 <= zone <= last_zone else None
    if projection.startswith("geographic") and len(fields) > 7:
        code = _GEOGRAPHIC.get(_datum(fields[7]))
        return f"EPSG:{code}" if code else None
    return None


def _datum(name: str) -> str:
    return _DATUM_ALIASES.get(re.sub(r"[\s_-]", "", name.lower()), name)


def _option(fields: Sequence[str], name: str) -> str | None:
    for field in fields:
        key, equals, value = field.partition("=")
        if equals and key.strip().lower() == name:
            return value.strip()
    return None


def _clean(transform: Affine) -> Affine:
    a, b, c, d, e, f = (value + 0.0 for value in transform)  # -0.0 becomes 0.0
    return (a, b, c, d, e, f)
