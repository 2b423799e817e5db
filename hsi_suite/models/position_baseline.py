"""What the position of a pixel says of its class where no spectrum is seen."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..errors import SplitError
from ..process_wide import ignoring

# Steps to the pixels at distances of 0, 1 and √2.
_RINGS = (
    ((0, 0),),
    ((-1, 0), (1, 0), (0, -1), (0, 1)),
    ((-1, -1), (-1, 1), (1, -1), (1, 1)),
)


def nearest_position(
    train: NDArray[np.integer],
    classes: NDArray[np.integer],
    test: NDArray[np.integer],
    samples: int,
) -> NDArray[np.integer]:
    """Class of the pixel of the training side nearest to each test pixel, spectra unseen.

    What this reaches is what a split gives away: on a random split of Indian Pines it is right
    for 99 % of the test pixels.

    Args:
        train: flat indices of the pixels of the training side.
        classes: their class indices.
        test: flat indices of test pixels.
        samples: columns of the scene.
    """
    if not len(train) or not len(test):
        raise SplitError("position-only baseline", "an empty part", "training and test pixels")
    answers, open_ones = _beside_training(train, classes, test, samples)
    if open_ones.any():
        from sklearn.neighbors import KNeighborsClassifier

        # That classes may be numbers measured, when there are very many: they are classes.
        with ignoring(UserWarning):
            neighbours = KNeighborsClassifier(1).fit(np.stack(divmod(train, samples), 1), classes)
            places = np.stack(divmod(test[open_ones], samples), 1)
            answers[open_ones] = neighbours.predict(places)
    return answers


def _beside_training(
    train: NDArray[np.integer],
    classes: NDArray[np.integer],
    test: NDArray[np.integer],
    samples: int,
) -> tuple[NDArray[np.integer], NDArray[np.bool_]]:
    """Answers of `nearest_position` for test pixels beside training, and which are left open.

    Where all the nearest training pixels, at a distance of 0, 1 or √2, are of one class, no search
    is needed, however it settles ties: of a dense random split that is nearly every pixel.
    """
    lines = int(max(train.max(), test.max())) // samples + 1
    nowhere = -1
    grid = np.full((lines + 2, samples + 2), nowhere, np.int64)
    line, sample = np.divmod(train, samples)
    grid[line + 1, sample + 1] = np.arange(len(train))
    line, sample = np.divmod(test, samples)
    answers = np.zeros(len(test), classes.dtype)
    open_ones, searched = np.ones(len(test), bool), np.zeros(len(test), bool)
    for ring in _RINGS:
        left = np.flatnonzero(open_ones & ~searched)
        found = np.stack([grid[line[left] + 1 + a, sample[left] + 1 + b] for a, b in ring])
        held = found > nowhere
        some = held.any(0)
        first = classes[found[held.argmax(0), np.arange(len(left))]]
        one = some & ((classes[found] == first) | ~held).all(0)
        answers[left[one]] = first[one]
        open_ones[left[one]] = False
        searched[left[some & ~one]] = True  # a tie of several classes, for the search to settle
    return answers, open_ones
