import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import tifffile
from PIL import Image
from query_samples import make_run, rgb_picture, sample_scene, write_cube

from hsi_suite.data.formats.drawn_features import DrawnOptions
from hsi_suite.data.modalities import Modality
from hsi_suite.engine.observer import Observer
from hsi_suite.errors import (
    ConfigError,
    HsiSuiteError,
    InputFileError,
    OutputError,
    RunError,
    Stopped,
)
from hsi_suite.tasks.retrieval import gallery_indexing
from hsi_suite.tasks.retrieval.gallery_domain import warn_if_unlike
from hsi_suite.tasks.retrieval.gallery_index import open_index
from hsi_suite.tasks.retrieval.index import index_gallery

ARRAYS = ("embeddings.npy", "positions.npy", "picture.npy", "spectra.npy")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("runs") / "run")


@pytest.fixture
def cube(tmp_path):
    return write_cube(tmp_path / "cube.hdr")


def test_an_index_holds_every_pixel_and_what_it_is_of(run, cube, tmp_path):
    np.save(tmp_path / "labels.npy", sample_scene().labels)
    index = index_gallery(
        run, tmp_path / "index", scene=cube, labels=str(tmp_path / "labels.npy"), threads=1
    )
    header = index.header
    assert (header.items, header.dimensions, header.missing) == (24 * 27, 8, 0)
    assert (header.modality, header.window, header.bands) == ("rgb", 3, 13)
    assert index.positions.tolist() == np.indices((24, 27)).reshape(2, -1).T.tolist()
    assert np.allclose(np.linalg.norm(index.embeddings, axis=1), 1, atol=1e-5)
    assert np.array_equal(index.spectra, sample_scene().cube.reshape(-1, 13))
    assert np.array_equal(index.labels, sample_scene().labels.ravel())
    assert isinstance(index.embeddings, np.memmap)
    assert set(header.provenance["files"]) == {"cube.hdr", "cube.img", "labels.npy"}
    assert not list(tmp_path.glob("*.partial"))


def test_labels_of_a_gallery_may_be_drawn(run, cube, tmp_path):
    (tmp_path / "points.csv").write_text("sample,line,class\n3,1,b\n7,4,a\n")
    index = index_gallery(
        run, tmp_path / "index", scene=cube, labels=str(tmp_path / "points.csv"), threads=1,
        drawing=DrawnOptions(field="class"),
    )  # fmt: skip
    expected = np.zeros(sample_scene().labels.shape, int)
    expected[1, 3], expected[4, 7] = 2, 1
    assert np.array_equal(index.labels, expected.ravel())
    assert tuple(index.header.class_names) == ("a", "b")


def test_strips_of_any_height_give_the_same_files(run, cube, tmp_path, monkeypatch):
    index_gallery(run, tmp_path / "whole", scene=cube, threads=1)
    monkeypatch.setattr("hsi_suite.tasks.retrieval.index_memory._MOST_PIXELS", 27 * 5)
    index_gallery(run, tmp_path / "strips", scene=cube, threads=1)
    for name in ("positions.npy", "picture.npy", "spectra.npy"):
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "strips" / name).read_bytes()
    whole, strips = (open_index(tmp_path / name).embeddings for name in ("whole", "strips"))
    assert np.allclose(whole, strips, atol=1e-6)


class Interrupting(Observer):
    def __init__(self, after):
        self.after, self.said = after, []

    def advance(self, steps=1, **figures):
        self.after -= 1
        if self.after == 0:
            raise KeyboardInterrupt

    def message(self, text):
        self.said.append(text)


def test_a_call_that_was_cut_off_goes_on(run, cube, tmp_path, monkeypatch):
    monkeypatch.setattr("hsi_suite.tasks.retrieval.index_memory._MOST_PIXELS", 27 * 4)
    index_gallery(run, tmp_path / "unbroken", scene=cube, threads=1)
    with pytest.raises(Stopped):
        index_gallery(run, tmp_path / "cut", scene=cube, threads=1, observer=Interrupting(3))
    assert not (tmp_path / "cut").exists()
    with pytest.raises(InputFileError, match="no such folder"):
        open_index(tmp_path / "cut")
    observer = Interrupting(99)
    index_gallery(run, tmp_path / "cut", scene=cube, threads=1, observer=observer)
    assert "going on after 12 of 24 lines" in observer.said
    for name in (*ARRAYS, "index.json"):
        assert (tmp_path / "cut" / name).read_bytes() == (tmp_path / "unbroken" / name).read_bytes()
    again = Interrupting(99)
    index_gallery(run, tmp_path / "cut", scene=cube, threads=1, observer=again)
    assert "nothing to do" in again.said[-1]
    with pytest.raises(OutputError, match="exists already"):
        index_gallery(run, tmp_path / "cut", scene=cube, step=2, threads=1)


