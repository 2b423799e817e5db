"""The training loop on a task small enough to follow by hand."""

import math
import os
import random
import signal
from typing import get_args

import pytest
import torch
from torch import nn

from hsi_suite.engine import optimisation
from hsi_suite.engine.checkpoint import load_checkpoint, save_checkpoint
from hsi_suite.engine.devices import computing, resolve_device, seeded
from hsi_suite.engine.finite import check_finite
from hsi_suite.engine.observer import Observer
from hsi_suite.engine.optimisation import learning_rate
from hsi_suite.engine.trainer import Trainer
from hsi_suite.errors import ConfigError, DeviceError, RunError, Stopped
from hsi_suite.schemas.training import OptimizerConfig, ScheduleConfig, TrainingConfig
from hsi_suite.seeding import SeedStreams

CPU = torch.device("cpu")


class Regression:
    """A linear map to be found from noisy points; validation figures may be set by hand."""

    selection_metric = "score"
    steps_per_epoch = 4

    def __init__(self, scores=None):
        generator = torch.Generator().manual_seed(0)
        self.x = torch.randn(64, 5, generator=generator)
        self.y = self.x @ torch.arange(5.0) + 0.1 * torch.randn(64, generator=generator)
        self.scores = scores
        self.validations = 0

    def batch(self, epoch, step):
        order = torch.randperm(64, generator=SeedStreams(3).torch("order", epoch))
        return order[16 * step : 16 * (step + 1)]

    def loss(self, model, batch):
        error = model(self.x[batch]).squeeze(1) - self.y[batch]
        return error.square().mean(), {"absolute": error.detach().abs().sum()}, len(batch)

    def validate(self, model):
        assert not model.training
        self.validations += 1
        return {"score": self.scores[self.validations - 1]} if self.scores else {}


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 1))


def trainer(task=None, checkpoint=None, observer=None, identity="", **keys):
    keys.setdefault("epochs", 5)
    config = TrainingConfig(**keys)
    return Trainer(
        network(), task or Regression(), config, SeedStreams(1), CPU, checkpoint, observer,
        identity=identity,
    )  # fmt: skip


def same(a, b):
    return all(
        torch.equal(x, y)
        for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True)
    )


class StopAfter(Observer):
    """Presses Ctrl-C after some steps."""

    def __init__(self, steps):
        self.left = steps

    def advance(self, steps=1, **figures):
        self.left -= steps
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGINT)


