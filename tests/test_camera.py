from dataclasses import replace

import numpy as np
import pytest
import yaml

from hsi_suite.data.artefacts import through_jpeg
from hsi_suite.data.bayer import demosaic, mosaic
from hsi_suite.data.camera import (
    Camera,
    Reduction,
    add_sensor_noise,
    apply_tone_curve,
    colour_matrix,
    develop,
    edginess,
    expose,
    in_grey,
    invert_tone_curve,
    linear_light,
    mean_of_exposures,
    reduce_noise,
    resize,
    sharpen,
    soften,
    srgb,
    take_pair,
    take_photograph,
)
from hsi_suite.data.camera_range import CameraRange, read_noise
from hsi_suite.errors import ConfigError, ShapeError
from hsi_suite.runs.launch import configure, train

CORNERS = [(0, 0), (0, 1), (1, 0), (1, 1)]


def picture(lines=40, samples=36):
    """Smooth colours with an edge."""
    y, x = np.mgrid[:lines, :samples] / max(lines, samples)
    planes = [0.3 + 0.4 * y, 0.2 + 0.5 * x, 0.6 - 0.3 * x * y]
    values = np.stack(planes, 2)
    values[:, samples // 2 :] *= 0.7
    return values.astype(np.float32)


def correlation(noise, lag=1):
    return float((noise[:, :-lag] * noise[:, lag:]).mean() / (noise**2).mean())


def test_curves_and_their_inverses():
    x = np.linspace(0, 1, 101, dtype=np.float32)[:, None, None] * np.ones(3, np.float32)
    assert np.abs(invert_tone_curve(apply_tone_curve(x)) - x).max() < 2e-3
    assert np.abs(apply_tone_curve(invert_tone_curve(x)) - x).max() < 1e-6
    assert np.abs(srgb(linear_light(x)) - x).max() < 1e-6
    # IEC 61966-2-1: middle grey of 0.5 is 0.2140 of linear light.
    assert linear_light(np.full((1, 1, 3), 0.5, np.float32))[0, 0, 0] == pytest.approx(
        0.2140, abs=1e-4
    )


@pytest.mark.parametrize("mixture", [(1, 0, 0, 0), (0, 0, 0, 1), (0.25,) * 4])
def test_colour_matrices_keep_white_and_can_be_inverted(mixture):
    matrix = colour_matrix(mixture)
    assert matrix.sum(1) == pytest.approx(np.ones(3), abs=1e-6)
    assert np.linalg.cond(matrix) < 20


@pytest.mark.parametrize("corner", CORNERS)
def test_mosaic_keeps_one_colour_of_each_pixel(corner):
    light = np.zeros((6, 8, 3), np.float32) + np.array([1, 2, 3], np.float32)
    raw = mosaic(light, corner)
    first = (-corner[0]) % 2, (-corner[1]) % 2
    assert (raw[first[0] :: 2, first[1] :: 2] == 1).all()
    assert (raw[1 - first[0] :: 2, 1 - first[1] :: 2] == 3).all()
    assert (raw == 2).sum() == raw.size // 2


@pytest.mark.parametrize("adaptive", [True, False])
@pytest.mark.parametrize("corner", CORNERS)
def test_demosaicking_is_exact_on_flat_colours(corner, adaptive):
    light = np.zeros((9, 11, 3), np.float32) + np.array([0.5, 0.25, 0.125], np.float32)
    balanced = light / light  # white, whatever the colours
    assert demosaic(mosaic(balanced, corner), corner, adaptive=adaptive) == pytest.approx(balanced)


def test_demosaicking_of_a_grey_ramp_is_exact_inside():
    ramp = np.repeat(np.linspace(0, 1, 20, dtype=np.float32)[None], 12, 0)
    light = np.stack([ramp] * 3, 2)
    inside = demosaic(mosaic(light))[3:-3, 3:-3]
    assert np.abs(inside - light[3:-3, 3:-3]).max() < 1e-6


def test_exposure_and_development_are_inverse_on_grey():
    grey = np.repeat(picture()[..., :1], 3, 2)
    camera = Camera(iso=100, read_noise=0, mixture=(0.1, 0.2, 0.3, 0.4))
    back = develop(mosaic(expose(grey, camera)), camera)
    assert np.abs(back - grey)[4:-4, 4:14].max() < 5e-3


def test_sensor_noise_has_the_variance_of_shot_and_read():
    raw = np.full((400, 500), 0.25, np.float32)
    noisy = add_sensor_noise(raw, 4e-3, 1e-3, np.random.default_rng(0))
    assert noisy.var() == pytest.approx(4e-3 * 0.25 + 1e-3, rel=0.02)
    assert noisy.mean() == pytest.approx(0.25, abs=5e-4)


def test_noise_reduction_smooths_colour_more_than_luma():
    noise = np.random.default_rng(0).normal(size=(128, 128, 3)).astype(np.float32)
    none = Reduction()
    assert reduce_noise(noise, none, none) == pytest.approx(noise, abs=1e-5)
    left = reduce_noise(noise, Reduction(0.5), Reduction(3))
    luma = left @ np.array([0.299, 0.587, 0.114])
    blue = left[..., 2] - luma
    assert correlation(blue, 3) > 0.6 > correlation(luma, 3) + 0.5


def test_noise_reduction_of_a_part_leaves_the_rest():
    noise = np.random.default_rng(0).normal(size=(128, 128, 3)).astype(np.float32)
    kept, wide = Reduction(), Reduction(0, 2, 1)
    assert reduce_noise(noise, Reduction(0, 2, 0.5), kept) == pytest.approx(
        (noise + reduce_noise(noise, wide, kept)) / 2, abs=1e-5
    )
    # The wider of the two is never narrower than the fine one.
    assert reduce_noise(noise, Reduction(2, 1, 1), kept) == pytest.approx(
        reduce_noise(noise, Reduction(2), kept), abs=1e-6
    )


def test_grey_photographs_have_equal_channels():
    camera = replace(CameraRange().middle(6400), grey=True, quality=None)
    taken = take_photograph(picture(), camera, np.random.default_rng(0))
    assert np.ptp(taken, axis=2).max() < 1e-6
    assert in_grey(picture())[..., 1] == pytest.approx(
        picture() @ np.array([0.299, 0.587, 0.114]), abs=1e-6
    )


def test_sharpening_leaves_flat_parts_and_steepens_edges():
    flat = np.full((9, 9, 3), 0.5, np.float32)
    assert sharpen(flat, 0.5) == pytest.approx(flat)
    assert np.ptp(sharpen(picture(), 0.5)) > np.ptp(picture())


def test_resizing_keeps_the_mean():
    small = resize(picture(40, 36), (20, 18))
    assert small.shape == (20, 18, 3)
    assert small.mean() == pytest.approx(picture().mean(), abs=5e-3)


def test_a_softer_photograph_has_less_fine_detail():
    noise = np.random.default_rng(0).uniform(size=(40, 36, 3)).astype(np.float32)
    soft = soften(noise, (80, 72))
    assert soft.shape == (80, 72, 3) and soft.min() >= 0 and soft.max() <= 1
    assert np.abs(np.diff(soft, axis=0)).mean() < 0.7 * np.abs(np.diff(noise, axis=0)).mean()


def test_jpeg_loses_more_at_lower_quality():
    noisy = picture() + np.random.default_rng(0).normal(0, 0.05, (40, 36, 3)).astype(np.float32)
    losses = [
        float(np.abs(through_jpeg(noisy, quality, subsampling=False) - noisy.clip(0, 1)).mean())
        for quality in (100, 80, 50)
    ]
    assert losses[0] < 0.01 < losses[1] < losses[2]


def test_without_noise_and_jpeg_a_photograph_is_what_it_shows():
    quiet = Camera(iso=0, read_noise=0, luma=Reduction(1), sharpening=0.3)
    taken = take_photograph(picture(), quiet, np.random.default_rng(0))
    assert np.array_equal(taken, picture())


def test_a_seed_gives_one_photograph_whose_noise_is_correlated():
    camera = CameraRange().middle(6400)
    first, same, other = (
        take_photograph(picture(128, 128), camera, np.random.default_rng(seed))
        for seed in (1, 1, 2)
    )
    assert np.array_equal(first, same) and not np.array_equal(first, other)
    noise = (first - picture(128, 128)) @ np.array([0.299, 0.587, 0.114])
    assert correlation(noise - noise.mean()) > 0.2


def test_noise_grows_with_iso():
    spread = [
        (take_photograph(picture(), CameraRange().middle(iso), np.random.default_rng(0))
         - picture()).std()
        for iso in (100, 1600, 12800)
    ]  # fmt: skip
    assert spread[0] < spread[1] < spread[2]


def test_what_is_no_colour_picture_is_refused():
    with pytest.raises(ShapeError, match="lines × samples × 3"):
        take_photograph(np.zeros((8, 8), np.float32), Camera(100, 0), np.random.default_rng(0))


def test_cameras_are_drawn_within_their_bounds():
    cameras = CameraRange(iso=(100, 800), quality=(70, 71), jpeg=0.5)
    generator = np.random.default_rng(0)
    drawn = [cameras.draw(generator) for _ in range(200)]
    assert 100 <= min(c.iso for c in drawn) < 150 and 700 < max(c.iso for c in drawn) <= 800
    assert {c.quality for c in drawn} == {None, 70, 71}
    assert {c.corner for c in drawn} == set(CORNERS)
    assert all(sum(c.mixture) == pytest.approx(1) for c in drawn)
    scales = {cameras.draw_scale(generator) for _ in range(200)}
    assert 1.0 in scales and 0.5 <= min(scales) < 0.55
    softness = {cameras.draw_softness(generator) for _ in range(200)}
    assert min(softness) == 1.0 and 3.9 < max(softness) <= 4


def test_read_noise_follows_shot_noise():
    # Brooks et al., CVPR 2019: log read = 2.18 log shot + 1.20 (spread 0.26).
    assert read_noise(1000, 0) == pytest.approx(np.exp(2.18 * np.log(1e-3) + 1.2))
    assert read_noise(1000, 1) / read_noise(1000, 0) == pytest.approx(np.exp(0.26))


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        (["data.colour=grey"], "data.colour=rgb"),
        (["noise.camera={iso: [0, 100]}"], "noise.camera.iso above 0"),
        (["noise.camera={quality: [90, 60]}"], "noise.camera.quality as"),
        (["noise.camera={scale: [0.5, 2]}"], "at most 1"),
        (["noise.camera={luma_share: [0, 2]}"], "luma_share of at most 1"),
        (["noise.camera={softness: [0.5, 2]}"], "at least 1"),
        (["noise.kind=gaussian", "noise.camera={}"], "noise.camera with noise.kind=camera"),
    ],
)
def test_wrong_cameras_are_refused(settings, named, tmp_path):
    with pytest.raises(ConfigError, match=named):
        configure(
            config="denoising/camera_denoiser",
            settings=[f"data.folder={tmp_path}", *settings],
        )


