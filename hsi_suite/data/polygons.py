"""Which polygon each labelled pixel lies in, and which polygons belong together."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from skimage.measure import label

from ..errors import ShapeError, SplitError

Ids = NDArray[np.int64]


def polygons_of(labels: NDArray[np.integer], features: NDArray[np.integer] | None) -> Ids:
    """The number, from 1 on, of the polygon that each labelled pixel lies in; 0 elsewhere.

    Labelled pixels of no feature, as those of label maps, form polygons of their own: the areas of
    one label that touch, at a corner at least.

    Args:
        labels: lines × samples, 0 = unlabelled.
        features: lines × samples, the feature that labels each pixel, 0 where none does; None
            where nothing was drawn.

    Raises:
        ShapeError: the two differ in size.
        SplitError: features that are no whole numbers from 0 on.
    """
    if features is None:
        return _areas(labels)
    if features.shape != labels.shape:
        raise ShapeError("features", f"{features.shape}", f"{labels.shape}, as the labels")
    if not np.issubdtype(features.dtype, np.integer) or (features.size and features.min() < 0):
        raise SplitError("features", "other values", "whole numbers, 0 where there is no feature")
    drawn = np.where(labels > 0, features, 0).astype(np.int64)
    alone = np.where(drawn > 0, 0, labels)
    if alone.any():
        areas = _areas(alone)
        drawn = np.where(areas > 0, areas + drawn.max(), drawn)
    _, numbers = np.unique(np.concatenate([[0], drawn.ravel()]), return_inverse=True)
    return np.asarray(numbers[1:].reshape(labels.shape), np.int64)


def _areas(labels: NDArray[np.integer]) -> Ids:
    """The number of the area of one label that each labelled pixel lies in."""
    found: Ids = label(labels, background=0, connectivity=2).astype(np.int64)  # type: ignore[no-untyped-call]
    return found


def touching_groups(labels: NDArray[np.integer], polygons: Ids) -> Ids:
    """The number, from 1 on, of the group of polygons that each labelled pixel lies in.

    Polygons of one class that touch or overlap, at the corner of a pixel at least, are a group:
    they were one area before somebody drew a line through it.

    Args:
        labels: lines × samples, 0 = unlabelled.
        polygons: of `polygons_of`.
    """
    count = int(polygons.max()) + 1
    links = [np.empty((0, 2), np.int64)]
    for here, there in (
        (np.s_[:, :-1], np.s_[:, 1:]),
        (np.s_[:-1], np.s_[1:]),
        (np.s_[:-1, :-1], np.s_[1:, 1:]),
        (np.s_[:-1, 1:], np.s_[1:, :-1]),
    ):
        first, second = polygons[here], polygons[there]
        meeting = (first != second) & (labels[here] == labels[there]) & (labels[here] > 0)
        links.append(np.unique(np.stack([first[meeting], second[meeting]], axis=1), axis=0))
    first, second = np.concatenate(links).T
    # Here: other splits do without.
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(first)), (first, second)), shape=(count, count))
    _, group = connected_components(graph, directed=False)
    # No polygon is the first node, alone in group 0.
    return np.asarray(group, np.int64)[polygons]
