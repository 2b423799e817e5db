"""Several processes train what one would: the same losses, one writer, one voice."""

import csv
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from hsi_suite.engine.devices import resolve_device, seeded
from hsi_suite.engine.distributed import ALONE, Team, together
from hsi_suite.engine.observer import Observer
from hsi_suite.engine.trainer import Trainer
from hsi_suite.errors import ConfigError, DeviceError, HsiSuiteError, RunError, Stopped
from hsi_suite.runs.folder import open_run
from hsi_suite.runs.training import train as train_classifier
from hsi_suite.schemas.training import ScheduleConfig, TrainingConfig
from hsi_suite.seeding import SeedStreams
from hsi_suite.tasks.scenes.configuration import classification_config

CPU = torch.device("cpu")
LIMIT_SECONDS = 120
# What this module and an optimiser import, so that each process starts at once.
PRELOADED = ["hsi_suite.pipelines.classification", "hypothesis", "pytest", "torch._dynamo"]


class Regression:
    """Points of a noisy plane; the last batch of an epoch has a single one."""

    selection_metric = "score"
    steps_per_epoch = 4

    def __init__(self, scores=None, dtype=torch.float32):
        generator = torch.Generator().manual_seed(0)
        self.x = torch.randn(22, 5, generator=generator).to(dtype)
        self.y = self.x @ torch.arange(5.0).to(dtype) + 0.1
        self.scores = scores
        self.validations = 0

    def batch(self, epoch, step):
        order = torch.randperm(22, generator=SeedStreams(3).torch("order", epoch))
        rows = order[7 * step : 7 * (step + 1)]
        return self.x[rows], self.y[rows]

    def loss(self, model, batch):
        x, y = batch
        error = model(x).squeeze(1) - y
        return error.square().mean(), {"absolute": error.detach().abs().sum()}, len(y)

    def validate(self, model):
        self.validations += 1
        return {"score": self.scores[self.validations - 1]} if self.scores else {}


def network(norm=nn.Identity, dtype=torch.float32):
    torch.manual_seed(0)
    layers = nn.Sequential(
        nn.Linear(5, 16), norm(), nn.ReLU(), nn.Dropout(0.4), nn.Linear(16, 1), nn.Identity()
    )
    layers[-1].unused = nn.Linear(2, 2)  # gets no gradient
    return layers.to(dtype)


def trainer(
    checkpoint=None,
    observer=None,
    team=ALONE,
    scores=None,
    dtype=torch.float32,
    device=CPU,
    **keys,
):
    keys = {"epochs": 4, "gradient_clip": 0.5, "average": 0.9, "checkpoint_seconds": 0.0} | keys
    keys.setdefault("schedule", ScheduleConfig(name="cosine", warmup=3))
    task = Regression(scores, dtype)
    task.x, task.y = task.x.to(device), task.y.to(device)
    model = network(dtype=dtype).to(device)
    config = TrainingConfig(**keys)
    return Trainer(model, task, config, SeedStreams(1), device, checkpoint, observer, team)


class StopAfter(Observer):
    """Presses Ctrl-C after some steps."""

    def __init__(self, steps):
        self.left = steps

    def advance(self, steps=1, **figures):
        self.left -= steps
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGINT)


def _store():
    return dist.TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)


@pytest.fixture(scope="module")
def processes():
    """Starts processes that know their team as if torchrun had started them."""
    try:
        _store()
    except (OSError, RuntimeError) as error:
        pytest.skip(f"no sockets on 127.0.0.1: {error}")
    if not dist.is_gloo_available():
        pytest.skip("torch without gloo")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)

    def start(size, function, *arguments):
        store = _store()  # torchrun, too, keeps it outside of the processes
        started = [
            context.Process(target=_member, args=(rank, size, store.port, function, arguments))
            for rank in range(size)
        ]
        for process in started:
            process.start()
        end = time.monotonic() + LIMIT_SECONDS
        for process in started:
            process.join(max(0.0, end - time.monotonic()))
        alive = [process for process in started if process.is_alive()]
        for process in alive:
            process.kill()
        assert not alive, "a process did not end"
        return [process.exitcode for process in started]

    return start


def _member(rank, size, port, function, arguments):
    os.environ |= {
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": str(size),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "TORCHELASTIC_USE_AGENT_STORE": "True",
    }
    torch.set_num_threads(1)
    try:
        with together() as team:
            function(team, *arguments)
    except (Stopped, HsiSuiteError) as error:
        (arguments[0] / f"said{rank}").write_text(f"{type(error).__name__}: {error}")
        sys.exit(3)


def fit_and_keep(team, folder, stop_after, rank_that_stops, name, keys):
    """Train; leave history and weights of every process in files."""
    observer = StopAfter(stop_after) if team.rank == rank_that_stops else None
    ours = trainer(folder / "c.pt", observer, team, **keys)
    training = ours.fit()
    content = {
        "history": training.history,
        "epoch": training.epoch,
        "weights": ours.model.state_dict(),
        "validations": ours.task.validations,
    }
    torch.save(content, folder / f"{name}{team.rank}.pt")


