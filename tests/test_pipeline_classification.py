"""Training, results, prediction and evaluation, as a Python user calls them."""

import json
import os
import re
import signal
import time
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import torch
from forked_command import ForkedCommand
from safetensors.torch import load_file
from scenes_samples import SMALL, small_cube, write_scene

import hsi_suite as hsi
from hsi_suite.engine.observer import Observer
from hsi_suite.errors import (
    ConfigError,
    HsiSuiteError,
    OutputError,
    RunError,
    ShapeError,
    SplitError,
    Stopped,
)
from hsi_suite.models.position_baseline import nearest_position
from hsi_suite.runs.training import resume, train
from hsi_suite.schemas.classification import Baseline
from hsi_suite.tasks.scenes.baselines import run_baselines
from hsi_suite.tasks.scenes.classifier_loading import load_classifier
from hsi_suite.tasks.scenes.configuration import classification_config, resolve
from hsi_suite.tasks.scenes.fitting import plan, untrained
from hsi_suite.tasks.scenes.preparation import prepare

pytestmark = pytest.mark.stand_in_pictures

BARE = ["threads=1", "train.calibration=none"]
FILES = {
    "config.yaml", "environment.json", "split.npz", "history.csv", "metrics.json", "cost.json",
    "map.tif.aux.xml", "map.qml", "areas.csv", "areas.json",
    "model.safetensors", "map.npy", "map.png", "map.tif", "map.hdr", "map.img", "report.html",
    "log.txt", "confusion.png", "learning_curves.png",
}  # fmt: skip


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    return write_scene(tmp_path_factory.mktemp("scene"))


@pytest.fixture(scope="module")
def run(scene, tmp_path_factory):
    return hsi.train(**scene, settings=SMALL, output=tmp_path_factory.mktemp("runs"))


def weights(run):
    return load_file(run.path / "model.safetensors")


def equal_weights(a, b):
    first, second = weights(a), weights(b)
    return first.keys() == second.keys() and all(torch.equal(first[k], second[k]) for k in first)


def test_a_run_leaves_a_complete_folder(run):
    assert {path.name for path in run.path.iterdir()} == FILES
    assert run.path.name.startswith("cube_hybridsn_random_s0_")
    assert len(run.history) == 2
    assert run.label_map.shape == (30, 28)
    metrics = run.metrics
    assert metrics["split"]["train"] + metrics["split"]["test"] == 29 * 28
    assert metrics["test"]["overall_accuracy"] > 0.5
    assert set(metrics["baselines"]) == {"position"}
    assert "seconds" not in json.dumps(metrics)


def test_the_same_seed_gives_the_same_bits(scene, tmp_path, drawn_pictures):
    run = hsi.train(**scene, settings=SMALL, output=tmp_path / "a")
    torch.manual_seed(99)
    again = hsi.train(**scene, settings=SMALL, output=tmp_path / "b")
    assert again.path.name == run.path.name
    assert equal_weights(run, again)
    for name in (
        "metrics.json",
        "history.csv",
        "map.npy",
        "split.npz",
        "map.png",
        "model.safetensors",
    ):
        assert (again.path / name).read_bytes() == (run.path / name).read_bytes(), name


def test_one_stream_alone_changes_only_what_it_draws(run, scene, tmp_path):
    other = hsi.train(**scene, settings=[*SMALL, "seeds.order=5"], output=tmp_path)
    assert (other.path / "split.npz").read_bytes() == (run.path / "split.npz").read_bytes()
    assert not equal_weights(run, other)


def test_a_finished_run_is_not_done_again(run, scene):
    before = {path.name: path.stat().st_mtime_ns for path in run.path.iterdir()}
    again = hsi.train(**scene, settings=SMALL, output=run.path.parent)
    assert again.path == run.path
    assert {path.name: path.stat().st_mtime_ns for path in run.path.iterdir()} == before


