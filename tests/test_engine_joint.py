import copy
import signal

import pytest
import torch
from torch import nn
from torch.nn import functional

from hsi_suite.engine.joint import JointTrainer
from hsi_suite.engine.observer import Observer
from hsi_suite.engine.trainer import Trainer
from hsi_suite.errors import ConfigError, Stopped
from hsi_suite.schemas.training import TrainingConfig
from hsi_suite.seeding import SeedStreams

CPU = torch.device("cpu")


class Blobs:
    """Small pictures of two classes, other ones for each seed; a `TrainingTask`."""

    selection_metric = "accuracy"

    def __init__(self, seeds, items=21):
        self.seeds, self.items = seeds, items
        generator = seeds.torch("split")
        self.classes = torch.randint(0, 2, (items,), generator=generator)
        noise = torch.randn(items, 1, 6, 6, generator=generator)
        self.pictures = noise + self.classes.view(-1, 1, 1, 1)

    @property
    def steps_per_epoch(self):
        return -(-self.items // 8)

    def batch(self, epoch, step):
        order = self.seeds.numpy("order", epoch).permutation(self.items)
        rows = torch.from_numpy(order[step * 8 : (step + 1) * 8])
        return self.pictures[rows], self.classes[rows]

    def loss(self, model, batch):
        pictures, classes = batch
        logits = model(pictures)
        right = (logits.detach().argmax(1) == classes).sum()
        return functional.cross_entropy(logits, classes), {"accuracy": right}, len(classes)

    def validate(self, model):
        logits = model(self.pictures)
        # Rounded, so that rounding cannot decide which epoch is the best.
        return {"accuracy": round(float((logits.argmax(1) == self.classes).double().mean()), 3)}


def network(seed):
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        return nn.Sequential(
            nn.Conv2d(1, 4, 3, bias=False), nn.BatchNorm2d(4), nn.ReLU(inplace=True),
            nn.Dropout2d(0.3), nn.Flatten(), nn.Dropout(0.5), nn.Linear(64, 2),
        )  # fmt: skip


def trainers(config, folder, items=(21, 21, 21), checkpoint=True):
    return [
        Trainer(network(seed), Blobs(SeedStreams(seed), count), config, SeedStreams(seed), CPU,
                folder / f"{seed}.pt" if checkpoint else None, identity=str(seed))
        for seed, count in enumerate(items)
    ]  # fmt: skip


def configured(**keys):
    tree = {"epochs": 2, "batch_size": 8, "optimizer": {"name": "adam", "learning_rate": 0.02}}
    return TrainingConfig(**{**tree, **keys})


KINDS = [
    {"optimizer": {"name": "sgd", "learning_rate": 0.1, "momentum": 0.9}, "gradient_clip": 0.3},
    {"optimizer": {"name": "rmsprop", "learning_rate": 0.01}, "average": 0.9},
    {"optimizer": {"name": "adagrad", "learning_rate": 0.05}, "selection": "best"},
    {"epochs": 6, "early_stopping": 1, "schedule": {"name": "cosine", "warmup": 2}},
]


@pytest.mark.parametrize("keys", KINDS, ids=lambda keys: ",".join(keys) or "plain")
def test_each_is_what_it_would_be_alone(keys, tmp_path):
    config = configured(**keys)
    alone = trainers(config, tmp_path / "none", checkpoint=False)
    expected = [trainer.fit() for trainer in alone]
    joint = trainers(config, tmp_path)
    JointTrainer(joint, tmp_path / "all.pt", "three", Observer()).fit()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0.pt", "1.pt", "2.pt"]
    for one, want, other in zip(alone, expected, trainers(config, tmp_path), strict=True):
        found = other.fit()  # from its finished checkpoint
        assert (found.epoch, found.together, want.together) == (want.epoch, 3, 1)
        assert len(found.history) == len(found.seconds) == len(want.history)
        assert found.first_loss == pytest.approx(want.first_loss, rel=1e-5)
        for row, wanted in zip(found.history, want.history, strict=True):
            assert row == pytest.approx(wanted, rel=1e-3, abs=1e-4)
        for name, value in other.model.state_dict().items():
            torch.testing.assert_close(value, one.model.state_dict()[name], rtol=1e-3, atol=1e-4)


def test_a_stop_and_a_rerun_change_no_bit(tmp_path, monkeypatch):
    config = configured(average=0.9)
    for name in ("whole", "stopped"):
        (tmp_path / name).mkdir()
    JointTrainer(
        trainers(config, tmp_path / "whole"), tmp_path / "whole/all.pt", "x", Observer()
    ).fit()

    again = tmp_path / "stopped"
    with pytest.raises(Stopped):
        JointTrainer(trainers(config, again), again / "all.pt", "x", Saying(5)).fit()
    assert [path.name for path in again.iterdir()] == ["all.pt"]
    JointTrainer(trainers(config, again), again / "all.pt", "x", Observer()).fit()
    for one, other in zip(
        trainers(config, tmp_path / "whole"), trainers(config, again), strict=True
    ):
        assert one.fit().history == other.fit().history
        assert all(map(torch.equal, one.model.state_dict().values(),
                       other.model.state_dict().values()))  # fmt: skip


def test_states_saved_at_every_step_change_no_bit(tmp_path):
    """Also at the last step of an epoch, whose sums are still to be divided."""
    found = []
    for name, seconds in (("seldom", 1e9), ("always", 0.0)):
        (tmp_path / name).mkdir()
        config = configured(checkpoint_seconds=seconds)
        joint = trainers(config, tmp_path / name)
        JointTrainer(joint, tmp_path / name / "all.pt", "x", Observer()).fit()
        found.append([trainer.history for trainer in joint])
        assert joint[0].seconds == joint[1].seconds == joint[2].seconds
    assert found[0] == found[1]


class Breaking(Blobs):
    """Its losses are no numbers from an epoch on."""

    broken_from = 1

    def batch(self, epoch, step):
        pictures, classes = super().batch(epoch, step)
        return pictures * (float("nan") if epoch >= self.broken_from else 1.0), classes


class Saying(Observer):
    def __init__(self, left=0):
        self.said, self.left = [], left

    def message(self, text):
        self.said.append(text)

    def advance(self, steps=1, **values):
        self.left -= 1
        if not self.left:
            signal.raise_signal(signal.SIGTERM)


@pytest.mark.parametrize("steps", [0, 8], ids=["whole", "stopped after it"])
def test_one_that_fails_is_left_out_and_the_others_go_on(steps, tmp_path):
    config = configured(epochs=4)
    expected = [trainer.fit() for trainer in trainers(config, tmp_path / "none", checkpoint=False)]

    def begun():
        found = trainers(config, tmp_path)
        found[1].task = Breaking(SeedStreams(1))
        return found

    saying = Saying(steps)
    if steps:
        with pytest.raises(Stopped):
            JointTrainer(begun(), tmp_path / "all.pt", "x", saying).fit()
    else:
        JointTrainer(begun(), tmp_path / "all.pt", "x", saying).fit()
    assert [line for line in saying.said if "seed" in line] == [
        "seed 1: training, epoch 2: the loss is nan; the others go on, and it is trained once "
        "more, alone"
    ]
    JointTrainer(begun(), tmp_path / "all.pt", "x", Saying()).fit() if steps else None
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0.pt", "2.pt"]
    for place in (0, 2):
        found, want = trainers(config, tmp_path)[place].fit(), expected[place]
        assert len(found.history) == 4
        assert found.history[-1] == pytest.approx(want.history[-1], rel=1e-3, abs=1e-4)


@pytest.mark.parametrize(
    "said",
    [
        "[enforce fail at alloc_cpu.cpp:125] DefaultCPUAllocator: can't allocate memory",
        "cumsum_cuda_kernel does not have a deterministic implementation, but you set",
    ],
)
def test_what_the_device_refuses_is_no_fault_of_the_stack(tmp_path, monkeypatch, said):
    chosen = trainers(configured(), tmp_path)
    loss = chosen[0].task.loss

    def refused(model, batch):
        # Not before the networks are computed at once.
        if torch._C._functorch.peek_interpreter_stack() is not None:
            raise RuntimeError(said)
        return loss(model, batch)

    monkeypatch.setattr(chosen[0].task, "loss", refused)
    joint = JointTrainer(chosen, tmp_path / "a.pt", "x", Observer())
    with pytest.raises(RuntimeError) as caught:
        joint.fit()
    assert str(caught.value) == said


def test_what_cannot_be_stacked_is_refused_in_one_line(tmp_path):
    config = configured()
    with pytest.raises(ConfigError, match=r"epochs of 3 and 4 steps; .* leave together out"):
        JointTrainer(trainers(config, tmp_path, (21, 30, 21)), tmp_path / "a.pt", "x", Observer())
    uneven = JointTrainer(
        trainers(config, tmp_path, (21, 20, 21)), tmp_path / "a.pt", "x", Observer()
    )
    with pytest.raises(ConfigError, match=r"a batch of 4 for seed 1 and of 5 for seed 0"):
        uneven.fit()
    unlike = trainers(config, tmp_path)
    unlike[1].model[-1] = nn.Linear(64, 3)
    with pytest.raises(ConfigError, match="networks of different sizes"):
        JointTrainer(unlike, tmp_path / "a.pt", "x", Observer())
    chancy = trainers(config, tmp_path)
    for trainer in chancy:
        trainer.model.append(copy.deepcopy(nn.AlphaDropout(0.5)))
    with pytest.raises(ConfigError, match="what cannot be stacked"):
        JointTrainer(chancy, tmp_path / "a.pt", "x", Observer()).fit()
