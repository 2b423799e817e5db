"""Classifiers of single spectra whose answers are filtered over a window."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from scenes_samples import write_scene_with_hole
from test_likeness_filter import slow

import hsi_suite as hsi
from hsi_suite.errors import ConfigError, RunError
from hsi_suite.runs.evaluation import evaluate
from hsi_suite.runs.folder import MODEL
from hsi_suite.tasks.scenes import answer_filtering, prediction
from hsi_suite.tasks.scenes.classifier_loading import load_classifier

pytestmark = pytest.mark.stand_in_pictures

CPU = torch.device("cpu")
KEYS = ["threads=1", "model.window=5", "train.calibration=none"]


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scene")
    return write_scene_with_hole(folder), folder


@pytest.fixture(scope="module", params=["svm", "forest", "lda"])
def run(request, scene):
    files, folder = scene
    return hsi.train(**files, model=request.param, settings=KEYS, output=folder / "runs")


def test_probabilities_are_those_of_single_spectra_filtered_by_hand(run, scene):
    files, _ = scene
    classifier = load_classifier(run.path / MODEL, CPU)
    assert classifier.header.window == 5
    cube = np.load(files["scene"])
    valid = cube.any(-1)
    alone = replace(classifier, header=replace(classifier.header, likeness=None))
    single = np.nan_to_num(alone.probabilities(cube, valid))
    spectra = classifier.reduction.apply(cube)
    spectra[~valid] = 0
    pairs = valid[:, :-1] & valid[:, 1:]
    squares = np.square(np.diff(spectra, axis=1)).mean(-1)[pairs]
    assert classifier.header.likeness == pytest.approx(np.median(squares), rel=1e-4)
    expected = slow(single, spectra, 5, classifier.header.likeness)
    got = classifier.probabilities(cube, valid)
    np.testing.assert_allclose(got[valid], expected[valid], atol=1e-5)
    assert np.isnan(got[~valid]).all()
    # Some pixels alone are answered as among all.
    wanted = np.random.default_rng(0).random(valid.shape) < 0.1
    some = classifier.probabilities(cube, valid, wanted=wanted)
    assert np.array_equal(some[wanted & valid], got[wanted & valid])


@pytest.mark.parametrize("height", [5, 11, 30])
def test_runs_are_evaluated_and_predict_by_strips_what_they_mapped(
    run, scene, tmp_path, monkeypatch, height
):
    files, _ = scene
    assert evaluate(run.path)["equal"]
    monkeypatch.setattr(prediction, "strip_lines", lambda *arguments: height)
    monkeypatch.setattr(answer_filtering, "filtered_lines", lambda samples: 2)
    got = hsi.predict([run.path], output=tmp_path / "map.npy", scene=files["scene"], nodata=0)
    assert np.array_equal(got.labels, run.label_map)


def test_the_leakage_audit_and_the_guard_know_the_window(scene, tmp_path):
    files, _ = scene
    run = hsi.train(**files, model="lda", split="disjoint", settings=KEYS, output=tmp_path)
    metrics = json.loads((run.path / "metrics.json").read_text())
    assert metrics["leakage"]["window"] == 5
    assert run.config["split"]["guard"] >= 2


def test_windows_of_single_spectra_do_not_turn(run, scene, tmp_path):
    files, _ = scene
    turned = [*KEYS, "evaluation.orientations=8"]
    with pytest.raises(ConfigError, match="however its window is turned"):
        hsi.train(**files, model="lda", settings=turned, output=tmp_path / "no")
    with pytest.raises(ConfigError, match="the same however they are turned"):
        hsi.predict(
            [run.path], output=tmp_path / "m.npy", scene=files["scene"], test_time_averaging=True
        )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("likeness", [0, -1, "nan"])
def test_impossible_likenesses_are_refused(run, tmp_path, likeness):
    with safe_open(run.path / MODEL, "pt") as file:
        header = json.loads(next(iter(file.metadata().values())))
    header["likeness"] = float(likeness)
    save_file(load_file(run.path / MODEL), tmp_path / MODEL, {"header": json.dumps(header)})
    with pytest.raises(RunError):
        load_classifier(tmp_path / MODEL, CPU)
