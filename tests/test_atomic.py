"""Finished files: of several processes that write to one place, one succeeds."""

import errno
import os
import socket
import threading
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
from denoiser_samples import box_filter
from PIL import Image

from hsi_suite import atomic
from hsi_suite.atomic import atomic_file, atomic_folder, keeping, refuse_existing, write_text
from hsi_suite.errors import ExistingOutputError, OutputError


@pytest.fixture(params=["links", "no links"])
def links(request, monkeypatch):
    """A file system with hard links, and one without."""
    if request.param == "no links":

        def refused(*_):
            raise OSError(errno.EPERM, "Operation not permitted")

        monkeypatch.setattr(os, "link", refused)


@pytest.mark.parametrize("how", ["replace", "keeping"])
def test_of_writers_at_the_same_moment_one_succeeds(tmp_path, links, how):
    path, ready = tmp_path / "a.txt", threading.Barrier(8)
    won, lost = [], []

    def write(number):
        try:
            context = keeping([path], overwrite=False) if how == "keeping" else nullcontext()
            with context, atomic_file(path, replace=how == "keeping") as temporary:
                temporary.write_text(f"{number}")
                ready.wait(30)
            won.append(number)
        except ExistingOutputError:
            lost.append(number)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(won) == 1 and len(lost) == 7
    assert path.read_text() == f"{won[0]}"
    assert list(tmp_path.iterdir()) == [path]


def test_files_that_need_not_be_kept_are_replaced(tmp_path):
    path, other = tmp_path / "a.txt", tmp_path / "b.txt"
    path.write_text("old")
    with keeping([other], overwrite=False):
        write_text(path, "new")
    with keeping([path], overwrite=True):
        write_text(path, "newer")
    assert path.read_text() == "newer"
    with pytest.raises(ExistingOutputError), keeping([path], overwrite=False):
        raise AssertionError


def test_a_link_that_is_named_is_written_through_where_it_may(tmp_path):
    real, link, gone = tmp_path / "far" / "real.txt", tmp_path / "link.png", tmp_path / "gone"
    real.parent.mkdir()
    real.write_text("old")
    real.chmod(0o600)
    link.symlink_to("far/real.txt")
    gone.symlink_to("far/new")
    with keeping([link, gone], overwrite=True):
        with atomic_file(link) as temporary:
            # Beside the file, as a rename needs it; with the name's own ending.
            assert (temporary.parent, temporary.suffix) == (real.parent, ".png")
            temporary.write_text("new")
        write_text(gone, "made")
    assert link.is_symlink() and real.read_text() == "new" and (real.parent / "new").is_file()
    assert real.stat().st_mode & 0o777 == 0o600
    with pytest.raises(ExistingOutputError), keeping([link], overwrite=False):
        raise AssertionError
    # Not named by the user, it is a file like any other: a folder from elsewhere may hold it.
    write_text(link, "own")
    assert not link.is_symlink() and real.read_text() == "new"


def test_links_in_a_circle_and_of_others_are_refused(tmp_path, monkeypatch):
    round_, link, real = (tmp_path / name for name in ("round", "link", "real"))
    round_.symlink_to(round_)
    link.symlink_to(real)
    for target, match in ((round_, "round in a circle"), (tmp_path / "no" / "x", "folder is not")):
        round_.unlink()
        round_.symlink_to(target)
        with pytest.raises(OutputError, match=match), keeping([round_], overwrite=True):
            raise AssertionError
    tmp_path.chmod(0o1777)
    with keeping([link], overwrite=True):
        write_text(link, "mine")
        monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
        write_text(link, "of the folder's owner")
        own = Path.lstat

        def foreign(path):
            found = list(own(path))
            return os.stat_result([*found[:4], found[4] + 9, *found[5:]])

        monkeypatch.setattr(Path, "lstat", foreign)
        with pytest.raises(OutputError, match="another user's link"):
            write_text(link, "y")
    assert real.read_text() == "of the folder's owner"


