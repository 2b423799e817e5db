"""Lines of a cube that lies uncompressed in a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from ...errors import InputFileError

# On disk, slowest axis first: L lines, S samples, B bands. ENVI calls the first three bsq, bil
# and bip; BSL is NumPy's and MATLAB's column order, SLB that of a matrix of bands × pixels there.
AxisOrder = Literal["BLS", "LBS", "LSB", "BSL", "SLB", "SBL"]
_BLOCK_BYTES = 32 * 2**20


class RawLines:
    """Reads lines by seeking, not by a memory map: mapped pages count as resident memory.

    Args:
        path: the file.
        offset: where the values start, in bytes.
        dtype: their type, byte order included.
        shape: lines, samples, bands.
        order: order of the axes on disk, the slowest first; "LSB" is lines, samples, bands.

    Raises:
        InputFileError: the file is shorter than the cube.
        ValueError: there is no such order.
    """

    def __init__(
        self,
        path: Path,
        *,
        offset: int,
        dtype: np.dtype[Any],
        shape: tuple[int, int, int],
        order: AxisOrder,
    ) -> None:
        if order not in get_args(AxisOrder):
            raise ValueError(f"order: {order!r}; expected one of {', '.join(get_args(AxisOrder))}")
        lines, samples, bands = shape
        needed = offset + lines * samples * bands * dtype.itemsize
        try:
            actual = path.stat().st_size
            if actual < needed:
                raise InputFileError(
                    path,
                    f"the file ends early, after {actual:,} bytes",
                    f"at least {needed:,} for its {lines} × {samples} × {bands} {dtype.name}",
                    "copy or fetch the file again",
                )
            self._file = path.open("rb")
        except OSError as error:
            raise InputFileError(path, f"cannot be opened ({error.strerror})") from error
        self._path = path
        self._offset = offset
        self._stored = dtype
        self._shape = shape
        self._order = order

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values in native byte order."""
        return self._stored.newbyteorder("=")

    def read_lines(self, first_line: int, last_line: int) -> NDArray[Any]:
        """Lines first_line … last_line - 1, lines × samples × bands, contiguous."""
        _, samples, bands = self._shape
        out: NDArray[Any] = np.empty((last_line - first_line, samples, bands), self.dtype)
        if out.size == 0:
            return out
        if self._order == "LSB":
            raw = out.view(self._stored)
            self._fill(raw, first_line * samples * bands)
            if not self._stored.isnative:
                out.byteswap(inplace=True)
        elif self._order == "LBS":
            self._read_by_line(out, first_line)
        elif self._order == "BLS":
            self._read_by_band(out, first_line)
        elif self._order == "BSL":
            self._read_by_plane(out, first_line)
        else:
            self._read_by_sample(out, first_line)
        return out

    def reading_bytes(self, lines: int) -> int:
        """Memory that reading so many lines takes: these, and what passes through on the way."""
        all_lines, samples, bands = self._shape
        size = self._stored.itemsize
        wanted = lines * samples * bands * size
        passing = {
            "LSB": 0,
            "LBS": min(wanted, max(_BLOCK_BYTES, samples * bands * size)),
            "BLS": min(wanted, max(_BLOCK_BYTES, lines * samples * size)),
            "BSL": samples * all_lines * size,
            "SLB": lines * bands * size,
            "SBL": bands * all_lines * size,
        }
        return wanted + passing[self._order]

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _read_by_line(self, out: NDArray[Any], first_line: int) -> None:
        count, samples, bands = out.shape
        per_block = max(1, _BLOCK_BYTES // (samples * bands * self._stored.itemsize))
        buffer = np.empty((min(per_block, count), bands, samples), self._stored)
        for start in range(0, count, per_block):
            block = buffer[: min(per_block, count - start)]
            self._fill(block, (first_line + start) * bands * samples)
            out[start : start + len(block)] = block.transpose(0, 2, 1)

    def _read_by_band(self, out: NDArray[Any], first_line: int) -> None:
        count, samples, bands = out.shape
        lines = self._shape[0]
        # Several bands at a time: writing one would touch every cache line of `out` for it.
        per_block = max(1, _BLOCK_BYTES // (count * samples * self._stored.itemsize))
        buffer = np.empty((min(per_block, bands), count, samples), self._stored)
        for start in range(0, bands, per_block):
            block = buffer[: min(per_block, bands - start)]
            for index, plane in enumerate(block):
                self._fill(plane, ((start + index) * lines + first_line) * samples)
            out[:, :, start : start + len(block)] = block.transpose(1, 2, 0)

    def _read_by_plane(self, out: NDArray[Any], first_line: int) -> None:
        # Lines are the fastest axis: each band must pass through memory, one at a time.
        count, samples, bands = out.shape
        lines = self._shape[0]
        plane = np.empty((samples, lines), self._stored)
        for band in range(bands):
            self._fill(plane, band * samples * lines)
            out[:, :, band] = plane[:, first_line : first_line + count].T

    def _read_by_sample(self, out: NDArray[Any], first_line: int) -> None:
        count, samples, bands = out.shape
        lines = self._shape[0]
        if self._order == "SLB":
            rows = np.empty((count, bands), self._stored)
            for sample in range(samples):
                self._fill(rows, (sample * lines + first_line) * bands)
                out[:, sample] = rows
            return
        plane = np.empty((bands, lines), self._stored)
        for sample in range(samples):
            self._fill(plane, sample * bands * lines)
            out[:, sample] = plane[:, first_line : first_line + count].T

    def _fill(self, array: NDArray[Any], first_value: int) -> None:
        """Fill contiguous `array` with the values from number `first_value` on."""
        try:
            self._file.seek(self._offset + first_value * self._stored.itemsize)
            got = self._file.readinto(array.data.cast("B"))
        except OSError as error:
            raise InputFileError(self._path, f"cannot be read ({error.strerror})") from error
        if got != array.nbytes:
            raise InputFileError(
                self._path, "the file became shorter while it was read", "", "read it again"
            )
