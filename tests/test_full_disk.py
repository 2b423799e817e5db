"""Writers of every kind on a full disk: one clear line, the old file as it was, nothing left."""

import resource

import file_samples as samples
import numpy as np
import pytest

from hsi_suite.atomic import write_text
from hsi_suite.data.cube_writer import write_cube_like
from hsi_suite.data.photograph_endings import WRITTEN_ENDINGS
from hsi_suite.data.photograph_writer import write_photograph
from hsi_suite.data.photographs import Photograph
from hsi_suite.data.readers import open_cube
from hsi_suite.data.writers import write_label_map
from hsi_suite.errors import OutputError
from hsi_suite.palette import class_colours


def photograph(path):
    write_photograph(path, Photograph(np.random.default_rng(0).integers(0, 256, (120, 150), "u1")))


def cube(path):
    if not path.with_name("source.npy").exists():
        np.save(path.with_name("source.npy"), samples.make_cube())
    with open_cube(path.with_name("source.npy")) as source:
        write_cube_like(path, source, np.dtype(np.float64), [source.read()])


def label_map(path):
    labels = np.random.default_rng(0).integers(0, 4, (90, 80))
    write_label_map(path, labels, ("a", "b", "c"), class_colours(3))


def text(path):
    write_text(path, "x" * 5000)


CASES = [
    *((photograph, ending) for ending in WRITTEN_ENDINGS),
    *((cube, ending) for ending in (".npy", ".tif", ".hdr")),
    *((label_map, ending) for ending in (".npy", ".tif", ".hdr", ".png")),
    (text, ".txt"),
]


@pytest.mark.parametrize(("write", "ending"), CASES)
@pytest.mark.parametrize("share", [0.6, 1])
def test_a_full_disk(tmp_path, write, ending, share):
    path = tmp_path / f"image{ending}"
    write(path)
    before = {item.name: item.read_bytes() for item in tmp_path.iterdir()}
    largest = max(len(held) for name, held in before.items() if name != "source.npy")
    _, hard = soft_and_hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    # Python ignores the signal of this limit: writing stops in the middle, as on a full disk.
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(share * largest) - 1, hard))
    try:
        with pytest.raises(OutputError, match="cannot be written"):
            write(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, soft_and_hard)
    assert {item.name: item.read_bytes() for item in tmp_path.iterdir()} == before
