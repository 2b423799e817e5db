"""Writes one cube or label map in every format and variant that the readers know."""

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import scipy.io
import tifffile

LINES, SAMPLES, BANDS = 7, 9, 5
SHAPE = (LINES, SAMPLES, BANDS)
_ENVI_CODES = {"uint8": 1, "int16": 2, "int32": 3, "float32": 4, "float64": 5, "uint16": 12}


def make_cube(dtype="uint16", shape=SHAPE) -> np.ndarray:
    return np.random.default_rng(3).integers(1, 30000, shape).astype(dtype)


def make_labels(classes=3) -> np.ndarray:
    labels = np.random.default_rng(4).integers(0, classes + 1, (LINES, SAMPLES)).astype(np.uint8)
    labels[0, :classes] = range(1, classes + 1)
    return labels


def write_matlab73(path: Path, **variables: np.ndarray) -> None:
    """As MATLAB does: a 512-byte preamble, axes reversed, the class as an attribute."""
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, values in variables.items():
            data = np.ascontiguousarray(values.T)
            chunks = tuple(max(1, size // 2) for size in data.shape)
            item = file.create_dataset(name, data=data, chunks=chunks, compression="gzip")
            kind = {"float64": "double", "float32": "single"}.get(str(values.dtype))
            item.attrs["MATLAB_class"] = np.bytes_(kind or str(values.dtype))
    with path.open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM")


def envi_header(cube: np.ndarray, interleave: str, extra: str = "", order: int = 0) -> str:
    lines, samples, bands = cube.shape
    return (
        f"ENVI\nsamples = {samples}\nlines = {lines}\nbands = {bands}\nheader offset = 0\n"
        f"file type = ENVI Standard\ndata type = {_ENVI_CODES[cube.dtype.name]}\n"
        f"interleave = {interleave}\nbyte order = {order}\n{extra}"
    )


def write_envi(
    path: Path, cube: np.ndarray, interleave="bsq", extra="", order=0, data_suffix=".img"
) -> Path:
    """Write `path` (.hdr) and its data file; returns the data file."""
    axes = {"bsq": (2, 0, 1), "bil": (0, 2, 1), "bip": (0, 1, 2)}[interleave]
    data = path.with_suffix(data_suffix)
    data.write_bytes(cube.transpose(axes).astype(cube.dtype.newbyteorder("<>"[order])).tobytes())
    path.write_text(envi_header(cube, interleave, extra, order))
    return data


def _mat5(compressed: bool) -> Callable[[Path, np.ndarray], None]:
    return lambda path, a: scipy.io.savemat(path, {"cube": a}, do_compression=compressed)


def _tiff(bands_first: bool, **options) -> Callable[[Path, np.ndarray], None]:
    def write(path: Path, cube: np.ndarray) -> None:
        data = np.ascontiguousarray(cube.transpose(2, 0, 1)) if bands_first else cube
        tifffile.imwrite(path, data, **{"photometric": "minisblack", **options})

    return write


def _pages(path: Path, cube: np.ndarray, **options) -> None:
    with tifffile.TiffWriter(path) as file:
        for band in range(cube.shape[2]):
            plane = np.ascontiguousarray(cube[:, :, band])
            file.write(plane, photometric="minisblack", metadata=None, contiguous=False, **options)


# name -> (file name, writer); the endings are wrong on purpose where content must decide.
CUBE_WRITERS: dict[str, tuple[str, Callable[[Path, np.ndarray], object]]] = {
    "matlab v6": ("cube.mat", _mat5(False)),
    "matlab v7": ("cube.dat", _mat5(True)),
    "matlab v7.3": ("cube.mat", lambda p, a: write_matlab73(p, cube=a)),
    "npy": ("cube.bin", lambda p, a: p.write_bytes(npy_bytes(a))),
    "npy columns": ("cube.npy", lambda p, a: np.save(p, np.asfortranarray(a))),
    "npy big": ("cube.npy", lambda p, a: np.save(p, a.astype(a.dtype.newbyteorder(">")))),
    "npz": ("cube.npz", lambda p, a: np.savez(p, cube=a)),
    "npz packed": ("cube.npz", lambda p, a: np.savez_compressed(p, cube=a)),
    "envi bsq": ("cube.hdr", lambda p, a: write_envi(p, a, "bsq")),
    "envi bil": ("cube.hdr", lambda p, a: write_envi(p, a, "bil", order=1)),
    "envi bip": ("cube.hdr", lambda p, a: write_envi(p, a, "bip")),
    "envi bip big": ("cube.hdr", lambda p, a: write_envi(p, a, "bip", order=1)),
    "tiff interleaved": ("cube.mat", _tiff(False, planarconfig="contig", metadata=None)),
    "tiff big-endian": ("cube.tif", _tiff(False, planarconfig="contig", byteorder=">")),
    "tiff bigtiff": ("cube.tif", _tiff(True, planarconfig="separate", bigtiff=True)),
    "tiff planar": ("cube.tif", _tiff(True, planarconfig="separate")),
    "tiff planar packed": (
        "cube.tif",
        _tiff(True, planarconfig="separate", compression="zlib", rowsperstrip=3),
    ),
    "tiff interleaved packed": (
        "cube.tif",
        _tiff(False, planarconfig="contig", compression="zlib", rowsperstrip=2, predictor=True),
    ),
    "tiff tiled": (
        "cube.tif",
        _tiff(False, planarconfig="contig", tile=(16, 16), compression="zlib"),
    ),
    "tiff tiled planar": ("cube.tif", _tiff(True, planarconfig="separate", tile=(16, 16))),
    "tiff pages": ("cube.tif", _pages),
    "tiff pages packed": ("cube.tif", lambda p, a: _pages(p, a, compression="zlib")),
    "tiff stack bands first": ("cube.tif", _tiff(True)),
    "tiff stack bands last": ("cube.tif", _tiff(False)),
    "tiff stack bands last packed": ("cube.tif", _tiff(False, compression="zlib")),
    "tiff named axes": ("cube.tif", _tiff(False, metadata={"axes": "YXC"})),
}


def npy_bytes(array: np.ndarray) -> bytes:
    from io import BytesIO

    buffer = BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()
