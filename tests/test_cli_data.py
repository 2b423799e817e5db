import json

import numpy as np
import pytest
from click.testing import CliRunner
from scipy.io import savemat

from hsi_suite.cli.data import data
from hsi_suite.data.catalogue import dataset_names
from hsi_suite.data.labelled_images import IMAGE_CLASSES
from hsi_suite.data.public import download, image_sets
from hsi_suite.data.public.image_sets import IMAGE_SETS
from hsi_suite.data.public.public_scenes import PUBLIC_SCENES
from hsi_suite.errors import (
    ChecksumError,
    DatasetNotFoundError,
    InputFileError,
    UnknownNameError,
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The data folder, with an empty cache and a network that does not answer."""
    folder = tmp_path / "data"
    folder.mkdir()
    monkeypatch.setenv("HSI_DATA_DIR", str(folder))
    monkeypatch.setenv("HSI_CACHE_DIR", str(tmp_path / "cache"))
    for module in (download, image_sets):
        monkeypatch.setattr(module, "fetch", lambda *arguments: "did not answer")
    return folder


def run(*arguments):
    """The output of `hsi data ARGUMENTS`; the project's own errors come out as they are."""
    result = CliRunner().invoke(data, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def put_wrong_file(folder, name="Jasper.mat"):
    (folder / name).write_bytes(b"made up")
    return folder / name


def test_list_has_every_data_set_and_its_place(folder):
    entries = {entry["name"]: entry for entry in json.loads(run("list", "--json"))}
    assert tuple(entries) == (*dataset_names(), *IMAGE_SETS, *IMAGE_CLASSES)
    assert entries["synthetic"]["place"] == "embedded"
    assert entries["indian_pines"] == {
        "name": "indian_pines",
        "title": "Indian Pines, water bands removed",
        "shape": [145, 145, 200],
        "classes": 16,
        "place": "not here",
        "check": "",
    }
    put_wrong_file(folder)
    put_wrong_file(folder, "Salinas_gt.mat")
    entries = {entry["name"]: entry for entry in json.loads(run("list", "--json"))}
    assert entries["jasper_ridge"]["place"] == "folder"
    assert entries["jasper_ridge"]["check"] == "wrong checksum"
    assert entries["salinas"]["place"] == "1 of 2 files"


def test_list_as_text_is_one_line_each(folder):
    lines = run("list").splitlines()
    tables = [table.splitlines() for table in "\n".join(lines).split("\n\n")]
    for table, names in zip(tables, (dataset_names(), IMAGE_SETS, IMAGE_CLASSES), strict=True):
        rows = [line.split()[0] for line in table if not line.startswith("Nobody publishes")]
        assert rows == ["name", *names]
    assert "145 × 145 × 200" in lines[1 + dataset_names().index("indian_pines")]


def test_listed_shapes_of_synthetic_scenes_are_the_real_ones(folder):
    described = json.loads(run("info", "synthetic", "--json"))
    listed = next(e for e in json.loads(run("list", "--json")) if e["name"] == "synthetic")
    from hsi_suite.data.catalogue import load_dataset

    scene = load_dataset("synthetic")
    assert described["shape"] == listed["shape"] == list(scene.cube.shape)
    counts = np.bincount(scene.labels.ravel())
    assert [described["unlabelled"], *described["pixels"]] == counts.tolist()


def test_info_without_files_gives_what_is_known(folder):
    described = json.loads(run("info", "pavia_university", "--json"))
    assert described["shape"] == [610, 340, 103]
    assert described["class_names"][4] == "Painted metal sheets"
    assert described["wavelengths_nm"] == [430.0, 860.0] and described["wavelengths_approximate"]
    assert "pixels" not in described and described["files"][0]["check"] == "not here"
    text = run("info", "pavia_university")
    assert "Painted metal sheets" in text and "PaviaU.mat" in text and "430-860 nm" in text


def test_info_of_labelled_images(folder):
    digits = json.loads(run("info", "digits", "--json"))
    assert digits["shape"] == [8, 8, 1]
    assert sum(digits["images_per_class"]) == digits["images"] == 1797
    text = run("info", "cifar10")
    assert "32 × 32 × 3" in text
    assert "airplane" in text
    assert "wavelengths" not in text
    assert "nothing to fetch" in run("fetch", "digits")
    with pytest.raises(DatasetNotFoundError, match="cifar-10-binary"):
        run("fetch", "cifar10")


def test_info_of_a_scene_with_unknown_bands(folder):
    assert "wavelengths     unknown" in run("info", "ksc")


@pytest.mark.parametrize("name", ["cube.npy", "cube.mat"])
def test_info_of_a_file(folder, tmp_path, name):
    cube = np.zeros((4, 5, 6), np.int16)
    path = tmp_path / name
    np.save(path, cube) if path.suffix == ".npy" else savemat(path, {"cube": cube})
    described = json.loads(run("info", str(path), "--json"))
    assert described["shape"] == [4, 5, 6] and described["dtype"] == "int16"
    assert "4 × 5 × 6" in run("info", str(path))


def test_info_of_what_is_nothing(folder, tmp_path):
    with pytest.raises(UnknownNameError, match="Did you mean salinas"):
        run("info", "salina")
    for missing in (tmp_path / "none.mat", tmp_path / "none"):
        with pytest.raises(InputFileError, match="none"):
            run("info", str(missing))


def test_fetch_says_where_files_are_or_what_is_missing(folder):
    assert "nothing to fetch" in run("fetch", "synthetic")
    with pytest.raises(DatasetNotFoundError, match=r"Jasper\.mat"):
        run("fetch", "jasper_ridge")
    path = put_wrong_file(folder)
    with pytest.raises(ChecksumError, match="--allow-unverified"):
        run("fetch", "jasper_ridge")
    assert run("fetch", "jasper_ridge", "--allow-unverified") == f"{path}: wrong checksum\n"
    with pytest.raises(UnknownNameError):
        run("fetch", "jasper_ridge", "nothing")


def test_scenes_without_published_checksums_say_so_and_ask(folder):
    text = run("list")
    for name in ("pavia_centre", "ksc", "botswana"):
        (line,) = [line for line in text.splitlines() if line.startswith(f"{name} ")]
        assert "none known" in line
        with pytest.raises(ChecksumError, match="--allow-unverified"):
            run("fetch", name)
        for file in PUBLIC_SCENES[name].files:
            assert file.urls[0].startswith("https://")
    assert "Nobody publishes checksums of pavia_centre, ksc, botswana" in text
    listed = {entry["name"]: entry for entry in json.loads(run("list", "--json"))}
    assert "no published checksum" in listed["ksc"]["trust"]
    assert "trust" not in listed["salinas"]


def test_verify_goes_through_every_file_once(folder):
    entries = json.loads(run("verify", "--json"))
    names = [entry["file"] for entry in entries]
    assert len(names) == len(set(names)) == 15 + len(IMAGE_SETS) + 1
    assert "cifar-10-binary.tar.gz" in names
    assert {entry["check"] for entry in entries} == {"not here"}


def test_verify_refuses_wrong_and_named_absent_files(folder):
    path = put_wrong_file(folder)
    result = CliRunner().invoke(data, ["verify"])
    assert isinstance(result.exception, ChecksumError)
    assert (
        f"{path}: wrong checksum" in result.stdout and "Salinas_gt.mat: not here" in result.stdout
    )
    with pytest.raises(DatasetNotFoundError, match="hsi data fetch salinas"):
        run("verify", "salinas")
    with pytest.raises(UnknownNameError):
        run("verify", "nothing")
    assert "no files" in run("verify", "synthetic")


@pytest.mark.data
def test_real_files_verify_and_are_described(data_dir, monkeypatch, tmp_path):
    monkeypatch.setenv("HSI_DATA_DIR", str(data_dir))
    monkeypatch.setenv("HSI_CACHE_DIR", str(tmp_path))
    for name in ("jasper_ridge", "muufl_gulfport"):
        assert run("verify", name).endswith(": verified\n")
        assert run("fetch", name).endswith(": verified\n")
    described = json.loads(run("info", "muufl_gulfport", "--json"))
    assert described["companions"] == ["height"] and described["dtype"] == "float64"
    assert dict(zip(described["class_names"], described["pixels"], strict=True))["Roof"] == 1317
    assert "Water  3205" in run("info", "jasper_ridge")
    assert list(tmp_path.iterdir()) == []
