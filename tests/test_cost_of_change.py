"""What it takes to add something: the files of docs/how_to/extending.md, and nothing of ours."""

import json
import re
import shutil

import numpy as np
import pytest
from plugin_samples import entry_points, install, run_hsi, snippets
from scenes_samples import small_cube, write_yaml

from hsi_suite.data.formats.raw_lines import RawLines
from hsi_suite.runs import launch

SMALL = ["threads=1", "model.window=3", "reduction.components=5", "train.epochs=1"]
pytestmark = pytest.mark.slow
BATCH = {
    "task": "batch", "datasets": ["campus"], "models": ["mean_spectrum"], "splits": ["random"],
    "runs": 2,
    "set": {
        "threads": 1, "train": {"epochs": 1}, "data": {"allow_unverified": True},
        "model": {"window": 3}, "reduction": {"components": 5},
    },
}  # fmt: skip
# The file with the thing itself, and what names it to the package: see docs/how_to/extending.md.
AIMS = {"network": 2, "score": 2, "scene": 2, "format": 2, "augmentation": 2}
GROUPS = {
    "network": "hsi_suite.models", "score": "hsi_suite.measures", "scene": "hsi_suite.scenes",
    "format": "hsi_suite.formats", "augmentation": "hsi_suite.augmentations",
}  # fmt: skip


def offered(group):
    return {name: place.partition(":")[2] for name, place in entry_points()[group].items()}


