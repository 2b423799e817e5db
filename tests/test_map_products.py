"""What `hsi predict` makes of a map once it is classified: filters, polygons, areas."""

import os
import sys

import numpy as np
import pytest
from scenes_samples import small_cube, write_scene

import hsi_suite
from hsi_suite.data.map_filters import majority, map_filter
from hsi_suite.data.readers import read_labels
from hsi_suite.data.scene import Georeference
from hsi_suite.data.writers import write_layers
from hsi_suite.errors import ConfigError, ExistingOutputError, OutputError, Stopped
from hsi_suite.tasks.scenes import class_areas, map_finishing, prediction, strip_prediction

rasterio = pytest.importorskip("rasterio")
pyogrio = pytest.importorskip("pyogrio")

pytestmark = pytest.mark.stand_in_pictures

GEO = Georeference("EPSG:32633", (30.0, 0, 364095.0, 0, -30.0, 5809965.0))
QUICK = ["threads=1", "train.calibration=none"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("products")
    options = {"settings": QUICK, "output": folder / "runs", "verbose": 0}
    return hsi_suite.train(**write_scene(folder), model="lda", **options).path


@pytest.fixture(scope="module")
def scene(run):
    """Another part of the run's kind of scene, noisy, with pixels without data."""
    generator = np.random.default_rng(3)
    cube = small_cube(lines=41, samples=33)[0].astype(np.float32)
    cube = cube[generator.permuted(np.arange(41)), :] * 0.5 + cube * 0.5
    cube[3:6, 10:20] = np.nan
    path = run.parent.parent / "scene.tif"
    write_layers(path, cube, [f"b{k}" for k in range(18)], GEO, nodata=-9999.0)
    return str(path)


@pytest.fixture(scope="module")
def unfiltered(run, scene):
    """The labels of the scene."""
    return predict(run, scene, None).labels


def predict(run, scene, output, **options):
    return hsi_suite.predict(run, scene, output, threads=1, verbose=0, **options)


def polygons(path):
    about, _, shapes, columns = pyogrio.raw.read(path, layer="map")
    return about, shapes, dict(zip(about["fields"], columns, strict=True))


def rasterised(path, like):
    import shapely
    from rasterio.features import rasterize

    _, shapes, fields = polygons(path)
    pairs = zip(shapely.from_wkb(shapes), fields["class"], strict=True)
    with rasterio.open(like) as file:
        return rasterize(pairs, file.shape, transform=file.transform, dtype="u1")


FILTERS = [{"majority": 3}, {"min_area": 4}, {"majority": 5, "min_area": "4500m2"}]


@pytest.mark.parametrize("options", FILTERS)
@pytest.mark.parametrize("ending", [".tif", ".hdr", ".npy", ".png"])
def test_a_filtered_map_by_strips_is_the_whole_map_filtered(
    run, scene, unfiltered, tmp_path, monkeypatch, options, ending
):
    monkeypatch.setattr(prediction, "strip_lines", lambda *arguments: 7)
    monkeypatch.setattr(map_finishing, "STRIP_PIXELS", 3 * 33)
    found = predict(run, scene, tmp_path / f"m{ending}", vector=tmp_path / "v.gpkg", **options)
    asked = map_filter(options.get("majority"), options.get("min_area"), GEO, 41)
    expected = asked.apply(unfiltered)
    assert found.changed == (expected != unfiltered).sum() > 0
    if ending != ".png":
        np.testing.assert_array_equal(found.labels, expected)
    georeferenced = tmp_path / "m.tif" if ending == ".tif" else scene
    np.testing.assert_array_equal(rasterised(tmp_path / "v.gpkg", georeferenced), expected)
    names = {"m.hdr": ["m.img"], "m.tif": ["m.tif.aux.xml", "m.qml"]}.get(f"m{ending}", [])
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {f"m{ending}", "v.gpkg", *names}


def test_files_and_log_say_that_a_map_is_filtered(hsi, run, scene, tmp_path):
    options = ["--majority", "3", "--min-area", "5px", "--vector", str(tmp_path / "m.gpkg")]
    told = "majority of 3 × 3 pixels and then regions of at least 5 pixels"
    for ending in ("tif", "hdr"):
        place = ["-o", str(tmp_path / f"m.{ending}"), "--overwrite", "--threads", "1"]
        status, _, log = hsi("predict", str(run), "--scene", scene, *place, *options)
        assert status == 0, log
        log = " ".join(log.split())
        assert told in log and "pixels changed" in log
        assert "scores are those of the map before" in log and "below 5 pixels" not in log
    with rasterio.open(tmp_path / "m.tif") as file:
        assert told in file.tags()["REMARK"] and "pixels changed" in file.tags()["REMARK"]
    assert told in (tmp_path / "m.hdr").read_text("utf-8")
    options = ["--min-area", "1000px", "-o", str(tmp_path / "s.tif"), "--threads", "1"]
    _, _, log = hsi("predict", str(run), "--scene", scene, *options)
    assert "regions stay below 1000 pixels" in " ".join(log.split())
    plain = predict(run, scene, tmp_path / "plain.tif")
    with rasterio.open(plain.written[0]) as file:
        assert "REMARK" not in file.tags()


def test_layers_are_never_filtered(tmp_path):
    options = {"settings": QUICK, "output": tmp_path / "runs", "verbose": 0}
    lda = hsi_suite.train(**write_scene(tmp_path), model="lda", **options).path
    cube = str(tmp_path / "cube.npy")
    layers = {"probabilities": True, "uncertainty": True}
    plain = predict(lda, cube, None, **layers)
    found = predict(lda, cube, None, majority=5, **layers)
    for what in layers:
        np.testing.assert_array_equal(getattr(found, what), getattr(plain, what))
    np.testing.assert_array_equal(found.labels, majority(plain.labels, 5))


def test_everything_at_once_as_cloud_optimised(run, scene, tmp_path):
    options = {"majority": 3, "min_area": 3, "areas": True}
    plain = predict(run, scene, tmp_path / "a" / "m.tif", vector=tmp_path / "a/m.gpkg", **options)
    got = predict(
        run, scene, tmp_path / "b" / "m.tif", vector=tmp_path / "b/m.gpkg", cog=True, **options
    )
    np.testing.assert_array_equal(got.labels, plain.labels)
    names = ["m.gpkg", "m.qml", "m.tif", "m.tif.aux.xml", "m_areas.csv", "m_areas.json"]
    for folder in "ab":
        assert sorted(path.name for path in (tmp_path / folder).iterdir()) == names
    for name in (name for name in names if name != "m.tif"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    assert [path.name for path in got.written] == [
        "m.tif", "m.gpkg", "m_areas.csv", "m_areas.json",
    ]  # fmt: skip
    with rasterio.open(got.written[0]) as file:
        assert file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert "filtered" in file.tags()["REMARK"]


STEPS = [
    (class_areas, "write_json"), (map_finishing, "start_map"),
    (map_finishing, "write_geopackage"), (strip_prediction, "make_cog"),
    (map_finishing.shutil, "copyfile"), (strip_prediction.UnfinishedOutput, "move"),
]  # fmt: skip


def everything(run, scene, folder):
    """Map, polygons and areas into a folder; what is in it then."""
    options = {"majority": 3, "min_area": 3, "areas": True, "cog": True}
    predict(run, scene, folder / "m.tif", vector=folder / "else" / "m.gpkg", **options)
    found = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder): path.read_bytes() for path in found}


