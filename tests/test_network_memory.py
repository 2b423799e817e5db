import pytest
import torch
from torch import nn

from hsi_suite import memory, models
from hsi_suite.engine.memory import dense_gradient_bytes, gradient_bytes, layer_bytes
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


def test_limits_name_what_is_needed():
    memory.check_limit(2e9, 2e9, "the map")
    with pytest.raises(ConfigError, match=r"2.00 GB.*at least 2.01 GB for the map. Raise it"):
        memory.check_limit(2e9, 2.001e9, "the map")