def kept(folder, name, rank):
    return torch.load(folder / f"{name}{rank}.pt", weights_only=True)


def assert_close(history, expected, tolerance):
    assert len(history) == len(expected)
    for row, other in zip(history, expected, strict=True):
        assert row == pytest.approx(other, abs=tolerance, rel=tolerance)


def assert_weights(weights, expected, tolerance):
    for name, value in expected.items():
        torch.testing.assert_close(weights[name], value, atol=tolerance, rtol=tolerance)


@settings(max_examples=25, deadline=None)
@given(items=st.integers(1, 9), size=st.integers(1, 4), seed=st.integers(0, 99))
def test_parts_of_a_batch_add_up_to_the_whole(items, size, seed):
    task, model = Regression(dtype=torch.float64), network(dtype=torch.float64)
    batch = task.x[:items], task.y[:items]

    def gradients(team):
        model.zero_grad()
        with seeded(seed, CPU):
            loss, figures, number = team.loss(task, model, batch)
            following = torch.rand(3)
        loss.backward()
        used = [p.grad.clone() for p in model.parameters() if p.grad is not None]
        return [loss.detach(), figures["absolute"], *used], number, following

    whole, number, following = gradients(ALONE)
    parts = [gradients(Team(rank, size)) for rank in range(size)]
    assert number == items
    for part in parts:
        assert part[1] == items
        assert torch.equal(part[2], following), "the generator went on by another way"
    for sums, expected in zip(zip(*(part[0] for part in parts), strict=True), whole, strict=True):
        torch.testing.assert_close(sum(sums), expected, atol=1e-12, rtol=1e-12)


@pytest.mark.parametrize(
    ("size", "dtype", "tolerance"), [(2, "float32", 5e-7), (3, "float64", 1e-12)]
)
def test_several_processes_train_as_one(tmp_path, processes, size, dtype, tolerance):
    keys = {"dtype": getattr(torch, dtype)}
    alone = trainer(**keys)
    expected = alone.fit()
    assert processes(size, fit_and_keep, tmp_path, 0, 0, "all", keys) == [0] * size
    first, *others = (kept(tmp_path, "all", rank) for rank in range(size))
    assert_close(first["history"], expected.history, tolerance)
    assert_weights(first["weights"], alone.model.state_dict(), 10 * tolerance)
    for other in others:
        assert all(
            torch.equal(first["weights"][key], other["weights"][key]) for key in other["weights"]
        )
        assert other["validations"] == 0


def fit_on_cuda(team, folder):
    fit_and_keep(team, folder, 0, 0, "all", {"device": resolve_device("auto")})


@pytest.mark.cuda
def test_two_cuda_devices_train_as_one(tmp_path, processes):
    if torch.cuda.device_count() < 2:
        pytest.skip("one CUDA device")
    alone = trainer(device=torch.device("cuda:0"))
    expected = alone.fit()
    assert processes(2, fit_on_cuda, tmp_path) == [0, 0]
    assert_close(kept(tmp_path, "all", 0)["history"], expected.history, 5e-7)


def test_the_first_process_chooses_the_epoch_for_all(tmp_path, processes):
    keys = {
        "scores": [0.1, 0.9, 0.2, 0.3, 0.95],
        "selection": "best",
        "early_stopping": 2,
        "epochs": 5,
    }
    alone = trainer(**keys)
    expected = alone.fit()
    assert processes(2, fit_and_keep, tmp_path, 0, 0, "all", keys) == [0, 0]
    ours = kept(tmp_path, "all", 0)
    assert ours["epoch"] == expected.epoch == 2
    assert_close(ours["history"], expected.history, 5e-7)
    assert_weights(ours["weights"], alone.model.state_dict(), 5e-6)


def test_a_stop_in_any_process_stops_all_and_any_number_goes_on(tmp_path, processes):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    whole.mkdir()
    broken.mkdir()
    assert processes(2, fit_and_keep, whole, 0, 0, "all", {}) == [0, 0]
    expected = kept(whole, "all", 0)
    # The second process hears the signal; the first one says that all have stopped.
    assert processes(2, fit_and_keep, broken, 6, 1, "half", {}) == [3, 130]
    assert (broken / "said0").read_text().startswith("Stopped")
    saved = (broken / "c.pt").read_bytes()
    assert processes(2, fit_and_keep, broken, 0, 0, "two", {}) == [0, 0]
    again = kept(broken, "two", 0)
    assert again["history"] == expected["history"]
    assert all(
        torch.equal(again["weights"][key], value) for key, value in expected["weights"].items()
    )
    (broken / "c.pt").write_bytes(saved)
    alone = trainer(broken / "c.pt")
    assert_close(alone.fit().history, expected["history"], 5e-7)
    assert_weights(alone.model.state_dict(), expected["weights"], 5e-6)


