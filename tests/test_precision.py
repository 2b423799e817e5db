"""In what numbers is computed, on devices that are faked where they are not there."""

import copy
from functools import partial

import numpy as np
import pytest
import torch
from fake_cuda import fake_devices
from pretended_gpu import pretended_gpu
from torch import nn

from hsi_suite.engine import precision as module
from hsi_suite.engine.devices import computing
from hsi_suite.engine.fourier import FourierCorrelation
from hsi_suite.engine.joint import JointTrainer
from hsi_suite.engine.loss_scaling import LossScaling
from hsi_suite.engine.observer import Observer
from hsi_suite.engine.precision import (
    check_precision,
    forward_in,
    precision_facts,
    precision_remark,
    products_in,
    usable,
)
from hsi_suite.engine.sliding import SlidingLinear
from hsi_suite.engine.trainer import Trainer
from hsi_suite.errors import ConfigError
from hsi_suite.matrix_products import full_product
from hsi_suite.runs.cost import measured_cost
from hsi_suite.runs.machine import forget_peak_device_memory, peak_device_megabytes
from hsi_suite.runs.precisions import precisions, used_precisions
from hsi_suite.schemas.training import TrainingConfig
from hsi_suite.seeding import SeedStreams

CPU, CUDA = torch.device("cpu"), torch.device("cuda", 0)
FLAGS = (torch.backends.cuda.matmul, torch.backends.cudnn)


def allowed():
    return [flag.allow_tf32 for flag in FLAGS]


@pytest.mark.parametrize("precision", ["fp32", "tf32", "bf16", "fp16"])
def test_tf32_is_taken_where_it_is_asked_for_alone(precision):
    before = allowed()
    with pytest.raises(KeyError), products_in(precision, CUDA):
        assert allowed() == [precision == "tf32"] * 2
        raise KeyError
    with products_in(precision, CPU):
        assert allowed() == [False, False]
    assert allowed() == before


@pytest.mark.skipif(not hasattr(torch.backends.cudnn, "conv"), reason="an older torch")
def test_a_program_that_speaks_to_torch_in_the_newer_words_goes_on_as_it_was():
    places = (torch.backends.cuda.matmul, torch.backends.cudnn.conv)
    old = allowed()
    try:
        for place in places:
            place.fp32_precision = "tf32"
        with products_in("fp32", CUDA):
            assert [place.fp32_precision for place in places] == ["ieee", "ieee"]
        assert [place.fp32_precision for place in places] == ["tf32", "tf32"]
    finally:
        for flag, value in zip(FLAGS, old, strict=True):
            flag.allow_tf32 = value
    assert allowed() == old


BACKENDS = torch.backends
SAID = {
    "nothing": lambda: None,
    "medium": lambda: torch.set_float32_matmul_precision("medium"),
    "high": lambda: torch.set_float32_matmul_precision("high"),
    "no TF32": lambda: setattr(BACKENDS.cudnn, "allow_tf32", False),
    "all in TF32": lambda: setattr(BACKENDS, "fp32_precision", "tf32"),
    "products in TF32": lambda: setattr(BACKENDS.cuda.matmul, "fp32_precision", "tf32"),
    "convolutions in fp32": lambda: setattr(BACKENDS.cudnn.conv, "fp32_precision", "ieee"),
    "a processor's in bf16": lambda: setattr(BACKENDS.mkldnn.conv, "fp32_precision", "bf16"),
}


@pytest.fixture
def switches():
    """All that torch has to say of fp32, as it stands; restored after the test."""
    places = module._newer_switches()

    def asked(question):
        try:
            return question()
        except RuntimeError:
            return "no answer"

    def now():
        older = (
            torch.get_float32_matmul_precision,
            *(partial(getattr, f, "allow_tf32") for f in FLAGS),
        )
        return [place.fp32_precision for place in places], [asked(each) for each in older]

    before, top = now(), BACKENDS.fp32_precision
    yield now
    BACKENDS.fp32_precision = top
    torch.set_float32_matmul_precision("highest")
    BACKENDS.cudnn.allow_tf32 = before[1][2]
    for place, value in zip(places, before[0], strict=True):
        place.fp32_precision = value
    assert now() == before


