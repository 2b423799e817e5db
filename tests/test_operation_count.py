"""Counting operations; the slow twin is torch's own counter."""

from functools import partial

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from hsi_suite.models.building import build_example
from hsi_suite.models.registry import spec_of
from hsi_suite.models.spec import PURPOSES
from hsi_suite.operation_count import OperationCount

NAMES = (
    *("hybridsn", "hybridsn_se_residual", "m3d_cnn", "ssrn", "inception_1d", "spectralformer"),
    *("resnet_20", "residual_unet", "guided_unet", "ffdnet", "dscmr"),
)


def both(function, *given):
    """What a function gives and costs by either counter."""
    with torch.no_grad():
        with OperationCount() as own:
            ours = function(*given)
        with FlopCounterMode(display=False) as theirs:
            usual = function(*given)
    return (ours, own.total), (usual, theirs.get_total_flops())


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_networks_cost_what_torch_counts(name, training):
    spec = spec_of(name)
    with torch.device("meta"):
        fitted = PURPOSES[spec.task].fitted(spec.example_input, partial(build_example, name, {}))
        network = build_example(name, fitted).train(training)
    given = torch.empty(2, *spec.example_input, device="meta")
    (ours, own), (usual, counted) = both(network, given)
    assert own == counted > 0
    assert ours.shape == usual.shape and ours.dtype == usual.dtype


@pytest.mark.parametrize("kind", [nn.Conv2d, nn.ConvTranspose2d])
@pytest.mark.parametrize(
    "options", [{}, {"stride": (2, 1)}, {"padding": 3}, {"dilation": (1, 3)}, {"groups": 2}]
)
def test_convolutions_of_every_kind(kind, options):
    layer = kind(4, 6, (3, 2), **options)
    given = torch.randn(2, 4, 9, 11)
    (ours, own), (usual, counted) = both(layer, given)
    assert own == counted and torch.equal(ours, usual)
    (ours, own), (usual, counted) = both(layer.to("meta"), given.to("meta"))
    assert own == counted and ours.shape == usual.shape


def test_joining_padding_and_broadcasting_keep_torchs_shapes():
    def function(x):
        joined = nn.functional.pad(torch.cat([x, x[:, :1]], 1), (1, 2, 0, -1))
        return torch.stack([joined * x[:, :1, :4, :1], joined.add_(1)], -1).flatten(1)

    given = torch.empty(1, 2, 5, 3, device="meta")
    (ours, own), (usual, counted) = both(function, given)
    assert ours.shape == usual.shape == (1, 3 * 4 * 6 * 2) and own == counted == 0


@pytest.mark.parametrize(
    "refused",
    [
        lambda x: nn.functional.conv2d(x, x.new_empty(1, 3, 1, 1)),
        lambda x: nn.functional.conv2d(x, x.new_empty(1, 2, 6, 1)),
        lambda x: torch.cat([x, x[..., :2]], 1),
        lambda x: torch.stack([x, x[..., :2]]),
        lambda x: x + x[..., :2],
        lambda x: nn.functional.linear(x[0, 0], x.new_empty(2, 4), x.new_empty(2)),
    ],
)
def test_what_torch_refuses_stays_refused(refused):
    given = torch.empty(1, 2, 5, 3, device="meta")
    with pytest.raises(RuntimeError), torch.no_grad(), OperationCount():
        refused(given)
