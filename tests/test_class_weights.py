"""Classes of unequal size: weights, balanced batches, label smoothing."""

import math

import numpy as np
import pytest
import torch
from scenes_samples import SMALL, write_scene
from sklearn.ensemble import RandomForestClassifier
from sklearn.svm import SVC
from sklearn.utils.class_weight import compute_class_weight
from test_classical import blobs
from torch import nn
from torch.nn import functional

import hsi_suite
from hsi_suite.config import validate
from hsi_suite.data.patches import scene_sampler
from hsi_suite.errors import ConfigError
from hsi_suite.losses import class_weights, classification_loss
from hsi_suite.models.classical import CLASSICAL
from hsi_suite.runs.identity import run_identity
from hsi_suite.schemas.classification import ClassificationConfig
from hsi_suite.seeding import SeedStreams
from hsi_suite.tasks.scenes.classifier_loading import load_classifier
from hsi_suite.tasks.scenes.configuration import classification_config, resolve
from hsi_suite.tasks.scenes.task import PixelClassification, balanced_order

pytestmark = pytest.mark.stand_in_pictures

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scene")
    options = write_scene(folder)
    labels = np.load(folder / "labels.npy")
    # Two thirds of class 3 are not labelled.
    labels[(labels == 3) & (np.arange(28)[None] % 3 > 0)] = 0
    np.save(folder / "labels.npy", labels)
    return options


def test_balanced_weights_are_those_of_scikit_learn():
    classes = np.repeat([0, 1, 2], [60, 30, 10])
    expected = compute_class_weight("balanced", classes=np.arange(3), y=classes)
    assert class_weights([60, 30, 10], "balanced", 0.9) == pytest.approx(expected.tolist())
    assert class_weights([60, 30, 10], "balanced", 0.9) == pytest.approx(
        [100 / 180, 100 / 90, 10 / 3]
    )


def test_effective_weights_by_hand_and_at_their_ends():
    raw = [(1 - 0.9) / (1 - 0.9**n) for n in (50, 5)]
    mean = (50 * raw[0] + 5 * raw[1]) / 55
    assert class_weights([50, 5], "effective", 0.9) == pytest.approx([w / mean for w in raw])
    assert class_weights([50, 5], "effective", 0.0) == [1, 1]
    near = class_weights([50, 5], "effective", 1 - 1e-9)
    assert near == pytest.approx(class_weights([50, 5], "balanced", 0), rel=1e-5)
    assert class_weights([50, 0, 5], "effective", 0.99)[1] == 1


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_loss_is_torchs_own_but_for_its_divisor(smoothing):
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(40, 3, generator=generator)
    classes = torch.randint(3, (40,), generator=generator)
    weights = torch.tensor([0.5, 1.0, 4.0])
    found = classification_loss(logits, classes, weights, smoothing)
    own = functional.cross_entropy(logits, classes, weights, label_smoothing=smoothing)
    torch.testing.assert_close(found, own * weights[classes].sum() / 40)
    halves = [classification_loss(logits[k::2], classes[k::2], weights, smoothing) for k in (0, 1)]
    torch.testing.assert_close(found, torch.stack(halves).mean())
    logs = logits.log_softmax(1)
    by_hand = -(1 - smoothing) * weights[classes] * logs[range(40), classes]
    by_hand = by_hand - smoothing / 3 * (weights * logs).sum(1)
    torch.testing.assert_close(found, by_hand.mean())
    plain = functional.cross_entropy(logits, classes, label_smoothing=smoothing)
    assert torch.equal(classification_loss(logits, classes, None, smoothing), plain)


def task(**keys):
    classes = torch.repeat_interleave(torch.arange(3), torch.tensor([60, 30, 10]))
    pixels = torch.arange(100)
    sampler = scene_sampler(np.zeros((10, 10, 4), np.float32), 1, CPU)
    return PixelClassification(sampler, classes, pixels, pixels[:0], 30, 50, SeedStreams(0), **keys)


def test_the_task_weighs_and_smooths_and_by_default_does_what_it_did():
    class Fixed(nn.Module):
        def forward(self, windows):
            return torch.arange(3.0).repeat(len(windows), 1)

    weights = torch.tensor([0.5, 1.0, 4.0])
    for keys, expected in (
        ({}, lambda logits, classes: functional.cross_entropy(logits, classes)),
        (
            {"weights": weights, "label_smoothing": 0.2},
            lambda logits, classes: classification_loss(logits, classes, weights, 0.2),
        ),
    ):
        built = task(**keys)
        batch = built.batch(0, 0)
        loss, _, items = built.loss(Fixed(), batch)
        assert (
            torch.equal(loss, expected(torch.arange(3.0).repeat(30, 1), batch[1])) and items == 30
        )
    order = torch.randperm(100, generator=SeedStreams(0).torch("order", 1))
    assert torch.equal(task().batch(1, 0)[0], order[:30])


def test_balanced_batches_hold_every_class_alike_and_waste_no_pixel_of_rare_ones():
    built = task(balanced=True)
    epochs = [torch.cat([built.batch(e, s)[0] for s in range(4)]) for e in (0, 1)]
    for epoch in (0, 1):
        for step in range(3):
            counts = torch.bincount(built.batch(epoch, step)[1], minlength=3)
            assert counts.tolist() == [10, 10, 10]
    assert not torch.equal(*epochs)
    assert all(len(each) == 100 for each in epochs)
    rare = torch.bincount(epochs[0][epochs[0] >= 90] - 90, minlength=10)
    assert rare.min() >= 3 and rare.max() <= 4
    again = balanced_order(torch.arange(100), built.classes, SeedStreams(0).torch("order", 0))
    assert torch.equal(again, epochs[0])


