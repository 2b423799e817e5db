"""Bands of a scene that are used: what may be written, where it comes to bear, and who keeps it."""

import re
import shutil
from dataclasses import replace

import file_samples as samples
import h5py
import numpy as np
import pytest
import tifffile
import yaml
from scenes_samples import small_cube
from scipy import io
from test_scene_domain import Heard

import hsi_suite
from hsi_suite.data.band_matching import KnownBands, match_bands
from hsi_suite.data.band_order import with_bands, with_selection
from hsi_suite.data.band_resampling import resampling_between
from hsi_suite.data.band_selection import select_bands, settled, steps_back
from hsi_suite.data.learnt_bands import with_learnt_bands
from hsi_suite.data.readers import open_cube, open_scene, read_scene
from hsi_suite.data.scene import Scene
from hsi_suite.errors import ConfigError, InputFileError, RunError, ShapeError
from hsi_suite.runs import launch
from hsi_suite.runs.folder import open_run
from hsi_suite.runs.identity import run_identity
from hsi_suite.runs.replay import replay
from hsi_suite.runs.training import resume
from hsi_suite.tasks.retrieval.gallery_index import open_index
from hsi_suite.tasks.retrieval.index import index_gallery
from hsi_suite.tasks.retrieval.query import Query, query_index
from hsi_suite.tasks.scenes.classifier_loading import load_classifier
from hsi_suite.tasks.scenes.prediction import predict
from hsi_suite.tasks.scenes.run_evaluation import evaluate_classification

pytestmark = pytest.mark.stand_in_pictures

# Two detectors, of which the second begins before the first ends.
NM = np.concatenate([np.arange(400.0, 1000, 10), np.arange(905.0, 2500, 15)])
COUNT = len(NM)


def numbers(choice, **options):
    found = select_bands(choice, COUNT, NM, options.pop("bad", ()), **options)
    return list(range(1, COUNT + 1)) if found is None else [band + 1 for band in found.bands]


def between(low, high):
    return [number for number, nm in enumerate(NM, 1) if low <= nm <= high]


# What may be written


@pytest.mark.parametrize(
    ("choice", "wanted"),
    [
        ("good", numbers("all")),
        (" ALL ", numbers("all")),
        ("1-3,7", [1, 2, 3, 7]),
        ("7, 2-3", [2, 3, 7]),
        ("bands 100-102", [100, 101, 102]),
        ("400-500", between(400, 500)),
        ("1700-1800,900-1000", between(1700, 1800) + between(900, 1000)),
        ("100-130nm,400-420", None),
        ("400 - 420 nm", between(400, 420)),
        ("0.4-0.42", between(400, 420)),
        ("1-1.1 um", between(1000, 1100)),
        ("1–1.1µm", between(1000, 1100)),
        ("503nm", [11]),
        ("400.5", [1]),
        ("good,bands 5", [5]),
    ],
)
def test_numbers_and_wavelengths_are_told_apart(choice, wanted):
    if wanted is None:
        with pytest.raises(ConfigError, match="holds no band"):
            numbers(choice)
        return
    assert numbers(choice) == sorted(wanted)
    held = select_bands(choice, COUNT, NM)
    assert held is None or held.summary().startswith(f"{len(wanted)} of {COUNT} bands are used")


def test_bad_bands_are_left_out_of_every_choice_but_all():
    bad = (1, 5)
    assert numbers("good", bad=bad) == [n for n in range(1, COUNT + 1) if n not in (2, 6)]
    assert numbers("1-7", bad=bad) == [1, 3, 4, 5, 7]
    assert numbers("400-460", bad=bad) == [1, 3, 4, 5, 7]
    assert numbers("all,1-7", bad=bad) == [1, 2, 3, 4, 5, 6, 7]
    assert len(numbers("all", bad=bad)) == COUNT
    said = select_bands("1-7", COUNT, NM, bad).summary()
    assert "2 marked as bad: 2 (410 nm), 6 (450 nm)" in said and "by number" in said
    assert f"{COUNT - 7} not asked for: 8-{COUNT} (470-2495 nm)" in said


def test_water_windows_are_left_out_by_wavelength():
    dry = [
        number
        for number, nm in enumerate(NM, 1)
        if not (1340 <= nm <= 1460 or 1790 <= nm <= 1960 or nm >= 2450)
    ]
    assert numbers("good", drop_water=True) == dry
    assert "in water vapour's windows" in select_bands("good", COUNT, NM, drop_water=True).summary()
    assert numbers("1300-1500", drop_water=True) == [n for n in between(1300, 1500) if n in dry]