def test_a_blind_denoiser_learns_from_cameras(tmp_path):
    from PIL import Image

    folder = tmp_path / "images"
    folder.mkdir()
    for index in range(3):
        values = (picture(40 + index, 48) * 255).round().astype(np.uint8)
        Image.fromarray(values).save(folder / f"{index}.png")
    run = train(
        config="denoising/camera_denoiser",
        output=tmp_path / "runs",
        settings=[
            f"data.folder={folder}",
            "data.validation=1",
            "noise.validation=[800]",
            "noise.camera={resized: 0.5}",
            "model.grey_weights=null",
            "model.options={channels: [8], blocks: 1, noise_map: false}",
            "train={epochs: 1, steps_per_epoch: 4, batch_size: 2, patch: 24, precision: fp32}",
        ],
    )
    assert run.metrics["validation"]["800"]["peak_signal_noise_ratio"] > 10
    assert yaml.safe_load((run.path / "config.yaml").read_text())["noise"]["kind"] == "camera"
    from hsi_suite.tasks.denoising.denoising_options import DenoisingOptions
    from hsi_suite.tasks.denoising.photographs.image_denoising import denoise_images

    (done,), refused = denoise_images(
        [folder / "0.png"], tmp_path / "out.png", DenoisingOptions(weights=str(run.path))
    )
    assert not refused and done.sigma is None