@pytest.fixture(scope="module")
def unbroken(run, scene, tmp_path_factory):
    return everything(run, scene, tmp_path_factory.mktemp("unbroken"))


@pytest.mark.parametrize("place, step", STEPS, ids=[step for _, step in STEPS])
@pytest.mark.parametrize("after", [False, True])
def test_a_call_cut_off_at_any_step_goes_on(
    run, scene, unbroken, tmp_path, monkeypatch, place, step, after
):
    real = getattr(place, step)

    def cut_off(*arguments, **keywords):
        if after:
            real(*arguments, **keywords)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(place, step, cut_off)
        with pytest.raises(Stopped, match="the same command goes on"):
            everything(run, scene, tmp_path)
    assert not (tmp_path / "m.tif").exists() or step == "move"
    assert everything(run, scene, tmp_path) == unbroken


def test_existing_files_are_kept(run, scene, tmp_path):
    for name in ("m.gpkg", "m_areas.csv", "m_areas.json"):
        (tmp_path / name).write_text("kept")
        with pytest.raises(ExistingOutputError, match=name):
            predict(run, scene, tmp_path / "m.tif", vector=tmp_path / "m.gpkg", areas=True)
        assert [path.name for path in tmp_path.iterdir()] == [name]
        (tmp_path / name).unlink()
    (tmp_path / "m.gpkg").write_text("old")
    predict(run, scene, tmp_path / "m.tif", vector=tmp_path / "m.gpkg", overwrite=True)
    assert len(polygons(tmp_path / "m.gpkg")[1])


