"""Registered sets of photographs: found, downloaded, verified."""

import json
import shutil
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hsi_suite.data.images import load_images, read_folder
from hsi_suite.data.public import image_sets, transfer
from hsi_suite.data.public.image_inventory import (
    describe_image_set,
    images_states,
    list_image_sets,
    refuse_image_sets,
    separate_image_sets,
)
from hsi_suite.data.public.image_sets import (
    IMAGE_SETS,
    RegisteredImages,
    find_images,
    folder_digest,
    image_paths,
    locate_images,
)
from hsi_suite.data.public.verification import Check, cache_folder, record_path
from hsi_suite.errors import ChecksumError, ConfigError, DatasetNotFoundError, UnknownNameError

SHORT = ("01.png", "02.png", "03.png")
GREY = np.arange(20 * 30, dtype=np.uint8).reshape(20, 30)


def fill(folder, names):
    folder.mkdir(parents=True)
    for index, name in enumerate(names):
        Image.fromarray(GREY + np.uint8(index)).save(folder / name)
    return folder


@pytest.fixture(autouse=True)
def places(tmp_path, monkeypatch, request):
    """An empty cache, no data folder, and a network that does not answer."""
    monkeypatch.setenv("HSI_CACHE_DIR", str(tmp_path / "cache"))
    if "data" not in request.keywords:
        monkeypatch.delenv("HSI_DATA_DIR", raising=False)
    monkeypatch.setattr(image_sets, "fetch", lambda *arguments: "did not answer")


@pytest.fixture
def served(tmp_path, monkeypatch):
    """The set "three" of three images, behind an address that works."""
    folder = fill(tmp_path / "served", ["01.png", "02.png", "03.png"])
    monkeypatch.setattr(image_sets, "fetch", transfer.fetch)
    for proxy in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(proxy, raising=False)

    class Handler(SimpleHTTPRequestHandler):
        def __init__(self, *arguments):
            super().__init__(*arguments, directory=str(folder))

        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}/"
    digest = folder_digest(image_paths(folder))
    known = RegisteredImages("Three", ("Three",), 3, digest, "nobody", url, "{:02}.png")
    monkeypatch.setitem(IMAGE_SETS, "three", known)
    yield folder
    server.shutdown()
    server.server_close()
    thread.join(10)


def change(monkeypatch, **fields):
    known = vars(IMAGE_SETS["three"]) | fields
    monkeypatch.setitem(IMAGE_SETS, "three", RegisteredImages(**known))


def test_a_set_is_downloaded_once_and_verified(served):
    said = []
    local = locate_images("three", on_message=said.append)
    assert local.path == cache_folder() / "Three"
    assert (local.place, local.check) == ("cache", Check.VERIFIED)
    assert len(said) == 1 and "3 images of Three" in said[0]
    assert [path.name for path in cache_folder().iterdir()] == ["Three"]
    images = load_images("three", on_message=said.append)
    assert np.array_equal(images.images[2], GREY + 2) and len(said) == 1


def test_what_is_not_the_set_is_not_kept(served, monkeypatch):
    Image.fromarray(255 - GREY).save(served / "02.png")
    with pytest.raises(ChecksumError, match="gave SHA-256"):
        locate_images("three", on_message=print)
    (served / "03.png").unlink()
    with pytest.raises(DatasetNotFoundError, match=r"03\.png answered 404.*Put its 3 images"):
        locate_images("three", on_message=print)
    assert list(cache_folder().iterdir()) == []


def test_an_unknown_digest_is_written_down_and_holds(served, monkeypatch):
    change(monkeypatch, sha256=None)
    said = []
    assert locate_images("three", on_message=said.append).check is Check.UNRECORDED
    assert "nobody publishes its checksum" in said[-1]
    assert json.loads(record_path().read_text()).keys() == {"Three"}
    assert locate_images("three", on_message=print).check is Check.RECORDED
    Image.fromarray(255 - GREY).save(cache_folder() / "Three" / "01.png")
    with pytest.raises(ChecksumError, match="Delete the folder"):
        locate_images("three", on_message=print)


def test_sets_are_found_by_their_folder(tmp_path, monkeypatch):
    folder = fill(tmp_path / "data" / "deep" / "Set68", [f"{k:03}.png" for k in range(68)])
    monkeypatch.setenv("HSI_DATA_DIR", str(tmp_path / "data"))
    found = find_images("bsd68")
    assert (found.path, found.place, found.check) == (folder, "folder", Check.UNRECORDED)
    assert len(load_images("bsd68", on_message=lambda message: None)) == 68
    (folder / "000.png").unlink()
    with pytest.raises(ChecksumError, match="67 images; expected the 68 of bsd68"):
        load_images("bsd68")


def test_sets_with_other_contents_are_refused(tmp_path, monkeypatch):
    fill(tmp_path / "data" / "Set12", [f"{k:02}.png" for k in range(12)])
    monkeypatch.setenv("HSI_DATA_DIR", str(tmp_path / "data"))
    with pytest.raises(ChecksumError, match="SHA-256"):
        load_images("set12")
    with pytest.raises(ChecksumError, match="SHA-256"):
        refuse_image_sets(images_states(["set12"]), absent_too=False)


