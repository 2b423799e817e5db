"""Pages of a stack with the help of their neighbours: the averages, and the gain."""

import re

import numpy as np
import pytest
import tifffile
from denoiser_samples import box_filter
from photograph_samples import drawn
from skimage.data import camera

from hsi_suite.restoration.page_fusion import blended, fuse_pages, fused_sigma

RNG = np.random.default_rng(0)
CLEAN = drawn(1, (60, 70)).astype(np.float32)


def noisy(sigmas, clean=CLEAN):
    return [(clean + RNG.normal(0, sigma, clean.shape)).astype(np.float32) for sigma in sigmas]


def slowly_fused(pages, guides, sigmas, middle):
    """The same for grey pages, pixel by pixel."""
    lines, samples = pages[0].shape
    pad = [
        (np.pad(page, 3, "symmetric"), np.pad(guide, 3, "symmetric"))
        for page, guide in zip(pages, guides, strict=True)
    ]

    def distance(which, number, line, sample, reach):
        first, second = pad[number][which], pad[middle][which]
        line, sample = np.clip(line, 0, lines - 1) + 3, np.clip(sample, 0, samples - 1) + 3
        place = np.s_[line - reach : line + reach + 1, sample - reach : sample + reach + 1]
        return np.mean((first[place] - second[place]) ** 2)

    def spread(values):
        """A Gaussian of σ 16, as sums over the mirrored plane."""
        wide = np.pad(values, 64, "symmetric")
        bell = np.exp(-(np.arange(-64, 65) ** 2) / (2 * 16**2))
        bell /= bell.sum()
        rows = np.stack([np.convolve(row, bell, "valid") for row in wide])
        return np.stack([np.convolve(column, bell, "valid") for column in rows.T], 1)

    structure = np.empty(pages[0].shape)
    for line in range(lines):
        for sample in range(samples):
            patch = pad[middle][1][line : line + 7, sample : sample + 7].astype(float)
            structure[line, sample] = min(patch.var() / sigmas[middle] ** 2, 4) + 1e-3
    weights = {}
    for number in range(len(pages)):
        own, other = sigmas[middle] ** 2, sigmas[number] ** 2
        weight = np.empty(pages[0].shape)
        for line in range(lines):
            for sample in range(samples):
                seen = distance(0, number, line, sample, 3) / (own + other)
                largest = max(
                    distance(1, number, line + down, sample + right, 2)
                    for down in (-1, 0, 1)
                    for right in (-1, 0, 1)
                ) / ((own + other) / 2)
                weight[line, sample] = np.exp(-8 * max(seen - 1 - np.sqrt(2) / 7, 0) - 4 * largest)
        trust = spread(structure * weight) / spread(structure)
        weights[number] = weight * np.clip(trust / 0.2 - 0.5, 0, 1) / max(other / own, 0.25)
    weights[middle] = np.ones(pages[0].shape)
    total = sum(weights.values())
    fused = sum(weights[k] * pages[k] for k in weights) / total
    variance = sum(weights[k] ** 2 * (sigmas[k] / sigmas[middle]) ** 2 for k in weights)
    return fused, np.sqrt(variance) / total


def test_the_average_is_that_of_the_formula():
    small = CLEAN[:14, :17]
    pages = noisy((8, 10, 30), small)
    guides = noisy((3, 3, 3), small)
    found = fused(pages, guides, (8, 10, 30), 1)
    for fast, slow in zip(found, slowly_fused(pages, guides, (8, 10, 30), 1), strict=True):
        np.testing.assert_allclose(fast, slow, rtol=2e-3)


def test_what_is_left_of_the_noise_is_what_the_weights_say():
    pages = noisy([20] * 5)
    mean, share = fused(pages, [CLEAN] * 5, [20] * 5, 2)
    assert share.mean() == pytest.approx(1 / np.sqrt(5), rel=0.1)
    error = np.sqrt(np.mean((mean - CLEAN) ** 2))
    assert error == pytest.approx(20 * np.sqrt(np.mean(share**2)), rel=0.1)
    assert fused_sigma(share) == pytest.approx(error / 20, rel=0.1)


def test_pages_of_other_things_do_not_count():
    pages = noisy([10] * 3)
    other = 255 - CLEAN
    pages[0] = noisy([10], other)[0]
    mean, share = fused(pages, [other, CLEAN, CLEAN], [10] * 3, 1)
    apart = np.abs(other - CLEAN) > 60
    assert share[apart].min() > 0.69  # one neighbour alone: 1/√2
    assert np.sqrt(np.mean((mean - CLEAN)[apart] ** 2)) < 9
    assert fused_sigma(np.ones_like(share)) is None