class KillAt(Observer):
    """Dies without a word at a chosen call."""

    def __init__(self, what, count):
        self.what, self.left = what, count

    def _count(self, what):
        if what == self.what:
            self.left -= 1
            if not self.left:
                os.kill(os.getpid(), signal.SIGKILL)

    def advance(self, steps=1, **figures):
        self._count("advance")

    def epoch(self, row, seconds):
        self._count("epoch")

    def begin(self, what, total, done=0):
        self._count(what)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("what", "count"), [("advance", 3), ("advance", 10), ("epoch", 1), ("classifying", 1)]
)
def test_killed_and_resumed_is_unbroken(run, scene, tmp_path, what, count):
    child = os.fork()
    if child == 0:
        config = classification_config(**scene, settings=[*SMALL, "train.checkpoint_seconds=0"])
        train(config, tmp_path, KillAt(what, count))
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    (folder,) = tmp_path.iterdir()
    resumed = resume(folder)
    assert equal_weights(run, resumed)
    for name in ("metrics.json", "history.csv", "map.npy"):
        assert (resumed.path / name).read_bytes() == (run.path / name).read_bytes(), name
    assert {path.name for path in folder.iterdir()} == FILES


@pytest.mark.slow
def test_ctrl_c_on_the_command_line_says_how_to_go_on(scene, tmp_path):
    settings = [word for each in SMALL if "epochs" not in each for word in ("--set", each)]
    command = ForkedCommand(
        "train", "--scene", scene["scene"], "--labels", scene["labels"], "--output", tmp_path,
        "--epochs", 500, *settings, folder=tmp_path,
    )  # fmt: skip
    command.wait_until(lambda: list(tmp_path.glob("*/log.txt")))
    time.sleep(0.3)
    status = command.ended_by(signal.SIGINT)
    (folder,) = tmp_path.iterdir()
    assert status == 130
    assert f"hsi train --resume {folder}" in command.err
    assert (folder / "checkpoint.pt").exists()
    assert not (folder / "metrics.json").exists()


def test_the_folder_of_a_run_is_its_own(scene, tmp_path):
    """What another run left in it, or somebody changed, is told instead of mixed in."""

    class Impatient(Observer):
        def advance(self, steps=1, **figures):
            os.kill(os.getpid(), signal.SIGINT)

    configs = [
        classification_config(**scene, settings=SMALL, seed=seed, device="cpu") for seed in (0, 1)
    ]
    for config in configs:
        with pytest.raises(Stopped):
            train(config, tmp_path, Impatient())
    first, second = sorted(tmp_path.iterdir())
    own = (first / "checkpoint.pt").read_bytes()
    (first / "checkpoint.pt").write_bytes((second / "checkpoint.pt").read_bytes())
    with pytest.raises(RunError, match=rf"checkpoint of run {second.name[-8:]}; expected that of"):
        resume(first)
    (first / "checkpoint.pt").write_bytes(own)
    text = (first / "config.yaml").read_text()
    (first / "config.yaml").write_text(re.sub(r"epochs: \d+", "epochs: 77", text))
    with pytest.raises(RunError, match="changed since this run began"):
        train(configs[0], tmp_path)
    with pytest.raises(RunError, match="changed since this run began"):
        resume(first)
    (first / "config.yaml").write_text(text)
    assert resume(first).finished


def test_several_processes_plan_for_their_shares(scene):
    settings = [*SMALL, "train.strategy=dense", "train.batch_size=64"]
    config = resolve(classification_config(**scene, settings=settings))
    prepared = prepare(config, Observer())
    classifier = untrained(config, prepared)
    alone, shared = (plan(classifier, config, prepared, processes) for processes in (1, 4))
    assert shared.dense_from <= 16 and shared.dense_from <= alone.dense_from <= 64


def test_resuming_with_changed_data_is_refused(scene, tmp_path):
    options = write_scene(tmp_path)
    first = hsi.train(**options, model="lda", settings=BARE, output=tmp_path / "runs")
    (first.path / "metrics.json").unlink()
    cube = np.load(options["scene"])
    np.save(options["scene"], cube + 1)
    with pytest.raises(RunError, match="have changed"):
        resume(first.path)


def test_dropout_is_off_at_test_time(run):
    classifier = load_classifier(run.path / "model.safetensors", torch.device("cpu"))
    cube, _ = small_cube()
    first, second = (classifier.probabilities(cube, None) for _ in range(2))
    assert np.array_equal(first, second)
    dropped = classifier.probabilities(cube, None, dropout_seed=1)
    assert not np.array_equal(first, dropped)
    assert np.array_equal(classifier.probabilities(cube, None), first)


def test_probabilities_do_not_depend_on_the_batch_and_mask_what_is_invalid(run):
    classifier = load_classifier(run.path / "model.safetensors", torch.device("cpu"))
    cube, _ = small_cube()
    whole = classifier.probabilities(cube, None)
    np.testing.assert_allclose(whole.sum(-1), 1, rtol=1e-5)
    np.testing.assert_allclose(classifier.probabilities(cube, None, batch_size=7), whole, atol=1e-5)
    valid = np.ones(cube.shape[:2], bool)
    valid[3, 4] = False
    masked = classifier.probabilities(cube, valid)
    assert np.isnan(masked[3, 4]).all()
    assert classifier.label_map(masked)[3, 4] == 0


