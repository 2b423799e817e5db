import math
import sys
import tracemalloc
import zipfile
from typing import get_args

import click
import h5py
import numpy as np
import pytest
import tifffile
import torch
from PIL import Image
from safetensors.torch import save_file
from scipy.io import savemat

from hsi_suite import memory
from hsi_suite.cli.values import parse_bytes
from hsi_suite.data.formats.raw_lines import AxisOrder, RawLines
from hsi_suite.data.images import read_image
from hsi_suite.data.pair_files import read_pairs
from hsi_suite.data.photograph_stacks import open_stack
from hsi_suite.data.photographs import read_photograph
from hsi_suite.data.readers import open_cube, read_labels
from hsi_suite.data.split_files import file_split
from hsi_suite.errors import InputFileError
from hsi_suite.models.checkpoint_import import import_checkpoint
from hsi_suite.models.random_forest import RandomForest
from hsi_suite.tasks.retrieval.search import pieces_of
from hsi_suite.tasks.scenes.strip_memory import model_tree_bytes

SIDE = 4500  # 20 MB of bytes


def npz(path, **arrays):
    np.savez_compressed(path, **arrays)


def read_cube(path):
    with open_cube(path) as file:
        file.read()


def small_labels(path):
    file_split(path, np.arange(20).reshape(5, 4) % 3)


def read_page(path):
    with open_stack(path) as stack:
        stack.read(1)


