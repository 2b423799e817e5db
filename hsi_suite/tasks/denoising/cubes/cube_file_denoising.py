"""Cubes in files denoised into files, whatever their size, with scores and a report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from time import perf_counter
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from ....atomic import write_text
from ....data.band_order import with_bands, with_selection
from ....data.band_selection import GOOD
from ....data.cube_writer import check_cube_target, storable, write_cube_like
from ....data.missing_data import band_list
from ....data.readers import CubeFile, open_cube
from ....engine.observer import Observer
from ....errors import HsiSuiteError, InputFileError, OutputError
from ....memory import memory_text
from ....reports.denoising.page import denoising_page
from ....reports.html import html_page
from ....reports.languages.speaking import speaking
from ....restoration.cube import CubeRestoration
from ....restoration.cube_lines import line_blocks
from ....restoration.damage import Damage
from ....restoration.planes import PlaneDenoiser
from ....restoration.repairs import Repairs
from ....restoration.unexplained import Unexplained
from .cube_demonstration import CubeNoise, with_noise
from .cube_denoising import CubeChoices, restore_lines
from .cube_report import (
    added_noise_text,
    clearly_faulty,
    cube_report,
    damage_rows,
    non_local_share,
    repairs_rows,
    unexplained_rows,
)
from .cube_scores import Scores, cube_scores, floats_of

# Of a cube that is scored: noisy, clean and denoised, and parts of them on the way (measured: 5).
_SCORED_COPIES = 6


@dataclass(frozen=True)
class DenoisedFile:
    """A cube's file that was denoised.

    Attributes:
        source: what was denoised.
        written: the files that were written, the report last.
        sigma_per_band: standard deviation of the noise, in the cube's units; NaN in dead bands.
        rank: number of eigen-images; None when band after band was denoised.
        damage: what of the cube could not be used.
        missing_values: of the valid pixels in live bands, dead lines included.
        repaired: whether dead bands and missing values were replaced.
        unexplained: pixels whose rare signals were put back, and single odd values.
        repairs: what mode "robust" found wrong with single values; None in other modes.
        shares: of what alike pixels say in each eigen-image, 0 to 1; None where they were not
            asked.
        scores: of "noisy" and "denoised" against the reference; empty without one.
        seconds: that all took.
    """

    source: Path
    written: tuple[Path, ...]
    sigma_per_band: NDArray[np.float64]
    rank: int | None
    damage: Damage
    missing_values: int
    repaired: bool
    unexplained: Unexplained
    repairs: Repairs | None
    shares: NDArray[np.float64] | None
    scores: dict[str, Scores]
    seconds: float

    def damage_rows(self) -> tuple[tuple[str, str], ...]:
        """What was wrong with the cube, as (what, how much) in words."""
        return damage_rows(self.damage, self.missing_values, self.repaired)

    def unexplained_rows(self) -> tuple[tuple[str, str], ...]:
        """What was mended and what noise does not explain, as (what, how much) in words."""
        return (*repairs_rows(self.repairs), *unexplained_rows(self.unexplained, self.damage))

    def planes_text(self) -> str:
        """What planes were denoised, and how."""
        if self.rank is None:
            return "band by band"
        if self.rank == 1:
            return "1 eigen-image"
        if self.shares is None:
            return f"{self.rank} eigen-images, one by one"
        return f"{self.rank} eigen-images, non-local share {non_local_share(self.shares)}"

    def hint(self) -> str:
        """What to try where faults are plain and were not looked for; else nothing."""
        if self.repairs is not None or not clearly_faulty(self.damage, self.unexplained):
            return ""
        return (
            "so many faults: --mode robust looks for them first and fills them; "
            "see the page of --compare before you rely on it"
        )


def denoise_cube_file(
    path: Path | str,
    output: Path | str,
    denoiser: PlaneDenoiser,
    *,
    denoiser_name: str,
    variable: str | None = None,
    axes: str | None = None,
    shape: Sequence[int] | None = None,
    nodata: float | None = None,
    bands: str | None = None,
    drop_water: bool = False,
    reference: Path | str | None = None,
    added_noise: tuple[CubeNoise, float, int] | None = None,
    report: Path | str | None = None,
    observer: Observer | None = None,
    **choices: Unpack[CubeChoices],
) -> DenoisedFile:
    """Denoise a cube of any format into ENVI, GeoTIFF or NPY.

    Type, units, wavelengths, georeference, band names and nodata are the input's; NPY holds the
    values alone. Only blocks of lines and the denoised planes are in memory, but a reference is
    read whole, with the cubes that are compared with it.

    Args:
        path: see `data.readers.open_cube`.
        output: .hdr, .tif or .npy; never the input.
        denoiser: of grey images.
        denoiser_name: what the report calls it.
        variable: which of several arrays in the file is the cube.
        axes: see `data.readers.open_cube`.
        shape: the same.
        nodata: value of missing pixels, instead of the one the file names; NaN: there is none.
        bands: which bands the result has, see `data.band_selection`; None: all, those that the
            file marks as bad as they are, or replaced by `repair`. Nothing is learnt from them.
        drop_water: leave out of the result the bands dark from water vapour.
        reference: a clean cube of the same size and units to score against.
        added_noise: kind, σ and seed of noise that is added first, for a demonstration (see
            `cube_demonstration.with_noise`); the cube itself is then the reference, and the
            result is of float32.
        report: HTML page to write.
        observer: reports progress.
        choices: see `cube_denoising.CubeChoices`.

    Raises:
        HsiSuiteError: a file cannot be read or written, or its cube cannot be denoised; the line
            names the file.
    """
    start = perf_counter()
    observer = observer or Observer()
    path, target = Path(path), Path(output)
    with open_cube(path, variable=variable, axes=axes, shape=shape, nodata=nodata) as file:
        if bands is not None or drop_water:
            file = with_selection(file, bands or GOOD, drop_water=drop_water)
        marked = file.bad_bands if bands is None else ()
        for remark in file.remarks:
            observer.message(f"{path.name}: {remark}")
        if marked and not choices.get("repair") and choices.get("mode") != "robust":
            observer.message(
                f"{path.name}: {len(marked)} bands marked as bad ({band_list(marked)}) are written "
                "as they are; --bands all denoises them too, --bands good leaves them out"
            )
        check_cube_target(target, file)
        if file.mask is not None and target.suffix.lower() == ".npy":
            observer.message(
                f"{path.name}: its mask of pixels without data is not kept in {target.name}; .tif "
                "and .hdr keep it"
            )
        if report is not None and Path(report).suffix.lower() not in {".html", ".htm"}:
            raise OutputError(report, "is no name of a page", "one that ends in .html")
        scored = reference is not None or added_noise is not None
        work = denoiser.work_bytes(prod(file.shape[:2]))
        choices["plane_bytes"] = _left_for_planes(file, scored, choices.get("plane_bytes"), work)
        clean = None if reference is None else _read_reference(Path(reference), file)
        if added_noise is not None:
            clean = floats_of(file.read(), file.nodata) if clean is None else clean
            file = with_noise(file, *added_noise, marked)
        if clean is not None and not np.nanmax(clean, initial=0) > 0:
            raise InputFileError(
                reference or path, "no value above 0 to compare with", "a clean cube"
            )
        try:
            restoration = restore_lines(
                file,
                denoiser,
                observer=observer,
                valid=_unmasked(file),
                nodata=file.nodata,
                wavelengths=file.wavelengths,
                marked=marked,
                **choices,
            )
        except HsiSuiteError as error:
            if error.subject != "cube":
                raise
            raise InputFileError(path, error.found, error.expected, error.remedy) from error
        dtype = storable(file.dtype, target.suffix)
        written = write_cube_like(
            target,
            _with_repaired_bands(file, restoration, observer),
            dtype,
            _restored_blocks(restoration, dtype, observer),
        )
        scores = {} if clean is None else _scores(clean, file, target, restoration)
        if report is not None:
            with speaking("denoised cube"):
                page = cube_report(restoration, file, target, denoiser_name, scores)
                if added_noise is not None:
                    page = replace(page, remarks=[added_noise_text(*added_noise), *page.remarks])
                write_text(Path(report), html_page(denoising_page(page)))
            written += (Path(report),)
    return DenoisedFile(
        path,
        written,
        restoration.sigma,
        restoration.rank,
        restoration.damage,
        restoration.missing_values,
        restoration.repair,
        restoration.unexplained,
        restoration.repairs,
        restoration.shares,
        scores,
        perf_counter() - start,
    )


def _with_repaired_bands(
    file: CubeFile, restoration: CubeRestoration, observer: Observer
) -> CubeFile:
    """What describes the result: bands that were replaced altogether are no longer bad."""
    replaced = set(restoration.damage.dead_bands) if restoration.repair else set()
    mended = sorted(replaced & set(file.bad_bands))
    if not mended:
        return file
    observer.message(
        f"{file.path.name}: {len(mended)} bands that it marks as bad ({band_list(tuple(mended))}) "
        "are replaced, and no longer marked"
    )
    marks = list(file.kept_fields["bbl"])
    for band in mended:
        marks[band] = "1"
    return replace(file, kept_fields={**file.kept_fields, "bbl": tuple(marks)})


def _unmasked(file: CubeFile) -> NDArray[np.bool_] | None:
    """Where the file's mask lets a pixel count; None: everywhere."""
    return None if file.mask is None else file.mask.read_lines(0, file.shape[0])