@pytest.mark.parametrize(
    ("choice", "options", "words"),
    [
        ("", {}, "an empty item"),
        ("1-", {}, "'1-'; expected good, all, or numbers"),
        ("best", {}, "'best'"),
        ("1,,2", {}, "an empty item"),
        ("-3", {}, "'-3'"),
        ("1-5,nan", {}, "'nan'"),
        ("0-4", {}, f"band 0-4.*numbers from 1 to {COUNT}"),
        ("9-3", {}, "9-3 runs backwards; expected 3-9"),
        ("1-5,4-9", {}, "1-5 and 4-9 overlap"),
        ("3,3", {}, "3 and 3 overlap"),
        ("900-1000,950-1200", {}, "900-1000 and 950-1200 overlap"),
        ("3000-4000", {}, "3000-4000 nm holds no band.*400 to 2495 nm"),
        (f"1-{COUNT + 1}", {}, f"nm holds no band.*numbers from 1 to {COUNT}"),
        ("bands 1-999", {}, "--bands: band 1-999 of"),
        ("400nm,1um", {}, "nm and um in one list"),
        ("1-3,450nm,bands 7", {}, "nm and bands in one list"),
        ("good", {"bad": range(COUNT)}, "leaves none of the .* marks .* as bad"),
        ("2", {"bad": (1,)}, "leaves none.*begins with all"),
        ("1350-1450", {"drop_water": True}, "--drop-water: '1350-1450' leaves none"),
    ],
)
def test_bad_choices_get_one_line(choice, options, words):
    with pytest.raises(ConfigError, match=words) as refused:
        select_bands(choice, COUNT, NM, options.pop("bad", ()), **options)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("choice", "drop", "words"),
    [
        ("400-500nm", False, "says none of its 5 bands; expected numbers from 1 to 5"),
        ("1-6", False, "band 1-6 of a.hdr; expected numbers from 1 to 5"),
        ("good", True, "a.hdr has no wavelengths"),
    ],
)
def test_wavelengths_that_nobody_knows(tmp_path, choice, drop, words):
    samples.write_envi(tmp_path / "a.hdr", samples.make_cube())
    for read in (read_scene, open_scene):
        with pytest.raises(ConfigError, match=words):
            read(tmp_path / "a.hdr", bands=choice, drop_water=drop)


def test_what_may_be_both_is_asked():
    fine = np.linspace(400, 1000, 601)
    with pytest.raises(ConfigError, match="'bands 450-500' or '450-500nm'"):
        select_bands("450-500", 601, fine)
    assert select_bands("bands 450-500", 601, fine).bands[0] == 449
    assert select_bands("450-500nm", 601, fine).bands[0] == 50
    assert select_bands("1-50", 601, fine).bands == tuple(range(50))


def test_a_settled_choice_means_the_same_whatever_the_file_marks():
    for bad in ((), (1, 5), (0, 2, 3)):
        for choice in ("good", "all", "1-7", "all,400-500"):
            for drop in (False, True):
                found = select_bands(choice, COUNT, NM, bad, drop_water=drop)
                again = settled(found, choice, bad)
                assert select_bands(again, COUNT, NM, bad, drop_water=drop) == found
                assert settled(found, again, bad) == again
    assert settled(None, "all", ()) == settled(None, "1-9", ()) == "good"


@pytest.mark.parametrize(
    ("centres", "words"),
    [
        (NM, "after band 60 (990 to 905 nm)"),
        (NM[::-1], f"after band {COUNT - 60} (905 to 990 nm)"),
        (NM[:60], None),
        (NM[:60][::-1], None),
        (NM[:1], None),
    ],
)
def test_wavelengths_that_turn_back_are_said(centres, words):
    said = steps_back(centres, range(len(centres)))
    assert said is None if words is None else words in said


# Where it is read


def write_banded(path, cube, nm=None, bad=(), extra=""):
    bands = cube.shape[2]
    nm = 400 + 12.0 * np.arange(bands) if nm is None else nm
    extra += f"wavelength units = nm\nwavelength = {{{', '.join(f'{each:g}' for each in nm)}}}\n"
    extra += f"fwhm = {{{', '.join(f'{5 + n}' for n in range(bands))}}}\n"
    if len(bad):
        marks = ", ".join("0" if band in bad else "1" for band in range(bands))
        extra += f"bbl = {{{marks}}}\n"
    samples.write_envi(path, cube, extra=extra)
    return str(path)


def formats(folder, cube):
    for interleave in ("bsq", "bil", "bip"):
        samples.write_envi(folder / f"{interleave}.hdr", cube, interleave)
        yield folder / f"{interleave}.hdr", {}
    np.save(folder / "c.npy", cube)
    np.save(folder / "f.npy", np.asfortranarray(cube))
    np.save(folder / "bands.npy", cube.transpose(2, 0, 1))
    io.savemat(folder / "a.mat", {"cube": cube})
    yield folder / "c.npy", {}
    yield folder / "f.npy", {}
    yield folder / "bands.npy", {"axes": "band,y,x"}
    yield folder / "a.mat", {}


def test_by_lines_and_whole_are_the_same_and_the_whole_cube_cut(tmp_path, monkeypatch):
    cube = samples.make_cube("float32", (11, 7, 9)) / 7
    cube[2, 3, [0, 5]] = np.nan
    cube[4, 4, [1, 3, 5]] = np.nan
    # Blocks of a line or two.
    monkeypatch.setattr("hsi_suite.data.band_order._BLOCK_VALUES", 100)
    chosen = [1, 2, 3, 5, 8]
    for path, options in formats(tmp_path, cube):
        whole = read_scene(path, bands="2-4,6,9", **options)
        expected = read_scene(path, **options)
        assert whole.selection.bands == tuple(chosen)
        # What is missing counts in the bands that are used: 2 of 5 are filled, 3 of 5 are not.
        rows = np.isfinite(cube[..., chosen]).all(2)
        np.testing.assert_array_equal(whole.cube[rows], expected.cube[rows][:, chosen])
        assert not whole.valid[4, 4] and whole.valid[2, 3] and np.isfinite(whole.cube[2, 3]).all()
        lines = open_scene(path, bands="2-4,6,9", **options)
        with lines.cube as file:
            np.testing.assert_array_equal(lines.valid, whole.valid)
            for first, last in [(0, 11), (0, 1), (3, 8), (10, 11)]:
                part = file.read(first, last)
                assert part.tobytes() == whole.cube[first:last].tobytes()
                assert part.flags.c_contiguous
            with open_cube(path, **options) as plain:
                assert file.by_lines == plain.by_lines
                assert file.reading_bytes(3) >= plain.reading_bytes(3)


