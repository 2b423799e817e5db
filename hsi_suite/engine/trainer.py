"""The only training loop: seeded, resumable, stoppable.

Everything drawn at random is a function of the seeds, the epoch and the step, so that the state
to be kept is the weights, the optimiser and two counters. A run killed at any moment and resumed
ends with the same bits as an unbroken one. Several processes can train together, each with a share
of every batch (`engine.distributed`); a checkpoint does not know by how many it was made.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from ..errors import RunError, Stopped
from ..kept_blocks import keeping_blocks
from ..schemas.training import TrainingConfig
from ..seeding import SeedStreams
from .checkpoint import load_checkpoint, save_checkpoint
from .devices import seeded
from .distributed import ALONE, Team
from .finite import NotFiniteError, check_weights
from .loss_scaling import LossScaling
from .observer import Observer, StopRequest, stop_requests
from .optimisation import WeightAverage, build_optimizer, learning_rate
from .precision import forward_in, products_in, usable
from .selection import Selection
from .task import TrainingTask

_FORMAT = 1
# Times the first loss: batches differ, but not by this much.
_DIVERGED = 3.0
# Of trainings in fp16: steps of an epoch that were not made, see `LossScaling`.
_SKIPPED = "skipped_steps"


@dataclass(frozen=True)
class Training:
    """What came out of a training.

    Attributes:
        history: one row of values for each epoch.
        epoch: the epoch (from 1) whose weights the model now has.
        seconds: wall-clock time of each epoch.
        first_loss: of the first batch, before any step; None where that is not known.
        together: trainings that were carried out at once (`engine.joint`); seconds are those of
            all of them.
    """

    history: list[dict[str, float]]
    epoch: int
    seconds: list[float]
    first_loss: float | None = None
    together: int = 1

    @property
    def divergence(self) -> dict[str, Any]:
        """The key "diverged" with both losses, where that of the kept epoch is far larger.

        Losses that are no longer finite end a training; this is for those that are.
        """
        last = self.history[self.epoch - 1].get("train_loss") if self.history else None
        if last is None or self.first_loss is None or last <= _DIVERGED * abs(self.first_loss):
            return {}
        return {"diverged": {"first_loss": self.first_loss, "last_loss": last}}


class Trainer:
    """Trains one model on one task.

    Args:
        model: on `device` already, its weights initialised.
        task: see `engine.task.TrainingTask`.
        config: epochs, optimiser, schedule, selection.
        seeds: the stream `dropout` is drawn here; the task draws the others.
        device: where the model is.
        checkpoint: file to resume from and to save to; None keeps nothing.
        observer: reports progress.
        team: the processes that train together. The first validates and saves; the others have
            no history.
        identity: of the run; a checkpoint of another is refused.

    Attributes:
        epoch: epochs that are done.
        step: steps of the next one that are done.
        finished: whether nothing is left to do.
        sums: of the values of the epoch's steps so far, and the number of their "items".
        epoch_seconds: wall-clock time of the epoch so far.
        selection: the best epoch so far.
        first_loss: see `Training`; so are `history`, `seconds` and `together`.
    """

    def __init__(
        self,
        model: nn.Module,
        task: TrainingTask,
        config: TrainingConfig,
        seeds: SeedStreams,
        device: torch.device,
        checkpoint: Path | None = None,
        observer: Observer | None = None,
        team: Team = ALONE,
        identity: str = "",
    ) -> None:
        self.model = model
        self.task = task
        self.config = config
        self.seeds = seeds
        self.device = device
        self.checkpoint = checkpoint
        self.observer = observer or Observer()
        self.team = team
        self.identity = identity
        self.optimizer = build_optimizer(model.parameters(), config.optimizer)
        self.average = None if config.average is None else WeightAverage(model, config.average)
        self.scaling = LossScaling(device, usable(config.precision, device) == "fp16")
        self.epoch = 0
        self.step = 0
        self.finished = False
        self.history: list[dict[str, float]] = []
        self.seconds: list[float] = []
        self.first_loss: float | None = None
        self.together = 1
        self.sums: dict[str, Tensor] = {}
        self.epoch_seconds = 0.0
        self.selection = Selection(config, task.selection_metric)
        self._saved_at = time.monotonic()

    def fit(self) -> Training:
        """Train to the end, from the checkpoint when there is one.

        Raises:
            Stopped: a stop was asked for; the checkpoint holds the state.
            RunError: a loss, a metric or a weight is no longer a number, or the checkpoint is
                damaged.
        """
        self._join()
        self._resume()
        self.optimizer.zero_grad(set_to_none=True)
        steps = self.task.steps_per_epoch
        done = self.epoch * steps + self.step
        self.observer.begin("training", self.config.epochs * steps, done)
        with stop_requests() as stop, keeping_blocks():
            while not self.finished:
                self._run_epoch(stop)
        self.observer.end()
        skipped = self.scaling.remark(self.epoch * steps)
        if skipped is not None:
            self.observer.message(skipped)
        return self._selected()

    def _run_epoch(self, stop: StopRequest) -> None:
        started = time.monotonic()
        self.model.train()
        while self.step < self.task.steps_per_epoch:
            self._run_step()
            late = time.monotonic() - self._saved_at >= self.config.checkpoint_seconds
            stopping, late = self.team.agree(stop.pending, late)
            if stopping or late:
                self.epoch_seconds += time.monotonic() - started
                started = time.monotonic()
                self.save()
            if stopping:
                self.observer.end()
                raise Stopped
        self.end_epoch(started)

    def end_epoch(self, started: float) -> None:
        """After the last step of an epoch: validate, keep what is best, and see if it was the last.

        Args:
            started: when the part of the epoch began that is not in `epoch_seconds` yet.

        Raises:
            RunError: a loss, a metric or a weight is no longer a number.
        """
        row = self._epoch_row()
        self.epoch_seconds += time.monotonic() - started
        self.history.append(row)
        self.seconds.append(self.epoch_seconds)
        self.observer.epoch(row, self.epoch_seconds)
        if self.team.first:
            self.selection.consider(row, self.epoch + 1, self._judged)
        self.epoch, self.step, self.sums, self.epoch_seconds = self.epoch + 1, 0, {}, 0.0
        finished = self.epoch >= self.config.epochs or (
            self.team.first and self.selection.no_better(self.epoch)
        )
        (self.finished,) = self.team.agree(finished)
        if self.finished:
            self.save()

    def _run_step(self) -> None:
        counter = self.epoch * self.task.steps_per_epoch + self.step
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate(counter)
        batch = self.task.batch(self.epoch, self.step)
        with (
            seeded(self.seeds.seed("dropout", counter), self.device),
            forward_in(self.config.precision, self.device),
        ):
            loss, values, items = self.team.loss(self.task, self.model, batch)
        # The backward pass runs outside of autocast, in what the forward pass has kept.
        with products_in(self.config.precision, self.device):
            self.scaling.backward(loss)
        self.team.add([p.grad for p in self.model.parameters() if p.grad is not None])
        self.scaling.unscale(self.optimizer)
        if self.config.gradient_clip is not None:
            nn.utils.clip_grad_norm_(self.model.parameters(), self.config.gradient_clip)
        made = self.scaling.step(self.optimizer)
        # Not before the next backward pass: a forward pass, and a map, need memory as well.
        self.optimizer.zero_grad(set_to_none=True)
        if made and self.average is not None:
            self.average.update(self.model, counter)
        self._add(items, {"loss": loss.detach() * items, **values})
        if counter == 0:
            self.first_loss = float(self.sums["loss"] / self.sums["items"])
        self.step += 1
        self.observer.advance()

    def _add(self, items: int, values: dict[str, Tensor]) -> None:
        # Sums stay on the device: reading one would wait for the device at every step.
        sums = {
            name: value.detach().to(self.device, torch.float64) for name, value in values.items()
        }
        self.team.add(list(sums.values()))
        for name, value in {"items": torch.tensor(items, dtype=torch.float64), **sums}.items():
            self.sums[name] = self.sums[name] + value if name in self.sums else value

    def _epoch_row(self) -> dict[str, float]:
        sums = {name: float(value) for name, value in self.sums.items()}
        items = sums.pop("items")
        last = (self.epoch + 1) * self.task.steps_per_epoch - 1
        row = {"epoch": float(self.epoch + 1), "learning_rate": self.rate(last)}
        row |= {f"train_{name}": value / items for name, value in sums.items()}
        self._refuse_divergence(row)
        try:
            check_weights(self.model.state_dict(), "the network")
            if self.average is not None:
                check_weights(self._judged.state_dict(), "the network")
            values = self._validated()
        except NotFiniteError as error:
            raise self._diverged(f"{error.subject}: {error.found}") from error
        row |= {f"validation_{name}": value for name, value in values.items()}
        if self.scaling.active:
            before = sum(each.get(_SKIPPED, 0.0) for each in self.history)
            row[_SKIPPED] = self.scaling.skipped - before
        self._refuse_divergence(row)
        return row

    def _validated(self) -> dict[str, float]:
        if not self.team.first:
            return {}
        self._judged.eval()
        with torch.no_grad():
            return self.task.validate(self._judged)

    def _refuse_divergence(self, row: dict[str, float]) -> None:
        for name, value in row.items():
            if not math.isfinite(value):
                what = name.removeprefix("train_").replace("_", " ")
                raise self._diverged(f"the {what} is {value}")

    def _diverged(self, found: str) -> RunError:
        return RunError(
            f"training, epoch {self.epoch + 1}",
            found,
            "a finite number",
            "lower train.optimizer.learning_rate or set train.gradient_clip; nothing finished is "
            "written",
        )

    @property
    def _judged(self) -> nn.Module:
        """The model that is validated and kept: the averaged one, where there is one."""
        return self.model if self.average is None else self.average.model

    def rate(self, counter: int) -> float:
        """The learning rate at a step, counted from 0 over all epochs."""
        config = self.config
        return learning_rate(
            config.optimizer, config.schedule, counter, self.task.steps_per_epoch, config.epochs
        )

    def _selected(self) -> Training:
        epoch = self.selection.take(self.model)
        if epoch is None:
            epoch = self.epoch
            if self.average is not None:
                self.model.load_state_dict(self.average.model.state_dict())
        self.model.eval()
        return Training(self.history, epoch, self.seconds, self.first_loss, self.together)

    def save(self) -> None:
        """Write the checkpoint, where one is kept."""
        self._saved_at = time.monotonic()
        if self.checkpoint is not None and self.team.first:
            save_checkpoint(self.checkpoint, self.state(), self.identity)

    def state(self) -> dict[str, Any]:
        """All that a training needs to go on: tensors, numbers and containers of them."""
        return {
            "format": _FORMAT,
            "model": self.model.state_dict(),
            "average": None if self.average is None else self.average.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scaling": self.scaling.state(),
            "epoch": self.epoch,
            "step": self.step,
            "finished": self.finished,
            "sums": self.sums,
            "history": self.history,
            "seconds": self.seconds,
            "first_loss": self.first_loss,
            "together": self.together,
            "epoch_seconds": self.epoch_seconds,
            "best": self.selection.best,
        }

    def _join(self) -> None:
        """Start from the same weights everywhere, and say what several processes change."""
        if self.team.size == 1:
            return
        self.team.equalise(self.model)
        self.observer.message(f"{self.team.size} processes share every batch")
        if any(isinstance(each, _BatchNorm) for each in self.model.modules()):
            self.observer.message(
                "batch norm sees each process's share alone: the results are not those of one "
                "process"
            )

    def _resume(self) -> None:
        if self.checkpoint is None:
            return
        state = load_checkpoint(self.checkpoint, self.identity, self.team)
        if state is None:
            return
        self.restore(state, self.checkpoint)
        self.observer.message(f"continuing from epoch {self.epoch + 1}, step {self.step + 1}")

    def restore(self, state: Mapping[str, Any], path: Path) -> None:
        """Go on from what `state` gave.

        Args:
            state: as it was read.
            path: where it was read.

        Raises:
            RunError: it is the state of something else.
        """
        try:
            if state["format"] != _FORMAT:
                raise KeyError("format")
            self.model.load_state_dict(state["model"])
            if self.average is not None:
                self.average.model.load_state_dict(state["average"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.epoch, self.step = state["epoch"], state["step"]
            self.finished = state["finished"]
            self.sums = {
                name: value.to("cpu" if name == "items" else self.device)
                for name, value in state["sums"].items()
            }
            self.history, self.seconds = state["history"], state["seconds"]
            # Checkpoints of older versions lack them.
            self.first_loss = state.get("first_loss")
            self.together = state.get("together", 1)
            self.scaling.load(state.get("scaling"))
            self.epoch_seconds, self.selection.best = state["epoch_seconds"], state["best"]
        except (KeyError, RuntimeError, ValueError, TypeError, AttributeError) as error:
            raise RunError(
                path,
                "does not fit this run",
                "a checkpoint of the same model and version",
                "delete it to train from the start",
            ) from error
