"""Several trainings of one configuration at once, which differ by their seeds.

Their parameters are stacked, and each step computes all of them by the same operations
(`torch.func`), which pays where single networks are too small to fill a device. Every training has
the batches, initial weights, dropout and order that it would have alone, and its own batch norms,
scores and best epoch; only the order of some sums differs, and so do the last digits.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap

from ..errors import ConfigError, RunError, Stopped
from .checkpoint import load_checkpoint, save_checkpoint
from .device_failures import device_failure
from .devices import seeded
from .dropout_masks import Drop, drops_of, handed
from .observer import Observer, StopRequest, stop_requests
from .optimisation import build_optimizer
from .precision import forward_in, products_in, usable
from .task import TrainingTask
from .trainer import Trainer

_ALONE = "train each alone: leave together out"


class JointTrainer:
    """Trains several models of one architecture at once.

    When it is done each trainer has saved a finished checkpoint of its own, with which its run
    goes on as if it had been trained alone. Until then all of them are in one file, so that a kill
    at any moment leaves them at the same step. One that fails is left out and leaves nothing, and
    the others go on.

    Args:
        trainers: of the same configuration but for the seeds, with tasks whose `loss` is a
            function of model and batch (a tuple of tensors) and of that configuration alone.
        checkpoint: file of all of them while they are trained.
        identity: of the whole; a checkpoint of another is refused.
        observer: is told of the steps; each trainer's own of its epochs.

    Raises:
        ConfigError: they differ in their numbers of steps or in size, or are in fp16.
    """

    def __init__(
        self, trainers: Sequence[Trainer], checkpoint: Path, identity: str, observer: Observer
    ) -> None:
        self.trainers = trainers
        self.checkpoint = checkpoint
        self.identity = identity
        self.observer = observer
        # No trainer is ahead of the others on disk while they are trained.
        self._own = [trainer.checkpoint for trainer in trainers]
        for trainer in trainers:
            trainer.checkpoint, trainer.together = None, len(trainers)
        self._stack: _Stack | None = None
        self._failed: list[Trainer] = []
        self._saved_at = time.monotonic()
        first = trainers[0]
        self._steps = first.task.steps_per_epoch
        counts = {trainer.task.steps_per_epoch for trainer in trainers}
        if len(counts) > 1:
            found = f"epochs of {' and '.join(map(str, sorted(counts)))} steps"
            raise ConfigError("together", found, "as many for all seeds", _ALONE)
        if any(_sizes(trainer.model) != _sizes(first.model) for trainer in trainers):
            found = "networks of different sizes, as seeds have other classes or channels"
            raise ConfigError("together", found, "networks alike", _ALONE)
        if usable(first.config.precision, first.device) == "fp16":
            raise ConfigError("together", "train.precision fp16", "fp32, tf32 or bf16", _ALONE)

    def fit(self) -> None:
        """Train all to the end, from the checkpoint when there is one.

        Raises:
            Stopped: a stop was asked for; the checkpoint holds the state.
            ConfigError: batches differ in size, or the network does what cannot be stacked.
            RunError: the checkpoint is damaged, or that of others.
        """
        self._resume()
        first = max(self.trainers, key=lambda trainer: trainer.epoch)
        done = first.epoch * self._steps + first.step
        self.observer.begin("training", first.config.epochs * self._steps, done)
        with stop_requests() as stop:
            while active := [each for each in self._going_on() if not each.finished]:
                self._run_epoch(active, stop)
        self.observer.end()
        self._save()
        for trainer, own in zip(self.trainers, self._own, strict=True):
            trainer.checkpoint = own
            if trainer not in self._failed:
                trainer.save()
        self.checkpoint.unlink(missing_ok=True)

    def _going_on(self) -> list[Trainer]:
        return [trainer for trainer in self.trainers if trainer not in self._failed]

    def _run_epoch(self, active: list[Trainer], stop: StopRequest) -> None:
        if self._stack is None or self._stack.trainers != active:
            self._stack = _Stack(active)
        stack, started = self._stack, time.monotonic()
        stack.begin_epoch()
        while active[0].step < self._steps:
            stack.run_step()
            self.observer.advance()
            late = time.monotonic() - self._saved_at >= active[0].config.checkpoint_seconds
            stopping = stop.pending
            if stopping or late:
                stack.hand_back()
                for trainer in active:
                    trainer.epoch_seconds += time.monotonic() - started
                started = time.monotonic()
                self._save()
            if stopping:
                self.observer.end()
                raise Stopped
        stack.hand_back()
        for trainer in active:
            self._end_epoch(trainer, started)
        # They validate one after the other: the last one's seconds are those of all.
        ended = [trainer for trainer in active if trainer not in self._failed]
        for trainer in ended:
            trainer.seconds[-1] = ended[-1].seconds[-1]

    def _end_epoch(self, trainer: Trainer, started: float) -> None:
        try:
            trainer.end_epoch(started)
        except RunError as error:
            self._failed.append(trainer)
            trainer.observer.message(f"left out of those trained at once: {error}")
            self.observer.message(
                f"seed {trainer.seeds.base}: {error.subject}: {error.found}; the others go on, and "
                "it is trained once more, alone"
            )

    def _save(self) -> None:
        self._saved_at = time.monotonic()
        states = [None if each in self._failed else each.state() for each in self.trainers]
        save_checkpoint(self.checkpoint, {"trainings": states}, self.identity)

    def _resume(self) -> None:
        state = load_checkpoint(self.checkpoint, self.identity)
        if state is None:
            return
        states = state.get("trainings")
        if not isinstance(states, list) or len(states) != len(self.trainers):
            found, expected = "does not fit these runs", f"the state of {len(self.trainers)}"
            raise RunError(self.checkpoint, found, expected, "delete it to train from the start")
        for trainer, each in zip(self.trainers, states, strict=True):
            if each is None:
                self._failed.append(trainer)
            else:
                trainer.restore(each, self.checkpoint)
        left = self._going_on()
        epoch = max((trainer.epoch for trainer in left), default=0) + 1
        self.observer.message(f"continuing {len(left)} trainings from epoch {epoch}")


class _Stack:
    """The state of several trainers at the same step, stacked along a first dimension."""

    def __init__(self, trainers: list[Trainer]) -> None:
        self.trainers = trainers
        first = trainers[0]
        self.begin_epoch()
        self.parameters, self.buffers = stack_module_state([each.model for each in trainers])
        self.optimizer = build_optimizer(self.parameters.values(), first.config.optimizer)
        states = [trainer.optimizer.state_dict() for trainer in trainers]
        merged = {
            number: {
                name: torch.stack([state["state"][number][name] for state in states])
                if _each_has_its_own(name, value)
                else value
                for name, value in entry.items()
            }
            for number, entry in states[0]["state"].items()
        }
        self.optimizer.load_state_dict(states[0] | {"state": merged})
        self._network = _WithLoss(first.model, first.task)
        self._drops: dict[tuple[torch.Size, ...], list[Drop]] = {}

    def begin_epoch(self) -> None:
        """Take what trainers have summed up: nothing, but of an epoch that was begun before."""
        for trainer in self.trainers:
            trainer.model.train()
        self._sums = {
            name: torch.stack([trainer.sums[name] for trainer in self.trainers])
            for name in self.trainers[0].sums
        }

    def run_step(self) -> None:
        """Make a step of every training."""
        first = self.trainers[0]
        counter = first.epoch * first.task.steps_per_epoch + first.step
        for group in self.optimizer.param_groups:
            group["lr"] = first.rate(counter)
        losses, values = self._losses(counter)
        # A training's parameters are in its own loss alone, so the sum has the gradients of each.
        with products_in(first.config.precision, first.device):
            losses.sum().backward()  # type: ignore[no-untyped-call]
        if first.config.gradient_clip is not None:
            self._clip(first.config.gradient_clip)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self._add(losses.detach(), values)
        for place, trainer in enumerate(self.trainers):
            if counter == 0:
                trainer.first_loss = float(losses[place].detach())
            trainer.step += 1
        if first.average is not None:
            self._hand_weights_back()
            for trainer in self.trainers:
                assert trainer.average is not None
                trainer.average.update(trainer.model, counter)

    @torch.no_grad()
    def hand_back(self) -> None:
        """Give every trainer what is its own."""
        self._hand_weights_back()
        state = self.optimizer.state_dict()
        for place, trainer in enumerate(self.trainers):
            own = {
                number: {
                    name: value[place].clone() if _each_has_its_own(name, value) else value
                    for name, value in entry.items()
                }
                for number, entry in state["state"].items()
            }
            trainer.optimizer.load_state_dict(state | {"state": own})
            trainer.sums = {name: values[place].clone() for name, values in self._sums.items()}

    @torch.no_grad()
    def _hand_weights_back(self) -> None:
        for place, trainer in enumerate(self.trainers):
            own = dict(trainer.model.named_parameters()) | dict(trainer.model.named_buffers())
            for name, values in (self.parameters | self.buffers).items():
                own[name].copy_(values[place])

    def _losses(self, counter: int) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss of each training, and sums of further values over the items."""
        first = self.trainers[0]
        batches = [trainer.task.batch(trainer.epoch, trainer.step) for trainer in self.trainers]
        batch = self._stacked(batches)
        masks = self._masks(batches[0], counter)

        def of_one(parameters: Any, buffers: Any, batch: Any, masks: Any) -> Any:
            with handed(masks):
                return functional_call(self._network, _named(parameters, buffers), (batch,))

        with forward_in(first.config.precision, first.device):
            try:
                found = vmap(of_one)(self.parameters, self.buffers, batch, masks)
            except RuntimeError as error:
                if device_failure(first.device, error) is not None:
                    raise
                why = str(error).splitlines()[0]
                raise ConfigError(
                    "together", f"what cannot be stacked ({why})", "another network", _ALONE
                ) from error
        losses, values = found
        return losses, values

    def _stacked(self, batches: Sequence[tuple[Tensor, ...]]) -> tuple[Tensor, ...]:
        for trainer, batch in zip(self.trainers, batches, strict=True):
            for one, other in zip(batches[0], batch, strict=True):
                if one.shape != other.shape:
                    raise ConfigError(
                        "together",
                        f"a batch of {len(other)} for seed {trainer.seeds.base} and of {len(one)} "
                        f"for seed {self.trainers[0].seeds.base}",
                        "batches of the same size for all seeds",
                        _ALONE,
                    )
        return tuple(torch.stack(parts) for parts in zip(*batches, strict=True))

    def _masks(self, batch: tuple[Tensor, ...], counter: int) -> list[Tensor]:
        """What dropout does to each training at a step: as alone, from its own seed."""
        shapes = tuple(part.shape for part in batch)
        if shapes not in self._drops:
            self._drops[shapes] = self._drops_of(batch)
        drops = self._drops[shapes]
        if not drops:
            return []
        drawn = []
        for trainer in self.trainers:
            with seeded(trainer.seeds.seed("dropout", counter), trainer.device):
                drawn.append([drop.drawn() for drop in drops])
        return [torch.stack(parts) for parts in zip(*drawn, strict=True)]

    def _drops_of(self, batch: tuple[Tensor, ...]) -> list[Drop]:
        first = self.trainers[0]
        # Copies of the buffers: batch norms are not to see the batch twice.
        buffers = {name: value[0].clone() for name, value in self.buffers.items()}
        state = _named({name: value[0] for name, value in self.parameters.items()}, buffers)
        with (
            torch.no_grad(),
            seeded(0, first.device),
            forward_in(first.config.precision, first.device),
        ):
            return drops_of(lambda: functional_call(self._network, state, (batch,)))

    @torch.no_grad()
    def _clip(self, largest: float) -> None:
        """As `torch.nn.utils.clip_grad_norm_`, of every training by itself."""
        gradients = [p.grad for p in self.parameters.values() if p.grad is not None]
        parts = [torch.linalg.vector_norm(each.flatten(1), dim=1) for each in gradients]
        norms = torch.linalg.vector_norm(torch.stack(parts), dim=0)
        shares = (largest / (norms + 1e-6)).clamp(max=1.0)
        for each in gradients:
            each.mul_(shares.view(-1, *[1] * (each.ndim - 1)))

    def _add(self, losses: Tensor, values: dict[str, Tensor]) -> None:
        items = torch.full((len(self.trainers),), self._network.items, dtype=torch.float64)
        sums = {"loss": losses * self._network.items, **values}
        sums = {name: value.detach().to(torch.float64) for name, value in sums.items()}
        for name, value in {"items": items, **sums}.items():
            self._sums[name] = self._sums[name] + value if name in self._sums else value


class _WithLoss(nn.Module):
    """A network and what its task makes of a batch, as one module."""

    def __init__(self, model: nn.Module, task: TrainingTask) -> None:
        super().__init__()
        self.model = model
        self.task = task
        self.items = 0

    def forward(self, batch: tuple[Tensor, ...]) -> tuple[Tensor, dict[str, Tensor]]:
        """Mean loss of a batch and sums of further values; notes the number of items."""
        loss, values, self.items = self.task.loss(self.model, batch)
        return loss, values


def _sizes(model: nn.Module) -> list[tuple[str, torch.Size]]:
    return [(name, value.shape) for name, value in model.state_dict().items()]


def _named(parameters: dict[str, Tensor], buffers: dict[str, Tensor]) -> dict[str, Tensor]:
    """The state of a network as that of `_WithLoss`."""
    return {f"model.{name}": value for name, value in (parameters | buffers).items()}


def _each_has_its_own(name: str, value: Any) -> bool:
    """Whether an entry of an optimiser's state belongs to a parameter, and is no count of steps."""
    return isinstance(value, Tensor) and name != "step"