def without(tree, key):
    """A tree as it was before there was such a key."""
    if isinstance(tree, dict):
        return {name: without(inner, key) for name, inner in tree.items() if name != key}
    return [without(each, key) for each in tree] if isinstance(tree, list) else tree


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A folder in which packages were used, what each command printed, and who wrote what."""
    folder = tmp_path_factory.mktemp("house")
    packages, data = folder / "packages", folder / "data"
    packages.mkdir()
    data.mkdir()
    cube, labels = small_cube()
    np.save(data / "campus.npy", cube)
    np.save(data / "campus_gt.npy", labels)
    sizes = np.array(cube.shape, "<u4").tobytes()
    (folder / "cube.raw16").write_bytes(b"RW16" + sizes + cube.astype("<u2").tobytes())
    (folder / "mine.py").write_text(snippets()["network"])
    batch = ["batch", write_yaml(folder / "both.yaml", BATCH), "--output", "runs", "--jobs", 1]
    train = ["train", "--model", "mean_spectrum", *(w for key in SMALL for w in ("--set", key))]
    dropout = "train.augmentation.others.band_dropout.share"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HSI_DATA_DIR", str(data))
        patch.setenv("HSI_CACHE_DIR", str(folder / "cache"))
        # Before anything is installed: a network in a file needs no package.
        old = launch.train(
            scene=str(data / "campus.npy"), labels=str(data / "campus_gt.npy"), settings=SMALL,
            model=f"{folder / 'mine.py'}:MeanSpectrum", output=folder / "old",
        ).path  # fmt: skip
        written = {
            what: install(packages, f"their_{what}", source, {GROUPS[what]: offered(GROUPS[what])})
            for what, source in snippets().items()
        }
        broken = {group: {"broken": "IT"} for group in (*GROUPS.values(), "hsi_suite.tasks")}
        install(packages, "broken", "1 / 0\n", broken)
        commands = {
            "help": ["--help"],
            "models": ["models", "list"],
            "info": ["data", "info", "campus"],
            "train": [*train, "--dataset", "campus", "--allow-unverified", "--output", "one",
                      "--set", f"{dropout}=0.3"],
            "refused": [*train, "--dataset", "campus", "--allow-unverified", "--output", "no",
                        "--set", f"{dropout}=2"],
            "batch": batch,
            "old": ["evaluate", old],
            "report": ["report", old],
        }  # fmt: skip
        said = run_hsi(folder, folder / "cache", commands, packages)
        (one,), (made,) = (folder / "one").glob("campus_*"), (folder / "runs").glob("both_*")
        # The first run is now one that was made before there was the score.
        first = sorted(made.glob("*/metrics.json"))[0]
        first.write_text(json.dumps(without(json.loads(first.read_text()), "error_rate")))
        for name in ("report.html", "report.md", "table.tex"):
            shutil.move(made / name, folder / name)
        commands = {
            "evaluate": ["evaluate", one],
            "predict": ["predict", one, "--scene", "cube.raw16", "-o", "map.tif"],
            "replay": ["replay", one],
            "mixed": batch,
        }
        said |= run_hsi(folder, folder / "cache", commands, packages)
    return folder, one, made, said, written


def test_each_addition_takes_two_files_of_its_author(house):
    assert {what: len(files) for what, files in house[4].items()} == AIMS


def test_all_commands_do_their_work(house):
    ends = {name: text.rsplit("exit ", 1)[1].strip() for name, text in house[3].items()}
    assert ends == dict.fromkeys(house[3], "0") | {"refused": "2"}, house[3]
    assert not any("Traceback" in text for text in house[3].values())


def test_a_network_of_a_package_is_known_to_every_command(house):
    folder, one, made, said, _ = house
    assert re.search(r"mean_spectrum +classification", said["models"])
    assert json.loads((one / "metrics.json").read_text())["model"] == "mean_spectrum"
    assert "equal to the stored" in said["evaluate"]
    assert "identical" in said["replay"] and (folder / "map.tif").is_file()
    assert len(list(made.glob("*/metrics.json"))) == 2


def test_a_score_of_a_package_shows_everywhere_in_its_unit(house):
    folder, one, _, said, _ = house
    test = json.loads((one / "metrics.json").read_text())["test"]
    assert test["error_rate"] == pytest.approx(1 - test["overall_accuracy"])
    shown = f"{1000 * test['error_rate']:.1f}"
    assert "ER ‰" in said["train"] and shown in said["train"]
    assert re.search(rf"error rate +{shown} ‰", said["evaluate"])
    page = (one / "report.html").read_text()
    assert "error rate, ‰" in page and shown in page
    for name in ("report.html", "report.md", "table.tex"):
        assert "error rate" in (folder / name).read_text(), name


def test_runs_older_than_a_score_open_and_are_drawn_beside_new_ones(house):
    _, _, made, said, _ = house
    assert "equal to the stored" in said["old"]
    for name in ("report.html", "report.md", "table.tex"):
        assert (made / name).is_file(), name


def test_a_scene_and_a_format_of_packages_are_read(house):
    folder, one, _, said, _ = house
    assert "Campus, a scene of ours" in said["info"] and "Grass" in said["info"]
    with np.load(one / "split.npz") as split:
        assert len(split["train"]) > 100
    assert (folder / "map.tif").is_file()


def test_a_format_of_a_package_reads_the_values_that_were_written(house):
    names = {}
    exec(snippets()["format"], names)
    file = names["open_raw16"](house[0] / "cube.raw16", None)
    np.testing.assert_array_equal(file.read(), small_cube()[0].astype("<u2"))
    file.close()
    # Axes by numbers, as numpy has them, would be read in some order or other.
    with pytest.raises(ValueError, match=r"order: \(0, 1, 2\); expected one of BLS"):
        RawLines(house[0] / "cube.raw16", offset=16, dtype=np.dtype("<u2"), shape=(1, 1, 1),
                 order=(0, 1, 2))  # fmt: skip


def test_an_augmentation_takes_its_options(house):
    _, one, _, said, _ = house
    assert "band_dropout" in (one / "config.yaml").read_text()
    assert "others.band_dropout: does not suit (share 2 is not in 0 to 1)" in said["refused"]
    assert not (house[0] / "no").exists()


def test_a_broken_package_costs_one_line(house):
    said = house[3]
    assert "note:" not in said["help"]
    assert said["models"].count("note:") == 1
    assert "note: model broken of broken:IT is left out: ZeroDivisionError" in said["models"]
