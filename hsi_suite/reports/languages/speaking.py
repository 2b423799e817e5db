"""Which language pages are written in: what a user wants, and what is written at the moment."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from ...errors import ConfigError
from ...registry import listed

ENGLISH = "en"
LANGUAGES = (ENGLISH, "zh")
VARIABLE = "HSI_LANGUAGE"
"""The environment variable that says it; processes that a command starts have it too."""
#: What has pages in every language: runs by their task, and what commands find without a run.
TRANSLATED = (
    "classification",
    "image_classification",
    "denoising",
    "retrieval",
    "batch",
    "audit",
    "denoised cube",
    "search",
    "comparison of networks",
)

_spoken: ContextVar[str] = ContextVar("_spoken", default=ENGLISH)


def wanted() -> str:
    """The language that the user asked for.

    Raises:
        ConfigError: there is no such language.
    """
    name = os.environ.get(VARIABLE) or ENGLISH
    if name.lower() not in LANGUAGES:
        raise ConfigError(VARIABLE, repr(name), listed(LANGUAGES))
    return name.lower()


@contextmanager
def wanting(language: str) -> Iterator[None]:
    """Ask for a language inside the block, in processes that are begun there too."""
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = language
    try:
        yield
    finally:
        if before is None:
            del os.environ[VARIABLE]
        else:
            os.environ[VARIABLE] = before


def require(task: str) -> None:
    """Refuse a language that the pages of a task are not written in.

    Raises:
        ConfigError: they are not.
    """
    language = wanted()
    if language != ENGLISH and task not in TRANSLATED:
        raise ConfigError(
            "--language",
            f"{language} for a page of {task.replace('_', ' ')}",
            listed(TRANSLATED),
            "leave it out",
        )


def spoken() -> str:
    """The language that is written in at the moment."""
    return _spoken.get()


@contextmanager
def speaking(task: str) -> Iterator[None]:
    """Write the pages of a task in the language that is wanted, where they are translated."""
    token = _spoken.set(wanted() if task in TRANSLATED else ENGLISH)
    try:
        yield
    finally:
        _spoken.reset(token)
