"""What the command line says when, and of names that it takes for something else."""

import sys

import pytest
from denoiser_samples import box_filter
from PIL import Image
from said_lines import beyond_first
from skimage import data as samples

from hsi_suite.api.progress import TerminalObserver
from hsi_suite.tasks.denoising import image_denoising


@pytest.fixture
def hsi(hsi, monkeypatch, tmp_path):
    """`hsi` in a folder with two pictures and a network that is quick."""
    monkeypatch.chdir(tmp_path)
    for name in ("first.png", "second.png"):
        Image.fromarray(samples.camera()[100:160, 100:170]).save(name)
    box_filter().save(tmp_path / "box.safetensors")
    return hsi


def test_each_result_is_told_when_it_is_there(hsi, monkeypatch):
    # A call that is stopped has said what it did: the second picture ends it.
    written = image_denoising.write_photograph

    def until_the_second(path, *args, **kwargs):
        if path.name.startswith("second"):
            raise KeyboardInterrupt
        written(path, *args, **kwargs)

    monkeypatch.setattr(image_denoising, "write_photograph", until_the_second)
    status, out, err = hsi("denoise", "first.png", "second.png", "--weights", "box.safetensors")
    assert status == 130 and "stopped" in err
    assert out.startswith("first_denoised.png  σ ") and "second" not in out


def test_a_bar_steps_aside_for_results_and_comes_back():
    observer = TerminalObserver()
    with observer.aside():
        pass  # there is none
    observer._console._force_terminal = True
    observer.begin("denoising", 4)
    drawn = observer._bars
    stdout = sys.stdout
    with observer.aside():
        assert not drawn.live.is_started
    assert drawn.live.is_started and sys.stdout is not stdout
    observer.advance(3)
    observer.end()
    assert not drawn.live.is_started and drawn.tasks[0].completed == 3


def test_a_picture_that_would_be_lost_is_said_how_to_lose(hsi):
    status, _, err = hsi("denoise", "first.png", "-o", "first.png")
    assert status == 2 and "or add --overwrite, which replaces the picture" in err
    arguments = ("-o", "first.png", "--overwrite", "--weights", "box.safetensors")
    assert hsi("denoise", "first.png", *arguments)[0] == 0


def test_a_file_that_looks_like_an_option_is_told_by_its_place(hsi, tmp_path):
    assert "See hsi denoise --help." in hsi("denoise", "-night.png")[2]
    (tmp_path / "-night.png").write_bytes(b"")
    status, _, err = hsi("denoise", "-night.png")
    assert status == 2 and beyond_first(err) == [err.rstrip()]
    assert err.rstrip().endswith("The file of that name is ./-night.png")
