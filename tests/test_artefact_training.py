"""Learning from JPEG and lost resolution, and scores on them."""

import json

import numpy as np
import pytest
import torch
import yaml
from denoiser_samples import small_unet
from PIL import Image
from public_denoisers import row_state, run_row
from said_lines import beyond_first

from hsi_suite.data.artefacts import studio_luma, through_jpeg, through_small, without_colour
from hsi_suite.data.drawings import draw_picture
from hsi_suite.data.images import IMAGE_SETS
from hsi_suite.errors import ConfigError, HsiSuiteError
from hsi_suite.metrics.restoration import peak_signal_noise_ratio, structural_similarity
from hsi_suite.runs.launch import train
from hsi_suite.schemas.denoising import (
    ArtefactsConfig,
    CameraConfig,
    DenoisingTrainingConfig,
    NoiseConfig,
)
from hsi_suite.seeding import SeedStreams
from hsi_suite.tasks.denoising.artefact_scores import evaluate_artefacts
from hsi_suite.tasks.denoising.configuration import denoising_config
from hsi_suite.tasks.denoising.task import ImageDenoising
from hsi_suite.tasks.denoising.training_pairs import _Cutter
from hsi_suite.tasks.denoising.weights import load_weights

CPU = torch.device("cpu")


def photo(lines=70, samples=81, colour=False, seed=0):
    rows, columns = np.mgrid[:lines, :samples]
    waves = 110 + 60 * np.sin(rows / 4 + seed) * np.cos(columns / 6) + 40 * (rows > columns)
    grain = np.random.default_rng(seed).normal(0, 4, (lines, samples))
    grey = (waves + grain).clip(0, 255).astype(np.uint8)
    return np.stack([grey, 255 - grey, grey // 2 + 60], 2) if colour else grey


def task(noise, patch=20, images=None, batch=24):
    config = DenoisingTrainingConfig(patch=patch, batch_size=batch)
    return ImageDenoising(images or [photo()], [photo(seed=1)], noise, config, SeedStreams(0), CPU)


@pytest.mark.parametrize("kind", ["jpeg", "upsampling", "mixture"])
def test_batches_are_functions_of_the_step(kind):
    first, second = (
        task(NoiseConfig(kind=kind, validation=[2])),
        task(NoiseConfig(kind=kind, validation=[2])),
    )
    for mine, theirs in zip(first.batch(1, 2), second.batch(1, 2), strict=True):
        assert torch.equal(mine, theirs)
    assert not torch.equal(first.batch(1, 2)[0], first.batch(1, 3)[0])
    noisy, sigma, clean = first.batch(0, 0)
    assert noisy.shape == clean.shape == (24, 1, 20, 20) and sigma.shape == (24, 1, 1, 1)


def test_a_patch_is_the_middle_of_what_a_jpeg_makes_of_more():
    """Every patch is found in the JPEG of a piece of the image, at every place of the grid."""
    flat = photo(36, 36)
    noise = NoiseConfig(
        kind="jpeg", artefacts=ArtefactsConfig(quality=[30, 30], factors=[2]), validation=[30]
    )
    learnt = task(noise, patch=28, images=[flat], batch=40)
    assert learnt.pairs.artefacts.side == 36
    turns = {}
    for turn in range(8):
        turned = np.rot90(flat, turn % 4)
        turned = np.ascontiguousarray(turned.T if turn >= 4 else turned).astype(np.float32) / 255
        spoilt = through_jpeg(turned, 30)
        for line in range(9):
            for sample in range(9):
                inner = (slice(line, line + 28), slice(sample, sample + 28))
                turns[turned[inner].tobytes()] = (line % 8, sample % 8), spoilt[inner]
    places = set()
    for epoch in range(4):
        noisy, _, clean = learnt.batch(epoch, 0)
        for found, true in zip(noisy[:, 0].numpy(), clean[:, 0].numpy(), strict=True):
            place, expected = turns[true.tobytes()]
            assert np.array_equal(found, expected)
            places.add(place)
    assert len(places) > 50


def test_jpegs_in_colour_have_half_of_its_resolution_where_that_is_asked_for():
    image = photo(36, 36, colour=True)
    for share in (0.0, 1.0):
        kept = ArtefactsConfig(quality=[30, 30], factors=[2], subsampling=share)
        noise = NoiseConfig(kind="jpeg", artefacts=kept, validation=[30])
        learnt = task(noise, images=[image], batch=6)
        assert learnt.pairs.artefacts.side == (36 if share else 28)
        patches = [image[: learnt.pairs.artefacts.side, : learnt.pairs.artefacts.side]] * 6
        noisy, _, clean = learnt.pairs.artefacts.spoil(patches, np.random.default_rng(0))
        whole = patches[0].astype(np.float32) / 255
        spoilt = through_jpeg(whole, 30, subsampling=bool(share))
        for found, true in zip(noisy, clean, strict=True):
            line, sample = _place(true.transpose(1, 2, 0), whole)
            inner = (slice(line, line + 20), slice(sample, sample + 20))
            assert np.array_equal(found.transpose(1, 2, 0), spoilt[inner])
        judged = learnt.spoil(image, 0, level="quality_30")[0].transpose(1, 2, 0)
        clean_image = image.astype(np.float32) / 255
        assert np.array_equal(judged, through_jpeg(clean_image, 30, subsampling=bool(share)))


def _place(inner, whole):
    """Where a cut-out lies."""
    lines, samples = inner.shape[:2]
    for line in range(whole.shape[0] - lines + 1):
        for sample in range(whole.shape[1] - samples + 1):
            if np.array_equal(whole[line : line + lines, sample : sample + samples], inner):
                return line, sample
    raise AssertionError("not cut out of it")


def test_some_patches_in_colour_lose_it_first():
    kept = ArtefactsConfig(quality=[60, 60], grey=0.5)
    noise = NoiseConfig(kind="jpeg", artefacts=kept, validation=[60])
    noisy, _, clean = task(noise, images=[photo(60, 60, colour=True)], batch=200).batch(0, 0)
    grey = (clean[:, :1] == clean).all((1, 2, 3)) & (noisy[:, :1] == noisy).all((1, 2, 3))
    assert 70 < int(grey.sum()) < 130
    luma = without_colour(photo(colour=True).astype(np.float32) / 255)
    expected = photo(colour=True) / 255 @ np.array([0.299, 0.587, 0.114])
    np.testing.assert_allclose(luma, np.stack([expected] * 3, 2), atol=1e-6)


@pytest.mark.parametrize(("share", "least", "most"), [(0.5, 70, 130), (1.0, 200, 200)])
def test_cameras_take_their_share_of_the_patches(share, least, most):
    noise = NoiseConfig(
        kind="jpeg",
        artefacts=ArtefactsConfig(camera=share),
        camera=CameraConfig(jpeg=0.0, iso=[1600.0, 3200.0]),
        validation=[60],
    )
    learnt = task(noise, images=[photo(60, 60, colour=True)], batch=200)
    noisy, sigma, clean = learnt.batch(0, 0)
    levels = noisy * 255
    # Files of JPEG have 256 levels; these cameras write none.
    taken = ((levels - levels.round()).abs() > 1e-3).flatten(1).any(1)
    assert least <= int(taken.sum()) <= most
    assert len(clean) == len(sigma) == 200
    assert not sigma.any()
    again = learnt.batch(0, 0)
    assert all(map(torch.equal, again, (noisy, sigma, clean)))
    # Another step has other patches, of cameras and of files.
    assert not torch.equal(learnt.batch(0, 1)[2], clean)


@pytest.mark.parametrize("colour", [False, True])
def test_drawings_take_their_share_of_the_patches(colour):
    """Drawn ones are those of their own stream; the others stay photographs."""
    flat = np.full((60, 60, 3) if colour else (60, 60), 77, np.uint8)
    kept = ArtefactsConfig(quality=[100, 100], factors=[2], drawn=0.25)
    noise = NoiseConfig(kind="jpeg", artefacts=kept, validation=[60])
    learnt = task(noise, images=[flat], batch=200)
    noisy, sigma, clean = learnt.batch(0, 3)
    levels = np.rint(clean.numpy() * 255).astype(np.uint8)
    photographs = (levels == 77).all((1, 2, 3))
    assert 25 < int((~photographs).sum()) < 75 and not sigma.any()
    assert not (noisy == clean).all()
    generator = SeedStreams(0).numpy("order", 0, 3, "drawn")
    pictures = [Image.fromarray(draw_picture(28, generator)) for _ in range((~photographs).sum())]
    for found, picture in zip(levels[~photographs], pictures, strict=True):
        whole = np.asarray(picture if colour else picture.convert("L"))
        _place(found.transpose(1, 2, 0) if colour else found[0], whole)
    assert all(map(torch.equal, learnt.batch(0, 3), (noisy, sigma, clean)))
    assert not torch.equal(learnt.batch(0, 4)[2], clean)


@pytest.mark.parametrize(("camera", "drawn"), [(0.5, 0.5), (0.0, 1.0), (1.0, 0.0)])
def test_no_image_is_cut_where_cameras_and_drawings_take_all(camera, drawn):
    """A camera's patches of one colour stay without detail; drawings of one colour are rare."""
    noise = NoiseConfig(
        kind="jpeg",
        artefacts=ArtefactsConfig(quality=[100, 100], camera=camera, drawn=drawn),
        camera=CameraConfig(jpeg=0.0, iso=[1600.0, 3200.0]) if camera else None,
        validation=[60],
    )
    learnt = task(noise, images=[np.full((60, 60, 3), 77, np.uint8)], batch=60)
    noisy, _, clean = learnt.batch(0, 0)
    levels = noisy * 255
    taken = ((levels - levels.round()).abs() > 1e-3).flatten(1).any(1)
    detailed = clean.flatten(1).std(1) > 0.02
    assert not (taken & detailed).any()
    assert int(taken.sum()) == pytest.approx(60 * camera, abs=15 if 0 < camera < 1 else 0)
    assert int((~taken & ~detailed).sum()) < 6


@pytest.mark.parametrize(("share", "written"), [(0.0, 0.5), (0.4, 0.0), (0.4, 0.5), (1.0, 1.0)])
def test_white_noise_takes_its_share_of_a_cameras_patches(share, written):
    """On one colour: a camera's patches are in no levels here, white noise is in 256 of them."""
    kept = ArtefactsConfig(white=share, written=written, quality=[20, 20]) if share else None
    noise = NoiseConfig(
        kind="camera",
        sigma=[10.0, 10.0],
        artefacts=kept,
        camera=CameraConfig(jpeg=0.0, iso=[1600.0, 3200.0]),
        validation=[400],
    )
    grey = np.full((60, 60, 3), 120, np.uint8)
    learnt = task(noise, images=[grey], batch=200)
    noisy, sigma, clean = learnt.batch(0, 0)
    levels = noisy * 255
    white = ((levels - levels.round()).abs() < 1e-3).flatten(1).all(1)
    assert int(white.sum()) == pytest.approx(200 * share, abs=25 if 0 < share < 1 else 0)
    assert not sigma.any()
    assert torch.allclose(clean[white], torch.tensor(120 / 255))
    # Noise that was written as JPEG has lost part of it; the rest is as strong as was asked for.
    deviations = np.array([float(patch.std()) for patch in levels[white]])
    whole = (deviations > 9) & (deviations < 11)
    expected = int(white.sum()) * (1 - written)
    assert int(whole.sum()) == pytest.approx(expected, abs=20 if 0 < share * written < 1 else 0)
    assert (deviations[~whole] < 9).all()
    assert all(map(torch.equal, learnt.batch(0, 0), (noisy, sigma, clean)))


def test_white_noise_leaves_the_other_patches_as_a_camera_takes_them():
    image = photo(60, 60, colour=True)
    alone = NoiseConfig(kind="camera", validation=[400])
    batch = task(alone, images=[image], batch=6).batch(0, 0)
    pairs = task(alone, images=[image], batch=6).pairs
    cut = _Cutter([image], SeedStreams(0), 0, 0)
    photographs = pairs._photographs(cut, 6, SeedStreams(0).numpy("noise", 0, 0))
    for found, expected in zip(batch, photographs, strict=True):
        assert np.array_equal(found.numpy(), expected)


def test_the_camera_denoiser_goes_on_with_white_noise():
    config = denoising_config(config="denoising/camera_fine_tune")
    assert config.noise.artefacts.white > 0 and config.model.weights == "camera_denoiser"
    before = denoising_config(config="denoising/camera_refined")
    assert config.model.options == before.model.options and before.noise.artefacts is None


def test_the_shipped_network_goes_on_with_drawings():
    config = denoising_config(config="denoising/jpeg_fine_tune")
    assert config.noise.artefacts.drawn > 0 and config.model.weights == "jpeg_denoiser"
    before = denoising_config(config="denoising/jpeg_denoiser")
    assert config.model.options == before.model.options and not before.noise.artefacts.drawn


def test_lost_resolution_has_the_factors_that_were_asked_for():
    image = photo(48, 48)
    noise = NoiseConfig(
        kind="upsampling", artefacts=ArtefactsConfig(factors=[2, 3]), validation=[2]
    )
    learnt = task(noise, patch=40, images=[image])
    assert learnt.pairs.artefacts.side == 48
    known = {}
    for turn in range(8):
        turned = np.rot90(image, turn % 4)
        turned = np.ascontiguousarray(turned.T if turn >= 4 else turned).astype(np.float32) / 255
        for factor in (2, 3):
            small = through_small(turned, factor)
            for line in range(9):
                for sample in range(9):
                    inner = (slice(line, line + 40), slice(sample, sample + 40))
                    known[small[inner].tobytes()] = factor, turned[inner]
    noisy, _, clean = learnt.batch(0, 0)
    factors = set()
    for found, true in zip(noisy[:, 0].numpy(), clean[:, 0].numpy(), strict=True):
        factor, expected = known[np.ascontiguousarray(found).tobytes()]
        assert np.array_equal(expected, true)
        factors.add(factor)
    assert factors == {2, 3}


def test_a_mixture_holds_all_three():
    noise = NoiseConfig(kind="mixture", sigma=[20.0, 30.0])
    noisy, sigma, clean = task(noise, batch=300).batch(0, 0)
    gaussian = sigma.flatten() > 0
    assert 70 < int(gaussian.sum()) < 130
    spread = (noisy - clean).std((1, 2, 3))
    torch.testing.assert_close(spread[gaussian], sigma.flatten()[gaussian], rtol=0.2, atol=0)
    # JPEGs hold 256 levels; resized images do not.
    levels = (noisy[~gaussian] * 255 - (noisy[~gaussian] * 255).round()).abs().amax((1, 2, 3))
    assert 70 < int((levels < 1e-3).sum()) < 130


def test_validation_images_are_spoilt_as_their_level_says():
    noise = NoiseConfig(kind="mixture", validation=[25.0])
    judged = task(noise)
    image = photo(seed=1)
    clean = image.astype(np.float32) / 255
    assert list(judged.levels) == ["sigma_25", "quality_10", "quality_20", "factor_2", "factor_3"]
    assert np.array_equal(judged.spoil(image, 0, level="quality_10")[0, 0], through_jpeg(clean, 10))
    assert np.array_equal(judged.spoil(image, 0, level="factor_3")[0, 0], through_small(clean, 3))
    noisy = judged.spoil(image, 7, level="sigma_25")[0, 0]
    assert np.std(noisy - clean) == pytest.approx(25 / 255, rel=0.05)
    assert task(NoiseConfig(kind="jpeg", validation=[10, 40])).levels.keys() == {
        "quality_10",
        "quality_40",
    }
    assert task(NoiseConfig(validation=[15, 25.5])).levels.keys() == {"15", "25.5"}


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        (["noise.artefacts={quality: [50, 10]}"], "quality as"),
        (["noise.artefacts={quality: [0, 10]}"], "noise.artefacts.quality"),
        (["noise.artefacts={factors: [1]}"], "noise.artefacts.factors"),
        (["noise.artefacts={subsampling: 1.5}"], "noise.artefacts.subsampling"),
        (["noise.artefacts={camera: 0.5}"], "noise.artefacts.camera with noise.kind=jpeg"),
        (["noise.artefacts={drawn: -0.1}"], "noise.artefacts.drawn"),
        (["noise.artefacts={camera: 0.5, drawn: 0.6}"], "of at most 1 in all"),
        (["noise.kind=jpeg", "noise.camera={grey: 0}"], "noise.artefacts.camera above 0"),
        (
            ["noise.kind=jpeg", "noise.artefacts={camera: 0.5}", "noise.validation=[10]"],
            "data.colour=rgb",
        ),
        (["noise.kind=gaussian"], "noise.kind one of camera, jpeg, upsampling, mixture alone"),
        (["noise.artefacts={white: 0.5}"], "noise.artefacts.white with noise.kind=camera"),
        (["noise.kind=camera", "data.colour=rgb"], "white above 0, drawn 0"),
        (
            ["noise.kind=camera", "noise.artefacts={white: 0.5, drawn: 0.1}", "data.colour=rgb"],
            "white above 0, drawn 0",
        ),
        (["noise.kind=jpeg", "noise.validation=[10.5]"], "as qualities"),
        (["noise.kind=jpeg", "noise.validation=[101]"], "as qualities"),
        (["noise.kind=upsampling", "noise.validation=[1]"], "as factors"),
    ],
)
def test_wrong_keys_are_named(settings, named):
    with pytest.raises(ConfigError, match=named):
        denoising_config(config="denoising/dncnn_3", settings=settings)