@pytest.mark.parametrize("name", ["progress.json", "embeddings.npy", "picture.npy"])
def test_what_a_cut_off_call_left_is_looked_at_before_it_is_gone_on_with(
    run, cube, tmp_path, monkeypatch, name
):
    monkeypatch.setattr("hsi_suite.tasks.retrieval.index_memory._MOST_PIXELS", 27 * 4)
    with pytest.raises(Stopped):
        index_gallery(run, tmp_path / "cut", scene=cube, threads=1, observer=Interrupting(3))
    path = tmp_path / "cut.partial" / name
    damaged = (
        path.read_bytes().replace(b'"items": 324', b'"items": "x"').replace(b"descr", b"xxxxx")
    )
    path.write_bytes(damaged)
    with pytest.raises(OutputError, match=r"cut\.partial.*[rR]emove"):
        index_gallery(run, tmp_path / "cut", scene=cube, threads=1)


def test_a_failure_leaves_nothing(run, cube, tmp_path, monkeypatch):
    def fail(*_):
        raise InputFileError("cube", "broken")

    monkeypatch.setattr(gallery_indexing.GalleryIndexing, "_finish", fail)
    with pytest.raises(InputFileError):
        index_gallery(run, tmp_path / "index", scene=cube, threads=1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cube.hdr", "cube.img"]


def test_every_third_line_and_sample(run, cube, tmp_path, monkeypatch):
    monkeypatch.setattr("hsi_suite.tasks.retrieval.index_memory._MOST_PIXELS", 27 * 4)
    thin = index_gallery(run, tmp_path / "thin", scene=cube, step=3, threads=1)
    whole = index_gallery(run, tmp_path / "whole", scene=cube, threads=1)
    assert thin.positions.tolist() == (np.indices((8, 9)).reshape(2, -1).T * 3).tolist()
    rows = thin.positions[:, 0] * 27 + thin.positions[:, 1]
    assert np.allclose(thin.embeddings, whole.embeddings[rows], atol=1e-6)
    assert thin.picture.shape == (24, 27, 3)


def save_png(path, picture, alpha):
    opaque = np.full((24, 27, 1), 255, np.uint8)
    opaque[0, :5] = 0
    Image.fromarray(np.concatenate([picture, opaque], 2) if alpha else picture).save(path)


@pytest.mark.parametrize("ending", ["png", "tif", "bmp"])
def test_a_picture_without_spectra_is_a_gallery(run, tmp_path, ending):
    path = tmp_path / f"picture.{ending}"
    if ending == "tif":
        tifffile.imwrite(path, rgb_picture(), photometric="rgb")
    else:
        save_png(path, rgb_picture(), alpha=False)
    index = index_gallery(run, tmp_path / "index", scene=str(path), threads=1)
    assert index.header.items == 24 * 27
    assert index.spectra is None
    cube = index_gallery(run, tmp_path / "cube", scene=write_cube(tmp_path / "cube.hdr"), threads=1)
    # The camera's levels differ, and rounding to 8 bits costs a little.
    assert (index.embeddings * cube.embeddings).sum(1).mean() > 0.98


def test_transparent_pixels_are_no_items(run, tmp_path):
    save_png(tmp_path / "clear.png", rgb_picture(), alpha=True)
    index = index_gallery(run, tmp_path / "index", scene=str(tmp_path / "clear.png"), threads=1)
    assert (index.header.items, index.header.missing) == (24 * 27 - 5, 5)
    assert index.positions[0].tolist() == [0, 5]


@pytest.mark.parametrize(("kind", "missing"), [("unspecified", 0), ("unassalpha", 5)])
@pytest.mark.parametrize("compression", [None, "lzw"])
def test_a_fourth_band_is_transparency_only_where_the_file_says_so(
    run, tmp_path, kind, missing, compression
):
    infrared = np.full((24, 27, 1), 90, np.uint8)
    infrared[0, :5] = 0
    tifffile.imwrite(
        tmp_path / "a.tif", np.concatenate([rgb_picture(), infrared], 2), photometric="rgb",
        extrasamples=[kind], compression=compression, metadata=None,
    )  # fmt: skip
    index = index_gallery(run, tmp_path / "index", scene=str(tmp_path / "a.tif"), threads=1)
    assert (index.header.items, index.header.missing) == (24 * 27 - missing, missing)


def test_an_index_is_replaced_only_where_told(run, cube, tmp_path):
    index_gallery(run, tmp_path / "index", scene=cube, threads=1)
    with pytest.raises(OutputError, match=r"exists already.*--overwrite"):
        index_gallery(run, tmp_path / "index", scene=cube, step=3, threads=1)
    assert open_index(tmp_path / "index").header.step == 1
    index_gallery(run, tmp_path / "index", scene=cube, step=3, overwrite=True, threads=1)
    assert open_index(tmp_path / "index").header.step == 3
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("mine")
    with pytest.raises(OutputError, match="is no index"):
        index_gallery(run, tmp_path / "mine", scene=cube, overwrite=True, threads=1)
    assert {path.name for path in tmp_path.iterdir()} == {"cube.hdr", "cube.img", "index", "mine"}


def test_the_other_side_is_the_spectra(run, cube, tmp_path):
    for name in ("first", "spectrum"):
        index = index_gallery(run, tmp_path / name, scene=cube, side=name, threads=1)
        assert (index.header.side, index.header.modality) == ("first", "spectrum")
    with pytest.raises(ConfigError, match="expected spectrum or rgb"):
        index_gallery(run, tmp_path / "height", scene=cube, side="height", threads=1)


def test_wrong_calls_are_refused_in_one_line(run, cube, tmp_path):
    other = tmp_path / "classification"
    other.mkdir()
    (other / "config.yaml").write_text("task: classification\n")
    save_png(tmp_path / "grey.png", rgb_picture()[..., 0], alpha=False)
    far = sample_scene()
    object.__setattr__(far, "wavelengths", far.wavelengths + 500)
    shifted = write_cube(tmp_path / "far.hdr", far)
    np.save(tmp_path / "small.npy", np.ones((3, 3), np.uint8))
    cases = [
        (RunError, "is a run of classification", {"run": other, "scene": cube}),
        (RunError, "no such folder", {"run": tmp_path / "none", "scene": cube}),
        (ConfigError, "neither given", {}),
        (ConfigError, "both given", {"scene": cube, "dataset": "synthetic"}),
        (InputFileError, "1 bands without wavelengths", {"scene": str(tmp_path / "grey.png")}),
        (HsiSuiteError, "nm away", {"scene": shifted, "side": "first"}),
        (InputFileError, "no such file", {"scene": str(tmp_path / "none.png")}),
        (InputFileError, "3 × 3 pixels", {"scene": cube, "labels": str(tmp_path / "small.npy")}),
        (ConfigError, "expected at least 5", {"scene": cube, "memory_limit": 1e8}),
    ]
    before = sorted(path.name for path in tmp_path.iterdir())
    for kind, words, options in cases:
        with pytest.raises(kind, match=words) as caught:
            index_gallery(options.pop("run", run), tmp_path / "index", threads=1, **options)
        assert "\n" not in str(caught.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == before


DAMAGES = {
    "another version": ("index.json", lambda text: text.replace(b"index 1", b"index 9")),
    "no JSON": ("index.json", lambda text: text[:40]),
    "no table": ("index.json", lambda text: b"[1]"),
    "a number less": ("index.json", lambda text: text.replace(b'"items"', b'"item"')),
    "a wrong number": ("index.json", lambda text: text.replace(b'"lines": 24', b'"lines": -4')),
    "fewer lines": ("index.json", lambda text: text.replace(b'"lines": 24', b'"lines": 23')),
    "cut rows": ("embeddings.npy", lambda content: content[:-10]),
    "no array": ("positions.npy", lambda content: b"hello"),
    "empty array": ("picture.npy", lambda content: b""),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_indexes_are_refused_in_one_line(run, tmp_path, cube, damage):
    index_gallery(run, tmp_path / "index", scene=cube, threads=1)
    name, spoil = DAMAGES[damage]
    path = tmp_path / "index" / name
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(InputFileError) as caught:
        open_index(tmp_path / "index")
    assert "\n" not in str(caught.value)


def test_pickles_empty_galleries_and_foreign_folders_are_refused(run, tmp_path, cube):
    index_gallery(run, tmp_path / "index", scene=cube, threads=1)
    np.save(tmp_path / "index" / "spectra.npy", np.array([{}], object), allow_pickle=True)
    with pytest.raises(InputFileError):
        open_index(tmp_path / "index")
    header = json.loads((tmp_path / "index" / "index.json").read_text())
    (tmp_path / "index" / "index.json").write_text(json.dumps(header | {"items": 0}))
    with pytest.raises(InputFileError, match="the gallery has no items"):
        open_index(tmp_path / "index")
    for place, words in ((tmp_path, "holds no index.json"), (cube, "is a file")):
        with pytest.raises(InputFileError, match=words):
            open_index(place)


def test_a_registered_scene_brings_its_labels(run, tmp_path, monkeypatch):
    monkeypatch.setattr(
        "hsi_suite.tasks.retrieval.gallery.load_dataset",
        lambda name, on_message: sample_scene(),
    )
    index = index_gallery(run, tmp_path / "index", dataset="stripes", threads=1)
    assert index.header.class_names == ["Water", "Grass", "Sand"]
    assert np.array_equal(index.labels, sample_scene().labels.ravel())
    assert index.header.provenance["dataset"] == "stripes"
    with pytest.raises(ConfigError, match="given with options of a file"):
        index_gallery(run, tmp_path / "other", dataset="stripes", nodata=0, threads=1)


def test_single_missing_bands_of_a_gallery_are_filled_and_dead_ones_refused(run, tmp_path):
    scene = sample_scene()
    cube = scene.cube.copy()
    cube[3, 4, 5] = cube[7] = 65535
    extra = "data ignore value = 65535\n"
    told = []
    observer = Observer()
    observer.message = told.append
    path = write_cube(tmp_path / "a.hdr", replace(scene, cube=cube), extra)
    index = index_gallery(run, tmp_path / "index", scene=path, threads=1, observer=observer)
    assert (index.header.items, index.header.missing) == (23 * 27, 27)
    assert any("1 missing values in single bands of 1 pixels are filled" in each for each in told)
    low, filled, high = index.spectra[3 * 27 + 4][[4, 5, 6]].tolist()
    assert min(low, high) <= filled <= max(low, high)
    cube[..., 2] = 65535
    path = write_cube(tmp_path / "b.hdr", replace(scene, cube=cube), extra)
    with pytest.raises(InputFileError, match=r"1 of 13 bands \(3\)"):
        index_gallery(run, tmp_path / "dead", scene=path, threads=1)


class Heard(Observer):
    def __init__(self):
        self.said = []

    def message(self, text):
        self.said.append(text)


@pytest.mark.parametrize("unit_norm", [False, True])
def test_a_gallery_in_other_units_is_warned_of(tmp_path, unit_norm):
    run = make_run(tmp_path / "run", unit_norm=unit_norm, steps=1)
    scene = sample_scene(seed=1)
    said = {}
    for name, factor in (("same", 1), ("reflectance", 1e-4), ("times_100", 100)):
        cube = (scene.cube * np.float64(factor)).astype(np.float32)
        path = str(tmp_path / f"{name}.npy")
        np.save(path, cube)
        heard = Heard()
        index_gallery(run, tmp_path / name, scene=path, side="spectrum", observer=heard)
        said[name] = [text for text in heard.said if "warning" in text]
    assert not said["same"]
    for name in ("reflectance", "times_100"):
        assert len(said[name]) == (0 if unit_norm else 1)
    if not unit_norm:
        for name, before, size in (("reflectance", "1/", 10_000), ("times_100", "", 100)):
            told = said[name][0].split(f"level is about {before}")[1].split()[0]
            assert size / 2 < float(told.replace(",", "")) < size * 2


@pytest.mark.parametrize("unit_norm", [False, True])
@pytest.mark.parametrize(
    ("dead", "factor", "words"),
    [([], 1, []), ([2], 1, ["band 3 holds"]), ([1, 3], 1, ["bands 2, 4 hold"]),
     ([2], 1000, ["band 3 holds", "unlike those learnt from"])],
)  # fmt: skip
def test_dead_bands_of_a_gallery_are_named_and_do_not_make_it_unlike(
    unit_norm, dead, factor, words
):
    learnt = np.random.default_rng(3).normal(500, 20, (40, 6, 5))
    flat = learnt.reshape(-1, 5)
    cube = factor * learnt
    cube[:, :, dead] = 0
    gallery = SimpleNamespace(
        name="field", shape=cube.shape, band_numbers=(),
        read=lambda start, end: SimpleNamespace(cube=cube[start:end], valid=None),
    )  # fmt: skip
    modality = Modality("spectrum", 5, unit_norm=unit_norm, mean=flat.mean(0), scale=flat.std(0))
    said = []
    warn_if_unlike(gallery, modality, SimpleNamespace(message=said.append))
    # Of spectra of unit length nothing but dead bands can be told.
    expected = [each for each in words if not (unit_norm and each.startswith("unlike"))]
    assert len(said) == len(expected), said
    assert all(word in line for word, line in zip(expected, said, strict=True)), said
