"""Cubes, and scenes of a cube and its labels."""

import gzip
from unittest import mock

import file_samples as samples
import h5py
import numpy as np
import rasterio
import tifffile
from product_samples import PRODUCTS
from scenes_samples import small_cube
from test_missing_data import neon, write_raster

from hsi_suite.data.cube_export import export_cube
from hsi_suite.data.file_description import describe_file
from hsi_suite.data.formats.tiff_writer import write_layers_tiff, write_map_tiff
from hsi_suite.data.missing_data import filled
from hsi_suite.data.readers import open_cube, open_scene, read_scene, survey_missing
from hsi_suite.data.scene import Georeference
from hsi_suite.engine.observer import Observer
from hsi_suite.runs.launch import configure
from hsi_suite.tasks.scenes.configuration import resolve
from hsi_suite.tasks.scenes.preparation import prepare as prepare_scene
from hsi_suite.tasks.scenes.training_memory import MemoryLimit

from .harness import Kind

LABELS = samples.make_labels()
PLACE = Georeference("EPSG:32633", (30.0, 0.0, 600000.0, 0.0, -30.0, 5800000.0))
_ENVI_EXTRA = (
    "wavelength units = nm\nwavelength = {420, 540, 660, 780, 900}\n"
    "fwhm = {10, 10, 10, 10, 10}\nband names = {a, b, c, d, e}\ndata ignore value = -1\n"
    "bbl = {1, 1, 0, 1, 1}\nreflectance scale factor = 10000\ndescription = {a cube}\n"
    "map info = {UTM, 1, 1, 500000, 4400000, 30, 30, 33, North, WGS-84}\n"
)


def _read_cube(name):
    def read(folder):
        with open_cube(folder / name) as file:
            values = file.read()
            survey_missing(file)
        filled(values, file.nodata, file.wavelengths)
        describe_file(folder / name)

    return read


def _floats():
    cube = samples.make_cube("float32")
    cube[1, 2], cube[3, 4, 2] = -999, np.nan
    return cube


def _envi_gzip(path):
    data = samples.write_envi(path, samples.make_cube(), "bil", "file compression = 1\n")
    data.write_bytes(gzip.compress(data.read_bytes()))


def _masked(inside, **profile):
    mask = np.full(samples.SHAPE[:2], 255, "u1")
    mask[2:4, 1:5] = 0
    return lambda p: write_raster(p, samples.make_cube(), mask=mask, inside=inside, **profile)


def _envi_with_mask(path):
    data = samples.write_envi(path, samples.make_cube("float32"), "bsq", _ENVI_EXTRA)
    mask = np.full(samples.SHAPE[:2], 255, "u1")
    mask[:2] = 0
    tifffile.imwrite(f"{data}.msk", mask)


def _netcdf(path):
    with h5py.File(path, "w") as file:
        data = file.create_dataset("radiance", data=_floats().transpose(2, 0, 1))
        data.attrs["_FillValue"] = np.array([1e20], "f4")
        data.attrs["missing_value"] = np.float32(-999)
        data.attrs["scale_factor"], data.attrs["add_offset"] = 0.5, 2.0
        file["wavelength"] = np.linspace(0.4, 0.8, 5)
        file["wavelength"].attrs["units"] = "um"


def _placed_netcdf(path):
    """With place, mask and marks of bands, as `hsi data export` writes them."""
    header = path.with_suffix(".hdr")
    _envi_with_mask(header)
    export_cube(header, path)
    for made in (header, *header.parent.glob("*.img*"), *header.parent.glob("*.msk")):
        made.unlink(missing_ok=True)


def _unwritten(path):
    with h5py.File(path, "w") as file:
        data = file.create_dataset("cube", samples.SHAPE, "i2", chunks=(1, 9, 5), fillvalue=-5)
        data[:4] = samples.make_cube("int16")[:4]


