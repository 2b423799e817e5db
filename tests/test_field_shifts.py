"""Differences between fields of one class, and spectra changed by them."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hsi_suite.data.field_shifts import FieldShifts
from hsi_suite.data.varied_spectra import varied

SAMPLES = 12


def scene(seed=0, lines=10):
    """A label map of rectangles and spectra of its labelled pixels."""
    generator = np.random.default_rng(seed)
    labels = np.zeros((lines, SAMPLES), int)
    for _ in range(9):
        line, sample = generator.integers(0, lines - 2), generator.integers(0, SAMPLES - 2)
        labels[line : line + generator.integers(1, 4), sample : sample + 3] = generator.integers(5)
    pixels = np.flatnonzero(labels)
    spectra = generator.normal(size=(len(pixels), 4)).astype(np.float32)
    return labels.reshape(-1)[pixels] - 1, pixels, spectra


def slow_fields(classes, pixels):
    """Areas of one class that touch, by growing them pixel by pixel; positions in `pixels`."""
    open_ones, fields = set(range(len(pixels))), []
    places = np.stack(np.divmod(pixels, SAMPLES), 1)
    while open_ones:
        field, edge = set(), [min(open_ones)]
        while edge:
            one = edge.pop()
            if one not in open_ones:
                continue
            open_ones.remove(one)
            field.add(one)
            near = np.abs(places - places[one]).max(1) <= 1
            edge += np.flatnonzero(near & (classes == classes[one])).tolist()
        fields.append(sorted(field))
    return fields


def slow_pairs(classes, pixels, spectra):
    """Every difference between two fields of one class of at least three pixels."""
    means = {}
    for field in slow_fields(classes, pixels):
        if len(field) >= 3:
            means.setdefault(classes[field[0]], []).append(spectra[field].mean(0))
    return [a - b for own in means.values() for a, b in itertools.permutations(own, 2)]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6))
def test_shifts_are_those_between_fields_of_one_class_all_equally_likely(seed):
    classes, pixels, spectra = scene(seed)
    shifts = FieldShifts.of(spectra, classes, pixels, SAMPLES)
    expected = slow_pairs(classes, pixels, spectra)
    assert bool(shifts) == bool(expected)
    if not expected:
        return
    count = 400 * len(expected)
    places = np.random.default_rng(seed).random((count, 2))
    got = shifts.draw(places, np.ones(count))
    apart = np.abs(got[:, None] - np.array(expected)[None]).max(-1)
    assert apart.min(1).max() < 1e-5
    times = np.bincount(apart.argmin(1), minlength=len(expected))
    assert times.min() > 300 and times.max() < 500


def test_strengths_multiply_and_the_ends_of_the_interval_are_drawn_too():
    classes, pixels, spectra = scene(3)
    shifts = FieldShifts.of(spectra, classes, pixels, SAMPLES)
    below = np.nextafter(1.0, 0)
    places = np.array([[0, 0], [0, below], [below, 0], [below, below]])
    once = shifts.draw(places, np.ones(4))
    np.testing.assert_allclose(shifts.draw(places, np.full(4, -2.5)), -2.5 * once, rtol=1e-6)
    assert once.dtype == np.float32


def test_a_single_field_of_each_class_tells_nothing():
    spectra = np.ones((6, 3), np.float32)
    pixels = np.array([0, 1, 2, 6, 7, 8])
    assert not FieldShifts.of(spectra, np.array([0, 0, 0, 1, 1, 1]), pixels, SAMPLES)
    # Areas of two pixels are too small to have a mean.
    assert not FieldShifts.of(spectra[:4], np.zeros(4, int), np.array([0, 1, 6, 7]), SAMPLES)


def changed(spectra, shifts=None, **keys):
    keys = {"copies": 200, "gain": 0.0, "noise": 0.0, "fields": 0.0} | keys
    origin = np.linspace(1, 2, spectra.shape[1], dtype=np.float32)
    generator = np.random.default_rng(5)
    return varied(spectra, shifts=shifts, origin=origin, generator=generator, **keys), origin


def test_copies_without_a_change_are_copies():
    spectra = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    got, _ = changed(spectra, copies=3)
    assert np.array_equal(got, np.concatenate([spectra] * 3)) and got.dtype == np.float32


def test_copies_vary_in_brightness_noise_and_field():
    classes, pixels, spectra = scene(3)
    got, origin = changed(spectra, gain=0.2)
    shares = (got.reshape(200, *spectra.shape) - spectra) / (spectra + origin)
    # One gain for all components of a copy, of the spectrum before its mean is taken.
    assert np.abs(shares - shares.mean(-1, keepdims=True)).max() < 1e-3
    assert 0.19 < np.abs(shares).max() <= 0.2001
    noisy, _ = changed(spectra, noise=0.3)
    assert (noisy.reshape(200, *spectra.shape) - spectra).std() == pytest.approx(0.3, rel=0.02)
    shifts = FieldShifts.of(spectra, classes, pixels, SAMPLES)
    moved, _ = changed(spectra, shifts, fields=0.5)
    apart = moved.reshape(200, *spectra.shape) - spectra
    pairs = np.array(slow_pairs(classes, pixels, spectra))
    spread = np.sqrt(np.square(pairs).mean(0)) * 0.5
    np.testing.assert_allclose(apart.std((0, 1)), spread, rtol=0.05)
