"""Sizes that are refused before anything is loaded, against what says so later."""

import itertools

import pytest
import torch
from refusals import refusal

from hsi_suite.backbones.classic.torchvision_names import _FAMILIES
from hsi_suite.data.catalogue import dataset_names, dataset_shape, load_dataset
from hsi_suite.data.synthetic_recipes import SYNTHETIC_RECIPES
from hsi_suite.models.building import build_model
from hsi_suite.models.known_facts import WINDOWS
from hsi_suite.models.known_names import TORCHVISION_NETWORKS
from hsi_suite.models.known_sizes import SIZES, require_sizes
from hsi_suite.tasks.scenes.configuration import classification_config

OF_STAGES = ({}, {"block": "plain"}, {"stages": {"2d": {"block": "inception"}}})


def test_every_network_of_windows_has_its_sizes():
    assert set(SIZES) == set(WINDOWS)


@pytest.mark.parametrize("name", SIZES)
def test_sizes_are_those_of_the_networks(name):
    def built(window, channels):
        with torch.device("meta"):
            build_model(
                name,
                in_channels=channels,
                num_classes=3,
                window=window,
                options={},
                generator=None,
            )

    sizes = SIZES[name]
    least = sizes.window or 1
    windows = {1, 2, 3, least, least + 2, max(1, least - 2)}
    # SpectralFormer's hang on an option, and are judged when it is built.
    enough = max(sizes.channels, 3)
    fewer = {sizes.channels - 1} if sizes.channels > 1 else set()
    for window, channels in itertools.product(windows, {enough, *fewer}):
        known = refusal(lambda w=window, c=channels: require_sizes(name, {}, w, c))
        assert known == refusal(lambda w=window, c=channels: built(w, c)), (window, channels)


def test_what_hangs_on_blocks_or_is_not_known_is_left_for_later():
    for options in OF_STAGES[1:]:
        require_sizes("hybridsn", options, 1, 1)
    require_sizes("hybridsn", {}, 9, None)
    require_sizes("resnet_18", {}, 1, 1)


def test_shapes_of_data_sets_are_known_without_their_files():
    assert all(len(dataset_shape(name)) == 3 for name in dataset_names())
    for name in SYNTHETIC_RECIPES:
        assert dataset_shape(name) == load_dataset(name).cube.shape


def test_networks_of_torchvision_are_known():
    assert tuple(_FAMILIES) == TORCHVISION_NETWORKS


@pytest.mark.parametrize(
    ("settings", "words"),
    {
        ("reduction.components=101",): "reduction.components: 101 components of 100 bands",
        ("model.window=73", "split.kind=random"): "a window of 73 in a scene of 72 × 72 pixels",
        ("model.filter=73",): "model.filter: a window of 73 in a scene of 72 × 72 pixels",
        ("split.kind=disjoint", "split.train=1"): "split.train: a share of 1.0; expected more than",
        ("split.kind=polygons", "split.train=20"): "split.train: a share of 20.0; expected more",
        ("data.bands=x",): "--bands: 'x'; expected good, all, or numbers",
        ("data.axes=x",): "--axes: 'x'; expected y, x and band",
    }.items(),
)  # fmt: skip
def test_configurations_are_refused_by_the_sizes_of_their_data_set(settings, words):
    def configured():
        classification_config(dataset="synthetic", settings=settings)

    assert words in refusal(configured)[1]


def test_what_has_room_is_not_refused():
    for settings in ("reduction.components=100", "model.window=71", "split.train=20"):
        classification_config(dataset="synthetic", settings=[settings])
    # Components are of PCA alone, and a filter's window may be small.
    classification_config(dataset="synthetic", model="svm", settings=["reduction.components=101"])


def test_what_is_wrong_with_every_candidate_is_refused_and_with_one_is_left_for_later():
    def configured(candidates, *settings):
        key = f"auto.candidates={candidates}"
        return refusal(
            lambda: classification_config(
                dataset="synthetic", model="auto", settings=[key, *settings]
            )
        )

    assert configured("[lda, ssrn model.window=1, ssrn train.early_stopping=2]") is None
    selected = "a model that its validation pixels choose"
    for best in ("train.selection=best", "train.early_stopping=2"):
        assert selected in configured("[lda, ssrn]", best, "split.validation=0.2")[1]
    assert "a window of 73 in a scene" in configured("[lda, wide_svm model.window=73]")[1]
