import os
import signal

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from skimage import data as samples

from hsi_suite.engine.observer import Observer
from hsi_suite.errors import ConfigError, InputFileError, RunError, ShapeError, Stopped
from hsi_suite.runs.folder import CHECKPOINT
from hsi_suite.runs.report import write_reports
from hsi_suite.runs.training import resume, train
from hsi_suite.seeding import SeedStreams
from hsi_suite.tasks.denoising.configuration import denoising_config
from hsi_suite.tasks.denoising.denoiser import load_denoiser
from hsi_suite.tasks.denoising.evaluation import with_noise
from hsi_suite.tasks.denoising.preparation import load_training_images, training_task

pytestmark = pytest.mark.stand_in_pictures

SMOKE = "smoke/denoising"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Six crops of a photograph."""
    folder = tmp_path_factory.mktemp("photographs")
    camera = samples.camera()
    for index in range(6):
        corner = 60 * index
        Image.fromarray(camera[corner : corner + 48, 100:140]).save(folder / f"{index}.png")
    return folder


def configured(folder, *settings):
    options = {"folder": str(folder)}
    return denoising_config(
        config=SMOKE, options=options, settings=["data.validation=2", *settings]
    )


def task_of(config, seed=0):
    config = config.model_copy(update={"device": "cpu"})
    return training_task(config, load_training_images(config), SeedStreams(seed))


def weights(run):
    return load_denoiser(run.path / "model.safetensors", torch.device("cpu")).network.state_dict()


def equal(first, second):
    return first.keys() == second.keys() and all(torch.equal(first[k], second[k]) for k in first)


class StopsAfter(Observer):
    """Sends the stop signal of a user after some steps."""

    def __init__(self, steps):
        self.steps = steps

    def advance(self, steps=1, **figures):
        self.steps -= steps
        if self.steps == 0:
            os.kill(os.getpid(), signal.SIGTERM)


@pytest.fixture(scope="module")
def finished(folder, tmp_path_factory):
    return train(configured(folder), tmp_path_factory.mktemp("runs"))


def test_a_run_leaves_everything_in_its_folder(finished, folder):
    left = {path.name for path in finished.path.iterdir()}
    assert left == {
        "config.yaml",
        "cost.json",
        "denoised.png",
        "environment.json",
        "history.csv",
        "learning_curves.png",
        "log.txt",
        "metrics.json",
        "model.safetensors",
        "report.html",
    }
    page = (finished.path / "report.html").read_bytes()
    write_reports(finished.path)
    assert (finished.path / "report.html").read_bytes() == page
    expected = f"{folder.name}_residual-unet_gaussian-0-55_s0_"
    assert finished.path.name.startswith(expected)
    assert len(finished.history) == 2
    assert finished.history[1]["validation_peak_signal_noise_ratio_25"] > 0
    assert finished.metrics["validation"]["25"]["structural_similarity"] < 1
    assert finished.metrics["train_images"] == 4
    with Image.open(finished.path / "denoised.png") as picture:
        assert picture.size[0] > 500


def test_training_goes_on_from_given_weights(finished, folder, tmp_path):
    """Without learning anything it ends where it began; the weights are part of its identity."""
    still = ["train.epochs=1", "train.steps_per_epoch=1", "train.optimizer.learning_rate=1e-30"]
    run = train(configured(folder, f"model.weights={finished.path}", *still), tmp_path)
    begun, ended = weights(finished), weights(run)
    assert all(torch.allclose(begun[name], ended[name], rtol=0, atol=1e-12) for name in begun)
    fresh = train(configured(folder, *still), tmp_path)
    assert not equal(weights(fresh), begun)
    assert fresh.path != run.path
    copied = tmp_path / "elsewhere.safetensors"
    copied.write_bytes((finished.path / "model.safetensors").read_bytes())
    again = train(configured(folder, f"model.weights={copied}", *still), tmp_path)
    assert again.path == run.path


def test_a_folder_takes_the_place_of_the_registered_images(folder):
    config = denoising_config(config="denoising/fine_tune", settings=[f"data.folder={folder}"])
    assert (config.data.images, config.data.folder) == (None, str(folder))
    assert config.model.weights == "default_denoiser"
    both = {"options": {"folder": str(folder)}, "settings": ["data.images=set12"]}
    with pytest.raises(ConfigError, match="do not fit together"):
        denoising_config(config="denoising/fine_tune", **both)


def test_weights_to_go_on_from_must_be_of_the_same_network(finished, folder, tmp_path):
    wrong = configured(folder, f"model.weights={finished.path}", "model.options.channels=[4,4]")
    with pytest.raises(ConfigError, match=r"model\.weights: .* has options"):
        train(wrong, tmp_path)
    with pytest.raises(InputFileError, match="no such file"):
        train(configured(folder, "model.weights=missing.safetensors"), tmp_path)
    assert not list(tmp_path.iterdir())


BLIND = (
    "data.colour=rgb",
    "noise.kind=camera",
    "noise.validation=[400]",
    "model.options={channels: [8, 16], blocks: 1, noise_map: false, offset: true}",
)


def test_a_colour_training_begins_from_grey_weights(finished, folder, tmp_path):
    still = ["train.epochs=1", "train.steps_per_epoch=1", "train.optimizer.learning_rate=1e-30"]
    given = f"model.grey_weights={finished.path}"
    run = train(configured(folder, *BLIND, given, *still), tmp_path)
    begun, ended = weights(finished), weights(run)
    name = "bottom.0.body.0.conv.weight"
    assert torch.allclose(begun[name], ended[name], rtol=0, atol=1e-12)
    assert ended["head.conv.bias"].shape == ended["head.conv.weight"].shape[:1]


def test_a_guided_training_keeps_the_grey_weights(finished, folder, tmp_path):
    given = f"model.grey_weights={finished.path}"
    settings = ("model.name=guided_unet", "data.colour=rgb", given)
    run = train(configured(folder, *settings), tmp_path)
    begun, ended = weights(finished), weights(run)
    assert all(torch.equal(ended[f"brightness.{name}"], value) for name, value in begun.items())
    assert not all(torch.equal(ended[f"colour.{name}"], begun[name]) for name in begun)
    # Without such weights both are trained.
    free = train(configured(folder, *settings[:2]), tmp_path)
    again = train(configured(folder, *settings[:2], "train.epochs=1"), tmp_path)
    name = "brightness.bottom.0.body.0.conv.weight"
    assert not torch.equal(weights(free)[name], weights(again)[name])


def test_a_refined_training_keeps_its_first_part(finished, folder, tmp_path):
    short = ("train.epochs=1", "train.steps_per_epoch=1")
    blind = train(configured(folder, *BLIND, *short), tmp_path)
    grey = f"model.grey_weights={finished.path}"
    guided = train(
        configured(folder, "model.name=guided_unet", "data.colour=rgb", grey, *short),
        tmp_path,
    )
    settings = (
        *BLIND[:-1],
        *short,
        "model.name=refined_unet",
        f"model.guided_weights={guided.path}",
    )
    run = train(configured(folder, *settings, f"model.blind_weights={blind.path}"), tmp_path)
    begun, ended = weights(blind), weights(run)
    assert all(torch.equal(ended[f"first.{name}"], value) for name, value in begun.items())
    name = "bottom.0.body.0.conv.weight"
    assert not torch.equal(ended[f"second.{name}"], weights(guided)[f"colour.{name}"])
    # The first part of another refined_unet serves as well.
    again = train(configured(folder, *settings, f"model.blind_weights={run.path}"), tmp_path)
    assert equal(weights(again), ended)
    good = f"model.blind_weights={run.path}"
    for wrong, named in (
        ((*settings, f"model.blind_weights={finished.path}"), "blind_weights: .* has options"),
        (settings, "model.blind_weights and model.guided_weights together"),
        ((*settings, good, grey), "either model.weights or"),
        ((*BLIND, settings[-1], good), "given for residual_unet"),
    ):
        with pytest.raises(ConfigError, match=named):
            train(configured(folder, *wrong), tmp_path)


def test_grey_weights_need_a_colour_network(finished, folder, tmp_path):
    given = f"model.grey_weights={finished.path}"
    for settings, named in (
        ((), "guided_unet, or a blind residual_unet"),
        ((f"model.weights={finished.path}",), "either model.weights or"),
        ((*BLIND, "model.options.channels=[4,4]"), "has options"),
        (("model.name=dncnn", "model.options=null"), "has options"),
    ):
        with pytest.raises(ConfigError, match=named):
            train(configured(folder, given, *settings), tmp_path)
    assert not list(tmp_path.iterdir())


def test_metrics_are_those_of_the_saved_file(finished):
    last = finished.history[-1]
    for sigma, scores in finished.metrics["validation"].items():
        name = f"validation_peak_signal_noise_ratio_{sigma}"
        assert scores["peak_signal_noise_ratio"] == pytest.approx(last[name], abs=1e-9)


def test_two_runs_are_bitwise_equal(finished, folder, tmp_path):
    again = train(configured(folder), tmp_path)
    assert equal(weights(finished), weights(again))
    assert (again.path / "metrics.json").read_bytes() == (
        finished.path / "metrics.json"
    ).read_bytes()
    assert (again.path / "history.csv").read_bytes() == (finished.path / "history.csv").read_bytes()


def test_another_seed_gives_another_run(finished, folder, tmp_path):
    config = denoising_config(
        config=SMOKE,
        options={"folder": str(folder), "seed": 1, "epochs": 1},
        settings=["data.validation=2"],
    )
    other = train(config, tmp_path)
    assert not equal(weights(finished), weights(other))


def test_a_stopped_run_continues_to_the_same_bits(finished, folder, tmp_path):
    for steps in (2, 3):
        with pytest.raises(Stopped, match="hsi train --resume"):
            train(configured(folder), tmp_path, StopsAfter(steps))
    (path,) = tmp_path.iterdir()
    assert (path / CHECKPOINT).exists()
    run = resume(path)
    assert run.finished
    assert equal(weights(finished), weights(run))
    assert run.history == finished.history


def test_resuming_with_other_images_is_refused(folder, tmp_path):
    own = tmp_path / "own"
    own.mkdir()
    for path in folder.iterdir():
        (own / path.name).write_bytes(path.read_bytes())
    with pytest.raises(Stopped):
        train(configured(own), tmp_path / "runs", StopsAfter(1))
    Image.fromarray(np.zeros((40, 40), np.uint8)).save(own / "0.png")
    (path,) = (tmp_path / "runs").iterdir()
    with pytest.raises(RunError, match="have changed since this run began"):
        resume(path)


def test_a_finished_run_is_left_alone(finished, folder):
    before = (finished.path / "metrics.json").stat().st_mtime_ns
    assert train(configured(folder), finished.path.parent).path == finished.path
    assert (finished.path / "metrics.json").stat().st_mtime_ns == before


@pytest.mark.parametrize("setting", ["train.precision=fp32", "train.average=null"])
def test_precision_and_average_change_the_result(finished, folder, tmp_path, setting):
    assert finished.config["train"]["precision"] == "bf16"
    assert finished.config["train"]["average"] == 0.999
    assert not equal(weights(finished), weights(train(configured(folder, setting), tmp_path)))


def test_training_improves_the_validation_score(folder, tmp_path):
    run = train(
        configured(
            folder,
            "train.steps_per_epoch=40",
            "train.schedule.warmup=5",
            "noise.validation=[25.0]",
        ),
        tmp_path,
    )
    scores = run.metrics["validation"]["25"]
    assert scores["peak_signal_noise_ratio"] > scores["noisy_peak_signal_noise_ratio"] + 1
    first, last = run.history
    name = "validation_peak_signal_noise_ratio"
    assert last[name] > first[name]


def test_validation_images_are_not_trained_on(folder):
    config = configured(folder)
    task = task_of(config)
    assert len(task.train) == 4
    assert len(task.validation) == 2
    everything = load_training_images(config).images
    used = [*task.train, *task.validation]
    assert sorted(image.tobytes() for image in used) == sorted(i.tobytes() for i in everything)
    train_bytes = {image.tobytes() for image in task.train}
    assert not train_bytes & {image.tobytes() for image in task.validation}
    other = task_of(config, seed=3)
    assert {i.tobytes() for i in other.validation} != {i.tobytes() for i in task.validation}


def test_batches_are_functions_of_epoch_and_step(folder):
    task, again = task_of(configured(folder)), task_of(configured(folder))
    task.batch(0, 0)
    for place in ((1, 2), (0, 1)):
        assert all(
            torch.equal(a, b) for a, b in zip(task.batch(*place), again.batch(*place), strict=True)
        )
    assert not torch.equal(task.batch(0, 1)[2], task.batch(1, 1)[2])
    assert not torch.equal(task.batch(0, 1)[0], task.batch(0, 2)[0])


def test_colour_images_are_scored_and_trained_on(tmp_path):
    folder = tmp_path / "colour"
    folder.mkdir()
    for index in range(3):
        crop = samples.astronaut()[60 * index : 60 * index + 40, 200:240]
        Image.fromarray(crop).save(folder / f"{index}.png")
    run = train(
        denoising_config(
            config=SMOKE,
            options={"folder": str(folder), "epochs": 1},
            settings=["data.colour=rgb", "data.validation=1"],
        ),
        tmp_path / "runs",
    )
    denoiser = load_denoiser(run.path / "model.safetensors", torch.device("cpu"))
    assert denoiser.header.in_channels == 3
    image = samples.astronaut()[:33, :41]
    restored = denoiser(torch.from_numpy(with_noise(image, 0, sigma=25)), 25 / 255)
    assert restored.shape == (1, 3, 33, 41)
    with pytest.raises(ShapeError, match="N × 3"):
        denoiser(torch.zeros(1, 1, 8, 8), 0.1)


def test_dncnn_trains_through_the_same_loop(folder, tmp_path):
    path = tmp_path / "dncnn.yaml"
    path.write_text(
        "extends: denoising/dncnn_s_25\n"
        f"data: {{images: null, folder: {folder}, validation: 1}}\n"
        "model: {options: {depth: 3, width: 4}}\n"
        "train: {epochs: 1, steps_per_epoch: 2, batch_size: 2, patch: 16}\n"
        "threads: 1\n"
    )
    run = train(denoising_config(config=str(path)), tmp_path)
    assert "dncnn_gaussian-25_s0" in run.path.name
    assert list(run.metrics["validation"]) == ["25"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["noise.sigma=[30.0, 10.0]"], "lowest, highest"),
        (["noise.sigma=[-1.0, 10.0]"], "greater than or equal to 0"),
        (["data.validation=0", "train.selection=best"], "data.validation above 0"),
        (["data.images=set12"], "either data.images"),
        (["train.stepsperepoch=1"], "steps_per_epoch"),
        (["model.name=unet"], "residual_unet"),
        (["model.name=dncnn", "model.options.blocks=1"], "unknown option of dncnn"),
        (["model.name=hybridsn"], "is for classification"),
        (["data.validation=6"], "6 of 6 images"),
        (["train.patch=64"], "40 pixels wide or high"),
    ],
)
def test_configurations_that_cannot_be_are_refused(folder, tmp_path, settings, message):
    with pytest.raises((ConfigError, ShapeError), match=message) as caught:
        train(configured(folder, *settings), tmp_path)
    assert "\n" not in str(caught.value)
    assert not any(tmp_path.iterdir())


def test_unknown_options_are_refused():
    with pytest.raises(ConfigError, match="no option of a denoiser's training"):
        denoising_config(config=SMOKE, options={"scene": "cube.npy"})


def test_a_folder_without_images_is_refused(tmp_path):
    with pytest.raises(InputFileError, match="holds no images"):
        train(configured(tmp_path), tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


def test_files_that_hold_no_denoiser_are_refused(finished, tmp_path):
    whole = (finished.path / "model.safetensors").read_bytes()
    cpu = torch.device("cpu")
    path = tmp_path / "model.safetensors"
    for content in (b"", whole[:100], whole[: len(whole) // 2], b"\xff" * 64):
        path.write_bytes(content)
        with pytest.raises(RunError):
            load_denoiser(path, cpu)
    save_file({"a": torch.zeros(1)}, path, {"format": "something else"})
    with pytest.raises(RunError, match="holds"):
        load_denoiser(path, cpu)
    save_file({"a": torch.zeros(1)}, path, {"header": '{"format": "hsi_suite denoiser 1"}'})
    with pytest.raises(RunError, match="do not fit"):
        load_denoiser(path, cpu)
    with pytest.raises(RunError):
        load_denoiser(tmp_path / "absent.safetensors", cpu)


def test_shipped_configurations_are_valid():
    for name in ("default_denoiser", "dncnn_s_25", "dncnn_b", "cdncnn_b"):
        config = denoising_config(config=f"denoising/{name}")
        assert config.data.validation == 20
        assert config.model.name == ("dncnn" if "dncnn" in name else "residual_unet")
