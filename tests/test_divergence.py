"""Trainings that end in numbers, and have come to nothing: said at the end, for every task."""

import json
import signal
from types import SimpleNamespace

import pytest
from metrics_samples import part, sample_metrics
from scenes_samples import write_scene
from test_trainer import Regression, trainer

from hsi_suite.engine.trainer import Training
from hsi_suite.errors import Stopped
from hsi_suite.reports.batches.verdict import unverified_of
from hsi_suite.reports.denoising.content import denoiser_remarks
from hsi_suite.reports.images.content import image_remarks
from hsi_suite.reports.retrieval.content import retrieval_remarks
from hsi_suite.reports.verdict import verdict

pytestmark = pytest.mark.stand_in_pictures


def optimizer(rate):
    return {"name": "adam", "learning_rate": rate}


def said(remarks, word):
    return [remark.text for remark in remarks if word in remark.text and remark.warning]


def test_a_loss_far_above_the_first_one_is_a_divergence():
    learnt = trainer(optimizer=optimizer(1e-2)).fit()
    assert learnt.first_loss > learnt.history[-1]["train_loss"]
    assert learnt.divergence == {}
    broken = trainer(optimizer=optimizer(1e6)).fit()
    losses = broken.divergence["diverged"]
    assert losses["first_loss"] == learnt.first_loss
    assert losses["last_loss"] == broken.history[-1]["train_loss"] > 1e6


def test_a_kept_epoch_before_the_divergence_is_none():
    history = [{"train_loss": 1.0}, {"train_loss": 1e9}]
    assert Training(history, 1, [], first_loss=2.0).divergence == {}
    assert Training(history, 2, [], first_loss=2.0).divergence
    assert Training([], 0, []).divergence == {}


def test_a_resumed_training_knows_its_first_loss(tmp_path):
    whole = trainer(optimizer=optimizer(1e6)).fit()

    class Stopping(Regression):
        def batch(self, epoch, step):
            if (epoch, step) == (1, 2):
                signal.raise_signal(signal.SIGINT)
            return super().batch(epoch, step)

    with pytest.raises(Stopped):
        trainer(Stopping(), tmp_path / "c.pt", optimizer=optimizer(1e6)).fit()
    again = trainer(checkpoint=tmp_path / "c.pt", optimizer=optimizer(1e6)).fit()
    assert again.divergence == whole.divergence


DIVERGED = {"diverged": {"first_loss": 2.3, "last_loss": 4e30}}


def test_every_task_says_first_that_its_training_diverged():
    figures = {"mean_average_precision": 0.4}
    retrieval = {
        "model": "dscmr",
        "synthetic": True, "dataset": "x", "pair": ["spectrum", "rgb"], "classes": [],
        "split": {"kind": "disjoint"}, "leakage": None, "not_applicable": {}, "thresholds": {},
        "test": {"first_to_second": figures}, "baselines": {"chance": {"first_to_second": figures}},
    }  # fmt: skip
    noise = {"kind": "gaussian", "sigma": [0, 55]}
    denoiser = {
        "model": "dncnn", "dataset": "x", "noise": noise, "validation": {}, "validation_images": 0,
    }  # fmt: skip
    images = {"model": "vgg", "dataset": "x", "split": {"kind": "given", "validation": 0}}
    images["test"] = part("ab", 10, 0.9) | {"num_images": 20}
    for remarks, metrics in (
        (verdict, sample_metrics()),
        (image_remarks, images),
        (denoiser_remarks, denoiser),
        (retrieval_remarks, retrieval),
    ):
        first = remarks(metrics | DIVERGED)[0]
        assert first.warning
        assert first.text.startswith("The training diverged: its loss was 2.3")
        assert "4e+30 in the end. Lower train.optimizer.learning_rate" in first.text
        assert not said(remarks(metrics), "diverged")
    assert said(retrieval_remarks(retrieval), "no better than chance")
    better = retrieval | {"test": {"first_to_second": {"mean_average_precision": 0.5}}}
    assert not said(retrieval_remarks(better), "no better than chance")


def test_classifiers_that_are_right_by_chance_have_learnt_nothing():
    assert said(verdict(sample_metrics(accuracy=0.1)), "it has learnt nothing")
    assert not said(verdict(sample_metrics(accuracy=0.5)), "it has learnt nothing")
    metrics = {"model": "vgg", "dataset": "x", "split": {"kind": "given", "validation": 0}}
    for accuracy, told in ((0.0, True), (0.9, False)):
        metrics["test"] = part("ab", 10, accuracy) | {"num_images": 20}
        assert bool(said(image_remarks(metrics), "it has learnt nothing")) is told


@pytest.mark.parametrize(("ratio", "told"), [(20.0, True), (30.0, False)])
def test_denoisers_that_leave_images_noisy_are_called_so(ratio, told):
    scores = {"peak_signal_noise_ratio": ratio, "structural_similarity": 0.5}
    metrics = {
        "model": "dncnn",
        "dataset": "x",
        "noise": {"kind": "gaussian", "sigma": [0, 55]},
        "validation": {"25": scores, "0": scores},  # 20.17 dB are those of σ 25
        "validation_images": 2,
    }
    assert bool(said(denoiser_remarks(metrics), "no better denoised than noisy")) is told


def test_a_batch_counts_its_diverged_runs():
    groups = [{"name": "good"}, {"name": "bad", "diverged": 2}]
    (remark,) = unverified_of({"groups": groups})
    assert (remark.text, remark.warning) == ("The training diverged in 2 runs of bad.", True)


def test_a_diverged_training_says_so_at_its_end_and_when_it_is_shown_again(hsi, tmp_path):
    options = write_scene(tmp_path)
    small = SimpleNamespace(**options)
    command = ["train", "--scene", small.scene, "--labels", small.labels, "--model", "cnn1d"]
    command += ["--epochs", "2", "--set", "train.optimizer.learning_rate=1e25", "--threads", "1"]
    command += ["--output", str(tmp_path / "runs")]
    for _ in range(2):
        status, out, _ = hsi(*command)
        assert status == 0
        assert "! The training diverged: its loss was" in " ".join(out.split())
    (run,) = (tmp_path / "runs").iterdir()
    assert json.loads((run / "metrics.json").read_text())["diverged"]["last_loss"] > 1e20
    assert "The training diverged" in (run / "report.html").read_text()
