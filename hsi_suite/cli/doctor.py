"""`hsi doctor`: does everything work here, and what does this machine offer?"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import Stopped
from .terminal import say
from .values import device_option

if TYPE_CHECKING:
    from ..tasks.device_check.check import DeviceCheck

_EXAMPLES = """\b
Examples:
  hsi doctor
  hsi doctor --gpu
  hsi doctor --gpu --device cuda:1 --json > gpu.json
"""


@click.command(epilog=_EXAMPLES)
@click.option(
    "--gpu",
    is_flag=True,
    help="Let the GPU do small work of every kind twice and compare the bits; without one, say "
    "which operations have no deterministic form on one.",
)
@device_option("Of --gpu: auto, cpu, cuda or cuda:N.")
@click.option("--json", "as_json", is_flag=True, help="Print what --gpu found as JSON.")
def doctor(gpu: bool, device: str | None, as_json: bool) -> int:
    """Check the installation and say what this machine offers.

    --gpu takes about a minute. Exit status 0: all is sound; 1: bits differ, a scene at once is not
    its windows, or an operation is refused.
    """
    if gpu:
        return _check(device or "auto", as_json)
    for option, given in (("--device", device is not None), ("--json", as_json)):
        if given:
            raise click.UsageError(f"{option} is of hsi doctor --gpu")
    _describe()
    return 0


def _check(device: str, as_json: bool) -> int:
    say(f"hsi doctor: small work of every kind on {device}, twice; about a minute", err=True)
    # What computes takes seconds to load.
    from ..api.progress import TerminalObserver
    from ..engine.device_names import why_none
    from ..engine.devices import resolve_device
    from ..tasks.device_check.check import check_device
    from .output import print_json

    resolved = resolve_device(device)
    if device == "auto" and resolved.type == "cpu":
        say(f"no CUDA device ({why_none()}): a dry run on the processor", err=True)
    try:
        found = check_device(resolved, TerminalObserver())
    except Stopped:
        # What a single work says of going on is of a folder that goes with the check.
        raise Stopped("nothing is left of the check; the same command begins anew") from None
    if as_json:
        print_json(found.to_dict())
    else:
        _say_check(found)
    return 0 if found.sound else 1


def _say_check(check: DeviceCheck) -> None:
    """The table that a user reads, and can send."""
    from ..tasks.device_check.check import DENSE_TOLERANCE

    facts = check.facts
    name = facts.get("device_name", f"{facts['device']}, {facts['cpu_capability']}")
    memory = f", {facts['device_megabytes']:,} MB" if "device_megabytes" in facts else ""
    say(f"{name}{memory}, torch {facts['packages']['torch']}, CUDA {facts.get('cuda') or 'none'}"
        f"{_below(facts)}")  # fmt: skip
    code = facts.get("code") or {}
    commit = f" of commit {code['commit'][:8]}" if code.get("commit") else ""
    changed = ", changed since" if code.get("changed") else ""
    version, python = facts["packages"]["hsi-suite"], facts["python"]
    say(f"hsi-suite {version}{commit}{changed}; python {python} on {facts['platform']}")
    say(f"{'work, twice':20} {'bits':10} {'seconds':>8} {'MB':>8}")
    for row in check.work:
        if row.failure is not None:
            say(f"{row.name:20} not done: {row.failure.line}")
            continue
        bits = "equal" if not row.differing else "differ"
        taken = "-" if row.megabytes is None else f"{row.megabytes:,.0f}"
        say(f"{row.name:20} {bits:10} {row.seconds:8.2f} {taken:>8}")
        if row.differing:
            say(f"  not the same: {', '.join(row.differing)}")
    if check.dense is not None:
        say(f"a scene at once against its windows: {check.dense:.1e} (at most "
            f"{DENSE_TOLERANCE:.0e})")  # fmt: skip
    for precision, difference in check.precisions.items():
        say(f"{precision} against fp32: {difference:.1e}")
    for what, failure in check.failures.items():
        say(f"{what}: not done: {failure.line}")
    if check.operations is not None:
        say(f"dry run: {check.operations} operations, {len(check.findings)} without a "
            "deterministic form on CUDA")  # fmt: skip
    for line in check.findings:
        say(f"  {line}")
    for operation, why in check.explained.items():
        say(f"  aten::{operation} is deterministic: {why}")
    if any(failure.traceback for failure in check.not_done):
        say("where it failed: --json has it")
    say("all is sound" if check.sound else f"not as it should be: {', '.join(check.wrong)}")


def _below(facts: Mapping[str, Any]) -> str:
    """The versions of what CUDA stands on."""
    known = {"cuDNN": facts.get("cudnn"), "driver": facts.get("driver")}
    return "".join(f", {name} {version}" for name, version in known.items() if version)


def _describe() -> None:
    from ..cache import cache_folder
    from ..engine.device_names import why_none
    from ..environment import describe_environment, describe_packages
    from ..runs.machine import available_threads

    for name, version in describe_packages().items():
        say(f"{name:16} {version}")
    # What follows asks torch, which takes a second to load.
    import torch

    facts = describe_environment("cpu", available_threads())
    say(f"{'python':16} {facts['python']} on {facts['platform']}")
    say(f"{'threads':16} {facts['threads']}, {facts['cpu_capability']}")
    names = [_named(number) for number in range(torch.cuda.device_count())]
    say(f"{'CUDA devices':16} {', '.join(names) or f'none: {why_none()}'}")
    parts = ("rasterio", "pyogrio", "shapely")
    geo = "yes" if all(map(importlib.util.find_spec, parts)) else "no; pip install 'hsi-suite[geo]'"
    say(f"{'geo extra':16} {geo}")
    kinds = {"HEIC": "pillow_heif", "RAW": "rawpy"}
    read = [kind for kind, package in kinds.items() if importlib.util.find_spec(package)]
    missing = "" if len(read) == 2 else "; pip install 'hsi-suite[photos]'"
    say(f"{'photos extra':16} {', '.join(read) or 'no'}{missing}")
    say(f"{'HSI_DATA_DIR':16} {_place(os.environ.get('HSI_DATA_DIR'))}")
    cache = cache_folder()
    # Made when something is kept there.
    say(f"{'cache':16} {_place(str(cache)) if cache.exists() else cache}")


def _place(named: str | None) -> str:
    """A folder that a variable names, and whether it is one."""
    if not named:
        return "not set"
    return named if Path(named).is_dir() else f"{named}, which is not a folder: correct or unset it"


def _named(number: int) -> str:
    """A CUDA device with its memory and what decides its precisions: bf16 and TF32 from 8.0 on."""
    import torch

    try:
        properties = torch.cuda.get_device_properties(number)
    except RuntimeError as error:
        # Busy, say; what else there is to say of this machine is said.
        return f"cuda:{number}, which does not answer ({str(error).partition(chr(10))[0]})"
    capability = ".".join(map(str, torch.cuda.get_device_capability(number)))
    memory = properties.total_memory / 1e6
    return f"{torch.cuda.get_device_name(number)} (capability {capability}, {memory:,.0f} MB)"
