"""What the command line says when, and of names that it takes for something else."""

import sys

import click
import numpy as np
import pytest
from denoiser_samples import box_filter
from PIL import Image
from said_lines import beyond_first
from skimage import data as samples

from hsi_suite.api.progress import TerminalObserver
from hsi_suite.cli import cli
from hsi_suite.cli.values import Word
from hsi_suite.errors import ConfigError
from hsi_suite.tasks.denoising.photographs import image_denoising
from hsi_suite.tasks.scenes.configuration import classification_config


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


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ((), "nothing to look for; expected one of --target, --at, --anomaly"),
        (("--at", "1,1", "--anomaly", "rx"), "--at and --anomaly given; expected one of"),
    ],
)
def test_what_is_looked_for_is_one_thing(hsi, tmp_path, given, said):
    np.save(tmp_path / "cube.npy", np.ones((4, 5, 6), np.float32))
    status, _, err = hsi("detect", "cube.npy", "-o", "scores.png", *given)
    assert status == 2 and said in err and beyond_first(err) == [err.rstrip()]


def test_epochs_of_what_has_none_are_refused(hsi):
    # They changed nothing but the name of the run.
    status, _, err = hsi("train", "--dataset", "synthetic", "--model", "lda", "--epochs", "3")
    assert status == 2 and "epochs: given with lda, which has none; expected a network" in err
    with pytest.raises(ConfigError, match="given with svm"):
        classification_config(dataset="synthetic", model="svm", epochs=3)
    # A batch of several models names them for all.
    made = classification_config(dataset="synthetic", model="svm", settings=["train.epochs=3"])
    assert made.train.epochs == 3


def test_a_scene_without_labels_is_told_what_it_lacks(hsi, tmp_path):
    np.save(tmp_path / "cube.npy", np.ones((4, 5, 6), np.float32))
    status, _, err = hsi("train", "--scene", "cube.npy", "--model", "lda")
    assert status == 2 and beyond_first(err) == [err.rstrip()]
    assert "cube.npy without labels; expected a label map of the scene" in err
    assert "Name their file with --labels; several scenes" in err


def test_photographs_beside_a_cube_have_their_sheet(hsi, tmp_path):
    cube = np.random.default_rng(0).normal(1, 0.1, (20, 24, 6)).astype(np.float32)
    np.save(tmp_path / "cube.npy", cube)
    status, out, _ = hsi(
        "denoise", "first.png", "cube.npy", "-o", "clean", "--weights", "box.safetensors",
        "--contact-sheet", "sheet.png",
    )  # fmt: skip
    assert status == 0 and (tmp_path / "clean" / "cube_denoised.npy").exists()
    assert out.splitlines()[-1] == "sheet.png  before and after, 1 photograph; cubes are not on it"
    assert (tmp_path / "sheet.png").stat().st_size > 1000


def test_an_epoch_is_one_line_of_a_log(capfd):
    observer = TerminalObserver()
    observer._spoke = float("-inf")
    observer.epoch({"epoch": 1, **{f"train_loss_{part}": 1 / 3 for part in range(9)}}, 2.0)
    assert len(capfd.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize(
    ("word", "ending"),
    [("jpg", ".jpg"), ("JPEG", ".jpg"), ("Tif", ".tif"), ("TIFF", ".tif"), ("ppm", ".pnm"),
     ("jp2", ".jp2")],
)  # fmt: skip
def test_kinds_of_pictures_go_by_their_endings_too(hsi, tmp_path, word, ending):
    options = ("--weights", "box.safetensors", "--sigma", "5", "--precision", "FP32")
    assert hsi("denoise", "first.png", "--format", word, "-o", "out", *options)[0] == 0
    assert [path.name for path in (tmp_path / "out").iterdir()] == [f"first_denoised{ending}"]
    named = f"second{ending.upper()}"
    assert hsi("denoise", "first.png", "--format", word, "-o", named, *options)[0] == 0
    assert (tmp_path / named).is_file()


def test_words_may_be_in_capitals_and_others_are_refused(hsi, monkeypatch):
    status, _, err = hsi("denoise", "first.png", "--format", "Jpgs")
    assert status == 2 and "'Jpgs' is not one of 'png', 'jpeg', 'tiff'" in err
    status, _, err = hsi("report", "nothing", "--figures", "PDF")
    assert status == 2 and "nothing: no such folder" in err
    monkeypatch.setenv("HSI_LANGUAGE", "EN")
    status, _, err = hsi("report", "nothing")
    assert status == 2 and "nothing: no such folder" in err


def test_every_option_of_words_takes_capitals():
    # A plain choice of click's would not.
    def options(command):
        context = click.Context(command)
        if isinstance(command, click.Group):
            for name in command.list_commands(context):
                yield from options(command.get_command(context, name))
        yield from command.params

    choices = [each for each in options(cli) if isinstance(each.type, click.Choice)]
    assert len(choices) > 9 and all(isinstance(each.type, Word) for each in choices)
