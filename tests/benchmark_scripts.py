"""Scripts of `benchmarks/` as modules: they are not installed, nor is the checkout on sys.path."""

import importlib.util
import sys
from contextlib import contextmanager
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "benchmarks"


@contextmanager
def loaded(name):
    """A script by its name, as long as it is used."""
    spec = importlib.util.spec_from_file_location(f"{name}_of_benchmarks", FOLDER / f"{name}.py")
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]
