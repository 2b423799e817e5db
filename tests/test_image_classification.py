import json
import os
import shutil
import signal
from dataclasses import replace

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from inline_jobs import use_inline_jobs
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional

from hsi_suite.backbones.classic import AuxiliaryLogits
from hsi_suite.cli.evaluate import evaluate as evaluate_command
from hsi_suite.cli.train import train as train_command
from hsi_suite.data.labelled_images import from_blocks
from hsi_suite.data.splits import load_split
from hsi_suite.engine.observer import Observer
from hsi_suite.errors import ConfigError, HsiSuiteError, RunError, Stopped
from hsi_suite.models.registry import MODELS, ModelSpec
from hsi_suite.pipelines.reproducibility import repeat
from hsi_suite.runs import launch
from hsi_suite.runs.evaluation import evaluate, evaluate_together
from hsi_suite.runs.folder import CHECKPOINT
from hsi_suite.runs.identity import run_identity
from hsi_suite.seeding import SeedStreams
from hsi_suite.tasks.images.classifier import load_image_classifier, mean_probabilities
from hsi_suite.tasks.images.configuration import image_classification_config, resolve
from hsi_suite.tasks.images.evaluation import image_scores, top_accuracy
from hsi_suite.tasks.images.preparation import (
    prepare_images,
    training_task,
    untrained_images_classifier,
)
from hsi_suite.tasks.images.results import confident_mistakes

pytestmark = pytest.mark.stand_in_pictures