def test_the_published_network_is_a_configuration():
    config = denoising_config(config="denoising/dncnn_3")
    assert (config.noise.kind, config.noise.sigma) == ("mixture", [0.0, 55.0])
    assert config.noise.artefacts == ArtefactsConfig(quality=[5, 99], factors=[2, 3, 4])
    assert (config.model.name, config.model.options) == ("dncnn", {"depth": 20})
    assert (config.train.patch, config.train.batch_size) == (50, 128)


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "photos"
    place.mkdir()
    for index in range(3):
        Image.fromarray(photo(64, 66 + index, colour=index == 1, seed=index)).save(
            place / f"{index}.png"
        )
    return place


@pytest.mark.parametrize("kind", ["jpeg", "upsampling", "mixture"])
def test_a_run_is_trained_scored_and_used(tmp_path, hsi, folder, kind):
    levels = "[2]" if kind == "upsampling" else "[10]"
    run = train(
        config="denoising/dncnn_3",
        output=tmp_path / "runs",
        settings=[
            f"data.folder={folder}", "data.validation=1", f"noise.kind={kind}",
            f"noise.validation={levels}", "model.options={depth: 3, width: 4}",
            "noise.artefacts.drawn=0.25",
            "train={epochs: 1, steps_per_epoch: 2, batch_size: 2, patch: 24}",
        ],
    )  # fmt: skip
    stored = run.metrics["validation"]
    names = {"jpeg": ["quality_10"], "upsampling": ["factor_2"]}.get(
        kind, ["sigma_10", "quality_10", "quality_20", "factor_2", "factor_3"]
    )
    assert sorted(stored) == sorted(names)
    assert f"_{kind}" in run.path.name
    assert yaml.safe_load((run.path / "config.yaml").read_text())["noise"]["kind"] == kind
    status, out, err = hsi("evaluate", run.path, "--json")
    assert status == 0 and json.loads(out)["equal"], err
    status, out, err = hsi("report", run.path)
    assert status == 0, err
    page = (run.path / "report.html").read_text()
    assert ("factor 2" if kind == "upsampling" else "JPEG quality 10") in page
    assert "PSNR before" in page and "25 % of the patches, by code" in page
    status, _, err = hsi("denoise", folder / "1.png", "--weights", run.path)
    assert status == 0 and "luma is restored" in err
    found = np.asarray(Image.open(folder / "1_denoised.png"), np.float64)
    given = np.asarray(Image.open(folder / "1.png"), np.float64)
    weights = np.array([0.299, 0.587, 0.114])
    denoiser = load_weights(run.path, CPU)
    with torch.inference_mode():
        luma = torch.from_numpy((given @ weights / 255).astype(np.float32))[None, None]
        change = denoiser(luma, 0.0)[0, 0].numpy() - luma[0, 0].numpy()
    expected = (given + 255 * change[..., None]).round().clip(0, 255)
    assert np.abs(found - expected).max() <= 1 and (found != expected).mean() < 0.01


