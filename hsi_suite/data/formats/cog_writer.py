"""GeoTIFF files rewritten as Cloud-Optimised GeoTIFF (OGC 21-026).

Tiles of 512 pixels, smaller versions (overviews) before the values, and a header that comes first:
a reader takes only the parts that it shows, also over a network.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from ...atomic import atomic_file
from ...errors import OutputError
from ...guard import reason_of
from .reading_guard import muted_errors, quiet_libraries

# Enough for tiles of many bands; GDAL's own choice grows with the machine.
_CACHE_MB = 64
_TILE = 512
# After each tile its last four bytes stand once more.
_TRAILER = 4


def require_cog(path: Path) -> None:
    """Refuse a Cloud-Optimised GeoTIFF where it cannot be written.

    Args:
        path: of the map.

    Raises:
        OutputError: it is no GeoTIFF by its name, or rasterio is not installed.
    """
    if path.suffix.lower() not in (".tif", ".tiff"):
        raise OutputError(path, "--cog writes a GeoTIFF", "a name that ends in .tif")
    if find_spec("rasterio") is None:
        raise OutputError(
            path,
            "--cog needs rasterio, which is not installed",
            "",
            "install hsi-suite[geo], or leave --cog out",
        )


def cog_bytes(layers: int) -> float:
    """About the most memory that `make_cog` takes of a file of float32 layers.

    GDAL's cache, and a tile of all layers, as it is and compressed (measured: 70 MB of 16 layers,
    32 MB of one).
    """
    return 1e6 * _CACHE_MB + 3.0 * layers * _TILE**2 * 4


def make_cog(path: Path, target: Path, *, classes: bool) -> None:
    """Give a GeoTIFF the layout of a Cloud-Optimised one; one that has it stays as it is.

    Values, colours, names, nodata and georeference are kept. The file is replaced at once: a
    process killed meanwhile leaves the old one.

    Args:
        path: the file.
        target: what it will be called, for messages.
        classes: whether its values are labels, of which an overview shows the most frequent one;
            those of other values are means.

    Raises:
        OutputError: it cannot be written.
    """
    import rasterio

    # Names and styles beside the file are written by `map_styles`.
    with quiet_libraries(), rasterio.Env(GDAL_CACHEMAX=_CACHE_MB, GDAL_PAM_ENABLED="NO"):
        with rasterio.open(path) as file:
            if file.tags(ns="IMAGE_STRUCTURE").get("LAYOUT") == "COG":
                return
        with atomic_file(path) as temporary:
            try:
                with muted_errors():
                    _copy(path, temporary, "MODE" if classes else "AVERAGE")
                _check_whole(temporary)
            except Exception as error:  # GDAL's own errors have no public class
                raise OutputError(
                    target,
                    f"cannot be written ({reason_of(error)})",
                    "a writable place with free space",
                ) from error


def _copy(path: Path, place: Path, resampling: str) -> None:
    import rasterio.shutil

    rasterio.shutil.copy(
        path,
        place,
        driver="COG",
        compress="DEFLATE",
        bigtiff="IF_SAFER",
        blocksize=_TILE,
        overviews="IGNORE_EXISTING",
        overview_resampling=resampling,
    )


def _check_whole(path: Path) -> None:
    """Refuse a file that is cut: GDAL says nothing of what finds no room when it closes one.

    Raises:
        OSError: a tile lies beyond the file's end.
    """
    import tifffile

    size = path.stat().st_size
    with tifffile.TiffFile(path) as file:
        ends = [
            offset + length + _TRAILER
            for page in file.pages
            for offset, length in zip(page.dataoffsets, page.databytecounts, strict=True)
        ]
    # Without room for its list of pages a file has none.
    if max(ends, default=size + 1) > size:
        raise OSError("its end is missing")