@pytest.mark.parametrize("end", [KeyboardInterrupt, OutputError])
def test_files_that_stand_together_go_when_one_of_them_fails(tmp_path, links, end):
    one, two, other = (tmp_path / name for name in ("one", "two", "other"))
    error = end() if end is KeyboardInterrupt else end(two, "is full", "a place")
    for _ in range(2):
        # The second time the places are free again.
        with pytest.raises(end), keeping([one, two], overwrite=False, together=True):
            write_text(one, "1")
            with keeping([other], overwrite=False):
                write_text(other, "3")
            raise error
        assert list(tmp_path.iterdir()) == []
    with keeping([one, two], overwrite=False, together=True):
        write_text(one, "1")
        write_text(two, "2")
    with pytest.raises(end), keeping([one], overwrite=True, together=True):
        write_text(one, "new")
        raise error
    assert one.read_text() == "new" and two.read_text() == "2"
    with pytest.raises(ExistingOutputError), keeping([other], overwrite=False, together=True):
        other.write_text("somebody else's")
        write_text(other, "ours")
    assert other.read_text() == "somebody else's"


@pytest.fixture
def comes_meanwhile(monkeypatch):
    """Files of somebody else come to lie where a file of ours is about to get its place."""
    given = atomic.give_place

    def late(temporary, path, *, replace):
        if not os.path.lexists(path):
            path.write_text("somebody else's")
        given(temporary, path, replace=replace)

    monkeypatch.setattr(atomic, "give_place", late)


def inputs(folder):
    rng = np.random.default_rng(0)
    image = rng.integers(0, 255, (24, 26), np.uint8)
    Image.fromarray(image).save(folder / "photo.png")
    pages = [Image.fromarray(image + np.uint8(page)) for page in range(2)]
    pages[0].save(folder / "pages.tif", save_all=True, append_images=pages[1:])
    cube = rng.random((1, 1, 12)) + rng.normal(0, 0.01, (20, 22, 12)) * (1 + rng.random((20, 1, 1)))
    np.save(folder / "cube.npy", cube.astype("f4"))
    np.save(folder / "truth.npy", np.eye(20, 22, dtype="u1"))
    box_filter().save(folder / "box.safetensors")


DENOISE = ("denoise", "--weights", "box.safetensors", "--sigma")


@pytest.mark.parametrize(
    "command",
    [
        (*DENOISE, "9", "photo.png", "-o", "out.png"),
        (*DENOISE, "9", "photo.png", "-o", "out.tif", "--compare"),
        (*DENOISE, "9", "pages.tif", "--stack", "pages", "-o", "out.tif"),
        (*DENOISE, "0.01", "cube.npy", "-o", "out.npy"),
        (*DENOISE, "0.01", "cube.npy", "-o", "out.hdr"),
        (*DENOISE, "0.01", "cube.npy", "-o", "out.tif", "--compare"),
        ("detect", "cube.npy", "--anomaly", "rx", "-o", "out.tif"),
        ("detect", "cube.npy", "--anomaly", "rx", "-o", "out.hdr"),
        ("detect", "cube.npy", "--anomaly", "rx", "-o", "out.png", "--truth", "truth.npy"),
    ],
)
def test_what_comes_while_a_command_works_is_kept(
    hsi, tmp_path, monkeypatch, comes_meanwhile, command
):
    monkeypatch.chdir(tmp_path)
    inputs(tmp_path)
    before = set(tmp_path.iterdir())
    status, _, err = hsi(*command)
    assert status == 2 and "exists already" in err, err
    new = set(tmp_path.iterdir()) - before
    assert new and {path.read_text() for path in new} == {"somebody else's"}


# Places that are no files


@pytest.fixture
def special(tmp_path, monkeypatch):
    """A pipe, a socket and a device."""
    os.mkfifo(tmp_path / "pipe.png")
    listener = socket.socket(socket.AF_UNIX)
    # Names of sockets have to be short.
    monkeypatch.chdir(tmp_path)
    listener.bind("socket.tif")
    (tmp_path / "full.hdr").symlink_to("/dev/full")
    yield ["pipe.png", "socket.tif", "full.hdr"]
    listener.close()