def dncnn_3(path):
    state = row_state([1, *[3] * 19, 1])
    torch.save(state, path)
    return state


def test_a_public_dncnn_3_is_known_by_its_name(tmp_path):
    for name, noise in (
        ("dncnn3.pth", "mixture"),
        ("DnCNN-3.pth", "mixture"),
        ("dncnn_gray_blind.pth", "gaussian"),
    ):
        dncnn_3(tmp_path / name)
        header = load_weights(tmp_path / name, CPU).header
        assert (header.noise, header.sigma) == (noise, (0.0, 55.0))
    torch.save(row_state([3, *[3] * 19, 3]), tmp_path / "dncnn3.pth")
    assert load_weights(tmp_path / "dncnn3.pth", CPU).header.noise == "gaussian"


def test_scores_are_those_of_the_slow_way(tmp_path, folder):
    state = dncnn_3(tmp_path / "dncnn3.pth")
    scores = evaluate_artefacts(
        tmp_path / "dncnn3.pth", folder, qualities=[10, 50], factors=[3], device="cpu", threads=1
    )
    assert scores["luma"] and scores["images"] == 3
    jpeg, small = scores["tables"]
    found = {(t["kind"], r["method"]): r["scores"] for t in (jpeg, small) for r in t["methods"]}
    expected = {}
    for index in range(3):
        pixels = np.asarray(Image.open(folder / f"{index}.png"))
        grey = (studio_luma(pixels) if pixels.ndim == 3 else pixels).astype(np.float32) / 255
        cut = grey[: 64 - 64 % 3, : (66 + index) - (66 + index) % 3]
        cases = [(grey, through_jpeg(grey, q), 0, ("jpeg", str(q))) for q in (10, 50)]
        cases.append((cut, through_small(cut, 3), 3, ("upsampling", "3")))
        for true, spoilt, border, key in cases:
            given = torch.from_numpy(spoilt)[None, None]
            with torch.inference_mode():
                after = (given - run_row(state, given))[0, 0].numpy()
            inner = slice(border, -border or None)
            for method, shown in (("input", spoilt), ("dncnn3.pth", after)):
                pair = true[inner, inner], shown[inner, inner]
                values = peak_signal_noise_ratio(*pair), structural_similarity(*pair)
                expected.setdefault((*key, method), []).append(values)
    for (kind, level, method), values in expected.items():
        row = found[kind, method][level]
        means = np.mean(values, 0)
        assert row["peak_signal_noise_ratio"] == pytest.approx(means[0], abs=1e-4)
        assert row["structural_similarity"] == pytest.approx(means[1], abs=1e-5)
        assert ("peak_signal_noise_ratio_blocked" in row) == (kind == "jpeg")


