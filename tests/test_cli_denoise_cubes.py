"""`hsi denoise` for cubes, and for cubes and photographs in one call."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from denoiser_samples import box_filter
from PIL import Image
from said_lines import beyond_first
from scipy import io, ndimage
from skimage import data as samples

from hsi_suite.data.readers import open_cube
from hsi_suite.errors import ConfigError
from hsi_suite.tasks.denoising.cubes.cube_jobs import separate_cubes
from hsi_suite.tasks.denoising.cubes.plane_denoising import grey_plane_denoiser
from hsi_suite.tasks.denoising.image_restoration import Restoration
from hsi_suite.tasks.denoising.weights import load_weights

BANDS = 24


@pytest.fixture
def hsi(hsi, monkeypatch, tmp_path):
    """`hsi` in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    return hsi


@pytest.fixture
def cubes(tmp_path):
    """A clean and a noisy cube, and a network that is quick."""
    rng = np.random.default_rng(0)
    maps = ndimage.gaussian_filter(rng.standard_normal((40, 44, 2)), (3, 3, 0))
    clean = 0.5 + (maps / np.abs(maps).max()) @ rng.uniform(0, 0.3, (2, BANDS))
    noisy = clean + rng.normal(0, 0.05, clean.shape)
    np.save(tmp_path / "clean.npy", clean.astype(np.float32))
    np.save(tmp_path / "noisy.npy", noisy.astype(np.float32))
    box_filter().save(tmp_path / "box.safetensors")
    return clean, noisy


def test_a_cube_is_denoised_beside_itself_and_scored(hsi, cubes, tmp_path):
    status, out, _ = hsi("denoise", "noisy.npy", "--reference", "clean.npy")
    assert status == 0 and out.splitlines()[0] == "noisy_denoised.npy"
    assert "2 eigen-images, non-local share " in out and "; σ 0.04" in out
    before, after = (float(out.split(name)[1].split()[1]) for name in ("noisy  ", "denoised "))
    assert after > before + 10
    assert f"whole clean cube's largest value, {cubes[0].max():.6g}, as peak" in out
    assert np.load("noisy_denoised.npy").shape == (40, 44, BANDS)


def test_other_formats_become_envi_with_a_page(hsi, cubes, tmp_path):
    noisy = cubes[1].copy()
    noisy[..., 3] = 0
    io.savemat(tmp_path / "scene.mat", {"cube": noisy, "other": noisy[:9, :9]})
    status, _, err = hsi("denoise", "scene.mat", "--weights", "box.safetensors")
    assert status == 2 and "--scene-variable" in err and len(beyond_first(err)) == 1
    status, out, _ = hsi(
        "denoise", "scene.mat", "--weights", "box.safetensors", "--scene-variable", "cube",
        "--rank", "3", "--repair", "--compare", "--precision", "bf16", "--self-ensemble",
    )  # fmt: skip
    assert status == 0
    assert out.split()[:3] == [f"scene_denoised.{end}" for end in ("hdr", "img", "html")]
    assert "3 eigen-images" in out and "dead bands: 1 (4), replaced" in out
    with open_cube("scene_denoised.hdr") as file:
        assert np.ptp(file.read()[..., 3]) > 0


def test_the_non_local_step_can_be_left_out(hsi, cubes):
    default, local = (
        hsi("denoise", "noisy.npy", "--weights", "box.safetensors", "--compare", "-o", *arguments)
        for arguments in (("both.npy", "--non-local"), ("one.npy", "--local"))
    )
    assert default[0] == local[0] == 0
    assert "2 eigen-images, one by one; σ" in local[1]
    assert "one by one" not in default[1]
    assert "share of the non-local step" in Path("one.html").read_text()
    both, one = np.load("both.npy"), np.load("one.npy")
    errors = [np.mean((each - cubes[0]) ** 2) for each in (both, one)]
    assert errors[0] != errors[1]
    status, _, err = hsi("denoise", "one.npy", "--local", "--mode", "bands", "-o", "bands.npy")
    assert status == 0 and "share" not in err


