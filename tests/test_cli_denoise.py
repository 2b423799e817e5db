"""`hsi denoise` and `hsi evaluate --weights` as a user meets them."""

import io
import json
import struct
import zlib

import numpy as np
import pytest
import torch
from denoiser_samples import box_filter
from PIL import Image
from said_lines import beyond_first
from skimage import data as samples

from hsi_suite import weights as shipped

PHOTOGRAPH = samples.camera()[100:160, 100:170]


@pytest.fixture
def hsi(hsi, monkeypatch, tmp_path):
    """`hsi` in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    return hsi


@pytest.fixture
def photograph(tmp_path):
    Image.fromarray(PHOTOGRAPH).save(tmp_path / "photo.png")
    box_filter().save(tmp_path / "box.safetensors")
    return tmp_path / "photo.png"


def test_a_photograph_is_denoised_beside_itself(hsi, photograph):
    status, out, _ = hsi("denoise", "photo.png", "--weights", "box.safetensors")
    assert status == 0
    assert out.startswith("photo_denoised.png  σ ") and "(estimated)" in out
    with Image.open("photo_denoised.png") as image:
        assert image.size == (70, 60)


def test_a_trial_prints_scores_and_draws_a_comparison(hsi, photograph):
    status, out, _ = hsi(
        "denoise", "photo.png", "--weights", "box.safetensors", "--add-noise", "25", "--compare",
        "--tile", "32", "--self-ensemble", "--precision", "bf16", "--memory-limit", "1.5G",
        "-o", "clean.tif",
    )  # fmt: skip
    assert status == 0
    lines = out.splitlines()
    assert lines[0].startswith("clean.tif")
    assert lines[1].split()[:2] == ["noisy", lines[1].split()[1]] and "dB, SSIM" in lines[2]
    assert lines[3].strip() == "clean_comparison.png"


def test_shipped_weights_are_found_by_name(hsi, photograph, tmp_path, monkeypatch):
    monkeypatch.setattr(shipped, "_FOLDER", tmp_path / "weights")
    status, _, err = hsi("denoise", "photo.png")
    assert status == 2 and len(beyond_first(err)) == 1
    assert "--weights" in err and not (tmp_path / "photo_denoised.png").exists()
    (tmp_path / "weights").mkdir()
    for name in ("default_denoiser", "strong"):
        box_filter().save(tmp_path / "weights" / f"{name}.safetensors")
    assert hsi("denoise", "photo.png")[0] == 0
    assert hsi("denoise", "photo.png", "--model", "strong", "--overwrite")[0] == 0
    status, _, err = hsi("denoise", "photo.png", "--model", "strnog")
    assert status == 2 and "Did you mean strong?" in err


def bomb():
    buffer = io.BytesIO()
    Image.new("L", (8, 8)).save(buffer, "PNG")
    content = bytearray(buffer.getvalue())
    content[16:24] = struct.pack(">II", 100_000, 100_000)
    content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    return bytes(content)


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (("cut.png",), "cut.png: cannot be read"),
        (("empty.png",), "is empty"),
        (("bomb.png",), "Raise --memory-limit"),
        (("folder",), "holds no images"),
        (("missing.png",), "no such file"),
        (("photo.png", "--sigma", "-3"), "--sigma: -3"),
        (("photo.png", "--weights", "other.pth"), "1→4 of 5×5"),
        (("photo.png", "--weights", "text.pth"), "text.pth: is no checkpoint"),
        (("photo.png", "--model", "a", "--weights", "box.safetensors"), "beside --model"),
        (("photo.png", "-o", "photo.png"), "is an input"),
        (("photo.png", "-o", ""), "an empty text"),
        (("photo.png", "-o", "photo.gif"), "ends as no image file does"),
        (("photo.png", "--reference", "missing.png"), "no such file"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(hsi, photograph, tmp_path, arguments, match):
    content = photograph.read_bytes()
    (tmp_path / "cut.png").write_bytes(content[: len(content) // 2])
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "bomb.png").write_bytes(bomb())
    (tmp_path / "folder").mkdir()
    (tmp_path / "text.pth").write_text("no weights")
    state = {"a.0.weight": torch.zeros(4, 1, 5, 5), "a.1.weight": torch.zeros(1, 4, 5, 5)}
    torch.save(state, tmp_path / "other.pth")
    if "--weights" not in arguments:
        arguments = (*arguments, "--weights", "box.safetensors")
    before = sorted(tmp_path.rglob("*"))
    status, out, err = hsi("denoise", *arguments)
    assert status == 2 and not out
    assert match in err and len(beyond_first(err)) == 1
    assert sorted(tmp_path.rglob("*")) == before


def test_the_rest_of_a_folder_is_done(hsi, photograph, tmp_path):
    (tmp_path / "broken.png").write_bytes(photograph.read_bytes()[:-40])
    arguments = ("denoise", ".", "--weights", "box.safetensors", "-o", "out/", "--sigma", "9")
    status, _, err = hsi(*arguments)
    assert status == 2 and len(beyond_first(err)) == 3
    assert "1 of 2 files" in err and "left out" in err
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["photo_denoised.png"]


@pytest.mark.parametrize("option", [("--sigma", "much"), ("--memory-limit", "lots")])
def test_options_that_are_no_numbers(hsi, photograph, option):
    status, _, err = hsi("denoise", "photo.png", "--weights", "box.safetensors", *option)
    assert status == 2 and option[1] in err


def test_weights_are_scored(hsi, photograph, tmp_path):
    (tmp_path / "images").mkdir()
    Image.fromarray(np.rot90(PHOTOGRAPH)).save(tmp_path / "images" / "one.png")
    arguments = ("evaluate", "--weights", "box.safetensors", "--data", "images", "--sigma", "25")
    status, out, _ = hsi(*arguments)
    assert status == 0 and "box.safetensors" in out and "non-local means" in out
    status, out, _ = hsi(*arguments, "--json")
    assert json.loads(out)["sigmas"] == [25.0]


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ((), "neither a run nor --weights"),
        (("run", "--weights", "w"), "a run beside --weights"),
        (("run", "--sigma", "25"), "given with a run"),
        (("run", "--threads", "2"), "--threads: given with a run"),
        (("--weights", "default_denoiser", "--dropout-at-test"), "--dropout-at-test: given with"),
        (("--weights", "box.safetensors", "--data", "images", "--sigma", "a,b"), "'a' is not"),
        (("--weights", "box.safetensors", "--data", "nowhere"), "no such folder"),
    ],
)
def test_evaluations_that_cannot_be(hsi, photograph, arguments, match):
    status, _, err = hsi("evaluate", *arguments)
    assert status == 2 and match in err and len(beyond_first(err)) == 1


def test_finished_files_are_kept_unless_told(hsi, photograph, tmp_path):
    arguments = ("denoise", "photo.png", "--weights", "box.safetensors", "--compare")
    assert hsi(*arguments)[0] == 0
    made = {path: path.read_bytes() for path in tmp_path.glob("photo_*")}
    assert len(made) == 2
    for path in made:
        path.write_bytes(b"mine")
        status, _, err = hsi(*arguments)
        assert status == 2 and "exists already" in err and "--overwrite" in err
        assert path.read_bytes() == b"mine"
        path.unlink()
    (tmp_path / "photo_denoised.png").write_bytes(b"mine")
    assert hsi(*arguments, "--overwrite")[0] == 0
    assert {path: path.read_bytes() for path in made} == made


def test_a_folder_goes_on_where_results_are_missing(hsi, photograph, tmp_path):
    (tmp_path / "in").mkdir()
    for name in "abcdef":
        Image.fromarray(PHOTOGRAPH).save(tmp_path / "in" / f"{name}.png")
    arguments = ("denoise", "in", "-o", "out/", "--weights", "box.safetensors", "--sigma", "9")
    assert hsi(*arguments)[0] == 0
    (tmp_path / "out" / "c_denoised.png").unlink()
    states = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").iterdir()}
    status, out, err = hsi(*arguments)
    assert status == 0 and out.startswith("out/c_denoised.png")
    assert "kept: 5 results" in err and "--overwrite" in err and len(beyond_first(err)) == 1
    status, out, err = hsi(*arguments)
    assert status == 2 and not out and "6 of 6 files were not denoised" in err
    assert {path: path.stat().st_mtime_ns for path in states} == states


def test_every_failure_is_its_own(hsi, photograph, tmp_path, monkeypatch):
    (tmp_path / "in").mkdir()
    for name in "abc":
        Image.fromarray(PHOTOGRAPH).save(tmp_path / "in" / f"{name}.png")
    from hsi_suite.tasks.denoising.photographs import image_denoising

    write = image_denoising.write_photograph

    def fail(path, photograph, **options):
        if path.name.startswith("b"):
            raise TypeError("a bytes-like object is required, not 'int'")
        write(path, photograph, **options)

    monkeypatch.setattr(image_denoising, "write_photograph", fail)
    status, _, err = hsi("denoise", "in", "-o", "out", "--weights", "box.safetensors")
    assert status == 2 and "b.png: failed unexpectedly (TypeError" in err and "1 of 3" in err
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "a_denoised.png",
        "c_denoised.png",
    ]


def test_what_a_folder_run_leaves_out_is_named(hsi, photograph, tmp_path):
    (tmp_path / "in" / "more").mkdir(parents=True)
    Image.fromarray(PHOTOGRAPH).save(tmp_path / "in" / "a.png")
    for name in ("b.svg", "notes.txt", ".hidden", "._a.png", "more/c.txt", "more/.d.png"):
        (tmp_path / "in" / name).write_bytes(b"x")
    status, _, err = hsi(
        "denoise", "in", "-o", "out", "--weights", "box.safetensors", "--sigma", "9"
    )
    assert status == 0
    assert beyond_first(err) == ["in: left out: b.svg, more/c.txt, notes.txt"]
    _, _, err = hsi("evaluate", "--weights", "box.safetensors", "--data", "in", "--sigma", "25")
    assert "b.svg, more/, notes.txt" in err and "hidden" not in err and "._a" not in err


def test_colour_folders_are_scored_by_luma_and_in_colour(hsi, photograph, tmp_path):
    (tmp_path / "images").mkdir()
    Image.fromarray(samples.astronaut()[100:160, 100:170]).save(tmp_path / "images" / "one.png")
    arguments = ("evaluate", "--weights", "default_denoiser", "--data", "images", "--sigma", "25")
    _, out, _ = hsi(*arguments)
    assert "luma of images in colour" in out and "red, green and blue" in out
    found = json.loads(hsi(*arguments, "--json")[1])
    assert found["luma"] and [row["kind"] for row in found["colour_methods"]] == [
        "noisy",
        "weights",
    ]
    # Noise of σ 25 in every colour is 20.17 dB; hsi denoise on the same gives the same figure.
    noisy, weights = (row["scores"]["25"] for row in found["colour_methods"])
    # Beside a network for colour stands the same.
    arguments = ("evaluate", "--weights", "colour_denoiser", "--data", "images", "--sigma", "25")
    rows = json.loads(hsi(*arguments, "--json")[1])["methods"]
    (opponent,) = (row for row in rows if row["method"] == "default_denoiser, opponent colours")
    assert opponent["scores"]["25"] == weights
    assert noisy["peak_signal_noise_ratio"] == pytest.approx(20.17, abs=0.1)
    trial = ("--add-noise", "25", "--sigma", "25", "--weights", "default_denoiser")
    _, out, _ = hsi("denoise", "images/one.png", *trial)
    told = float(out.splitlines()[2].split()[1])
    assert told == pytest.approx(weights["peak_signal_noise_ratio"], abs=0.3)
