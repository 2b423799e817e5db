"""Targets and anomalies: every detector equals its formula, strips change nothing, truth counts."""

import json
import tracemalloc
from types import SimpleNamespace

import numpy as np
import pytest
import tifffile
from file_samples import write_envi as write_sample
from said_lines import beyond_first
from sklearn.metrics import roc_auc_score

from hsi_suite.cli import main
from hsi_suite.data.formats.envi_writer import write_envi
from hsi_suite.data.readers import open_cube
from hsi_suite.data.scene import Georeference
from hsi_suite.data.writers import write_layers
from hsi_suite.engine.observer import Observer
from hsi_suite.errors import ConfigError, HsiSuiteError, OutputError
from hsi_suite.tasks.detection.detection import _COPIES, _Strips, detect
from hsi_suite.tasks.detection.detectors import Background, detector
from hsi_suite.tasks.detection.targets import measured_target, pixel_target

BANDS = 12
NM = np.linspace(450, 950, BANDS)


@pytest.fixture(scope="module")
def spectra():
    """Coloured background, and a target in 1 of 50 pixels."""
    rng = np.random.default_rng(3)
    mixing = rng.normal(0, 0.02, (BANDS, BANDS)) + 0.03 * np.eye(BANDS)
    target = 0.3 + 0.2 * np.sin(NM / 60)
    cube = 0.4 + rng.normal(0, 1, (40, 35, BANDS)) @ mixing
    truth = rng.random((40, 35)) < 0.02
    cube[truth] = 0.5 * cube[truth] + 0.5 * target
    return cube, truth, target


@pytest.fixture(scope="module")
def scene(spectra, tmp_path_factory):
    """The same as an ENVI file, with its truth and its target as files."""
    folder = tmp_path_factory.mktemp("scene")
    cube, truth, target = spectra
    fields = {"wavelength": tuple(f"{nm:.1f}" for nm in NM), "wavelength units": "Nanometers"}
    write_envi(folder / "cube.hdr", cube.astype(np.float32), fields, None)
    np.save(folder / "truth.npy", truth.astype(np.uint8))
    rows = "\n".join(f"{nm},{value}" for nm, value in zip(NM, target, strict=True))
    (folder / "target.csv").write_text(f"wavelength_nm,paint\n{rows}\n")
    return folder


def test_detectors_equal_their_formulas(spectra):
    cube, _, target = spectra
    x = cube.reshape(-1, BANDS)
    background = Background.of(lambda: iter(np.array_split(x, 7)), BANDS)
    mean, covariance = x.mean(0), np.cov(x.T)
    assert np.allclose(background.mean, mean) and np.allclose(background.covariance, covariance)
    assert background.ridge == 0
    inverse, centred, towards = np.linalg.inv(covariance), x - mean, target - mean
    along, energy = centred @ inverse @ towards, towards @ inverse @ towards
    whitened = np.einsum("ij,jk,ik->i", centred, inverse, centred)
    correlation = np.linalg.inv(x.T @ x / len(x))
    expected = {
        "matched-filter": along / energy,
        "ace": along**2 / (energy * whitened),
        "cem": x @ correlation @ target / (target @ correlation @ target),
        "sam": x @ target / np.linalg.norm(x, axis=1) / np.linalg.norm(target),
    }
    for method, wanted in expected.items():
        found = detector(method, background, target)(x)
        assert np.allclose(np.abs(found) if method == "ace" else found, wanted, atol=1e-9), method
    assert np.allclose(detector("rx", background)(x), whitened)
    for method, given in (("rx", target), ("ace", None), ("cam", target)):
        with pytest.raises(ConfigError, match="expected one of"):
            detector(method, background, given)


def test_bands_that_depend_on_each_other_are_told_apart_by_a_ridge(spectra):
    x = np.concatenate([spectra[0].reshape(-1, BANDS)] * 2, 1)
    background = Background.of(lambda: iter([x]), 2 * BANDS)
    assert background.ridge == pytest.approx(1e-6 * np.cov(x.T).trace() / (2 * BANDS))
    assert np.isfinite(detector("rx", background)(x)).all()


