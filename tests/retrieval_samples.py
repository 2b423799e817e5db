"""Pairs for the tests of retrieval: two Gaussian views of classes in a latent space."""

import numpy as np

from hsi_suite.data.pairs import Pairs, one_hot

CLASSES, RANK, DIMENSIONS, NOISE, SPREAD = 5, 6, (40, 25), 2.0, 0.5


def gaussian_views(number=800, seed=1):
    """Two linear views with noise of points around class centres, and their classes."""
    generator = np.random.default_rng(seed)
    classes = generator.integers(CLASSES, size=number)
    centres = generator.normal(size=(CLASSES, RANK))
    points = centres[classes] + SPREAD * generator.normal(size=(number, RANK))
    views = [
        points @ generator.normal(size=(RANK, size)) + NOISE * generator.normal(size=(number, size))
        for size in DIMENSIONS
    ]
    return views[0].astype(np.float32), views[1].astype(np.float32), classes


def gaussian_pairs(number=800, seed=1):
    """The same as pairs."""
    first, second, classes = gaussian_views(number, seed)
    return Pairs(first, second, one_hot(classes, CLASSES))


def write_pairs(path, number=240, extra=0, **changed):
    """An .npz file of pairs, perhaps with extra items of the second modality."""
    first, second, classes = gaussian_views(number + extra)
    arrays = {"first": first[:number], "second": second[:number], "labels": classes[:number]}
    if extra:
        arrays |= {"extra_second": second[number:], "extra_second_labels": classes[number:]}
    np.savez(path, **{k: v for k, v in (arrays | changed).items() if v is not None})
    return path