def test_strength_is_the_share_of_the_change(hsi, cubes):
    for strength in ("0", "0.5", "1"):
        name = f"s{strength}.npy"
        assert hsi("denoise", "noisy.npy", "-o", name, "--strength", strength)[0] == 0
    none, half, full = (np.load(f"s{strength}.npy") for strength in ("0", "0.5", "1"))
    np.testing.assert_allclose(none, cubes[1], atol=1e-6)
    np.testing.assert_allclose(half, (cubes[1] + full) / 2, atol=1e-6)


@pytest.mark.parametrize("kind", ["gaussian", "bands", "stripes", "dead-lines", "impulses"])
def test_a_demonstration_scores_against_the_cube_itself(hsi, cubes, kind):
    command = ("denoise", "clean.npy", "--add-noise", "0.05", "--add-kind", kind, "--repair")
    status, out, _ = hsi(*command, "--seed", "3", "-o", "first.npy")
    assert status == 0
    before, after = (float(out.split(name)[1].split()[1]) for name in ("noisy  ", "denoised "))
    assert after > before + (5 if kind in ("impulses", "stripes") else 10)
    assert "--mode robust" not in out or kind in ("dead-lines", "impulses", "stripes")
    assert hsi(*command, "--seed", "3", "-o", "second.npy")[0] == 0
    assert np.array_equal(np.load("first.npy"), np.load("second.npy"))
    assert not np.array_equal(np.load("first.npy"), cubes[0])


def test_mixed_noise_is_added_and_taken_off_and_said_in_words(hsi, cubes):
    command = ("denoise", "clean.npy", "--add-noise", "0.02", "--add-kind", "case5")
    scores = []
    for more in ("--repair",), ("--mode", "robust", "--compare"):
        status, out, _ = hsi(*command, *more, "-o", f"{len(scores)}.npy")
        assert status == 0
        scores.append(float(out.split("denoised ")[1].split()[1]))
        # Suggested where the faults are plain, and not where it has been taken.
        assert ("so many faults: --mode robust" in out) == ("robust" not in more)
    assert scores[1] > scores[0] + 3
    assert "stuck values:" in out and "stripes, columns of single bands:" in out
    assert "dead columns of single bands:" in out and "replaced" in out
    page = Path("1.html").read_text(encoding="utf-8")
    assert "stuck values" in page and "case5" in page


def test_the_robust_mode_wants_bands_enough(hsi, cubes, tmp_path):
    np.save(tmp_path / "few.npy", cubes[1][..., :6])
    status, _, err = hsi("denoise", "few.npy", "--mode", "robust", "-o", "out.npy")
    assert status == 2 and len(err.splitlines()[-1:]) == 1
    assert "at least 10" in err and not (tmp_path / "out.npy").exists()


def test_noise_is_not_added_to_a_cube_with_holes(hsi, cubes, tmp_path):
    cubes[0][3, 3, 3] = np.nan
    np.save(tmp_path / "holes.npy", cubes[0])
    status, _, err = hsi("denoise", "holes.npy", "--add-noise", "0.05")
    assert status == 2 and "misses 1 values" in err


def test_cubes_and_photographs_are_told_apart_by_content(cubes, tmp_path):
    Image.fromarray(samples.camera()[:40, :50]).save(tmp_path / "grey.tif")
    Image.fromarray(samples.astronaut()[:40, :50]).save(tmp_path / "colour.tif")
    tifffile.imwrite(tmp_path / "bands.tif", np.zeros((5, 40, 44), np.uint16))
    tifffile.imwrite(
        tmp_path / "four.tif", np.zeros((40, 44, 4), np.uint8), photometric="minisblack",
        planarconfig="contig", metadata=None,
    )  # fmt: skip
    (tmp_path / "missing").mkdir()
    names = ["grey.tif", "bands.tif", "colour.tif", "four.tif", "noisy.npy", "gone.png", "gone.hdr"]
    images, found = separate_cubes([tmp_path / name for name in names])
    assert [path.name for path in images] == ["grey.tif", "colour.tif", "gone.png"]
    assert [path.name for path in found] == ["bands.tif", "four.tif", "noisy.npy", "gone.hdr"]


