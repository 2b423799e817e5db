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


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("axes", [2, 3])
@pytest.mark.parametrize(
    "options",
    [
        {}, {"stride": 1}, {"padding": 1}, {"ceil_mode": True}, {"stride": 3, "ceil_mode": True},
        {"padding": 1, "ceil_mode": True, "stride": 4},
    ],
    ids=str,
)  # fmt: skip
def test_pooling_keeps_torchs_shapes(options, axes, training):
    given = torch.empty(2, 3, *(11, 10, 9)[:axes], device="meta", requires_grad=training)
    for kind in (nn.MaxPool2d, nn.AvgPool2d) if axes == 2 else (nn.MaxPool3d, nn.AvgPool3d):
        layer = kind(3, **options)
        usual = layer(given)
        with OperationCount():
            ours = layer(given)
        assert ours.shape == usual.shape and ours.dtype == usual.dtype
    dilated = (nn.MaxPool2d if axes == 2 else nn.MaxPool3d)(3, 2, dilation=2, return_indices=True)
    with OperationCount():
        ours, places = dilated(given)
    assert ours.shape == places.shape == dilated(given)[0].shape and places.dtype == torch.int64


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x.mean((2, 3)),
        lambda x: x.mean(-1, keepdim=True),
        lambda x: x.mean((0, -1), True),
        lambda x: x.mean(),
        lambda x: x.mean(()),
        lambda x: nn.functional.layer_norm(x, x.shape[-2:]),
        lambda x: x.softmax(1),
        lambda x: x.pow(2).clamp(0, 1).log_softmax(-1),
        lambda x: nn.functional.relu6(x),
        lambda x: x @ x.mT,
        lambda x: x[0, 0] @ x[0, 0].T,
        lambda x: torch.bmm(x[0], x[0].mT),
    ],
)
def test_means_norms_and_products_keep_torchs_shapes(function):
    given = torch.empty(2, 4, 6, 5, device="meta")
    (ours, own), (usual, counted) = both(function, given)
    assert ours.shape == usual.shape and ours.dtype == usual.dtype and own == counted


@pytest.mark.parametrize(
    "refused",
    [
        lambda x: nn.functional.conv2d(x, x.new_empty(1, 3, 1, 1)),
        lambda x: nn.functional.conv2d(x, x.new_empty(1, 2, 6, 1)),
        lambda x: torch.cat([x, x[..., :2]], 1),
        lambda x: torch.stack([x, x[..., :2]]),
        lambda x: x + x[..., :2],
        lambda x: x.mean(7),
        lambda x: torch.mm(x[0, 0], x[0, 0]),
        lambda x: torch.mm(x[0], x[0].mT),
        lambda x: torch.bmm(x[0], x[0, :1].mT),
        lambda x: nn.functional.max_pool2d(x, 7),
        lambda x: nn.functional.max_pool2d(x, 3, padding=2),
        lambda x: nn.functional.avg_pool2d(x, 6),
        lambda x: nn.functional.linear(x[0, 0], x.new_empty(2, 4), x.new_empty(2)),
    ],
)
def test_what_torch_refuses_stays_refused(refused):
    given = torch.empty(1, 2, 5, 3, device="meta")
    with pytest.raises((RuntimeError, IndexError)), torch.no_grad(), OperationCount():
        refused(given)