@pytest.mark.skipif(not hasattr(torch.backends.cudnn, "conv"), reason="an older torch")
@pytest.mark.parametrize("said", SAID)
def test_fp32_is_fp32_whatever_a_program_has_said_which_it_finds_again(switches, said):
    SAID[said]()
    before = switches()
    with products_in("fp32", CPU):
        # And torch answers whoever asks: it refuses to where its older words and newer ones differ.
        assert switches() == (["ieee"] * 6, ["highest", False, False])
    with products_in("tf32", CUDA):
        found, older = switches()
        assert found[:3] == ["tf32"] * 3 and older == ["high", True, True]
    assert switches() == before


@pytest.mark.skipif(not hasattr(torch.backends.cudnn, "conv"), reason="an older torch")
@pytest.mark.parametrize("said", SAID)
def test_full_products_are_had_whatever_a_program_has_said(switches, said):
    SAID[said]()
    left, right = (np.random.default_rng(n).normal(size=(9, 70)).astype(np.float32) for n in (0, 1))
    exact = left.astype(float) @ right.T.astype(float)
    np.testing.assert_allclose(full_product(left, right), exact, atol=1e-4)
    with computing(CPU, 1, deterministic=True):
        np.testing.assert_allclose(full_product(left, right), exact, atol=1e-4)
        found = torch.from_numpy(left) @ torch.from_numpy(right).t()
    np.testing.assert_allclose(found.numpy(), exact, atol=1e-4)


def test_processors_have_fp32_and_bf16():
    assert [usable(each, CPU) for each in ("fp32", "tf32", "bf16", "fp16")] == [
        "fp32", "fp32", "bf16", "fp32",
    ]  # fmt: skip
    for each in ("tf32", "fp16"):
        assert usable(each, CUDA) == each
        with pytest.raises(ConfigError, match=rf"train.precision: {each} on cpu.*--device cuda"):
            check_precision("train.precision", each, CPU, Observer())
        assert "computes in fp32" in precision_remark("train.precision", each, CPU)
    assert precision_remark("train.precision", "bf16", CPU) is None


@pytest.mark.parametrize(
    ("capability", "bf16", "tf32"),
    [((7, 5), "bf16, emulated", "fp32"), ((8, 0), "bf16", "tf32"), ((9, 0), "bf16", "tf32")],
)
def test_what_a_device_emulates_is_said(monkeypatch, capability, bf16, tf32):
    fake_devices(monkeypatch, capability=capability, name="Tesla T4")
    assert precision_facts("bf16", CUDA) == bf16 and precision_facts("tf32", CUDA) == tf32
    remarks = [precision_remark("train.precision", each, CUDA) for each in ("bf16", "tf32")]
    if capability >= (8, 0):
        assert remarks == [None, None]
    else:
        assert all("Tesla T4 (compute capability 7.5" in remark for remark in remarks)
        assert "train.precision=fp16" in remarks[0] and "in fp32" in remarks[1]
    for each in ("fp32", "fp16"):
        assert precision_facts(each, CUDA) == each
        assert precision_remark("train.precision", each, CUDA) is None


def test_every_stage_is_recorded():
    tree = {"train": {"precision": "fp16"}, "evaluation": {"precision": "bf16"}, "model": {}}
    assert precisions(tree) == {"train": "fp16", "evaluation": "bf16"}
    assert used_precisions(tree, CPU) == {"train": "fp32", "evaluation": "bf16"}
    assert precisions({"train": {"epochs": 1}}) == {}


