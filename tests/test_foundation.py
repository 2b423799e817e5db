"""errors, registry, seeding, atomic, palette."""

import os
import pickle
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch

from hsi_suite.atomic import atomic_file, atomic_folder, write_json, write_text
from hsi_suite.engine.devices import seeded
from hsi_suite.errors import HsiSuiteError, InputFileError, OutputError, UnknownNameError
from hsi_suite.models.building import build_model
from hsi_suite.palette import class_colours
from hsi_suite.registry import Registry
from hsi_suite.seeding import STREAMS, SeedStreams, derive_seed, seed_own_draws


def test_an_error_is_one_line_in_the_order_subject_found_expected_remedy():
    error = InputFileError("a.mat", "is\nempty", "a cube", "fetch it again")
    assert str(error) == "a.mat: is empty; expected a cube. Fetch it again"
    assert str(InputFileError("a.mat", "is empty")) == "a.mat: is empty"


def test_an_error_survives_a_process_border():
    error = pickle.loads(pickle.dumps(InputFileError("a", "b", "c", "d")))
    assert isinstance(error, InputFileError)
    assert str(error) == "a: b; expected c. D"


def test_a_name_cannot_be_registered_twice():
    registry: Registry[int] = Registry("thing")
    registry.add("one", 1)
    with pytest.raises(ValueError, match="twice"):
        registry.add("one", 2)


def test_an_unknown_name_lists_the_nearest():
    registry: Registry[int] = Registry("thing")
    for name in ("hybridsn", "cnn1d"):
        registry.add(name, 1)
    with pytest.raises(UnknownNameError, match="Did you mean hybridsn"):
        registry["hybridns"]


def test_streams_are_independent_and_fixed_for_all_time():
    seeds = SeedStreams(0)
    assert len({seeds.seed(name) for name in STREAMS}) == len(STREAMS)
    # A literal value: a changed derivation would silently change every published run.
    assert derive_seed(0, "split") == 3769940940748469125


def test_one_stream_set_alone_leaves_the_others():
    plain, changed = SeedStreams(7), SeedStreams(7, {"order": 3})
    assert changed.seed("order") == 3
    assert all(plain.seed(n) == changed.seed(n) for n in STREAMS if n != "order")


def test_generators_repeat_and_differ_by_place():
    seeds = SeedStreams(1)
    first = seeds.torch("order", 4).initial_seed()
    assert first == seeds.torch("order", 4).initial_seed()
    assert first != seeds.torch("order", 5).initial_seed()
    assert np.array_equal(seeds.numpy("split").random(3), seeds.numpy("split").random(3))
    with pytest.raises(ValueError, match="no random stream"):
        seeds.seed("colour")


def test_own_draws_begin_as_those_of_torchs_seed(monkeypatch):
    torch.manual_seed(5)
    expected = torch.rand(3)
    seed_own_draws(5)
    assert torch.equal(torch.rand(3), expected)
    # Of devices those that are named, which go on where the block ends.
    theirs = tuple(torch.Generator().manual_seed(9) for _ in range(3))
    before = [each.get_state() for each in theirs]
    fork, forked = torch.random.fork_rng, []
    monkeypatch.setattr(torch.cuda, "default_generators", theirs)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 2)
    monkeypatch.setattr(
        torch.random, "fork_rng", lambda devices: forked.append(devices) or fork([])
    )
    expected = torch.Generator().manual_seed(5).get_state()
    for name, own in (("cpu", None), ("cuda:1", 1), ("cuda", 2)):
        with seeded(5, torch.device(name)):
            pass
        assert forked.pop() == ([] if own is None else [torch.device(name)])
        for index, generator in enumerate(theirs):
            assert torch.equal(generator.get_state(), expected if index == own else before[index])
            generator.manual_seed(9)
    # Networks are drawn on processors.
    build_model(
        "cnn2d", in_channels=3, num_classes=2, window=5, options={}, generator=torch.Generator()
    )
    assert all(map(torch.equal, [each.get_state() for each in theirs], before))


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.txt"
    write_text(path, "old")
    with pytest.raises(RuntimeError), atomic_file(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_written_files_are_as_readable_as_others(tmp_path):
    (tmp_path / "plain").write_text("")
    write_text(tmp_path / "atomic", "")
    assert (tmp_path / "atomic").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_equal_values_give_equal_json(tmp_path):
    write_json(tmp_path / "a", {"b": 1, "a": 2})
    write_json(tmp_path / "b", {"a": 2, "b": 1})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_unwritable_places_are_our_errors(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        write_text(tmp_path / "file" / "below", "")
    with pytest.raises(OutputError, match="exists already"), atomic_folder(tmp_path):
        pass


def test_a_folder_appears_whole_or_not_at_all(tmp_path):
    with pytest.raises(RuntimeError), atomic_folder(tmp_path / "x") as folder:
        (folder / "half").write_text("")
        raise RuntimeError
    assert not list(tmp_path.iterdir())
    with atomic_folder(tmp_path / "x") as folder:
        (folder / "whole").write_text("1")
    assert (tmp_path / "x" / "whole").read_text() == "1"


def test_a_killed_writer_leaves_the_old_content(tmp_path):
    path = tmp_path / "a.txt"
    write_text(path, "old")
    code = (
        "import sys, time; from pathlib import Path; from hsi_suite.atomic import atomic_file\n"
        "with atomic_file(Path(sys.argv[1])) as t:\n"
        "    t.write_text('new'); print('ready', flush=True); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", code, path], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    time.sleep(0.01)
    assert path.read_text() == "old"


def test_colours_are_distinct_and_unlabelled_is_black():
    colours = class_colours(60)
    assert colours.shape == (61, 3)
    assert tuple(colours[0]) == (0, 0, 0)
    assert len({tuple(c) for c in colours.tolist()}) == 61
    assert np.array_equal(class_colours(5), colours[:6])


def test_every_error_is_ours():
    from hsi_suite import errors

    classes = [
        c for c in vars(errors).values() if isinstance(c, type) and c.__module__ == errors.__name__
    ]
    # Neither a stop nor a note is one.
    others = {errors.Stopped, errors.Note}
    assert all(issubclass(c, HsiSuiteError) for c in classes if c not in others)


def test_every_public_name_can_be_imported():
    import hsi_suite

    assert {"train", "open_run", "Run", "splits"} <= set(hsi_suite.__all__) <= set(dir(hsi_suite))
    for name in hsi_suite.__all__:
        assert getattr(hsi_suite, name).__name__.rpartition(".")[2] in (name, "backbones")