def test_a_map_its_threshold_and_its_truth(spectra, scene, tmp_path, monkeypatch):
    truth = spectra[1]
    with open_cube(scene / "cube.hdr") as file:
        target = measured_target(file, scene / "target.csv")
        found = detect(file, tmp_path / "ace.tif", "ace", target, false_alarm_rate=0.01,
                       truth=scene / "truth.npy")  # fmt: skip
        monkeypatch.setattr("hsi_suite.tasks.detection.detection._MOST_STRIP_BYTES", 7)
        small = detect(file, tmp_path / "small.npy", "ace", target)
    scores = tifffile.imread(tmp_path / "ace.tif")
    # Sums of other blocks differ in the last digits of float64.
    assert np.allclose(scores, np.load(small.written[0]).squeeze(), rtol=1e-5)
    assert found.truth["auc"] == pytest.approx(roc_auc_score(truth.ravel(), scores.ravel()))
    assert found.truth["auc"] > 0.9 and found.truth["targets"] == truth.sum()
    assert found.truth["false_alarm_rate"] == pytest.approx(0.01, abs=1 / (~truth).sum())
    assert found.detections == (scores >= found.threshold).sum()
    assert [path.name for path in found.written] == ["ace.tif", "ace_roc.png"]
    assert small.threshold is None and small.truth is None


def test_the_values_of_a_scene_are_not_replaced(tmp_path):
    write_envi(tmp_path / "a.hdr", np.random.default_rng(0).random((9, 8, 4), np.float32), {}, None)
    (tmp_path / "a.hdr").rename(tmp_path / "a.img.hdr")
    before = (tmp_path / "a.img").read_bytes()
    with open_cube(tmp_path / "a.img.hdr") as file, pytest.raises(OutputError, match="replace"):
        detect(file, tmp_path / "a.hdr", "rx", None)
    assert (tmp_path / "a.img").read_bytes() == before


def test_a_truth_lies_by_its_coordinates_and_is_not_replaced(tmp_path):
    cube = np.random.default_rng(0).random((9, 8, 4), np.float32)
    truth = np.zeros((9, 8), np.int32)
    truth[2:4, 3:5] = 1
    place = Georeference("EPSG:32633", (30.0, 0.0, 500_000.0, 0.0, -30.0, 5_800_000.0))
    beside = Georeference("EPSG:32633", (30.0, 0.0, 500_030.0, 0.0, -30.0, 5_800_000.0))
    write_layers(tmp_path / "cube.tif", cube, list("abcd"), place)
    write_layers(tmp_path / "same.tif", truth[..., None].astype(np.float32), ["t"], place)
    moved = np.roll(truth, -1, axis=1)[..., None].astype(np.float32)
    write_layers(tmp_path / "moved.tif", moved, ["t"], beside)
    before = (tmp_path / "same.tif").read_bytes()
    with open_cube(tmp_path / "cube.tif") as file:
        found = [
            detect(file, tmp_path / f"{n}.npy", "rx", None, truth=tmp_path / name).truth
            for n, name in enumerate(("same.tif", "moved.tif"))
        ]
        assert found[0] == found[1]
        with pytest.raises(OutputError, match="would replace the truth"):
            detect(
                file, tmp_path / "same.tif", "rx", None, truth=tmp_path / "same.tif", overwrite=True
            )
    assert (tmp_path / "same.tif").read_bytes() == before


def test_missing_pixels_and_useless_bands_do_not_count(spectra, tmp_path):
    cube = spectra[0].astype(np.float32)
    cube[3, 5] = np.nan
    cube[..., 4] = 7.0
    np.save(tmp_path / "cube.npy", cube)
    with open_cube(tmp_path / "cube.npy") as file:
        found = detect(file, tmp_path / "rx.npy", "rx", None)
        assert any("1 of 12 bands left out" in remark for remark in found.remarks)
        with pytest.raises(ConfigError, match="holds no data"):
            pixel_target(file, 5, 3)
    scores = np.load(tmp_path / "rx.npy").squeeze()
    assert np.isnan(scores[3, 5]) and np.isnan(scores).sum() == 1
    assert found.pixels == scores.size - 1


def test_the_units_of_a_target_are_known_or_asked_for(scene, spectra, tmp_path):
    cube = np.round(spectra[0] * 10_000).astype(np.int16)
    fields = {"wavelength": tuple(f"{nm:.1f}" for nm in NM), "wavelength units": "Nanometers"}
    write_envi(tmp_path / "plain.hdr", cube, fields, None)
    declared = fields | {"reflectance scale factor": "10000"}
    write_envi(tmp_path / "declared.hdr", cube, declared, None)
    with open_cube(scene / "cube.hdr") as file:
        expected = 10_000 * measured_target(file, scene / "target.csv").values
    with open_cube(tmp_path / "declared.hdr") as file:
        assert np.allclose(measured_target(file, scene / "target.csv").values, expected)
    with open_cube(tmp_path / "plain.hdr") as file:
        given = measured_target(file, scene / "target.csv", scale=10_000).values
        assert np.allclose(given, expected)
        with pytest.raises(HsiSuiteError, match=r"declares no scale.*--scale 10000"):
            measured_target(file, scene / "target.csv")


