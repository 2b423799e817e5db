"""Pixels dealt out to folds by blocks of the scene, so that neighbours stay together.

For what is chosen or fitted within the training side. Splits of a whole scene with a guard between
the sides are in `spatial_folds`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .splits import Indices


def block_cells(pixels: Indices, samples: int, edge: int) -> Indices:
    """The block that each pixel lies in, numbered from 0 on.

    Args:
        pixels: flat indices.
        samples: in a line of the scene.
        edge: lines and samples of a block.
    """
    lines, columns = np.divmod(pixels, samples)
    blocks = (lines // edge) * (samples // edge + 1) + columns // edge
    return np.asarray(np.unique(blocks, return_inverse=True)[1], np.int64)


def deal_cells(cells: Indices, classes: NDArray[np.integer], folds: int) -> Indices:
    """The fold of each pixel: whole cells, dealt so that each class is spread over the folds.

    The largest cells come first, each into the fold that holds least of its classes, by the sum
    of squared shares. Nothing is drawn at random.

    Args:
        cells: of each pixel, numbered from 0 on.
        classes: index of each pixel's class.
        folds: the most of them; fewer where there are fewer cells.

    Returns:
        Numbers from 0 on, one for each pixel.
    """
    known, ranks = np.unique(classes, return_inverse=True)
    members = np.zeros((int(cells.max()) + 1, len(known)))
    np.add.at(members, (cells, ranks), 1)
    shares = members / np.bincount(ranks)
    folds = min(folds, len(members))
    held, fold_of = np.zeros((folds, len(known))), np.zeros(len(members), np.int64)
    for cell in np.argsort(-members.sum(1), kind="stable"):
        # How much (held + share)² − held² adds, without what is the same for all folds.
        fold = int((held @ shares[cell]).argmin())
        held[fold] += shares[cell]
        fold_of[cell] = fold
    return fold_of[cells]