def test_what_is_said_of_bands_goes_with_them(tmp_path):
    cube = samples.make_cube("int16", (6, 5, 8))
    extra = "band names = {a, b, c, d, e, f, g, h}\ndefault bands = {4, 3, 2}\n"
    path = write_banded(tmp_path / "a.hdr", cube, bad=(0, 5), extra=extra)
    scene = read_scene(path)
    assert scene.selection.bands == (1, 2, 3, 4, 6, 7)
    np.testing.assert_array_equal(scene.cube, cube[..., [1, 2, 3, 4, 6, 7]])
    np.testing.assert_array_equal(scene.wavelengths, 400 + 12.0 * np.array([1, 2, 3, 4, 6, 7]))
    np.testing.assert_array_equal(scene.fwhm, [6, 7, 8, 9, 11, 12])
    assert scene.false_colour == (2, 1, 0)
    (said,) = scene.remarks
    assert said == "6 of 8 bands are used; left out: 2 marked as bad: 1 (400 nm), 6 (460 nm)"
    with open_cube(path) as file:
        part = with_selection(file, "bands 2-4")
        assert part.band_names == ("b", "c", "d") and part.bad_bands == ()
        assert part.kept_fields["bbl"] == ("1", "1", "1")
        back = with_bands(file, np.array([7, 0]))
        assert back.bad_bands == (1,) and back.shape == (6, 5, 2)
    assert read_scene(path, bands="all").bands == 8
    assert (
        "as bad (1, 6), and they are used all the same" in read_scene(path, bands="all").remarks[0]
    )
    # Numbers in messages are those of the file.
    cube[..., 7] = -1
    path = write_banded(tmp_path / "b.hdr", cube, bad=(0, 5), extra="data ignore value = -1\n")
    with pytest.raises(InputFileError, match=r"1 of 6 bands \(8\).*--bands 2-5,7\)"):
        read_scene(path)


# What travels with a model


@pytest.fixture(scope="module")
def marked(tmp_path_factory):
    """A scene with two dead bands that its header marks, labels, and a run."""
    folder = tmp_path_factory.mktemp("bands")
    cube, labels = small_cube()
    nm = np.concatenate([400 + 12.0 * np.arange(10), 500 + 12.0 * np.arange(cube.shape[2] - 10)])
    faulty = cube.copy()
    faulty[..., [3, 12]] = 0
    scene = write_banded(folder / "marked.hdr", faulty, nm, bad=(3, 12))
    np.save(folder / "labels.npy", labels)
    heard = Heard()
    run = train(folder, scene, heard)
    return folder, cube, nm, scene, run, heard


def train(folder, scene, heard=None, settings=(), **options):
    return launch.train(
        scene=scene,
        labels=str(folder / "labels.npy"),
        output=folder / "runs",
        observer=heard,
        model="cnn1d",
        settings=["train.epochs=1", "threads=1", *settings],
        **options,
    )


def predicted(run, scene, folder, **options):
    heard = Heard()
    target = folder / "maps" / f"{len(list((folder / 'maps').glob('*')))}.npy"
    target.parent.mkdir(exist_ok=True)
    predict([run], target, scene=scene, observer=heard, device="cpu", threads=1, **options)
    return np.load(target), heard


def test_a_training_leaves_bad_bands_out_and_says_so(marked):
    folder, cube, _, _, run, heard = marked
    said = [text for text in heard.said if "left out" in text]
    assert said == [
        "marked: 16 of 18 bands are used; left out: 2 marked as bad: 4 (436 nm), 13 (524 nm)"
    ]
    assert said[0] in (run.path / "log.txt").read_text("utf-8")
    assert sum("turn back after band 10 (508 to 500 nm)" in text for text in heard.said) == 1
    assert run.config["data"]["bands"] == "bands 1-3,5-12,14-18"
    assert run.metrics["bands"]["left_out"] == [
        {"reason": "marked as bad", "bands": 2, "places": "4 (436 nm), 13 (524 nm)"}
    ]
    page = (run.path / "report.html").read_text()
    assert "16 of 18 bands were used" in page and "4 (436 nm), 13 (524 nm)" in page
    # The values are those of a scene that never had these bands.
    kept = [band for band in range(18) if band not in (3, 12)]
    np.save(folder / "cut.npy", cube[..., kept])
    cut = train(folder, str(folder / "cut.npy"))
    np.testing.assert_array_equal(cut.label_map, run.label_map)


def test_every_choice_is_a_run_of_its_own_and_the_same_one_is_not(marked):
    folder, _, _, scene, run, _ = marked
    again = train(folder, scene, bands="good")
    assert again.path == run.path
    others = {
        train(folder, scene, bands=choice).path.name for choice in ("all", "1-12", "420-560nm")
    }
    assert len(others | {run.path.name}) == 4


def test_what_marks_nothing_is_the_run_it_was(marked):
    folder, cube, _, _, _, _ = marked
    np.save(folder / "plain.npy", cube)
    runs = {
        choice: train(folder, str(folder / "plain.npy"), bands=choice)
        for choice in (None, "all", "good", "1-18")
    }
    assert len({run.path for run in runs.values()}) == 1
    tree = runs[None].config
    assert tree["data"]["bands"] == "good" and "bands" not in runs[None].metrics
    kept = {k: v for k, v in tree["data"].items() if k not in ("bands", "drop_water")}
    sums = runs[None].environment["data"]
    assert run_identity(tree | {"data": kept}, sums) == runs[None].identity


