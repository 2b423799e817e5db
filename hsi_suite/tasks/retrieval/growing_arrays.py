"""NumPy files that grow by rows, so that what is written before an interruption stays good."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import OutputError
from ...guard import parsing


@dataclass(frozen=True)
class GrowingArray:
    """An .npy file to which rows are added; `finish` makes its header true.

    Attributes:
        path: the file.
        row: shape of a row.
        dtype: of the values, as NumPy's text.
    """

    path: Path
    row: tuple[int, ...]
    dtype: str

    def start(self) -> None:
        """Make the file, without rows yet.

        Raises:
            OutputError: it cannot be written.
        """
        try:
            with self.path.open("wb") as file:
                self._write_header(file, 0)
        except OSError as error:
            raise self._unwritable(error) from error

    def write(self, first_row: int, rows: NDArray[Any]) -> None:
        """Write rows from a row on, down to the disk; what stood behind them is cut off.

        Raises:
            OutputError: there is no space, or the file is gone.
        """
        stored = np.dtype(self.dtype)
        try:
            with self.path.open("r+b") as file:
                self._skip_header(file)
                file.seek(first_row * math.prod(self.row) * stored.itemsize, os.SEEK_CUR)
                file.truncate()
                file.write(np.ascontiguousarray(rows, dtype=stored).data)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise self._unwritable(error) from error

    def finish(self, rows: int) -> None:
        """Say in the header how many rows there are.

        Raises:
            OutputError: the file cannot be written.
        """
        try:
            with self.path.open("r+b") as file:
                self._skip_header(file)
                length = file.tell()
                file.seek(0)
                self._write_header(file, rows)
                # NumPy leaves room for the digits of the first axis.
                assert file.tell() == length
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise self._unwritable(error) from error

    def _write_header(self, file: Any, rows: int) -> None:
        header = {"descr": self.dtype, "fortran_order": False, "shape": (rows, *self.row)}
        np.lib.format.write_array_header_1_0(file, header)

    def _skip_header(self, file: Any) -> None:
        expected, remedy = "what an unfinished call has left", "remove its folder to begin anew"
        with parsing(self.path, expected, remedy, kind=OutputError, found="is damaged"):
            np.lib.format.read_magic(file)
            np.lib.format.read_array_header_1_0(file)

    def _unwritable(self, error: OSError) -> OutputError:
        return OutputError(
            self.path, f"cannot be written ({error.strerror})", "a writable place with free space"
        )
