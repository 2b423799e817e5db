"""`hsi data info` on files: cubes, label maps, splits, and what is none of these."""

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from hsi_suite.data.file_description import describe_file
from hsi_suite.errors import InputFileError

LABELS = np.array([[0, 1, 1, 2], [0, 3, 3, 3], [1, 1, 0, 2]], np.uint8)


def label_files(folder):
    np.save(folder / "gt.npy", LABELS)
    savemat(folder / "gt.mat", {"gt": LABELS.astype(float)})
    Image.fromarray(LABELS).save(folder / "gt.png")
    return [folder / f"gt.{ending}" for ending in ("npy", "mat", "png")]


def test_label_maps_are_described_as_such(tmp_path):
    for path in label_files(tmp_path):
        described = describe_file(path)
        assert described["format"] == "a label map, for --labels"
        assert described["shape"] == [3, 4]
        assert (described["labelled"], described["unlabelled"]) == (9, 3)
        assert described["pixels"] == [4, 2, 3]
        assert described["class_names"] == ["class 1", "class 2", "class 3"]


def test_a_label_raster_keeps_its_place(tmp_path):
    rasterio = pytest.importorskip("rasterio")
    transform = rasterio.Affine(30, 0, 5e5, 0, -30, 5e6)
    shape = {"height": 3, "width": 4, "count": 1, "dtype": "uint8"}
    with rasterio.open(
        tmp_path / "gt.tif", "w", driver="GTiff", crs="EPSG:32633", transform=transform, **shape
    ) as file:
        file.write(LABELS, 1)
    described = describe_file(tmp_path / "gt.tif")
    assert described["format"] == "a label map, for --labels"
    assert described["transform"][2] == 5e5 and described["pixels"] == [4, 2, 3]


@pytest.mark.parametrize("kind", ["masks", "indices", "rows", "places", "label maps"])
def test_splits_are_described_by_the_size_of_their_parts(tmp_path, kind):
    train, test = (LABELS == 0), (LABELS > 1)
    if kind == "indices":
        train, test = (np.flatnonzero(part) for part in (train, test))
    elif kind == "rows":
        train, test = (np.flatnonzero(part)[None] for part in (train, test))
    elif kind == "places":
        train, test = (np.argwhere(part) for part in (train, test))
    elif kind == "label maps":
        train, test = (np.where(part, LABELS + 1, 0) for part in (train, test))
    np.savez(tmp_path / "split.npz", train=train, test=test)
    described = describe_file(tmp_path / "split.npz")
    assert described["format"] == "a split, for --split-file"
    assert (described["train"], described["test"]) == (3, 5)


def test_a_cube_and_a_matrix_of_spectra_are_no_labels(tmp_path):
    generator = np.random.default_rng(0)
    np.save(tmp_path / "cube.npy", generator.integers(0, 4000, (5, 6, 7)))
    assert describe_file(tmp_path / "cube.npy")["shape"] == [5, 6, 7]
    np.save(tmp_path / "matrix.npy", generator.integers(0, 4000, (7, 3000)))
    with pytest.raises(InputFileError, match="--shape"):
        describe_file(tmp_path / "matrix.npy")
    np.save(tmp_path / "band.npy", generator.random((5, 6, 1)))
    assert describe_file(tmp_path / "band.npy")["shape"] == [5, 6, 1]


def test_what_is_asked_of_a_cube_is_not_answered_by_a_label_map(tmp_path):
    path = label_files(tmp_path)[0]
    assert describe_file(path, shape=(2, 2))["shape"] == [2, 2, 3]
