"""What goes into networks, known without loading any: an input of another kind is refused at once.

`tests/test_known_values.py` holds it against what is said when a network is described.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from ..errors import ConfigError
from .known_names import NETWORKS
from .spec import PURPOSES

SEE_SIGMA = frozenset(("fdncnn", "ffdnet", "drunet", "residual_unet", "guided_unet"))
"""Denoisers of this package whose input has a σ map as its last channel."""

# Channels, one of them perhaps a σ map, lines and samples.
_OF_EVERY_KIND = (2, 1, 1)


def require_input(name: str, options: Mapping[str, Any], shape: tuple[int, ...] | None) -> None:
    """Refuse an input that is not of a network's kind, and arguments that follow from it.

    Args:
        name: of the network; those of others are judged when they are built.
        options: of it, with arguments of an example.
        shape: of one input without the batch; None for the usual one.

    Raises:
        ShapeError: the input has other axes.
        ConfigError: an argument is given that the input settles.
    """
    purpose = PURPOSES.get(NETWORKS.get(name, ""))
    if purpose is None:
        return
    told: Any = SimpleNamespace(
        takes_noise_map=name in SEE_SIGMA and options.get("noise_map", True)
    )
    for key in purpose.fitted(shape or _OF_EVERY_KIND, lambda: told):
        if key in options:
            raise follows_from_input(key)


def follows_from_input(key: str) -> ConfigError:
    """What is said of an argument that the input settles."""
    return ConfigError(key, "set", "nothing: it follows from the input", "set the input")