def _left_for_planes(
    file: CubeFile, scored: bool, allowed: float | None, work: float
) -> float | None:
    """What planes may take beside the network's work and a cube that is in memory whole.

    Raises:
        InputFileError: the cube alone takes more.
    """
    whole = 0.0
    if not file.by_lines:
        whole += file.reading_bytes(file.shape[0])
    if scored:
        whole += _SCORED_COPIES * np.result_type(file.dtype, np.float32).itemsize * prod(file.shape)
    if allowed is None:
        return None
    allowed -= work
    if whole > max(0, allowed):
        why = f"a {file.format} file of this kind" if not scored else "a cube that is scored"
        raise InputFileError(
            file.path,
            f"{why} is read whole, which takes {memory_text(whole)}",
            f"at most {memory_text(allowed)} of the memory limit, beside the rest",
            f"raise --memory-limit by {memory_text(whole - allowed)}"
            + ("" if scored else ", or save the cube as ENVI, NPY or GeoTIFF"),
        )
    return allowed - whole


def _read_reference(path: Path, noisy: CubeFile) -> NDArray[np.floating]:
    with open_cube(path) as file:
        selection = noisy.selection
        if selection is not None and file.shape[2] == selection.of:
            file = with_bands(file, np.array(selection.bands))
        if file.shape != noisy.shape:
            raise InputFileError(
                path,
                f"a cube of {' × '.join(map(str, file.shape))}",
                f"the size of {noisy.path.name}, {' × '.join(map(str, noisy.shape))}",
            )
        return floats_of(file.read(), file.nodata)


def _restored_blocks(
    restoration: CubeRestoration, dtype: np.dtype[Any], observer: Observer
) -> Iterator[NDArray[Any]]:
    observer.begin("writing", restoration.shape[0])
    for first, last in line_blocks(restoration.shape):
        yield restoration.read(first, last, dtype)
        observer.advance(last - first)
    observer.end()


def _scores(
    clean: NDArray[np.floating], file: CubeFile, target: Path, restoration: CubeRestoration
) -> dict[str, Scores]:
    """Of the noisy cube and of the one that was written."""
    valid = restoration.damage.valid
    noisy = cube_scores(clean, floats_of(file.read(), file.nodata), valid)
    with open_cube(target) as written:
        return {
            "noisy": noisy,
            "denoised": cube_scores(clean, floats_of(written.read(), file.nodata), valid),
        }
