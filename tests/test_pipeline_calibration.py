"""Calibrated probabilities of runs: what they are fitted on and what they change."""

import json
import os
import re
import signal
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from scenes_samples import SMALL, small_cube

import hsi_suite
from hsi_suite.data.block_folds import deal_cells
from hsi_suite.data.scene_stack import parts_of
from hsi_suite.engine.observer import Observer
from hsi_suite.engine.trainer import Trainer
from hsi_suite.errors import ConfigError, RunError, Stopped
from hsi_suite.metrics.probabilities import PROBABILITY_SCORES
from hsi_suite.models import random_forest
from hsi_suite.models.calibration import fit_calibration, log_probabilities
from hsi_suite.models.classical import CLASSICAL
from hsi_suite.runs.identity import run_identity
from hsi_suite.tasks.scenes import held_out
from hsi_suite.tasks.scenes.calibrating import calibrate
from hsi_suite.tasks.scenes.classifier_loading import load_classifier
from hsi_suite.tasks.scenes.configuration import classification_config, resolve
from hsi_suite.tasks.scenes.fitting import fit, untrained
from hsi_suite.tasks.scenes.held_out import Keeping
from hsi_suite.tasks.scenes.preparation import prepare

pytestmark = pytest.mark.stand_in_pictures

CPU = torch.device("cpu")
ONE = ["threads=1"]