def test_both_go_into_one_folder(hsi, cubes, tmp_path):
    Image.fromarray(samples.camera()[100:160, 100:170]).save(tmp_path / "photo.png")
    status, out, _ = hsi(
        "denoise", "noisy.npy", "photo.png", "--weights", "box.safetensors", "-o", "out"
    )
    assert status == 0 and "out/noisy_denoised.npy" in out and "out/photo_denoised.png" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("noisy.npy", "-o", "noisy.npy"), "is an input"),
        (("noisy.npy", "-o", "clean.npy", "--reference", "clean.npy"), "is an input"),
        (("noisy.npy", "clean.npy", "-o", "one.npy"), "one file for several"),
        (("noisy.npy", "-o", "cube.jpg"), "names no format"),
        (("noisy.npy", "--rank", "99"), "1 to 24"),
        (("noisy.npy", "--rank", "0"), "at least 1"),
        (("noisy.npy", "--sigma", "25"), "units of the cube"),
        (("noisy.npy", "--sigma", "-1"), "--sigma"),
        (("noisy.npy", "--add-kind", "bands"), "--add-noise"),
        (("noisy.npy", "--memory-limit", "500M"), "--memory-limit"),
        (("gone.hdr",), "no such file"),
        (("noisy.npy", "broken.npy"), "broken.npy"),
    ],
)
def test_bad_requests_are_one_line_and_leave_nothing(hsi, cubes, tmp_path, arguments, said):
    (tmp_path / "broken.npy").write_bytes((tmp_path / "clean.npy").read_bytes()[:5000])
    before = set(tmp_path.iterdir())
    status, _, err = hsi("denoise", *arguments, "--weights", "box.safetensors")
    assert status == 2 and said in err and "Traceback" not in err
    left = {path.name for path in set(tmp_path.iterdir()) - before}
    assert left <= {"noisy_denoised.npy"} and ("broken" in said or not left)


def test_options_of_cubes_are_refused_for_photographs(hsi, cubes, tmp_path):
    Image.fromarray(samples.camera()[:40, :50]).save(tmp_path / "photo.png")
    status, _, err = hsi("denoise", "photo.png", "--rank", "3")
    assert status == 2 and "photo.png" in err and "--rank" in err


def test_planes_in_tiles_are_as_whole_ones():
    denoiser = load_weights(None, "cpu")
    plane = samples.camera()[:150, :131].astype(np.float32) / 255
    level = np.full(plane.shape, 0.1, np.float32)
    whole = grey_plane_denoiser(denoiser, Restoration(), None, 4e9).run(plane, level)
    tiled = grey_plane_denoiser(denoiser, Restoration(), 24, 4e9).run(plane, level)
    assert np.abs(whole - tiled).max() < 1e-5


def test_networks_for_colour_are_refused(tmp_path):
    box_filter(in_channels=3).save(tmp_path / "colour.safetensors")
    denoiser = load_weights(tmp_path / "colour.safetensors", "cpu")
    with pytest.raises(ConfigError, match="grey"):
        grey_plane_denoiser(denoiser, Restoration(), None, 2e9)


def test_no_file_of_a_reference_or_an_input_is_written_over(hsi, cubes, tmp_path):
    assert hsi("denoise", "clean.npy", "--strength", "0", "-o", "clean.hdr")[0] == 0
    before = (tmp_path / "clean.img").read_bytes()
    for arguments in (("noisy.npy", "--reference", "clean.img"), ("clean.img",)):
        status, _, err = hsi("denoise", *arguments, "-o", "clean.hdr")
        assert status == 2 and "is an input" in err and len(beyond_first(err)) == 1
    assert (tmp_path / "clean.img").read_bytes() == before


