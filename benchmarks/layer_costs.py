"""What each operation of a step costs: multiply-adds, bytes, processor time, memory that it keeps.

A side of another group works as always while every operation of torch is looked at, forwards and
backwards, inside functions of our own too. Operations are told apart by what they do and by sizes,
so that a layer is named by its kernels.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

from . import classification, denoising
from .group import Group, Say, Table, find_job
from .interleaving import ROOT, Side, command_environment
from .load import watched
from .machine import measure_rates
from .workload import Workload

_ROUNDS = 5
# Operations that take less of the time stand in one row.
_LEAST_SHARE = 0.01
_OTHERS = "all others"
# Named by where they are from, not by their arguments' sizes.
# What inference mode does not take apart: each has its weights as second argument.
_WHOLE = ("conv1d", "conv2d", "conv3d", "linear")
_STEP = "optimiser"
_OPTIMISER = ("lerp_", "addcmul_", "addcdiv_", "sqrt", "_fused_adam_")
_COPIES = ("copy_", "clone", "contiguous", "_to_copy", "cat", "stack", "constant_pad_nd", "flip")


@dataclass
class Cost:
    """What the operations of one kind cost in one round.

    Attributes:
        operations: floating-point operations.
        moved: bytes of what they were given and of what they gave.
        seconds: of the processor, all threads together.
        kept: bytes they gave that are still held when the backward pass begins.
        calls: how often.
    """

    operations: float = 0.0
    moved: float = 0.0
    seconds: float = 0.0
    kept: float = 0.0
    calls: int = 0


@dataclass
class Recorder(TorchDispatchMode):  # type: ignore[misc]
    """Looks at every operation; `costs` by pass and name."""

    costs: dict[tuple[str, str], Cost] = field(default_factory=lambda: defaultdict(Cost))
    _held: dict[int, tuple[StorageWeakRef, Cost, int]] = field(default_factory=dict)
    _stage: str = "forward"

    def __post_init__(self) -> None:
        super().__init__()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        word = func.overloadpacket.__name__
        self._advance(word)
        before = time.process_time()
        given = func(*args, **(kwargs or {}))
        seconds = time.process_time() - before
        tensors = [each for each in tree_leaves((args, kwargs)) if isinstance(each, Tensor)]
        results = [each for each in tree_leaves(given) if isinstance(each, Tensor)]
        if any(each.is_meta for each in (*tensors, *results)):
            # Counted in advance by what chooses the way of training; nothing is computed.
            return given
        name = name_of(word, args)
        cost = self.costs["" if name == _STEP else self._stage, name]
        count = flop_registry.get(func.overloadpacket)
        if count is not None:
            cost.operations += count(*args, **(kwargs or {}), out_val=given)
        elif word in _WHOLE:
            cost.operations += 2 * given.numel() * args[1][0].numel()
        if not func.is_view:
            cost.moved += sum(each.numel() * each.itemsize for each in (*tensors, *results))
        cost.seconds += seconds
        cost.calls += 1
        if self._stage == "forward":
            self._hold(results, cost)
        return given

    def _advance(self, word: str) -> None:
        if self._stage == "forward" and word.endswith("_backward"):
            for reference, cost, size in self._held.values():
                if not reference.expired():
                    cost.kept += size
            self._held.clear()
            self._stage = "backward"

    def _hold(self, results: Iterable[Tensor], cost: Cost) -> None:
        for each in results:
            storage = each.untyped_storage()
            reference = StorageWeakRef(storage)
            known = self._held.get(reference.cdata)
            # A view's storage is that of the operation that made it.
            if known is None or known[0].expired():
                self._held[reference.cdata] = reference, cost, storage.nbytes()


def name_of(word: str, arguments: Sequence[Any]) -> str:
    """What an operation is called in the table, from torch's word for it and its arguments."""
    if word == "linear":
        return f"product {arguments[0].numel() // arguments[0].shape[-1]} × " + " × ".join(
            map(str, reversed(arguments[1].shape))
        )
    if word in ("convolution", "convolution_backward", *_WHOLE):
        weight = arguments[1 + (word == "convolution_backward")]
        outer, inner, *kernel = weight.shape
        what = f"convolution {inner} → {outer}, {'×'.join(map(str, kernel))}"
        if word != "convolution_backward":
            return what
        towards, *_ = arguments[-1]
        return f"{what}: gradients of " + ("input and kernels" if towards else "kernels")
    if word in ("mm", "addmm", "bmm"):
        left, right = arguments[-2:] if word != "addmm" else arguments[1:3]
        return f"product {left.shape[-2]} × {left.shape[-1]} × {right.shape[-1]}"
    if word in _OPTIMISER:
        return _STEP
    return "copies" if word in _COPIES else word.strip("_").replace("_", " ")