@pytest.mark.parametrize("name", ["svm", "forest", "lda"])
def test_classical_models_weigh_as_scikit_learn_does(name):
    spectra, classes = blobs(count=90)
    kept = np.r_[np.flatnonzero(classes < 2), np.flatnonzero(classes == 2)[:6]]
    spectra, classes = spectra[kept] + np.random.default_rng(0).normal(0, 4, (66, 8)), classes[kept]
    others = np.random.default_rng(1).normal(1, 3, (500, 8))
    weights = dict(enumerate(class_weights(np.bincount(classes).tolist(), "balanced", 0)))
    settings = {"svm": {"C": 0.3, "gamma": 0.1}}.get(name)
    weighed, plain = (CLASSICAL[name](settings, 3, 1, each) for each in (weights, None))
    for model in (weighed, plain):
        model.fit(spectra, classes)
    rare = [(model.predict(others) == 2).sum() for model in (weighed, plain)]
    assert rare[0] > rare[1]
    if name == "svm":
        scaler, own = weighed._fitted[0], SVC(C=0.3, gamma=0.1, class_weight="balanced")
        own.fit(scaler.transform(spectra), classes)
        assert np.array_equal(own.predict(scaler.transform(others)), weighed.predict(others))
    elif name == "forest":
        own = RandomForestClassifier(200, random_state=3, class_weight="balanced")
        own.fit(spectra, classes)
        assert np.array_equal(own.predict(others), weighed.predict(others))
    else:
        np.testing.assert_allclose(weighed._lda.priors_, 1 / 3)


@pytest.mark.parametrize("model", ["svm", "lda"])
def test_a_models_weights_are_saved_and_give_the_same_answers_when_it_is_loaded(
    scene, tmp_path, model
):
    settings = ["threads=1", "train.class_weights=balanced"]
    run = hsi_suite.train(**scene, model=model, settings=settings, output=tmp_path)
    loaded = load_classifier(run.path / "model.safetensors", CPU)
    train = np.load(run.path / "split.npz")["train"]
    counts = np.bincount(np.load(scene["labels"]).reshape(-1)[train])[1:]
    assert loaded.header.class_weights == class_weights(counts.tolist(), "balanced", 0)
    assert hsi_suite.evaluate(run.path).equal
    plain = hsi_suite.train(**scene, model=model, settings=["threads=1"], output=tmp_path)
    assert plain.path != run.path
    assert load_classifier(plain.path / "model.safetensors", CPU).header.class_weights is None


def test_a_network_learns_with_all_of_them(scene, tmp_path):
    settings = [
        *SMALL, "train.class_weights=effective", "train.class_weights_beta=0.99",
        "train.label_smoothing=0.1", "train.balanced_batches=true",
    ]  # fmt: skip
    run = hsi_suite.train(**scene, settings=settings, output=tmp_path)
    assert math.isfinite(run.history[-1]["train_loss"])
    assert hsi_suite.evaluate(run.path).equal


@pytest.mark.parametrize(
    ("model", "key", "words"),
    [
        ("svm", "train.label_smoothing=0.1", "train.label_smoothing: given with svm"),
        ("forest", "train.balanced_batches=true", "train.balanced_batches: given with forest"),
        ("gaussian", "train.class_weights=balanced", "all classes are equally likely"),
        (
            "spectral_angle",
            "train.class_weights=effective",
            "a network, or one of forest, lda, svm",
        ),
        ("cnn1d", "train.class_weights_beta=1", "train.class_weights_beta"),
        ("cnn1d", "train.class_weights=heavy", "train.class_weights"),
        ("cnn1d", "train.label_smoothing=1", "train.label_smoothing"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(scene, tmp_path, model, key, words):
    with pytest.raises(ConfigError) as caught:
        hsi_suite.train(**scene, model=model, settings=["threads=1", key], output=tmp_path / "runs")
    assert words in str(caught.value) and not (tmp_path / "runs").exists()


def test_balanced_batches_are_not_drawn_from_tiles(scene):
    settings = ["train.balanced_batches=true", "train.sampling=tiles"]
    with pytest.raises(ConfigError, match=r"sampling=pixels with train"):
        classification_config(**scene, settings=settings)


def test_no_run_is_renamed_by_the_new_keys(scene):
    today = resolve(classification_config(**scene, settings=SMALL)).model_dump(mode="json")
    new = ("class_weights", "class_weights_beta", "balanced_batches", "label_smoothing")
    before = {k: v for k, v in today["train"].items() if k not in new}
    assert run_identity({**today, "train": before}, {}) == run_identity(today, {})
    names = set()
    for key, value in zip(new, ("balanced", 0.9, True, 0.1), strict=True):
        tree = {**today, "train": {**today["train"], key: value}}
        validate(ClassificationConfig, tree, "a test")
        names.add(run_identity(tree, {}))
    assert len(names) == 4 and run_identity(today, {}) not in names