def test_where_little_was_fused_the_page_s_own_result_stands():
    share = np.full((40, 60), 0.5, np.float32)
    share[:, 30:] = 1
    mostly_alone = np.where(np.arange(60) < 12, np.float32(0.5), np.float32(1))
    assert fused_sigma(np.tile(mostly_alone, (40, 1))) is None
    single, joint = np.zeros((40, 60, 3), np.float32), np.ones((40, 60, 3), np.float32)
    found = blended(single, joint, share)
    assert (found[:, :22] == 1).all() and (found[:, 38:] == 0).all()
    share[:, :15] = 0.8  # a quarter fused a little: what was not fused stays as it is
    assert (blended(single, joint, share)[:, 38:] == 0).all()


def fused(pages, guides, sigmas, middle):
    others = [each for k, each in enumerate(zip(pages, guides, sigmas, strict=True)) if k != middle]
    return fuse_pages(pages[middle], guides[middle], sigmas[middle], others)


def stack_of(path, pages):
    values = np.clip(np.rint(pages), 0, 255).astype(np.uint8)
    tifffile.imwrite(path, values, imagej=True, metadata={"axes": "TYX"})


@pytest.mark.parametrize("moving", [0, 1])
def test_neighbours_bring_a_gain_and_cost_nothing_where_things_move(
    tmp_path, hsi, monkeypatch, moving
):
    monkeypatch.chdir(tmp_path)
    scene = camera()[100:260, 150:310].astype(float)
    clean = [scene[12 * moving * t :][:96, 9 * moving * t :][:, :100] for t in range(5)]
    stack_of("clean.tif", clean)
    stack_of("a.tif", [page + RNG.normal(0, 25, page.shape) for page in clean])
    gains = []
    for stack in ("pages", "joint"):
        status, out, _ = hsi("denoise", "a.tif", "-o", f"{stack}.tif", "--stack", stack, "--sigma",
                             "25", "--reference", "clean.tif", "--device", "cpu")  # fmt: skip
        assert status == 0
        gains.append([float(value) for value in re.findall(r"([\d.]+) dB", out)])
    assert gains[0][0] == gains[1][0]  # the same noisy pages
    gain = gains[1][1] - gains[0][1]
    assert gain > (-0.1 if moving else 1)


def test_joint_pages_with_a_share_of_the_change_and_of_other_sizes(tmp_path, hsi, monkeypatch):
    monkeypatch.chdir(tmp_path)
    stack_of("a.tif", noisy([12] * 3))
    for strength in ("0", "0.5", "1"):
        status, _, _ = hsi("denoise", "a.tif", "--stack", "joint", "--strength", strength, "-o",
                           f"{strength}.tif", "--sigma", "12", "--device", "cpu")  # fmt: skip
        assert status == 0
    none, half, whole = (tifffile.imread(f"{s}.tif").astype(int) for s in ("0", "0.5", "1"))
    assert np.array_equal(none, tifffile.imread("a.tif"))
    assert np.abs(2 * half - none - whole).max() <= 2
    with tifffile.TiffWriter("b.tif") as file:
        for page in (noisy([12])[0], noisy([12])[0][:50], drawn(3, (60, 70))):
            values = np.clip(page, 0, 255).astype(np.uint8)
            file.write(values, metadata=None, contiguous=False,
                       photometric="rgb" if values.ndim == 3 else "minisblack")  # fmt: skip
    for stack in ("joint", "pages"):
        arguments = ("--stack", stack, "--sigma", "9", "-o", f"b_{stack}.tif", "--device", "cpu")
        assert hsi("denoise", "b.tif", *arguments)[0] == 0
    with tifffile.TiffFile("b_joint.tif") as one, tifffile.TiffFile("b_pages.tif") as two:
        for first, second in zip(one.pages, two.pages, strict=True):
            assert np.array_equal(first.asarray(), second.asarray())


def test_weights_without_a_sigma_are_refused(tmp_path, hsi, monkeypatch):
    monkeypatch.chdir(tmp_path)
    box_filter().save(tmp_path / "box.safetensors")
    stack_of("a.tif", noisy([12] * 3))
    status, _, err = hsi("denoise", "a.tif", "--stack", "joint", "--weights", "box.safetensors")
    told = box_filter().network.takes_noise_map
    assert status == (0 if told else 2) and ("weights that take no σ" in err) != told