def test_runs_from_before_keep_all_bands(marked):
    folder, _, _, scene, _, _ = marked
    everything = train(folder, scene, bands="all")
    old = folder / "old"
    shutil.copytree(everything.path, old)
    tree = yaml.safe_load((old / "config.yaml").read_text())
    for key in ("bands", "drop_water"):
        tree["data"].pop(key)
    (old / "config.yaml").write_text(yaml.safe_dump(tree))
    assert open_run(old).config["data"]["bands"] == "all"
    heard = Heard()
    metrics = evaluate_classification(open_run(old), heard, "cpu", None, False)
    assert metrics["test"] == everything.metrics["test"]
    (old / "metrics.json").unlink()
    (old / "model.safetensors").unlink()
    resumed = resume(old)
    np.testing.assert_array_equal(resumed.label_map, everything.label_map)
    assert resumed.identity == everything.identity


def test_a_model_finds_its_bands_in_other_scenes(marked, tmp_path):
    folder, cube, nm, scene, run, _ = marked
    expected, heard = predicted(run.path, scene, folder)
    np.testing.assert_array_equal(expected, run.label_map)
    assert "those that the model learnt, by number" in heard.said[0]
    assert not any("as bad" in text for text in heard.said)
    kept = np.array([band for band in range(18) if band not in (3, 12)])
    order = np.random.default_rng(1).permutation(18)
    more = np.concatenate([cube, cube[..., :4] + 7], axis=2)
    far = np.concatenate([nm, [900.0, 912, 930, 945]])
    for name, values, centres, words in (
        ("cut", cube[..., kept], nm[kept] + 1, None),
        ("unmarked", cube, nm + 1, "by number"),
        ("mixed", cube[..., order], nm[order] + 1, "by wavelength (at most 1.0 nm away)"),
        ("more", more, far, "16 of its 22 bands are taken"),
    ):
        path = write_banded(tmp_path / f"{name}.hdr", np.ascontiguousarray(values), centres)
        found, heard = predicted(run.path, path, folder)
        np.testing.assert_array_equal(found, expected)
        told = [text for text in heard.said if "are taken" in text]
        assert len(told) == (words is not None) and all(words in text for text in told)
    np.save(tmp_path / "bare.npy", cube)
    found, heard = predicted(run.path, str(tmp_path / "bare.npy"), folder)
    np.testing.assert_array_equal(found, expected)
    np.save(tmp_path / "few.npy", cube[..., :15])
    with pytest.raises(ShapeError, match=r"few.npy: 15 bands, .*wavelengths.*16 bands.*of 18 in"):
        predicted(run.path, str(tmp_path / "few.npy"), folder)
    path = write_banded(tmp_path / "other.hdr", more, far + 300)
    with pytest.raises(ShapeError, match=r"22 bands, none of them within \d+ nm of \d+ of those"):
        predicted(run.path, path, folder)


def test_bands_that_a_scene_marks_and_a_model_learnt_are_named(marked, tmp_path):
    folder, cube, nm, _, run, _ = marked
    path = write_banded(tmp_path / "a.hdr", cube, nm, bad=(3, 6))
    _, heard = predicted(run.path, path, folder)
    assert any("marks 1 of 16 bands as bad (7), and they are used" in text for text in heard.said)
    dead = cube.copy()
    dead[..., 14] = 9
    path = write_banded(tmp_path / "dead.hdr", dead, nm)
    _, heard = predicted(run.path, path, folder)
    assert any(text.startswith("warning: dead.hdr: band 15 holds") for text in heard.said)


def test_runs_of_different_bands_are_not_averaged(marked):
    folder, _, _, scene, run, _ = marked
    other = train(folder, scene, bands="all,1-3,5-11,13-18", settings=["seeds.base=1"])
    with pytest.raises(RunError, match="learnt from other bands than the first run"):
        predict([run.path, other.path], folder / "m.npy", scene=scene, device="cpu", threads=1)


def test_a_damaged_choice_in_a_model_file_is_refused(marked, tmp_path):
    *_, run, _ = marked
    data = (run.path / "model.safetensors").read_bytes()
    assert re.search(rb"band_numbers\W+\[1, 2, 3, 5", data)
    (tmp_path / "m.safetensors").write_bytes(data.replace(b"[1, 2, 3, 5", b"[1, 2, 3,99"))
    with pytest.raises(RunError):
        load_classifier(tmp_path / "m.safetensors", "cpu")


def test_registered_scenes_have_bands_to_choose(tmp_path):
    heard = Heard()
    run = launch.train(
        dataset="synthetic",
        drop_water=True,
        bands="500-2000nm",
        model="svm",
        settings=["threads=1"],
        output=tmp_path,
        observer=heard,
    )
    told = next(text for text in heard.said if "left out" in text)
    assert "in water vapour's windows" in told and "not asked for" in told
    centres = load_classifier(run.path / "model.safetensors", "cpu").header.wavelengths
    assert min(centres) >= 500 and max(centres) <= 2000
    assert not any(1340 <= nm <= 1460 or 1790 <= nm <= 1960 for nm in centres)


# Which bands of a scene a model learnt


def test_detectors_that_overlap_are_not_mixed_up():
    learnt = KnownBands(COUNT, NM)
    shifted = KnownBands(COUNT + 2, np.concatenate([[380, 390], NM + 1.5]))
    match = match_bands(shifted, learnt)
    np.testing.assert_array_equal(match.bands, np.arange(2, COUNT + 2))
    assert match_bands(KnownBands(COUNT, NM + 1), learnt) is None
    assert match_bands(KnownBands(COUNT - 1, NM[1:]), learnt) is None