class Pebble(nn.Module):
    """Three convolutions and, if wanted, an auxiliary head: small enough for tests."""

    def __init__(self, *, in_channels, num_classes, window, width=16, auxiliary=False):
        super().__init__()
        wide = 2 * width
        self.first = nn.Sequential(
            nn.Conv2d(in_channels, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU()
        )
        self.second = nn.Sequential(
            nn.Conv2d(width, wide, 3, 2, 1), nn.BatchNorm2d(wide), nn.ReLU(),
            nn.Conv2d(wide, wide, 3, 1, 1), nn.BatchNorm2d(wide), nn.ReLU(), nn.Dropout(0.1),
        )  # fmt: skip
        self.head = nn.Linear(wide, num_classes)
        self.side = nn.Linear(width, num_classes) if auxiliary else None

    def forward(self, images):
        early = self.first(images)
        logits = self.head(self.second(early).mean((2, 3)))
        if self.side is None or not self.training:
            return logits
        return AuxiliaryLogits(logits, (self.side(early.mean((2, 3))),))


@pytest.fixture(scope="module", autouse=True)
def pebble():
    """The small network under a name."""
    spec = ModelSpec(Pebble, "classification", "for tests", "kaiming", {}, (1, 8, 8), 0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(MODELS._entries, "pebble", spec)
        yield


FAST = [
    "data.size=8",
    "train.epochs=2",
    "train.batch_size=64",
    "train.schedule.warmup=0",
    "threads=1",
    "device=cpu",
]


def configured(*settings, dataset="digits", **options):
    return launch.configure(dataset=dataset, model="pebble", settings=[*FAST, *settings], **options)


def prepared(config):
    config = resolve(config)
    images = prepare_images(config, Observer())
    return config, images, untrained_images_classifier(config, images)


AUGMENTED = ["augment.flip=true", "augment.brightness=0.2", "train.optimizer.name=rmsprop"]


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """Two runs of two epochs, of seeds 0 and 1."""
    folder = tmp_path_factory.mktemp("runs")
    return [launch.start(configured(*AUGMENTED, f"seeds.base={k}"), folder) for k in range(2)]


@pytest.fixture(scope="module")
def finished(pair):
    """The first of them."""
    return pair[0]


def weights(run):
    return load_file(run.path / "model.safetensors")


class StopsAfter(Observer):
    """Sends the stop signal of a user after some steps."""

    def __init__(self, steps):
        self.steps = steps

    def advance(self, steps=1, **figures):
        self.steps -= steps
        if self.steps == 0:
            os.kill(os.getpid(), signal.SIGINT)


# --- training


def test_digits_are_learnt(tmp_path):
    config = configured("train.epochs=8", "train.batch_size=32")
    run = launch.start(config, tmp_path)
    assert run.metrics["validation"]["overall_accuracy"] >= 0.97
    assert run.metrics["test"]["overall_accuracy"] >= 0.95
    assert run.metrics["test"]["top_5_accuracy"] >= run.metrics["test"]["overall_accuracy"]


def test_batches_are_a_function_of_epoch_and_step():
    config, images, classifier = prepared(configured("train.batch_size=100"))
    task = training_task(config, images, classifier)
    assert task.steps_per_epoch == 13
    first = task.batch(1, 3)
    task.batch(0, 0)
    again = task.batch(1, 3)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not torch.equal(task.batch(2, 3)[0], first[0])
    sizes = [len(task.batch(0, step)[1]) for step in range(13)]
    assert sum(sizes) == len(images.split.train)
    assert max(sizes) - min(sizes) <= 1
    seen = torch.cat([task.batch(0, step)[1] for step in range(13)])
    expected = np.bincount(images.images.classes[images.split.train])
    assert seen.bincount().tolist() == expected.tolist()


def test_the_loss_is_smoothed_and_has_its_auxiliary_part():
    settings = ["train.label_smoothing=0.2", "model.options.auxiliary=true"]
    config, images, classifier = prepared(configured(*settings))
    assert config.train.auxiliary_weight == 0.3
    task = training_task(config, images, classifier)
    views, classes = task.batch(0, 0)
    network = classifier.network.train()
    torch.manual_seed(0)
    loss, figures, items = task.loss(network, (views, classes))
    torch.manual_seed(0)
    answer = network(views)
    target = 0.8 * functional.one_hot(classes, 10) + 0.02
    parts = [-(target * each.log_softmax(1)).sum(1).mean() for each in (answer[0], *answer[1])]
    torch.testing.assert_close(loss, parts[0] + 0.3 * parts[1])
    assert items == len(classes)
    assert figures["accuracy"] == (answer.logits.argmax(1) == classes).sum()


def test_resuming_is_bitwise_equal_to_an_unbroken_training(finished, tmp_path):
    with pytest.raises(Stopped):
        launch.start(configured(*AUGMENTED), tmp_path, StopsAfter(25))
    [folder] = tmp_path.iterdir()
    assert (folder / CHECKPOINT).exists()
    assert folder.name == finished.path.name
    run = launch.resume(folder)
    first, second = weights(finished), weights(run)
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert run.metrics == finished.metrics
    assert not (folder / CHECKPOINT).exists()


def test_seeds_change_what_they_name():
    def drawn(*settings):
        config, images, classifier = prepared(configured("augment.crop=area", *settings))
        views, classes = training_task(config, images, classifier).batch(0, 0)
        start = classifier.network.head.weight
        return [start, classes, views, torch.from_numpy(images.split.test)]

    base = drawn()
    for stream, same in (("init", (1, 2, 3)), ("augment", (0, 1, 3)), ("order", (0, 3))):
        other = drawn(f"seeds.{stream}=5")
        equal = {k for k in range(4) if torch.equal(base[k], other[k])}
        assert equal == set(same), stream


# --- what is written


def test_what_a_run_leaves(finished):
    names = {path.name for path in finished.path.iterdir()}
    assert names >= {
        "config.yaml", "environment.json", "history.csv", "metrics.json", "cost.json",
        "model.safetensors", "report.html", "confusion.png", "learning_curves.png", "split.npz",
        "mistakes.png", "log.txt",
    }  # fmt: skip
    metrics = finished.metrics
    assert metrics["task"] == "image_classification"
    assert metrics["split"] == {"kind": "random", "train": 1294, "validation": 143, "test": 360}
    test = metrics["test"]
    assert test["num_images"] == 360
    assert set(test) >= {"overall_accuracy", "average_accuracy", "cohen_kappa", "top_5_accuracy"}
    matrix = np.array(test["confusion_matrix"])
    assert np.trace(matrix) / 360 == test["overall_accuracy"]
    assert [entry["name"] for entry in test["per_class"]] == list("0123456789")
    assert [row["epoch"] for row in finished.history] == [1, 2]
    assert "validation_accuracy" in finished.history[0]
    page = (finished.path / "report.html").read_text("utf-8")
    assert "pebble on digits" in page
    assert "Surest mistakes" in page
    assert "<script" not in page


def test_the_model_file_says_what_it_needs(finished):
    classifier = load_image_classifier(finished.path / "model.safetensors", torch.device("cpu"))
    header = classifier.header
    assert header.class_names == list("0123456789")
    assert (header.size, header.resize, header.channels) == (8, None, 1)
    _, images, _ = prepared(configured())
    train = images.images.pixels.reshape(-1, 64)[images.split.train] / 255
    assert np.allclose([header.mean[0], header.std[0]], [train.mean(), train.std()])
    rgb = from_blocks("x", ("a", "b"), np.zeros((2, 8, 8, 3), np.uint8), np.arange(2), {}, {})
    with pytest.raises(HsiSuiteError, match="RGB images; expected grey ones"):
        classifier.views(rgb)


def test_evaluating_again_gives_the_same_figures(finished):
    result = evaluate(finished.path)
    assert result["equal"]
    assert result["test"] == finished.metrics["test"]
    with pytest.raises(ConfigError, match="dropout-at-test"):
        evaluate(finished.path, dropout_at_test=True)


def test_a_finished_run_is_returned_as_it_is(finished):
    stamp = (finished.path / "metrics.json").stat().st_mtime_ns
    again = launch.start(configured(*AUGMENTED), finished.path.parent)
    assert again.path == finished.path
    assert (again.path / "metrics.json").stat().st_mtime_ns == stamp


def test_damaged_models_are_one_line(finished, tmp_path):
    path = tmp_path / "model.safetensors"
    cpu = torch.device("cpu")
    with pytest.raises(RunError, match=r"cannot be read|no such file"):
        load_image_classifier(path, cpu)
    path.write_bytes((finished.path / "model.safetensors").read_bytes()[:-100])
    with pytest.raises(RunError, match=r"cannot be read|no such file"):
        load_image_classifier(path, cpu)
    tensors = weights(finished)
    good = {
        "format": "hsi_suite image classifier 1", "model": "pebble", "options": {},
        "class_names": list("0123456789"), "size": 8, "resize": None, "mean": [0.5],
        "std": [0.2], "dataset": "digits",
    }  # fmt: skip
    save_file(tensors, path, {"header": json.dumps(good)})
    load_image_classifier(path, cpu)
    for changed in (
        {"format": "another"}, {"class_names": []}, {"class_names": [1]}, {"std": [0.0]},
        {"std": []}, {"mean": [0.1, 0.2]}, {"mean": ["x"]}, {"size": 0}, {"size": "8"},
        {"model": "absent"}, {"options": {"width": 3}}, {"options": {"unknown": 3}}, {"new": 1},
        {"class_names": ["a", "b"]},
    ):  # fmt: skip
        save_file(tensors, path, {"header": json.dumps({**good, **changed})})
        with pytest.raises(RunError, match="damaged"):
            load_image_classifier(path, cpu)
    for metadata in ({}, {"header": "{"}, {"header": "[]"}):
        save_file(tensors, path, metadata)
        with pytest.raises(RunError, match="damaged"):
            load_image_classifier(path, cpu)


def test_the_surest_mistakes_come_first():
    images = from_blocks(
        "x", ("a", "b"), np.arange(20, dtype=np.uint8).reshape(5, 2, 2, 1), np.zeros(5, int), {}, {}
    )
    chances = np.array([[0.4, 0.6], [0.9, 0.1], [0.1, 0.9], [0.45, 0.55]], np.float32)
    mistakes = confident_mistakes(images, np.array([1, 2, 3, 4]), chances, 2)
    assert [m.name for m in mistakes] == ["3", "1"]
    assert (mistakes[0].truth, mistakes[0].answer) == ("a", "b")
    assert mistakes[0].probability == pytest.approx(0.9)
    assert mistakes[0].truth_probability == pytest.approx(0.1)
    assert np.array_equal(mistakes[0].image, images.image(3))


def test_scores_by_hand():
    classes = np.array([0, 1, 2])
    chances = np.array([[0.5, 0.3, 0.2], [0.5, 0.3, 0.2], [0.5, 0.3, 0.2]], np.float32)
    assert [top_accuracy(classes, chances, k) for k in (1, 2, 3)] == [1 / 3, 2 / 3, 1]
    # Equal probabilities tell nothing: a constant answer must not count as right.
    assert top_accuracy(classes, np.full((3, 3), 1 / 3, np.float32), 2) == 0
    figures = image_scores(classes, chances, ["a", "b", "c"])
    assert figures["overall_accuracy"] == 1 / 3
    assert figures["num_images"] == 3
    assert "top_5_accuracy" not in figures


# --- crops and ensembles


def test_crops_average_the_probabilities(finished):
    classifier = load_image_classifier(finished.path / "model.safetensors", torch.device("cpu"))
    _, images, _ = prepared(configured())
    views = classifier.views(images.images)
    chosen = images.split.test[:7]
    rows = classifier.probabilities(views, chosen, crops=12, batch_size=30)
    for row, index in zip(rows, chosen, strict=True):
        [(values, _)] = views.fixed(np.array([index]), 12, 12)
        with torch.no_grad():
            each = [classifier.network(values[k : k + 1]).softmax(1)[0] for k in range(12)]
        assert np.allclose(row, torch.stack(each).mean(0).numpy(), atol=1e-6)
    assert np.allclose(rows.sum(1), 1, atol=1e-6)
    assert classifier.probabilities(views, chosen[:0]).shape == (0, 10)


def test_runs_answer_together(pair, finished, tmp_path):
    own = SeedStreams(0).seed("split")
    settings = ["train.epochs=1", f"seeds.split={own}"]
    runs = [finished, launch.start(configured(*settings, seed=2), tmp_path)]
    together = evaluate_together([run.path for run in runs])
    _, images, _ = prepared(configured())
    rows = []
    for run in runs:
        classifier = load_image_classifier(run.path / "model.safetensors", torch.device("cpu"))
        rows.append(classifier.probabilities(classifier.views(images.images), images.split.test))
    mean = mean_probabilities(rows)
    assert np.allclose(mean, (rows[0] + rows[1]) / 2, atol=1e-7)
    classes, names = images.images.classes[images.split.test], images.images.class_names
    assert together["test"] == image_scores(classes, mean, names)
    assert together["left_out"] == 0
    for row, own in zip(together["alone"], rows, strict=True):
        assert row["overall_accuracy"] == image_scores(classes, own, names)["overall_accuracy"]


def test_runs_of_other_splits_answer_for_what_all_of_them_tested(pair):
    together = evaluate_together([run.path for run in pair])
    _, images, _ = prepared(configured())
    splits = [load_split(run.path / "split.npz") for run in pair]
    common = sorted(set(splits[0].test) & set(splits[1].test))
    assert 0 < len(common) < len(splits[0].test)
    for split in splits:
        assert not set(common) & {*split.train, *split.validation}
    every = set(splits[0].test) | set(splits[1].test)
    assert together["left_out"] == len(every) - len(common)
    rows = []
    for run in pair:
        classifier = load_image_classifier(run.path / "model.safetensors", torch.device("cpu"))
        rows.append(classifier.probabilities(classifier.views(images.images), np.array(common)))
    classes, names = images.images.classes[common], images.images.class_names
    assert together["test"] == image_scores(classes, mean_probabilities(rows), names)


def test_runs_without_a_common_test_image_do_not_answer(pair, tmp_path, monkeypatch):
    splits = iter([load_split(pair[0].path / "split.npz")] * 2)

    def disjoint(path):
        split = next(splits)
        return replace(split, test=split.train if "_s1_" in path.parent.name else split.test)

    monkeypatch.setattr("hsi_suite.tasks.images.evaluation.load_split", disjoint)
    with pytest.raises(RunError, match="no test image in common"):
        evaluate_together([run.path for run in pair])


def test_runs_of_other_tasks_are_named_before_anything_else(finished, tmp_path):
    """Also where the same run is given twice."""
    scene = tmp_path / "scene"
    shutil.copytree(finished.path, scene)
    config = (scene / "config.yaml").read_text()
    (scene / "config.yaml").write_text(config.replace("image_classification", "classification", 1))
    with pytest.raises(RunError, match="scene: is a run of classification"):
        evaluate_together([finished.path, finished.path, scene])


def test_unverified_images_are_said_once(finished, tmp_path):
    run = tmp_path / finished.path.name
    shutil.copytree(finished.path, run)
    metrics = json.loads((run / "metrics.json").read_text())
    (run / "metrics.json").write_text(json.dumps(metrics | {"unverified": ["digits.csv"]}))
    said = []
    observer = Observer()
    observer.message = said.append
    assert evaluate(run, observer=observer)["unverified"] == ["digits.csv"]
    assert evaluate_together([run], observer=observer)["unverified"] == ["digits.csv"]
    assert [line.count("UNVERIFIED") for line in said if "digits.csv" in line] == [1, 1]


# --- configurations


def test_the_data_set_decides_the_task():
    config = launch.configure(dataset="cifar10")
    assert config.task == "image_classification"
    assert config.data.size == 32
    assert config.augment.crop == "shift"
    googlenet = launch.configure(dataset="cifar10", model="googlenet")
    assert googlenet.model.options == {"auxiliary": True}
    assert (googlenet.train.schedule.factor, googlenet.train.schedule.every) == (0.96, 8)
    assert googlenet.evaluation.crops == 144
    inception = launch.configure(dataset="cifar10", model="inception_v3")
    assert inception.train.optimizer.name == "rmsprop"
    assert inception.train.label_smoothing == 0.1


@pytest.mark.parametrize(
    "settings, found",
    [
        (["data.folder=x"], "either data.dataset"),
        (["data.size=0"], "data.size"),
        (["data.resize=4"], "data.resize"),
        (["evaluation.crops=11"], "evaluation.crops"),
        (["augment.area=[0.5,0.1]"], "augment.area"),
        (["augment.area=[0.5,1.5]"], "augment.area"),
        (["augment.aspect=[2,1]"], "augment.aspect"),
        (["train.label_smoothing=1"], "label_smoothing"),
        (["train.auxiliary_weigth=1"], "auxiliary_weight"),
        (["train.optimizer.epsilon=0"], "epsilon"),
    ],
)
def test_values_that_cannot_be(settings, found):
    with pytest.raises(ConfigError, match=found):
        configured(*settings)


def test_options_of_scenes_are_refused():
    with pytest.raises(ConfigError, match="split: no option of image classification"):
        launch.configure(dataset="digits", split="disjoint")
    with pytest.raises(ConfigError, match="unknown name 'digitz'"):
        launch.configure(dataset="digitz")
    with pytest.raises(ConfigError, match=r"data\.folder"):
        launch.configure(config="image_classification/folder")
    config = image_classification_config(options={"folder": "x"})
    assert config.data.folder == "x"
    with pytest.raises(ConfigError, match="leaves no image to select by"):
        prepared(configured("split.validation=0"))
    with pytest.raises(HsiSuiteError, match="unknown name 'absent'"):
        prepared(configured("model.name=absent"))


def write_folder(folder):
    generator = np.random.default_rng(0)
    for name, tone in (("bright", 170), ("dark", 20), ("strange & <b>", 90)):
        (folder / name).mkdir(parents=True)
        for number in range(10):
            size = (12 + number, 20, 3)
            values = generator.integers(tone, tone + 60, size, dtype=np.uint8)
            Image.fromarray(values).save(folder / name / f"{number}.png")
    return folder


def test_a_folder_from_start_to_end(tmp_path, monkeypatch):
    write_folder(tmp_path / "images")
    monkeypatch.chdir(tmp_path)
    settings = [
        "data.folder=images", "data.size=8", "data.resize=10", "model.name=pebble",
        "train.epochs=6", "train.batch_size=8", "train.schedule.warmup=0", "threads=1",
        "device=cpu", "split.validation=0.25",
    ]  # fmt: skip
    config = launch.configure(config="image_classification/folder", settings=settings)
    run = launch.start(config, tmp_path / "runs")
    assert run.path.name.startswith("images_pebble_random_s0_")
    assert run.metrics["split"] == {"kind": "random", "train": 18, "validation": 6, "test": 6}
    assert run.metrics["channels"] == 3
    assert run.metrics["crops"] == 10
    assert "top_5_accuracy" not in run.metrics["test"]
    page = (run.path / "report.html").read_text("utf-8")
    assert "strange &amp; &lt;b&gt;" in page
    assert "<b>" not in page
    # The images count by their content: elsewhere the same run, changed another one.
    monkeypatch.chdir("/")
    assert evaluate(run.path)["equal"]
    (tmp_path / "images").rename(tmp_path / "moved")
    moved = [f"data.folder={tmp_path}/moved", *settings[1:]]
    config = launch.configure(config="image_classification/folder", settings=moved)
    with pytest.raises(HsiSuiteError, match="no such folder"):
        evaluate(run.path)
    identity = _identity(resolve(config), prepare_images(config, Observer()))
    assert run.path.name.endswith(identity)
    (tmp_path / "moved").rename(tmp_path / "images")
    (tmp_path / "images" / "dark" / "3.png").unlink()
    with pytest.raises(RunError, match="images have changed"):
        evaluate(run.path)


def _identity(config, images):
    return run_identity(config.model_dump(mode="json"), images.images.checksums)


def test_several_seeds(tmp_path, monkeypatch):
    use_inline_jobs(monkeypatch)
    config = image_classification_config(
        options={"dataset": "digits", "model": "network_in_network", "epochs": 1, "threads": 1},
        settings=["model.options.width=0.1", "data.size=8", "data.resize=8"],
    )
    batch = repeat(config, 2, tmp_path)
    assert batch.path.name.startswith("digits_network")
    [group] = batch.summary["groups"]
    assert group["seeds"] == [0, 1]
    assert group["test"]["overall_accuracy"]["n"] == 2
    assert (batch.path / "runs.csv").exists()


def test_the_command_line(tmp_path, finished):
    settings = [word for each in FAST for word in ("--set", each)]
    arguments = [*settings, "--model", "pebble", "--output", str(tmp_path), "--epochs", "1"]
    split = SeedStreams(0).seed("split")
    arguments += ["--seed", "4", "--set", f"seeds.split={split}"]
    done = CliRunner().invoke(train_command, ["--dataset", "digits", "--json", *arguments])
    assert done.exit_code == 0, done.output
    printed = json.loads(done.stdout)
    assert printed["task"] == "image_classification"
    assert printed["seed"] == 4
    shown = CliRunner().invoke(train_command, ["--dataset", "digits", *arguments])
    assert "pebble on digits" in shown.stdout
    assert printed["run"] in shown.stdout.replace("\n", "")
    once = CliRunner().invoke(evaluate_command, [printed["run"]])
    assert "equal to the stored scores" in once.stdout
    both = [printed["run"], str(finished.path)]
    together = CliRunner().invoke(evaluate_command, [*both, "--json"])
    assert json.loads(together.stdout)["test"] == evaluate_together(both)["test"]
    assert "2 runs together, 360 test images" in CliRunner().invoke(evaluate_command, both).stdout
    failed = CliRunner().invoke(train_command, ["--dataset", "digits", "--split", "disjoint"])
    assert isinstance(failed.exception, ConfigError)