def test_two_pages_need_two_names(hsi, cubes, tmp_path):
    io.savemat(tmp_path / "noisy.mat", {"cube": cubes[1]})
    inputs = ("noisy.npy", "noisy.mat", "--weights", "box.safetensors")
    status, _, err = hsi("denoise", *inputs, "--compare")
    assert status == 2 and "noisy_denoised.html: would be a result of" in err
    assert not list(tmp_path.glob("noisy_*"))
    assert hsi("denoise", *inputs)[0] == 0


@pytest.mark.filterwarnings("error")
def test_nodata_beyond_the_type_is_borne(hsi, cubes, tmp_path):
    lowest = float(np.finfo(np.float64).min)
    command = ("denoise", "noisy.npy", "--nodata", lowest, "--reference", "clean.npy")
    assert hsi(*command, "-o", "first.npy")[0] == 0
    assert hsi("denoise", "noisy.npy", "-o", "second.npy")[0] == 0
    np.testing.assert_array_equal(np.load("first.npy"), np.load("second.npy"))
    assert hsi("denoise", "clean.npy", "--nodata", lowest, "--add-noise", "0.05")[0] == 0


def test_results_of_a_photograph_and_a_cube_keep_apart(hsi, tmp_path):
    for folder, values in (("u", np.zeros((5, 40, 44), np.uint16)), ("v", samples.camera()[:40])):
        (tmp_path / folder).mkdir()
        tifffile.imwrite(tmp_path / folder / "t.tif", values)
    Image.fromarray(samples.camera()[:40, :50]).save(tmp_path / "v" / "t.tif")
    status, _, err = hsi("denoise", "u/t.tif", "v/t.tif", "-o", "out")
    assert status == 2 and "would be a result of" in err and not (tmp_path / "out").exists()


def test_the_noise_of_few_bands_is_told_from_their_images(hsi, tmp_path):
    clean = samples.astronaut()[100:228, 150:278].astype(np.float32) / 255
    np.save(tmp_path / "clean.npy", clean)
    command = ("denoise", "clean.npy", "--add-noise", "0.05", "-o", "found.npy", "--overwrite")
    told = hsi(*command)[1]
    known = hsi(*command, "--sigma", "0.05")[1]
    ratios = [float(out.split("denoised ")[1].split()[1]) for out in (told, known)]
    # Regression alone takes most of a colour for noise.
    assert ratios[0] > ratios[1] - 0.5


def test_weak_noise_is_no_reason_to_change_a_cube(hsi, tmp_path):
    rng = np.random.default_rng(0)
    spectra = rng.uniform(0.2, 1.2, (5, BANDS))
    blocks = spectra[np.kron(rng.integers(0, 5, (6, 6)), np.ones((8, 8), int))]
    np.save(tmp_path / "blocks.npy", blocks.astype(np.float32))
    for sigma in ("0.0001", "0.002"):
        status, out, _ = hsi("denoise", "blocks.npy", "--add-noise", sigma, "-o", f"{sigma}.npy")
        before, after = (float(out.split(name)[1].split()[1]) for name in ("noisy  ", "denoised "))
        assert status == 0 and after > before