# Another sensor


def spectrum(nm):
    return 2000 + 500 * np.sin(nm / 170) + nm / 3


def test_resampled_bands_are_gaussian_means_of_what_is_measured():
    """Against the slow twin: a fine sum over the response, width by width."""
    fine = np.arange(300, 1300, 0.5)
    given = np.arange(400.0, 1200, 4)
    learnt = np.arange(450.0, 1100, 23)
    for narrow, wide in ((4.0, 30.0), (6.0, 8.0)):
        measured = [gaussian_mean(fine, spectrum(fine), c, narrow) for c in given]
        expected = [gaussian_mean(fine, spectrum(fine), c, wide) for c in learnt]
        made = resampling_between(
            "a",
            KnownBands(len(given), given, np.full(len(given), narrow)),
            KnownBands(len(learnt), learnt, np.full(len(learnt), wide)),
        )
        np.testing.assert_allclose(np.array(measured) @ made.matrix, expected, atol=0.15)
        np.testing.assert_allclose(made.matrix.sum(0), 1)
    # A straight line stays one, whatever the widths, and in any order of bands.
    order = np.random.default_rng(0).permutation(len(given))
    for fwhm in (None, np.full(len(learnt), 25.0)):
        made = resampling_between(
            "a", KnownBands(len(given), given[order]), KnownBands(len(learnt), learnt, fwhm)
        )
        np.testing.assert_allclose((3 * given[order] + 7) @ made.matrix, 3 * learnt + 7)
        assert made.moved.max() == np.abs(learnt[:, None] - given).min(1).max()
        assert ("linear interpolation" in made.remark) == (fwhm is None)
        assert f"at most {made.moved.max():.1f} nm, {np.median(made.moved):.1f} nm" in made.remark


def gaussian_mean(fine, values, centre, fwhm):
    response = np.exp(-4 * np.log(2) * ((fine - centre) / fwhm) ** 2)
    return (values * response).sum() / response.sum()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (np.arange(2000.0, 2400, 10), "nowhere overlap with those learnt; expected 500 to 900 nm"),
        (np.arange(400.0, 800, 10), r"nothing at 11 of the 41 bands learnt .the first at 800 nm"),
        (np.r_[400:600:10, 700:1000:10].astype(float), r"nothing at 8 of .*first at 610 nm"),
        (None, "a has no wavelengths"),
    ],
)
def test_what_nobody_measured_is_not_invented(given, words):
    learnt = KnownBands(41, np.arange(500.0, 901, 10))
    bands = KnownBands(40 if given is None else len(given), given)
    with pytest.raises(ShapeError, match=words):
        resampling_between("a", bands, learnt)
    if given is None:
        with pytest.raises(ShapeError, match="training scene has no wavelengths"):
            resampling_between("a", learnt, bands)


def test_a_scene_of_another_sensor_is_resampled_on_request(marked, tmp_path, monkeypatch):
    folder, cube, nm, _, run, _ = marked
    expected, _ = predicted(run.path, write_banded(tmp_path / "same.hdr", cube, nm), folder)
    # The same spectra at places between: linear, so that the way back is exact.
    dense = np.linspace(400, 600, 101)
    learnt = load_classifier(run.path / "model.safetensors", "cpu").header
    steps = [int(np.abs(dense - each).argmin()) for each in learnt.wavelengths]
    np.testing.assert_allclose(dense[steps], learnt.wavelengths)
    kept = [band for band in range(18) if band not in (3, 12)]
    order = np.argsort(learnt.wavelengths)
    rising = np.array(learnt.wavelengths)[order]
    values = cube[..., kept][..., order].astype(float)
    other = np.apply_along_axis(lambda row: np.interp(dense, rising, row), 2, values)
    other = other.astype(np.float32)
    other[2, 2] = np.nan
    path = write_banded(tmp_path / "other.hdr", other, dense)
    with pytest.raises(ShapeError) as refused:
        # Bands by wavelength are at hand here; a coarser scene has none.
        predicted(run.path, write_banded(tmp_path / "few.hdr", other[..., ::9], dense[::9]), folder)
    assert "--resample" in str(refused.value) and "12 bands" in str(refused.value)
    found, heard = predicted(run.path, path, folder, resample=True)
    assert found[2, 2] == 0
    inner = np.ones(found.shape, bool)
    inner[2, 2] = False
    assert (found == expected)[inner].mean() > 0.99
    assert any("bands moved by at most 0.0 nm" in text for text in heard.said)
    by_file = hsi_suite.predict(run.path, path, resample=True, verbose=0).labels
    by_scene = hsi_suite.predict(run.path, read_scene(path), resample=True, verbose=0).labels
    assert np.array_equal(by_file, found) and np.array_equal(by_scene, found)
    # The last bits do not depend on the strips.
    with open_cube(path) as file:
        made = with_learnt_bands(file, learnt.known_bands, heard, resample=True)
        whole = made.read()
        assert made.shape == (30, 28, 16) and made.read(3, 9).tobytes() == whole[3:9].tobytes()
    narrow = write_banded(tmp_path / "narrow.hdr", other[..., :40], dense[:40])
    with pytest.raises(ShapeError, match=r"measures nothing at \d+ of the 16 bands learnt"):
        predicted(run.path, narrow, folder, resample=True)


