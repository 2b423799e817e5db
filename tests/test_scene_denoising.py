"""A scene denoised before a classifier learns from it."""

import numpy as np
import pytest
import torch

from hsi_suite.data.scene import Scene
from hsi_suite.data.synthetic import generate_scene
from hsi_suite.engine.observer import Observer
from hsi_suite.errors import RunError
from hsi_suite.reports.verdict import verdict
from hsi_suite.runs.training import train
from hsi_suite.tasks.scenes.configuration import classification_config, resolve
from hsi_suite.tasks.scenes.denoising import denoise_scene
from hsi_suite.tasks.scenes.prediction import predict
from hsi_suite.tasks.scenes.preparation import prepare

pytestmark = pytest.mark.stand_in_pictures

DENOISE = "preprocess.denoise=true"


class Listener(Observer):
    def __init__(self):
        self.said = []

    def message(self, text):
        self.said.append(text)


def rough(scene):
    """The cube with noise as strong as each band's spread."""
    clean = scene.cube.astype(np.float32)
    spread = clean.std((0, 1))
    noise = np.random.default_rng(0).standard_normal(clean.shape, np.float32)
    return clean, clean + noise * spread


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scene")
    scene = generate_scene("synthetic")
    np.save(folder / "rough.npy", rough(scene)[1])
    np.save(folder / "labels.npy", scene.labels)
    return {"scene": str(folder / "rough.npy"), "labels": str(folder / "labels.npy")}


def config(files, *settings):
    options = {**files, "threads": 1, "device": "cpu"}
    given = ("model.options={C: 100, gamma: 0.01}", *settings)
    return classification_config(model="svm", settings=given, **options)


def test_the_noise_goes_and_the_labels_are_not_looked_at():
    scene = generate_scene("synthetic")
    clean, noisy = rough(scene)
    unlabelled = Scene("rough", noisy, wavelengths=scene.wavelengths)
    said = Listener()
    restored, done = denoise_scene(unlabelled, torch.device("cpu"), said)
    errors = [float(np.mean((cube - clean) ** 2)) for cube in (noisy, restored.cube)]
    assert errors[1] < errors[0] / 10
    assert done.relative_noise == pytest.approx(0.5**0.5, abs=0.03) and done.dead_bands == 0
    assert restored.wavelengths is scene.wavelengths and said.said
    assert "eigen-images" in str(done) and list(done.checksums) == ["default_denoiser.safetensors"]


def test_preparation_denoises_only_when_told_and_keeps_the_split(files):
    plain, denoised = (
        prepare(resolve(config(files, *settings)), Observer()) for settings in ((), (DENOISE,))
    )
    assert plain.denoising is None and denoised.denoising is not None
    assert np.array_equal(plain.split.train, denoised.split.train)
    assert denoised.checksums.keys() - plain.checksums.keys() == {"default_denoiser.safetensors"}


def test_components_beyond_the_rank_are_zero(files):
    settings = ("reduction={method: pca, components: 30, whiten: true, fit_on: scene}",)
    prepared = prepare(resolve(config(files, DENOISE, *settings)), Observer())
    rank = prepared.denoising.rank
    reduced = prepared.reduction.apply(prepared.scene.cube)
    assert 0 < rank < 30 and reduced.shape[2] == 30
    assert np.allclose(reduced[..., :rank].std((0, 1)), 1, atol=1e-2)
    assert not reduced[..., rank:].any()


def test_a_run_says_that_its_scene_was_denoised_and_gains(files, tmp_path):
    plain = train(config(files), tmp_path)
    denoised = train(config(files, DENOISE), tmp_path)
    assert plain.path != denoised.path and "denoising" not in plain.metrics
    assert denoised.metrics["denoising"]["weights"] == "default_denoiser"
    gain = denoised.metrics["test"]["overall_accuracy"] - plain.metrics["test"]["overall_accuracy"]
    assert gain > 0.05
    assert "denoised with default_denoiser" in (denoised.path / "log.txt").read_text()
    assert "denoised first" in (denoised.path / "report.html").read_text()
    remarks = [remark.text for remark in verdict(denoised.metrics)]
    assert any("No label was used" in text for text in remarks)
    assert train(config(files, DENOISE), tmp_path).path == denoised.path


def test_prediction_denoises_as_training_did(files, tmp_path):
    run = train(config(files, DENOISE), tmp_path / "runs")
    plain = train(config(files), tmp_path / "runs")
    said = Listener()
    options = {"scene": files["scene"], "threads": 1, "device": "cpu", "observer": said}
    found = predict([run.path], tmp_path / "map.npy", **options)
    assert np.array_equal(found.labels, run.label_map)
    assert any("denoising" in text for text in said.said)
    with pytest.raises(RunError, match="denoised"):
        predict([run.path, plain.path], tmp_path / "both.npy", **options)
