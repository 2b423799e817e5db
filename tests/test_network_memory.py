import pytest
import torch
from torch import nn

from hsi_suite import memory, models
from hsi_suite.engine.memory import (
    dense_gradient_bytes,
    gradient_bytes,
    layer_bytes,
    puts_in_place,
)
from hsi_suite.errors import ConfigError


@pytest.fixture
def threads():
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


@pytest.mark.parametrize("number", [1, 2])
def test_layers_are_seen_with_what_one_thread_unfolds(number, threads):
    threads(number)
    deep, cubic = nn.Conv3d(2, 3, (5, 1, 1)), nn.Conv3d(3, 4, 3)
    network = nn.Sequential(deep, nn.ReLU(), cubic)
    given = torch.zeros(1, 2, 9, 6, 7)
    first, relu, last = layer_bytes(network, lambda: network(given))
    assert (first.inputs, first.output) == (4 * 2 * 9 * 42, 4 * 3 * 5 * 42)
    assert first.unfolded == (4 * 5 * 42 * 2 * 5 if number == 1 else 0)
    assert (relu.output, relu.unfolded) == (first.output, 0)
    assert (last.output, last.unfolded) == (4 * 4 * 3 * 4 * 5, 0)


@pytest.mark.parametrize("lines, samples", [(25, 25), (40, 61), (90, 33)])
def test_gradients_of_a_scene_are_counted_from_small_squares(lines, samples):
    network = models.create("hybridsn", in_channels=30, num_classes=3, window=25)
    padded = torch.zeros(1, 30, lines, samples)
    expected = gradient_bytes(network, padded, network.features)
    assert dense_gradient_bytes(network, 30, lines, samples) == pytest.approx(expected, rel=1e-6)
    assert network.training


def test_what_a_relu_gives_is_kept_once_for_it_and_for_what_it_was_given():
    network = nn.Sequential(nn.Conv2d(2, 3, 3), nn.ReLU())
    output = 4 * 3 * 4 * 4
    # And the gradients of both, on the way back.
    assert gradient_bytes(network, torch.zeros(1, 2, 6, 6), network) == output + 2 * output


def test_gradients_in_place_need_one_more_of_the_largest_and_not_what_is_computed_again():
    network = nn.Sequential(nn.Conv2d(2, 3, 3), nn.ReLU(), nn.Conv2d(3, 5, 1))
    first, last = 4 * 3 * 4 * 4, 4 * 5 * 4 * 4
    one = torch.zeros(1, 2, 6, 6)
    assert gradient_bytes(network, one, network) == first + last + 2 * last
    assert gradient_bytes(network, one, network, in_place=True) == last + last


@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="without oneDNN nothing is")
def test_large_features_of_hybridsn_are_counted_in_place():
    network = models.create("hybridsn", in_channels=30, num_classes=3, window=25)
    assert puts_in_place(network, (2, 30, 84, 169))
    assert puts_in_place(network, (256, 30, 25, 25))
    assert not puts_in_place(network, (2, 30, 40, 40))
    ssrn = models.create("ssrn", in_channels=30, num_classes=3, window=9)
    assert not puts_in_place(ssrn, (2, 30, 84, 169))
    # The scene of 145 lines and samples, with the border of its windows.
    whole, places = dense_gradient_bytes(network, 30, 169, 169), 165 * 167
    network.gradients_in_place = lambda cubes: False
    assert dense_gradient_bytes(network, 30, 169, 169) - whole > 4 * 8 * 24 * places


def test_limits_name_what_is_needed():
    memory.check_limit(2e9, 2e9, "the map")
    with pytest.raises(ConfigError, match=r"2.00 GB.*at least 2.01 GB for the map. Raise it"):
        memory.check_limit(2e9, 2.001e9, "the map")