def test_pca_may_be_fitted_on_training_pixels_alone(scene, tmp_path):
    scene_options = resolve(classification_config(**scene, settings=SMALL))
    train_options = resolve(
        classification_config(**scene, settings=[*SMALL, "reduction.fit_on=train"])
    )
    on_scene, on_train = (prepare(c, Observer()) for c in (scene_options, train_options))
    cube, _ = small_cube()
    flat = cube.reshape(-1, cube.shape[2]).astype(float)
    np.testing.assert_allclose(on_scene.reduction.mean, flat.mean(0))
    np.testing.assert_allclose(on_train.reduction.mean, flat[on_train.split.train].mean(0))


def test_selection_uses_the_validation_part_only(scene, tmp_path):
    settings = [*SMALL, "split.validation=0.2", "train.selection=best"]
    result = hsi.train(**scene, settings=settings, output=tmp_path)
    figures = [row["validation_accuracy"] for row in result.history]
    assert result.metrics["epoch"] == 1 + figures.index(max(figures))
    assert result.metrics["split"]["validation"] > 0


@pytest.mark.parametrize("model", ["svm", "forest", "lda", "gaussian", "spectral_angle", "cnn1d"])
def test_other_models_go_through_the_same_pipeline(scene, tmp_path, model):
    # A forest is grown anew for each fold of a calibration; test_pipeline_calibration.py does that.
    settings = [*(BARE if model == "forest" else BARE[:1]), "train.epochs=3"]
    run = hsi.train(**scene, model=model, settings=settings, output=tmp_path)
    assert run.metrics["test"]["overall_accuracy"] > 0.4
    assert hsi.evaluate(run.path).equal
    prediction = hsi.predict([run.path], output=tmp_path / "m.npy", scene=scene["scene"], threads=1)
    assert np.array_equal(prediction.labels, run.label_map)


def test_probabilities_of_classical_models_without_a_calibration(hsi, scene, tmp_path):
    words = ["--scene", scene["scene"], "-o", tmp_path / "m.npy", "--probabilities"]
    forest, svm = (
        train(classification_config(**scene, model=model, settings=BARE), tmp_path).path
        for model in ("forest", "svm")
    )
    status, _, err = hsi("predict", forest, *words)
    assert status == 0 and "of forest are not calibrated (of a forest, shares of" in err
    shares = np.load(tmp_path / "m_probabilities.npy")
    assert ((shares > 0) & (shares < 1)).any() and np.allclose(shares.sum(-1), 1, atol=1e-5)
    assert np.array_equal(np.load(tmp_path / "m.npy"), np.load(forest / "map.npy"))
    for runs in ([svm], [forest, svm]):
        status, _, err = hsi("predict", *runs, *words[:2], "-o", tmp_path / "n.npy", words[-1])
        assert status == 2 and "svm gives classes alone" in err
        assert not (tmp_path / "n.npy").exists()
    assert hsi("predict", svm, "--scene", scene["scene"], "-o", tmp_path / "n.npy")[0] == 0


@pytest.mark.parametrize("validation", [0.0, 0.4])
def test_the_position_baseline_knows_what_the_audit_counts(scene, validation):
    settings = [*SMALL, f"split.validation={validation}", "split.train=0.3"]
    config = resolve(classification_config(**scene, settings=settings))
    prepared = prepare(config, Observer())
    split = prepared.split
    assert bool(len(split.validation)) == bool(validation)
    found = run_baselines(config, prepared, Observer())["position"]
    side = np.concatenate([split.train, split.validation])
    assert prepared.leakage.n_training == len(side)
    expected = nearest_position(side, prepared.classes[side], split.test, 28)
    assert np.array_equal(found, expected)
    alone = nearest_position(split.train, prepared.classes[split.train], split.test, 28)
    assert np.array_equal(found, alone) == (not validation)