def _matrix(path):
    """Spectra as a matrix, with the size of the scene in the file."""
    cube = samples.make_cube()
    lines, columns, bands = cube.shape
    samples.write_matlab73(
        path, Y=cube.transpose(1, 0, 2).reshape(-1, bands).T, nRow=np.float64([[lines]]),
        nCol=np.float64([[columns]]), nBand=np.float64([[bands]]),
    )  # fmt: skip


def _geotiff(path):
    names = [f"band {k}" for k in range(samples.BANDS)]
    write_layers_tiff(path, _floats(), names, PLACE, nodata=-999.0)


def _own_system(path):
    system = rasterio.CRS.from_proj4("+proj=laea +lat_0=10 +lon_0=20 +datum=WGS84 +units=m")
    write_raster(path, samples.make_cube(), crs=system, nodata=0)


def _cubes():
    written = {
        kind: (name, lambda p, w=write: w(p, samples.make_cube()))
        for kind, (name, write) in samples.CUBE_WRITERS.items()
    }
    written |= {
        "envi gzip": ("cube.hdr", _envi_gzip),
        "envi and mask": ("cube.hdr", _envi_with_mask),
        "hdf5 neon": ("cube.h5", lambda p: neon(p, samples.make_cube("int16"))),
        "hdf5 netcdf": ("cube.nc", _netcdf),
        "netcdf placed": ("cube.nc", _placed_netcdf),
        "hdf5 unwritten": ("cube.h5", _unwritten),
        "geotiff": ("cube.tif", _geotiff),
        "geotiff own system": ("cube.tif", _own_system),
        "geotiff mask inside": ("cube.tif", _masked(True)),
        "geotiff mask beside": ("cube.tif", _masked(False)),
        "geotiff zstd": (
            "cube.tif",
            lambda p: write_raster(p, samples.make_cube(), compress="zstd"),
        ),
        "geotiff 12 bits": (
            "cube.tif",
            lambda p: write_raster(p, samples.make_cube() // 8, compress="lzw", nbits=12),
        ),
        "geotiff lerc": ("cube.tif", lambda p: write_raster(p, _floats(), compress="lerc_zstd")),
        "hdf5 matrix": ("cube.mat", _matrix),
        "npy floats": ("cube.npy", lambda p: np.save(p, _floats())),
        "npy small floats": ("cube.npy", lambda p: np.save(p, _floats().astype("f2"))),
    }  # fmt: skip
    for kind, (name, write) in written.items():
        yield Kind(f"cube {kind}", lambda f, n=name, w=write: w(f / n), _read_cube(name))


def _make_envi_scene(folder):
    samples.write_envi(folder / "cube.hdr", samples.make_cube("int16"), "bil", _ENVI_EXTRA)
    samples.write_envi(
        folder / "gt.hdr", LABELS[..., None], "bsq",
        "classes = 4\nclass names = {Unclassified, a, b, c}\n"
        "class lookup = {0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255}\n",
    )  # fmt: skip
    (folder / "names.txt").write_text("first\nsecond\nthird\n")


def _read_envi_scene(folder):
    names = folder / "names.txt"
    read_scene(folder / "cube.hdr", labels=folder / "gt.hdr", class_names=names)


def _make_npy_scene(folder):
    cube, labels = small_cube(10, 9)
    np.save(folder / "cube.npy", np.asfortranarray(cube.astype("f4")))
    np.save(folder / "gt.npy", labels)


def _halves():
    """The labels of two parts that share no pixel."""
    odd = np.arange(LABELS.size).reshape(LABELS.shape) % 2 == 1
    return np.where(odd, LABELS, 0), np.where(odd, 0, LABELS)


def write_map(path, labels):
    colours = np.arange(12, dtype=np.uint8).reshape(4, 3)
    write_map_tiff(path, labels.astype(np.uint8), ("a", "b", "c"), colours, PLACE)


def _make_placed_scene(folder):
    """A georeferenced cube, its labels in two files that reach beyond it."""
    names = [f"band {k}" for k in range(samples.BANDS)]
    write_layers_tiff(folder / "cube.tif", samples.make_cube("float32"), names, PLACE, nodata=-9.0)
    for name, part in zip(("train.tif", "test.tif"), _halves(), strict=True):
        write_map(folder / name, part)


def _read_placed_scene(folder):
    labels = f"{folder / 'train.tif'},{folder / 'test.tif'}"
    read_scene(folder / "cube.tif", labels=labels, warp_labels=True)


def _make_joined_scene(folder):
    np.save(folder / "cube.npy", samples.make_cube())
    first, second = _halves()
    np.savez(folder / "labels.npz", train=first, test=second, other=first)


def _read_joined_scene(folder):
    read_scene(
        folder / "cube.npy", labels=folder / "labels.npz", labels_variable="train,test",
        unlabelled=0,
    )  # fmt: skip


def _read_by_lines(name):
    def read(folder):
        with open_scene(folder / name, labels=folder / "gt.npy").cube as file:
            for line in range(file.shape[0]):
                file.read(line, line + 1)

    return read


def _by_lines():
    writers = {
        "cube.hdr": lambda p: samples.write_envi(p, _floats(), "bil", _ENVI_EXTRA),
        "cube.npy": lambda p: np.save(p, _floats()),
        "cube.tif": _geotiff,
        "cube.h5": _netcdf,
    }  # fmt: skip
    for name, write in writers.items():

        def make(folder, name=name, write=write):
            write(folder / name)
            np.save(folder / "gt.npy", np.where(np.isfinite(_floats()).all(2), LABELS, 0))
            labels = np.load(folder / "gt.npy")
            labels[1, 2] = 0
            np.save(folder / "gt.npy", labels)

        yield Kind(f"scene by lines {name}", make, _read_by_lines(name))


def _products():
    """Satellite and airborne products: all of their files may be damaged."""
    for name, write in PRODUCTS.items():

        def make(folder, write=write):
            write(folder)

        def read(folder):
            path = folder / _main_file(folder)
            with open_cube(path) as file:
                file.valid(file.read())
            describe_file(path)

        yield Kind(f"product {name}", make, read)


def _main_file(folder):
    """What a user names of a product: its metadata or header, or its only file."""
    beside = ("MASK", "igm")
    main = (p for p in folder.iterdir() if not any(part in p.name for part in beside))
    return max(sorted(main), key=lambda p: "METADATA" in p.name or p.suffix == ".hdr").name


def _make_trained_scene(folder):
    cube, labels = small_cube(14, 14)
    np.save(folder / "cube.npy", cube.astype("f4"))
    np.save(folder / "gt.npy", labels)
    np.save(folder / "split.npy", np.where(labels > 0, 1 + np.indices(labels.shape)[0] % 2, 0))


def _read_trained_scene(folder):
    """As a training does before its first step, once with the cube in memory and once by lines."""
    config = resolve(configure(
        scene=str(folder / "cube.npy"), labels=str(folder / "gt.npy"), model="svm",
        settings=["threads=1", "split.kind=file", f"split.file={folder / 'split.npy'}"],
    ))  # fmt: skip
    prepare_scene(config, Observer()).close()
    with mock.patch.object(MemoryLimit, "holds", lambda *_: False):
        prepare_scene(config, Observer()).close()


def cube_kinds():
    """All kinds of cubes and scenes."""
    return [
        *_cubes(),
        Kind("scene envi", _make_envi_scene, _read_envi_scene),
        Kind("scene npy", _make_npy_scene,
             lambda f: read_scene(f / "cube.npy", labels=f / "gt.npy")),
        Kind("scene placed, labels of two files", _make_placed_scene, _read_placed_scene),
        Kind("scene, labels of two arrays", _make_joined_scene, _read_joined_scene),
        *_by_lines(),
        *_products(),
        Kind("scene for training", _make_trained_scene, _read_trained_scene),
    ]  # fmt: skip
