"""Equal bits twice, a scene at once against its windows, precisions, memory: one table.

On a processor the first of both rounds is a dry run: all operations are held against the table of
those without a deterministic form on CUDA (`engine.determinism`), and so are those of networks.

What fails, of whatever kind the error is, is a row of the table, and the rest is done: a device on
which something breaks is what the table is for.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from ...atomic import temporary_folder
from ...data.patches import WindowSampler
from ...engine.determinism import EXPLAINED, Watch
from ...engine.device_names import driver_version
from ...engine.devices import computing
from ...engine.observer import Observer
from ...engine.precision import forward_in, precision_facts, usable
from ...environment import describe_environment
from ...errors import HsiSuiteError, Stopped
from ...models.building import build_model
from ...models.registry import model_names
from ...runs.machine import forget_peak_device_memory, peak_device_megabytes
from ...schemas.training import Precision
from ..scenes.task import scene_logits, window_logits
from .networks import pass_through
from .smoke import SMOKE, Digests

_TASKS = ("classification", "denoising", "retrieval")
# Of logits of a few units; what rounding in fp32 makes of them is a hundredth of it.
DENSE_TOLERANCE = 1e-3
_SIDE = 48
_PRECISIONS: tuple[Precision, ...] = ("tf32", "bf16", "fp16")
_AT_ONCE = "a scene at once against its windows"
_Value = TypeVar("_Value")


@dataclass(frozen=True)
class Failure:
    """Why something could not be done.

    Attributes:
        line: what happened, for people.
        traceback: where, if it is a defect; else empty.
    """

    line: str
    traceback: str = ""


@dataclass(frozen=True)
class Twice:
    """A piece of work, done twice.

    Attributes:
        name: of `smoke.SMOKE`.
        seconds: of the second time.
        differing: what did not have the same bits.
        megabytes: most that tensors took on a CUDA device, in 10^6 bytes; None on processors.
        failure: why it could not be done; None where it could.
    """

    name: str
    seconds: float = 0.0
    differing: tuple[str, ...] = ()
    megabytes: float | None = None
    failure: Failure | None = None

    @property
    def sound(self) -> bool:
        """Whether it could be done, twice with the same bits."""
        return self.failure is None and not self.differing


@dataclass(frozen=True)
class DeviceCheck:
    """What a device was found to do.

    Attributes:
        facts: versions and the device, as environment.json of runs has them, and its memory.
        work: a row for each piece.
        dense: largest difference between logits of a scene at once and of its windows; None where
            they could not be had.
        precisions: by each that the device has, the largest difference of logits from fp32.
        failures: why something else than work could not be done, by what it was.
        operations: how many kinds of operations a dry run saw; None where there was none.
        findings: those among them without a deterministic form on CUDA, a line each.
        explained: those that the documentation's words would refuse, and why they are none.
    """

    facts: Mapping[str, Any]
    work: Sequence[Twice]
    dense: float | None
    precisions: Mapping[str, float]
    failures: Mapping[str, Failure] = field(default_factory=dict)
    operations: int | None = None
    findings: Sequence[str] = ()
    explained: Mapping[str, str] = field(default_factory=dict)

    @property
    def sound(self) -> bool:
        """Whether all is as it should be."""
        return not self.wrong

    @property
    def wrong(self) -> list[str]:
        """What is not as it should be, by name; empty where `sound`."""
        rows = [each.name for each in self.work if not each.sound]
        apart = self.dense is not None and not self.dense <= DENSE_TOLERANCE
        dense = [_AT_ONCE] if apart else []
        refused = [finding.split(maxsplit=1)[0] for finding in self.findings]
        return [*rows, *self.failures, *dense, *refused]

    @property
    def not_done(self) -> list[Failure]:
        """All that could not be done."""
        return [each.failure for each in self.work if each.failure] + list(self.failures.values())

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self) | {"sound": self.sound}


def check_device(
    device: torch.device,
    observer: Observer,
    names: Sequence[str] | None = None,
    networks: Sequence[str] | None = None,
) -> DeviceCheck:
    """Let a device do small work of every kind, twice, in a temporary folder.

    Args:
        device: that computes.
        observer: reports progress.
        names: of `smoke.SMOKE`; None for all.
        networks: that a dry run passes through; None for all.

    Raises:
        DeviceError: the device computes nothing at all.
    """
    facts = _facts(device)
    watch = Watch() if device.type == "cpu" else None
    chosen = list(SMOKE) if names is None else list(names)
    observer.begin("checking", 2 * len(chosen))
    work = [_twice(name, device, watch, observer) for name in chosen]
    observer.end()
    failures: dict[str, Failure] = {}
    dense = _tried(device, _AT_ONCE, lambda: _dense_against_windows(device), failures)
    precisions: dict[str, float] = {}
    for precision in _PRECISIONS:
        if usable(precision, device) == precision:
            called = precision_facts(precision, device)
            apart = _tried(
                device, f"{called} against fp32", partial(_against_fp32, device, precision),
                failures,
            )  # fmt: skip
            precisions |= {} if apart is None else {called: apart}
    if watch is None:
        return DeviceCheck(facts, work, dense, precisions, failures)
    every = [name for task in _TASKS for name in model_names(task)]
    pass_through(every if networks is None else networks, watch)
    return DeviceCheck(
        facts, work, dense, precisions, failures,
        operations=len(watch.seen),
        findings=[str(finding) for finding in watch.findings],
        explained={name: EXPLAINED[name] for name in watch.explained},
    )  # fmt: skip


def _facts(device: torch.device) -> dict[str, Any]:
    """What the device is, once it has added two numbers."""
    with computing(device, 1, deterministic=True):
        (torch.ones(1, device=device) + 1).item()
        facts = describe_environment(str(device), 1)
        if device.type == "cuda":
            memory = torch.cuda.get_device_properties(device).total_memory
            facts["device_megabytes"] = round(memory / 1e6)
            facts["driver"] = driver_version()
    return facts


def _failure(error: Exception) -> Failure:
    """What to say of an error; what a user can cause says it itself.

    Raises:
        Stopped: it is one: the user has asked for it.
    """
    if isinstance(error, Stopped):
        raise error
    if isinstance(error, HsiSuiteError):
        return Failure(str(error))
    said = str(error).strip().partition("\n")[0]
    return Failure(f"{type(error).__name__}: {said}", traceback.format_exc())


def _tried(
    device: torch.device,
    what: str,
    compute: Callable[[], _Value],
    failures: dict[str, Failure],
) -> _Value | None:
    """What is computed; None, and why in `failures`, where that fails."""
    try:
        with computing(device, 1, deterministic=True):
            return compute()
    except Exception as error:
        failures[what] = _failure(error)
        return None


def _twice(name: str, device: torch.device, watch: Watch | None, observer: Observer) -> Twice:
    found: list[Digests] = []
    forget_peak_device_memory()
    started = time.monotonic()
    try:
        for first in (True, False):
            started = time.monotonic()
            with temporary_folder("hsi-check-") as folder, _watched(watch if first else None):
                found.append(SMOKE[name](folder, str(device), Observer()))
            observer.advance()
    except Exception as error:
        return Twice(name, failure=_failure(error))
    one, other = found
    return Twice(
        name,
        round(time.monotonic() - started, 2),
        tuple(key for key in one if one[key] != other[key]),
        peak_device_megabytes().get("peak_device_megabytes"),
    )


def _watched(watch: Watch | None) -> Any:
    return nullcontext() if watch is None else watch


def _scene(device: torch.device) -> tuple[Any, WindowSampler]:
    """A network and a scene of noise that it can see at once, or window by window."""
    generator = torch.Generator().manual_seed(0)
    network = build_model(
        "hybridsn", in_channels=13, num_classes=5, window=11, options={}, generator=generator
    )
    scene = torch.randn(13, _SIDE, _SIDE, generator=generator)
    return network.eval().to(device), WindowSampler(scene.to(device), 11)


def _logits_at_once(network: Any, sampler: WindowSampler) -> NDArray[np.float32]:
    wanted = torch.ones(_SIDE, _SIDE, dtype=torch.bool)
    with torch.inference_mode():
        parts = [part for _, part in scene_logits(network, sampler, wanted, 512, Observer())]
    return np.asarray(torch.cat(parts).float().cpu().numpy())


def _dense_against_windows(device: torch.device) -> float:
    network, sampler = _scene(device)
    windows = window_logits(network, sampler, torch.arange(_SIDE**2), 512).cpu().numpy()
    return _largest(_logits_at_once(network, sampler), windows)


def _against_fp32(device: torch.device, precision: Precision) -> float:
    network, sampler = _scene(device)
    exact = _logits_at_once(network, sampler)
    with forward_in(precision, device):
        return _largest(_logits_at_once(network, sampler), exact)


def _largest(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    return float(np.abs(one - other).max())
