"""Photographs, stacks, folders of images, and what denoises them."""

import io
import tarfile
from importlib.util import find_spec
from pathlib import Path
from unittest import mock

import imagecodecs
import numpy as np
import tifffile
from denoiser_samples import box_filter
from photograph_samples import XMP, ink_profile, notes, write_raw
from PIL import Image, features
from test_missing_data import write_raster
from test_photograph_stacks import write as write_stack

from hsi_suite.data import cifar
from hsi_suite.data.class_folders import read_class_folder
from hsi_suite.data.images import read_folder
from hsi_suite.data.photograph_stacks import open_stack, stack_kind
from hsi_suite.data.photograph_writer import write_photograph
from hsi_suite.data.photographs import Photograph, read_header, read_photograph
from hsi_suite.tasks.denoising.cubes.cube_jobs import CubeSettings, denoise_cubes, separate_cubes
from hsi_suite.tasks.denoising.denoising_options import DenoisingOptions
from hsi_suite.tasks.denoising.photographs.image_denoising import denoise_images

from .harness import Kind

_RNG = np.random.default_rng(5)
_AVIF = features.check("avif")
_GREY = _RNG.integers(0, 256, (12, 15), np.uint8)
_COLOUR = _RNG.integers(0, 256, (12, 15, 3), np.uint8)
_DEEP = _RNG.integers(0, 65536, (12, 15), np.uint16)
_FLOATS = np.float32(_DEEP / 65535)
_BATCHES = [*(f"data_batch_{k}.bin" for k in range(1, 6)), "test_batch.bin"]


def _photograph_files():
    profile = b"\0" * 128
    exif = Image.Exif()
    exif[274] = 6
    alpha = {"photometric": "rgb", "extrasamples": ["unassalpha"]}
    inks = np.dstack([_COLOUR, _GREY])
    return {
        "grey.png": lambda p: Image.fromarray(_GREY).save(p, dpi=(72, 72)),
        "colour.png": lambda p: Image.fromarray(_COLOUR).save(p, icc_profile=profile),
        "deep.png": lambda p: Image.fromarray(_DEEP).save(p),
        "palette.png": lambda p: Image.fromarray(_COLOUR).quantize(16).save(p, transparency=0),
        "colour.jpg": lambda p: Image.fromarray(_COLOUR).save(p, exif=exif, icc_profile=profile),
        "colour.bmp": lambda p: Image.fromarray(_COLOUR).save(p),
        "grey.tif": lambda p: Image.fromarray(_GREY).save(p, compression="tiff_deflate"),
        "lzw.tif": lambda p: write_raster(p, _DEEP[..., None], compress="lzw", predictor=2),
        "zstd.tif": lambda p: tifffile.imwrite(p, _COLOUR, compression="zstd"),
        "jpeg.tif": lambda p: tifffile.imwrite(p, _COLOUR, compression="jpeg"),
        "bits.tif": lambda p: Image.fromarray(_GREY > 99).save(p, compression="group4"),
        "deep.tif": lambda p: tifffile.imwrite(p, _DEEP, iccprofile=profile, resolution=(72, 72)),
        "floats.tif": lambda p: tifffile.imwrite(p, _FLOATS, compression="zlib"),
        "alpha.tif": lambda p: tifffile.imwrite(p, np.dstack([_COLOUR, _GREY]), **alpha),
        "white.tif": lambda p: tifffile.imwrite(p, _GREY, photometric="miniswhite"),
        "deep.jp2": lambda p: p.write_bytes(imagecodecs.jpeg2k_encode(_DEEP, level=0)),
        "colour.jp2": lambda p: Image.fromarray(_COLOUR).save(p),
        "deep.pgm": lambda p: write_photograph(p, Photograph(_DEEP)),
        "text.pgm": lambda p: p.write_text("P2\n# text\n3 2\n9\n0 1 2\n3 4 9\n"),
        "floats.pfm": lambda p: p.write_bytes(b"Pf\n15 12\n-1.0\n" + _FLOATS.tobytes()),
        **({"colour.avif": lambda p: Image.fromarray(_COLOUR).save(p)} if _AVIF else {}),
        "noted.webp": lambda p: Image.fromarray(_COLOUR).save(
            p, exif=notes(6), xmp=XMP, icc_profile=profile, lossless=True
        ),
        "clear.webp": lambda p: Image.fromarray(np.dstack([_COLOUR, _GREY])).save(p),
        "palette.gif": lambda p: Image.fromarray(_COLOUR).quantize(16).save(p, transparency=0),
        "inks.jpg": lambda p: Image.fromarray(inks, "CMYK").save(p, icc_profile=ink_profile()),
        "inks.tif": lambda p: tifffile.imwrite(
            p, inks, photometric="separated", iccprofile=ink_profile()
        ),
        "lab.tif": lambda p: tifffile.imwrite(p, _COLOUR, photometric="cielab"),
        "whole.tif": lambda p: tifffile.imwrite(p, _DEEP.astype("i4")),
        "noted.tif": lambda p: write_photograph(
            p, Photograph(_COLOUR, None, profile, notes(6), (300, 150), xmp=XMP)
        ),
        **({"raw.dng": _write_raw} if find_spec("rawpy") else {}),
        **({"a.heic": _write_heic} if find_spec("pillow_heif") else {}),
    }


