"""Files of data: cubes, labels, splits, pairs, photographs, spectra, names."""

import io

import file_samples as samples
import numpy as np
import scipy.io
import tifffile
from PIL import Image
from retrieval_samples import write_pairs
from scenes_samples import small_cube
from test_damaged_files import LABEL_WRITERS

from hsi_suite.data.field_spectra import read_field_spectrum
from hsi_suite.data.images import read_folder
from hsi_suite.data.pair_files import read_pairs
from hsi_suite.data.photograph_writer import write_photograph
from hsi_suite.data.photographs import read_header, read_photograph
from hsi_suite.data.readers import open_cube, read_class_names, read_labels, read_scene
from hsi_suite.data.split_files import file_split
from hsi_suite.data.splits import random_split, save_split

from .harness import Kind

LABELS = samples.make_labels()
_CENTRES = np.linspace(420, 900, samples.BANDS)
_ENVI_EXTRA = (
    "wavelength units = nm\nwavelength = {420, 540, 660, 780, 900}\n"
    "fwhm = {10, 10, 10, 10, 10}\nband names = {a, b, c, d, e}\ndata ignore value = -1\n"
    "bbl = {1, 1, 0, 1, 1}\nreflectance scale factor = 10000\ndescription = {a cube}\n"
    "map info = {UTM, 1, 1, 500000, 4400000, 30, 30, 33, North, WGS-84}\n"
)


def _read_cube(name):
    def read(folder):
        with open_cube(folder / name) as file:
            file.read()

    return read


def _cubes():
    for kind, (name, write) in samples.CUBE_WRITERS.items():
        yield Kind(f"cube {kind}", lambda f, n=name, w=write: w(f / n, samples.make_cube()),
                   _read_cube(name))  # fmt: skip


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


def _labels():
    for kind, write in LABEL_WRITERS.items():
        yield Kind(f"labels {kind}", lambda f, w=write: w(f / "gt", LABELS),
                   lambda f: read_labels(f / "gt"))  # fmt: skip


def _parts():
    flat = np.flatnonzero(LABELS)
    train, test = flat[::3], np.setdiff1d(flat, flat[::3])
    masks = []
    for part in (train, test):
        mask = np.zeros(LABELS.size, np.uint8)
        mask[part] = 1
        masks.append(mask.reshape(LABELS.shape))
    return train, test, masks


def _random_split():
    return random_split(LABELS, train=0.4, generator=np.random.default_rng(0))


def _splits():
    train, test, (first, second) = _parts()
    codes = first + 2 * second
    writers = {
        "split.npz": lambda p: save_split(_random_split(), p),
        "lists.npz": lambda p: np.savez(p, train=train, test=test),
        "v5.mat": lambda p: scipy.io.savemat(p, {"TR": first, "TE": second}),
        "v7.mat": lambda p: scipy.io.savemat(p, {"TR": first, "TE": second}, do_compression=True),
        "v73.mat": lambda p: samples.write_matlab73(p, TR=first, TE=second),
        "codes.npy": lambda p: np.save(p, codes),
    }
    for name, write in writers.items():
        yield Kind(f"split {name}", lambda f, n=name, w=write: w(f / n),
                   lambda f, n=name: file_split(f / n, LABELS, rare_classes="drop"))  # fmt: skip


def _pairs_mat(path):
    with np.load(write_pairs(path.with_suffix(".npz"), 60)) as arrays:
        found = dict(arrays)
    path.with_suffix(".npz").unlink()
    scipy.io.savemat(path, found)
    return path


def _pairs():
    yield Kind("pairs npz", lambda f: write_pairs(f / "pairs.npz", 60, extra=10),
               lambda f: read_pairs(f / "pairs.npz"))  # fmt: skip
    yield Kind("pairs mat", lambda f: _pairs_mat(f / "pairs.mat"),
               lambda f: read_pairs(f / "pairs.mat"))  # fmt: skip


