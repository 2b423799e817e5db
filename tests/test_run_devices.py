"""Runs made on a GPU are evaluated, continued and replayed on machines without one."""

import json
import os
import re
import shutil
import signal

import pytest
import torch
from pretended_gpu import pretended_gpu
from safetensors.torch import load_file
from task_samples import TASKS, finished_runs, training

from hsi_suite.engine.checkpoint import load_checkpoint, save_checkpoint
from hsi_suite.engine.determinism import Watch
from hsi_suite.engine.observer import Observer
from hsi_suite.environment import device_text
from hsi_suite.errors import Stopped
from hsi_suite.runs import launch
from hsi_suite.runs.evaluation import evaluate
from hsi_suite.runs.folder import CHECKPOINT, CONFIG, ENVIRONMENT, LOG, METRICS, MODEL, Run
from hsi_suite.runs.identity import run_identity

pytestmark = [
    pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU"),
    pytest.mark.stand_in_pictures,
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("devices")


@pytest.fixture(scope="module")
def watch():
    """Sees the operations of the trainings."""
    return Watch()


@pytest.fixture(scope="module")
def runs(folder, watch):
    with watch:
        return finished_runs(folder)


def test_a_dry_run_of_every_task_finds_no_operation_that_a_gpu_refuses(runs, watch):
    assert [str(finding) for finding in watch.findings] == []
    assert watch.explained == ["nll_loss_forward"]
    assert {"convolution_backward", "native_batch_norm_backward", "embedding"} <= watch.seen.keys()


def as_if_of_a_gpu(run, target, precision="fp32"):
    """A copy of a run's folder that says it was made with cuda:0, perhaps in another precision."""
    shutil.copytree(run, target)
    text = (target / CONFIG).read_text()
    assert text.count("device: cpu\n") == 1
    text = text.replace("device: cpu\n", "device: cuda:0\n")
    text = text.replace("precision: fp32\n", f"precision: {precision}\n")
    (target / CONFIG).write_text(text)
    facts = json.loads((target / ENVIRONMENT).read_text())
    before = facts["identity"]
    facts |= {"device": "cuda:0", "identity": run_identity(Run(target).config, facts["data"])}
    (target / ENVIRONMENT).write_text(json.dumps(facts))
    if (target / CHECKPOINT).exists():
        state = load_checkpoint(target / CHECKPOINT, before)
        save_checkpoint(target / CHECKPOINT, state, facts["identity"])
    return target


@pytest.mark.parametrize("task", TASKS)
def test_evaluation(hsi, runs, tmp_path, task):
    run = as_if_of_a_gpu(runs[task], tmp_path / "run")
    status, _, err = hsi("evaluate", run)
    assert status == 2 and "cuda:0" in err and "--device" in err
    for device in ("cpu", "auto"):
        status, out, err = hsi("evaluate", run, "--device", device)
        assert status == 0 and "equal to the stored scores" in out, err


def test_a_precision_of_gpus_is_fp32_here_and_that_is_said(hsi, runs, tmp_path):
    run = as_if_of_a_gpu(runs["classification"], tmp_path / "run", "fp16")
    status, out, err = hsi("evaluate", run, "--device", "cpu")
    assert status == 0 and "equal to the stored scores" in out, err
    assert "evaluation.precision=fp16 is of CUDA devices; cpu computes in fp32" in out + err
    status, out, err = hsi("replay", run, "--device", "cpu")
    assert status == 0 and "identical" in out, err


@pytest.mark.parametrize("section", ["train", "evaluation"])
def test_a_precision_of_gpus_is_refused_here_before_anything_is_written(
    hsi, folder, tmp_path, section
):
    words = training("classification", folder, f"{section}.precision=tf32")
    status, _, err = hsi(*words, "--output", tmp_path / "runs")
    assert status == 2 and f"{section}.precision: tf32 on cpu" in err
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("task", TASKS)
def test_rounding_is_noted_and_another_model_is_not_rounding(hsi, runs, tmp_path, task):
    run = as_if_of_a_gpu(runs[task], tmp_path / "run")
    for change, expected in ((1e-4, 0), (0.3, 2)):
        metrics = json.loads((runs[task] / METRICS).read_text())
        part = metrics["validation" if task == "denoising" else "test"]
        while not any(isinstance(value, float) for value in part.values()):
            part = next(iter(part.values()))
        for name, value in part.items():
            if isinstance(value, float):
                part[name] = value * (1 + change) + change
        (run / METRICS).write_text(json.dumps(metrics))
        status, out, err = hsi("evaluate", run, "--device", "cpu")
        assert status == expected, err
        assert ("rounding differs" in out) == (expected == 0)
    # On the run's own device nothing may differ.
    shutil.copy(run / METRICS, runs[task] / "changed.json")
    (tmp_path / "own").mkdir()
    own = shutil.copytree(runs[task], tmp_path / "own" / "run")
    (own / "changed.json").replace(own / METRICS)
    assert hsi("evaluate", own)[0] == 2


def test_which_devices_are_alike():
    assert device_text("cpu", None) == device_text("cpu", "a CPU") == "cpu"
    assert device_text("cuda:0", "T4") == device_text("cuda:3", "T4") == "cuda (T4)"
    assert device_text("cuda:0", "T4") != device_text("cuda:0", "H100")


class StopsAfter(Observer):
    def __init__(self, steps):
        self.left = steps

    def advance(self, steps=1, **figures):
        self.left -= steps
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGHUP)


