"""`hsi doctor`: does everything work here, and what does this machine offer?"""

from __future__ import annotations

import importlib.util
import os

import click

from .terminal import say


@click.command()
def doctor() -> None:
    """Check the installation and say what this machine offers."""
    import torch

    from ..cache import cache_folder
    from ..environment import describe_environment
    from ..runs.machine import available_threads

    facts = describe_environment("cpu", available_threads())
    for name, version in facts["packages"].items():
        say(f"{name:16} {version}")
    say(f"{'python':16} {facts['python']} on {facts['platform']}")
    say(f"{'threads':16} {facts['threads']}, {facts['cpu_capability']}")
    names = [torch.cuda.get_device_name(k) for k in range(torch.cuda.device_count())]
    say(f"{'CUDA devices':16} {', '.join(names) or 'none'}")
    parts = ("rasterio", "pyogrio", "shapely")
    geo = "yes" if all(map(importlib.util.find_spec, parts)) else "no; pip install 'hsi-suite[geo]'"
    say(f"{'geo extra':16} {geo}")
    kinds = {"HEIC": "pillow_heif", "RAW": "rawpy"}
    read = [kind for kind, package in kinds.items() if importlib.util.find_spec(package)]
    missing = "" if len(read) == 2 else "; pip install 'hsi-suite[photos]'"
    say(f"{'photos extra':16} {', '.join(read) or 'no'}{missing}")
    say(f"{'HSI_DATA_DIR':16} {os.environ.get('HSI_DATA_DIR') or 'not set'}")
    say(f"{'cache':16} {cache_folder()}")
