"""The two modalities of a retriever: how its run counts and names them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from ...errors import ConfigError

Side = Literal["first", "second"]
SIDES: tuple[Side, Side] = ("first", "second")


def names_in(config: Mapping[str, Any]) -> Sequence[str]:
    """The names of a run's modalities, as its configuration has them; none where it does not."""
    data = config.get("data")
    pair = data.get("pair") if isinstance(data, Mapping) else None
    return pair.split(":") if isinstance(pair, str) else ()


def require_side(side: str, names: Sequence[str]) -> None:
    """Refuse a side that a run does not have.

    Args:
        side: first, second or the name of a modality.
        names: of the run's; none where they are not known.

    Raises:
        ConfigError: it is neither.
    """
    if side not in SIDES and names:
        require_name(side, names)


def require_name(name: str, names: Sequence[str]) -> None:
    """Refuse a name that is no modality's of a run.

    Raises:
        ConfigError: it is not among them.
    """
    if name not in names:
        raise ConfigError("modality", f"{name!r} is not of this run", " or ".join(names))