def begun_and_stopped(task, folder, place):
    words = training(task, folder)
    settings = [words[place + 1] for place, word in enumerate(words) if word == "--set"]
    named = dict(zip(words[1::2], words[2::2], strict=True))
    options = {word.lstrip("-"): str(named[word]) for word in named if word != "--set"}
    config = launch.configure(settings=settings, **options)
    with pytest.raises(Stopped):
        launch.start(config, place, StopsAfter(3))
    [begun] = place.iterdir()
    return begun


@pytest.mark.parametrize("task", TASKS)
def test_an_interrupted_run_goes_on(hsi, runs, folder, tmp_path, task):
    begun = begun_and_stopped(task, folder, tmp_path / "begun")
    run = as_if_of_a_gpu(begun, tmp_path / "run")
    assert hsi("train", "--resume", run)[0] == 2
    status, _, err = hsi("train", "--resume", run, "--device", "cpu")
    assert status == 0, err
    assert "begun on cuda:0, going on with cpu" in (run / LOG).read_text()
    assert Run(run).config["device"] == "cuda:0"
    one, other = (load_file(each / MODEL) for each in (run, runs[task]))
    assert all(torch.equal(one[name], other[name]) for name in other)


@pytest.mark.parametrize("task", TASKS)
def test_a_gpu_judges_what_was_made_without_one(runs, monkeypatch, task):
    with pretended_gpu(monkeypatch) as gpu:
        found = evaluate(runs[task], device="cuda")
    assert gpu.count and found["moved"] == ["cpu", "cuda (a pretended GPU)"]


@pytest.mark.parametrize("task", ["classification", "denoising"])
def test_a_gpu_goes_on_with_what_was_begun_without_one(
    hsi, runs, folder, tmp_path, monkeypatch, task
):
    run = begun_and_stopped(task, folder, tmp_path / "begun")
    with pretended_gpu(monkeypatch) as gpu:
        status, _, err = hsi("train", "--resume", run, "--device", "cuda")
    assert status == 0 and gpu.count, err
    assert "begun on cpu, going on with cuda:0" in (run / LOG).read_text()
    one, other = (load_file(each / MODEL) for each in (run, runs[task]))
    # The processor's own layouts are not those of a GPU.
    for name, value in other.items():
        torch.testing.assert_close(one[name], value, rtol=1e-2, atol=1e-3)


@pytest.mark.parametrize("task", TASKS)
def test_a_replay(hsi, runs, tmp_path, task):
    run = as_if_of_a_gpu(runs[task], tmp_path / "run")
    status, out, _ = hsi("replay", run)
    assert status == 2 and "--device" in out
    status, out, err = hsi("replay", run, "--device", "cpu")
    assert status == 0 and "identical" in out, err


def test_a_prediction_takes_this_machines_device(hsi, runs, folder, tmp_path):
    run = as_if_of_a_gpu(runs["classification"], tmp_path / "run")
    status, _, err = hsi("predict", run, "--scene", folder / "cube.npy", "-o", tmp_path / "m.npy")
    assert status == 0, err


@pytest.mark.parametrize("task", TASKS)
def test_the_log_begins_with_what_is_trained(runs, task):
    log = (runs[task] / "log.txt").read_text().splitlines()
    (begun,) = [line for line in log if "training " in line and ", seed 0, on cpu" in line]
    assert re.search(r"\d+ training and \d+ (test|validation)", begun)
    assert ", 2 epochs" in begun