def _write_raw(path):
    write_raw(path, np.repeat(np.repeat(_DEEP, 4, 0), 4, 1))


def _write_heic(path):
    import pillow_heif

    pillow_heif.from_pillow(Image.fromarray(_COLOUR)).save(path)


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


def _read_stack(folder):
    path = folder / "stack.tif"
    stack_kind(path)
    with open_stack(path) as stack:
        for page in range(stack.count):
            stack.read(page)


def _stacks():
    frames = _RNG.integers(0, 65536, (3, 12, 15), np.uint16)
    for kind in ("pages", "imagej TYX", "ome TYX", "ome ZYX", "shaped TYX"):
        yield Kind(f"stack {kind}", lambda f, k=kind: write_stack(f / "stack.tif", k, frames),
                   _read_stack)  # fmt: skip


def _make_images(folder):
    for name in ("grey.png", "colour.jpg", "grey.tif"):
        _photograph_files()[name](folder / name)


def _make_classes(folder):
    for part in ("train", "test"):
        for name in ("a", "b"):
            place = folder / part / name
            place.mkdir(parents=True)
            _photograph_files()["colour.png"](place / "1.png")
            _photograph_files()["colour.jpg"](place / "2.jpg")


def _make_archive(folder):
    with tarfile.open(folder / "cifar.tar.gz", "w:gz") as archive:
        for name in _BATCHES:
            member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            member.size = 2 * 3073
            archive.addfile(member, io.BytesIO(bytes(member.size)))


def _read_archive(folder):
    with mock.patch.object(cifar, "_RECORDS", 2):
        cifar.read_cifar10(folder / "cifar.tar.gz")


def _denoised(name):
    """As `hsi denoise` does it, with a network that takes no time."""

    def make(folder):
        weights = folder / "box.safetensors"
        box_filter().save(weights)
        if name == "stack.tif":
            write_stack(folder / name, "imagej TYX", np.stack([_DEEP] * 3))
        elif name == "cube.npy":
            smooth = np.linspace(0.2, 0.6, 6, dtype="f4") + np.zeros((9, 10, 1), "f4")
            np.save(folder / name, smooth + _RNG.normal(0, 0.01, smooth.shape).astype("f4"))
        else:
            _photograph_files()[name](folder / name)

    def read(folder):
        options = DenoisingOptions(
            weights=str(folder / "box.safetensors"), sigma=0.01 if name == "cube.npy" else 20,
            compare=True, device="cpu", threads=1, overwrite=True,
        )  # fmt: skip
        images, cubes = separate_cubes([folder / name])
        if images:
            denoise_images(images, None, options)
        if cubes:
            denoise_cubes(cubes, None, options, CubeSettings())

    return Kind(f"denoise {name}", make, read, (name,), keys=True)


def picture_kinds():
    """All kinds of pictures."""
    return [
        *_photographs(),
        *_stacks(),
        Kind("folder of images", _make_images, lambda f: read_folder(f, "rgb")),
        Kind("folder of classes", _make_classes, _read_classes),
        Kind("archive of CIFAR-10", _make_archive, _read_archive),
        *(_denoised(name) for name in ("deep.tif", "floats.tif", "stack.tif", "cube.npy")),
    ]


def _read_classes(folder: Path):
    read_class_folder(folder, colour="rgb", shorter_side=8, on_message=lambda _: None)
