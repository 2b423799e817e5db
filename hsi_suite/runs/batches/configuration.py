"""The keys of a batch, from its file or name; read without torch, before its runs are looked at."""

from __future__ import annotations

import re
from pathlib import Path

from ...commands import suggested
from ...config import load_tree, validate
from ...errors import ConfigError
from ...schemas.batch import BatchConfig


def batch_config(name: str, runs: int | None) -> BatchConfig:
    """The configuration of a batch, with a name.

    Args:
        name: of a shipped configuration, or a file.
        runs: the seeds 0 … runs − 1 instead of those that the configuration names.

    Raises:
        ConfigError: it is none, or of a single run.
    """
    tree = load_tree(name)
    if runs is not None:
        tree |= {"runs": runs, "seeds": None}
    if tree.get("task") != "batch" and ("data" in tree or "model" in tree):
        remedy = f"carry it out with {suggested('train', '--config', name)}"
        raise ConfigError(name, "the configuration of a single run", "one of a batch", remedy)
    config = validate(BatchConfig, tree, name)
    if config.name is None:
        config = config.model_copy(update={"name": folder_stem(Path(name).stem)})
    return config


def folder_stem(text: str) -> str:
    """A text as the beginning of a batch's folder name."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).lstrip("._-") or "batch"