def test_the_command_prints_both_tables(tmp_path, hsi, folder):
    dncnn_3(tmp_path / "dncnn3.pth")
    given = ("--weights", tmp_path / "dncnn3.pth", "--data", folder, "--threads", "1")
    status, out, err = hsi("evaluate", *given, "--jpeg", "10,20", "--upsample", "2")
    assert status == 0, err
    assert "PSNR-B" in out and "dncnn3.pth" in out and "of the luma of images in colour" in out
    assert "at factor 2" in out and "at quality" in out
    for wrong, named in (
        (("--jpeg", "0"), "whole numbers of 1 to 100"),
        (("--jpeg", "10.5"), "whole numbers of 1 to 100"),
        (("--upsample", "1"), "whole numbers of 2 to 8"),
        (("--jpeg", "10", "--sigma", "5"), "a call of its own"),
    ):
        status, _, err = hsi("evaluate", *given, *wrong)
        assert status == 2 and named in err and len(beyond_first(err)) == 1
    status, _, err = hsi("evaluate", tmp_path, "--jpeg", "10")
    assert status == 2 and "--jpeg" in err
    Image.fromarray(photo(12, 12)).save(folder / "tiny.png")
    status, _, err = hsi("evaluate", *given, "--upsample", "2")
    assert status == 2 and "tiny.png" in err and "at least 15" in err