def hsi(monkeypatch, capsys, *arguments):
    """Exit status, output, errors."""
    monkeypatch.setattr("sys.argv", ["hsi", *map(str, arguments)])
    try:
        main()
        status = 0
    except SystemExit as stop:
        status = stop.code or 0
    printed = capsys.readouterr()
    return status, printed.out, printed.err


def test_the_command(scene, tmp_path, monkeypatch, capsys):
    cube, truth = scene / "cube.hdr", scene / "truth.npy"
    status, out, _ = hsi(
        monkeypatch, capsys, "detect", cube, "--target", scene / "target.csv", "-o",
        tmp_path / "a.png", "--truth", truth, "--false-alarms", "0.01",
    )  # fmt: skip
    assert status == 0 and "area under the ROC curve" in out and "threshold" in out
    assert {path.name for path in tmp_path.iterdir()} == {"a.png", "a_roc.png"}
    status, out, _ = hsi(
        monkeypatch, capsys, "detect", cube, "--anomaly", "rx", "-o", tmp_path / "rx.tif", "--json"
    )
    assert status == 0 and json.loads(out)["pixels"] == 40 * 35


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "--target, --at, --anomaly"),
        (("--at", "1,1", "--anomaly", "rx"), "--target, --at, --anomaly"),
        (("--anomaly", "rx", "--method", "ace"), "--method: given with --anomaly"),
        (("--at", "1;1"), "SAMPLE,LINE"),
        (("--at", "99,1"), "--at: 99,1"),
        (("--at", "1,1", "--false-alarms", "2"), "between 0 and 1"),
        (("--at", "1,1", "--memory-limit", "10M"), "--memory-limit"),
        (("--at", "1,1", "--truth", "ones.npy"), "targets everywhere or nowhere"),
        (("--at", "1,1", "--truth", "small.npy"), "as in the scene"),
        (("--target", "absent.csv"), "absent.csv"),
        (("--at", "1,1", "-o", "x.jpg"), "unknown kind of map '.jpg'"),
    ],
)
def test_what_is_wrong_is_one_line(scene, tmp_path, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    np.save("ones.npy", np.ones((40, 35), np.uint8))
    np.save("small.npy", np.ones((4, 3), np.uint8))
    before = sorted(tmp_path.iterdir())
    status, _, err = hsi(
        monkeypatch, capsys, "detect", scene / "cube.hdr", "-o", "out.tif", *arguments
    )
    assert status == 2 and message in err and len(beyond_first(err)) == 1
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(("name", "auc"), [("HYDICE_data", 0.97), ("abu-urban-2", 0.99)])
def test_anomalies_of_real_scenes(data_dir, tmp_path, name, auc):
    path = data_dir / "detection" / f"{name}.mat"
    with open_cube(path, variable="data") as file:
        cube = file.read().astype(np.float64).reshape(-1, file.shape[2])
        np.save(tmp_path / "truth.npy", _map_of(path))
        found = detect(file, tmp_path / "rx.npy", "rx", None, truth=tmp_path / "truth.npy")
    centred = cube - cube.mean(0)
    scores = np.einsum("ij,ij->i", centred @ np.linalg.inv(np.cov(cube.T)), centred)
    assert found.truth["auc"] == pytest.approx(
        roc_auc_score(_map_of(path).ravel(), scores), abs=2e-4
    )
    assert found.truth["auc"] > auc


def _map_of(path):
    from scipy.io import loadmat

    return (loadmat(path)["map"] > 0).astype(np.uint8)


def test_targets_may_be_drawn(spectra, scene, tmp_path):
    truth = spectra[1]
    rows = "".join(f"{sample},{line},target\n" for line, sample in np.argwhere(truth))
    (tmp_path / "truth.csv").write_text(f"sample,line,class\n{rows}")
    found = []
    for place in (tmp_path / "truth.csv", scene / "truth.npy"):
        with open_cube(scene / "cube.hdr") as file:
            target = measured_target(file, scene / "target.csv")
            written = tmp_path / f"{place.stem}{place.suffix[1:]}.tif"
            found.append(detect(file, written, "ace", target, truth=place).truth)
    assert found[0] == found[1] and found[0]["targets"] == truth.sum()


@pytest.mark.parametrize("method", ["rx", "ace", "cem", "matched-filter", "sam"])
def test_equal_spectra_have_equal_scores_wherever_they_stand(method):
    rng = np.random.default_rng(8)
    x = rng.normal(5, 1, (2100, 30)) @ rng.normal(0, 1, (30, 30))
    background = Background.of(lambda: iter([x]), 30)
    score = detector(method, background, None if method == "rx" else x[3])
    whole = score(x)
    for first, count in ((0, 1), (5, 2), (1000, 31), (1023, 1077), (77, 1025)):
        assert np.array_equal(score(x[first : first + count]), whole[first : first + count])
    assert score(x[:0]).shape == (0,)


def test_spectra_on_a_common_offset_are_ranked_and_written_as_they_differ(tmp_path):
    """Their cosines are one number, or a few, in single precision."""
    rng = np.random.default_rng(1)
    cube = 300 + rng.normal(0, 0.02, (30, 40, 6))
    truth = rng.random((30, 40)) < 0.1
    cube[truth, :3] += 0.03
    write_envi(tmp_path / "cube.hdr", cube, {}, None)
    np.save(tmp_path / "truth.npy", truth.astype(np.uint8))
    line, sample = np.argwhere(truth)[0]
    with open_cube(tmp_path / "cube.hdr") as file:
        target = pixel_target(file, sample, line)
        found = detect(file, tmp_path / "s.npy", "sam", target, truth=tmp_path / "truth.npy",
                       false_alarm_rate=0.01)  # fmt: skip
        for name in ("s.tif", "s.hdr"):
            detect(file, tmp_path / name, "sam", target)
    scores = np.load(tmp_path / "s.npy").squeeze()
    x, towards = (each.astype(np.longdouble) for each in (cube, cube[line, sample]))
    exact = x @ towards / np.sqrt((x**2).sum(-1)) / np.sqrt((towards**2).sum())
    auc = roc_auc_score(truth.ravel(), np.argsort(np.argsort(exact.ravel())))
    assert found.truth["auc"] == pytest.approx(auc, abs=1e-4)
    assert found.truth["auc"] == roc_auc_score(truth.ravel(), scores.ravel())
    assert abs(roc_auc_score(truth.ravel(), scores.ravel().astype(np.float32)) - auc) > 0.01
    assert found.detections == (scores >= found.threshold).sum()
    assert found.truth["false_alarm_rate"] == pytest.approx(0.01, abs=1 / (~truth).sum())
    with open_cube(tmp_path / "s.hdr") as file:
        assert np.array_equal(file.read(0, 30)[..., 0], scores)
    assert np.array_equal(tifffile.imread(tmp_path / "s.tif"), scores)


@pytest.mark.parametrize(("draws", "needed"), [(False, 138), (True, 350)])
def test_what_pictures_and_rankings_take_is_asked_for(draws, needed):
    wide = SimpleNamespace(shape=(1000, 1000, 3), reading_bytes=lambda lines: 0)
    assert _Strips(wide, needed * 1e6, draws).height > 200
    with pytest.raises(ConfigError, match=f"at least {needed} MB for this scene"):
        _Strips(wide, (needed - 1) * 1e6, draws)


@pytest.mark.parametrize("kind", ["float32", "float64"])
@pytest.mark.parametrize("interleave", ["bsq", "bil", "bip"])
def test_no_more_of_a_strip_is_held_than_was_counted(tmp_path, monkeypatch, interleave, kind):
    lines, samples, bands = 96, 200, 40
    values = np.random.default_rng(0).random((lines, samples, bands)).astype(kind)
    path = tmp_path / "cube.hdr"
    write_sample(path, values, interleave)
    strip = 32 * samples * bands * 8
    monkeypatch.setattr("hsi_suite.tasks.detection.detection._MOST_STRIP_BYTES", strip)
    with open_cube(path) as file:
        strips = _Strips(file, 2e9, False)
        assert strips.height == 32
        tracemalloc.start()
        try:
            strips.choose_bands(None)
            background = Background.of(strips.spectra, bands)
            strips.score(detector("rx", background), Observer())
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    # One on its way through copies, or centred, and what the detector takes for 1,024 spectra.
    assert strip < peak < 3 * strip < _COPIES * strip
