"""What a network's options say of its stages: of all of them, and of some alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..backbones.dimension import LayerChoice
from ..backbones.stages import NOTHING, StageStyle
from ..errors import ConfigError
from ..registry import did_you_mean, listed

_SUBJECT = "model.options.stages"


class StageOptions:
    """The style of each stage of a network.

    Args:
        everywhere: what is said of all stages.
        stages: what is said of some alone, by their names.
        known: the network's stages by name, each with the name of the group that it belongs to
            (empty: to none), or None for a place that has an attention and nothing else, of
            which nothing is said by `everywhere`.

    Raises:
        ConfigError: no stage of a name, or keys that it does not have.
    """

    def __init__(
        self,
        everywhere: StageStyle,
        stages: Mapping[str, Mapping[str, Any]] | None,
        known: Mapping[str, str | None],
    ) -> None:
        self._everywhere, self._known = everywhere, known
        if stages is not None and not isinstance(stages, Mapping):
            raise ConfigError(_SUBJECT, repr(stages), f"keys, {listed(known)}")
        for name in stages or {}:
            if name not in known:
                hint = did_you_mean(str(name), known, most=1)
                raise ConfigError(f"{_SUBJECT}.{name}", "no such stage", listed(known), hint)
        self._said = {
            name: StageStyle.read(said, f"{_SUBJECT}.{name}")
            for name, said in (stages or {}).items()
        }
        for name, said in self._said.items():
            if known[name] is None and said != StageStyle(attention=said.attention):
                raise ConfigError(f"{_SUBJECT}.{name}", "more than an attention", "attention alone")

    def of(self, name: str) -> StageStyle:
        """The style of a stage: its own before its group's before that of all."""
        style = self._everywhere
        for said in (self._known[name], name):
            style = self._said.get(said or "", StageStyle()).over(style)
        return style

    def attention_of(self, name: str) -> LayerChoice:
        """The attention of a place that has nothing else."""
        choice = self._said.get(name, StageStyle()).attention
        return None if choice == NOTHING else choice

    def says(self, name: str) -> bool:
        """Whether something is said of this stage alone."""
        return name in self._said
