"""The dry run: operations without a deterministic form on CUDA, found on a processor."""

import re

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from hsi_suite.backbones.pooling import MaxPool3d, as_on_cuda
from hsi_suite.engine.determinism import EXPLAINED, REFUSED, Watch
from hsi_suite.engine.devices import computing
from hsi_suite.errors import DeviceError
from hsi_suite.tasks.device_check.networks import pass_through

CPU = torch.device("cpu")
VOLUME = (1, 2, 4, 4, 4)
PLANE = (1, 2, 4, 4)


def backward(layer, shape):
    def call():
        layer(torch.rand(shape, requires_grad=True)).sum().backward()

    return call


def resized(mode, shape, **how):
    return backward(lambda x: F.interpolate(x, scale_factor=2, mode=mode, **how), shape)


def grid(shape):
    places = torch.zeros(1, *shape[2:], len(shape) - 2)
    return backward(lambda x: F.grid_sample(x, places, align_corners=False), shape)


def spatial_loss(reduction):
    target = torch.zeros(1, 4, 4, dtype=torch.int64)
    return lambda: F.nll_loss(torch.rand(PLANE), target, reduction=reduction)


CALLED = {
    "avg_pool3d_backward": backward(nn.AvgPool3d(2), VOLUME),
    "_adaptive_avg_pool2d_backward": backward(nn.AdaptiveAvgPool2d(2), PLANE),
    "_adaptive_avg_pool3d_backward": backward(nn.AdaptiveAvgPool3d(2), VOLUME),
    "adaptive_max_pool2d_backward": backward(nn.AdaptiveMaxPool2d(2), PLANE),
    "adaptive_max_pool3d_backward": backward(nn.AdaptiveMaxPool3d(3), VOLUME),
    "fractional_max_pool2d_backward": backward(nn.FractionalMaxPool2d(2, 2), PLANE),
    "fractional_max_pool3d_backward": backward(nn.FractionalMaxPool3d(2, 2), VOLUME),
    "max_unpool2d": lambda: nn.MaxUnpool2d(2)(torch.rand(PLANE), torch.arange(32).view(PLANE)),
    "max_unpool3d": lambda: nn.MaxUnpool3d(2)(torch.rand(VOLUME), torch.arange(128).view(VOLUME)),
    "upsample_linear1d_backward": resized("linear", (1, 2, 4)),
    "upsample_bilinear2d_backward": resized("bilinear", PLANE),
    "upsample_bicubic2d_backward": resized("bicubic", PLANE),
    "upsample_trilinear3d_backward": resized("trilinear", VOLUME),
    "_upsample_bilinear2d_aa_backward": resized("bilinear", PLANE, antialias=True),
    "_upsample_bicubic2d_aa_backward": resized("bicubic", PLANE, antialias=True),
    "reflection_pad1d_backward": backward(nn.ReflectionPad1d(1), (1, 2, 4)),
    "reflection_pad2d_backward": backward(nn.ReflectionPad2d(1), PLANE),
    "reflection_pad3d_backward": backward(nn.ReflectionPad3d(1), VOLUME),
    "nll_loss2d_forward": spatial_loss("mean"),
    "put": lambda: torch.zeros(3).put_(torch.tensor([1]), torch.ones(1)),
    "histc": lambda: torch.rand(4).histc(2),
    "bincount": lambda: torch.tensor([1, 2]).bincount(torch.rand(2)),
    "median": lambda: torch.rand(4).median(0),
    "nanmedian": lambda: torch.rand(4).nanmedian(0),
    "grid_sampler_2d_backward": grid(PLANE),
    "grid_sampler_3d_backward": grid(VOLUME),
    "cumsum": lambda: torch.rand(4).cumsum(0),
    "scatter_reduce": lambda: torch.ones(3).scatter_reduce(
        0, torch.tensor([0]), torch.ones(1), "prod"
    ),
    "kthvalue": lambda: torch.rand(4).kthvalue(2),
    "topk": lambda: torch.rand(4).topk(2),
    "max_pool3d_with_indices_backward": backward(nn.MaxPool3d(2), VOLUME),
    "replication_pad1d_backward": backward(nn.ReplicationPad1d(1), (1, 2, 4)),
    "replication_pad3d_backward": backward(nn.ReplicationPad3d(1), VOLUME),
    "_scaled_dot_product_flash_attention_for_cpu_backward": backward(
        lambda x: F.scaled_dot_product_attention(x, x, x), PLANE
    ),
}
ALLOWED = {
    "a median alone": lambda: torch.rand(4).median(),
    "a count": lambda: torch.tensor([1, 2]).bincount(),
    "a sum of whole numbers": lambda: torch.tensor([True, False]).cumsum(0),
    "a loss of each pixel": spatial_loss("none"),
    "sums by place": lambda: torch.ones(3).scatter_reduce(
        0, torch.tensor([0]), torch.ones(1), "sum"
    ),
    "pooling of ours": backward(MaxPool3d(2), VOLUME),
    "maxima of cells apart": backward(nn.AdaptiveMaxPool3d(2), VOLUME),
    "the nearest pixel": resized("nearest", PLANE),
    "a quarter's value": lambda: torch.rand(8).sort().values[2],
}
# Their calls take more than a line, or a processor cannot make them.
NOT_CALLED = {"_ctc_loss_backward", "_embedding_bag_dense_backward", "resize_"}