def test_the_loop_equals_one_written_out_by_hand():
    ours = trainer(epochs=2)
    ours.fit()
    model, task, seeds = network(), Regression(), SeedStreams(1)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for step in range(8):
        with seeded(seeds.seed("dropout", step), CPU):
            loss, _, _ = task.loss(model, task.batch(step // 4, step % 4))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert same(ours.model, model)


class Broken(Regression):
    """Regression with a step of one epoch whose loss, gradient or validation is no number."""

    steps_per_epoch = 1

    def __init__(self, what):
        super().__init__()
        self.what = what

    def loss(self, model, batch):
        loss, figures, items = super().loss(model, batch)
        factor = {"loss": math.nan, "weights": 1e20}.get(self.what, 1.0)
        return loss * factor, figures, items

    def validate(self, model):
        if self.what == "output":
            check_finite(torch.tensor([math.nan]), "the output")
        return {"score": -math.inf if self.what == "validation" else 1.0}


@pytest.mark.parametrize(
    ("what", "found"),
    [
        ("loss", "the loss is nan"),
        ("weights", "not finite"),
        ("validation", "the validation score is -inf"),
        ("output", "the output: 1 of 1 values are not finite"),
    ],
)
def test_whatever_is_no_number_ends_the_training(what, found, tmp_path):
    rate = {"weights": 1e25}.get(what, 0.1)
    optimizer = OptimizerConfig(name="sgd", learning_rate=rate)
    diverging = trainer(Broken(what), tmp_path / "c.pt", epochs=2, optimizer=optimizer)
    with pytest.raises(
        RunError, match=f"training, epoch 1: .*{found}.*nothing finished is written"
    ):
        diverging.fit()
    assert not (tmp_path / "c.pt").exists()


def test_two_trainings_are_equal_bit_by_bit_and_leave_the_global_state():
    first, second = trainer(), trainer()
    torch.manual_seed(5)
    before = torch.get_rng_state()
    history = first.fit().history
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(6)
    assert second.fit().history == history
    assert same(first.model, second.model)


@pytest.mark.parametrize("steps", [1, 4, 6, 13, 19])
def test_stopped_and_resumed_is_unbroken(tmp_path, steps):
    whole = trainer()
    expected = whole.fit()
    path = tmp_path / "c.pt"
    with pytest.raises(Stopped):
        trainer(checkpoint=path, observer=StopAfter(steps)).fit()
    resumed = trainer(checkpoint=path)
    result = resumed.fit()
    assert resumed.step == 0
    assert result.history == expected.history
    assert same(resumed.model, whole.model)


@pytest.mark.parametrize("name", get_args(OptimizerConfig.model_fields["name"].annotation))
def test_every_optimiser_goes_on_where_it_was(tmp_path, name):
    keys = {"optimizer": OptimizerConfig(name=name, learning_rate=0.01)}
    whole = trainer(**keys)
    whole.fit()
    path = tmp_path / "c.pt"
    with pytest.raises(Stopped):
        trainer(checkpoint=path, observer=StopAfter(6), **keys).fit()
    resumed = trainer(checkpoint=path, **keys)
    resumed.fit()
    assert same(resumed.model, whole.model)


class Dying(Regression):
    """Its process is killed when it is asked for the batch of a moment."""

    def __init__(self, moment):
        super().__init__()
        self.moment = moment

    def batch(self, epoch, step):
        if 4 * epoch + step == self.moment:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().batch(epoch, step)


@pytest.mark.parametrize("moment", [7, 8])
def test_killed_and_resumed_is_unbroken(tmp_path, moment):
    path = tmp_path / "c.pt"
    child = os.fork()
    if child == 0:
        try:
            trainer(Dying(moment), path, checkpoint_seconds=0.0).fit()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL
    resumed, whole = trainer(checkpoint=path), trainer()
    assert resumed.fit().history == whole.fit().history
    assert same(resumed.model, whole.model)


def test_a_finished_checkpoint_is_not_trained_further(tmp_path):
    path = tmp_path / "c.pt"
    first = trainer(checkpoint=path)
    first.fit()
    again = trainer(checkpoint=path)
    again.task.batch = None
    again.fit()
    assert same(first.model, again.model)


def test_the_last_epoch_is_the_model_unless_told():
    scores = [0.1, 0.9, 0.9, 0.2, 0.3]
    assert trainer(Regression(scores)).fit().epoch == 5
    best = trainer(Regression(scores), selection="best")
    assert best.fit().epoch == 2
    reference = trainer(epochs=2, schedule=ScheduleConfig(name="constant"))
    reference.fit()
    assert same(best.model, reference.model)


def test_early_stopping_counts_epochs_without_a_better_figure():
    result = trainer(Regression([0.1, 0.9, 0.2, 0.3, 0.95]), early_stopping=2).fit()
    assert len(result.history) == 4


def test_selection_without_validation_is_refused():
    with pytest.raises(ConfigError, match=r"split\.validation"):
        trainer(selection="best").fit()


def test_a_diverged_training_says_so():
    optimizer = OptimizerConfig(name="sgd", learning_rate=1e30)
    with pytest.raises(RunError, match="Lower train"):
        trainer(optimizer=optimizer).fit()


def test_gradient_clipping_bounds_the_step():
    keys = {"optimizer": OptimizerConfig(name="sgd", learning_rate=1.0, momentum=0.0), "epochs": 1}
    ours = trainer(gradient_clip=1e-6, **keys)
    before = [p.detach().clone() for p in ours.model.parameters()]
    ours.fit()
    after = [p.detach() for p in ours.model.parameters()]
    moved = sum(float((a - b).square().sum()) for a, b in zip(before, after, strict=True))
    assert 0 < moved**0.5 <= 4.1e-6


def test_gradients_are_let_go_after_each_step_and_old_ones_do_not_count():
    fresh, used = trainer(epochs=1), trainer(epochs=1)
    for parameter in used.model.parameters():
        parameter.grad = torch.full_like(parameter, 1e3)
    fresh.fit(), used.fit()
    for one, other in zip(fresh.model.parameters(), used.model.parameters(), strict=True):
        assert one.grad is other.grad is None and torch.equal(one, other)


def test_a_damaged_checkpoint_is_refused(tmp_path):
    path = tmp_path / "c.pt"
    path.write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(RunError, match="damaged"):
        trainer(checkpoint=path).fit()
    torch.save({"format": 1, "model": {}}, path)
    with pytest.raises(RunError, match="damaged"):
        trainer(checkpoint=path).fit()
    save_checkpoint(path, {"format": 1, "model": {}})
    with pytest.raises(RunError, match="does not fit"):
        trainer(checkpoint=path).fit()


def test_no_changed_byte_of_a_checkpoint_goes_unnoticed(tmp_path):
    path = tmp_path / "c.pt"
    with pytest.raises(Stopped):
        trainer(checkpoint=path, observer=StopAfter(6)).fit()
    content = path.read_bytes()
    generator = random.Random(0)
    for _ in range(60):
        place = generator.randrange(len(content))
        changed = content[:place] + bytes([content[place] ^ 1 << generator.randrange(8)])
        path.write_bytes(changed + content[place + 1 :])
        with pytest.raises(RunError, match=r"damaged|of run"):
            load_checkpoint(path)
        path.write_bytes(content[:place])
        with pytest.raises(RunError, match="damaged"):
            load_checkpoint(path)
    path.write_bytes(content + b" ")
    with pytest.raises(RunError, match="damaged"):
        load_checkpoint(path)


def test_a_checkpoint_of_another_run_is_refused(tmp_path):
    path = tmp_path / "c.pt"
    with pytest.raises(Stopped):
        trainer(checkpoint=path, observer=StopAfter(6), identity="0a1b2c3d").fit()
    with pytest.raises(RunError, match="checkpoint of run 0a1b2c3d; expected that of run 4e5f6a7b"):
        trainer(checkpoint=path, identity="4e5f6a7b").fit()
    resumed, whole = trainer(checkpoint=path, identity="0a1b2c3d"), trainer()
    assert resumed.fit().history == whole.fit().history


def test_schedules_by_hand():
    adam = OptimizerConfig(learning_rate=0.1)

    def rate(step, **keys):
        return learning_rate(adam, ScheduleConfig(**keys), step, 10, 4)

    assert rate(7, name="constant") == 0.1
    assert rate(1000, name="inverse_time", decay=1e-3) == pytest.approx(0.05)
    assert rate(20, name="cosine") == pytest.approx(0.05)
    assert rate(25, name="step", every=2, factor=0.1) == pytest.approx(0.01)
    assert rate(1, name="constant", warmup=4) == pytest.approx(0.05)


def test_devices_are_named_and_checked():
    assert resolve_device("cpu") == CPU
    for name in ("gpu", "cuda:x", "CPU", ""):
        with pytest.raises(DeviceError, match="auto, cpu, cuda"):
            resolve_device(name)
    with pytest.raises(DeviceError, match="CUDA devices"):
        resolve_device("cuda:99")


def test_settings_are_restored_after_computing():
    def now():
        filling, cudnn = torch.utils.deterministic.fill_uninitialized_memory, torch.backends.cudnn
        chosen = cudnn.benchmark, cudnn.deterministic
        algorithms = torch.are_deterministic_algorithms_enabled()
        return torch.get_num_threads(), algorithms, filling, *chosen

    before = now()
    with pytest.raises(KeyError), computing(CPU, 2, deterministic=True):
        # cuDNN, too, neither tries what is fastest nor takes what depends on chance.
        assert now() == (2, True, False, False, True)
        raise KeyError
    assert now() == before
    with computing(CPU, 1, deterministic=False):
        assert now() == (1, False, False, True, False)
    assert now() == before


def test_an_operation_without_deterministic_form_is_refused_by_name():
    message = "put_ does not have a deterministic implementation, but you set"
    with pytest.raises(DeviceError, match="put_ on cpu"), computing(CPU, 1, deterministic=True):
        raise RuntimeError(message)


@pytest.mark.cuda
def test_two_cuda_trainings_are_equal_bit_by_bit():
    device = resolve_device("cuda")
    weights = []
    for _ in range(2):
        with computing(device, 1, deterministic=True):
            ours = trainer()
            ours.model.to(device)
            ours.device = device
            ours.task.x, ours.task.y = ours.task.x.to(device), ours.task.y.to(device)
            ours.fit()
            weights.append(ours.model)
    assert same(*weights)


def test_adam_in_parts_is_adam(monkeypatch):
    monkeypatch.setattr(optimisation, "_PART", 64)
    config = OptimizerConfig(name="adam", learning_rate=0.01, weight_decay=0.1)
    shapes = (9, 31), (3,), (64,), (5, 64), (4, 40)

    def tensors():
        generator = torch.Generator().manual_seed(0)
        found = [torch.randn(shape, generator=generator) for shape in shapes]
        found[-1] = found[-1].t()
        return [torch.nn.Parameter(values) for values in found]

    mine, its = tensors(), tensors()
    own = optimisation.build_optimizer(mine, config)
    torchs = torch.optim.Adam(its, lr=0.01, weight_decay=0.1)
    for step in range(4):
        for number, (one, other) in enumerate(zip(mine, its, strict=True)):
            # A parameter may get no gradient.
            one.grad = None if (step + number) % 4 == 0 else torch.sin(one.detach() + step)
            other.grad = None if one.grad is None else one.grad.clone()
        own.step()
        torchs.step()
    assert all(map(torch.equal, mine, its))
    states = zip(
        own.state_dict()["state"].values(), torchs.state_dict()["state"].values(), strict=True
    )
    for found, expected in states:
        assert found.keys() == expected.keys()
        assert all(torch.equal(found[name], expected[name]) for name in found)
