"""Files that are no files, never end, or nest for ever: every reader says so in one line."""

import os
from contextlib import contextmanager, suppress

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from said_lines import beyond_first

from hsi_suite.cache import CACHE_VARIABLE
from hsi_suite.checksums import hash_file
from hsi_suite.data.class_folders import read_class_folder
from hsi_suite.data.field_spectra import read_field_spectrum
from hsi_suite.data.images import read_folder, read_image
from hsi_suite.data.pair_files import read_pairs
from hsi_suite.data.photograph_stacks import open_stack
from hsi_suite.data.photographs import read_photograph
from hsi_suite.data.public.verification import digests, recorded_digest
from hsi_suite.data.readers import open_cube, read_class_names, read_labels
from hsi_suite.data.split_files import file_split
from hsi_suite.data.splits import load_split
from hsi_suite.engine.checkpoint import load_checkpoint
from hsi_suite.errors import ChecksumError, ConfigError, HsiSuiteError, InputFileError, RunError
from hsi_suite.guard import parsing
from hsi_suite.models.checkpoint_import import import_checkpoint
from hsi_suite.runs.folder import open_run
from hsi_suite.runs.launch import configure
from hsi_suite.runs.report import write_reports
from hsi_suite.tasks.denoising.weights import load_weights
from hsi_suite.tasks.retrieval.gallery_index import open_index
from hsi_suite.tasks.scenes.classifier_loading import load_classifier
from hsi_suite.user_files import parse_json, read_bytes, read_json, read_text, resolved

LABELS = np.array([[1, 1, 2], [2, 1, 2]], np.uint8)
READERS = {
    "config": (lambda p: configure(config=str(p)), "c.yaml"),
    "cube": (open_cube, "cube.npy"),
    "envi header": (open_cube, "cube.hdr"),
    "labels": (read_labels, "gt.png"),
    "class names": (read_class_names, "names.txt"),
    "spectrum": (read_field_spectrum, "field.csv"),
    "spectral library": (read_field_spectrum, "field.sli"),
    "split": (lambda p: file_split(p, LABELS), "split.mat"),
    "our split": (load_split, "split.npz"),
    "pairs": (read_pairs, "pairs.mat"),
    "photograph": (read_photograph, "a.jpg"),
    "image": (read_image, "a.png"),
    "weights": (lambda p: load_weights(p, "cpu"), "w.safetensors"),
    "checkpoint": (import_checkpoint, "w.pth"),
    "checkpoint of a training": (load_checkpoint, "checkpoint.pt"),
    "stack": (lambda p: open_stack(p).__enter__(), "stack.tif"),
    "folder of images": (lambda p: read_folder(p.parent), "b.png"),
    "checksum": (hash_file, "any.bin"),
    "checksums of a registered file": (digests, "any.mat"),
}


def assert_one_line(error, *words):
    assert str(error).isprintable() and len(str(error)) < 900
    for word in words:
        assert word in str(error)


@pytest.mark.parametrize("kind", READERS)
@pytest.mark.parametrize("what", ["zero", "pipe", "loop", "missing", "folder", "unreadable"])
def test_what_is_no_file_is_refused_at_once(kind, what, tmp_path):
    read, name = READERS[kind]
    path = tmp_path / name
    if what == "zero":
        path.symlink_to("/dev/zero")
    elif what == "unreadable":
        # A regular file whose first byte is an error, for root too.
        path.symlink_to("/proc/self/mem")
    elif what == "pipe":
        os.mkfifo(path)
    elif what == "loop":
        path.symlink_to(path)
    elif what == "folder":
        path.mkdir()
    if kind == "checkpoint of a training" and what in ("missing", "loop"):
        assert read(path) is None
        return
    with pytest.raises(HsiSuiteError) as error:
        read(path)
    assert_one_line(error.value, name if kind != "folder of images" else str(tmp_path))


def test_files_that_never_end_and_files_that_are_too_large(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"x" * 100)
    assert read_text(path, "a text") == "x" * 100
    with pytest.raises(InputFileError, match="holds 100 bytes"):
        read_bytes(path, "a text", largest=99)
    with pytest.raises(RunError, match=r"a\.txt: no such file; expected a text\. Look again"):
        read_bytes(tmp_path / "b" / "a.txt", "a text", "look again", kind=RunError)
    path.write_bytes(b"\xff\xff")
    with pytest.raises(InputFileError, match="not UTF-8"):
        read_text(path, "a text")


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "[" * 70 + "]" * 70, '{"a":' * 900 + "1",
                                  "1" * 5000, "\ud800", "nonsense"])  # fmt: skip
def test_json_that_is_none_or_cannot_be_walked(text, tmp_path):
    with pytest.raises(InputFileError, match="not valid JSON") as error:
        parse_json(text, "a.json", "what hsi wrote")
    assert_one_line(error.value)


