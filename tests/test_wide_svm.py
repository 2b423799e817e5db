"""The support vector machine for fields that training has not seen."""

import numpy as np
import pytest
import torch
from scenes_samples import write_scene
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

import hsi_suite as hsi
from hsi_suite.models.classical import CLASSICAL
from hsi_suite.runs.evaluation import evaluate
from hsi_suite.runs.folder import MODEL
from hsi_suite.tasks.scenes.classifier_loading import load_classifier

pytestmark = pytest.mark.stand_in_pictures


def spectra():
    generator = np.random.default_rng(0)
    classes = np.repeat([0, 2, 5], [60, 15, 30])
    centres = generator.normal(size=(6, 8))
    return (centres[classes] + generator.normal(size=(105, 8))).astype(np.float32), classes


def by_hand(values, classes, weights):
    machine = SVC(C=100, gamma=1 / 32, class_weight=weights)
    return make_pipeline(StandardScaler(), machine).fit(values, classes)


def test_it_is_scikit_learns_with_a_wide_kernel_and_rooted_weights():
    values, classes = spectra()
    model = CLASSICAL["wide_svm"](None, 0)
    model.fit(values, classes)
    assert model.settings == {"C": 100.0, "gamma": 1 / 32}
    roots = {0: (35 / 60) ** 0.5, 2: (35 / 15) ** 0.5, 5: (35 / 30) ** 0.5}
    asked = values + 0.7 * np.random.default_rng(1).normal(size=values.shape)
    expected = by_hand(values, classes, roots).predict(asked)
    assert np.array_equal(model.predict(asked), expected)
    # Weights that are given take the place of these.
    given = CLASSICAL["wide_svm"](None, 0, 1, {0: 1.0, 2: 9.0, 5: 1.0})
    given.fit(values, classes)
    expected = by_hand(values, classes, {0: 1.0, 2: 9.0, 5: 1.0}).predict(asked)
    assert np.array_equal(given.predict(asked), expected)
    assert not np.array_equal(expected, model.predict(asked))


def test_the_shipped_configuration_trains_is_loaded_and_evaluated(tmp_path):
    files = write_scene(tmp_path)
    keys = ["threads=1", "split.guard=2"]
    run = hsi.train(**files, config="classification/wide_svm", settings=keys, output=tmp_path / "r")
    assert run.config["train"]["augmentation"] == {
        "flips": False, "rotations": False, "gain": 0.1, "noise": 0.0, "fields": 1.0, "copies": 3,
        "others": {},
    }  # fmt: skip
    classifier = load_classifier(run.path / MODEL, torch.device("cpu"))
    assert classifier.header.window == 3 and classifier.header.likeness > 0
    bands = classifier.reduction.components
    assert classifier.header.options == {"C": 100.0, "gamma": pytest.approx(0.25 / bands)}
    assert evaluate(run.path)["equal"]
