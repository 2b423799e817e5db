"""`hsi doctor`: does everything work here, and what does this machine offer?"""

from __future__ import annotations

import importlib.util
import os

import click


@click.command()
def doctor() -> None:
    """Check the installation and say what this machine offers."""
    import torch

    from ..data.public.verification import cache_folder
    from ..environment import describe_environment
    from ..pipelines.shared.machine import available_threads

    facts = describe_environment("cpu", available_threads())
    for name, version in facts["packages"].items():
        click.echo(f"{name:16} {version}")
    click.echo(f"{'python':16} {facts['python']} on {facts['platform']}")
    click.echo(f"{'threads':16} {facts['threads']}, {facts['cpu_capability']}")
    names = [torch.cuda.get_device_name(k) for k in range(torch.cuda.device_count())]
    click.echo(f"{'CUDA devices':16} {', '.join(names) or 'none'}")
    geo = "yes" if importlib.util.find_spec("rasterio") else "no; pip install 'hsi-suite[geo]'"
    click.echo(f"{'rasterio':16} {geo}")
    click.echo(f"{'HSI_DATA_DIR':16} {os.environ.get('HSI_DATA_DIR') or 'not set'}")
    click.echo(f"{'cache':16} {cache_folder()}")
