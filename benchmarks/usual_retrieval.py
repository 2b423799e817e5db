"""Mean average precision the usual way: a Python loop down every ranking."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist


def average_precisions(
    queries: NDArray[np.float32],
    gallery: NDArray[np.float32],
    query_labels: NDArray[np.int64],
    gallery_labels: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Average precision of each query by cosine distance; labels are looked up item by item."""
    orders = cdist(queries, gallery, "cosine").argsort()
    found = []
    for query in range(len(queries)):
        order = orders[query]
        hits, total = 0.0, 0.0
        for place in range(len(gallery)):
            if gallery_labels[order[place]] == query_labels[query]:
                hits += 1
                total += hits / (place + 1)
        found.append(total / hits)
    return np.array(found)
