"""Which sources of chance a training for retrieval has."""

from __future__ import annotations

from ...runs.chance import generated
from ...schemas.retrieval import RetrievalConfig


def absent_source(config: RetrievalConfig, source: str) -> str | None:
    """Why there is no such source; None where there is."""
    if source == "augment":
        return "nothing is augmented"
    return "its data were recorded" if source == "data" and not generated(config) else None
