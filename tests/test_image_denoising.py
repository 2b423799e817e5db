import io
import signal
import struct
import time
import zlib

import numpy as np
import pytest
import torch
from denoiser_samples import box_filter, colour_unet, small_unet
from forked_command import ForkedCommand
from PIL import Image, ImageOps
from safetensors.torch import save_file
from skimage import data as samples

from hsi_suite.data.photograph_writer import write_photograph
from hsi_suite.data.photographs import Photograph, read_photograph
from hsi_suite.engine.observer import Observer
from hsi_suite.engine.tiles import Tiling
from hsi_suite.errors import ConfigError, InputFileError, OutputError
from hsi_suite.metrics.restoration import peak_signal_noise_ratio, structural_similarity
from hsi_suite.models.building import build_denoiser
from hsi_suite.tasks.denoising import image_restoration
from hsi_suite.tasks.denoising.denoising_options import DenoisingOptions
from hsi_suite.tasks.denoising.first_pass import FirstPass
from hsi_suite.tasks.denoising.image_restoration import (
    Restoration,
    image_noise,
    known_noise,
    restore,
)
from hsi_suite.tasks.denoising.image_scores import image_scores
from hsi_suite.tasks.denoising.photographs.image_denoising import denoise_images
from hsi_suite.tasks.denoising.photographs.noise_estimation import estimate_image_noise