def test_sets_that_are_not_here_say_where_they_belong(tmp_path, monkeypatch):
    with pytest.raises(DatasetNotFoundError, match=r"test_001\.png did not answer.*HSI_DATA_DIR"):
        load_images("train400")
    with pytest.raises(DatasetNotFoundError, match=r"no address that is known.*folder CBSD432"):
        load_images("cbsd432")
    monkeypatch.setenv("HSI_DATA_DIR", str(tmp_path))
    with pytest.raises(DatasetNotFoundError, match="folder Train400 below HSI_DATA_DIR"):
        load_images("train400")
    with pytest.raises(UnknownNameError, match="Did you mean train400"):
        load_images("train40")
    with pytest.raises(DatasetNotFoundError, match="hsi data fetch set12"):
        refuse_image_sets(images_states(["set12"]), absent_too=True)
    refuse_image_sets(images_states(["set12"]), absent_too=False)


def test_scenes_and_sets_are_told_apart():
    assert separate_image_sets(["set12", "salinas"]) == (["salinas"], ["set12"])
    with pytest.raises(UnknownNameError, match="Did you mean set12"):
        separate_image_sets(["set13"])
    entry = next(entry for entry in list_image_sets() if entry["name"] == "bsd68")
    assert (entry["images"], entry["place"], entry["check"]) == (68, "not here", "")
    described = describe_image_set("set12")
    assert described["path"] is None and described["url"].endswith("/data/Set12/")


@pytest.fixture
def two_folders(served, monkeypatch):
    """The set "three", of which one image lies in another folder at the address."""
    change(
        monkeypatch,
        names=("b/01.png", "a/02.png", "b/03.png"),
        subfolders=(("a", "b"), ("data/a", "data/b")),
    )
    (served / "a").mkdir()
    (served / "b").mkdir()
    for name in ("b/01.png", "a/02.png", "b/03.png"):
        (served / name).write_bytes((served / Path(name).name).read_bytes())
    return served


def test_a_set_of_two_folders_is_downloaded_as_it_lies(two_folders):
    local = locate_images("three", on_message=lambda message: None)
    assert local.check is Check.VERIFIED
    root = cache_folder() / "Three"
    assert local.images == (root / "b/01.png", root / "a/02.png", root / "b/03.png")


@pytest.mark.parametrize("below", [".", "Three", "data", "Three/data"])
def test_images_of_two_folders_are_one_set_in_the_order_of_names(
    two_folders, tmp_path, monkeypatch, below
):
    root = tmp_path / "mine" / "Three"
    for name in IMAGE_SETS["three"].file_names:
        (root / below / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(two_folders / name, root / below / name)
    (root / "val").mkdir()
    Image.fromarray(GREY).save(root / "val" / "04.png")
    monkeypatch.setenv("HSI_DATA_DIR", str(tmp_path / "mine"))
    assert find_images("three").check is Check.VERIFIED
    found, flat = load_images("three"), read_folder(fill(tmp_path / "flat", sorted(SHORT)))
    assert (found.names, found.sha256) == (flat.names, flat.sha256)
    assert all(map(np.array_equal, found.images, flat.images))


def test_the_same_images_in_one_folder_are_the_set(two_folders, tmp_path, monkeypatch):
    fill(tmp_path / "mine" / "Three", SHORT)
    monkeypatch.setenv("HSI_DATA_DIR", str(tmp_path / "mine"))
    assert find_images("three").check is Check.VERIFIED
    fill(tmp_path / "mine" / "Three" / "a", ["01.png"])
    assert find_images("three").check is Check.VERIFIED
    (tmp_path / "mine" / "Three" / "02.png").unlink()
    with pytest.raises(ChecksumError, match="2 images; expected the 3 of three"):
        locate_images("three")


def test_a_folder_that_is_laid_out_otherwise_is_not_passed_over(served, tmp_path, monkeypatch):
    monkeypatch.setenv("HSI_DATA_DIR", str(tmp_path / "mine"))
    (tmp_path / "mine" / "Three").mkdir(parents=True)
    fill(tmp_path / "mine" / "Three" / "pictures", SHORT)
    with pytest.raises(ChecksumError, match="Three: holds 3 images, not as three is laid out; exp"):
        locate_images("three")
    assert not (tmp_path / "cache").exists() and find_images("three") is None
    (tmp_path / "mine" / "Three").rename(tmp_path / "mine" / "others")
    assert locate_images("three").place == "cache"
    # With a copy in the cache nothing has to be downloaded.
    (tmp_path / "mine" / "others").rename(tmp_path / "mine" / "Three")
    assert locate_images("three").place == "cache"


@pytest.mark.parametrize("name", ["bsds500", "live1"])
def test_a_data_folder_that_is_none_is_refused_before_anything_is_fetched(
    tmp_path, monkeypatch, name
):
    monkeypatch.setenv("HSI_DATA_DIR", str(tmp_path / "missing"))
    monkeypatch.setattr(image_sets, "fetch", lambda *arguments: pytest.fail("asked the network"))
    with pytest.raises(ConfigError, match=r"HSI_DATA_DIR: .*missing is not a folder"):
        load_images(name)


def test_file_names_at_the_address():
    names = IMAGE_SETS["bsds500"].file_names
    assert len({Path(name).name for name in names}) == len(names) == 400
    assert sum(name.startswith("train/") for name in names) == 200
    assert IMAGE_SETS["train400"].file_names[::399] == ["test_001.png", "test_400.png"]
    assert IMAGE_SETS["set12"].file_names[-1] == "12.png"


@pytest.mark.data
@pytest.mark.parametrize("name", ["train400", "set12", "bsds500"])
def test_the_real_sets_have_the_names_of_their_address(data_dir, name):
    local = find_images(name)
    assert local.check is Check.VERIFIED
    found = {str(path.relative_to(local.path)) for path in local.images}
    assert found == set(IMAGE_SETS[name].file_names)
    assert [path.name for path in local.images] == sorted(path.name for path in local.images)