@pytest.mark.parametrize(("precision", "kind"), [("fp32", torch.float32), ("bf16", torch.bfloat16)])
def test_a_forward_pass_computes_in_it(precision, kind):
    with forward_in(precision, CPU):
        assert nn.Linear(2, 2)(torch.ones(1, 2)).dtype == kind
    assert nn.Linear(2, 2)(torch.ones(1, 2)).dtype == torch.float32


class Line:
    """y = x by a linear layer; the steps of `wild` are marked."""

    selection_metric = "loss"
    steps_per_epoch = 4

    def __init__(self, wild=()):
        self.wild = wild

    def batch(self, epoch, step):
        x = torch.linspace(-1, 1, 8)[:, None]
        factor = 2.0 if epoch * self.steps_per_epoch + step in self.wild else 1.0
        return x, x, torch.tensor(factor)

    def loss(self, model, batch):
        x, y, _ = batch
        return ((model(x).float() - y) ** 2).mean(), {}, len(x)

    def validate(self, model):
        return {}


class Said(Observer):
    def __init__(self):
        self.lines = []

    def message(self, text):
        self.lines.append(text)


def trained(task, precision, clip=None, **others):
    model = nn.Linear(1, 1)
    with torch.no_grad():
        model.weight.fill_(0.5)
        model.bias.fill_(0.0)
    config = TrainingConfig(
        epochs=3,
        precision=precision,
        gradient_clip=clip,
        optimizer={"name": "sgd", "learning_rate": 0.2, "momentum": 0.0},
    )
    said = Said()
    trainer = Trainer(model, task, config, SeedStreams(1), CPU, observer=said, **others)
    trainer.fit()
    return model, trainer, said.lines


@pytest.fixture
def fp16_here(monkeypatch):
    """Processors compute in fp16, slowly: as if they were a device that has it."""
    monkeypatch.setattr(module, "has_precision", lambda precision, device: True)


@pytest.mark.parametrize("clip", [None, 0.5])
def test_fp16_learns_as_fp32_does(fp16_here, clip):
    # Were gradients clipped before they are unscaled, nothing would be left of them.
    (near, trainer, said), (exact, _, _) = (
        trained(Line(), each, clip) for each in ("fp16", "fp32")
    )
    assert near.weight.item() == pytest.approx(exact.weight.item(), abs=2e-3)
    assert near.weight.item() > 0.8 and trainer.scaling.skipped == 0
    assert near.weight.dtype == torch.float32 and not said


def test_steps_whose_gradients_overflow_are_skipped_counted_and_said(fp16_here, tmp_path):
    class Few(Line):
        def loss(self, model, batch):
            x, y, factor = batch
            # As large as fp16 has it: its gradient, scaled, is not finite.
            prediction = model(x) * (6e4 if factor > 1 else 1)
            return ((prediction.float() - y) ** 2).mean(), {}, len(x)

    kept = tmp_path / "checkpoint.pt"
    model, trainer, said = trained(Few((1, 5)), "fp16", checkpoint=kept)
    assert [row["skipped_steps"] for row in trainer.history] == [1, 1, 0]
    assert trainer.scaling.skipped == 2 and torch.isfinite(model.weight).all()
    assert len(said) == 1 and said[0].startswith("fp16: 2 of 12 steps were skipped")
    # A training that goes on knows its factor and its count.
    again = Trainer(
        copy.deepcopy(model), Few(), trainer.config, SeedStreams(1), CPU, checkpoint=kept
    )
    again._resume()
    assert again.scaling.skipped == 2
    assert again.scaling.state()["scaler"]["scale"] == 65536 / 4


@pytest.mark.parametrize("together", [False, True])
def test_backward_passes_take_tf32_as_forward_passes_do(fp16_here, monkeypatch, tmp_path, together):
    seen, backward = [], torch.Tensor.backward

    def noted(self):
        seen.append(allowed())
        backward(self)

    monkeypatch.setattr(torch.Tensor, "backward", noted)
    config = TrainingConfig(epochs=1, precision="tf32")
    # As in a run: what surrounds it is fp32.
    with computing(CPU, 1, deterministic=True):
        trainer = Trainer(nn.Linear(1, 1), Line(), config, SeedStreams(1), CPU)
        if together:
            JointTrainer([trainer], tmp_path / "kept.pt", "", Observer()).fit()
        else:
            trainer.fit()
    assert seen == [[True, True]] * 4


