import hashlib
import re
from dataclasses import replace
from importlib.resources import files

import numpy as np
import pytest
from scipy.io import savemat

from hsi_suite.data.catalogue import PUBLIC_SCENES, dataset_names, load_dataset
from hsi_suite.data.public import download
from hsi_suite.data.public.public_reading import _read_labels
from hsi_suite.data.public.public_scene import Layer, jasper_cube, labels_from_abundances
from hsi_suite.data.public.verification import RemoteFile
from hsi_suite.errors import (
    ChecksumError,
    ConfigError,
    DatasetNotFoundError,
    InputFileError,
    UnknownNameError,
)

ALL_PUBLIC = (
    "indian_pines",
    "indian_pines_220",
    "pavia_university",
    "pavia_centre",
    "salinas",
    "ksc",
    "botswana",
    "jasper_ridge",
    "muufl_gulfport",
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The data folder, with an empty cache and a network that does not answer."""
    folder = tmp_path / "data"
    folder.mkdir()
    monkeypatch.setenv("HSI_DATA_DIR", str(folder))
    monkeypatch.setenv("HSI_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(download, "fetch", lambda *arguments: "did not answer")
    return folder


@pytest.fixture
def toy(folder, monkeypatch):
    """A public scene of 3 × 4 × 5 in one file without a published checksum."""
    file = RemoteFile("toy.mat", ("http://127.0.0.1:9/toy.mat",))
    scene = replace(
        PUBLIC_SCENES["ksc"],
        name="toy",
        cube=Layer(file, "cube", (3, 4, 5)),
        labels=Layer(file, "gt", (3, 4)),
        class_names=("One", "Two"),
        false_colour=(2, 1, 0),
    )
    monkeypatch.setitem(PUBLIC_SCENES._entries, "toy", scene)
    return folder / "toy.mat"


def quiet(message):
    pass


def save_indian_pines(folder, cube=None, labels=None):
    """Made-up files with the names and shapes of Indian Pines."""
    cube = np.zeros((145, 145, 200), np.uint16) if cube is None else cube
    labels = np.zeros((145, 145), np.uint8) if labels is None else labels
    savemat(folder / "Indian_pines_corrected.mat", {"indian_pines_corrected": cube})
    savemat(folder / "Indian_pines_gt.mat", {"indian_pines_gt": labels})


def test_every_scene_asked_for_is_there():
    assert tuple(PUBLIC_SCENES) == ALL_PUBLIC
    assert {"synthetic", "synthetic_large", *ALL_PUBLIC} <= set(dataset_names())


@pytest.mark.parametrize("name", ALL_PUBLIC)
def test_entries_are_whole(name):
    scene = PUBLIC_SCENES[name]
    lines, samples, bands = scene.shape
    assert scene.name == name and scene.title and scene.sensor and scene.citation
    assert scene.labels.shape == (lines, samples)
    assert all(layer.shape == (lines, samples) for layer in scene.companions.values())
    assert len(set(scene.class_names)) == len(scene.class_names) >= 4
    assert len(scene.false_colour) == 3 and max(scene.false_colour) < bands
    assert files("hsi_suite.configs").joinpath(f"{scene.default_config}.yaml").is_file()
    if scene.wavelengths is None:
        assert name == "ksc"
    else:
        assert scene.wavelengths().shape == (bands,)
    for file in scene.files:
        assert file.urls and all(url.endswith("/" + file.name) for url in file.urls)
        assert re.fullmatch("([0-9a-f]{64})?", file.sha256)
        assert re.fullmatch("([0-9a-f]{40})?", file.git_blob)
        assert file.published or name in ("pavia_centre", "ksc", "botswana")


def test_github_addresses_are_pinned_to_a_commit():
    urls = {url for name in ALL_PUBLIC for file in PUBLIC_SCENES[name].files for url in file.urls}
    github = [url for url in urls if "githubusercontent" in url]
    assert github and all(re.search("/[0-9a-f]{40}/", url) for url in github)


def test_number_of_classes():
    counts = {name: len(PUBLIC_SCENES[name].class_names) for name in ALL_PUBLIC}
    assert list(counts.values()) == [16, 16, 9, 9, 16, 13, 14, 4, 5]


def test_unknown_names_list_the_nearest():
    with pytest.raises(UnknownNameError, match="Did you mean indian_pines"):
        load_dataset("indian_pine")
    with pytest.raises(UnknownNameError, match="synthetic"):
        load_dataset("syntetic")


def test_synthetic_scene_by_name_and_seed():
    first = load_dataset("synthetic")
    assert first.synthetic and first.name == "synthetic"
    other = load_dataset("synthetic", seed=12345)
    assert not np.array_equal(first.cube, other.cube)


def test_a_recorded_scene_has_no_seed(folder):
    with pytest.raises(ConfigError, match="indian_pines was recorded"):
        load_dataset("indian_pines", seed=1)


def test_jasper_cube_undoes_matlabs_column_order():
    cube = np.arange(4 * 4 * 3).reshape(4, 4, 3)
    stored = cube.reshape(16, 3, order="F").T
    np.testing.assert_array_equal(jasper_cube(stored), cube)


def test_labels_from_abundances_by_hand():
    abundances = np.array([[[0.9, 0.1, 0.0], [0.3, 0.0, 0.7]], [[0.35, 0.65, 0.0], [0, 1, 0]]])
    np.testing.assert_array_equal(labels_from_abundances(abundances), [[1, 3], [0, 2]])


def test_made_up_indian_pines_is_refused(folder):
    save_indian_pines(folder)
    path = folder / "Indian_pines_corrected.mat"
    content = path.read_bytes()
    blob = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
    with pytest.raises(ChecksumError) as caught:
        load_dataset("indian_pines", on_message=quiet)
    assert str(caught.value).startswith(f"{path}: its git blob id is {blob}; expected 75b6d6e7")
    assert "--allow-unverified" in str(caught.value)


def test_made_up_indian_pines_loads_when_allowed(folder):
    cube = np.arange(145 * 145 * 200, dtype=np.uint32).reshape(145, 145, 200).astype(np.uint16)
    labels = np.arange(145 * 145).reshape(145, 145) % 17
    save_indian_pines(folder, cube, labels.astype(np.float64))
    messages = []
    scene = load_dataset("indian_pines", allow_unverified=True, on_message=messages.append)
    np.testing.assert_array_equal(scene.cube, cube)
    np.testing.assert_array_equal(scene.labels, labels)
    assert scene.cube.dtype == np.uint16 and scene.labels.dtype == np.uint8
    assert scene.class_names[0] == "Alfalfa" and len(scene.wavelengths) == 200
    assert not scene.synthetic and scene.false_colour == (43, 21, 11)
    assert sum("UNVERIFIED" in message for message in messages) == 2
    for name in ("Indian_pines_corrected.mat", "Indian_pines_gt.mat"):
        assert scene.checksums[name] == hashlib.sha256((folder / name).read_bytes()).hexdigest()


def test_nothing_here_and_no_network_names_file_address_and_folder(folder):
    with pytest.raises(DatasetNotFoundError) as caught:
        load_dataset("indian_pines", on_message=quiet)
    text = str(caught.value)
    for file in PUBLIC_SCENES["indian_pines"].files:
        assert all(url in text for url in file.urls)
    assert f"put them into {folder}" in text


def load_toy(path, **arrays):
    arrays = {"cube": np.ones((3, 4, 5)), "gt": np.ones((3, 4))} | arrays
    savemat(path, {name: array for name, array in arrays.items() if array is not None})
    return load_dataset("toy", allow_unverified=True, on_message=quiet)


@pytest.mark.parametrize(
    ("arrays", "found"),
    [
        ({"cube": None}, r"holds gt \(3 × 4 double\); expected numbers under the name cube"),
        ({"cube": np.ones((4, 3, 5))}, "cube .4 × 3 × 5 double.*expected.*3 × 4 × 5"),
        ({"cube": np.full((3, 4, 5), "a", dtype=object)}, "3 × 4 × 5 cell"),
        ({"gt": np.ones((4, 3))}, "gt .4 × 3 double"),
        ({"gt": np.full((3, 4), 3)}, "gt holds values from 3 to 3; expected whole numbers"),
        ({"gt": np.full((3, 4), 0.5)}, "whole numbers from 0 to 2"),
        ({"gt": np.full((3, 4), -1)}, "whole numbers from 0 to 2"),
        ({"gt": np.full((3, 4), np.nan)}, "whole numbers from 0 to 2"),
        ({"cube": np.full((3, 4, 5), np.inf)}, "not finite"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_wrong_content_is_named(toy, arrays, found):
    with pytest.raises(InputFileError, match=found) as caught:
        load_toy(toy, **arrays)
    assert caught.value.subject == str(toy)


def test_damaged_files_are_one_clear_line(toy):
    load_toy(toy, cube=np.random.default_rng(0).random((3, 4, 5)))
    whole = toy.read_bytes()
    damaged = [b"x" * 500, b"\0" * 300, *(whole[:end] for end in range(0, len(whole) - 8, 37))]
    for content in damaged:
        toy.write_bytes(content)
        with pytest.raises(InputFileError) as caught:
            load_dataset("toy", allow_unverified=True, on_message=quiet)
        assert str(toy) in str(caught.value)


def test_big_endian_numbers_come_out_native(toy):
    cube = np.arange(60, dtype=">u2").reshape(3, 4, 5)
    scene = load_toy(toy, cube=cube)
    assert scene.cube.dtype.isnative and scene.cube.flags.c_contiguous
    np.testing.assert_array_equal(scene.cube, cube)


@pytest.mark.data
def test_jasper_ridge(data_dir, monkeypatch):
    monkeypatch.setenv("HSI_DATA_DIR", str(data_dir))
    messages = []
    scene = load_dataset("jasper_ridge", on_message=messages.append)
    assert messages == []
    assert scene.cube.shape == (100, 100, 198) and scene.cube.dtype == np.uint16
    assert scene.class_names == ("Tree", "Water", "Soil", "Road")
    assert np.bincount(scene.labels.ravel()).tolist() == [3041, 2314, 3205, 1022, 418]
    assert scene.checksums == {
        "Jasper.mat": "834a3ef14426140bd76f5731755e9338e98ce18e4816b552533ab288b3799468"
    }
    # Picture and labels agree: water is dark in the near infrared, trees have a red edge.
    near_infrared = scene.cube[..., np.abs(scene.wavelengths - 860).argmin()].astype(float)
    red = scene.cube[..., np.abs(scene.wavelengths - 660).argmin()].astype(float)
    tree, water, soil, road = (scene.labels == label for label in (1, 2, 3, 4))
    assert near_infrared[water].max() < np.percentile(near_infrared[tree], 1)
    greenness = (near_infrared - red) / (near_infrared + red + 1)
    assert greenness[tree].mean() > 0.6 > 0.5 > greenness[soil].mean() > greenness[road].mean()


@pytest.mark.data
def test_muufl_gulfport(data_dir, monkeypatch):
    monkeypatch.setenv("HSI_DATA_DIR", str(data_dir))
    scene = load_dataset("muufl_gulfport")
    assert scene.cube.shape == (90, 90, 64) and scene.cube.dtype == np.float64
    assert scene.class_names == ("Roof", "Grass", "Tree", "Shadow", "Asphalt")
    assert np.bincount(scene.labels.ravel()).tolist() == [1995, 1317, 1585, 746, 1653, 804]
    # Roofs and trees stand above the ground, shadows are dark, asphalt is not green.
    height = scene.companions["height"]
    roof, grass, tree, shadow, asphalt = (scene.labels == label for label in range(1, 6))
    assert min(np.median(height[roof]), np.median(height[tree])) > 0.5
    assert max(np.median(height[grass]), np.median(height[asphalt])) < 0.25
    brightness = scene.cube.mean(axis=2)
    others = np.isin(scene.labels, (1, 2, 3, 5))
    assert np.percentile(brightness[shadow], 95) < np.median(brightness[others])
    step = scene.cube[..., 40:50].mean(axis=2) - scene.cube[..., 20:28].mean(axis=2)
    assert min(step[grass].mean(), step[tree].mean()) > 3 * step[asphalt].mean()


@pytest.mark.data
def test_real_ground_truth_maps_verify(data_dir, monkeypatch):
    monkeypatch.setenv("HSI_DATA_DIR", str(data_dir))
    labelled = {"indian_pines": 10249, "pavia_university": 42776, "salinas": 54129}
    for name, pixels in labelled.items():
        scene = PUBLIC_SCENES[name]
        local = download.find(scene.labels.file)
        labels = _read_labels(scene, {scene.labels.file.name: local})
        assert local.check == "verified" and (labels > 0).sum() == pixels
        assert labels.max() == len(scene.class_names)
