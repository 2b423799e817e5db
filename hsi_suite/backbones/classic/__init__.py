"""The classic image networks, each composed of the shared blocks. `CLASSIC` has them by name.

Every factory takes keyword arguments only, among them in_channels, num_classes, dropout, width
(a factor of all widths, for narrow variants) and stem (`imagenet`, or `small` for images of about
32×32), and gives a `ClassicNetwork`. Initial weights are torch's own until
`backbones.initialise` draws them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from ...registry import Registry
from ..response_norm import LocalResponseNorm
from .alexnet import alexnet, zfnet
from .bn_inception import bn_inception
from .googlenet import googlenet
from .inception_resnet import inception_resnet_v1, inception_resnet_v2
from .inception_v3 import inception_v3
from .inception_v4 import inception_v4
from .mobilenet import mobilenet_v1, mobilenet_v2
from .network import AuxiliaryLogits, ClassicNetwork
from .network_in_network import network_in_network
from .resnet import cifar_resnet, preactivation_resnet, resnet, resnext
from .shufflenet import shufflenet_v1
from .vgg import vgg

__all__ = ["CLASSIC", "AuxiliaryLogits", "ClassicNetwork", "LocalResponseNorm"]

CLASSIC: Registry[Callable[..., ClassicNetwork]] = Registry("classic network")

_FACTORIES: dict[str, Callable[..., ClassicNetwork]] = {
    "alexnet": alexnet,
    "zfnet": zfnet,
    **{f"vgg_{depth}": partial(vgg, depth=depth) for depth in (11, 13, 16, 19)},
    "network_in_network": network_in_network,
    "googlenet": googlenet,
    "bn_inception": bn_inception,
    "inception_v3": inception_v3,
    "inception_v4": inception_v4,
    "inception_resnet_v1": inception_resnet_v1,
    "inception_resnet_v2": inception_resnet_v2,
    **{f"resnet_{depth}": partial(cifar_resnet, depth=depth) for depth in (20, 56, 110)},
    **{f"resnet_{depth}": partial(resnet, depth=depth) for depth in (18, 34, 50, 101, 152)},
    **{
        f"preactivation_resnet_{depth}": partial(preactivation_resnet, depth=depth)
        for depth in (18, 34, 50, 101, 152)
    },
    "resnext_50": partial(resnext, depth=50),
    "resnext_101": partial(resnext, depth=101),
    "se_resnet_50": partial(resnet, depth=50, attention="se"),
    "se_resnet_101": partial(resnet, depth=101, attention="se"),
    "se_resnext_50": partial(resnext, depth=50, attention="se"),
    "se_bn_inception": partial(bn_inception, attention="se"),
    "se_inception_resnet_v2": partial(inception_resnet_v2, attention="se"),
    "mobilenet_v1": mobilenet_v1,
    "mobilenet_v2": mobilenet_v2,
    "shufflenet_v1": shufflenet_v1,
}
for _name, _factory in _FACTORIES.items():
    CLASSIC.add(_name, _factory)