def test_networks_for_colour_meet_jpegs_in_colour(tmp_path, folder):
    torch.save(row_state([3, *[3] * 19, 3]), tmp_path / "colour.pth")
    scores = evaluate_artefacts(
        tmp_path / "colour.pth", folder, qualities=[30], device="cpu", threads=1
    )
    ratios = []
    for index in range(3):
        pixels = np.asarray(Image.open(folder / f"{index}.png").convert("RGB"))
        true = pixels.astype(np.float32) / 255
        ratios.append(peak_signal_noise_ratio(true, through_jpeg(true, 30, subsampling=True)))
    row = scores["tables"][0]["methods"][0]["scores"]["30"]
    assert row["peak_signal_noise_ratio"] == pytest.approx(np.mean(ratios), abs=1e-4)
    assert not scores["luma"] and "peak_signal_noise_ratio_blocked" not in row


def test_networks_with_a_map_are_told_an_estimate(tmp_path, folder):
    small_unet().save(tmp_path / "unet.safetensors")
    scores = evaluate_artefacts(
        tmp_path / "unet.safetensors", folder, qualities=[10], device="cpu", threads=1
    )
    assert len(scores["tables"]) == 1
    with pytest.raises(HsiSuiteError):
        evaluate_artefacts(tmp_path / "none.pth", folder, qualities=[10])


def test_published_scores_are_shown_for_the_set_itself(tmp_path, monkeypatch, hsi):
    from dataclasses import replace

    from hsi_suite.data.public.image_sets import folder_digest, image_paths

    place = tmp_path / "data" / "classic5"
    place.mkdir(parents=True)
    for index in range(5):
        Image.fromarray(photo(32, 33, seed=index)).save(place / f"{index}.png")
    digest = folder_digest(image_paths(place))
    monkeypatch.setitem(IMAGE_SETS, "classic5", replace(IMAGE_SETS["classic5"], sha256=digest))
    monkeypatch.setenv("HSI_DATA_DIR", str(tmp_path / "data"))
    dncnn_3(tmp_path / "dncnn3.pth")
    status, out, err = hsi(
        "evaluate", "--weights", tmp_path / "dncnn3.pth", "--data", "classic5", "--jpeg", "10,15",
        "--threads", "1",
    )  # fmt: skip
    assert status == 0, err
    assert "29.40" in out and "DnCNN-3, published" in out and "arXiv 2108.10257" in out
