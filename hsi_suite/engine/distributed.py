"""One training by several processes, as `torchrun` starts them.

The mathematics is that of one process. Every process draws the whole batch, which is a function
of seed and step, and takes its share; dropout draws its mask for the whole batch; the loss of a
share counts by its items; gradients are summed before they are clipped. So weights, averages
and optimisers stay equal everywhere, and only the order of some sums differs.

Gradients are summed in one explicit message after the backward pass, not by torch's
DistributedDataParallel: that averages shares as if they were equal, must see each forward pass
go through its wrapper (tasks call further methods of their networks), and allows no process to
be without items in the last, smaller batch.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import torch
import torch.distributed as dist

# Functions of this module keep the group that there is when it is first imported, which torch's
# optimisers do: its threads would outlive `destroy_process_group` and can abort Python's end.
import torch.distributed.nn
from torch import Tensor, nn
from torch.distributed.distributed_c10d import PrefixStore, Store
from torch.distributed.rendezvous import rendezvous
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from ..errors import RunError, Stopped
from .launched import launched_processes
from .task import TrainingTask

# To find each other; and to wait while the first process validates, evaluates and writes.
_MEETING = timedelta(minutes=10)
_PATIENCE = timedelta(days=1)
# Processes of one team train the same runs one after the other, so they count alike.
_MEETINGS = itertools.count()
# A launcher ends all processes when the first is gone: the one that speaks needs a moment.
_SPEAKING_SECONDS = 1.0
_DRAWS = {
    functional.dropout,
    functional.dropout1d,
    functional.dropout2d,
    functional.dropout3d,
    functional.alpha_dropout,
    functional.feature_alpha_dropout,
}


@dataclass(frozen=True)
class Team:
    """The processes that train together; a process alone is a team as well.

    Attributes:
        rank: which of them this one is; the first, 0, is the one that writes and speaks.
        size: their number.
    """

    rank: int = 0
    size: int = 1

    @property
    def first(self) -> bool:
        """Whether this is the process that writes and speaks."""
        return self.rank == 0

    def add(self, tensors: Sequence[Tensor]) -> None:
        """Replace each tensor by its sum over the team, the same bits everywhere.

        Args:
            tensors: of one device; the team's must have the same shapes in the same order.
        """
        if self.size == 1 or not tensors:
            return
        flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
        self._meet(lambda: dist.all_reduce(flat))
        parts = torch.split(flat, [tensor.numel() for tensor in tensors])
        for tensor, part in zip(tensors, parts, strict=True):
            tensor.copy_(part.view_as(tensor))

    def agree(self, *wishes: bool) -> list[bool]:
        """For each wish, whether anybody in the team has it."""
        if self.size == 1:
            return list(wishes)
        votes = torch.tensor(wishes, dtype=torch.int32)
        self._meet(lambda: dist.all_reduce(votes, dist.ReduceOp.MAX))
        return [bool(vote) for vote in votes]

    def wait(self) -> None:
        """Go on when everybody has come here."""
        self.agree(True)

    def tell(self, data: bytes | None) -> bytes | None:
        """What the first process gives, in all of them."""
        if self.size == 1:
            return data
        length = torch.tensor(-1 if data is None or not self.first else len(data))
        self._meet(lambda: dist.broadcast(length, 0))
        if length < 0:
            return None
        content = torch.empty(int(length), dtype=torch.uint8)
        if self.first and data:
            content.copy_(torch.frombuffer(bytearray(data), dtype=torch.uint8))
        if len(content):
            self._meet(lambda: dist.broadcast(content, 0))
        return content.numpy().tobytes()

    def equalise(self, model: nn.Module) -> None:
        """Give every process the first one's weights and buffers."""
        if self.size > 1:
            for value in model.state_dict().values():
                self._meet(partial(dist.broadcast, value, 0))

    def loss(
        self, task: TrainingTask, model: nn.Module, batch: Any
    ) -> tuple[Tensor, dict[str, Tensor], int]:
        """This process's part of `task.loss` of a batch: parts of the team add up to the whole.

        Args:
            task: its `loss` is a mean over items.
            model: its batch norms see the share alone.
            batch: a tensor, or a tuple of tensors, with the items along the first dimension.

        Returns:
            Part of the batch's mean loss, parts of the sums of its values, its number of items.
        """
        if self.size == 1:
            return task.loss(model, batch)
        items = len(batch if isinstance(batch, Tensor) else batch[0])
        begin, end = (items * k // self.size for k in (self.rank, self.rank + 1))
        counted = end - begin
        if not counted:
            # Fewer items than processes: an item of another's that counts nothing keeps the
            # gradients' shapes the same everywhere.
            begin, end = 0, 1
        part = slice(begin, end)
        share = batch[part] if isinstance(batch, Tensor) else tuple(each[part] for each in batch)
        with _DrawnForAll(items, part):
            loss, values, _ = task.loss(model, share)
        values = {name: value * bool(counted) for name, value in values.items()}
        return loss * (counted / items), values, items

    def _meet(self, exchange: Callable[[], Any]) -> None:
        try:
            exchange()
        except RuntimeError as error:
            raise RunError(
                f"process {self.rank + 1} of {self.size}",
                "another process has ended or cannot be reached",
                "all of them to the end",
                "continue the run with --resume",
            ) from error


ALONE = Team()


class _DrawnForAll(TorchFunctionMode):
    """Dropout as for the whole batch, of which only a part is there.

    Tensors that do not have the share's items first are left alone: they are the same in every
    process, and so is what is drawn for them.
    """

    def __init__(self, items: int, part: slice) -> None:
        super().__init__()
        self.items, self.part = items, part

    def __torch_function__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        begin, end = self.part.start, self.part.stop
        if func not in _DRAWS or not kwargs["training"] or len(args[0]) != end - begin:
            return func(*args, **kwargs)
        (values,) = args
        before, after = (
            values.new_zeros(number, *values.shape[1:]) for number in (begin, self.items - end)
        )
        return func(torch.cat([before, values, after]), **kwargs)[self.part]


@contextmanager
def together() -> Iterator[Team]:
    """The team that the launcher has started, connected; without a launcher, this process alone.

    Inside another `together` the team is the same. When a process fails, the first to do so
    raises what has happened and the others end silently (`SystemExit`), so that a user reads one
    line; when they are stopped, the first process raises `Stopped` and the others end.

    Raises:
        RunError: the processes cannot reach each other.
    """
    if dist.is_available() and dist.is_initialized():
        yield Team(dist.get_rank(), dist.get_world_size())
        return
    if launched_processes() == 1:
        yield Team()
        return
    store, team = _connect()
    try:
        yield team
    except BaseException as error:
        first_to_fail = _claim(store)
        stopped = isinstance(error, Stopped | KeyboardInterrupt)
        if team.first if stopped else first_to_fail:
            raise
        if not stopped:
            time.sleep(_SPEAKING_SECONDS)
        raise SystemExit(130 if stopped else 1) from None
    finally:
        dist.destroy_process_group()


def _connect() -> tuple[Store, Team]:
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    try:
        common, rank, size = next(rendezvous("env://", timeout=_MEETING))
        # Names of its own for each meeting: the addresses of an earlier one are still in the store.
        store = PrefixStore(f"meeting {next(_MEETINGS)}", common)
        dist.init_process_group(
            backend,
            store=store,
            rank=rank,
            world_size=size,
            timeout=_PATIENCE,
        )
    except (RuntimeError, ValueError) as error:
        raise RunError(
            "distributed training",
            f"the processes cannot reach each other ({str(error).splitlines()[0]})",
            "processes that torchrun has started",
            "on one machine use torchrun --standalone",
        ) from error
    return store, Team(rank, size)


def _claim(store: Store) -> bool:
    """Whether this process is the first to fail."""
    try:
        return bool(store.add("failed", 1) == 1)
    except RuntimeError:
        # The store was in a process that is gone; a line too many is better than none.
        return True
