"""The products that are one HDF5 file, and what opens them; a new one is entered here.

Apart from the others, as it takes the library for HDF5, which few scenes need.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import h5py

from ..array_axes import ArrayRequest
from ..cube_file import CubeFile
from ..reading_guard import reading
from .emit import open_emit
from .hdf5_parts import WHAT, Hdf5Parts
from .prisma import open_prisma
from .tanager import open_tanager


class Hdf5Product(Protocol):
    """Opens a product that is one HDF5 file."""

    def __call__(self, parts: Hdf5Parts, request: ArrayRequest, marked: bool) -> CubeFile | None:
        """The cube; None where the file is something else."""
        ...


HDF5_PRODUCTS: tuple[Hdf5Product, ...] = (open_prisma, open_emit, open_tanager)


def open_hdf5_product(path: Path, request: ArrayRequest, *, marked: bool) -> CubeFile | None:
    """The cube of an HDF5 file that is a product; None where it is none.

    Raises:
        InputFileError: the file is damaged, or lacks what the product must have.
    """
    with reading(path, WHAT):
        file = h5py.File(path, "r", locking=False)
    try:
        with reading(path, WHAT):
            parts = Hdf5Parts(path, file)
            opened = (product(parts, request, marked) for product in HDF5_PRODUCTS)
            cube = next((cube for cube in opened if cube is not None), None)
    except BaseException:
        file.close()
        raise
    if cube is None:
        file.close()
    return cube
