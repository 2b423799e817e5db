"""The folder that a search writes into; known without what draws."""

from __future__ import annotations

from pathlib import Path

from ...atomic import refuse_existing, refuse_file_above
from ...errors import OutputError

REPORT, SHEET, MAP_PICTURE = "report.html", "matches.png", "score_map.png"
MAP_FORMATS = {
    "score_map.tif": "",
    "score_map.hdr": (
        "the score map is an ENVI file: a GeoTIFF with this reference system needs hsi-suite[geo]"
    ),
    "score_map.npy": "no format of rasters can hold this georeference: the score map is an array",
}
"""Files that the score map may be, the best first, and what is said where it is not that."""
_NAMES = {REPORT, SHEET, MAP_PICTURE, *MAP_FORMATS, "score_map.img", "matches.csv", "result.json"}


def check_output(output: str | Path, *, overwrite: bool = False) -> None:
    """Refuse a folder that exists, or cannot be made, before the work of a search.

    Args:
        output: the folder.
        overwrite: whether the results of another search may be replaced.

    Raises:
        OutputError: it holds something that may not be replaced, or lies below a file.
    """
    output = Path(output)
    refuse_file_above(output.parent)
    if not output.exists() or (output.is_dir() and not any(output.iterdir())):
        return
    foreign = [] if not output.is_dir() else sorted({p.name for p in output.iterdir()} - _NAMES)
    if not output.is_dir() or foreign:
        what = f"holds {foreign[0]}" if foreign else "is a file"
        raise OutputError(output, f"{what}, which is no result of a search", "a new folder")
    refuse_existing([output], overwrite=overwrite)