@pytest.fixture(scope="module", autouse=True)
def few_trees():
    """A forest is grown anew for every fold: how many trees it has is not the matter."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(random_forest, "_TREES", 25)
        yield


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    """Patches that vary as wholes, so that neighbours are alike and blocks are not."""
    folder = tmp_path_factory.mktemp("scene")
    rng = np.random.default_rng(3)
    labels = (np.arange(32)[:, None] // 4 + np.arange(32)[None] // 4) % 3 + 1
    spectra = rng.normal(1000, 25, (4, 18))
    cube = spectra[labels] + rng.normal(0, 40, (8, 8, 18)).repeat(4, 0).repeat(4, 1)
    np.save(folder / "cube.npy", cube + rng.normal(0, 40, cube.shape))
    np.save(folder / "labels.npy", labels.astype(np.uint8))
    return {"scene": str(folder / "cube.npy"), "labels": str(folder / "labels.npy")}


def page(run):
    return (run.path / "report.html").read_text("utf-8")


def prepared_for(scene, **options):
    config = resolve(classification_config(**scene, **options))
    return config, prepare(config, Observer())


def fitted(scene, **options):
    config, prepared = prepared_for(scene, **options)
    classifier = untrained(config, prepared)
    fit(classifier, config, prepared, None, Observer())
    return classifier, config, prepared


@pytest.mark.parametrize("model", list(CLASSICAL))
def test_a_calibration_changes_no_class_and_stays_with_the_model(scene, tmp_path, model):
    bare, run = (
        hsi_suite.train(**scene, model=model, settings=[*ONE, *more], output=tmp_path)
        for more in (["train.calibration=none"], [])
    )
    assert np.array_equal(bare.label_map, run.label_map)
    for name in ("overall_accuracy", "average_accuracy", "cohen_kappa", "confusion_matrix"):
        assert bare.metrics["test"][name] == run.metrics["test"][name]
    facts, plain = run.metrics["probabilities"], bare.metrics["probabilities"]
    assert plain["calibration"] == {"method": "none", "why": "train.calibration=none"}
    assert facts["calibration"]["method"] in ("temperature", "sigmoid", "isotonic")
    test, before = run.metrics["test"], facts["uncalibrated"]
    has = CLASSICAL[model].PROBABILITIES
    assert ("kept" in plain) == ("brier_score" in bare.metrics["test"]) == has
    if has:
        for name in PROBABILITY_SCORES:
            assert bare.metrics["test"][name] == pytest.approx(before[name], abs=1e-6)

    cube = np.load(scene["scene"])
    layers = {"probabilities": True, "uncertainty": True, "threads": 1}
    place = {"output": tmp_path / "m.npy", "scene": scene["scene"]}
    found = hsi_suite.predict([run.path], **place, **layers)
    assert np.array_equal(found.labels, run.label_map)
    shares = found.probabilities
    np.testing.assert_allclose(shares.sum(-1), 1, atol=1e-5)
    assert ((shares > 0.05) & (shares < 0.95)).mean() > 0.02
    np.testing.assert_allclose(found.uncertainty[..., 0], shares.max(-1))
    loaded = load_classifier(run.path / "model.safetensors", CPU)
    assert np.array_equal(loaded.probabilities(cube, None), shares)
    # By hand, on the test pixels alone.
    split = np.load(run.path / "split.npz")["test"]
    truth = np.load(scene["labels"]).reshape(-1)[split].astype(int) - 1
    scores = hsi_suite.metrics.probability_scores(truth, shares.reshape(-1, 3)[split])
    for name in PROBABILITY_SCORES:
        assert test[name] == pytest.approx(scores[name], rel=1e-4)
    assert facts["kept"]["area"] == pytest.approx(scores["kept"]["area"], rel=1e-4)
    assert hsi_suite.evaluate(run.path).equal and hsi_suite.evaluate(bare.path).equal


def test_each_fold_is_scored_by_a_model_that_has_not_learnt_from_it(scene):
    classifier, config, prepared = fitted(scene, model="lda", settings=ONE)
    held = held_out.left_out(classifier, config, prepared, None, Keeping())
    train, samples = prepared.split.train, prepared.scene.samples
    blocks = np.unique((train // samples // 8) * 100 + train % samples // 8, return_inverse=True)[1]
    folds = deal_cells(blocks, prepared.classes[train], 5)
    spectra = classifier.reduction.apply_rows(prepared.spectra.of(train))
    scores, truth = [], []
    for fold in range(5):
        model = CLASSICAL["lda"](None, 0)
        model.fit(spectra[folds != fold], prepared.classes[train[folds != fold]])
        scores.append(model.scores(spectra[folds == fold], 3))
        truth.append(prepared.classes[train[folds == fold]])
    assert np.array_equal(held.scores, np.concatenate(scores))
    assert np.array_equal(held.truth, np.concatenate(truth)) and len(held.truth) == len(train)
    calibrate(classifier, config, prepared)
    again = fit_calibration(classifier.header.calibration["method"], held.scores, held.truth)
    assert again == classifier.calibration
    # A model asked about what it learnt from would be far surer.
    own = fit_calibration(
        "temperature", classifier.model.scores(spectra, 3), prepared.classes[train]
    )
    assert own.temperature < again.temperature


def test_probabilities_become_truer_where_neighbours_are_alike(scene):
    """What has learnt half a scene is surer than it is right in the other half."""
    cube, labels = np.load(scene["scene"]), np.load(scene["labels"])
    half = np.zeros_like(labels)
    half[:16] = labels[:16]
    found = []
    for method in ("none", "auto"):
        settings = {"train.calibration": method}
        model = hsi_suite.SceneClassifier("gaussian", settings=settings, verbose=0, threads=1)
        shares = model.fit(cube, half).predict_proba(cube)[16:].reshape(-1, 3)
        found.append(hsi_suite.metrics.probability_scores(labels[16:].ravel() - 1, shares))
    for name in PROBABILITY_SCORES:
        assert found[1][name] < found[0][name]
    assert found[1]["expected_calibration_error"] < 0.5 * found[0]["expected_calibration_error"]


@pytest.mark.parametrize("model", ["forest", "cnn1d"])
def test_the_test_part_has_no_say(scene, model):
    settings = [*ONE, "split.validation=0.3", "train.epochs=2"]
    classifier, config, prepared = fitted(scene, model=model, settings=settings)
    calibrate(classifier, config, prepared)
    mine = classifier.header.calibration
    classes, cube = prepared.classes.copy(), np.array(prepared.scene.cube)
    classes[prepared.split.test] = 0
    cube.reshape(-1, cube.shape[2])[prepared.split.test] = 7
    other = replace(prepared, classes=classes, scene=replace(prepared.scene, cube=cube))
    calibrate(classifier, config, other)
    assert mine is not None and classifier.header.calibration == mine


def test_a_guard_stands_between_what_is_learnt_and_what_is_scored_within_the_training_side(scene):
    options = {"model": "lda", "split": "disjoint", "settings": [*ONE, "split.guard=2"]}
    _, prepared = prepared_for(scene, **options)
    side = prepared.split.train
    folds = deal_cells(held_out._cells(prepared, side), prepared.classes[side], 5)
    plan = list(held_out._plan(prepared, side, folds, np.ones(len(side), bool), 2))
    assert len(plan) > 1
    for fold in plan:
        parts = (fold.learnt, fold.tested)
        one, other = (np.stack(divmod(side[part], 32), 1) for part in parts)
        assert np.abs(one[:, None] - other[None]).max(-1).min() > 2
    classifier, config, prepared = fitted(scene, **options)
    calibrate(classifier, config, prepared)
    assert re.search(r"and what is within [12] pixels?", classifier.header.calibration["held_out"])


def test_a_network_is_calibrated_on_its_validation_part(scene, tmp_path):
    settings = [*ONE, "split.validation=0.3", "train.epochs=3", "train.selection=best"]
    run = hsi_suite.train(**scene, model="cnn1d", output=tmp_path, settings=[
        *settings, "train.calibration=temperature"])  # fmt: skip
    kept = run.metrics["probabilities"]["calibration"]
    assert kept["held_out"] == "validation pixels, which chose the epoch too"
    classifier = load_classifier(run.path / "model.safetensors", CPU)
    temperature = classifier.header.calibration["temperature"]
    classifier.header = replace(classifier.header, calibration=None)
    cube = np.load(scene["scene"])
    plain = classifier.probabilities(cube, None).reshape(-1, 3)
    validation = np.load(run.path / "split.npz")["validation"]
    truth = np.load(scene["labels"]).reshape(-1)[validation].astype(int) - 1
    own = fit_calibration("temperature", log_probabilities(plain[validation]), truth)
    assert temperature == pytest.approx(own.temperature, rel=1e-3)
    assert kept["pixels"] == len(validation)
    auto = hsi_suite.train(**scene, model="cnn1d", output=tmp_path, settings=settings)
    weights = [load_file(each.path / "model.safetensors") for each in (run, auto)]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
    assert np.array_equal(run.label_map, auto.label_map)


def test_a_network_is_trained_again_without_each_fold_and_its_guard(scene):
    settings = [
        *ONE, "split.guard=2", "split.validation=0.2", "train.epochs=2", "train.selection=best",
        "train.calibration_folds=3",
    ]  # fmt: skip
    options = {"model": "cnn1d", "split": "disjoint", "settings": settings}
    classifier, config, prepared = fitted(scene, **options)
    held = held_out.left_out(classifier, config, prepared, None, Keeping())
    split = prepared.split
    side = np.sort(np.concatenate([split.train, split.validation]))
    blocks = np.unique((side // 32 // 8) * 100 + side % 32 // 8, return_inverse=True)[1]
    folds = deal_cells(blocks, prepared.classes[side], 3)
    places = np.stack(divmod(side, 32), 1)
    apart = np.abs(places[:, None] - places[None]).max(-1)
    assert "a network trained without its block and what is within 2 pixels" in held.words
    scores, truth = [], []
    for fold in np.unique(folds):
        own = folds == fold
        far = side[apart[:, own].min(1) > 2]
        one = replace(
            split, train=np.intersect1d(far, split.train),
            validation=np.intersect1d(far, split.validation),
        )  # fmt: skip
        other = replace(prepared, split=one)
        network = untrained(config, other)
        fit(network, config, other, None, Observer())
        shares = network.probabilities(prepared.scene.cube, None).reshape(-1, 3)[side[own]]
        known = np.isin(prepared.classes[side[own]], prepared.classes[one.train])
        scores.append(log_probabilities(shares[known]))
        truth.append(prepared.classes[side[own]][known])
    np.testing.assert_allclose(held.scores, np.concatenate(scores), atol=1e-4)
    assert np.array_equal(held.truth, np.concatenate(truth))


def test_a_calibration_that_is_stopped_goes_on_and_ends_with_the_same_bits(scene, tmp_path):
    settings = [*ONE, "train.epochs=2", "train.calibration_folds=3"]
    options = {**scene, "model": "cnn1d", "settings": settings}
    whole = hsi_suite.train(**options, output=tmp_path / "whole")
    facts = whole.metrics["probabilities"]["calibration"]
    assert facts["folds"] == 3 and "a network trained without its block" in facts["held_out"]
    learn, calls = Trainer._run_step, []

    def stopping(trainer):
        learn(trainer)
        calls.append(trainer.checkpoint.name)
        if calls.count("calibration_2_checkpoint.pt") == 2:
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Trainer, "_run_step", stopping)
        with pytest.raises(Stopped):
            hsi_suite.train(**options, output=tmp_path / "parts")
    folder = tmp_path / "parts" / whole.path.name
    assert (folder / "calibration_2_checkpoint.pt").is_file()
    assert not (folder / "metrics.json").exists()
    again = hsi_suite.train(**options, output=tmp_path / "parts")
    assert {path.name for path in folder.iterdir()} == {p.name for p in whole.path.iterdir()}
    for name in ("model.safetensors", "metrics.json"):
        assert (again.path / name).read_bytes() == (whole.path / name).read_bytes()


def test_a_network_without_a_validation_part_says_that_it_is_not_calibrated(scene, tmp_path, hsi):
    run = hsi_suite.train(**scene, settings=SMALL, output=tmp_path)
    facts = run.metrics["probabilities"]
    why = "no validation part, which split.validation sets apart, nor train.calibration_folds"
    assert facts["calibration"] == {"method": "none", "why": why}
    assert "uncalibrated" not in facts and "negative_log_likelihood" in run.metrics["test"]
    assert "its probabilities are not calibrated: no validation part" in page(run)
    words = ("--scene", scene["scene"], "-o", tmp_path / "m.npy", "--uncertainty")
    status, _, err = hsi("predict", run.path, *words)
    assert status == 0 and "the probabilities of hybridsn are not calibrated" in err
    with pytest.raises(
        ConfigError,
        match=r"train.calibration.*Set split.validation above 0, or train.calibration_folds",
    ):
        hsi_suite.train(
            **scene, settings=[*SMALL, "train.calibration=sigmoid"], output=tmp_path / "no"
        )
    assert not (tmp_path / "no").exists()


def test_too_few_pixels_leave_a_model_without_a_calibration(tmp_path):
    cube, labels = small_cube()
    labels[2:, :] = 0
    model = hsi_suite.SceneClassifier("svm", settings={"threads": 1}, verbose=0)
    few = labels.copy()
    few[:, ::3] = 0
    few[1] = 0
    model.fit(cube, few)
    assert model.classifier_.header.calibration is None
    assert set(np.unique(model.predict_proba(cube))) == {0.0, 1.0}


def test_estimators_give_calibrated_probabilities_that_are_saved(scene, tmp_path):
    cube, labels = np.load(scene["scene"]), np.load(scene["labels"])
    model = hsi_suite.SceneClassifier("svm", verbose=0, threads=1).fit(cube, labels)
    shares = model.predict_proba(cube)
    assert 0.4 < shares.max(-1).mean() < 0.99
    model.save(tmp_path / "m.safetensors")
    again = hsi_suite.SceneClassifier.load(tmp_path / "m.safetensors", threads=1)
    assert np.array_equal(again.predict_proba(cube), shares)


def test_whole_scenes_are_held_out_where_whole_scenes_are_tested(tmp_path):
    for number in range(3):
        cube, labels = small_cube(seed=0)
        np.save(tmp_path / f"s{number}.npy", cube + 40 * number)
        np.save(tmp_path / f"l{number}.npy", labels)
    options = {
        "scene": [str(tmp_path / f"s{k}.npy") for k in range(3)],
        "labels": [str(tmp_path / f"l{k}.npy") for k in range(3)],
        "test_scenes": ["s2"], "model": "lda", "settings": ONE,
    }  # fmt: skip
    _, prepared = prepared_for(options)
    side = prepared.split.train
    cells = held_out._cells(prepared, side)
    for number, part in enumerate(parts_of(prepared.scene)[:2]):
        assert set(cells[part.mine(side, prepared.scene.samples)]) == {number}


@pytest.mark.parametrize("damage", [{"method": "magic"}, {"temperature": -1}, {"temperature": "x"}])
def test_a_damaged_calibration_is_refused_in_one_line(scene, tmp_path, damage):
    run = hsi_suite.train(**scene, model="lda", settings=ONE, output=tmp_path)
    path = run.path / "model.safetensors"
    with safe_open(path, "pt") as file:
        text = file.metadata()
    header = json.loads(text["header"])
    header["calibration"] |= damage
    save_file(load_file(path), path, {**text, "header": json.dumps(header)})
    with pytest.raises(RunError, match="damaged"):
        load_classifier(path, CPU)


def test_no_run_is_renamed(scene):
    config = resolve(classification_config(**scene, model="svm", settings=ONE))
    today = config.model_dump(mode="json")
    before = {**today, "train": {k: v for k, v in today["train"].items() if k != "calibration"}}
    assert run_identity(before, {}) == run_identity(today, {})
    other = {**today, "train": {**today["train"], "calibration": "none"}}
    assert run_identity(other, {}) != run_identity(today, {})


def test_page_terminal_and_evaluation_show_them(scene, tmp_path, hsi):
    run = hsi_suite.train(**scene, model="forest", settings=ONE, output=tmp_path)
    assert "<h2" in page(run) and "Reliability diagram" in page(run)
    assert "expected calibration error" in page(run).lower()
    status, out, _ = hsi("evaluate", run.path)
    assert status == 0
    for name in ("negative log-likelihood", "Brier score", "expected calibration error"):
        assert name in out
    assert re.search(r"right are [\d.]+ % of the surest 50 %, [\d.]+ % of the surest 80 %", out)
    status, out, _ = hsi("report", run.path)
    assert status == 0


def test_each_model_of_spatial_folds_has_its_own_and_all_are_judged_together(scene, tmp_path, hsi):
    settings = [*ONE, "split.guard=1"]
    options = {"model": "lda", "split": "spatial_folds", "settings": settings}
    run = hsi_suite.train(**scene, **options, output=tmp_path)
    files = sorted(run.path.glob("*.safetensors"))
    kept = [load_classifier(path, CPU).header.calibration for path in files]
    assert len(kept) > 2 and None not in kept
    assert len({each["temperature"] for each in kept}) == len(kept)
    facts = run.metrics["probabilities"]
    assert facts["calibration"]["methods"] == [each["method"] for each in kept]
    total = sum(row["pixels"] for row in facts["reliability"])
    assert total == run.metrics["test"]["num_pixels"]
    assert "Reliability diagram" in page(run)
    assert hsi_suite.evaluate(run.path).equal
    assert hsi("evaluate", run.path)[0] == 0


def test_what_was_learnt_in_copies_is_calibrated_on_models_of_copies(scene):
    settings = [*ONE, "train.augmentation.gain=0.2", "train.augmentation.copies=3"]
    classifier, config, prepared = fitted(scene, model="forest", settings=settings)
    number = len(prepared.split.train)
    assert len(classifier.classes) == 3 * number
    seen = []
    with pytest.MonkeyPatch.context() as patch:
        learn = CLASSICAL["forest"].fit

        def counted(model, spectra, classes):
            seen.append(len(classes))
            learn(model, spectra, classes)

        patch.setattr(CLASSICAL["forest"], "fit", counted)
        held = held_out.left_out(classifier, config, prepared, None, Keeping())
    assert sum(seen) == 3 * (5 - 1) * number and len(held.truth) == number


def test_answers_that_are_averaged_over_a_window_are_calibrated_as_averages(scene, tmp_path):
    settings = [*ONE, "model.window=5"]
    bare = hsi_suite.train(
        **scene, model="svm", settings=[*settings, "train.calibration=none"], output=tmp_path
    )
    run = hsi_suite.train(**scene, model="svm", settings=settings, output=tmp_path)
    assert np.array_equal(bare.label_map, run.label_map)
    assert run.metrics["probabilities"]["calibration"]["method"] != "none"
    loaded = load_classifier(run.path / "model.safetensors", CPU)
    shares = loaded.probabilities(np.load(scene["scene"]), None)
    assert np.array_equal(loaded.label_map(shares), run.label_map)
    assert ((shares > 0.05) & (shares < 0.95)).any()
    assert hsi_suite.evaluate(run.path).equal

    classifier, config, prepared = fitted(scene, model="lda", settings=settings)
    held = held_out.left_out(classifier, config, prepared, None, Keeping())
    assert len(held.truth) == len(prepared.split.train)
    # The filter looks at the fold's own model: its scores are not those of the whole one.
    wanted = np.zeros(prepared.labels.shape, bool)
    wanted.reshape(-1)[prepared.split.train] = True
    reduced = held_out.reduced_scene(classifier, prepared)
    parts = classifier.rows(reduced, wanted, held_out.Computation(), Observer())
    mine = [rows for _, rows in parts]
    assert held.scores.shape == np.concatenate(mine).shape
    right = (held.scores.argmax(1) == held.truth).mean()
    assert right < (np.concatenate(mine).argmax(1) == prepared.classes[prepared.split.train]).mean()
