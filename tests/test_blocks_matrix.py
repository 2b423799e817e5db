"""The blocks matrix: five kinds of stages in three networks, each cell by configuration alone."""

import numpy as np
import pytest
import torch
from PIL import Image

from hsi_suite.backbones import Residual, SqueezeExcitation
from hsi_suite.backbones.branches import Branches
from hsi_suite.config import load_tree, validate
from hsi_suite.engine.observer import Observer
from hsi_suite.engine.trainer import Trainer
from hsi_suite.models.description import multiply_adds
from hsi_suite.runs.batches.design import expand
from hsi_suite.runs.launch import configure
from hsi_suite.schemas.batch import BatchConfig
from hsi_suite.tasks.denoising.preparation import (
    initial_denoiser,
    load_training_images,
    training_task,
)
from hsi_suite.tasks.retrieval import configuration as pairs
from hsi_suite.tasks.retrieval.preparation import new_retriever, pair_task, prepare_pairs
from hsi_suite.tasks.scenes import configuration as scenes
from hsi_suite.tasks.scenes.fitting import fit, untrained
from hsi_suite.tasks.scenes.preparation import prepare

NAME = "batch/blocks_matrix"
NETWORKS = ("hybridsn", "dncnn", "retrieval")
KINDS = ("plain", "se", "inception", "residual", "se_residual")
CPU = torch.device("cpu")
# Two steps of a training on little data, wherever the configuration takes its own from.
LITTLE = {
    "hybridsn": ["data.dataset=synthetic_small", "split.kind=random", "split.guard=null",
                 "split.train=6", "train.batch_size=24"],
    "dncnn": ["data.validation=0", "train.steps_per_epoch=2", "train.batch_size=2"],
    "retrieval": ["data.dataset=synthetic_small", "split.kind=random", "split.pairs=24",
                  "train.batch_size=12"],
}  # fmt: skip


def cell(network, kind, *settings):
    given = [*LITTLE[network], "train.epochs=1", "device=cpu", "threads=1", *settings]
    return configure(config=f"blocks/{network}_{kind}", settings=given)


@pytest.fixture(scope="module")
def scene():
    return prepare(scenes.resolve(cell("hybridsn", "plain")), Observer())


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photographs")
    for number in range(2):
        values = np.random.default_rng(number).integers(0, 256, (48, 48), dtype=np.uint8)
        Image.fromarray(values).save(folder / f"{number}.png")
    return folder


@pytest.fixture(scope="module")
def paired():
    return prepare_pairs(pairs.resolve(cell("retrieval", "plain")), Observer())


def blocks_of(network, layers):
    """How many residual, Inception and attention blocks there are in some layers."""
    found = [module for part in layers for module in network.get_submodule(part).modules()]
    return tuple(
        sum(isinstance(module, kind) for module in found)
        for kind in (Residual, Branches, SqueezeExcitation)
    )


def moved(network, before):
    after = network.state_dict()
    assert all(value.isfinite().all() for value in after.values())
    assert any(not torch.equal(before[name], after[name]) for name in before)


def copied(network):
    return {name: value.clone() for name, value in network.state_dict().items()}


def expected(kind, stages):
    """Blocks among so many stages: residual, Inception, attention."""
    residual, gated = "residual" in kind, kind.startswith("se")
    return residual * stages, (kind == "inception") * stages, gated * stages


def test_the_batch_is_the_matrix():
    config = validate(BatchConfig, load_tree(NAME), NAME)
    assert config.configs == [f"blocks/{network}_{kind}" for network in NETWORKS for kind in KINDS]
    found = expand(config)
    assert len(found.cells) == 15 and len(found.members) == 45
    assert len({cell.name for cell in found.cells}) == 15
    assert all("(blocks/" in cell.name for cell in found.cells)
    options = [cell.config.model.options for cell in found.cells]
    for network in range(3):  # nothing else differs between the cells of a network
        row = options[5 * network : 5 * network + 5]
        words = ("block", "attention", "depth")
        rest = [{k: v for k, v in each.items() if k not in words} for each in row]
        assert all(each == rest[0] for each in rest)


@pytest.mark.parametrize("kind", KINDS)
def test_hybridsn(kind, scene):
    config = scenes.resolve(cell("hybridsn", kind))
    classifier = untrained(config, scene)
    before = copied(classifier.network)
    assert blocks_of(classifier.network, ["spectral_spatial", "spatial"]) == expected(kind, 4)
    training = fit(classifier, config, scene, None, Observer())
    assert len(training.history) == 1
    moved(classifier.network, before)


@pytest.mark.parametrize("kind", KINDS)
def test_dncnn(kind, photographs):
    config = cell("dncnn", kind, "data.images=null", f"data.folder={photographs}")
    images = load_training_images(config, Observer())
    denoiser = initial_denoiser(config, images, config.streams)
    image = torch.rand(1, 1, 12, 12)
    assert denoiser.network.eval()(image).equal(image)  # training begins there
    before = copied(denoiser.network)
    stages = 3 if "residual" in kind else 6
    assert blocks_of(denoiser.network, ["layers"]) == expected(kind, stages)
    convolutions = [m for m in denoiser.network.modules() if isinstance(m, torch.nn.Conv2d)]
    assert sum(m.kernel_size == (3, 3) for m in convolutions) == 8 or kind == "inception"
    task = training_task(config, images, config.streams)
    Trainer(denoiser.network, task, config.train, config.streams, CPU).fit()
    moved(denoiser.network, before)


@pytest.mark.parametrize("kind", KINDS)
def test_retrieval(kind, paired):
    config = pairs.resolve(cell("retrieval", kind))
    network = new_retriever(config, paired).network
    before = copied(network)
    assert blocks_of(network, ["first"]) == blocks_of(network, ["second"]) == expected(kind, 3)
    task = pair_task(config, paired)
    Trainer(network, task, config.train, config.streams, CPU).fit()
    moved(network, before)


def test_multiply_adds_are_those_of_the_network():
    sizes = {"in_channels": 30, "num_classes": 16, "window": 25}
    plain = multiply_adds("hybridsn", sizes, (30, 25, 25))
    shortcuts = 8 * 24 * 23**2 + 8 * 16 * 20 * 21**2 + 16 * 32 * 18 * 19**2 + 576 * 64 * 17**2
    assert multiply_adds("hybridsn", {**sizes, "block": "residual"}, (30, 25, 25)) == (
        plain + shortcuts
    )
    assert multiply_adds("svm", {}, (30, 1, 1)) is None
