import copy
import io
import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from denoiser_samples import box_filter, small_unet
from PIL import Image
from rich.console import Console
from skimage import data as samples

import hsi_suite
from hsi_suite.data.images import IMAGE_SETS, read_folder
from hsi_suite.data.public.image_sets import locate_images
from hsi_suite.errors import ConfigError, InputFileError, RunError
from hsi_suite.reports.denoising.content import denoiser_scores_blocks
from hsi_suite.reports.terminal import terminal
from hsi_suite.runs.training import train
from hsi_suite.tasks.denoising.configuration import denoising_config
from hsi_suite.tasks.denoising.preparation import (
    load_training_images,
    training_task,
    validation_images,
)
from hsi_suite.tasks.denoising.scores import _published, evaluate_weights


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photographs")
    camera = samples.camera()
    for index in range(4):
        corner = 60 * index
        Image.fromarray(camera[corner : corner + 48, 100:140]).save(folder / f"{index}.png")
    return folder


@pytest.fixture(scope="module")
def scores(folder, tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "box.safetensors"
    box_filter().save(path)
    return evaluate_weights(path, folder, sigmas=[15, 50], device="cpu", threads=1)


def row(scores, method):
    return next(row for row in scores["methods"] if row["method"] == method)["scores"]


def test_methods_stand_beside_each_other(scores, folder):
    assert [r["method"] for r in scores["methods"]] == [
        "noisy",
        "wavelet (BayesShrink)",
        "non-local means",
        "box.safetensors",
        "box.safetensors, σ estimated",
    ]
    assert scores["images"] == 4 and scores["data"] == folder.name
    noisy = row(scores, "noisy")
    assert noisy["50"]["peak_signal_noise_ratio"] == pytest.approx(
        -20 * np.log10(50 / 255), abs=0.1
    )
    wavelet = row(scores, "wavelet (BayesShrink)")
    gain = wavelet["50"]["peak_signal_noise_ratio"] - noisy["50"]["peak_signal_noise_ratio"]
    assert gain > 5
    # The box filter does not look at σ.
    assert row(scores, "box.safetensors") == row(scores, "box.safetensors, σ estimated")
    json.dumps(scores, allow_nan=False)


def test_published_figures_only_beside_their_own_images(scores, folder, tmp_path):
    assert not any(r["kind"] == "published" for r in scores["methods"])
    images = read_folder(folder)
    (only,) = _published(replace(images, sha256=IMAGE_SETS["set12"].sha256))
    assert only["scores"]["25"] == {"peak_signal_noise_ratio": 30.44}
    shutil.copytree(folder, tmp_path / "Set12")
    assert not _published(read_folder(tmp_path / "Set12"))


def test_the_files_of_set12_are_known_by_any_name(data_dir, tmp_path):
    shutil.copytree(locate_images("set12").path, tmp_path / "photos")
    assert len(_published(read_folder(tmp_path / "photos"))) == 1


def test_the_table_shows_every_method(scores):
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(terminal(denoiser_scores_blocks(scores)))
    text = console.export_text()
    assert "non-local means" in text and "σ 15" in text and "σ 50" in text
    value = row(scores, "noisy")["15"]["peak_signal_noise_ratio"]
    assert f"{value:.2f} / " in text


def test_many_sigmas_fit_into_a_terminal_and_the_least_gain_is_said(scores):
    one = scores["methods"][-1]["scores"]["15"]
    wide = copy.deepcopy(scores) | {"sigmas": [3.0, 5.0, 10.0, 15.0, 25.0, 50.0]}
    for each in wide["methods"]:
        each["scores"] = {f"{sigma:g}": one for sigma in wide["sigmas"]}
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(terminal(denoiser_scores_blocks(wide)))
    text = console.export_text()
    assert "…" not in text and f"{one['peak_signal_noise_ratio']:.2f}" in text
    assert f"the least that an image gains is {one['smallest_gain']:+.2f} dB" in text
    noisy = -20 * np.log10(15 / 255)
    assert one["smallest_gain"] <= one["peak_signal_noise_ratio"] - noisy + 0.1


def test_the_validation_images_are_those_that_training_sets_aside(folder):
    config = denoising_config(
        config="smoke/denoising",
        options={"folder": str(folder), "device": "cpu"},
        settings=["data.validation=2"],
    )
    images = load_training_images(config)
    apart = validation_images(config, images)
    task = training_task(config, images, config.streams)
    assert len(apart) == 2 and "validation" in apart.name
    assert all(np.array_equal(a, b) for a, b in zip(apart.images, task.validation, strict=True))
    none = denoising_config(
        config="smoke/denoising", options={"folder": str(folder)}, settings=["data.validation=0"]
    )
    with pytest.raises(ConfigError, match=r"data\.validation"):
        validation_images(none, images)


def test_bad_questions(folder, tmp_path):
    box_filter().save(tmp_path / "box.safetensors")
    with pytest.raises(ConfigError, match="--sigma"):
        evaluate_weights(tmp_path / "box.safetensors", folder, sigmas=[-1])
    with pytest.raises(InputFileError, match="no such folder"):
        evaluate_weights(tmp_path / "box.safetensors", tmp_path / "none")


def test_a_run_of_a_denoiser_is_evaluated_again(folder, tmp_path):
    config = denoising_config(
        config="smoke/denoising",
        options={"folder": str(folder), "epochs": 1},
        settings=["data.validation=2"],
    )
    run = train(config, tmp_path)
    result = hsi_suite.evaluate(run.path)
    assert result.equal and result.scores == run.metrics["validation"]
    with pytest.raises(ConfigError, match="dropout-at-test"):
        hsi_suite.evaluate(run.path, dropout_at_test=True)
    small_unet().save(run.path / "model.safetensors")
    assert not hsi_suite.evaluate(run.path).equal
    (run.path / "metrics.json").unlink()
    with pytest.raises(RunError, match="not finished"):
        hsi_suite.evaluate(run.path)


@pytest.mark.data
@pytest.mark.parametrize("name", ["kair_dncnn_25.pth", "saoyan_dncnn_s_25.pth"])
def test_public_weights_are_far_better_than_the_classical_methods(data_dir, name, tmp_path):
    # Two crops: the whole of Set12, whose published score they reach, takes a minute.
    for index in (1, 5):
        with Image.open(data_dir / f"denoising/Set12/{index:02}.png") as image:
            image.crop((64, 64, 160, 160)).save(tmp_path / f"{index:02}.png")
    weights = data_dir / "checkpoints" / name
    scores = evaluate_weights(weights, tmp_path, sigmas=[25], device="cpu", threads=1)
    reached = row(scores, name)["25"]["peak_signal_noise_ratio"]
    assert reached > row(scores, "non-local means")["25"]["peak_signal_noise_ratio"] + 1.5