def test_bands_marked_as_bad_are_not_resampled_from_and_gains_are_minded(tmp_path):
    cube = np.full((3, 4, 9), 100, np.int16)
    cube[..., 4] = 30000
    nm = 400 + 10.0 * np.arange(9)
    gains = f"data gain values = {{{', '.join(str(1 + n % 2) for n in range(9))}}}\n"
    path = write_banded(tmp_path / "a.hdr", cube, nm, bad=(4,), extra=gains)
    heard = Heard()
    with open_cube(path) as file:
        made = with_learnt_bands(file, KnownBands(2, np.array([425.0, 440])), heard, resample=True)
        # By reflectance: 1.5 · 100 between, 2 · 100 on both sides of the band left out.
        np.testing.assert_allclose(made.read()[0, 0], [150, 200])
        assert made.kept_fields["data gain values"] == ("1", "1")
    assert "1 marked as bad: 5 (440 nm)" in heard.said[0]


# Other commands


def test_detection_uses_the_bands_that_were_chosen(tmp_path, hsi):
    rng = np.random.default_rng(0)
    cube = rng.normal(1000, 30, (20, 18, 10)).astype(np.float32)
    cube[5, 6] += np.linspace(0, 300, 10, dtype=np.float32)
    faulty = cube.copy()
    faulty[..., [2, 7]] = rng.normal(0, 1e5, (20, 18, 2))
    faulty[4, 4, 7] = np.nan
    scene = write_banded(tmp_path / "a.hdr", faulty, bad=(2, 7))
    np.save(tmp_path / "cut.npy", np.delete(cube, [2, 7], axis=2))
    ways = {
        "cut.npy": (),
        scene: (),
        "bands": ("--bands", "all,1-2,4-7,9-10"),
        "all": ("--bands", "all"),
    }
    scores = {}
    for name, options in ways.items():
        given = str(tmp_path / name) if name == "cut.npy" else scene
        target = tmp_path / f"{len(scores)}.npy"
        status, _, err = hsi("detect", given, "--at", "6,5", "-o", target, *options)
        assert status == 0, err
        scores[name] = np.load(target).squeeze()
        if name == scene:
            assert "left out: 2 marked as bad: 3 (424 nm), 8 (484 nm)" in err
    np.testing.assert_allclose(scores[scene], scores["cut.npy"], rtol=1e-5)
    np.testing.assert_allclose(scores["bands"], scores["cut.npy"], rtol=1e-5)
    assert np.nanmax(np.abs(scores["all"] - scores["cut.npy"])) > 0.01
    status, _, err = hsi(
        "detect", scene, "--anomaly", "rx", "-o", tmp_path / "none.npy", "--bands", "700-800nm"
    )
    assert status == 2 and "holds no band of a.hdr" in err


def test_denoising_learns_nothing_from_marked_bands_and_writes_them_as_they_are(tmp_path, hsi):
    rng = np.random.default_rng(0)
    clean = 1000 + 200 * rng.random((24, 20, 1)) * np.linspace(1, 2, 12)
    cube = (clean + rng.normal(0, 10, clean.shape)).astype(np.float32)
    faulty = cube.copy()
    faulty[..., 4] = rng.normal(0, 500, (24, 20))
    faulty[..., 9] = np.nan
    scene = write_banded(
        tmp_path / "a.hdr", faulty, bad=(4, 9), extra="band names = {a,b,c,d,e,f,g,h,i,j,k,l}\n"
    )
    good = [band for band in range(12) if band not in (4, 9)]
    np.save(tmp_path / "cut.npy", cube[..., good])

    def denoised(given, *options):
        target = tmp_path / f"out{len(list(tmp_path.glob('out*.hdr')))}.hdr"
        status, out, err = hsi("denoise", given, "-o", target, "--threads", "1", *options)
        assert status == 0, err
        with open_cube(target) as file:
            return file.read().copy(), file, out + err

    alone, *_ = denoised(tmp_path / "cut.npy")
    full, file, said = denoised(scene)
    assert "2 bands marked as bad (5, 10) are written as they are" in said
    np.testing.assert_allclose(full[..., good], alone, rtol=1e-5)
    np.testing.assert_array_equal(full[..., [4, 9]], faulty[..., [4, 9]])
    assert file.bad_bands == (4, 9) and len(file.wavelengths) == 12
    part, file, said = denoised(scene, "--bands", "good")
    np.testing.assert_allclose(part, alone, rtol=1e-5)
    assert "10 of 12 bands are used; left out: 2 marked as bad" in said
    assert file.bad_bands == () and file.band_names == tuple("abcdfghikl")
    np.testing.assert_allclose(file.wavelengths, 400 + 12.0 * np.array(good))
    np.testing.assert_allclose(file.fwhm, 5.0 + np.array(good))
    part, file, _ = denoised(scene, "--bands", "all,1-6", "--mode", "bands")
    assert part.shape[2] == 6 and file.bad_bands == (4,)
    assert (part[..., 4] != faulty[..., 4]).any()
    mended, file, said = denoised(scene, "--repair")
    assert "bands marked as bad: 2 (5 and 10), replaced" in said and file.bad_bands == ()
    for band in (4, 9):
        assert np.abs(mended[..., band] - clean[..., band]).mean() < 20
    status, _, err = hsi("denoise", scene, "-o", tmp_path / "x.hdr", "--bands", "20-30")
    assert status == 2 and "holds no band of a.hdr" in err