def record(job: str, workload: Workload, settings: Sequence[str]) -> list[list[dict[str, Any]]]:
    """The costs of each of several rounds of a job, as dictionaries with `stage` and `name`."""
    torch.set_num_threads(workload.threads)
    torch.manual_seed(0)
    work = find_job(job)(workload, settings)
    work(brief=True)
    rounds = []
    for _ in range(workload.rounds):
        with Recorder() as recorder:
            work(brief=False)
        rounds.append(
            [
                {"stage": stage, "name": name, **asdict(cost)}
                for (stage, name), cost in recorder.costs.items()
            ]
        )
    return rounds


def layer_table(title: str, side: Side, workload: Workload, say: Say) -> Table:
    """A side's operations, those that take the most time first, in a process of its own."""
    say(title)
    one = replace(workload, steps=1, rounds=min(workload.rounds, _ROUNDS))
    command = [sys.executable, "-m", "benchmarks.layer_costs"]
    with watched() as load:
        measured = subprocess.run(
            [*command, side.job, one.to_json(), json.dumps(side.settings)],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=command_environment(workload.threads),
        )
        peak = measure_rates(workload)[side.precision]
    return {
        "title": title,
        "note": "Processor time of all threads over their number, with a look at every operation: "
        "min / median / max over the rounds. Multiply-adds are those that are done, zeros "
        "included; bytes are those of what an operation is given and gives. Kept: what is still "
        "held of it when the backward pass begins.",
        "head": [
            "",
            "pass",
            "seconds",
            "share",
            "G multiply-adds",
            "GFLOP/s (of peak)",
            "MB moved",
            "MB kept",
        ],
        "rows": table_rows(json.loads(measured.stdout), peak, workload.threads),
        "load": load,
    }


def table_rows(
    rounds: Sequence[Sequence[dict[str, Any]]], peak: float, threads: int
) -> list[list[Any]]:
    """Rows of the table, from the costs of rounds; small ones together, and the sum."""
    seconds: dict[tuple[str, str], list[float]] = defaultdict(list)
    costs: dict[tuple[str, str], dict[str, Any]] = {}
    for entries in rounds:
        for entry in entries:
            key = entry["stage"], entry["name"]
            seconds[key].append(entry["seconds"] / threads)
            costs[key] = entry
    least = _LEAST_SHARE * sum(map(min, seconds.values()))
    groups: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    for key in sorted(costs, key=lambda each: -min(seconds[each])):
        groups[key if min(seconds[key]) >= least else ("", _OTHERS)].append(key)
    groups["", "**sum**"] = list(costs)
    whole = sum(map(min, seconds.values()))
    return [
        _row(key, [costs[each] for each in parts], [seconds[each] for each in parts], whole, peak)
        for key, parts in groups.items()
    ]


def _row(
    key: tuple[str, str],
    costs: Sequence[dict[str, Any]],
    seconds: Sequence[Sequence[float]],
    whole: float,
    peak: float,
) -> list[Any]:
    def total(name: str) -> float:
        return float(sum(cost[name] for cost in costs))

    fastest, operations, kept = sum(map(min, seconds)), total("operations"), total("kept") / 1e6
    rate = operations / fastest / 1e9 if fastest else 0.0
    return [
        key[1],
        key[0],
        [sum(each) for each in zip(*seconds, strict=True)] if _complete(seconds) else [fastest],
        f"{100 * fastest / whole:.0f}%",
        f"{operations / 2e9:.2f}" if operations else "",
        f"{rate:.0f} ({100 * rate / peak:.0f}%)" if operations else "",
        f"{total('moved') / 1e6:,.0f}",
        f"{kept:,.0f}" if kept >= 0.5 else "",
    ]


def _complete(seconds: Sequence[Sequence[float]]) -> bool:
    return len({len(each) for each in seconds}) == 1


_SIDES = (
    ("A dense training step", classification.TRAINING[2]),
    ("A dense training step in bf16", classification.TRAINING[3]),
    ("The map of the scene", classification.MAP[2]),
    ("A photograph through the shipped denoiser", denoising.SPEED[3]),
)

GROUP = Group(
    title="Operations",
    parts=tuple(partial(layer_table, title, side) for title, side in _SIDES),
)


if __name__ == "__main__":
    print(json.dumps(record(sys.argv[1], Workload.from_json(sys.argv[2]), json.loads(sys.argv[3]))))
