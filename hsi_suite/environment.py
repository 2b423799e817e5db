"""What a run ran on: versions, processor, threads, state of the code."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from .cublas import WORKSPACE

_PACKAGES = ("hsi-suite", "torch", "numpy", "scipy", "scikit-learn", "spectral")
# These variables change the last bits of results (facts measured with torch 2.13).
_VARIABLES = ("ATEN_CPU_CAPABILITY", "ONEDNN_MAX_CPU_ISA")


def describe_environment(device: str, threads: int) -> dict[str, Any]:
    """Everything outside the configuration that can change a run's numbers.

    Args:
        device: the device the run computes on, e.g. "cpu" or "cuda:0".
        threads: its CPU threads.
    """
    import torch

    facts: dict[str, Any] = {
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "packages": describe_packages(),
        "device": device,
        "threads": threads,
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "variables": {name: os.environ[name] for name in _VARIABLES if name in os.environ},
        "code": _git_state(Path(__file__).resolve().parent.parent),
    }
    if device.startswith("cuda"):
        facts["variables"][WORKSPACE] = os.environ.get(WORKSPACE)
        facts["device_name"] = torch.cuda.get_device_name(device)
        facts["cuda"] = torch.version.cuda
        facts["cudnn"] = torch.backends.cudnn.version()  # type: ignore[no-untyped-call]
    return facts


def describe_packages() -> dict[str, str]:
    """The versions of the packages that numbers depend on, by name."""
    return {name: _version(name) for name in _PACKAGES}


def device_text(device: str, name: str | None) -> str:
    """A device as far as it decides bits: its kind, and which GPU it is; not its number."""
    kind, _, _ = device.partition(":")
    return kind if kind == "cpu" or name is None else f"{kind} ({name})"


def compare_environments(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Differences between two environments, one line each; empty when they are equal."""
    lines = []
    for key in sorted({*then, *now}):
        old, new = then.get(key), now.get(key)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            lines += [f"{key}.{line}" for line in compare_environments(old, new)]
        elif old != new:
            lines.append(f"{key}: {old} then, {new} now")
    return lines


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def _git_state(folder: Path) -> dict[str, Any] | None:
    """Commit and cleanliness of the checkout the code runs from; None outside a checkout."""
    if not (folder / ".git").exists():
        return None

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(folder), *arguments]
        return subprocess.run(
            command, capture_output=True, text=True, timeout=10, check=True
        ).stdout.strip()

    try:
        return {"commit": git("rev-parse", "HEAD"), "changed": bool(git("status", "--porcelain"))}
    except (OSError, subprocess.SubprocessError):
        return None