def test_pipes_sockets_and_devices_are_never_replaced(special, tmp_path):
    for name in special:
        path, kind = tmp_path / name, (tmp_path / name).lstat().st_mode
        for act in (
            lambda path=path: write_text(path, "x"),
            lambda path=path: refuse_existing([path], overwrite=True),
            lambda path=path: refuse_existing([path], overwrite=False),
        ):
            with pytest.raises(OutputError, match="is a pipe, a socket or a device; expected the"):
                act()
        assert path.lstat().st_mode == kind


@pytest.mark.parametrize(
    "command",
    [
        (*DENOISE, "9", "photo.png", "-o", "pipe.png", "--overwrite"),
        (*DENOISE, "9", "photo.png", "-o", "/dev/full"),
        (*DENOISE, "9", "photo.png", "-o", "/dev/full/out.png"),
        (*DENOISE, "9", "pages.tif", "--stack", "pages", "-o", "socket.tif", "--overwrite"),
        (*DENOISE, "0.01", "cube.npy", "-o", "full.hdr", "--overwrite"),
        (*DENOISE, "0.01", "cube.npy", "-o", "socket.tif"),
        (*DENOISE, "0.01", "cube.npy", "-o", "pipe.png/out.tif"),
        ("detect", "cube.npy", "--anomaly", "rx", "-o", "pipe.png", "--overwrite"),
        ("detect", "cube.npy", "--anomaly", "rx", "-o", "socket.tif"),
        ("denoise", "photo.png", "--weights", "./pipe.png"),
        ("denoise", "photo.png", "--weights", "pipe"),
        ("denoise", "photo.png", "--weights", "/dev/zero"),
        ("denoise", "photo.png", "--sigma", "9", "--reference", "pipe.png"),
        ("denoise", "pipe.png"),
        ("denoise", "/dev/zero"),
        ("denoise", "socket.tif"),
        ("data", "info", "pipe"),
        ("train", "--scene", "pipe", "--labels", "truth.npy"),
        ("train", "--scene", "cube.npy", "--labels", "pipe"),
        ("train", "--config", "./pipe"),
        ("train", "--resume", "pipe"),
        ("train", "--dataset", "synthetic", "--model", "own.py:Net"),
        ("report", "pipe"),
        ("compare", "pipe"),
        ("replay", "pipe"),
        ("evaluate", "pipe"),
        ("batch", "./pipe"),
        ("retrieve", "query", "pipe", "--pixel", "1,1"),
    ],
)
def test_commands_say_what_is_no_file(hsi, special, tmp_path, command):
    inputs(tmp_path)
    for name in ("pipe", "own.py"):
        os.mkfifo(tmp_path / name)
    before = {path: path.lstat().st_ino for path in tmp_path.iterdir()}
    status, _, err = hsi(*command)
    assert status == 2 and "is a pipe, a socket or a device" in err, err
    assert {path: path.lstat().st_ino for path in tmp_path.iterdir()} == before


def test_content_is_on_the_disk_before_it_has_its_name_and_the_name_after(tmp_path, monkeypatch):
    """What survives a power cut; in tests nothing waits for the disk, see `conftest.py`."""
    names = []

    def flushed(descriptor):
        place = Path(f"/proc/self/fd/{descriptor}").readlink()
        names.append((place.name, sorted(each.name for each in tmp_path.iterdir())))

    if not Path("/proc/self/fd").exists():
        pytest.skip("names of open files are told by /proc")
    monkeypatch.setattr(os, "fsync", flushed)
    with atomic_file(tmp_path / "a.txt") as temporary:
        temporary.write_text("a")
    assert names == [(temporary.name, [temporary.name]), (tmp_path.name, ["a.txt"])]
    names.clear()
    (tmp_path / "a.txt").unlink()
    with atomic_folder(tmp_path / "b") as folder:
        (folder / "inner").mkdir()
        (folder / "inner" / "c.txt").write_text("c")
    assert {name for name, there in names if "b" not in there} == {folder.name, "inner", "c.txt"}
    assert [name for name, there in names if "b" in there] == [tmp_path.name]
