"""Networks whose answers are averaged over pixels that look alike (`model.filter`)."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from scenes_samples import small_cube, write_scene_with_hole
from test_likeness_filter import slow

import hsi_suite as hsi
from hsi_suite.config import validate
from hsi_suite.errors import ConfigError, RunError, ShapeError
from hsi_suite.models.calibration import log_probabilities
from hsi_suite.runs.evaluation import evaluate
from hsi_suite.runs.folder import MODEL
from hsi_suite.runs.identity import run_identity
from hsi_suite.schemas.classification import ClassificationConfig
from hsi_suite.tasks.scenes import answer_filtering, ensemble, held_out, prediction
from hsi_suite.tasks.scenes.classifier_loading import load_classifier
from hsi_suite.tasks.scenes.many_scenes import gap_of

pytestmark = pytest.mark.stand_in_pictures

CPU = torch.device("cpu")
KEYS = ["threads=1", "train.epochs=3", "train.batch_size=32", "train.calibration=none"]
# A network of spectra; one that sees scenes whole, in pieces; and one whose windows are turned.
NETWORKS = {
    "cnn1d": [*KEYS, "model.filter=5"],
    "hybridsn": [*KEYS, "reduction.components=13", "model.window=9", "model.filter=3"],
    "cnn2d": [*KEYS, "reduction.components=4", "model.filter=7", "evaluation.orientations=8"],
}


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    """The small scene with a hole in it."""
    folder = tmp_path_factory.mktemp("scene")
    return write_scene_with_hole(folder), folder


@pytest.fixture(scope="module", params=NETWORKS)
def run(request, scene):
    files, folder = scene
    keys = NETWORKS[request.param]
    return hsi.train(**files, model=request.param, settings=keys, output=folder / "runs")


def unfiltered(classifier):
    return replace(classifier, header=replace(classifier.header, likeness=None, filter=None))


def test_probabilities_are_those_of_the_network_filtered_by_hand(run, scene):
    files, _ = scene
    classifier = load_classifier(run.path / MODEL, CPU)
    header, cube = classifier.header, np.load(files["scene"])
    valid = cube.any(-1)
    single = np.nan_to_num(unfiltered(classifier).probabilities(cube, valid))
    spectra = classifier.reduction.apply(cube)
    spectra[~valid] = 0
    squares = np.square(np.diff(spectra, axis=1)).mean(-1)[valid[:, :-1] & valid[:, 1:]]
    assert header.likeness == pytest.approx(np.median(squares), rel=1e-4)
    expected = slow(single, spectra, header.filter, header.likeness)
    got = classifier.probabilities(cube, valid)
    np.testing.assert_allclose(got[valid], expected[valid], atol=1e-5)
    assert np.isnan(got[~valid]).all()
    assert np.abs(got - single)[valid].max() > 0.01


@pytest.mark.parametrize("height", [1, 4, 100])
def test_some_pixels_alone_are_answered_as_among_all(run, scene, monkeypatch, height):
    files, _ = scene
    classifier, cube = load_classifier(run.path / MODEL, CPU), np.load(files["scene"])
    valid = cube.any(-1)
    whole = classifier.probabilities(cube, valid)
    monkeypatch.setattr(answer_filtering, "filtered_lines", lambda samples: height)
    np.testing.assert_allclose(classifier.probabilities(cube, valid), whole, atol=1e-6)
    wanted = np.random.default_rng(0).random(valid.shape) < 0.05
    wanted[:8] = False
    some = classifier.probabilities(cube, valid, wanted=wanted)
    here = wanted & valid
    np.testing.assert_allclose(some[here], whole[here], atol=1e-6)
    assert np.isnan(some[~here]).all()


@pytest.mark.parametrize(("height", "columns"), [(12, 600), (17, 9)])
def test_runs_are_evaluated_and_predict_by_strips_what_they_mapped(
    run, scene, tmp_path, monkeypatch, height, columns
):
    files, _ = scene
    assert evaluate(run.path)["equal"]
    classifier, cube = load_classifier(run.path / MODEL, CPU), np.load(files["scene"])
    valid = cube.any(-1)
    monkeypatch.setattr(prediction, "strip_lines", lambda *arguments: height)
    monkeypatch.setattr(ensemble, "COLUMNS", columns)
    got = hsi.predict(
        [run.path],
        output=tmp_path / "map.npy",
        scene=files["scene"],
        nodata=0,
        probabilities=True,
    )
    assert np.array_equal(got.labels, run.label_map)
    np.testing.assert_allclose(
        got.probabilities[valid], classifier.probabilities(cube, valid)[valid], atol=1e-5
    )


def test_filtered_probabilities_are_calibrated(scene, tmp_path):
    files, _ = scene
    keys = [*KEYS[:3], "model.filter=5", "split.validation=0.4"]
    found = hsi.train(**files, model="cnn1d", settings=keys, output=tmp_path)
    classifier, cube = load_classifier(found.path / MODEL, CPU), np.load(files["scene"])
    valid = cube.any(-1)
    calibration = classifier.calibration
    bare = replace(classifier, header=replace(classifier.header, calibration=None))
    filtered = bare.probabilities(cube, valid)[valid]
    got = classifier.probabilities(cube, valid)[valid]
    np.testing.assert_allclose(got, calibration.apply(log_probabilities(filtered)), atol=1e-6)
    assert np.array_equal(got.argmax(1), filtered.argmax(1))


def test_networks_trained_without_a_fold_are_filtered_too(scene, tmp_path, monkeypatch):
    files, _ = scene
    seen = []
    scored = held_out._scored

    def noting(classifier, *arguments):
        seen.append((classifier.header.filter, classifier.header.likeness))
        return scored(classifier, *arguments)

    monkeypatch.setattr(held_out, "_scored", noting)
    keys = [*KEYS[:3], "model.filter=5", "train.calibration_folds=2"]
    hsi.train(**files, model="cnn1d", settings=keys, output=tmp_path)
    assert len(seen) == 2 and all(side == 5 and likeness > 0 for side, likeness in seen)


def test_audit_guard_and_gap_know_how_far_an_answer_reaches(scene, tmp_path):
    files, _ = scene
    keys = [*KEYS, "reduction.components=13", "model.window=9", "model.filter=5"]
    found = hsi.train(**files, model="hybridsn", split="disjoint", settings=keys, output=tmp_path)
    metrics = json.loads((found.path / "metrics.json").read_text())
    assert metrics["leakage"]["window"] == 13 and metrics["filter"] == 5
    page = (found.path / "report.html").read_text()
    assert "answers averaged over 5 × 5 pixels that look alike" in page
    assert found.config["split"]["guard"] >= 6
    assert gap_of(validate(ClassificationConfig, found.config, "run")) >= 6
    with pytest.raises(ConfigError, match=r"split\.guard"):
        hsi.train(
            **files,
            model="hybridsn",
            split="disjoint",
            settings=[*keys, "split.guard=5"],
            output=tmp_path / "no",
        )
    assert not (tmp_path / "no").exists()


def test_without_a_filter_nothing_is_as_much_as_named(scene, tmp_path):
    files, _ = scene
    found = hsi.train(**files, model="cnn1d", settings=KEYS, output=tmp_path)
    with safe_open(found.path / MODEL, "pt") as file:
        header = json.loads(next(iter(file.metadata().values())))
    assert not {"filter", "likeness"} & header.keys()
    config = ClassificationConfig(data={"dataset": "synthetic"}).model_dump(mode="json")
    before = json.loads(json.dumps(config))
    before["model"].pop("filter")
    assert run_identity(config, {}) == run_identity(before, {})
    config["model"]["filter"] = 3
    assert run_identity(config, {}) != run_identity(before, {})


@pytest.mark.parametrize(
    ("model", "keys", "words"),
    [
        ("cnn1d", ["model.filter=4"], "an odd model.filter"),
        ("cnn1d", ["model.filter=0"], "model.filter"),
        ("svm", ["model.filter=3"], "[Ss]et model.window=3 instead"),
        ("auto", ["model.filter=3"], "each candidate has its own"),
    ],
)
def test_filters_that_cannot_be_are_refused(scene, tmp_path, model, keys, words):
    files, _ = scene
    with pytest.raises(ConfigError, match=words):
        hsi.train(**files, model=model, settings=["threads=1", *keys], output=tmp_path / "no")
    assert not (tmp_path / "no").exists()


def test_a_filter_larger_than_the_scene_is_refused(scene, tmp_path):
    files, _ = scene
    with pytest.raises(ShapeError, match="a window of 31"):
        hsi.train(**files, model="cnn1d", settings=[*KEYS, "model.filter=31"], output=tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "changes",
    [{"filter": 4}, {"filter": 1}, {"filter": True}, {"likeness": None}],
)
def test_impossible_filters_of_a_file_are_refused(run, tmp_path, changes):
    with safe_open(run.path / MODEL, "pt") as file:
        header = json.loads(next(iter(file.metadata().values())))
    assert {"filter", "likeness"} <= header.keys()
    text = json.dumps(header | changes)
    save_file(load_file(run.path / MODEL), tmp_path / MODEL, {"header": text})
    with pytest.raises(RunError):
        load_classifier(tmp_path / MODEL, CPU)


def test_auto_tries_networks_with_filters(scene, tmp_path):
    files, _ = scene
    names = ["cnn1d train.epochs=3 model.filter=5", "lda"]
    found = hsi.train(
        **files,
        model="auto",
        settings={"auto.candidates": names, "auto.folds": 2, "threads": 1, "auto.rule": "best"},
        output=tmp_path,
    )
    assert [row["name"] for row in found.metrics["choices"][0]["candidates"]] == names
    assert all("score" in row for row in found.metrics["choices"][0]["candidates"])
    assert found.metrics["leakage"]["window"] == 5


def test_the_python_class_filters_saves_and_loads(tmp_path):
    cube, labels = small_cube()
    model = hsi.SceneClassifier(
        "cnn1d", epochs=2, settings={"model.filter": 5}, threads=1, verbose=0
    ).fit(cube, labels)
    assert model.classifier_.header.filter == 5
    model.save(tmp_path / "model.safetensors")
    loaded = hsi.SceneClassifier.load(tmp_path / "model.safetensors", threads=1)
    assert np.array_equal(loaded.predict_proba(cube), model.predict_proba(cube))
    single = unfiltered(model.classifier_).probabilities(cube, None)
    assert not np.allclose(model.predict_proba(cube), single, atol=1e-3)
