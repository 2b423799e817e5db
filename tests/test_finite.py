"""Whatever a network makes that is no number is an error, in every task and command."""

import json
import math
import shutil

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from task_samples import TASKS, finished_runs, textured, training

from hsi_suite.atomic import write_json
from hsi_suite.engine.finite import NotFiniteError, check_finite, check_weights
from hsi_suite.errors import OutputError
from hsi_suite.json_text import json_text, undefined_as_none
from hsi_suite.runs.folder import METRICS, MODEL

pytestmark = pytest.mark.stand_in_pictures

# Where the first layer's weights are, and commands that put the run's network to use.
HUGE = 3e38


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_one_weight_that_is_no_number_is_found(kind, value):
    weights = {"steps": torch.tensor(3), "none": torch.zeros(0, 2), "a": torch.randn(40, 30)}
    weights = {name: each.to(kind) if each.ndim else each for name, each in weights.items()}
    check_weights(weights, "the network")
    weights["a"][17, 4] = value
    with pytest.raises(NotFiniteError, match=r"not finite \(a\)"):
        check_weights(weights, "the network")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("finite")


@pytest.fixture(scope="module")
def runs(folder):
    return finished_runs(folder)


def poisoned(run, target, value):
    """A copy of a run whose network has `value` in the place of every weight."""
    shutil.copytree(run, target)
    with safe_open(target / MODEL, "pt") as file:
        metadata = file.metadata()
    tensors = load_file(target / MODEL)
    for name, tensor in tensors.items():
        own = not name.startswith(("reduction.", "first.", "second."))
        if own and tensor.is_floating_point() and "running_var" not in name:
            tensor.fill_(value)
    save_file(tensors, target / MODEL, metadata)
    return target


def uses(task, run, folder, out):
    """Commands that make something of a run's network, and what must not be there afterwards."""
    image = out / "image.png"
    Image.fromarray(textured((24, 24), 1)).save(image)
    cube = np.stack([textured((24, 24), seed) for seed in range(6)], 2)
    np.save(out / "bands.npy", cube.astype(np.float32))
    made = out / "made.npy"
    return {
        "classification": [
            (["evaluate", run], made),
            (["predict", run, "--scene", folder / "cube.npy", "-o", made], made),
        ],
        "image_classification": [(["evaluate", run], made)],
        "denoising": [
            (["evaluate", run], made),
            (["evaluate", "--weights", run / MODEL, "--data", folder / "images"], made),
            (["denoise", image, "--weights", run, "-o", out / "made.png"], out / "made.png"),
            (["denoise", out / "bands.npy", "--weights", run, "-o", made], made),
        ],
        "retrieval": [
            (["evaluate", run], made),
            (
                ["retrieve", "index", run, "--scene", folder / "stripes.hdr", "-o", out / "made"],
                out / "made",
            ),
        ],
    }[task]


@pytest.mark.parametrize("value", [math.nan, HUGE], ids=["nan", "overflow"])
@pytest.mark.parametrize("task", TASKS)
def test_networks_that_give_no_numbers_are_refused(hsi, runs, folder, tmp_path, task, value):
    run = poisoned(runs[task], tmp_path / "run", value)
    for arguments, made in uses(task, run, folder, tmp_path):
        status, _, err = hsi(*arguments)
        assert status == 2, (arguments, err)
        error = [line for line in err.splitlines() if line.startswith("error: ")]
        assert len(error) == 1 and "not finite" in error[0], err
        assert str(run / MODEL) in error[0], err
        assert "Traceback" not in err and not made.exists()
        assert not list(tmp_path.glob("*.partial")) and not list(tmp_path.glob(".made*"))


@pytest.mark.parametrize("task", TASKS)
def test_a_training_that_diverges_fails_in_one_line(hsi, folder, tmp_path, task):
    diverging = ["train.optimizer.name=sgd", "train.optimizer.learning_rate=1e30"]
    status, out, err = hsi(
        *training(task, folder, *diverging, epochs=1), "--output", tmp_path / "runs"
    )
    assert status == 2 and not out
    assert "training, epoch 1: " in err and "nothing finished is written" in err.lower()
    [run] = (tmp_path / "runs").iterdir()
    assert not (run / METRICS).exists() and not (run / MODEL).exists()


def test_a_baseline_that_diverges_is_no_figure(hsi, folder, tmp_path, monkeypatch):
    from hsi_suite.tasks.scenes import baselines

    def broken(*arguments, **keys):
        network = build_model(*arguments, **keys)
        network.head.weight.data.fill_(math.nan)
        return network

    build_model = baselines.build_model
    monkeypatch.setattr(baselines, "build_model", broken)
    arguments = training("classification", folder, "evaluation.baselines=[cnn1d]", epochs=1)
    status, _, err = hsi(*arguments, "--output", tmp_path / "runs")
    assert status == 2 and "training, epoch 1: " in err
    assert not list(tmp_path.glob(f"runs/*/{METRICS}"))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("broken", [math.nan, math.inf, -math.inf])
def test_every_broken_value_is_found(dtype, broken):
    values = torch.linspace(-3, 3, 10_000, dtype=dtype).reshape(100, 100)
    assert check_finite(values, "x") is values
    assert check_finite(values[:0], "x").numel() == 0
    values[37, 51] = broken
    with pytest.raises(NotFiniteError, match=r"^x: 1 of 10,000 values are not finite"):
        check_finite(values, "x")


def test_json_holds_no_nan(tmp_path):
    for broken in (math.nan, math.inf, -math.inf, np.float64("nan")):
        with pytest.raises(OutputError, match=r"metrics\.json: test\.scores\.1 is not finite"):
            write_json(tmp_path / "metrics.json", {"a": 1.0, "test": {"scores": [0.5, broken]}})
        assert not list(tmp_path.iterdir())
    value = {"b": [1.5, None], "a": "κ"}
    assert json.loads(json_text(value, "x")) == json.loads(json_text(value, "x", compact=True))
    assert undefined_as_none({"a": (math.inf, {"b": math.nan}), "c": 1}) == {
        "a": [None, {"b": None}], "c": 1,
    }  # fmt: skip


def test_an_infinite_score_is_null_in_json(hsi, runs, folder):
    run = runs["denoising"]
    status, out, err = hsi(
        "evaluate", "--weights", run / MODEL, "--data", folder / "images", "--sigma", "0", "--json"
    )
    assert status == 0, err
    scores = json.loads(out, parse_constant=pytest.fail)
    assert scores["methods"][0]["scores"]["0"]["peak_signal_noise_ratio"] is None
