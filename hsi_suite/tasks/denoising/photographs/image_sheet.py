"""The contact sheet of a call of `hsi denoise`: where it may go, and that it is written whole."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from ....atomic import atomic_file, keeping
from ....reports.denoising.contact_sheet import MOST, Detail, contact_sheet
from ..named_places import check_sheet_name
from .image_jobs import ImageJob


def check_sheet(
    path: Path, jobs: Sequence[ImageJob], kept: Sequence[Path], *, overwrite: bool, compare: bool
) -> None:
    """See that a contact sheet can be written, before work is done for it.

    Args:
        path: where it is to go.
        jobs: the photographs of the call.
        kept: further files that nothing may take the place of.
        overwrite: whether it may take the place of a finished file.
        compare: whether each job writes a picture of before and after too.

    Raises:
        OutputError: it is no PNG file, exists already, or is an input or a result.
    """
    others = [each for job in jobs for each in (job.source, *job.written(compare))]
    check_sheet_name(path, [*others, *kept], overwrite=overwrite)


def write_sheet(path: Path, rows: Sequence[tuple[Detail, str, str]], *, overwrite: bool) -> None:
    """Write a contact sheet, whole or not at all; see `contact_sheet` for its rows."""
    encoded = io.BytesIO()
    contact_sheet(rows).save(encoded, "PNG")
    with keeping([path], overwrite=overwrite), atomic_file(path) as temporary:
        temporary.write_bytes(encoded.getbuffer())


def sheet_text(photographs: int) -> str:
    """What a contact sheet shows, in words."""
    if photographs <= MOST:
        return f"before and after, {photographs} photograph{'s' if photographs != 1 else ''}"
    return f"before and after, the first {MOST} of {photographs} photographs"
