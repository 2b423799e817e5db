"""How many lines of a gallery are embedded at a time, so that memory keeps within a limit."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from ...engine.memory import layer_bytes
from ...errors import InputFileError
from ...memory import PROGRAM_BYTES, check_limit, memory_text
from .gallery import Gallery
from .retriever import Retriever
from .sides import Side

CHUNK = 4096
"""Items that are cut out at a time."""

# Larger strips win nothing, and less is lost when one breaks.
_MOST_PIXELS = 2**19
# Items that go through the network at a time.
_BATCH = 1024


def strip_lines(
    gallery: Gallery, retriever: Retriever, side: Side, step: int, memory_limit: float
) -> int:
    """Lines in a strip of a gallery.

    The answer depends on the gallery, the run and the limit alone: a call that goes on cuts alike.

    Raises:
        ConfigError: not even one line keeps within the limit.
    """
    needed = _memory_of(gallery, retriever, side, step)
    lines, samples, _ = gallery.shape
    height = max(1, min(lines, _MOST_PIXELS // samples))
    while height > 1 and needed(height) > memory_limit:
        height //= 2
    check_limit(memory_limit, needed(height), "this gallery with this run")
    return height


def check_picture(path: str, picture: Gallery, memory_limit: float) -> None:
    """Refuse a picture that does not fit into memory, before it is decoded.

    Raises:
        InputFileError: it does not.
    """
    needed = PROGRAM_BYTES + picture.reading_bytes(1)
    if needed > memory_limit:
        lines, samples, _ = picture.shape
        raise InputFileError(
            path,
            f"{samples:,} × {lines:,} pixels need about {memory_text(needed)}",
            f"at most the memory limit, {memory_text(memory_limit)}",
            "raise --memory-limit if it is really so large, or cut the picture",
        )


def _memory_of(
    gallery: Gallery, retriever: Retriever, side: Side, step: int
) -> Callable[[int], float]:
    """About the most memory that the process takes, as a function of the lines in a strip."""
    modality = retriever.modality(side)
    lines, samples, bands = gallery.shape
    weights = 8.0 * sum(values.numel() for values in retriever.network.parameters())
    fixed = PROGRAM_BYTES + weights + _activations(retriever, side)
    fixed += 3 * 4.0 * CHUNK * math.prod(modality.shape)

    def needed(height: int) -> float:
        read = min(height + modality.window - 1, lines)
        # The layer in double precision, measured, filled and with its border.
        layer = read * samples * (28.0 * modality.channels + 4 * bands + 60)
        items = -(-height // step) * -(-samples // step)
        rows = items * (8.0 * retriever.embedding_size + 8 * bands + 16)
        return fixed + gallery.reading_bytes(read) + layer + rows

    return needed


def _activations(retriever: Retriever, side: Side) -> float:
    """Bytes of the largest layer's inputs and outputs at work on a batch of the retriever."""
    two = np.zeros((2, *retriever.modality(side).shape), np.float32)
    layers = layer_bytes(retriever.network, lambda: retriever.embed(two, side))
    # Convolutions unfold their inputs; measured on an 11 × 11 window: twice the largest layer.
    return _BATCH * max((layer.inputs + layer.output for layer in layers), default=0.0)