def test_baselines_stand_on_the_same_test_pixels(scene, tmp_path):
    run = hsi.train(
        **scene, baselines=list(get_args(Baseline)), split="disjoint",
        settings=[*SMALL, "train.epochs=1"], output=tmp_path,
    )  # fmt: skip
    pixels = {figures["num_pixels"] for figures in run.metrics["baselines"].values()}
    assert pixels == {run.metrics["split"]["test"]}
    assert set(run.metrics["baselines"]) == {"position", *get_args(Baseline)}
    assert run.metrics["leakage"]["test_inside_training_window"] == 0
    assert run.metrics["split"]["guard"] == 4


def test_evaluation_repeats_the_stored_figures_and_shows_dropout(run):
    result = hsi.evaluate(run.path, dropout_at_test=True)
    assert result.equal
    assert result.dropout_at_test["overall_accuracy"]["n"] == 10
    assert result.dropout_at_test["overall_accuracy"]["std"] > 0


def test_dropout_at_test_in_a_run_leaves_its_own_figures(run, scene, tmp_path):
    other = hsi.train(
        **scene, settings=[*SMALL, "evaluation.dropout_at_test=true"], output=tmp_path
    )
    assert other.metrics["test"] == run.metrics["test"]
    assert other.metrics["dropout_at_test"]["overall_accuracy"]["std"] > 0


def test_prediction_equals_the_run_and_several_runs_disagree_somewhere(run, scene, tmp_path):
    single = hsi.predict([run.path], output=tmp_path / "a.npy", scene=scene["scene"], threads=1)
    assert np.array_equal(np.load(tmp_path / "a.npy"), run.label_map)
    assert single.disagreement is None
    other = hsi.train(**scene, seed=1, settings=SMALL, output=tmp_path / "runs")
    both = hsi.predict(
        [run.path, other.path],
        output=tmp_path / "b.tif",
        scene=scene["scene"],
        probabilities=True,
        threads=1,
    )
    assert {path.name for path in both.written} == {
        "b.tif",
        "b_probabilities.tif",
        "b_disagreement.tif",
    }
    # A mean of two may prefer a class that neither put first, so both may disagree with it.
    assert set(np.unique(both.disagreement)) <= {0.0, 0.5, 1.0}
    np.testing.assert_allclose(both.probabilities.sum(-1), 1, rtol=1e-5)
    picture = hsi.predict([run.path], output=tmp_path / "c.png", scene=scene["scene"], threads=1)
    assert picture.written[0].read_bytes().startswith(b"\x89PNG")


def test_prediction_refuses_other_bands_unfinished_runs_and_bad_outputs(run, scene, tmp_path):
    np.save(tmp_path / "narrow.npy", small_cube(bands=17)[0])
    with pytest.raises(ShapeError, match=r"17 bands, .*; expected 18 bands"):
        hsi.predict([run.path], output=tmp_path / "m.npy", scene=str(tmp_path / "narrow.npy"))
    with pytest.raises(OutputError, match="one of"):
        hsi.predict([run.path], output=tmp_path / "m.jpg", scene=scene["scene"])
    with pytest.raises(OutputError, match="no input is overwritten"):
        hsi.predict([run.path], output=scene["scene"], scene=scene["scene"])
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / "config.yaml").write_text("task: classification\n")
    with pytest.raises(RunError, match="not finished"):
        hsi.predict([tmp_path / "r"], output=tmp_path / "m.npy", scene=scene["scene"])
    assert not list(tmp_path.glob("m.*"))


def test_prediction_never_replaces_its_input_or_a_run(run, tmp_path):
    layers = {"probabilities": True, "uncertainty": True}
    for name in ("m.npy", "m_probabilities.npy", "m_uncertainty.npy"):
        np.save(tmp_path / name, small_cube()[0])
        before = (tmp_path / name).read_bytes()
        with pytest.raises(OutputError, match="no input is overwritten"):
            hsi.predict([run.path], output=tmp_path / "m.npy", scene=str(tmp_path / name), **layers)
        assert (tmp_path / name).read_bytes() == before
    with pytest.raises(OutputError, match="kept as they are"):
        hsi.predict([run.path], output=run.path / "map.npy", scene=str(tmp_path / "m.npy"))


def test_values_beyond_measure_are_refused(run, tmp_path):
    np.save(tmp_path / "huge.npy", small_cube()[0] * 1e37)
    with pytest.raises(HsiSuiteError, match="spectra of at most"):
        hsi.predict([run.path], output=tmp_path / "m.npy", scene=str(tmp_path / "huge.npy"))


