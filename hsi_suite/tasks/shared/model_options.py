"""The options of a configuration's model: which are inherited, and how they are cleared.

Networks are imported only where more of their arguments has to be known than the names: a
configuration of this package's models is read without torch, so that a command can say at once
what it will do.
"""

from __future__ import annotations

import inspect
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from ...config import Tree, apply_settings, merge
from ...models.known_names import CLASSICAL_MODELS, is_known
from ...models.known_options import OPTIONS, SEE_SINGLE_PIXELS
from ...models.network_file import absolute_name, is_network_file, parts_of, trust
from ...models.spec import PURPOSES


def configured(
    base: Tree,
    named: Tree,
    settings: Sequence[str],
    default: str,
    schema: type[BaseModel],
) -> Tree:
    """A configuration's tree with what was named put in, then the settings.

    A setting of an option of the model may be short: scale=0.3 for model.options.scale=0.3.

    A model other than the one of the configuration inherits no option that it does not know, nor
    a window where it sees single pixels. An option that is null is cleared, unless the model takes
    null for it.

    Args:
        base: the configuration.
        named: keys that options of a command set.
        settings: "a.b=c" texts, as of `--set`.
        default: the model of a configuration that names none.
        schema: of the configuration, whose keys come before options of the model.

    Raises:
        ConfigError: a setting cannot be read.
    """
    model = _section(apply_settings(merge(base, named), settings)).get("name", default)
    settings = [_in_full(setting, model, schema) for setting in settings]
    wanted = _section(_with_whole_name(apply_settings(named, settings)))
    name = wanted.get("name")
    if isinstance(name, str) and is_network_file(name):
        # What a file of configuration names may be somebody else's: it is not run for that.
        trust(parts_of(name)[0])
    given = apply_settings(merge(_inherited(base, wanted, default), named), settings)
    return _without_cleared(_with_whole_name(given), default)


def _in_full(setting: str, model: object, schema: type[BaseModel]) -> str:
    first = setting.partition("=")[0].partition(".")[0].strip()
    if first in schema.model_fields or first not in (_option_names(model) or ()):
        return setting
    settled = {key for purpose in PURPOSES.values() for key in purpose.arguments}
    return setting if first in settled else f"model.options.{setting.lstrip()}"


def _with_whole_name(tree: Tree) -> Tree:
    """The tree with the file of a network of the user's in full."""
    model = _section(tree)
    if not is_network_file(model.get("name")):
        return tree
    return {**tree, "model": {**model, "name": absolute_name(model["name"])}}


def _inherited(base: Tree, wanted: Mapping[str, Any], default: str) -> Tree:
    """The configuration without what another model than its own cannot use."""
    model, name = _section(base), wanted.get("name")
    if name is None or name == model.get("name", default):
        return base
    known = _option_names(name)
    if known is None:
        return base
    model = dict(model)
    if isinstance(options := model.get("options"), Mapping):
        model["options"] = {key: value for key, value in options.items() if key in known}
    if "window" in model and _sees_single_pixels(name):
        model["window"] = 1
    return {**base, "model": model}


def _without_cleared(tree: Tree, default: str) -> Tree:
    model = _section(tree)
    options = model.get("options", {})
    if options is None:
        return {**tree, "model": {**model, "options": {}}}
    if not isinstance(options, Mapping) or None not in options.values():
        return tree
    known = _arguments(model.get("name", default))
    if known is None:
        return tree
    kept = {
        key: value
        for key, value in options.items()
        if value is not None or (key in known and _takes_none(known[key]))
    }
    return {**tree, "model": {**model, "options": kept}}


def _section(tree: Mapping[str, Any]) -> Mapping[str, Any]:
    model = tree.get("model")
    return model if isinstance(model, Mapping) else {}


def _option_names(name: object) -> Collection[str] | None:
    """The options of a model by name; None where there is no such model."""
    if isinstance(name, str) and name in OPTIONS:
        return OPTIONS[name]
    return _arguments(name)


def _arguments(name: object) -> Mapping[str, inspect.Parameter | None] | None:
    """The arguments of a model by name; None where there is no such model."""
    if not isinstance(name, str):
        return None
    if name in CLASSICAL_MODELS:
        return dict.fromkeys(OPTIONS[name])
    if not is_known(name):
        return None
    from ...models.registry import is_model, spec_of

    if not is_model(name):
        return None
    factory = spec_of(name).factory
    try:
        return inspect.signature(factory, eval_str=True).parameters
    except Exception:
        # Names that only type checkers know stay what is written, which says enough.
        return inspect.signature(factory).parameters


def _takes_none(argument: inspect.Parameter | None) -> bool:
    return argument is not None and (argument.default is None or "None" in str(argument.annotation))


def _sees_single_pixels(name: object) -> bool:
    if name in OPTIONS:
        return name in CLASSICAL_MODELS or name in SEE_SINGLE_PIXELS
    window = (_arguments(name) or {}).get("window")
    return window is not None and window.default == 1
