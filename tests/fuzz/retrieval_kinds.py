"""Pairs, spectra, and indexes with what is searched for in them."""

from contextlib import ExitStack, suppress
from unittest import mock

import numpy as np
import scipy.io
from PIL import Image
from query_samples import make_run, rgb_picture, sample_scene, write_cube, write_spectrum
from retrieval_samples import write_pairs
from test_field_spectra import write_library
from test_prediction_strips import Interrupted

from hsi_suite.data.field_spectra import read_field_spectrum
from hsi_suite.data.pair_files import read_pairs
from hsi_suite.errors import Stopped
from hsi_suite.tasks.retrieval import index
from hsi_suite.tasks.retrieval.gallery_index import open_index
from hsi_suite.tasks.retrieval.gallery_indexing import GalleryIndexing
from hsi_suite.tasks.retrieval.query import Query, query_index
from hsi_suite.tasks.retrieval.query_output import write_query
from hsi_suite.tasks.retrieval.retriever import load_retriever

from .harness import Kind
from .made import copied
from .model_kinds import CPU

_LIBRARIES = {
    "": {},
    " big-endian behind an offset": {"order": 1, "offset": 64},
    " with bad bands": {"extra": f"data ignore value = -1\nbbl = {{{', '.join('1' * 50)}}}"},
    " of percent": {"extra": "reflectance scale factor = 100\ny axis = Reflectance (%)"},
}
_TABLES = {"csv": (",", "field.csv"), "tabs": ("\t", "field.txt"), "semicolons": (";", "field.asc")}


def _pairs_mat(path):
    with np.load(write_pairs(path.with_suffix(".npz"), 60)) as arrays:
        found = dict(arrays)
    path.with_suffix(".npz").unlink()
    scipy.io.savemat(path, found)


def _make_pair_folder(folder):
    """Named as DSCMR's benchmarks, an array in each file."""
    with np.load(write_pairs(folder / "all.npz", 60)) as arrays:
        found = dict(arrays)
    (folder / "all.npz").unlink()
    scipy.io.savemat(folder / "train_img.mat", {"train_img": found["first"]})
    scipy.io.savemat(folder / "train_txt.mat", {"train_txt": found["second"]})
    for side in ("img", "txt"):
        name = f"train_{side}_lab"
        scipy.io.savemat(folder / f"{name}.mat", {name: found["labels"]})


def _pairs():
    yield Kind("pairs npz", lambda f: write_pairs(f / "pairs.npz", 60, extra=10),
               lambda f: read_pairs(f / "pairs.npz"))  # fmt: skip
    yield Kind("pairs mat", lambda f: _pairs_mat(f / "pairs.mat"),
               lambda f: read_pairs(f / "pairs.mat"))  # fmt: skip
    yield Kind("pairs of a folder", _make_pair_folder, read_pairs)


def _spectra():
    for kind, (separator, name) in _TABLES.items():

        def make(folder, separator=separator, name=name):
            rows = [(f"{w:g}", f"{0.1 + w / 4000:.4f}", "0.30") for w in range(400, 900, 20)]
            head = ["# made in the field", separator.join(("wavelength_nm", "soil", "grass"))]
            (folder / name).write_text("\n".join([*head, *map(separator.join, rows)]))

        yield Kind(f"spectrum table {kind}", make,
                   lambda f, n=name: read_field_spectrum(f / n, name="soil"))  # fmt: skip
    for kind, options in _LIBRARIES.items():
        yield Kind(f"spectral library{kind}",
                   lambda f, o=options: write_library(f / "lib.hdr", **o),
                   lambda f: read_field_spectrum(f / "lib.sli", name="sand"))  # fmt: skip


def _retriever(folder):
    copied("retriever", lambda f: make_run(f / "run", steps=5), folder)


def _gallery(folder):
    """A run, a scene with labels and a picture."""

    def make(place):
        _retriever(place)
        scene = sample_scene(8, 9)
        write_cube(place / "cube.hdr", scene)
        np.save(place / "gt.npy", scene.labels)
        Image.fromarray(rgb_picture(scene)).save(place / "picture.png")
        write_spectrum(place / "field.csv", 1)

    copied("gallery", make, folder)


def _indexed(folder):
    def make(place):
        _gallery(place)
        _index(place)

    copied("index", make, folder)


def _index(folder, **options):
    return index.index_gallery(
        folder / "run", folder / "index", scene=str(folder / "cube.hdr"),
        labels=str(folder / "gt.npy"), threads=1, device="cpu", **options,
    )  # fmt: skip


def _read_index(folder):
    found = open_index(folder / "index")
    for array in (found.embeddings, found.positions, found.picture, found.labels, found.spectra):
        if array is not None:
            array.tobytes()
    _ = found.header.place


def _search(*queries, written=False):
    def read(folder):
        for query in queries:
            full = {k: str(folder / v) if isinstance(v, str) else v for k, v in query.items()}
            found = query_index(
                folder / "index", Query(**full), run=folder / "run", threads=1, device="cpu"
            )
            if written:
                write_query(found, folder / "found", ["hsi"], overwrite=True)

    return read


def _cut_off(folder):
    """An index whose making was stopped after a strip."""

    def make(place):
        _gallery(place)
        with _strips(), suppress(Stopped):
            _index(place, observer=Interrupted(2))
        assert (place / "index.partial").is_dir()

    copied("index cut off", make, folder)


def _go_on(folder):
    with _strips():
        _index(folder)


def _strips():
    """Strips of two lines, and a gallery that is the same wherever it lies."""
    stack = ExitStack()
    stack.enter_context(mock.patch.object(index, "strip_lines", lambda *_: 2))
    stack.enter_context(mock.patch.object(GalleryIndexing, "identity", lambda *_: {"model": "ab"}))
    return stack


def retrieval_kinds():
    """All kinds of files of retrieval."""
    spectrum, patch, pixel = {"spectrum": "field.csv"}, {"patch": "picture.png"}, {"pixel": (1, 2)}
    return [
        *_pairs(),
        *_spectra(),
        Kind("model of retrieval", _retriever,
             lambda f: load_retriever(f / "run" / "model.safetensors", CPU),
             ("run/model.safetensors",)),
        Kind("index", _indexed, _read_index, ("index/*",)),
        Kind("index header", _indexed, _read_index, ("index/index.json",)),
        Kind("index searched", _indexed, _search(spectrum, patch, pixel, written=True),
             ("index/*",), every=3),
        Kind("query by spectrum", _indexed, _search(spectrum), ("field.csv",)),
        Kind("query by patch", _indexed, _search(patch), ("picture.png",)),
        Kind("gallery", _gallery, _index, ("cube.*", "gt.npy")),
        Kind("index cut off", _cut_off, _go_on, ("index.partial/*",)),
    ]  # fmt: skip
