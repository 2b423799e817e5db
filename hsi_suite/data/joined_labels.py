"""One label map of several, as papers publish those of training and of test apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import InputFileError
from .formats.array_choice import size_text
from .formats.label_values import LabelFile


def join_labels(paths: Sequence[Path], truths: Sequence[LabelFile]) -> LabelFile:
    """The label map that has every pixel's label of those given.

    Args:
        paths: of the maps, for messages.
        truths: at least one; the first gives names, colours and georeference.

    Raises:
        InputFileError: the maps differ in size or meaning, or give a pixel two labels.
    """
    first = truths[0]
    labels = first.labels
    for path, truth in zip(paths[1:], truths[1:], strict=True):
        if truth.labels.shape != labels.shape or truth.first_value != first.first_value:
            raise InputFileError(
                path,
                f"a label map of {size_text(truth.labels.shape)} from {truth.first_value} on",
                f"{size_text(labels.shape)} from {first.first_value} on, as the first",
            )
        twice = (labels > 0) & (truth.labels > 0) & (labels != truth.labels)
        if twice.any():
            raise InputFileError(
                path,
                f"{int(twice.sum())} pixels have another label than in {paths[0].name}",
                "one label for a pixel",
                "give maps with the same numbering of classes",
            )
        labels = np.where(labels > 0, labels, truth.labels)
    features = _joined_features(truths)
    named = max((truth.class_names or () for truth in truths), key=len)
    return replace(
        first,
        labels=labels,
        class_names=named or None,
        features=None if features is None else np.where(labels > 0, features, 0),
        files=tuple(dict.fromkeys(path for truth in truths for path in truth.files)),
        remarks=tuple(dict.fromkeys(remark for truth in truths for remark in truth.remarks)),
        placement={name: digest for truth in truths for name, digest in truth.placement.items()},
    )


def _joined_features(truths: Sequence[LabelFile]) -> NDArray[np.int32] | None:
    """The features of maps, numbered one after the other; None where none were drawn."""
    joined: NDArray[np.int32] | None = None
    for truth in truths:
        if truth.features is None:
            continue
        if joined is None:
            joined = truth.features
        else:
            further = (joined == 0) & (truth.features > 0)
            joined = np.where(further, truth.features + joined.max(), joined)
    return joined
