import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from hsi_suite.cache import cache_folder
from hsi_suite.data.public import transfer
from hsi_suite.data.public.download import data_folder, find, locate
from hsi_suite.data.public.verification import (
    Check,
    RemoteFile,
    digests,
    inspect_file,
    record_path,
)
from hsi_suite.errors import (
    ChecksumError,
    ConfigError,
    DatasetNotFoundError,
    InputFileError,
    OutputError,
)

CONTENT = bytes(range(256)) * 40
SHA256 = hashlib.sha256(CONTENT).hexdigest()
GIT_BLOB = hashlib.sha1(b"blob 10240\0" + CONTENT).hexdigest()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.path)
        kind = self.path.strip("/").split("/")[0]
        if kind == "missing":
            self.send_error(404)
            return
        body = {
            "good": CONTENT,
            "drip": CONTENT * 200,
            "short": CONTENT,
            "other": b"another file",
            "empty": b"",
            "page": b"\n<!DOCTYPE html><html>not found</html>",
        }.get(kind, b"")
        if kind == "hang":
            self.server.released.wait(10)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if kind == "short":
            self.wfile.write(body[:100])
        elif kind == "drip":
            self.wfile.write(body[: len(body) // 2])
            self.wfile.flush()
            self.server.released.wait(20)
        else:
            self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.asked, server.released = [], threading.Event()
    server.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.released.set()
    server.shutdown()
    server.server_close()
    thread.join(10)


@pytest.fixture(autouse=True)
def places(tmp_path, monkeypatch):
    """An empty cache and no data folder."""
    monkeypatch.setenv("HSI_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("HSI_DATA_DIR", raising=False)
    for proxy in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(proxy, raising=False)
    monkeypatch.setattr(transfer, "_SILENCE_SECONDS", 0.5)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    folder = tmp_path / "data"
    folder.mkdir()
    monkeypatch.setenv("HSI_DATA_DIR", str(folder))
    return folder


def remote(*kinds, server=None, sha256=SHA256, git_blob="", name="cube.mat"):
    base = server.url if server else "http://127.0.0.1:9"
    return RemoteFile(name, tuple(f"{base}/{kind}/{name}" for kind in kinds), sha256, git_blob)


def cached():
    """The names of everything in the cache, hidden ones included."""
    folder = cache_folder()
    return sorted(item.name for item in folder.iterdir()) if folder.exists() else []


def test_digests_by_hand(tmp_path):
    path = tmp_path / "hello"
    path.write_bytes(b"hello\n")
    # The id git itself gives: `printf 'hello\n' | git hash-object --stdin`.
    assert digests(path)[1] == "ce013625030ba8dba906f756967f9e9ca394464a"
    assert digests(path)[0] == hashlib.sha256(b"hello\n").hexdigest()


@pytest.mark.parametrize("known", [{}, {"sha256": "", "git_blob": GIT_BLOB}])
def test_download_verifies_and_keeps(server, known):
    messages = []
    [local] = locate([remote("good", server=server, **known)], on_message=messages.append)
    assert local.path == cache_folder() / "cube.mat"
    assert local.path.read_bytes() == CONTENT
    assert (local.check, local.place, local.sha256) == (Check.VERIFIED, "cache", SHA256)
    assert cached() == ["cube.mat"]
    assert messages == [f"downloading {server.url}/good/cube.mat"]
    locate([remote("good", server=server, **known)], on_message=messages.append)
    assert len(server.asked) == len(messages) == 1


@pytest.mark.parametrize("bad", ["missing", "page", "other", "empty", "short"])
def test_a_bad_mirror_gives_way_to_the_next(server, bad):
    [local] = locate([remote(bad, "good", server=server)], on_message=lambda message: None)
    assert local.path.read_bytes() == CONTENT
    assert cached() == ["cube.mat"]


def test_a_silent_host_is_asked_once(server):
    elsewhere = server.url.replace("127.0.0.1", "localhost")
    addresses = (f"{server.url}/hang/a", f"{server.url}/good/a", f"{elsewhere}/good/a")
    [local] = locate([RemoteFile("a", addresses, SHA256)], on_message=lambda message: None)
    assert local.check is Check.VERIFIED
    assert server.asked == ["/hang/a", "/good/a"]


def test_all_mirrors_bad_says_what_each_gave(server):
    file = remote("missing", "page", "empty", "short", server=server)
    with pytest.raises(DatasetNotFoundError) as caught:
        locate([file], on_message=lambda message: None)
    text = str(caught.value)
    for kind, said in {
        "missing": "answered 404",
        "page": "gave a web page",
        "empty": "gave an empty file",
        "short": "broke off",
    }.items():
        assert f"{server.url}/{kind}/cube.mat {said}" in text
    assert cached() == []


def test_wrong_bytes_everywhere_are_refused_with_both_digests(server):
    with pytest.raises(ChecksumError) as caught:
        locate([remote("other", "missing", server=server)], on_message=lambda message: None)
    text = str(caught.value)
    assert hashlib.sha256(b"another file").hexdigest() in text and SHA256 in text
    assert "answered 404" in text and "--allow-unverified" in text
    assert cached() == []


def test_wrong_bytes_allowed_say_so_and_give_their_true_digest(server):
    messages = []
    file = remote("other", "missing", server=server)
    [local] = locate([file], allow_unverified=True, on_message=messages.append)
    assert local.path.read_bytes() == b"another file"
    assert local.check is Check.WRONG
    assert local.sha256 == hashlib.sha256(b"another file").hexdigest()
    assert any("UNVERIFIED" in message and SHA256 in message for message in messages)
    # What was let in once is not taken for good the next time.
    with pytest.raises(ChecksumError, match="Delete the file to download it anew"):
        locate([file], on_message=messages.append)


def test_a_good_mirror_is_preferred_even_when_wrong_bytes_are_allowed(server):
    file = remote("other", "good", server=server)
    [local] = locate([file], allow_unverified=True, on_message=lambda message: None)
    assert local.check is Check.VERIFIED


def test_folder_is_searched_first_and_in_depth(server, folder):
    for place in ("a", "b/deep"):
        (folder / place).mkdir(parents=True)
    (folder / "a" / "cube.mat").write_bytes(b"a namesake")
    (folder / "b" / "deep" / "cube.mat").write_bytes(CONTENT)
    (folder / "cube.mat").mkdir()
    [local] = locate([remote("good", server=server)])
    assert local.path == folder / "b" / "deep" / "cube.mat"
    assert (local.place, local.check) == ("folder", Check.VERIFIED)
    assert server.asked == []


def test_wrong_file_in_the_folder_is_refused_not_passed_over(server, folder):
    (folder / "cube.mat").write_bytes(b"made up")
    locate_quietly = {"on_message": lambda message: None}
    with pytest.raises(ChecksumError) as caught:
        locate([remote("good", server=server)], **locate_quietly)
    text = str(caught.value)
    assert str(folder / "cube.mat") in text
    assert hashlib.sha256(b"made up").hexdigest() in text and SHA256 in text
    assert server.asked == []
    [local] = locate([remote("good", server=server)], allow_unverified=True, **locate_quietly)
    assert local.path == folder / "cube.mat"


def test_unpublished_checksum_is_recorded_and_holds(server, folder):
    messages = []
    file = remote("good", server=server, sha256="")
    assert not file.published
    with pytest.raises(ChecksumError, match="--allow-unverified"):
        locate([file], on_message=messages.append)
    assert messages == [] and cached() == []
    [local] = locate([file], allow_unverified=True, on_message=messages.append)
    assert local.check is Check.UNRECORDED
    assert not local.verified
    assert any(SHA256 in message and "recorded" in message for message in messages)
    assert json.loads(record_path().read_text()) == {"cube.mat": SHA256}
    [again] = locate([file], on_message=messages.append)
    assert again.check is Check.RECORDED and not again.verified
    assert len(messages) == 3 and "UNVERIFIED" in messages[-1]
    (folder / "cube.mat").write_bytes(b"changed")
    with pytest.raises(ChecksumError, match=r"checksums\.json"):
        locate([file], on_message=messages.append)


def test_a_file_put_there_without_published_checksum_asks_too(folder):
    (folder / "cube.mat").write_bytes(CONTENT)
    file = remote("good", sha256="")
    with pytest.raises(ChecksumError, match="nobody publishes a checksum"):
        locate([file], on_message=print)
    assert cached() == []
    said = []
    locate([file], allow_unverified=True, on_message=said.append)
    assert "UNVERIFIED" in said[0]


def test_a_web_page_is_never_recorded(server):
    with pytest.raises(DatasetNotFoundError):
        locate(
            [remote("page", server=server, sha256="")],
            allow_unverified=True,
            on_message=lambda message: None,
        )
    assert cached() == []


def test_find_changes_nothing(folder):
    file = remote("good", sha256="")
    assert find(file) is None
    (folder / "cube.mat").write_bytes(CONTENT)
    found = find(file)
    assert found is not None and found.check is Check.UNRECORDED
    assert cached() == []


def test_damaged_record_is_one_clear_line(folder):
    (folder / "cube.mat").write_bytes(CONTENT)
    for damaged in (b"{", b"[1]", b"\xff"):
        record_path().parent.mkdir(exist_ok=True)
        record_path().write_bytes(damaged)
        with pytest.raises(ChecksumError, match="Delete it"):
            find(remote("good", sha256=""))


@pytest.mark.parametrize("with_folder", [False, True])
def test_offline_names_every_file_its_address_and_the_place(tmp_path, monkeypatch, with_folder):
    place = tmp_path / "cache"
    if with_folder:
        place = tmp_path / "data"
        place.mkdir()
        monkeypatch.setenv("HSI_DATA_DIR", str(place))
    files = [remote("x", "y", name="cube.mat"), remote("x", name="labels.mat")]
    messages = []
    with pytest.raises(DatasetNotFoundError) as caught:
        locate(files, on_message=messages.append)
    text = str(caught.value)
    assert "\n" not in text
    for file in files:
        assert file.urls[0] in text
    assert f"put them into {place}" in text
    assert ("HSI_DATA_DIR" in text) and messages == ["downloading http://127.0.0.1:9/x/cube.mat"]


def test_one_file_here_and_one_missing(folder):
    (folder / "cube.mat").write_bytes(CONTENT)
    files = [remote("x"), remote("x", name="labels.mat")]
    with pytest.raises(DatasetNotFoundError) as caught:
        locate(files, on_message=lambda message: None)
    assert caught.value.subject == "labels.mat"
    assert f"put it into {folder}" in str(caught.value)


def test_data_dir_that_is_no_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HSI_DATA_DIR", str(tmp_path / "nowhere"))
    with pytest.raises(ConfigError, match="nowhere is not a folder"):
        data_folder()


def test_cache_that_cannot_be_made(tmp_path, monkeypatch, server):
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("HSI_CACHE_DIR", str(tmp_path / "file" / "cache"))
    with pytest.raises(OutputError):
        locate([remote("good", server=server)], on_message=lambda message: None)


def test_a_place_that_cannot_be_written_is_not_blamed_on_the_mirror(tmp_path, server):
    with pytest.raises(OutputError, match="cannot be written"):
        transfer.fetch(f"{server.url}/good/a", tmp_path / "none" / "a", lambda message: None, set())


def test_the_bar_of_a_terminal_reaches_its_end(server, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")
    path = tmp_path / "a"
    assert transfer.fetch(f"{server.url}/good/cube.mat", path, lambda message: None, set()) == ""
    assert path.read_bytes() == CONTENT
    assert "10.2/10.2 kB" in capsys.readouterr().err


def test_unreadable_file(tmp_path):
    with pytest.raises(InputFileError, match="no such file"):
        inspect_file(remote("x"), tmp_path / "none", "folder")


def test_cache_is_the_platforms_unless_set(monkeypatch):
    monkeypatch.delenv("HSI_CACHE_DIR")
    assert cache_folder().name == "hsi_suite"


def test_killed_download_leaves_no_file_under_its_name(server):
    program = (
        "from hsi_suite.data.public.download import locate\n"
        "from hsi_suite.data.public.verification import RemoteFile\n"
        f"locate([RemoteFile('cube.mat', ('{server.url}/drip/cube.mat',), '{SHA256}')])\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program], env=os.environ | {"OMP_NUM_THREADS": "1"}
    )
    try:
        deadline = time.monotonic() + 60
        while not _scratch_bytes(cache_folder()):
            assert time.monotonic() < deadline and process.poll() is None
            time.sleep(0.02)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    assert not (cache_folder() / "cube.mat").exists()
    file = remote("good", server=server)
    assert find(file) is None
    [local] = locate([file], on_message=lambda message: None)
    assert local.path.read_bytes() == CONTENT


def _scratch_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob(".download-*/*"))
