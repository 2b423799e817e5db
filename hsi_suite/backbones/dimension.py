"""What changes between spectra (1-D), images (2-D) and cubes (3-D): the layers behind `dim`.

A block never names `Conv2d`: it asks here. Norms, activations and attentions are chosen by a
*layer choice*, which a configuration can write down: nothing (`None`), a name (`"batch"`), a
name with options (`{"name": "batch", "eps": 1e-3}`), or in Python a factory.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any, Required, TypedDict

from torch import Tensor, nn
from torch.nn import functional as F

from ..errors import ConfigError, UnknownNameError
from ..option_values import check_values
from ..registry import Registry, did_you_mean, listed
from .response_norm import LocalResponseNorm

Size = int | tuple[int, ...]
Padding = str | int | tuple[int, ...]
LayerChoice = str | Mapping[str, Any] | Callable[..., nn.Module] | None


class Style(TypedDict, total=False):
    """The choices every block takes alike.

    Attributes:
        dim: 1 for spectra, 2 for images, 3 for cubes.
        padding: `same` (the default) or `valid`.
        norm: norm of every convolution; batch norm unless said otherwise.
        activation: activation of every unit that is not linear; ReLU unless said otherwise.
        attention: attention at the end of the block; a residual block has it on its body,
            before the addition. None unless said otherwise.
    """

    dim: Required[int]
    padding: Padding
    norm: LayerChoice
    activation: LayerChoice
    attention: LayerChoice


CONVOLUTIONS: dict[int, Callable[..., nn.Module]] = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
BATCH_NORMS: dict[int, Callable[..., nn.Module]] = {
    1: nn.BatchNorm1d,
    2: nn.BatchNorm2d,
    3: nn.BatchNorm3d,
}
NORMS: Registry[Callable[..., nn.Module]] = Registry("norm")
ACTIVATIONS: Registry[Callable[..., nn.Module]] = Registry("activation")


def build_choice(
    registry: Registry[Callable[..., nn.Module]],
    choice: LayerChoice,
    *arguments: Any,
    **keywords: Any,
) -> nn.Module | None:
    """The layer a choice stands for, built with the arguments; None for None.

    Raises:
        UnknownNameError: the name is not in `registry`.
        ConfigError: the choice has no name, or options the layer does not take.
    """
    if choice is None:
        return None
    if not isinstance(choice, str | Mapping) and callable(choice):
        return choice(*arguments, **keywords)
    factory, options = checked_choice(registry, choice, registry.kind)
    name = choice if isinstance(choice, str) else choice["name"]
    keywords |= options
    _check_options(f"{registry.kind} {name!r}", factory, arguments, keywords)
    return factory(*arguments, **keywords)


def checked_choice(
    registry: Registry[Callable[..., nn.Module]], choice: object, subject: str
) -> tuple[Callable[..., nn.Module], dict[str, Any]]:
    """The factory and the options that a name, or a mapping with one, stands for.

    Args:
        registry: of the names.
        choice: as a configuration says it.
        subject: what it is, for messages.

    Raises:
        UnknownNameError: the name is not in `registry`.
        ConfigError: neither name nor mapping, no name in it, or a value that an option cannot have.
    """
    chosen = {"name": choice} if isinstance(choice, str) else choice
    if not isinstance(chosen, Mapping):
        raise ConfigError(subject, repr(choice), "a name, or options with a key `name`")
    if not isinstance(chosen.get("name"), str):
        raise ConfigError(subject, f"no name in {dict(chosen)}", "a key `name`")
    name = chosen["name"]
    if name not in registry:
        hint = did_you_mean(name, registry)
        raise UnknownNameError(subject, f"unknown name {name!r}", listed(registry), hint)
    factory = registry[name]
    options = {key: value for key, value in chosen.items() if key != "name"}
    check_values(subject, factory, options)
    return factory, options


def _check_options(
    subject: str, factory: Callable[..., nn.Module], arguments: tuple[Any, ...], options: Any
) -> None:
    signature = inspect.signature(factory)
    try:
        bound = signature.bind(*arguments, **options)
    except TypeError as error:
        raise ConfigError(subject, str(error)) from error
    # Blocks take the choices of `Style`, and nothing else, through their last parameter.
    unknown = set(bound.arguments.get("style", {})) - set(Style.__annotations__)
    if unknown:
        known = [*signature.parameters, *Style.__annotations__]
        expected = ", ".join(name for name in known[len(arguments) :] if name != "style")
        raise ConfigError(subject, f"unknown option {sorted(unknown)[0]!r}", expected)


def build_norm(choice: LayerChoice, channels: int, dim: int) -> nn.Module | None:
    """The norm of a choice: `batch`, `layer` (over channels only), `group`, `lrn` or None."""
    return build_choice(NORMS, choice, channels, dim)


def needs_bias(norm: LayerChoice) -> bool:
    """Whether a convolution before this norm needs a bias: none follows, or one without shifts."""
    name = norm.get("name") if isinstance(norm, Mapping) else norm
    return name is None or name == "lrn"


def build_activation(choice: LayerChoice) -> nn.Module | None:
    """The activation a choice stands for, or None."""
    return build_choice(ACTIVATIONS, choice)


def per_axis(value: Size, dim: int, name: str = "size") -> tuple[int, ...]:
    """`value` for each of the `dim` axes.

    Raises:
        ConfigError: a tuple of another length.
    """
    if isinstance(value, int):
        return (value,) * dim
    if len(value) != dim:
        raise ConfigError(name, f"{len(value)} values {tuple(value)}", f"one, or {dim}")
    return tuple(value)


def resolve_padding(padding: Padding, kernel_size: Size, dim: int, dilation: Size = 1) -> Size:
    """Zeros to add on both sides of each axis.

    `valid` adds none. `same` adds half the dilated kernel, so that n samples give
    ceil(n / stride), and asks for odd kernels.

    Raises:
        ConfigError: another word, or `same` with an even kernel.
    """
    if not isinstance(padding, str):
        return per_axis(padding, dim, "padding")
    if padding == "valid":
        return (0,) * dim
    if padding != "same":
        raise ConfigError("padding", repr(padding), "'same', 'valid' or a number")
    kernel = per_axis(kernel_size, dim, "kernel_size")
    reach = [d * (k - 1) for k, d in zip(kernel, per_axis(dilation, dim, "dilation"), strict=True)]
    if any(r % 2 for r in reach):
        raise ConfigError("kernel_size", f"{kernel} with padding 'same'", "odd kernels")
    return tuple(r // 2 for r in reach)


def spatial_axes(x: Tensor) -> tuple[int, ...]:
    """The axes of `x` (N, C, ...) behind batch and channels."""
    return tuple(range(2, x.ndim))


class ChannelLayerNorm(nn.Module):
    """Layer norm over the channels of each position alone (Ba et al., 2016).

    It mixes no positions, so a window and the whole scene give the same values.

    Shapes: (N, C, ...) to the same.

    Args:
        channels: C.
        dim: number of axes behind the channels; any works.
        eps: added to the variance.
    """

    keeps_window_equivariance = True

    def __init__(self, channels: int, dim: int = 2, eps: float = 1e-6) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels, eps=eps)

    def forward(self, x: Tensor) -> Tensor:
        """Normalise each position of `x`."""
        normed: Tensor = self.norm(x.movedim(1, -1))
        return normed.movedim(-1, 1)


@NORMS.register("batch")
def batch_norm(channels: int, dim: int, eps: float = 1e-5, momentum: float = 0.1) -> nn.Module:
    """Batch normalisation (Ioffe and Szegedy, 2015)."""
    return BATCH_NORMS[dim](channels, eps=eps, momentum=momentum)


@NORMS.register("group")
def group_norm(channels: int, dim: int, groups: int = 32, eps: float = 1e-5) -> nn.Module:
    """Group normalisation (Wu and He, 2018); `groups` is lowered to a divisor of `channels`."""
    if groups < 1:
        raise ConfigError("norm 'group'", f"{groups} groups", "at least 1")
    return nn.GroupNorm(math.gcd(channels, groups), channels, eps=eps)


@NORMS.register("lrn")
def response_norm(
    channels: int, dim: int, size: int = 5, alpha: float = 1e-4, beta: float = 0.75, k: float = 2.0
) -> nn.Module:
    """Local response normalisation (Krizhevsky et al., 2012); it has no weights."""
    return LocalResponseNorm(size, alpha=alpha, beta=beta, k=k)


NORMS.add("layer", ChannelLayerNorm)
for _name, _factory in {
    "relu": nn.ReLU,
    "relu6": nn.ReLU6,
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "hard_sigmoid": nn.Hardsigmoid,
    "hard_swish": nn.Hardswish,
}.items():
    ACTIVATIONS.add(_name, _factory)


class Crop(nn.Module):
    """Cut `margin` positions off both ends of each axis.

    Shapes: (N, C, n, ...) to (N, C, n - 2 margin, ...).
    """

    keeps_window_equivariance = True

    def __init__(self, margin: tuple[int, ...]) -> None:
        super().__init__()
        self.margin = margin

    def extra_repr(self) -> str:
        """What `print` shows."""
        return f"margin={self.margin}"

    def forward(self, x: Tensor) -> Tensor:
        """The inner part of `x`."""
        return F.pad(x, [-m for m in reversed(self.margin) for _ in range(2)])
