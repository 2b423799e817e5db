"""In a call for many files, the failure of one is its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ...engine.device_memory import exhausted
from ...errors import ConfigError, HsiSuiteError, InputFileError


@contextmanager
def own_failure(source: Path, refused: dict[Path, HsiSuiteError], *, alone: bool) -> Iterator[None]:
    """Note what goes wrong with a file in this block, so that the next one can go on.

    Args:
        source: the file.
        refused: what was wrong with each file; the failure is added.
        alone: there is no other file: what nobody foresaw is raised as it is.

    Raises:
        ConfigError: an option cannot be.
    """
    try:
        yield
    except ConfigError:
        raise  # an option that cannot be is nobody's own
    except HsiSuiteError as error:
        refused[source] = error
    except Exception as error:
        if exhausted(error):
            refused[source] = InputFileError(
                source,
                "does not fit into memory",
                "",
                "denoise it alone, with a lower --memory-limit or --tile",
            )
            refused[source].__cause__ = error
            return
        if alone:
            raise
        refused[source] = InputFileError(
            source,
            f"failed unexpectedly ({type(error).__name__}: {error})",
            "",
            "denoise it alone with `hsi --debug denoise` to see where",
        )
        refused[source].__cause__ = error