COLOUR = samples.astronaut()[:90, 180:287]
GREY = samples.camera()[100:190, 100:207]
WHOLE = Tiling(None, 0, 1)
# Bright in the middle and black at the border.
BLOB = np.rint(
    200 * np.exp(-8 * np.add.outer(np.linspace(-1, 1, 80) ** 2, np.linspace(-1, 1, 100) ** 2))
).astype(np.uint8)
COLOUR_BLOB = np.dstack([BLOB, BLOB // 2, BLOB // 3])


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "box.safetensors"
    box_filter().save(path)
    return str(path)


def options(weights, **changed):
    return DenoisingOptions(weights=weights, threads=1, device="cpu", **changed)


def restored(denoiser, image, tiling, dtype=None, sigmas=(0.1,), **how):
    image = np.asarray(image)
    return restore(
        denoiser, image, 1.0, sigmas, tiling, Restoration(**how), dtype=dtype or image.dtype
    )


@pytest.mark.parametrize("self_ensemble", [False, True])
@pytest.mark.parametrize("image", [GREY, COLOUR], ids=["grey", "colour"])
def test_tiles_leave_no_trace(image, self_ensemble):
    denoiser, image = small_unet(), image[:71, :93].astype(np.float32) / 255
    sigmas = known_noise(0.1, denoiser, image)
    assert len(sigmas) == (1 if image.ndim == 2 else 3)
    how = {"sigmas": sigmas, "self_ensemble": self_ensemble}
    whole = restored(denoiser, image, WHOLE, **how)
    tiling = Tiling(40, denoiser.network.receptive_radius, denoiser.network.multiple)
    assert tiling.count(image.shape[:2]) == 6
    assert np.abs(restored(denoiser, image, tiling, **how) - whole).max() < 1e-5
    assert np.abs(whole - image).max() > 1e-2


@pytest.mark.parametrize("image", [GREY, COLOUR], ids=["grey", "colour"])
@pytest.mark.parametrize("name", ["guided_unet", "refined_unet"])
def test_two_passes_need_less_around_their_tiles(name, image, monkeypatch):
    denoiser, image = colour_unet(name), image[:71, :93].astype(np.float32) / 255
    network, seen = denoiser.network, {"first_pass": [], "second_pass": []}
    whole = restored(denoiser, image, WHOLE)
    for each, sizes in seen.items():
        monkeypatch.setattr(network, each, noting(getattr(network, each), sizes))
    tiling = Tiling(24, network.receptive_radius, network.multiple)
    assert np.abs(restored(denoiser, image, tiling) - whole).max() < 1e-5
    assert np.abs(whole - image).max() > 1e-2
    # Each tile once in each pass, none with what both passes together would need around it.
    side = 24 + 2 * (network.pass_radius + network.multiple)
    assert all(len(sizes) == tiling.count((71, 93)) for sizes in seen.values())
    assert max(seen["first_pass"]) <= side < 24 + 2 * network.receptive_radius
    turned = restored(denoiser, image, WHOLE, self_ensemble=True)
    assert np.abs(restored(denoiser, image, tiling, self_ensemble=True) - turned).max() < 1e-5


def noting(call, sizes):
    def noted(x, *rest):
        sizes.append(max(x.shape[2:]))
        return call(x, *rest)

    return noted


@pytest.mark.parametrize("limited", ["first_pass", "second_pass"])
def test_a_pass_that_memory_does_not_hold_is_halved(limited, monkeypatch):
    denoiser, image = colour_unet("refined_unet"), COLOUR[:71, :93].astype(np.float32) / 255
    network, refused = denoiser.network, []
    whole, call = restored(denoiser, image, WHOLE), getattr(network, limited)

    def short(x, *rest):
        if x.shape[2] * x.shape[3] > 70 * 70:
            refused.append(x.shape)
            raise torch.OutOfMemoryError("CUDA out of memory")
        return call(x, *rest)

    monkeypatch.setattr(network, limited, short)
    tiling = Tiling(None, network.receptive_radius, network.multiple)
    assert np.abs(restored(denoiser, image, tiling) - whole).max() < 1e-5
    assert refused


def test_a_first_pass_that_memory_held_in_no_part_is_made_again():
    tiling, image = Tiling(24, 4, 2), np.arange(40.0 * 60, dtype=np.float32).reshape(1, 40, 60)
    short = [True]

    def compute(part):
        if short[0]:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return image[:, *part]

    first, whole = FirstPass(compute, 1, (40, 60), tiling), (slice(0, 40), slice(0, 60))
    with pytest.raises(torch.OutOfMemoryError):
        first(whole)
    short[0] = False
    assert np.array_equal(first(whole), image)


def test_tiles_that_memory_does_not_hold_are_halved(monkeypatch):
    denoiser, image = small_unet(), GREY[:71, :93].astype(np.float32) / 255
    network = denoiser.network
    whole, forward, sizes = restored(denoiser, image, WHOLE), network.forward, []

    def limited(noisy):
        sizes.append(noisy.shape[2] * noisy.shape[3])
        if sizes[-1] > 70 * 70:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return forward(noisy)

    monkeypatch.setattr(network, "forward", limited)
    tiling = Tiling(None, network.receptive_radius, network.multiple)
    found = restored(denoiser, image, tiling, self_ensemble=False)
    assert np.abs(found - whole).max() < 1e-5
    assert sizes[0] > 70 * 70 and len(sizes) > 4
    with pytest.raises(torch.OutOfMemoryError):
        restored(denoiser, image, WHOLE)


def test_the_self_ensemble_is_the_mean_over_turned_images():
    denoiser, image = small_unet(), GREY[:50, :61].astype(np.float32) / 255
    turns = []
    for exchange in (False, True):
        for quarter in range(4):
            turned = np.rot90(image.T if exchange else image, quarter)
            clean = np.rot90(restored(denoiser, turned, WHOLE), -quarter)
            turns.append(clean.T if exchange else clean)
    together = restored(denoiser, image, WHOLE, self_ensemble=True)
    assert np.abs(together - np.mean(turns, 0)).max() < 1e-5


def test_the_strength_is_a_share_of_the_change():
    denoiser, image = small_unet(), GREY.astype(np.float32) / 255
    full = restored(denoiser, image, WHOLE)
    half = restored(denoiser, image, WHOLE, strength=0.5)
    assert np.allclose(half, (image + full) / 2, atol=1e-6)
    assert np.array_equal(restored(denoiser, image, WHOLE, strength=0.0), image)


def test_bfloat16_is_near():
    denoiser, image = small_unet(), GREY.astype(np.float32) / 255
    difference = restored(denoiser, image, WHOLE, precision="bf16") - restored(
        denoiser, image, WHOLE
    )
    assert 0 < np.abs(difference).max() < 0.02


def test_colours_go_through_opponent_channels_where_sigma_may_differ():
    image = COLOUR.astype(np.float32) / 255
    assert known_noise(0.1, small_unet(), image) == pytest.approx(
        (0.1 / 3**0.5, 0.1 / 2**0.5, 0.1 * 0.375**0.5)
    )
    one_sigma = small_unet(sigma=(25.0, 25.0))
    assert known_noise(0.1, one_sigma, image) == (0.1,)
    by_channel = restored(one_sigma, image, WHOLE)
    red = restored(one_sigma, np.ascontiguousarray(image[..., 0]), WHOLE)
    assert np.allclose(by_channel[..., 0], red, atol=1e-6)


def test_colour_weights_see_all_colours_at_once():
    image = COLOUR.astype(np.float32) / 255
    clean = restored(box_filter(3), image, WHOLE)
    expected = sum(image[1 + a : 89 + a, 1 + b : 106 + b] for a in (-1, 0, 1) for b in (-1, 0, 1))
    assert np.allclose(clean[1:-1, 1:-1], expected / 9, atol=1e-5)


def test_a_grey_image_is_three_equal_channels_to_colour_weights():
    image = GREY.astype(np.float32) / 255
    alike = restored(box_filter(3), np.repeat(image[..., None], 3, 2), WHOLE)
    assert np.allclose(restored(box_filter(3), image, WHOLE), alike.mean(2), atol=1e-6)


@pytest.mark.parametrize("sigma", [10, 30])
def test_the_noise_of_a_colour_image_is_found(sigma):
    image = samples.astronaut()[:256, :256]
    noisy = image + np.random.default_rng(0).normal(0, sigma, image.shape).astype(np.float32)
    planes = estimate_image_noise(noisy, 255, small_unet()).sigmas
    assert len(planes) == 3
    assert 255 * image_noise(planes) == pytest.approx(sigma, rel=0.06)
    assert image_noise(known_noise(0.2, small_unet(), image)) == pytest.approx(0.2)


def test_scores_by_strips_are_those_of_the_whole():
    rng = np.random.default_rng(0)
    tall = np.tile(GREY, (7, 1))
    noisy = (tall + rng.normal(0, 20, tall.shape)).clip(0, 255).astype(np.uint8)
    found = image_scores(tall, noisy, 255)
    clean, seen = tall / 255, noisy / 255
    assert found["peak_signal_noise_ratio"] == pytest.approx(
        peak_signal_noise_ratio(clean, seen), abs=1e-4
    )
    assert found["structural_similarity"] == pytest.approx(
        structural_similarity(clean, seen), abs=1e-5
    )
    assert image_scores(tall, tall, 255)["peak_signal_noise_ratio"] == np.inf
    assert np.isnan(image_scores(tall[:10], noisy[:10], 255)["structural_similarity"])


def test_a_photograph_keeps_what_is_not_noise(tmp_path, weights):
    tags = Image.Exif()
    tags[274] = 6
    alpha = np.arange(COLOUR[..., 0].size, dtype=np.uint8).reshape(COLOUR.shape[:2])
    made = Photograph(COLOUR, alpha, b"a profile", tags.tobytes().removeprefix(b"Exif\0\0"))
    write_photograph(tmp_path / "image.png", made)
    before = (tmp_path / "image.png").read_bytes()
    (done,), refused = denoise_images([tmp_path / "image.png"], None, options(weights))
    assert not refused and done.target == tmp_path / "image_denoised.png"
    found = read_photograph(done.target)
    assert found.values.dtype == np.uint8 and not np.array_equal(found.values, COLOUR)
    assert np.array_equal(found.alpha, alpha)
    assert found.icc_profile == b"a profile" and found.orientation == 6
    assert done.estimated and 0 < done.sigma < 30
    assert (tmp_path / "image.png").read_bytes() == before


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("channels", [1, 3])
def test_every_depth_is_filtered_alike(tmp_path, weights, dtype, channels):
    eight = GREY if channels == 1 else COLOUR
    scale = {np.uint8: 1, np.uint16: 257, np.float32: 1 / 255}[dtype]
    values = (eight * np.float64(scale)).astype(dtype)
    source = tmp_path / ("image.tif" if dtype == np.float32 else "image.png")
    write_photograph(source, Photograph(values))
    (done,), _ = denoise_images([source], None, options(weights, sigma=10))
    found = read_photograph(done.target).values
    assert found.dtype == dtype and done.target.suffix == source.suffix
    assert done.white.value == {np.uint8: 255, np.uint16: 65535, np.float32: 1}[dtype]
    around = eight.astype(float)
    mean = sum(around[1 + a : 89 + a, 1 + b : 106 + b] for a in (-1, 0, 1) for b in (-1, 0, 1)) / 9
    step = {np.uint8: 0.51, np.uint16: 0.01, np.float32: 0.001}[dtype]
    assert np.abs(found[1:-1, 1:-1] / scale - mean).max() < step


def test_added_noise_is_seeded_scored_and_taken_away(tmp_path, weights):
    Image.fromarray(COLOUR_BLOB).save(tmp_path / "image.png")
    chosen = options(weights, add_noise=25.0, seed=4, sigma=25.0, compare=True)
    (first,), _ = denoise_images([tmp_path / "image.png"], tmp_path / "a.png", chosen)
    (second,), _ = denoise_images([tmp_path / "image.png"], tmp_path / "b.png", chosen)
    assert first.after == second.after
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert first.before["peak_signal_noise_ratio"] == pytest.approx(20.17, abs=0.1)
    assert first.after["peak_signal_noise_ratio"] > 24
    assert first.comparison == tmp_path / "a_comparison.png"
    with Image.open(first.comparison) as picture:
        assert picture.size[0] > 1000


def test_a_reference_gives_scores(tmp_path, weights):
    noisy = COLOUR_BLOB + np.random.default_rng(0).normal(0, 25, COLOUR_BLOB.shape)
    Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(tmp_path / "noisy.png")
    Image.fromarray(COLOUR_BLOB).save(tmp_path / "clean.png")
    chosen = options(weights, reference=tmp_path / "clean.png")
    (done,), _ = denoise_images([tmp_path / "noisy.png"], None, chosen)
    assert done.after["peak_signal_noise_ratio"] > done.before["peak_signal_noise_ratio"] + 2
    Image.fromarray(COLOUR_BLOB[:50]).save(tmp_path / "small.png")
    _, refused = denoise_images(
        [tmp_path / "noisy.png"],
        None,
        options(weights, reference=tmp_path / "small.png", overwrite=True),
    )
    assert "100 × 50 pixels" in str(refused[tmp_path / "noisy.png"])
    with pytest.raises(OutputError, match="is an input"):
        denoise_images([tmp_path / "noisy.png"], tmp_path / "clean.png", chosen)


def test_folders_go_on_past_a_broken_image_and_leave_out_results(tmp_path, weights):
    for name in ("a.png", "b.jpg", "d.bmp"):
        Image.fromarray(GREY[:40, :40]).save(tmp_path / name)
    whole = (tmp_path / "a.png").read_bytes()
    (tmp_path / "c.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "notes.txt").write_text("no image")
    done, refused = denoise_images([tmp_path], None, options(weights))
    assert [image.target.name for image in done] == [
        "a_denoised.png",
        "b_denoised.png",
        "d_denoised.png",
    ]
    assert list(refused) == [tmp_path / "c.png"]
    names = {path.name for path in tmp_path.iterdir()}
    assert "c_denoised.png" not in names and not any(name.startswith(".") for name in names)
    again, _ = denoise_images([tmp_path], tmp_path / "out", options(weights))
    assert len(again) == 3 and again[0].target == tmp_path / "out" / "a_denoised.png"


def test_inputs_are_not_overwritten_unless_told(tmp_path, weights):
    path = tmp_path / "image.png"
    Image.fromarray(GREY).save(path)
    before = path.read_bytes()
    with pytest.raises(OutputError, match="is an input"):
        denoise_images([path], path, options(weights))
    assert path.read_bytes() == before
    denoise_images([path], path, options(weights, overwrite=True))
    assert path.read_bytes() != before


def test_results_of_one_name_are_refused(tmp_path, weights):
    for name in ("a/image.png", "b/image.png"):
        (tmp_path / name).parent.mkdir()
        Image.fromarray(GREY).save(tmp_path / name)
    with pytest.raises(OutputError, match="two names"):
        denoise_images([tmp_path / "a", tmp_path / "b"], tmp_path / "c", options(weights))
    with pytest.raises(OutputError, match="one file for several"):
        denoise_images([tmp_path], tmp_path / "one.png", options(weights))


@pytest.mark.parametrize(
    ("changed", "match"),
    [
        ({"sigma": -1.0}, "--sigma: -1"),
        ({"sigma": float("nan")}, "--sigma"),
        ({"add_noise": -3.0}, "--add-noise"),
        ({"how": Restoration(strength=1.5)}, "--strength"),
        ({"tile": 0}, "--tile"),
        ({"seed": -1}, "--seed"),
        ({"memory_limit": 1e8}, "--memory-limit"),
    ],
)
def test_options_that_cannot_be(tmp_path, weights, changed, match):
    Image.fromarray(GREY).save(tmp_path / "image.png")
    with (
        pytest.raises(ConfigError, match=match)
        if "memory_limit" not in changed
        else (pytest.raises(AssertionError))
    ):
        _, refused = denoise_images([tmp_path / "image.png"], None, options(weights, **changed))
        assert not refused
    assert [path.name for path in tmp_path.iterdir()] == ["image.png"]


def test_a_bomb_and_an_empty_folder(tmp_path, weights):
    buffer = io.BytesIO()
    Image.new("L", (8, 8)).save(buffer, "PNG")
    content = bytearray(buffer.getvalue())
    content[16:24] = struct.pack(">II", 60_000, 60_000)
    content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    bomb = tmp_path / "bomb.png"
    bomb.write_bytes(content)
    done, refused = denoise_images([bomb], None, options(weights))
    assert not done and "60,000 × 60,000 pixels need about" in str(refused[bomb])
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputFileError, match="holds no images"):
        denoise_images([tmp_path / "empty"], None, options(weights))


def test_networks_that_see_the_whole_image_are_not_tiled(tmp_path):
    small_unet(block="se").save(tmp_path / "se.safetensors")
    Image.fromarray(GREY).save(tmp_path / "image.png")
    path = str(tmp_path / "se.safetensors")
    with pytest.raises(ConfigError, match="looks at the whole image"):
        denoise_images([tmp_path / "image.png"], None, options(path, tile=64))
    done, _ = denoise_images([tmp_path / "image.png"], None, options(path))
    assert len(done) == 1


def test_a_tight_limit_makes_small_tiles_and_the_same_image(tmp_path, weights):
    Image.fromarray(np.tile(GREY, (3, 3))).save(tmp_path / "image.png")
    source = tmp_path / "image.png"
    denoise_images([source], tmp_path / "a.png", options(weights, sigma=10))
    chosen = options(weights, sigma=10, memory_limit=501e6)
    denoise_images([source], tmp_path / "b.png", chosen)
    a, b = (read_photograph(tmp_path / name).values.astype(int) for name in ("a.png", "b.png"))
    assert np.abs(a - b).max() <= 1 and np.mean(a != b) < 1e-3


@pytest.mark.parametrize("ending", ["png", "jpg", "tif", "bmp"])
@pytest.mark.parametrize("orientation", [2, 6, 7])
def test_the_picture_is_upright_once(tmp_path, weights, ending, orientation):
    tags = Image.Exif()
    tags[274] = orientation
    Image.fromarray(BLOB[:, :60]).save(tmp_path / "in.png", exif=tags)
    chosen = options(weights, how=Restoration(strength=0.0), compare=True)
    (done,), _ = denoise_images([tmp_path / "in.png"], tmp_path / f"out.{ending}", chosen)
    with Image.open(tmp_path / "in.png") as before, Image.open(done.target) as after:
        seen = [np.asarray(ImageOps.exif_transpose(image), int) for image in (before, after)]
    assert seen[0].shape == seen[1].shape
    assert np.abs(seen[0] - seen[1]).max() <= (4 if ending == "jpg" else 0)
    # The comparison, too, shows it as it is seen: a turned picture is wider than high.
    with Image.open(done.comparison) as picture:
        assert (picture.size[0] / picture.size[1] > 1.5) == (orientation >= 5)


def test_files_named_twice_are_denoised_once_and_hidden_ones_not(tmp_path, weights):
    for name in ("a.png", ".b.png", ".a_denoised.half.png"):
        Image.fromarray(GREY[:40, :40]).save(tmp_path / name)
    inputs = [tmp_path, tmp_path / "a.png", tmp_path / "." / "a.png"]
    done, refused = denoise_images(inputs, None, options(weights))
    assert [image.target.name for image in done] == ["a_denoised.png"] and not refused


def test_images_too_small_to_tell_the_noise_from(tmp_path, weights):
    sizes = {"dot.png": (1, 1), "row.png": (1, 40), "column.png": (33, 2)}
    for name, size in sizes.items():
        Image.fromarray(GREY[: size[0], : size[1]]).save(tmp_path / name)
    _, refused = denoise_images([tmp_path], None, options(weights))
    assert len(refused) == 3
    assert "row.png: has 40 × 1 pixels" in str(refused[tmp_path / "row.png"])
    assert "--sigma" in str(refused[tmp_path / "dot.png"])
    done, _ = denoise_images([tmp_path], None, options(weights, sigma=10.0, compare=True))
    assert [read_photograph(image.target).values.shape for image in done] == [
        sizes[image.source.name] for image in done
    ]


def test_a_tile_beyond_the_memory_is_refused(tmp_path, weights):
    Image.fromarray(np.tile(GREY, (4, 4))).save(tmp_path / "image.png")
    chosen = options(weights, tile=100_000, memory_limit=501e6)
    with pytest.raises(ConfigError, match="--tile: 100000"):
        denoise_images([tmp_path / "image.png"], None, chosen)


def test_sigma_beyond_the_scale_and_sigma_that_is_not_used(tmp_path, weights):
    Image.fromarray(GREY).save(tmp_path / "image.png")
    with pytest.raises(ConfigError, match="--sigma: 300"):
        denoise_images([tmp_path / "image.png"], None, options(weights, sigma=300.0))
    network = build_denoiser(
        "dncnn",
        in_channels=1,
        options={"depth": 2, "width": 2},
        generator=torch.Generator().manual_seed(0),
    )
    save_file(network.state_dict(), tmp_path / "dncnn.safetensors")
    said = []

    class Listener(Observer):
        def message(self, text):
            said.append(text)

    chosen = options(str(tmp_path / "dncnn.safetensors"), sigma=15.0)
    (done,), _ = denoise_images([tmp_path / "image.png"], None, chosen, Listener())
    assert done.sigma is None and any("--sigma is not used" in text for text in said)


def test_a_reference_turned_otherwise_is_refused(tmp_path, weights):
    tags = Image.Exif()
    tags[274] = 3
    Image.fromarray(GREY).save(tmp_path / "image.png")
    Image.fromarray(GREY).save(tmp_path / "turned.png", exif=tags)
    chosen = options(weights, reference=tmp_path / "turned.png")
    _, refused = denoise_images([tmp_path / "image.png"], None, chosen)
    assert "turned otherwise" in str(refused[tmp_path / "image.png"])


@pytest.mark.parametrize("stop", [signal.SIGKILL, signal.SIGINT])
def test_stopped_in_the_middle_no_half_file_is_left(tmp_path, weights, stop):
    Image.fromarray(np.tile(GREY, (12, 12))).save(tmp_path / "image.png")
    (tmp_path / "image_denoised.png").write_bytes(b"an older result")
    tiles = image_restoration.release_free_blocks

    def slowly():
        image_restoration.release_free_blocks = slow

    def slow():
        tiles()
        print("tile", flush=True)
        time.sleep(0.2)

    command = ForkedCommand(
        "denoise", "image.png", "--weights", weights, "--tile", 64, "--overwrite",
        folder=tmp_path, prepare=slowly,
    )  # fmt: skip
    command.wait_until(lambda: "tile\n" in command.out)
    status = command.ended_by(stop)
    assert status != 0 and "Traceback" not in command.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["image.png", "image_denoised.png"]
    assert (tmp_path / "image_denoised.png").read_bytes() == b"an older result"