def test_the_mean_of_exposures_is_that_of_clipped_noise():
    ramp = np.linspace(0, 1, 96, dtype=np.float32)
    clean = np.repeat(np.repeat(ramp[:, None], 400, 1)[..., None], 3, 2)
    noise = np.random.default_rng(1).normal(0, 0.08, clean.shape).astype(np.float32)
    fast = mean_of_exposures(clean, noise).mean((1, 2))
    draws = np.random.default_rng(0).normal(0, 0.08, (5000, 96)).astype(np.float32)
    slow = (ramp + draws).clip(0, 1).mean(0)
    assert fast == pytest.approx(slow, abs=0.012)
    assert fast[3] > ramp[3] + 0.01 and fast[-4] < ramp[-4] - 0.01
    assert mean_of_exposures(clean, np.zeros_like(clean)) == pytest.approx(clean, abs=1e-6)


def test_flat_and_few_pixels_have_one_mean():
    """As many of one brightness are all looked at together, and a few are never one by one."""
    noise = np.random.default_rng(0).normal(0, 0.1, (64, 64, 3)).astype(np.float32)
    flat = np.zeros_like(noise)
    flat[:, 32:] = 1
    mean = mean_of_exposures(flat, noise)
    for half in (np.s_[:, :32], np.s_[:, 32:]):
        shown = (flat + noise).clip(0, 1)[half]
        assert mean[half] == pytest.approx(
            np.broadcast_to(shown.mean((0, 1)), shown.shape), abs=1e-5
        )
    grey = np.full((4, 4, 3), 0.5, np.float32)
    few = mean_of_exposures(grey, noise[:4, :4])
    assert np.ptp(few, (0, 1)) == pytest.approx(0, abs=1e-6)


