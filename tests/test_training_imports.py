"""What a training of a network does without: libraries that would take memory for nothing.

Imports at the top of modules are read, not carried out. Torch's compiler, which the first optimiser
and the first look at shapes would import, is made impossible to import.
"""

import ast
import copy
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
import torch

from hsi_suite.engine.optimisation import build_optimizer
from hsi_suite.schemas.training import OptimizerConfig

PACKAGE = Path(__file__).resolve().parent.parent / "hsi_suite"
# scikit-learn (with pandas, where that is installed) 80 MB, scipy.stats 20, scipy.optimize 15.
HEAVY = ("sklearn", "joblib", "pandas", "matplotlib", "scipy.stats", "scipy.optimize")


def path_of(name):
    """The file of a module of the library; None for what is a name inside a module."""
    base = PACKAGE.parent.joinpath(*name.split("."))
    found = (base.with_suffix(".py"), base / "__init__.py")
    return next((path for path in found if path.is_file()), None)


def at_the_top(tree):
    """Import statements that are carried out when a module is."""
    for node in tree.body:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        elif isinstance(node, ast.If | ast.Try | ast.With):
            yield from at_the_top(node)


@cache
def imports(name):
    """Full names that a module of the library imports at its top."""
    path, found = path_of(name), set()
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in at_the_top(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
            continue
        parts = package.split(".")
        base = ".".join(parts[: len(parts) + 1 - node.level]) if node.level else ""
        base = ".".join(filter(None, (base, node.module)))
        found |= {base, *(f"{base}.{alias.name}" for alias in node.names)}
    return found


def reached(start):
    """Modules that the import of one carries out, each with the one that asks for it."""
    found, open_ones = {start: ""}, [start]
    while open_ones:
        name = open_ones.pop()
        packages = {name.rsplit(".", depth)[0] for depth in range(1, name.count(".") + 1)}
        for other in packages | (imports(name) if path_of(name) else set()):
            if other not in found:
                found[other] = name
                if other.startswith("hsi_suite") and path_of(other):
                    open_ones.append(other)
    return found


@pytest.mark.parametrize("start", ["tasks.scenes.preparation", "tasks.scenes.fitting"])
def test_training_a_network_on_a_scene_imports_nothing_heavy(start):
    found = reached(f"hsi_suite.{start}")
    assert "hsi_suite.engine.trainer" in found or start != "tasks.scenes.fitting"
    assert len(found) > 100
    heavy = {name: by for name, by in found.items() if name.startswith(HEAVY)}
    assert not heavy


def test_what_is_heavy_would_be_found():
    assert "sklearn.base" in reached("hsi_suite.api.scene_classifier")
    assert "scipy.stats" in reached("hsi_suite.tasks.denoising.cubes.cube_denoising")


# In a process of its own: once the compiler is there, torch's own functions ask for it again.
WITHOUT_COMPILER = """
import sys
for name in ("torch._dynamo", "torch.fx.experimental.symbolic_shapes"):
    sys.modules[name] = None
import torch
from hsi_suite.engine.optimisation import build_optimizer
from hsi_suite.engine.strategy import count_costs
from hsi_suite.models.building import build_example
from hsi_suite.models.description import describe_model
from hsi_suite.models.registry import model_names
from hsi_suite.schemas.training import OptimizerConfig

network = build_example("hybridsn", {"num_classes": 3, "in_channels": 13, "window": 9})
assert count_costs(network, (13, 20, 30)).window > 0
for name in ("adam", "sgd", "rmsprop", "adagrad"):
    optimizer = build_optimizer(network.parameters(), OptimizerConfig(name=name))
    loss = network(torch.zeros(2, 13, 9, 9)).sum()
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
    optimizer.load_state_dict(optimizer.state_dict())
for name in model_names():
    describe_model(name)
try:
    import torch._dynamo
except ImportError:
    print("done without")
"""


def test_neither_counting_nor_optimising_asks_for_the_compiler():
    done = subprocess.run([sys.executable, "-c", WITHOUT_COMPILER], capture_output=True, text=True)
    assert done.stdout == "done without\n", done.stderr


@pytest.mark.parametrize("name", ["adam", "sgd", "rmsprop", "adagrad"])
def test_optimisers_take_the_steps_of_those_of_torch(name):
    kinds = {"adam": "Adam", "sgd": "SGD", "rmsprop": "RMSprop", "adagrad": "Adagrad"}
    config = OptimizerConfig(name=name, weight_decay=0.01)
    generator = torch.Generator().manual_seed(0)
    weights = [torch.nn.Parameter(torch.randn(40, generator=generator)) for _ in range(3)]
    copies = [torch.nn.Parameter(weight.detach().clone()) for weight in weights]
    own = build_optimizer(weights, config)
    theirs = getattr(torch.optim, kinds[name])(copies)
    assert isinstance(own, type(theirs))
    theirs.load_state_dict(copy.deepcopy(own.state_dict()))
    for _ in range(4):
        for weight, other in zip(weights, copies, strict=True):
            weight.grad = torch.randn(40, generator=generator)
            other.grad = weight.grad.clone()
        own.step()
        theirs.step()
    own.zero_grad()
    assert all(weight.grad is None for weight in weights)
    assert all(map(torch.equal, weights, copies))
    assert own.state_dict().keys() == theirs.state_dict().keys()
