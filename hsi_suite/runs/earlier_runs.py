"""What runs were made with that began before a key of their configuration was there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

AS_BEFORE: dict[tuple[str, ...], Any] = {("data", "bands"): "all"}
"""Later keys whose default does not do what was done before, with the values that do.

Such a value renames no run.
"""


def with_earlier_values(config: Mapping[str, Any]) -> dict[str, Any]:
    """A run's configuration with what older runs were made with, where it lacks a later key.

    Args:
        config: the plain tree, as it stands in the run's folder.
    """
    data = config.get("data")
    if not isinstance(data, Mapping) or "scene" not in data:
        return dict(config)
    earlier = {keys[-1]: value for keys, value in AS_BEFORE.items()}
    return {**config, "data": {**earlier, **data}}