def test_a_changed_split_file_is_another_run(scene, tmp_path):
    labels = np.load(scene["labels"])
    codes = np.where(labels > 0, 1 + (np.arange(labels.size).reshape(labels.shape) % 2), 0)
    np.save(tmp_path / "split.npy", codes)
    options = {**scene, "split_file": str(tmp_path / "split.npy"), "output": tmp_path / "runs"}
    first = hsi.train(**options, model="lda", settings=BARE)
    np.save(tmp_path / "split.npy", np.where(codes == 0, 0, 3 - codes))
    second = hsi.train(**options, model="lda", settings=BARE)
    assert second.path != first.path
    (second.path / "metrics.json").unlink()
    np.save(tmp_path / "split.npy", codes)
    with pytest.raises(RunError, match="have changed"):
        resume(second.path)


def test_a_whole_number_is_pixels_per_class(scene):
    config = resolve(classification_config(**scene, settings=[*SMALL, "split.train=20"]))
    prepared = prepare(config, Observer())
    counts = np.bincount(prepared.classes[prepared.split.train])
    assert counts.tolist() == [20, 20, 20]


def test_files_count_by_content_and_paths_are_kept_in_full(scene, run, tmp_path, monkeypatch):
    monkeypatch.chdir(Path(scene["scene"]).parent)
    relative = {"scene": "cube.npy", "labels": "./labels.npy"}
    again = hsi.train(**relative, settings=SMALL, output=run.path.parent)
    assert again.path == run.path
    monkeypatch.chdir(tmp_path)
    assert hsi.evaluate(run.path).equal


@pytest.mark.parametrize("options", ["{C: 1}", "{C: -1, gamma: 1}", "{foo: 2}"])
def test_settings_of_a_support_vector_machine_are_checked(scene, tmp_path, options):
    with pytest.raises(ConfigError, match="C and gamma"):
        hsi.train(**scene, model="svm", settings=[f"model.options={options}"], output=tmp_path)


@pytest.mark.parametrize("damage", ["empty", "cut", "noise", "other"])
def test_a_damaged_model_file_is_refused(run, tmp_path, damage):
    content = (run.path / "model.safetensors").read_bytes()
    path = tmp_path / "model.safetensors"
    if damage == "other":
        from safetensors.torch import save_file

        save_file({"a": torch.zeros(1)}, path)
    else:
        noise = np.random.default_rng(0).bytes(500)
        path.write_bytes(
            {"empty": b"", "cut": content[: len(content) // 2], "noise": noise}[damage]
        )
    with pytest.raises(RunError):
        load_classifier(path, torch.device("cpu"))


def test_a_scene_with_missing_pixels_keeps_them_missing(tmp_path):
    cube, labels = small_cube()
    holes = cube.astype(np.float32)
    holes[15, :5] = np.nan  # an unlabelled line
    np.save(tmp_path / "cube.npy", holes)
    np.save(tmp_path / "labels.npy", labels)
    run = hsi.train(
        scene=str(tmp_path / "cube.npy"), labels=str(tmp_path / "labels.npy"), settings=SMALL,
        output=tmp_path / "runs",
    )  # fmt: skip
    assert (run.label_map[15, :5] == 0).all()
    assert (run.label_map != 0).sum() == 30 * 28 - 5
    assert run.metrics["invalid_pixels"] == 5


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        (["model.window=31"], ShapeError),
        (["reduction.components=19"], ShapeError),
        (["reduction.components=12"], ShapeError),
        (["model.name=hybridns"], ConfigError),
        (["split.kind=disjoint", "split.guard=2"], ConfigError),
        (["split.guard=2"], ConfigError),
        (["split.kind=disjoint", "split.guard=30"], SplitError),
        (["model.options={drop: 1}"], ConfigError),
    ],
)
def test_nothing_is_written_for_what_cannot_work(scene, tmp_path, settings, error):
    with pytest.raises(error):
        hsi.train(**scene, settings=[*SMALL, *settings], output=tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


def test_every_error_of_the_api_is_ours(tmp_path):
    with pytest.raises(HsiSuiteError):
        hsi.train(datset="synthetic")
    with pytest.raises(HsiSuiteError):
        hsi.train()
    with pytest.raises(AttributeError):
        _ = hsi.nothing


@pytest.mark.cuda
def test_cuda_gives_the_same_bits_twice(scene, tmp_path):
    runs = [
        hsi.train(**scene, settings=SMALL, device="cuda", output=tmp_path / str(k))
        for k in range(2)
    ]
    assert equal_weights(*runs)