def test_a_pair_is_a_photograph_and_its_mean():
    camera = replace(CameraRange().middle(1600), quality=None)
    clean = np.full((64, 64, 3), (0.5, 0.4, 0.01), np.float32)
    photographs, means = zip(
        *(take_pair(clean, camera, np.random.default_rng(seed)) for seed in range(60)),
        strict=True,
    )
    alone = take_photograph(clean, camera, np.random.default_rng(0))
    assert np.array_equal(photographs[0], alone)
    shown = np.mean(photographs, (0, 1, 2))
    assert np.mean(means, (0, 1, 2)) == pytest.approx(shown, abs=2e-3)
    assert shown[2] > 0.012  # the clean one is darker than its noise lets it be


def test_along_edges_noise_stays():
    step = np.zeros((64, 64, 3), np.float32)
    step[:, 32:] = 0.6
    assert edginess(step)[:, 31:33].min() > 0.9 and edginess(step)[:, :24].max() < 1e-6
    camera = replace(CameraRange().middle(1600), luma=Reduction(2), quality=None, sharpening=0)
    noise = {
        edges: np.std([
            take_photograph(step + 0.2, replace(camera, edges=edges), np.random.default_rng(k))
            - step - 0.2
            for k in range(8)
        ], axis=(0, 1, 3))
        for edges in (0.0, 1.0)
    }  # fmt: skip
    assert noise[1.0][31:33].mean() > 1.3 * noise[0.0][31:33].mean()
    assert noise[1.0][4:24] == pytest.approx(noise[0.0][4:24], rel=1e-3)