def test_another_call_does_not_go_on_with_one(run, scene, tmp_path, monkeypatch):
    target = tmp_path / "m.tif"
    with monkeypatch.context() as patch:
        patch.setattr(strip_prediction, "MapFinishing", None)
        with pytest.raises(TypeError):
            predict(run, scene, target, majority=3)
    found = predict(run, scene, target, majority=5)
    np.testing.assert_array_equal(found.labels, majority(predict(run, scene, None).labels, 5))


def test_what_is_refused_before_anything_is_classified(run, scene, tmp_path, monkeypatch):
    def refused(kind, match, output="m.tif", **options):
        with pytest.raises(kind, match=match):
            predict(run, scene, tmp_path / output, **options)
        assert not list(tmp_path.iterdir())

    refused(OutputError, r"--vector writes a GeoPackage; expected .*\.gpkg", vector="m.shp")
    folder = run.parent / "folder.gpkg"
    folder.mkdir(exist_ok=True)
    refused(OutputError, "this is a folder", vector=folder)
    refused(OutputError, "inside a run's folder", vector=run / "m.gpkg")
    refused(ConfigError, "--majority: 4; expected an odd number", majority=4)
    refused(ConfigError, "--min-area: 3 acres", min_area="3 acres")
    monkeypatch.setattr(map_finishing, "PROGRAM_BYTES", 1e12)
    refused(ConfigError, "a map of 41 × 33 pixels filtered in memory.*leave the filter out",
            majority=3)  # fmt: skip
    with monkeypatch.context() as patch:
        patch.setattr(prediction, "PROGRAM_BYTES", 1e12)
        refused(ConfigError, "cloud-optimised files.*leave --cog out", cog=True)
    plain = str(run.parent.parent / "cube.npy")
    with pytest.raises(ConfigError, match="unknown pixel size"):
        predict(run, plain, tmp_path / "m.tif", min_area="1ha")
    for missing in ("pyogrio", "shapely"):
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, missing, None)
            refused(OutputError, rf"--vector needs {missing}.*\[geo\]", vector=tmp_path / "m.gpkg")


def test_a_folder_that_nobody_may_write_to(run, scene, tmp_path):
    if os.geteuid() == 0:
        (tmp_path / "closed").write_text("")
    else:
        (tmp_path / "closed").mkdir(mode=0o500)
    with pytest.raises(OutputError, match="closed"):
        predict(run, scene, tmp_path / "m.tif", vector=tmp_path / "closed" / "m.gpkg")
    assert not (tmp_path / "m.tif").exists()


def test_a_scene_without_coordinates_gets_pixels(hsi, run, tmp_path):
    plain = str(run.parent.parent / "cube.npy")
    status, out, log = hsi(
        "predict", str(run), "--scene", plain, "-o", str(tmp_path / "m.tif"), "--threads", "1",
        "--vector", str(tmp_path / "m.gpkg"), "--areas",
    )  # fmt: skip
    assert status == 0, log
    assert "no coordinates" in " ".join(log.split())
    assert "areas are pixels" in " ".join(out.split()) and "m_areas.json" in out
    about, _, fields = polygons(tmp_path / "m.gpkg")
    assert about["crs"] is None and "area_m2" not in fields
    found = rasterised(tmp_path / "m.gpkg", tmp_path / "m.tif")
    np.testing.assert_array_equal(found, read_labels(tmp_path / "m.tif").labels)


def test_in_memory(run, scene, tmp_path):
    found = predict(run, scene, None, vector=tmp_path / "m.gpkg", areas=True, majority=3)
    assert found.written == (tmp_path / "m.gpkg",) and found.areas["unit"] == "m2"
    assert found.labels.shape == (41, 33) and found.changed
    held = predict(run, small_cube()[0], None, majority=3)
    assert held.labels.shape == (30, 28)
