"""A TIFF file of several pictures denoised picture by picture, its notes kept."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from ...atomic import atomic_file
from ...data.photograph_stacks import open_stack
from ...data.photograph_writer import encoding
from ...data.photographs import Photograph
from ...errors import InputFileError
from .image_restoration import Pixels

Known = TypeVar("Known")


def denoise_pages(
    source: Path,
    target: Path,
    reference: Path | None,
    denoise: Callable[[Photograph, Photograph | None, int], tuple[Pixels, Known]],
) -> list[Known]:
    """Denoise the pictures of a stack one by one into a file of as many pages.

    Args:
        source: the stack.
        target: the file to write, whole or not at all.
        reference: a stack of as many clean pictures, or None.
        denoise: from a picture, its clean one and its number to the result and what is to be
            known of it.

    Returns:
        What is to be known of each picture.

    Raises:
        HsiSuiteError: a picture cannot be read, denoised or written.
    """
    known: list[Known] = []
    with ExitStack() as files:
        stack = files.enter_context(open_stack(source))
        clean = None if reference is None else files.enter_context(open_stack(reference))
        if clean is not None and clean.count != stack.count:
            raise InputFileError(
                clean.path, f"holds {clean.count} pictures", f"{stack.count}, as the input"
            )
        temporary = files.enter_context(atomic_file(target))
        files.enter_context(encoding(target))
        writer = files.enter_context(closing(stack.writer(temporary)))
        for index in range(stack.count):
            truth = None if clean is None else clean.read(index)
            page = stack.read(index)
            values, facts = denoise(page, truth, index)
            writer.write(replace(page, values=values))
            known.append(facts)
    return known
