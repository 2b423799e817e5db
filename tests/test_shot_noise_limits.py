"""From where on noise passes for growing with brightness, and what its line may be."""

import numpy as np
import pytest

from hsi_suite.restoration.noise_level import NoiseLevel, Part
from hsi_suite.restoration.shot_noise import ShotNoise, find_shot_noise


def level_of(*sigmas, scale=1):
    parts = tuple(Part(v, s) for v, s in zip((0.1, 0.4, 0.8), sigmas, strict=True))
    return NoiseLevel(sigmas[1], scale, sigmas[1], parts)


def found(*sigmas, scale=1):
    """What is found where the first line makes noise even."""
    return find_shot_noise(level_of(*sigmas, scale=scale), lambda _: level_of(0.05, 0.05, 0.05))


def test_noise_grows_from_a_tenth_on_and_is_white():
    assert found(0.05, 0.053, 0.056) is not None
    assert found(0.05, 0.0515, 0.053) is None
    assert found(0.05, 0.053, 0.056, scale=2) is None


def test_the_middle_lies_near_the_line():
    assert found(0.05, 0.06, 0.056) is not None
    assert found(0.05, 0.08, 0.056) is None and found(0.08, 0.05, 0.1) is None


def test_less_than_nothing_at_black_is_photons_alone():
    shot = found(0.02, 0.06, 0.09)
    assert shot.floor == 0 and shot.gain == pytest.approx(0.09**2 / 0.8)


def test_values_without_a_count_are_alike():
    first, second = ShotNoise(1 / 60, 0.0, 0.1).evened(np.float32([-1, -2]))
    assert first == second < 0
