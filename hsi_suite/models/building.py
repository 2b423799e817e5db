"""How a network is built from its name and a configuration's keys."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from ..arguments import checked
from ..backbones.denoising_network import DenoisingNetwork, OthersNetwork
from ..backbones.initialisation import initialise
from ..errors import ConfigError, HsiSuiteError, UnknownNameError
from ..option_values import check_values
from ..registry import did_you_mean, listed
from ..seeding import seed_own_draws
from .known_options import unknown_option
from .known_values import OPTION_LIMITS, require_settled
from .registry import CLASSIFIES, is_model, model_names, package_of_others, spec_of
from .spec import PURPOSES

# What data and window settle; an example of a network names them among its options.
_FIXED = {name for purpose in PURPOSES.values() for name in purpose.arguments}
# What layers and Python raise over values of the wrong kind or size.
_REFUSALS = (TypeError, ValueError, RuntimeError, LookupError, ArithmeticError, AttributeError)


@contextmanager
def running(name: str) -> Iterator[None]:
    """Say in one line what fails in the code of a network of the user's own or another package's.

    Raises:
        ConfigError: something fails there, whatever it is.
    """
    try:
        yield
    except HsiSuiteError:
        raise
    except Exception as error:
        package = package_of_others(name)
        frames = [
            (frame.f_code.co_filename, line)
            for frame, line in traceback.walk_tb(error.__traceback__)
            if str(frame.f_globals.get("__name__")).partition(".")[0] == package
        ]
        if not frames:
            raise
        file, line = frames[-1]
        reason = f"{type(error).__name__}: {str(error).partition(chr(10))[0]}".rstrip(": ")
        raise ConfigError(f"{file}, line {line}", reason, "a network that runs") from error


@checked
def create(name: str, *, seed: int | None = None, **arguments: Any) -> nn.Module:
    """A registered network with fresh weights, in training mode.

    Args:
        name: of `names()`, or FILE.py:Class.
        seed: of the initial weights, drawn as a training with `hsi train` draws them; None draws
            from torch's own generator of this moment.
        arguments: of a classifier in_channels, num_classes, window; of a denoiser in_channels; of
            a retriever first_shape, second_shape, num_classes; and the options of the network.

    Raises:
        UnknownNameError: no model of this name.
        ConfigError: an argument is missing, unknown or impossible.
        ShapeError: the network cannot take this window or number of channels.
    """
    task = spec_of(name).task
    chosen = int(torch.randint(2**62, ()).item()) if seed is None else seed
    needed = PURPOSES[task].arguments
    missing = [key for key in needed if key not in arguments]
    if missing:
        raise ConfigError(f"model {name}", f"no {' and no '.join(missing)}", ", ".join(needed))
    fixed = {key: arguments.pop(key) for key in needed}
    return _build(name, task, fixed, arguments, torch.Generator().manual_seed(chosen))


def build_model(
    name: str,
    *,
    in_channels: int,
    num_classes: int,
    window: int,
    options: Mapping[str, Any],
    generator: torch.Generator | None,
) -> nn.Module:
    """A named classifier with initial weights drawn from `generator` (as built without one).

    Raises:
        UnknownNameError: no model of this name.
        ConfigError: it is no classifier, an option the model does not have, or a value it cannot
            take.
        ShapeError: the model cannot take this window or number of channels.
    """
    fixed = {"in_channels": in_channels, "num_classes": num_classes, "window": window}
    return _build(name, CLASSIFIES, fixed, options, generator)


def _check_logits(
    name: str, model: nn.Module, *, in_channels: int, num_classes: int, window: int
) -> None:
    """Refuse a network of others that does not give one row of logits for each window."""
    parameters = list(model.parameters())
    if not parameters:
        raise ConfigError(f"model {name}", "has no parameters", "a network that can learn")
    if any(isinstance(each, nn.UninitializedParameter) for each in parameters):
        raise ConfigError(f"model {name}", "has lazy layers", "layers that know their sizes")
    if parameters[0].is_meta:
        return
    shape, training = (2, in_channels, window, window), model.training
    with running(name):
        try:
            with torch.inference_mode():
                found: Any = model.eval()(torch.zeros(shape))
        except _REFUSALS as error:
            reason = str(error).partition("\n")[0]
            given = "×".join(map(str, shape))
            raise ConfigError(f"model {name}", f"cannot take {given} ({reason})") from error
        finally:
            model.train(training)
    size = tuple(getattr(found, "shape", ()))
    if size != (shape[0], num_classes):
        raise ConfigError(
            f"model {name}",
            f"gives {size or type(found).__name__} for {shape[0]} windows",
            f"logits of the shape ({shape[0]}, {num_classes})",
        )
    if not found.is_floating_point():
        raise ConfigError(f"model {name}", f"gives {found.dtype}", "logits, in floating point")


def build_denoiser(
    name: str,
    *,
    in_channels: int,
    options: Mapping[str, Any],
    generator: torch.Generator | None,
) -> DenoisingNetwork:
    """A named denoiser with initial weights drawn from `generator` (as built without one).

    Args:
        name: of the model.
        in_channels: 1 for grey images, 3 for RGB.
        options: further arguments of the model.
        generator: of the initial weights.

    Returns:
        See `DenoisingNetwork` for what it tells of itself.

    Raises:
        UnknownNameError: no model of this name.
        ConfigError: it is no denoiser, an option it does not have, or a value it cannot take.
    """
    model = _build(name, "denoising", {"in_channels": in_channels}, options, generator)
    return model if isinstance(model, DenoisingNetwork) else OthersNetwork(model)


def build_retriever(
    name: str,
    *,
    first_shape: tuple[int, ...],
    second_shape: tuple[int, ...],
    num_classes: int,
    options: Mapping[str, Any],
    generator: torch.Generator | None,
) -> nn.Module:
    """A named network of two modalities with initial weights drawn from `generator`.

    Args:
        name: of the model.
        first_shape: of one item of the first modality.
        second_shape: of the second.
        num_classes: classes.
        options: further arguments of the model.
        generator: of the initial weights.

    Raises:
        UnknownNameError: no model of this name.
        ConfigError: it is for something else, or has no such option or value.
        ShapeError: an encoder is for items of another kind.
    """
    fixed = {"first_shape": first_shape, "second_shape": second_shape, "num_classes": num_classes}
    return _build(name, "retrieval", fixed, options, generator)


def build_example(name: str, changed: Mapping[str, Any]) -> nn.Module:
    """The usual instance of a model with some of its arguments changed, for any task.

    Raises:
        UnknownNameError: no model of this name.
        ConfigError: an argument the model does not have, or a value it cannot take.
        ShapeError: the model cannot take this window or number of channels.
    """
    spec = spec_of(name)
    return _build(name, spec.task, {}, {**spec.example, **changed}, None)


def _build(
    name: str,
    task: str,
    fixed: Mapping[str, Any],
    options: Mapping[str, Any],
    generator: torch.Generator | None,
) -> nn.Module:
    suitable = model_names(task)
    if not is_model(name):
        hint = did_you_mean(name, suitable)
        raise UnknownNameError("model", f"unknown name {name!r}", listed(suitable), hint)
    spec = spec_of(name, task)
    if spec.task != task:
        raise ConfigError("model.name", f"{name} is for {spec.task}", listed(suitable))
    arguments = inspect.signature(spec.factory).parameters
    any_key = any(each.kind is each.VAR_KEYWORD for each in arguments.values())
    missing = [] if any_key else [key for key in fixed if key not in arguments]
    if missing:
        found = f"takes no {' and no '.join(missing)}"
        raise ConfigError(f"model {name}", found, f"the arguments {', '.join(fixed)}")
    unnamed = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    known = [key for key in arguments if key not in fixed and arguments[key].kind not in unnamed]
    for key in () if any_key else options:
        if key not in known:
            raise unknown_option(name, key, known)
    require_settled({**fixed, **options})
    if package_of_others(name) is None:
        given = {key: value for key, value in options.items() if key not in _FIXED}
        check_values("model.options", spec.factory, given, OPTION_LIMITS, settled=_FIXED)
    seed = 0 if generator is None else generator.initial_seed()
    with running(name):
        try:
            with torch.random.fork_rng([]):
                seed_own_draws(seed)
                model = spec.factory(**fixed, **options)
        except _REFUSALS as error:
            reason = str(error).partition("\n")[0]
            raise ConfigError(
                "model.options", f"{dict(options)} does not suit {name} ({reason})"
            ) from error
    if generator is not None and spec.initialisation is not None:
        # A network whose options change what suits it says so itself.
        initialise(model, getattr(model, "initialisation", spec.initialisation), generator)
    if package_of_others(name) is not None and "window" in fixed:
        _check_logits(name, model, **fixed)
    return model
