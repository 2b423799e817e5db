import json

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage
from skimage import data as samples

from hsi_suite.data import pair_alignment
from hsi_suite.data.pair_alignment import MARGIN, align
from hsi_suite.tasks.denoising import pair_scores


def photograph():
    """Smooth enough that a spline moves it without loss."""
    return ndimage.gaussian_filter(samples.astronaut()[60:188, 100:260].astype(float), (1, 1, 0))


def moved(image, shift):
    planes = [
        ndimage.shift(image[..., channel], shift, order=5, mode="mirror") for channel in range(3)
    ]
    return np.stack(planes, 2)


@pytest.mark.parametrize("shift", [(0.0, 0.0), (0.3, -0.4), (-1.2, 0.7)])
def test_a_planted_shift_and_level_are_found(shift):
    clean = photograph()
    there = 0.9 * moved(clean, shift) + 6
    noisy = there + np.random.default_rng(0).normal(0, 4, clean.shape)
    found = align(noisy, clean)
    assert found.shift == pytest.approx(shift, abs=0.03)
    inner = there[MARGIN:-MARGIN, MARGIN:-MARGIN]
    before = np.mean((inner - clean[MARGIN:-MARGIN, MARGIN:-MARGIN]) ** 2)
    assert np.mean((found.clean - inner) ** 2) < min(0.3, before)
    np.testing.assert_array_equal(align(noisy, clean, found.shift).clean, found.clean)


def test_grey_photographs_keep_their_shape():
    grey = photograph()[..., 0]
    found = align(grey, grey)
    assert found.clean.shape == tuple(size - 2 * MARGIN for size in grey.shape)
    assert found.clean == pytest.approx(grey[MARGIN:-MARGIN, MARGIN:-MARGIN], abs=1e-6)


def test_a_picture_of_one_value_stays():
    flat = np.full((40, 40, 3), 7.0)
    assert align(flat, flat).clean == pytest.approx(7.0)


def test_what_is_not_alike_is_refused():
    clean = photograph()
    with pytest.raises(ValueError, match="shapes"):
        align(clean, clean[:-1])
    with pytest.raises(ValueError, match="20 × 160 pixels are too few"):
        align(clean[:20], clean[:20])
    noise = np.random.default_rng(0).uniform(0, 255, clean.shape)
    for other in (255 - clean, noise, np.full_like(clean, 9.0)):
        with pytest.raises(ValueError, match=r"alike|apart"):
            align(other, clean)


def test_a_flat_scene_with_noise_in_both_is_no_other_scene():
    rng = np.random.default_rng(0)
    noisy, clean = (90 + rng.normal(0, sigma, (64, 64, 3)) for sigma in (8, 0))
    assert align(noisy, clean).clean == pytest.approx(noisy.mean(), abs=1)


def test_the_shift_of_a_pair_is_searched_for_once(tmp_path, monkeypatch):
    clean = photograph()
    for name, values in (("a_real", moved(clean, (0.5, 0.4))), ("a_mean", clean)):
        Image.fromarray(np.rint(values).clip(0, 255).astype(np.uint8)).save(
            tmp_path / f"{name}.png"
        )
    calls = []
    search = pair_alignment._shift_between
    monkeypatch.setattr(
        pair_alignment, "_shift_between", lambda *pair: calls.append(1) or search(*pair)
    )
    (read,) = pair_scores.real_pairs(tmp_path, aligned=True)[1].pairs
    first, second = read(), read()
    np.testing.assert_array_equal(first.clean, second.clean)
    assert len(calls) == 1


def test_pairs_are_scored_as_they_are_and_aligned(hsi, tmp_path):
    clean = photograph()
    noisy = moved(clean, (0.5, 0.4)) + np.random.default_rng(0).normal(0, 4, clean.shape)
    for name, values in (("a_real", noisy), ("a_mean", clean)):
        Image.fromarray(np.rint(values).clip(0, 255).astype(np.uint8)).save(
            tmp_path / f"{name}.png"
        )
    command = ("evaluate", "--weights", "camera_denoiser", "--sigma", "5")
    code, out, _ = hsi(*command, "--pairs", str(tmp_path), "--align", "--json")
    assert code == 0
    scores = json.loads(out)
    assert scores["columns"] == ["real", "aligned"]
    input_ = scores["methods"][0]["scores"]
    ratios = {name: input_[name]["peak_signal_noise_ratio"] for name in scores["columns"]}
    # Noise of σ 4 alone is 36.1 dB.
    assert ratios["real"] < 34 < 35.5 < ratios["aligned"] < 36.6
    code, _, err = hsi(*command, "--iso", "400", "--align")
    assert code == 2 and "--align" in err