def test_classifiers_in_python_find_their_bands_too():
    cube, labels = small_cube()
    nm = 400 + 12.0 * np.arange(18)
    bad = (3, 12)
    kept = np.array([band for band in range(18) if band not in bad])
    whole = Scene("whole", cube, wavelengths=nm)
    selection = select_bands("good", 18, nm, bad)
    part = Scene("part", cube[..., kept], wavelengths=nm[kept], selection=selection)
    model = hsi_suite.SceneClassifier("svm", settings=["reduction.components=5"], threads=1)
    model.fit(part, labels)
    expected = model.predict(part)
    np.testing.assert_array_equal(model.predict(whole), expected)
    np.testing.assert_array_equal(model.predict(cube), expected)
    assert model.score(whole, labels) == model.score(part, labels)
    xarray = pytest.importorskip("xarray")
    more = np.concatenate([cube, cube[..., :3]], 2)
    given = xarray.DataArray(
        more, dims=("y", "x", "band"), coords={"wavelength": ("band", np.r_[nm, 900:903])}
    )
    np.testing.assert_array_equal(np.asarray(model.predict(given)), expected)
    with pytest.raises(ShapeError, match="300 nm away from those the model learnt"):
        model.predict(replace(part, wavelengths=nm[kept] + 300))
    masked = np.ones(labels.shape, bool)
    masked[2, 3] = False
    assert model.predict(replace(whole, valid=masked))[2, 3] == 0


@pytest.mark.parametrize("pair", ["spectrum:rgb", "pca:rgb"])
def test_indices_see_the_bands_that_the_run_learnt(tmp_path, pair):
    cube, labels = small_cube(40, 40)
    nm = np.linspace(420, 700, 18)
    faulty = cube.copy()
    faulty[..., [3, 12]] = 0
    scene = write_banded(tmp_path / "a.hdr", faulty, nm, bad=(3, 12))
    np.save(tmp_path / "labels.npy", labels)
    settings = [f"data.pair={pair}", "data.window=3", "train.epochs=1", "threads=1"]
    settings += ["evaluation.baselines=[]", "split.kind=random"]
    heard = Heard()
    run = launch.train(
        config="retrieval/synthetic_spectrum_rgb",
        scene=scene,
        labels=str(tmp_path / "labels.npy"),
        settings=settings,
        output=tmp_path,
        observer=heard,
    )
    assert any("2 marked as bad" in text for text in heard.said)
    assert run.metrics["bands"]["used"] == 16
    page = (run.path / "report.html").read_text("utf-8")
    assert "16 of 18 bands were used" in page
    first, *_ = pair.split(":")

    def indexed(name, given, **options):
        heard = Heard()
        index_gallery(
            run.path, tmp_path / name, scene=given, side=first, observer=heard, threads=1, **options
        )
        return open_index(tmp_path / name), heard.said

    index, said = indexed("same", scene)
    assert any("those that the model learnt, by number" in text for text in said)
    assert index.header.bands == 16
    kept = [band for band in range(18) if band not in (3, 12)]
    np.testing.assert_allclose(index.header.wavelengths, nm[kept], rtol=1e-4)
    more = write_banded(tmp_path / "m.hdr", np.concatenate([faulty, cube], 2), np.r_[nm, nm + 1000])
    other, said = indexed("more", more)
    assert any("16 of its 36 bands are taken" in text for text in said)
    np.testing.assert_array_equal(other.embeddings, index.embeddings)
    dense = write_banded(tmp_path / "d.hdr", np.repeat(cube, 2, axis=2), np.linspace(415, 705, 36))
    resampled, said = indexed("dense", dense, resample=True)
    assert any("resampled from 36 bands to the 16" in text for text in said)
    assert resampled.embeddings.shape == index.embeddings.shape
    if first == "pca":
        asked = Query(patch=str(dense), at=(5, 7), resample=True)
        best = query_index(tmp_path / "dense", asked, threads=1).matches[0]
        assert (best.line, best.sample) == (7, 5) and best.score > 0.9999
    with pytest.raises(ConfigError, match="--resample: given with --pixel"):
        query_index(tmp_path / "dense", Query(pixel=(3, 3), resample=True), threads=1)
    with pytest.raises(ConfigError, match="seen as rgb"):
        index_gallery(run.path, tmp_path / "x", scene=scene, side="rgb", resample=True)


# Lists that cannot be what they should be


@pytest.mark.parametrize(
    ("unit", "scale", "words"),
    [
        ("furlongs", 1, "in 'furlongs', which is no unit of wavelength known here"),
        ("GHz", 1, "in 'GHz'"),
        ("nm", 0, "holds values that are not above 0"),
        ("Nanometers", 1e-3, "which is no light"),
        ("Micrometers", 1, "holds 400 to 440 (Micrometers), which is no light"),
        ("Index", 1, None),
        ("Unknown", 1, None),
        ("Micrometers", 1e-3, None),
    ],
)
def test_wavelengths_in_unknown_units_are_named(tmp_path, unit, scale, words):
    cube = samples.make_cube()
    nm = (400 + 10.0 * np.arange(5)) * scale
    text = ", ".join(f"{each:g}" for each in nm)
    extra = f"wavelength units = {unit}\nwavelength = {{{text}}}\n"
    samples.write_envi(tmp_path / "a.hdr", cube, extra=extra)
    items = "".join(
        f'<Item name="WAVELENGTH" sample="{band}">{value:g}</Item>'
        f'<Item name="WAVELENGTH_UNITS" sample="{band}">{unit}</Item>'
        for band, value in enumerate(nm)
    )
    tags = [(42112, "s", 0, f"<GDALMetadata>{items}</GDALMetadata>", True)]
    tifffile.imwrite(
        tmp_path / "a.tif",
        cube,
        extratags=tags,
        metadata=None,
        photometric="minisblack",
        planarconfig="contig",
    )
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["cube"] = cube
        file["wavelength"] = nm
        file["wavelength"].attrs["units"] = unit
    for name in ("a.hdr", "a.tif", "a.h5"):
        with open_cube(tmp_path / name) as file:
            told = [text for text in file.remarks if "wavelength" in text]
            assert len(told) == (words is not None), (name, file.remarks)
            if words is not None:
                assert words in told[0] or told[0].endswith("wavelengths are unknown")
            assert (file.wavelengths is None) == (words is not None or unit == "Index")
        if words is not None:
            with pytest.raises(ConfigError, match="says none of its 5 bands"):
                read_scene(tmp_path / name, bands="400-420nm")


