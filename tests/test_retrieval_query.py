import json
import shutil
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image
from query_samples import NAMES, make_run, rgb_picture, sample_scene, write_cube, write_spectrum

from hsi_suite.cli import cli
from hsi_suite.errors import ConfigError, InputFileError, OutputError, RunError, ShapeError
from hsi_suite.tasks.retrieval.index import index_gallery
from hsi_suite.tasks.retrieval.query import Query, query_index
from hsi_suite.tasks.retrieval.query_items import spectrum_query
from hsi_suite.tasks.retrieval.query_output import write_query
from hsi_suite.tasks.retrieval.retriever import load_retriever

MAP_INFO = "map info = {UTM, 1, 1, 500000, 4100000, 20, 20, 10, North, WGS-84, units=Meters}\n"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("runs") / "run")


@pytest.fixture(scope="module")
def index(run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("gallery")
    cube = write_cube(folder / "cube.hdr", extra=MAP_INFO)
    np.save(folder / "labels.npy", sample_scene().labels)
    return index_gallery(
        run, folder / "index", scene=cube, labels=str(folder / "labels.npy"), threads=1
    ).path


def search(index, top=5, **query):
    options = {name: query.pop(name) for name in ("apart", "run") if name in query}
    return query_index(index, Query(**query), top=top, threads=1, **options)


@pytest.mark.parametrize("label", [1, 2, 3])
@pytest.mark.parametrize("factor", [1.0, 100.0, 10_000.0])
def test_a_field_spectrum_finds_its_class(index, tmp_path, label, factor):
    path = write_spectrum(tmp_path / "field.csv", label, factor)
    units = {1.0: "reflectance", 100.0: "percent", 10_000.0: "10000"}[factor]
    result = search(index, spectrum=path, units=units)
    assert [match.label for match in result.matches] == [f"class {label}"] * 5
    assert result.query.taken_for == NAMES[label - 1]
    assert result.threshold == 0.5
    assert not result.warnings
    assert (np.diff([match.score for match in result.matches]) <= 0).all()


def test_a_spectrum_measured_in_part_says_what_is_missing(index, tmp_path):
    path = write_spectrum(tmp_path / "field.csv", 2, wavelengths=np.arange(400.0, 890, 2))
    result = search(index, spectrum=path)
    assert "1 of 13 bands were not measured: nothing is extrapolated" in " ".join(result.remarks)
    assert np.isnan(result.query.spectrum[-1])
    assert result.matches[0].label == "class 2"


def test_the_level_of_spectra_is_told_where_the_run_learnt_it(tmp_path):
    run = make_run(tmp_path / "run", unit_norm=False)
    place = index_gallery(
        run, tmp_path / "index", scene=write_cube(tmp_path / "cube.hdr"), threads=1
    ).path
    path = write_spectrum(tmp_path / "field.csv", 3)
    told = search(place, spectrum=path)
    assert "multiplied by 10000: the spectra learnt from are taken for" in " ".join(told.remarks)
    given = search(place, spectrum=path, scale=10_000.0)
    assert np.array_equal(told.query.row, given.query.row)
    with pytest.raises(ConfigError, match="--scale: nan"):
        search(place, spectrum=path, scale=float("nan"))
    assert not np.allclose(search(place, spectrum=path, scale=1.0).query.row, told.query.row)


def test_a_patch_finds_what_looks_like_it(index, tmp_path):
    Image.fromarray(rgb_picture()).save(tmp_path / "photo.png")
    result = search(index, patch=str(tmp_path / "photo.png"), at=(22, 7))
    assert {match.label for match in result.matches} == {"class 3"}
    middle = search(index, patch=str(tmp_path / "photo.png"))
    assert "X 13, Y 12 of photo" in middle.query.title
    assert {match.label for match in middle.matches} == {"class 2"}


def test_a_pixel_finds_others_but_not_itself(index):
    result = search(index, pixel=(6, 4), apart=2)
    assert {match.label for match in result.matches} == {"class 1"}
    places = [(match.line, match.sample) for match in result.matches] + [(6, 4)]
    for place, (line, sample) in enumerate(places):
        for other in places[:place]:
            assert max(abs(line - other[0]), abs(sample - other[1])) > 2


def test_matches_have_map_coordinates_and_default_distance(index, tmp_path):
    result = search(index, spectrum=write_spectrum(tmp_path / "field.csv", 1))
    assert result.apart == 1
    for match in result.matches:
        assert match.x == 500_000 + 20 * (match.sample + 0.5)
        assert match.y == 4_100_000 - 20 * (match.line + 0.5)


def test_fewer_matches_than_wanted_are_said(index):
    result = search(index, top=100, pixel=(0, 0), apart=12)
    assert len(result.matches) < 100
    assert f"{len(result.matches)} of 100 matches are shown" in " ".join(result.remarks)


def test_a_best_similarity_below_validation_warns(tmp_path, index):
    run = make_run(tmp_path / "run", thresholds=1.5)
    place = index_gallery(
        run, tmp_path / "index", scene=write_cube(tmp_path / "cube.hdr"), threads=1
    ).path
    result = search(place, spectrum=write_spectrum(tmp_path / "field.csv", 1))
    assert "is below 1.500, which 95 % of the validation's queries" in result.warnings[0]


def test_wrong_queries_are_refused_in_one_line(index, run, tmp_path):
    path = write_spectrum(tmp_path / "field.csv", 1)
    far = write_spectrum(tmp_path / "far.csv", 1, wavelengths=np.arange(1000.0, 1500, 10))
    Image.fromarray(rgb_picture()).save(tmp_path / "photo.png")
    photo = str(tmp_path / "photo.png")
    cases = [
        (ConfigError, "none given", {}),
        (ConfigError, "--spectrum and --pixel given", {"spectrum": path, "pixel": (0, 0)}),
        (ConfigError, "to which it belongs", {"pixel": (0, 0), "name": "water"}),
        (ConfigError, "X from 0 to 26, Y from 0 to 23", {"patch": photo, "at": (27, 3)}),
        (ConfigError, "0 to 23, 0 to 26", {"pixel": (24, 0)}),
        (ShapeError, "1 to 648, the items of the gallery", {"pixel": (0, 0), "top": 649}),
        (ShapeError, "1 to 648", {"pixel": (0, 0), "top": 0}),
        (InputFileError, "1000 to 1490 nm.*420 to 900 nm", {"spectrum": far}),
        (InputFileError, "no such file", {"spectrum": str(tmp_path / "none.csv")}),
        (InputFileError, "no such file", {"patch": str(tmp_path / "none.png")}),
        (RunError, "the run that made the index is not there", {"pixel": (0, 0), "run": tmp_path}),
    ]
    for kind, words, query in cases:
        with pytest.raises(kind, match=words) as caught:
            search(index, **query)
        assert "\n" not in str(caught.value)


def test_spectra_are_refused_by_a_run_without_them(tmp_path):
    run = make_run(tmp_path / "run", pair=("rgb", "panchromatic"), steps=1)
    place = index_gallery(
        run, tmp_path / "index", scene=write_cube(tmp_path / "cube.hdr"), threads=1
    ).path
    with pytest.raises(ConfigError, match="the run learnt rgb and panchromatic"):
        search(place, spectrum=write_spectrum(tmp_path / "field.csv", 1))


def test_spectra_are_refused_by_a_run_without_wavelengths(run, tmp_path):
    retriever = load_retriever(run / "model.safetensors", torch.device("cpu"))
    blind = replace(retriever, first=replace(retriever.first, wavelengths=None))
    path = write_spectrum(tmp_path / "field.csv", 1)
    with pytest.raises(ConfigError, match="learnt from stripes, whose wavelengths are unknown"):
        spectrum_query(blind, path, name=None, units=None, scale=None)


def test_an_index_of_another_model_is_refused(run, tmp_path):
    place = tmp_path / "run"
    shutil.copytree(run, place)
    index = index_gallery(
        place, tmp_path / "index", scene=write_cube(tmp_path / "cube.hdr"), threads=1
    ).path
    shutil.rmtree(place)
    with pytest.raises(RunError, match="Say where it is with --run"):
        search(index, pixel=(0, 0))
    assert search(index, pixel=(0, 0), run=run).matches
    make_run(place, steps=2)
    with pytest.raises(RunError, match="its model is not the one that made the index"):
        search(index, pixel=(0, 0))


def test_everything_is_written_and_lies_where_it_should(index, tmp_path):
    rasterio = pytest.importorskip("rasterio")
    path = write_spectrum(tmp_path / "<b>water & co.csv", 1)
    result = write_query(search(index, spectrum=path), tmp_path / "found", ["hsi", "retrieve"])
    assert {file.name for file in result.written} == {
        "score_map.png", "score_map.tif", "matches.png", "matches.csv", "report.html",
        "result.json",
    }  # fmt: skip
    with rasterio.open(tmp_path / "found" / "score_map.tif") as raster:
        scores = raster.read(1)
        assert raster.crs.to_epsg() == 32610
        assert raster.transform.to_gdal() == (500_000, 20, 0, 4_100_000, 0, -20)
    best = result.matches[0]
    assert scores.dtype == np.float32
    assert scores[best.line, best.sample] == np.float32(best.score) == scores.max()
    stored = json.loads((tmp_path / "found" / "result.json").read_text())
    assert stored["matches"][0]["label"] == "class 1"
    page = (tmp_path / "found" / "report.html").read_text()
    assert "<script" not in page
    assert "<b>water" not in page
    assert "&lt;b&gt;water &amp; co.csv" in page
    with Image.open(tmp_path / "found" / "score_map.png") as picture:
        assert picture.width > 800
    with pytest.raises(OutputError, match=r"exists already.*--overwrite"):
        write_query(result, tmp_path / "found", ["hsi"])
    (tmp_path / "found" / "matches.csv").write_text("mine")
    write_query(result, tmp_path / "found", ["hsi"], overwrite=True)
    assert (tmp_path / "found" / "matches.csv").read_text() != "mine"
    (tmp_path / "found" / "notes.txt").write_text("mine")
    with pytest.raises(OutputError, match=r"notes\.txt, which is no result of a search"):
        write_query(result, tmp_path / "found", ["hsi"], overwrite=True)
    assert (tmp_path / "found" / "notes.txt").read_text() == "mine"
    assert not [path.name for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_the_map_of_a_thinned_index_lies_around_its_items(run, tmp_path):
    rasterio = pytest.importorskip("rasterio")
    cube = write_cube(tmp_path / "cube.hdr", extra=MAP_INFO)
    index = index_gallery(run, tmp_path / "index", scene=cube, step=4, threads=1).path
    result = search(index, pixel=(9, 9))
    assert "line 8, sample 8, is taken" in " ".join(result.remarks)
    write_query(result, tmp_path / "found", ["hsi"])
    with rasterio.open(tmp_path / "found" / "score_map.tif") as raster:
        for match in result.matches:
            assert raster.index(match.x, match.y) == (match.line // 4, match.sample // 4)
            x, y = raster.xy(match.line // 4, match.sample // 4)
            assert (x, y) == (match.x, match.y)


def test_without_rasterio_an_odd_reference_system_is_written_as_envi(index, tmp_path, monkeypatch):
    for name in ("rasterio", "rasterio.crs"):
        monkeypatch.setitem(sys.modules, name, None)
    result = search(index, pixel=(0, 0))
    odd = {"crs": 'LOCAL_CS["odd"]', "transform": [1, 0, 0, 0, -1, 0], "map_info": None}
    object.__setattr__(result.index.header, "georeference", odd)
    said = write_query(result, tmp_path / "found", ["hsi"])
    assert (tmp_path / "found" / "score_map.hdr").is_file()
    assert "needs hsi-suite[geo]" in said.remarks[-1]


def test_commands_print_matches_and_refuse_in_one_line(run, index, tmp_path):
    runner = CliRunner()
    path = write_spectrum(tmp_path / "field.csv", 3)
    answer = runner.invoke(
        cli, ["retrieve", "query", str(index), "--spectrum", path, "--top", "3", "--json"]
    )
    assert answer.exit_code == 0, answer.output
    assert len(json.loads(answer.stdout)["matches"]) == 3
    words = runner.invoke(
        cli,
        [
            "retrieve",
            "query",
            str(index),
            "--pixel",
            "3,4",
            "--top",
            "2",
            "-o",
            str(tmp_path / "o"),
        ],
    )
    assert words.exit_code == 0, words.output
    assert "report.html" in words.output
    for wrong in (["--pixel", "3"], ["--at", "x,y"], ["--units", "nm"]):
        assert runner.invoke(cli, ["retrieve", "query", str(index), *wrong]).exit_code == 2
    made = runner.invoke(
        cli,
        ["retrieve", "index", str(run), "--scene", write_cube(tmp_path / "c.hdr"), "-o",
         str(tmp_path / "ix"), "--step", "5"],
    )  # fmt: skip
    assert made.exit_code == 0, made.output
    assert "30 pixels of c as rgb" in made.output


def test_a_picture_beyond_the_memory_limit_is_refused_before_it_is_decoded(
    index, tmp_path, monkeypatch
):
    from hsi_suite.tasks.retrieval import gallery

    Image.fromarray(np.zeros((4000, 5000, 3), np.uint8)).save(tmp_path / "large.png")
    monkeypatch.setattr(gallery, "read_photograph", lambda path: pytest.fail("was decoded"))
    with pytest.raises(InputFileError, match="5,000 × 4,000 pixels need about") as caught:
        query_index(index, Query(patch=str(tmp_path / "large.png")), memory_limit=700e6, threads=1)
    assert "aise --memory-limit" in str(caught.value)
