"""The search for settings of a classical model: its folds, and its own score beside the test's."""

import json
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
from scenes_samples import small_cube
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

import hsi_suite as hsi
from hsi_suite.data.spatial_folds import pixel_folds
from hsi_suite.data.splits import load_split
from hsi_suite.engine.observer import Observer
from hsi_suite.errors import ConfigError, Stopped
from hsi_suite.models.classical import CLASSICAL
from hsi_suite.runs.training import resume, train
from hsi_suite.seeding import SeedStreams
from hsi_suite.tasks.scenes.configuration import classification_config
from hsi_suite.tasks.scenes.searching import search_folds

pytestmark = pytest.mark.stand_in_pictures

GUARD = 2
SPATIAL = ["train.search=spatial_folds"]
# Each calibration fits five models more, none of which searches.
PLAIN = ["reduction.method=none", "train.calibration=none"]


@pytest.fixture(scope="module")
def scene():
    """Fields, each with spectra of its own, so that neighbours tell more than the class."""
    cube, labels = small_cube(40, 42, bands=10)
    fields = (np.arange(40)[:, None] // 5) * 6 + np.arange(42)[None] // 7
    own = np.random.default_rng(1).normal(0, 900, (fields.max() + 1, 10))
    return (cube + own[fields]).astype(np.float32), labels


def trained(scene, folder, *settings, **more):
    ask = {"model": "svm", "split": "disjoint", "baselines": ["gaussian"], **more}
    settings = [f"split.guard={GUARD}", *PLAIN, *settings]
    return hsi.train(*scene, **ask, settings=settings, output=folder, verbose=0)


@pytest.fixture(scope="module")
def runs(scene, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    return {"random": trained(scene, folder), "spatial": trained(scene, folder, *SPATIAL)}


def parts(run, scene):
    """Training spectra and classes, and their places."""
    train = load_split(run.path / "split.npz").train
    return train, scene[0].reshape(-1, scene[0].shape[2])[train], scene[1].ravel()[train]


def test_the_search_scores_what_scikit_learn_scores_on_the_same_folds(runs, scene):
    for kind, run in runs.items():
        train, spectra, classes = parts(run, scene)
        found = run.metrics["search"]["model"]
        if kind == "spatial":
            folds = pixel_folds(
                train, classes - 1, scene[1].shape, folds=3, guard=GUARD,
                generator=SeedStreams(0, {}).numpy("init", "search"),
            )  # fmt: skip
            place = np.stack(np.divmod(train, scene[1].shape[1]), 1)
            for learnt, tested in folds:
                apart = np.abs(place[learnt][:, None] - place[tested][None]).max(-1)
                assert apart.min() > GUARD
        else:
            seed = SeedStreams(0, {}).seed("init")
            folds = StratifiedKFold(3, shuffle=True, random_state=seed % 2**32)
        svc = make_pipeline(StandardScaler(), SVC(**found["settings"]))
        expected = cross_val_score(svc, spectra, classes, cv=folds).mean()
        assert found["score"] == pytest.approx(expected, abs=1e-3)
        assert (found["folds"], found["number"]) == (kind, 3)
        assert run.metrics["search"]["baselines"]["gaussian"]["folds"] == kind


def test_random_folds_flatter_more_than_spatial_ones(runs):
    scores = {kind: run.metrics["search"]["model"]["score"] for kind, run in runs.items()}
    assert scores["random"] > scores["spatial"] + 0.02


def test_its_own_score_stands_beside_that_of_the_test(runs):
    for kind, run in runs.items():
        text = " ".join((run.path / "report.html").read_text().split())
        assert f"searched on {kind} folds of the training pixels" in text
        assert f"svm, {kind} folds of its search" in text


def test_settings_that_are_given_are_not_searched(scene, tmp_path):
    run = trained(scene, tmp_path, "model.options.C=10", "model.options.gamma=0.01", baselines=[])
    assert "search" not in run.metrics


def test_gaussian_takes_the_folds_it_is_given():
    rng = np.random.default_rng(0)
    spectra, classes = rng.normal(size=(60, 5)), np.repeat([0, 1, 2], 20)
    spectra += classes[:, None]
    model = CLASSICAL["gaussian"](None, 0)
    model.folds = [(np.arange(0, 60, 2), np.arange(1, 60, 2))]
    model.fit(spectra, classes)
    other = CLASSICAL["gaussian"]({"pooling": model.settings["pooling"]}, 0)
    other.fit(spectra, classes)
    assert model.searched.folds == "spatial" and model.searched.number == 1
    assert 0.4 < model.searched.score <= 1 and other.searched is None
    assert np.array_equal(model.predict(spectra), other.predict(spectra))


def test_folds_nobody_searches_on_are_refused(scene, tmp_path):
    with pytest.raises(ConfigError, match=r"train\.search: spatial_folds with lda"):
        trained(scene, tmp_path, *SPATIAL, model="lda", baselines=[])


class Heard(Observer):
    """Keeps what it is told."""

    def __init__(self):
        self.said = []

    def message(self, text):
        self.said.append(text)


@pytest.mark.parametrize(
    ("places", "found", "said"),
    [
        (np.arange(0, 600, 2), True, "leave no folds 24 pixels apart; these are"),
        (np.array([0, 599]), False, "cannot be divided by place; folds are random"),
    ],
)
def test_training_pixels_too_near_for_the_guard_are_told(places, found, said):
    config = classification_config(dataset="synthetic", model="svm", settings=SPATIAL)
    # A single pixel of each class is in no two folds.
    classes = np.where(np.arange(600) < 300, 0, 1) if not found else np.arange(600) // 3 % 2
    split = SimpleNamespace(train=places, guard=24, shape=(20, 30))
    heard = Heard()
    folds = search_folds(config, SimpleNamespace(split=split, classes=classes), heard)
    assert (folds is not None) == found
    assert len(heard.said) == 1 and said in heard.said[0]


@pytest.mark.parametrize("search", ["random", "spatial_folds"])
def test_settings_are_searched_on_spectra_as_they_are(scene, tmp_path, search):
    keys = [f"train.search={search}"]
    copied = [*keys, "train.augmentation={gain: 0.1, fields: 0.5, copies: 2}"]
    one, other = (trained(scene, tmp_path, *each, baselines=[]) for each in (keys, copied))
    assert one.metrics["search"] == other.metrics["search"]
    assert one.metrics["test"] != other.metrics["test"]


class StopAt(Observer):
    """Interrupts at a message."""

    def __init__(self, text):
        self.text = text

    def message(self, text):
        if text.startswith(self.text):
            raise KeyboardInterrupt


def test_the_folds_of_a_cross_validation_search_each_for_itself(scene, tmp_path):
    ask = {
        "model": "svm", "split": "spatial_folds", "settings": [
            "split.folds=3", f"split.guard={GUARD}", *PLAIN, *SPATIAL,
        ],
    }  # fmt: skip
    run = hsi.train(*scene, **ask, output=tmp_path / "a", verbose=0)
    found = run.metrics["search"]["model"]
    own = [json.loads((run.path / f"fold_{n}.json").read_text())["search"] for n in (1, 2, 3)]
    assert found["score"] == pytest.approx(np.mean([each["score"] for each in own]))
    assert found["settings"] == [each["settings"] for each in own]
    np.save(tmp_path / "cube.npy", scene[0])
    np.save(tmp_path / "labels.npy", scene[1])
    files = {"scene": str(tmp_path / "cube.npy"), "labels": str(tmp_path / "labels.npy")}
    config = classification_config(**files, **ask)
    with pytest.raises(Stopped):
        train(config, tmp_path / "b", StopAt("fold 3 of 3"))
    (folder,) = (tmp_path / "b").iterdir()
    assert resume(folder).metrics["search"] == run.metrics["search"]


def test_runs_from_before_facts_were_recorded_open_and_replay(runs, tmp_path):
    run = hsi.Run(tmp_path / runs["random"].path.name)
    shutil.copytree(runs["random"].path.parent, tmp_path, dirs_exist_ok=True)
    path = run.path / "metrics.json"
    old = json.loads(path.read_text())
    del old["search"], old["guard_curve"], old["multiply_adds"]
    path.write_text(json.dumps(old))
    assert hsi.replay(run.path, verbose=0).status == 0