def test_widths_of_wavenumbers_are_lengths(tmp_path):
    extra = (
        "wavelength units = Wavenumber\nwavelength = {10000, 5000, 2500, 2000, 1250}\n"
        "fwhm = {10, 10, 10, 10, 5}\n"
    )
    samples.write_envi(tmp_path / "a.hdr", samples.make_cube(), extra=extra)
    with open_cube(tmp_path / "a.hdr") as file:
        for centre, width, wave, raw in zip(
            file.wavelengths,
            file.fwhm,
            (10000, 5000, 2500, 2000, 1250),
            (10, 10, 10, 10, 5),
            strict=True,
        ):
            exact = 1e7 / (wave - raw / 2) - 1e7 / (wave + raw / 2)
            assert centre == 1e7 / wave and abs(width - exact) < 1e-4 * exact


@pytest.mark.parametrize("logical", [False, True])
@pytest.mark.parametrize("name", ["good_wavelengths", "bbl"])
@pytest.mark.parametrize("ending", [".mat", "7.3.mat", ".npz", ".h5"])
def test_marks_of_good_bands_beside_a_cube_are_used(tmp_path, ending, name, logical):
    cube = np.random.default_rng(0).random((5, 4, 6)).astype("float32")
    marks = np.array([1, 1, 0, 1, 0, 1], bool if logical else np.uint8)
    path = tmp_path / f"cube{ending}"
    if ending == ".mat":
        io.savemat(path, {"cube": cube, name: marks})
    elif ending == ".npz":
        np.savez(path, **{"cube": cube, name: marks})
    else:
        with h5py.File(path, "w") as file:
            file["cube"] = cube
            file[name] = marks[None] if ending == "7.3.mat" else marks
    with open_cube(path) as file:
        assert file.bad_bands == (2, 4)
    scene = read_scene(path)
    assert np.array_equal(scene.cube, cube[..., marks != 0])
    assert any("left out: 2 marked as bad: 3, 5" in remark for remark in scene.remarks)
    short = {"cube": cube, name: marks[:4]}
    if ending == ".npz":  # another number of marks says nothing
        np.savez(path, **short)
        assert read_scene(path).cube.shape == cube.shape


def test_runs_on_denoised_bands_predict_and_replay_to_the_bit(marked):
    folder, cube, nm, *_ = marked
    cube = cube.copy()
    cube[..., [3, 12]] = 65535
    marks = "data ignore value = 65535\n"
    scene = write_banded(folder / "noisy.hdr", cube, nm, bad=(3, 12), extra=marks)
    run = train(folder, scene, settings=["preprocess.denoise=true"], bands="2-16")
    found, _ = predicted(run.path, scene, folder)
    np.testing.assert_array_equal(found, run.label_map)
    assert replay(run.path).identical == 1


def test_noise_for_a_trial_spares_marked_bands(tmp_path, hsi, monkeypatch):
    monkeypatch.chdir(tmp_path)
    clean = np.random.default_rng(0).random((24, 24, 3)) @ np.random.default_rng(1).random((3, 12))
    clean[..., [4, 7]] = -1
    write_banded(
        tmp_path / "c.hdr", clean.astype("f4"), bad=(4, 7), extra="data ignore value = -1\n"
    )
    status, out, _ = hsi("denoise", "c.hdr", "--add-noise", "0.05", "-o", "o.npy")
    assert status == 0 and "nan" not in out.lower()
    before, after = (float(out.split(name)[1].split()[1]) for name in ("noisy  ", "denoised "))
    assert before == pytest.approx(20 * np.log10(clean.max() / 0.05), abs=0.5)
    assert after > before
    assert (np.load(tmp_path / "o.npy")[..., [4, 7]] == -1).all()
    status, _, err = hsi("denoise", "c.hdr", "--add-noise", "0.05", "--bands", "all")
    assert status == 2 and "misses 1,152 values" in err


def test_chosen_bands_are_exported(tmp_path, hsi, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cube = np.arange(4 * 3 * 6).reshape(4, 3, 6).astype("int16")
    write_banded(tmp_path / "a.hdr", cube, bad=(1,))
    for name, options, kept in (
        ("all.tif", (), range(6)),
        ("good.hdr", ("--bands", "good"), (0, 2, 3, 4, 5)),
        ("some.nc", ("--bands", "420-440nm"), (2, 3)),
    ):
        status, _, err = hsi("data", "export", "a.hdr", "-o", name, *options)
        assert status == 0, err
        with open_cube(tmp_path / name) as file:
            assert np.array_equal(file.read(), cube[..., list(kept)])
            assert np.allclose(file.wavelengths, [400 + 12 * band for band in kept])
            assert np.allclose(file.fwhm, [5 + band for band in kept])
            assert file.bad_bands == ((1,) if name == "all.tif" else ())
    status, _, err = hsi("data", "export", "a.hdr", "-o", "b.tif", "--bands", "9")
    assert status == 2 and "9 nm holds no band of a.hdr" in err