def test_json_is_read_as_it_was_written(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('{"a": [1, {"b": 0.5}], "name": "\\udcff"}')
    assert read_json(path, "it") == {"a": [1, {"b": 0.5}], "name": "\udcff"}
    path.write_text("[1]")
    with pytest.raises(InputFileError, match="a JSON object"):
        read_json(path, "it")


def test_the_guard_names_the_reason_and_lets_our_own_errors_pass():
    for error, words in (
        (ValueError("first\nsecond"), "first"),
        (KeyError(), "KeyError"),
        (MemoryError(), "more memory"),
        (RecursionError("x"), "nested too deeply"),
        (UnboundLocalError("arr"), "arr"),
    ):
        with pytest.raises(RunError, match=words), parsing("f", "a map", kind=RunError):
            raise error
    with pytest.raises(ConfigError), parsing("f", "a map"):
        raise ConfigError("k", "wrong")
    with pytest.raises(KeyboardInterrupt), parsing("f", "a map"):
        raise KeyboardInterrupt


@pytest.mark.parametrize("content", ["[" * 100_000, '{"a": ' * 3000, "1" * 6000])
def test_nested_json_in_every_file_of_ours(content, tmp_path, monkeypatch):
    run = tmp_path / "run"
    run.mkdir()
    (run / "config.yaml").write_text("task: classification\n")
    for name in ("metrics.json", "environment.json", "cost.json"):
        (run / name).write_text(content)
    opened = open_run(run)
    for part in ("metrics", "environment", "cost"):
        with pytest.raises(RunError, match="json"):
            getattr(opened, part)
    (tmp_path / "summary.json").write_text(content)
    with pytest.raises(RunError, match=r"summary\.json"):
        write_reports(tmp_path)
    (tmp_path / "index.json").write_text(content)
    with pytest.raises(InputFileError, match=r"index\.json"):
        open_index(tmp_path)
    (tmp_path / "checksums.json").write_text(content)
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    with pytest.raises(ChecksumError, match=r"checksums\.json"):
        recorded_digest("a.mat")
    (tmp_path / "c.yaml").write_text(content)
    with pytest.raises(ConfigError):
        configure(config=str(tmp_path / "c.yaml"))
    save_file({"a": np.ones(1, np.float32)}, run / "model.safetensors", {"header": content})
    with pytest.raises(RunError, match=r"model\.safetensors"):
        load_classifier(run / "model.safetensors", torch.device("cpu"))
    np.savez(tmp_path / "s.npz", about=content, train=[0], validation=[], test=[1])
    with pytest.raises(InputFileError, match=r"s\.npz"):
        load_split(tmp_path / "s.npz")


def test_links_in_a_circle_have_a_place_too(tmp_path):
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    assert resolved(loop).name == "loop"
    with pytest.raises(HsiSuiteError):
        read_class_folder(loop, colour="rgb", shorter_side=8, on_message=print)


@pytest.mark.parametrize("arguments", [
    ["train", "--scene", "loop", "--labels", "loop"],
    ["denoise", "loop"],
    ["denoise", "loop/a.png", "-o", "loop"],
    ["report", "loop"],
    ["compare", "loop"],
    ["retrieve", "query", "loop", "--spectrum", "loop"],
    ["config", "show", "loop"],
    ["data", "info", "loop"],
    ["train", "--dataset", "synthetic", "--output", "loop/x"],
])  # fmt: skip
def test_links_in_a_circle_end_every_command_in_one_line(arguments, tmp_path, monkeypatch, hsi):
    (tmp_path / "loop").symlink_to("loop")
    monkeypatch.chdir(tmp_path)
    status, out, err = hsi(*arguments)
    assert status == 2 and out == ""
    # What it was about to do may be said before.
    *first, error = err.splitlines()
    assert error.startswith("error: ") and not beyond_first("\n".join(first))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_cache_without_rights_is_one_line(tmp_path, monkeypatch, hsi):
    cache = tmp_path / "cache"
    (cache / "inner").mkdir(parents=True)
    cache.chmod(0)
    monkeypatch.setenv("HSI_DATA_DIR", "")
    monkeypatch.setenv(CACHE_VARIABLE, str(cache / "inner"))
    command = ("data", "verify", "botswana")
    hsi(*command)  # imports what the other user may not read
    os.seteuid(65534)
    try:
        status, _, err = hsi(*command)
    finally:
        os.seteuid(0)
    assert status == 2 and err.startswith("error: ") and err.count("\n") == 1


def open_way_to(folder):
    """Let everybody pass through the test's folders, however deep a worker's are."""
    for each in (folder, *folder.parents):
        if each.name.startswith(("pytest-", "popen-")) or each == folder:
            each.chmod(0o755)


@contextmanager
def as_somebody_else():
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
@pytest.mark.parametrize("kind", READERS)
def test_a_file_without_permission_says_so(tmp_path, kind):
    read, name = READERS[kind]
    path = tmp_path / name
    path.write_bytes(b"1")
    open_way_to(tmp_path)
    with suppress(HsiSuiteError):
        read(path)  # imports what the other user may not read
    path.chmod(0)
    with as_somebody_else(), pytest.raises(HsiSuiteError, match=r"\(Permission denied\)") as error:
        read(path)
    assert_one_line(error.value, name)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_run_folder_without_permission_says_so(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.yaml").write_text("a: 1")
    open_way_to(tmp_path)
    (tmp_path / "run").chmod(0)
    with as_somebody_else(), pytest.raises(RunError, match=r"\(Permission denied\)"):
        open_run(tmp_path / "run")


def test_the_guard_keeps_what_the_parser_of_python_thinks_to_itself(recwarn):
    with parsing("f", "a map"):
        assert eval(r"'\_'") == r"\_"
    assert not recwarn.list


@pytest.mark.parametrize("name", ["a" * 5000, "a\0b"])
def test_names_that_no_file_can_have(name):
    with pytest.raises(ConfigError):
        configure(config=name)
    with pytest.raises(HsiSuiteError):
        file_split(f"{name},{name}", LABELS)


def test_a_configuration_that_extends_what_no_file_can_be_called(tmp_path):
    (tmp_path / "c.yaml").write_text(f"extends: {'a' * 5000}\n")
    with pytest.raises(ConfigError, match="no configuration of this name"):
        configure(config=str(tmp_path / "c.yaml"))
