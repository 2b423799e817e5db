"""`--dropout-at-test` turns dropout layers on and nothing else."""

import numpy as np
import pytest
import torch
from torch import nn

from hsi_suite.data.reduction import Reduction
from hsi_suite.models.dropout import dropout_layers
from hsi_suite.tasks.scenes.classifier import Header
from hsi_suite.tasks.scenes.network_classifier import NetworkClassifier


class Normed(nn.Module):
    """A batch norm, dropout of a kind, and class scores of single spectra."""

    def __init__(self, dropout):
        super().__init__()
        self.norm, self.dropout = nn.BatchNorm2d(4), dropout
        self.norm.running_mean += 3
        self.modes = set()

    def forward(self, windows):
        self.modes.add((self.norm.training, self.dropout.training))
        return self.dropout(self.norm(windows)).mean((2, 3))


def classifier_of(dropout):
    header = Header("normed", {}, 1, [1, 2, 3, 4], list("abcd"), 4, None, "none", False)
    reduction = Reduction(np.zeros(4), np.eye(4), np.ones(4) / 4)
    return NetworkClassifier(header, reduction, Normed(dropout).eval())


@pytest.mark.parametrize("dropout", [nn.Dropout(0.5), nn.Dropout2d(0.5), nn.AlphaDropout(0.5)])
def test_batch_norms_keep_their_statistics(monkeypatch, dropout):
    classifier = classifier_of(dropout)
    monkeypatch.setattr(NetworkClassifier, "device", torch.device("cpu"))
    cube = np.random.default_rng(0).normal(size=(6, 7, 4)).astype(np.float32)
    before = classifier.network.norm.running_mean.clone()
    plain = classifier.probabilities(cube, None)
    dropped = classifier.probabilities(cube, None, dropout_seed=1)
    assert classifier.network.modes == {(False, False), (False, True)}
    assert torch.equal(classifier.network.norm.running_mean, before)
    assert not np.array_equal(plain, dropped) and classifier.has_dropout
    assert not any(layer.training for layer in classifier.network.modules())


def test_without_dropout_layers_nothing_changes_and_it_is_said(hsi, tmp_path):
    from task_samples import training

    settings = [
        "model.name=resnet_20",
        "model.window=9",
        "model.options={}",
        "evaluation.dropout_at_test=true",
    ]
    arguments = training("classification", tmp_path, *settings, epochs=1)
    status, _, err = hsi(*arguments, "--output", tmp_path / "runs")
    assert status == 0 and "resnet_20 has no dropout" in err
    [run] = (tmp_path / "runs").iterdir()
    assert "dropout_at_test" not in (run / "metrics.json").read_text()
    status, _, err = hsi("evaluate", run, "--dropout-at-test")
    assert status == 2 and "resnet_20 has no dropout layers" in err


def test_a_dropout_of_zero_is_none():
    assert not dropout_layers(nn.Sequential(nn.Dropout(0.0), nn.BatchNorm1d(3)))