def test_every_operation_of_the_table_is_called_here_or_said_not_to_be():
    assert CALLED.keys() | NOT_CALLED == REFUSED.keys()


@pytest.mark.parametrize("name", sorted(CALLED))
def test_each_operation_of_the_table_is_found_where_it_is_called(name):
    with Watch() as watch:
        CALLED[name]()
    assert {finding.operation for finding in watch.findings} == {name}
    assert "test_determinism.py" in str(watch.findings[0])


@pytest.mark.parametrize("what", sorted(ALLOWED))
def test_their_deterministic_kin_are_not(what):
    with Watch() as watch:
        ALLOWED[what]()
    assert not watch.findings and watch.seen


def test_the_table_is_of_operations_that_there_are():
    for name in (*REFUSED, *EXPLAINED):
        assert hasattr(torch.ops.aten, name), name


def test_the_table_holds_all_that_torch_documents():
    text = torch.use_deterministic_algorithms.__doc__
    _, _, refused = text.partition("operations will throw a")
    refused, _, _ = refused.partition("In addition")
    named = set(re.findall(r":(?:class|func):`torch\.([\w.]+)`", refused))
    assert len(named) > 20
    documented = " ".join(rule.documented for rule in REFUSED.values())
    # Of several dimensions or in place: by their common name.
    known = {"nn.MaxUnpool2d": "MaxUnpool1d and 2d", "nn.functional.grid_sample": "grid_sample"}
    for name in named:
        assert known.get(name, name.rpartition(".")[2]) in documented, name


def test_the_first_one_ends_a_computation_in_one_line():
    found = r"cumsum on cpu: has no deterministic form"
    with (
        pytest.raises(DeviceError, match=found),
        computing(CPU, 1, deterministic=True),
        Watch(refuse=True),
    ):
        torch.rand(3).cumsum(0)


@pytest.mark.parametrize(
    ("size", "stride", "padding", "ceil", "dilation"),
    [
        (2, None, 0, False, 1),
        (3, 1, 1, False, 1),
        ((2, 3, 1), (1, 2, 1), (1, 1, 0), True, 1),
        (2, 1, 0, False, 2),
    ],
)
def test_maxima_by_planes_are_those_of_torch(size, stride, padding, ceil, dilation):
    generator = torch.Generator().manual_seed(0)
    # Many equals, of which the first has the gradient.
    x = torch.randint(0, 4, (2, 3, 7, 8, 9), generator=generator).float().requires_grad_()
    pool = MaxPool3d(size, stride, padding, dilation, ceil_mode=ceil)
    whole = pool(x)
    with as_on_cuda():
        planes = pool(x)
    assert torch.equal(whole, planes)
    assert torch.equal(whole, F.max_pool3d(x, size, stride, padding, dilation, ceil))
    given = torch.randint(0, 9, whole.shape, generator=generator).float()
    one, other = (torch.autograd.grad(y, x, given)[0] for y in (whole, planes))
    assert torch.equal(one, other)


def test_networks_pass_through():
    watch = Watch()
    pass_through(["hybridsn_se", "cnn1d", "dncnn", "dscmr"], watch)
    assert {"convolution_backward", "mm"} <= watch.seen.keys() and not watch.findings
