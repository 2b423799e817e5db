"""`hsi audit` and `hsi.audit`: anybody's split and anybody's map."""

import json

import drawn_samples as drawn
import numpy as np
import pytest
import scipy.io
import shapely
import tifffile
from file_samples import write_matlab73
from said_lines import beyond_first

import hsi_suite as hsi_api
from hsi_suite.data.splits import random_split, save_split
from hsi_suite.errors import HsiSuiteError, InputFileError, ShapeError, SplitError

# One line of ten pixels; training at both ends, so that distances are 1 2 3 4 4 3 2 1.
LINE = np.array([[1, 1, 1, 2, 2, 2, 2, 2, 2, 2]])
ENDS = np.array([[1, 0, 0, 0, 0, 0, 0, 0, 0, 1]], bool)


def scene(seed=0):
    """Blocks of three classes with gaps; training and test drawn at random."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(1, 4, (4, 5)).repeat(6, 0).repeat(5, 1)
    labels[::7] = 0
    train = (labels > 0) & (rng.random(labels.shape) < 0.3)
    test = (labels > 0) & ~train
    return labels.astype(np.uint8), train, test


def test_a_line_by_hand():
    found = hsi_api.audit(LINE, ENDS, ~ENDS, window=3)
    facts = found.facts
    # Pixels 1 to 4 are nearest to the first, of class 1, the others to the last, of class 2.
    assert found.position_accuracy == 6 / 8
    scores = {name: score["value"] for name, score in facts["position"].items()}
    # Both pixels of class 1, four of six of class 2; chance agreement (2 · 4 + 6 · 4) / 64.
    assert scores == pytest.approx(
        {"overall_accuracy": 0.75, "average_accuracy": (1 + 4 / 6) / 2, "cohen_kappa": 0.5}
    )
    assert facts["leakage"]["histogram"] == [[1, 2], [2, 2], [3, 2], [4, 2]]
    assert facts["distance_quantiles"] == [[0.05, 1], [0.25, 1], [0.5, 2], [0.75, 3], [0.95, 4]]
    shares = {size: (inside, over) for size, inside, over in facts["windows"]}
    assert shares[1] == (0, 0) and shares[3] == (0.25, 0.5) and shares[5] == (0.5, 1)
    assert shares[9] == (1, 1)
    rows = [(r["from"], r["to"], r["pixels"], r["position"]["value"]) for r in facts["by_distance"]]
    assert rows == [(1, 1, 2, 1.0), (2, 2, 2, 1.0), (3, 4, 4, 0.5)]
    assert facts["leakage"]["polygons"] == {
        "polygons": 2, "divided": 2, "test_in_training_polygons": 1.0,
    }  # fmt: skip
    assert facts["commonest_class"] == {"label": 2, "overall_accuracy": 6 / 8}
    assert [(c["train"], c["test"]) for c in facts["classes"]] == [(1, 2), (1, 6)]
    assert facts["verdict"]["position_skill"] == 0 and found.level == "partly disjoint"
    assert hsi_api.audit(LINE, ENDS, ~ENDS).level == "disjoint"


def test_a_map_by_hand():
    answers = np.full((1, 10), 2)
    answers[0, 1] = 1
    answers[0, 8] = 0
    answers[0, 7] = 9
    found = hsi_api.audit(LINE, ENDS, ~ENDS, predictions=answers).facts
    # Right at pixels 1, 3, 4, 5 and 6.
    assert found["map"]["overall_accuracy"]["value"] == 5 / 8
    assert found["map"]["average_accuracy"]["value"] == pytest.approx((1 / 2 + 4 / 6) / 2)
    # Truth 2, 6; answers 1, 5, and two that are no class.
    assert found["map"]["cohen_kappa"]["value"] == pytest.approx((5 / 8 - 0.5) / (1 - 0.5))
    assert found["map"]["minus_position"]["overall_accuracy"]["value"] == pytest.approx(-1 / 8)
    assert (found["map"]["none"], found["map"]["unknown"]) == (1, 1)
    assert [row["map"]["value"] for row in found["by_distance"]] == [0.5, 0.0, 1.0]
    text = " ".join(each["text"] for each in found["verdict"]["statements"])
    assert "12.50 points below position alone" in text
    assert "no label at 1 pixel of the test" in text and "At 1 pixel of the test" in text


def test_distances_and_windows_by_brute_force():
    labels, train, test = scene(3)
    found = hsi_api.audit(labels, train, test, window=5).facts
    gaps = np.abs(np.argwhere(test)[:, None] - np.argwhere(train)[None]).max(2).min(1)
    numbers, counts = np.unique(gaps, return_counts=True)
    assert found["leakage"]["histogram"] == np.stack([numbers, counts], 1).tolist()
    for size, inside, over in found["windows"]:
        assert inside == np.mean(gaps <= size // 2) and over == np.mean(gaps <= size // 2 * 2)
    rows = found["by_distance"]
    assert sum(row["pixels"] for row in rows) == test.sum()
    for row in rows:
        assert row["pixels"] == np.sum((gaps >= row["from"]) & (gaps <= row["to"]))


def indices(mask):
    return np.flatnonzero(mask)


WRITERS = {
    "npz of masks": ("s.npz", lambda p, g, a, b: np.savez(p, train=a, test=b)),
    "npz of label maps": ("s.npz", lambda p, g, a, b: np.savez(p, train_gt=g * a, test_gt=g * b)),
    "npz of indices": ("s.npz", lambda p, g, a, b: np.savez(p, tr=indices(a), te=indices(b))),
    "npz of places": (
        "s.npz", lambda p, g, a, b: np.savez(p, train=np.argwhere(a), test=np.argwhere(b)),
    ),
    "npy of codes": ("s.npy", lambda p, g, a, b: np.save(p, a + 2 * b)),
    "mat of label maps": (
        "s.mat", lambda p, g, a, b: scipy.io.savemat(p, {"TR": g * a, "TE": g * b, "input": a}),
    ),
    "mat with words in its names": (
        "s.mat", lambda p, g, a, b: scipy.io.savemat(p, {"ipTrainMap2": g * a, "mask_test": b}),
    ),
    "mat told by content": (
        "s.mat",
        lambda p, g, a, b: scipy.io.savemat(
            p,
            {"X_train": np.ones((9, 4)), "y_train": g[a], "train_map": 1 * a,
             "y_test": g[b], "test_map": 1 * b},
        ),
    ),
    "mat with codes alone": ("s.mat", lambda p, g, a, b: scipy.io.savemat(p, {"x": a + 2 * b})),
    "mat v7.3": ("s.mat", lambda p, g, a, b: write_matlab73(p, TRLabel=g * a, TSLabel=g * b)),
    "tif of codes": ("s.tif", lambda p, g, a, b: tifffile.imwrite(p, (a + 2 * b).astype("u1"))),
    "folder of a run": ("run/split.npz", lambda p, g, a, b: run_split(p, g, a, b)),
}  # fmt: skip


def run_split(path, labels, train, test):
    path.parent.mkdir()
    save_split(hsi_api.splits.masks(labels, train, test), path)


@pytest.mark.parametrize("kind", WRITERS)
def test_every_form_of_a_split_gives_the_same(tmp_path, hsi, kind):
    labels, train, test = scene()
    name, write = WRITERS[kind]
    np.save(tmp_path / "gt.npy", labels)
    write(tmp_path / name, labels, train, test)
    given = tmp_path / name
    given = given.parent if kind == "folder of a run" else given
    status, out, err = hsi("audit", tmp_path / "gt.npy", "--split", given, "--json")
    assert status == 0, err
    expected = dict(hsi_api.audit(labels, train, test).facts)
    found = json.loads(out)
    assert found.pop("names")["split"] == str(given) and found.pop("written") == []
    expected.pop("names")
    assert found == json.loads(json.dumps(expected))


def write_pair(folder, kind, train, test):
    first, second = (folder / f"{part}.{kind}" for part in ("a", "b"))
    for path, mask in ((first, train), (second, test)):
        if kind == "tif":
            tifffile.imwrite(path, mask.astype("u1"))
        else:
            np.save(path, indices(mask))
    return first, second


@pytest.mark.parametrize("kind", ["tif", "npy"])
@pytest.mark.parametrize("apart", [True, False])
def test_a_file_for_each_part(tmp_path, hsi, kind, apart):
    labels, train, test = scene()
    np.save(tmp_path / "gt.npy", labels)
    files = write_pair(tmp_path, kind, train, test)
    split = ["--split", f"{files[0]},{files[1]}"]
    if apart:
        split = ["--split", files[0], "--split", files[1]]
    status, out, _ = hsi("audit", tmp_path / "gt.npy", *split, "--json")
    expected = hsi_api.audit(labels, train, test)
    assert status == 0 and json.loads(out)["leakage"] == expected.facts["leakage"]
    assert hsi_api.audit(tmp_path / "gt.npy", *files).leakage == expected.leakage
    assert hsi_api.audit(labels, split=f"{files[0]},{files[1]}").leakage == expected.leakage
    lists = hsi_api.audit(labels, indices(train), np.argwhere(test))
    assert lists == hsi_api.audit(labels, labels * train, test)


def test_indices_of_matlab_and_the_rest_as_test(tmp_path, hsi):
    labels, train, test = scene()
    np.save(tmp_path / "gt.npy", labels)
    columns = np.flatnonzero(train.ravel(order="F")) + 1
    scipy.io.savemat(tmp_path / "s.mat", {"idx": columns})
    told = ("audit", tmp_path / "gt.npy", "--split", tmp_path / "s.mat")
    status, out, _ = hsi(*told, "--matlab-indices", "--rest-is-test", "--json")
    assert status == 0
    assert json.loads(out)["leakage"] == hsi_api.audit(labels, train, test).facts["leakage"]
    status, _, err = hsi(*told, "--rest-is-test")
    assert status == 2 and "--matlab-indices" in err and len(beyond_first(err)) == 1


REFUSED = {
    "another size": ({"train": np.ones((3, 3)), "test": np.ones((3, 3))}, (), "train of 3 × 3"),
    "no test pixels": ({"train": "train", "test": np.zeros((24, 25))}, (), "no test pixel"),
    "no part called test": ({"train": "train", "b": "test"}, (), "--test-variable"),
    "no part at all": ({"a": "train", "b": "test"}, (), "no train among a, b"),
    "two that could be meant": (
        {"train_a": "train", "train_b": "train", "test": "test"}, (), "--train-variable train_a",
    ),
    "another name": (
        {"train": "train", "test": "test"}, ("--train-variable", "c"), "no variable 'c'",
    ),
    "another numbering": ({"train": "turned", "test": "turned"}, (), "other labels"),
    "indices of another order": ({"train": [0, 1], "test": [60, 61]}, (), "unlabelled"),
    "one class in training": ({"train": "first class", "test": "test"}, (), "only class 1"),
}  # fmt: skip


@pytest.mark.parametrize("why", REFUSED)
def test_what_cannot_be_audited_is_one_line(tmp_path, hsi, why):
    labels, train, test = scene()
    arrays, options, message = REFUSED[why]
    known = {
        "train": train, "test": test, "turned": labels % 3 + 1, "first class": train & (labels == 1)
    }  # fmt: skip
    arrays = {k: known[v] if isinstance(v, str) else np.array(v) for k, v in arrays.items()}
    np.save(tmp_path / "gt.npy", labels)
    np.savez(tmp_path / "s.npz", **arrays)
    status, out, err = hsi(
        "audit", tmp_path / "gt.npy", "--split", tmp_path / "s.npz", *options,
        "-o", tmp_path / "page.html",
    )  # fmt: skip
    assert status == 2 and out == "" and len(beyond_first(err)) == 1
    assert message in err and not (tmp_path / "page.html").exists()


def test_a_variable_that_is_named_counts(tmp_path, hsi):
    labels, train, test = scene()
    np.save(tmp_path / "gt.npy", labels)
    scipy.io.savemat(tmp_path / "s.mat", {"a": 1 * train, "b": 1 * test, "train": 1 * test})
    names = ("--train-variable", "a", "--test-variable", "b")
    status, out, _ = hsi(
        "audit", tmp_path / "gt.npy", "--split", tmp_path / "s.mat", *names, "--json"
    )
    assert status == 0
    assert json.loads(out)["leakage"] == hsi_api.audit(labels, train, test).facts["leakage"]


def test_one_part_alone_is_told_and_one_class(tmp_path, hsi):
    labels, train, _ = scene()
    np.save(tmp_path / "gt.npy", labels)
    np.save(tmp_path / "mask.npy", train)
    np.save(tmp_path / "list.npy", indices(train))
    tifffile.imwrite(tmp_path / "map.tif", labels * train)
    for name in ("mask.npy", "list.npy", "map.tif"):
        status, _, err = hsi("audit", tmp_path / "gt.npy", "--split", tmp_path / name)
        assert status == 2 and "--rest-is-test" in err and "--split TRAIN,TEST" in err
    np.save(tmp_path / "one.npy", labels > 0)
    status, _, err = hsi(
        "audit", tmp_path / "one.npy", "--split", tmp_path / "list.npy", "--rest-is-test"
    )
    assert status == 2 and "only class 1 is labelled" in err


@pytest.mark.parametrize("name", ["a.tif", "list.npy", "drawn.gpkg"])
def test_options_that_a_file_cannot_heed_are_refused(tmp_path, hsi, name):
    labels, train, test = scene()
    np.save(tmp_path / "gt.npy", labels)
    tifffile.imwrite(tmp_path / "a.tif", train.astype("u1"))
    np.save(tmp_path / "list.npy", indices(train))
    drawn.write_drawn(tmp_path / "drawn.gpkg", [shapely.box(1, 1, 5, 5)], {"c": ["a"]})
    told = ("audit", tmp_path / "gt.npy", "--rest-is-test", "--split")
    status, _, err = hsi(*told, tmp_path / name, "--train-variable", "x")
    assert status == 2 and "--train-variable x names a variable" in err
    whole = files(tmp_path / "s.npz", train, test)
    status, _, err = hsi(*told, whole)
    assert status == 2 and "test is a test part" in err
    save_split(hsi_api.splits.masks(labels, train, test), tmp_path / "own.npz")
    assert hsi(*told, tmp_path / "own.npz")[0] == 2


def test_faults_of_a_split_are_counted_and_said(tmp_path):
    labels, train, test = scene()
    both, bare = np.argwhere(test)[:5], np.argwhere(labels == 0)[:7]
    train[tuple(both.T)] = train[tuple(bare.T)] = True
    own = labels * train
    own[tuple(bare.T)] = 1
    where = tuple(np.argwhere(train & (labels == 2))[:3].T)
    own[where] = 3
    for found in (
        hsi_api.audit(labels, own, test),
        hsi_api.audit(labels, files(tmp_path / "s.npz", own, test)),
    ):
        pixels = found.facts["pixels"]
        assert pixels["shared"] == 5 and found.leakage.min_distance == 0
        assert pixels["unlabelled"] == {"train": 7} and pixels["differing"] == {"train": 3}
        assert found.facts["by_distance"][0]["to"] == 0
        assert found.facts["by_distance"][0]["position"]["value"] == 1
        assert found.level == "leaks"
        text = " ".join(found.verdict)
        for words in ("5 pixels are both", "7 train pixels are unlabelled", "At 3 train pixels"):
            assert words in text


def files(path, train, test):
    np.savez(path, train=train, test=test)
    return path


def test_classes_without_training_and_without_test():
    labels = np.array([[1, 1, 2, 2, 3, 3, 4, 4]])
    train = np.array([[1, 0, 1, 0, 0, 0, 1, 1]], bool)
    test = np.array([[0, 1, 0, 1, 1, 1, 0, 0]], bool)
    found = hsi_api.audit(labels, train, test, class_names=["a", "b", "c", "d"])
    text = " ".join(found.verdict)
    assert "No training pixel of c (2 test pixels)" in text and "No test pixel of d" in text


def test_a_map_numbered_from_0(tmp_path, hsi):
    labels, train, test = scene()
    np.save(tmp_path / "gt.npy", labels)
    split = files(tmp_path / "s.npz", train, test)
    np.save(tmp_path / "map.npy", np.maximum(labels.astype(int), 1) - 1)
    told = ("audit", tmp_path / "gt.npy", "--split", split, "--predictions", tmp_path / "map.npy")
    status, out, _ = hsi(*told, "--json")
    assert status == 0 and "--predictions-unlabelled -1" in out
    status, out, _ = hsi(*told, "--predictions-unlabelled", "-1", "--json")
    assert status == 0 and json.loads(out)["map"]["overall_accuracy"]["value"] == 1


def test_accuracy_that_falls_with_the_distance_is_said():
    rng = np.random.default_rng(0)
    labels = rng.integers(1, 4, (15, 15)).repeat(4, 0).repeat(4, 1)
    train = np.zeros(labels.shape, bool)
    train[:, :20] = True
    far = np.arange(60)[None] - 19 > 4
    answers = np.where(far & (rng.random(labels.shape) < 0.5), labels % 3 + 1, labels)
    facts = hsi_api.audit(labels, train, ~train, predictions=answers).facts
    found = facts["near_and_far"]
    assert found["near"] == [1, 1] and found["far"] == [33, 64]
    gaps = np.broadcast_to(np.arange(60) - 19, labels.shape)
    wrong = np.mean((answers != labels)[gaps >= 33])
    assert found["map"]["value"] == pytest.approx(wrong) and found["map"]["low"] > 0
    assert any(
        "loses" in each["text"] and each["warning"] for each in facts["verdict"]["statements"]
    )


@pytest.mark.parametrize("kind", ["array", "file"])
@pytest.mark.parametrize("dtype", ["uint16", "float32", "int8"])
def test_equal_spectra_on_both_sides(tmp_path, kind, dtype):
    rng = np.random.default_rng(1)
    labels = rng.integers(1, 3, (8, 9))
    train = np.zeros(labels.shape, bool)
    train[:4] = True
    cube = rng.integers(1, 100, (8, 9, 11)).astype(dtype)
    cube[5] = cube[1]  # nine copies, two of them of what holds no data
    cube[1, 0] = cube[5, 0] = cube[1, 1] = cube[5, 1] = 7
    cube[6, 3, 10] = cube[2, 3, 10] + 1  # almost one more
    cube[6, 3, :10] = cube[2, 3, :10]
    given = cube
    if kind == "file":
        given = tmp_path / "cube.npy"
        np.save(given, cube)
    found = hsi_api.audit(labels, train, ~train, cube=given)
    same = int((labels[5, 2:] == labels[1, 2:]).sum())
    assert found.facts["identical_spectra"] == {
        "compared": 36 - 2, "identical": 7, "same_class": same,
    }  # fmt: skip
    assert found.level == "leaks" and "20.59 % of the test spectra" in found.verdict[0]


def test_polygons_of_a_map_and_drawn_ones(tmp_path, hsi):
    labels, train, test = scene()
    np.save(tmp_path / "gt.npy", labels)
    split = files(tmp_path / "s.npz", train, test)
    numbers = np.arange(labels.shape[0])[:, None] // 12 + 1 + 0 * labels
    np.save(tmp_path / "fields.npy", numbers)
    status, out, _ = hsi(
        "audit", tmp_path / "gt.npy", "--split", split, "--polygons", tmp_path / "fields.npy",
        "--json",
    )  # fmt: skip
    found = json.loads(out)
    assert status == 0 and found["leakage"]["polygons"]["polygons"] == 2
    assert found["areas"] == {"are": "polygons of fields.npy", "in_test": 2}
    assert hsi_api.audit(labels, train, test, polygons=numbers).leakage.polygons.divided == 2
    status, out, _ = hsi("audit", tmp_path / "gt.npy", "--polygons", "--split", split, "--json")
    areas = hsi_api.audit(labels, train, test).facts["areas"]
    assert status == 0 and json.loads(out)["areas"] == areas


def test_drawn_labels_lie_on_the_cube(tmp_path, hsi):
    cube = drawn.write_scene(tmp_path / "cube.tif")
    squares = [shapely.box(3 * n, 2, 3 * n + 2, 20) for n in range(6)]
    shapes = [drawn.at(shape) for shape in squares]
    labels = drawn.write_drawn(tmp_path / "gt.gpkg", shapes, {"c": list("ababab")})
    first = drawn.write_drawn(tmp_path / "a.gpkg", shapes[:2], {"c": list("ab")})
    second = drawn.write_drawn(tmp_path / "b.gpkg", shapes[2:], {"c": list("abab")})
    told = ("audit", labels, "--split", f"{first},{second}")
    status, _, err = hsi(*told)
    assert status == 2 and "--cube FILE" in err
    status, out, _ = hsi(*told, "--cube", cube, "--json")
    found = json.loads(out)
    assert status == 0 and found["areas"] == {"are": "drawn polygons", "in_test": 4}
    assert found["leakage"]["polygons"]["divided"] == 0
    assert found["identical_spectra"]["identical"] == 0
    assert [each["name"] for each in found["classes"]] == ["a", "b"]


def test_arrays_that_do_not_fit_are_refused():
    labels, train, test = scene()
    for wrong, error in (
        ({"window": 4}, ShapeError),
        ({"predictions": labels[:5]}, ShapeError),
        ({"cube": np.ones((3, 3, 4))}, ShapeError),
        ({"polygons": labels[:5]}, ShapeError),
    ):
        with pytest.raises(error):
            hsi_api.audit(labels, train, test, **wrong)
    with pytest.raises(ShapeError):
        hsi_api.audit(labels, train[:4], test)
    with pytest.raises(SplitError, match="unlabelled"):
        hsi_api.audit(labels, [0, 1], indices(test))
    with pytest.raises(InputFileError, match="0 to 599"):
        hsi_api.audit(labels, indices(train), [7000])
    with pytest.raises(SplitError, match="no test pixel"):
        hsi_api.audit(labels, train, labels == 0)
    for given in ({}, {"train": train, "split": "x"}):
        with pytest.raises(HsiSuiteError):
            hsi_api.audit(labels, **given)


def test_the_page_the_json_and_the_result(tmp_path, hsi):
    labels, train, test = scene()
    np.save(tmp_path / "<b>gt.npy", labels)
    split = files(tmp_path / "s.npz", train, test)
    told = (
        "audit", tmp_path / "<b>gt.npy", "--split", split, "--predictions", tmp_path / "<b>gt.npy",
        "--window", "5", "-o", tmp_path / "new" / "audit.html",
    )  # fmt: skip
    status, out, _ = hsi(*told)
    assert status == 0 and "This split leaks" in out and out.endswith("audit.json\n")
    page = (tmp_path / "new" / "audit.html").read_text()
    facts = json.loads((tmp_path / "new" / "audit.json").read_text())
    assert "<b>gt" not in page and "&lt;b&gt;gt" in page and page.count("<img") >= 4
    assert facts["verdict"]["rule"] in page
    status, _, err = hsi(*told)
    assert status == 2 and "--overwrite" in err
    assert hsi(*told, "--overwrite")[0] == 0
    assert hsi(*told[:-1], tmp_path / "audit.txt")[0] == 2
    found = hsi_api.audit(labels, train, test, predictions=labels, window=5)
    assert found.facts["map"] == facts["map"]
    assert "the map" in repr(found) and "<table>" in found._repr_html_()
    assert [path.name for path in found.save(tmp_path / "mine.html")] == ["mine.html", "mine.json"]


def test_a_suites_own_split_and_its_masks_agree():
    labels, _, _ = scene()
    split = random_split(labels, train=0.3, validation=0.2, generator=np.random.default_rng(0))
    masks = [np.zeros(labels.size, bool) for _ in range(3)]
    for mask, part in zip(masks, (split.train, split.test, split.validation), strict=True):
        mask[part] = True
    train, test, validation = (mask.reshape(labels.shape) for mask in masks)
    by_masks = hsi_api.audit(labels, train, test, validation=validation)
    assert hsi_api.audit(labels, split) == hsi_api.audit(labels, split=split) == by_masks
    assert by_masks.facts["pixels"]["validation"] == len(split.validation)


# Position alone on the fixed splits that papers share.
@pytest.mark.parametrize(
    "name, train, test, overall, level",
    [
        ("indian_pines_spectralformer", 695, 9671, "91.83", "leaks"),
        ("pavia_university_fixed", 3921, 40002, "70.51", "partly disjoint"),
        ("houston2013_fixed", 2832, 12197, "62.76", "partly disjoint"),
    ],
)
def test_the_fixed_splits_of_papers(data_dir, hsi, name, train, test, overall, level):
    labels, split = (data_dir / "splits" / f"{name}_{part}" for part in ("labels.npy", "split.npz"))
    if not labels.exists() or not split.exists():
        pytest.skip(f"{name} is not in the folder of real data")
    status, out, _ = hsi("audit", labels, "--split", split, "--window", "7", "--json")
    found = json.loads(out)
    assert status == 0
    assert (found["pixels"]["train"], found["pixels"]["test"]) == (train, test)
    assert f"{100 * found['position']['overall_accuracy']['value']:.2f}" == overall
    assert found["verdict"]["level"] == level
    if train == 695:
        assert f"{100 * found['position']['average_accuracy']['value']:.2f}" == "95.89"
        assert round(100 * found["leakage"]["test_inside_training_window"]) == 79