def fail(team, folder, rank, how):
    ours = trainer(team=team)
    draw = ours.task.batch

    def batch(epoch, step):
        if (epoch, step) == (1, 1) and team.rank == rank:
            if how == "killed":
                os.kill(os.getpid(), signal.SIGKILL)
            raise ConfigError("train", "nonsense")
        return draw(epoch, step)

    ours.task.batch = batch
    ours.fit()


@pytest.mark.parametrize("rank", [0, 1])
def test_a_process_that_fails_ends_all_and_speaks_alone(tmp_path, processes, rank):
    started = time.monotonic()
    codes = processes(2, fail, tmp_path, rank, "error")
    assert time.monotonic() - started < LIMIT_SECONDS / 2
    assert codes[rank] == 3
    assert codes[1 - rank] == 1
    assert [path.name for path in tmp_path.iterdir()] == [f"said{rank}"]
    assert (tmp_path / f"said{rank}").read_text() == "ConfigError: train: nonsense"


def test_a_killed_process_ends_the_others_with_one_line(tmp_path, processes):
    assert processes(2, fail, tmp_path, 1, "killed") == [3, -signal.SIGKILL]
    assert "another process has ended" in (tmp_path / "said0").read_text()


def exchange(team, folder):
    for data in (None, b"", b"some bytes"):
        assert team.tell(data if team.first else b"not heard") == data
    assert team.agree(team.rank == 1, False) == [True, False]


def test_what_the_first_process_tells_arrives(tmp_path, processes):
    assert processes(2, exchange, tmp_path) == [0, 0]


def test_batch_norm_is_announced():
    class Listener(Observer):
        heard = ()

        def message(self, text):
            self.heard = (*self.heard, text)

    listener = Listener()
    ours = trainer(observer=listener)
    ours._join()
    assert not listener.heard
    ours.team = Team(0, 2)
    object.__setattr__(ours.team, "equalise", lambda model: None)
    ours._join()
    assert listener.heard == ("2 processes share every batch",)
    ours.model = network(lambda: nn.BatchNorm1d(16))
    ours._join()
    assert "batch norm" in listener.heard[-1]


def test_without_a_launcher_a_process_is_alone(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with together() as team, together() as again:
        assert team == again == ALONE


def test_each_process_has_the_cuda_device_of_its_number(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert resolve_device("auto") == torch.device("cuda:0")
    for name, value in {"RANK": "3", "WORLD_SIZE": "4", "LOCAL_RANK": "1"}.items():
        monkeypatch.setenv(name, value)
    assert {str(resolve_device(name)) for name in ("auto", "cuda", "cuda:0")} == {"cuda:1"}
    assert resolve_device("cpu") == CPU
    monkeypatch.setenv("LOCAL_RANK", "2")
    with pytest.raises(DeviceError, match="2 CUDA devices"):
        resolve_device("auto")


def test_what_several_processes_cannot_share_is_refused(monkeypatch, tmp_path):
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "2")
    config = classification_config(config="smoke/classification")
    with pytest.raises(RunError, match="2 processes"):
        train_classifier(config, tmp_path)
    assert not list(tmp_path.iterdir())


def torchrun(output, *arguments):
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
    environment = os.environ | {"HSI_DATA_DIR": "", "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [*command, *arguments],
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        cwd=output,
        env=environment,
    )


@pytest.mark.slow
def test_torchrun_leaves_one_run(tmp_path, processes):
    settings = ["--config", "smoke/classification", "--set", "train.strategy=patch"]
    train = ["-m", "hsi_suite.cli", "train", "--output", "runs", "--json"]
    done = torchrun(tmp_path, *train, *settings)
    assert done.returncode == 0, done.stderr
    (folder,) = (tmp_path / "runs").iterdir()
    assert json.loads(done.stdout)["run"] == f"runs/{folder.name}"
    run = open_run(folder)
    assert run.environment["processes"] == 2
    config = classification_config(config="smoke/classification", settings=["train.strategy=patch"])
    alone = train_classifier(config, tmp_path / "alone")
    assert alone.path.name != folder.name
    assert_close(run.history, alone.history, 5e-7)
    with (folder / "history.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 2
    assert (folder / "log.txt").read_text().count("training: 0 of") == 1
    files = {path.name for path in Path(folder).iterdir()}
    assert files == {path.name for path in alone.path.iterdir()}


OUTLIVING = """
import os
from pathlib import Path

from hsi_suite.engine.distributed import together

for _ in range(3):
    with together() as team:
        import torch._dynamo  # as the first optimiser does

        team.wait()
tasks = Path("/proc/self/task")
for task in tasks.iterdir():
    print((task / "comm").read_text(), end="")
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="no list of threads here")
def test_teams_follow_each_other_and_leave_no_thread(tmp_path, processes):
    script = tmp_path / "outliving.py"
    script.write_text(OUTLIVING)
    done = torchrun(tmp_path, str(script))
    assert done.returncode == 0, done.stderr
    assert "gloo" not in done.stdout