def test_rare_signals_and_faults_are_counted_in_words(hsi, tmp_path):
    rng = np.random.default_rng(0)
    lines, samples = np.mgrid[:48, :44] / 48
    shapes = np.cumsum(rng.random((2, 24)), 1)
    cube = np.stack([lines, samples], 2) @ shapes + rng.normal(0, 0.1, (48, 44, 24))
    cube[10, 10, 8:11] += 2
    cube[30, 30, 5] += 2
    np.save(tmp_path / "cube.npy", cube.astype(np.float32))
    status, output, _ = hsi("denoise", "cube.npy", "--compare")
    assert status == 0
    assert "pixels with rare signals, put back: 1 of 2,112" in output
    assert "single odd values, left as they are: 1; so few" in output
    assert "put back" in (tmp_path / "cube_denoised.html").read_text()
    denoised = np.load(tmp_path / "cube_denoised.npy")
    assert abs(denoised[10, 10, 9] - cube[10, 10, 9]) < 0.2
    assert denoised[30, 30, 5] == pytest.approx(cube[30, 30, 5])
    hsi("denoise", "cube.npy", "--repair", "--overwrite")
    assert np.load(tmp_path / "cube_denoised.npy")[30, 30, 5] < cube[30, 30, 5] - 1.5


@pytest.mark.parametrize("ending", ["npz", "mat"])
def test_cubes_that_are_read_whole_keep_within_the_limit(hsi, tmp_path, ending):
    cube = np.zeros((1000, 1000, 60), np.float32)
    if ending == "npz":
        np.savez_compressed(tmp_path / "cube.npz", cube=cube)
    else:
        io.savemat(tmp_path / "cube.mat", {"cube": cube}, do_compression=True)
    status, out, err = hsi("denoise", f"cube.{ending}", "--memory-limit", "1G")
    assert status == 2 and not out
    assert f"cube.{ending}" in err and "read whole" in err and "aise --memory-limit" in err
    assert "ENVI, NPY or GeoTIFF" in err
    assert not list(tmp_path.glob("*_denoised*"))


@pytest.mark.parametrize("more", [("--add-noise", "1"), ("--reference", "clean.npy")])
def test_cubes_that_are_scored_keep_within_the_limit(hsi, tmp_path, more):
    for name in ("cube.npy", "clean.npy"):
        np.lib.format.open_memmap(tmp_path / name, "w+", np.float32, (1000, 1000, 60))
    status, out, err = hsi("denoise", "cube.npy", *more, "--memory-limit", "1G", "-o", "out.npy")
    assert status == 2 and not out
    assert "a cube that is scored is read whole" in err and "aise --memory-limit" in err


def test_a_reference_of_another_size_is_not_decoded(hsi, tmp_path, monkeypatch):
    from hsi_suite.tasks.denoising.photographs import image_denoising

    Image.fromarray(np.zeros((20, 20), np.uint8)).save(tmp_path / "noisy.png")
    Image.fromarray(np.zeros((3000, 4000), np.uint8)).save(tmp_path / "large.png")
    read = image_denoising.read_photograph
    seen = []
    monkeypatch.setattr(
        image_denoising, "read_photograph", lambda path: seen.append(path.name) or read(path)
    )
    status, _, err = hsi("denoise", "noisy.png", "--reference", "large.png", "--sigma", "10")
    assert status == 2 and "4,000 × 3,000" in err and seen == ["noisy.png"]


@pytest.mark.parametrize("ending", [".hdr", ".tif", ".npy"])
def test_finished_cubes_are_kept_unless_told(hsi, cubes, tmp_path, ending):
    target = tmp_path / f"out{ending}"
    arguments = ("denoise", "noisy.npy", "-o", target.name, "--compare")
    assert hsi(*arguments)[0] == 0
    made = sorted(tmp_path.glob("out.*"))
    for path in made:
        whole = {each: each.read_bytes() for each in made}
        for other in made:
            other.unlink()
        path.write_bytes(b"mine")
        status, _, err = hsi(*arguments)
        assert status == 2 and "exists already" in err and "--overwrite" in err
        assert sorted(tmp_path.glob("out.*")) == [path] and path.read_bytes() == b"mine"
        assert hsi(*arguments, "--overwrite")[0] == 0
        assert {each: len(each.read_bytes()) for each in made if each.suffix != ".html"} == {
            each: len(content) for each, content in whole.items() if each.suffix != ".html"
        }