def _photograph_files():
    rng = np.random.default_rng(5)
    grey = rng.integers(0, 256, (12, 15), np.uint8)
    colour = rng.integers(0, 256, (12, 15, 3), np.uint8)
    deep = rng.integers(0, 65536, (12, 15), np.uint16)
    profile = b"\0" * 128
    exif = Image.Exif()
    exif[274] = 6
    return {
        "grey.png": lambda p: Image.fromarray(grey).save(p, dpi=(72, 72)),
        "colour.png": lambda p: Image.fromarray(colour).save(p, icc_profile=profile),
        "deep.png": lambda p: Image.fromarray(deep).save(p),
        "palette.png": lambda p: Image.fromarray(colour).quantize(16).save(p, transparency=0),
        "colour.jpg": lambda p: Image.fromarray(colour).save(p, exif=exif, icc_profile=profile),
        "colour.bmp": lambda p: Image.fromarray(colour).save(p),
        "grey.tif": lambda p: Image.fromarray(grey).save(p, compression="tiff_deflate"),
        "deep.tif": lambda p: tifffile.imwrite(p, deep, iccprofile=profile, resolution=(72, 72)),
        "floats.tif": lambda p: tifffile.imwrite(p, np.float32(deep / 65535), compression="zlib"),
        "alpha.tif": lambda p: tifffile.imwrite(
            p, np.dstack([colour, grey]), photometric="rgb", extrasamples=["unassalpha"]
        ),
    }  # fmt: skip


def _through_photograph(name):
    def read(folder):
        read_header(folder / name)
        photograph = read_photograph(folder / name)
        target = "again.tif" if photograph.values.dtype.kind == "f" else "again.png"
        write_photograph(folder / target, photograph)

    return read


def _photographs():
    for name, write in _photograph_files().items():
        yield Kind(f"photograph {name}", lambda f, n=name, w=write: w(f / n),
                   _through_photograph(name))  # fmt: skip

    def folder_of(folder):
        for name in ("grey.png", "colour.jpg"):
            _photograph_files()[name](folder / name)

    yield Kind("folder of images", folder_of, lambda f: read_folder(f, "rgb"))


def _make_table(folder):
    rows = [f"{w:g},{0.1 + w / 4000:.4f},{0.3:.2f}" for w in range(400, 900, 20)]
    text = "\n".join(["# made in the field", "wavelength_nm,soil,grass", *rows])
    (folder / "field.csv").write_text(text)


def _make_library(folder):
    spectra = np.linspace(0.1, 0.6, 2 * 30).reshape(2, 30).astype("<f4")
    (folder / "lib.sli").write_bytes(spectra.tobytes())
    centres = ", ".join(f"{0.4 + 0.02 * k:.3f}" for k in range(30))
    (folder / "lib.hdr").write_text(
        "ENVI\nsamples = 30\nlines = 2\nbands = 1\nheader offset = 0\n"
        "file type = ENVI Spectral Library\ndata type = 4\ninterleave = bsq\nbyte order = 0\n"
        "wavelength units = Micrometers\nspectra names = {soil, grass}\n"
        f"wavelength = {{{centres}}}\n"
    )


def _spectra():
    yield Kind("spectrum table", _make_table,
               lambda f: read_field_spectrum(f / "field.csv", name="soil"))  # fmt: skip
    yield Kind("spectral library", _make_library,
               lambda f: read_field_spectrum(f / "lib.sli", name="soil"))  # fmt: skip


def _make_npy_scene(folder):
    cube, labels = small_cube(10, 9)
    np.save(folder / "cube.npy", np.asfortranarray(cube.astype("f4")))
    buffer = io.BytesIO()
    np.save(buffer, labels)
    (folder / "gt.npy").write_bytes(buffer.getvalue())


def file_kinds():
    """All kinds of files of data."""
    return [
        *_cubes(),
        Kind("scene envi", _make_envi_scene, _read_envi_scene),
        Kind("scene npy", _make_npy_scene,
             lambda f: read_scene(f / "cube.npy", labels=f / "gt.npy")),
        *_labels(),
        Kind("class names", lambda f: (f / "names.txt").write_text("a\nb\nc\n"),
             lambda f: read_class_names(f / "names.txt")),
        *_splits(),
        *_pairs(),
        *_photographs(),
        *_spectra(),
    ]  # fmt: skip