def test_transforms_are_in_fp32_whatever_is_asked_for_around_them(monkeypatch):
    seen, transformed = [], FourierCorrelation.__call__

    def noted(self, features):
        seen.append(allowed())
        return transformed(self, features)

    monkeypatch.setattr(FourierCorrelation, "__call__", noted)
    layer, features = nn.Linear(2 * 9 * 9, 3), torch.rand(2, 40, 40)
    with products_in("tf32", CUDA):
        SlidingLinear(layer, 9, 200_000)(features)
        assert allowed() == [True, True]
    assert seen == [[False, False]]


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_autocast_of_a_gpu_means_convolution(monkeypatch):
    with pretended_gpu(monkeypatch):
        layer, features = nn.Linear(2 * 9 * 9, 3).to(CUDA), torch.rand(2, 40, 40).to(CUDA)
        exact = SlidingLinear(layer, 9, 200_000)
        with torch.autocast("cuda", torch.bfloat16), torch.no_grad():
            rough = SlidingLinear(layer, 9, 200_000)
            found = rough(features)
        assert exact.fourier is not None and rough.fourier is None
        assert found.dtype == torch.bfloat16 and found.is_cuda


def test_other_precisions_scale_nothing():
    scaling, weight = LossScaling(CPU, active=False), nn.Parameter(torch.ones(1))
    optimizer = torch.optim.SGD([weight], 1.0)
    scaling.backward((3 * weight).sum())
    scaling.unscale(optimizer)
    assert weight.grad.item() == 3 and scaling.step(optimizer) and weight.item() == -2
    assert scaling.state() is None and scaling.remark(9) is None


def test_the_peak_of_a_device_is_among_the_costs(monkeypatch):
    assert peak_device_megabytes() == {} or torch.cuda.is_initialized()
    fake_devices(monkeypatch, 2, peak=1_234_567_890)
    assert measured_cost(1.0, [1.0])["peak_device_megabytes"] == 1234.6
    peaks = {0: 5e8, 1: 2e6}
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", peaks.get)
    monkeypatch.setattr(
        torch.cuda, "reset_peak_memory_stats", lambda device: peaks.update({device: 0})
    )
    assert peak_device_megabytes() == {"peak_device_megabytes": 500.0}
    forget_peak_device_memory()
    assert peaks == {0: 0, 1: 0}


@pytest.mark.cuda
@pytest.mark.parametrize("precision", ["fp32", "tf32", "bf16", "fp16"])
def test_a_real_gpu_learns_in_each_precision_and_twice_the_same(precision):
    weights = []
    for _ in range(2):
        with computing(CUDA, 1, deterministic=True):
            generator = torch.Generator().manual_seed(0)
            model = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 1))
            with torch.no_grad():
                for each in model.parameters():
                    each.copy_(torch.randn(each.shape, generator=generator) / 8)
            config = TrainingConfig(epochs=20, precision=precision)
            training = Trainer(model.to(CUDA), Plane(CUDA), config, SeedStreams(1), CUDA).fit()
        weights.append(model)
        assert training.history[-1]["train_loss"] < 0.7 * training.history[0]["train_loss"]
    pairs = zip(*(each.parameters() for each in weights), strict=True)
    assert all(torch.equal(one, other) for one, other in pairs)


class Plane(Line):
    """A sum of eight numbers, on a device."""

    def __init__(self, device):
        super().__init__()
        x = torch.randn(256, 8, generator=torch.Generator().manual_seed(2))
        self.x, self.y = x.to(device), x.sum(1, keepdim=True).to(device)

    def batch(self, epoch, step):
        return self.x, self.y, None