def packed_weights(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data/0", bytes(20_000_000))


ZEROS = np.zeros((SIDE, SIDE), np.uint8)
CUBE = ZEROS.reshape(SIDE, SIDE // 10, 10)


def hdf5(path, values):
    with h5py.File(path, "w") as file:
        file.create_dataset("values", data=values, compression="gzip", chunks=True)


KINDS = {
    "cube.npz": (lambda path: npz(path, cube=CUBE), read_cube),
    "cube.npy": (lambda path: np.save(path, CUBE), read_cube),
    "cube.mat": (lambda path: savemat(path, {"cube": CUBE}, do_compression=True), read_cube),
    "cube.h5": (lambda path: hdf5(path, CUBE), read_cube),
    "strip.tif": (
        lambda path: tifffile.imwrite(
            path, CUBE, compression="zlib", rowsperstrip=SIDE, planarconfig="contig",
            photometric="minisblack",
        ),
        lambda path: open_cube(path).read(0, 1),
    ),
    "labels.npz": (lambda path: npz(path, gt=ZEROS), read_labels),
    "labels.npy": (lambda path: np.save(path, ZEROS), read_labels),
    "labels.mat": (lambda path: savemat(path, {"gt": ZEROS}, do_compression=True), read_labels),
    "labels.h5": (lambda path: hdf5(path, ZEROS), read_labels),
    "labels.png": (lambda path: Image.fromarray(ZEROS).save(path), read_labels),
    "split.npz": (lambda path: npz(path, train=ZEROS, test=ZEROS), small_labels),
    "pairs.npz": (
        lambda path: npz(path, first=ZEROS, second=ZEROS, labels=np.arange(SIDE) % 2),
        read_pairs,
    ),
    "picture.png": (lambda path: Image.fromarray(ZEROS).save(path), read_photograph),
    "picture.jpg": (lambda path: Image.fromarray(ZEROS).save(path), read_photograph),
    "picture.tif": (
        lambda path: tifffile.imwrite(path, ZEROS, compression="zlib"), read_photograph,
    ),
    "stack.tif": (
        lambda path: tifffile.imwrite(path, np.stack([ZEROS, ZEROS]), compression="zlib",
                                      photometric="minisblack", metadata=None),
        lambda path: read_page(path),
    ),
    "weights.pth": (lambda path: packed_weights(path), import_checkpoint),
    "weights.mat": (lambda path: hdf5(path, np.zeros((SIDE, SIDE // 4), "f4")), import_checkpoint),
    "weights.safetensors": (
        lambda path: save_file({"a": torch.zeros(SIDE, SIDE // 4)}, path), import_checkpoint,
    ),
    "class.png": (lambda path: Image.fromarray(ZEROS).save(path), lambda p: read_image(p, "rgb")),
}  # fmt: skip


@pytest.mark.parametrize("bound", ["limit", "machine"])
@pytest.mark.parametrize("name", KINDS)
def test_what_does_not_fit_is_refused_before_it_is_read(name, bound, tmp_path, monkeypatch):
    write, read = KINDS[name]
    write(tmp_path / name)
    if bound == "limit":
        done, said = memory.keep_within(510e6), "memory limit"
    else:
        monkeypatch.setattr(memory, "free_memory", lambda: 17e6)
        done, said = (lambda: None), "machine has left"
    try:
        with pytest.raises(InputFileError, match=said):
            read(tmp_path / name)
    finally:
        done()


@pytest.mark.parametrize("count", [10, 10**13])
def test_npz_arrays_that_declare_more_than_they_hold_are_refused(count, tmp_path):
    path = tmp_path / "lie.npz"
    with zipfile.ZipFile(path, "w") as archive, archive.open("cube.npy", "w") as file:
        header = {"descr": "<f8", "fortran_order": False, "shape": (count, 5, 4)}
        np.lib.format.write_array_header_1_0(file, header)
        file.write(bytes(100))
    with pytest.raises(InputFileError, match=r"ends after|machine has left"):
        read_cube(path)


def test_the_option_bounds_files_until_its_command_ends():
    with click.Context(click.Command("read")) as context:
        parse_bytes(context, click.Option(["--memory-limit"]), "510M")
        with pytest.raises(InputFileError, match="510 MB"):
            memory.require_room("a file", 20e6)
    memory.require_room("a file", 20e6)


def test_a_program_without_torch_leaves_files_more_room(monkeypatch):
    done = memory.keep_within(300e6)
    try:
        with pytest.raises(InputFileError, match="beside 500 MB for the program"):
            memory.require_room("a file", 20e6)
        monkeypatch.delitem(sys.modules, "torch")
        monkeypatch.setitem(sys.modules, "matplotlib", memory)
        memory.require_room("a file", 50e6)
        with pytest.raises(InputFileError, match="beside 250 MB for the program"):
            memory.require_room("a file", 51e6)
        monkeypatch.delitem(sys.modules, "matplotlib")
        memory.require_room("a file", 190e6)
        with pytest.raises(InputFileError, match="beside 110 MB for the program"):
            memory.require_room("a file", 191e6)
    finally:
        done()


@pytest.mark.parametrize("order", get_args(AxisOrder))
def test_reading_lines_takes_what_is_counted(order, tmp_path, monkeypatch):
    monkeypatch.setattr("hsi_suite.data.formats.raw_lines._BLOCK_BYTES", 50_000)
    shape = (60, 70, 80)
    path = tmp_path / "values"
    path.write_bytes(bytes(4 * math.prod(shape)))
    source = RawLines(path, offset=0, dtype=np.dtype("f4"), shape=shape, order=order)
    for lines in (1, 7, 60):
        tracemalloc.start()
        source.read_lines(0, lines)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        counted = source.reading_bytes(lines)
        assert counted >= lines * 70 * 80 * 4 and 0.9 * counted <= peak <= counted + 10_000
    source.close()


def test_arrays_that_fit_one_by_one_are_counted_together(tmp_path, monkeypatch):
    half = np.zeros((SIDE, SIDE // 2), np.float32)
    npz(tmp_path / "pairs.npz", first=half, second=half, labels=np.arange(SIDE) % 2)
    monkeypatch.setattr(memory, "free_memory", lambda: 60e6)
    with pytest.raises(InputFileError, match="machine has left"):
        read_pairs(tmp_path / "pairs.npz")
    monkeypatch.setattr(memory, "free_memory", lambda: 100e6)
    assert len(read_pairs(tmp_path / "pairs.npz").pairs) == SIDE


def test_matrices_of_scores_are_taken_in_pieces():
    assert [pieces_of(n, n) for n in (1, 8192, 8193, 10**6)] == [1, 1, 2, 14902]
    assert pieces_of(100, 100, least=8) == 8


def test_trees_of_classes_that_are_alike_are_counted():
    rng = np.random.default_rng(0)
    forest = RandomForest({}, seed=0, threads=1)
    forest.fit(rng.random((600, 5), np.float32), rng.integers(0, 7, 600))
    nodes = sum(tree.tree_.node_count for tree in forest._forest.estimators_)
    assert 0.9 < RandomForest.tree_bytes(7, 600) / (nodes * (64 + 8 * 7)) < 1.1
    assert model_tree_bytes("forest", 600, 7) == RandomForest.tree_bytes(7, 600)
    assert model_tree_bytes("svm", 600, 7) == 0
