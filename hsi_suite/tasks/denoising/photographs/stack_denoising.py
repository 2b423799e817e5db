"""A TIFF file of several pictures denoised one after the other, its notes kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from ....atomic import atomic_file
from ....data.photograph_stacks import open_stack
from ....data.photograph_writer import encoding
from ....data.photographs import Photograph
from ....errors import InputFileError
from ..image_restoration import Pixels

Seen = TypeVar("Seen")
Known = TypeVar("Known")


def denoise_pages(
    source: Path,
    target: Path,
    reference: Path | None,
    look: Callable[[Photograph, Photograph | None, int], Seen],
    finish: Callable[[Sequence[Seen], int], tuple[Pixels, Known]],
    radius: int = 0,
) -> list[Known]:
    """Denoise the pictures of a stack one after the other into a file of as many pages.

    Args:
        source: the stack.
        target: the file to write, whole or not at all.
        reference: a stack of as many clean pictures, or None.
        look: from a picture, its clean one and its number to what is to be kept of it for its
            own turn and those of its neighbours.
        finish: from what is kept of a picture and its neighbours, and its place among them, to the
            result and what is to be known of it.
        radius: how many pictures on each side are its neighbours.

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
        kept: dict[int, tuple[Photograph, Seen]] = {}
        for index in range(stack.count):
            kept.pop(index - radius - 1, None)
            first, last = max(0, index - radius), min(stack.count - 1, index + radius)
            for coming in range(index, last + 1):
                if coming not in kept:
                    truth = None if clean is None else clean.read(coming)
                    page = stack.read(coming)
                    kept[coming] = page, look(page, truth, coming)
            window = [kept[each][1] for each in range(first, last + 1)]
            values, facts = finish(window, index - first)
            writer.write(replace(kept[index][0], values=values))
            known.append(facts)
    return known
