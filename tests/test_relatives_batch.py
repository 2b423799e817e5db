"""The batch of HybridSN's relatives: keys for some of its runs, and the same splits for all."""

import pytest

from hsi_suite.config import load_tree, validate
from hsi_suite.engine.observer import Observer
from hsi_suite.errors import ConfigError
from hsi_suite.models.building import build_model
from hsi_suite.runs.batches.design import expand
from hsi_suite.schemas.batch import BatchConfig
from hsi_suite.tasks.scenes.configuration import classification_config, resolve
from hsi_suite.tasks.scenes.preparation import prepare

NAME = "batch/hybridsn_relatives"


def batch(**changed):
    return validate(BatchConfig, {**load_tree(NAME), **changed}, NAME)


@pytest.fixture(scope="module")
def members():
    return [member.config for member in expand(batch()).members]


def test_the_batch_trains_nine_models_on_two_splits_with_three_seeds(members):
    assert len(members) == 9 * 2 * 3
    for config in members:
        assert config.train.epochs == 10
        assert config.model.window == (1 if config.model.name == "inception_1d" else 11)
        assert config.reduction.components == 15
        assert config.split.guard == (5 if config.split.kind == "disjoint" else None)
        assert (config.evaluation.baselines != []) == (config.model.name == "hybridsn")
        width = {"width": 0.25} if config.model.name == "resnet_18" else {}
        assert {k: v for k, v in config.model.options.items() if k == "width"} == width


@pytest.mark.parametrize("kind", ["random", "disjoint"])
def test_single_pixels_and_windows_have_the_same_split(members, kind):
    splits = [
        prepare(resolve(config), Observer()).split
        for config in members
        if config.model.name in ("hybridsn", "inception_1d")
        and config.split.kind == kind
        and config.seeds.base == 0
    ]
    first, second = splits
    assert first.train.tolist() == second.train.tolist()
    assert first.test.tolist() == second.test.tolist()


def test_overrides_go_over_set_and_the_later_over_the_earlier():
    config = batch(
        overrides={
            "disjoint": {"train": {"epochs": 7}},
            "ssrn": {"train": {"epochs": 5, "batch_size": 16}},
            "synthetic_small": {"train": {"epochs": 3}},
            "inception_1d": {"model": {"window": 1}},
        }
    )
    found = {
        (each.model.name, each.split.kind): (each.train.epochs, each.train.batch_size)
        for each in (member.config for member in expand(config).members)
    }
    assert found["hybridsn", "random"] == (3, 32)
    assert found["ssrn", "random"] == (5, 16)
    assert found["ssrn", "disjoint"] == (7, 16)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"vgg_11": {"threads": 1}}, "vgg_11 is not"),
        ({"ssrn": {"model": {"name": "hybridsn"}}}, "no ssrn.model.name"),
        ({"disjoint": {"seeds": {"base": 1}}}, "no disjoint.seeds.base"),
        ({"ssrn": {"split": 3}}, "a mapping of keys in ssrn.split"),
        ({"ssrn": {"modle": {}}}, "modle"),
    ],
)
def test_overrides_that_fit_nothing_are_refused(overrides, message):
    with pytest.raises(ConfigError, match=message):
        expand(batch(overrides=overrides))


@pytest.mark.parametrize("name", ["resnet_50", "vgg_11", "mobilenet_v2"])
def test_any_classic_network_can_be_named_for_windows(name):
    config = classification_config(dataset="synthetic", model=name)
    assert config.model.name == name
    network = build_model(
        name,
        in_channels=config.reduction.components,
        num_classes=8,
        window=config.model.window,
        options={**config.model.options, "width": 0.125},
        generator=None,
    )
    assert network is not None
