"""Areas of a map's classes, corrected by its test pixels."""

import json

import numpy as np
import pytest
from scenes_samples import SMALL, small_cube, write_scene

import hsi_suite as hsi
from hsi_suite.data.formats.georeferencing import simple_epsg
from hsi_suite.data.pixel_areas import line_areas
from hsi_suite.data.scene import Georeference
from hsi_suite.errors import RunError, ShapeError
from hsi_suite.metrics.areas import Z_95
from hsi_suite.metrics.confusion import Confusion
from hsi_suite.reports.areas import areas_blocks
from hsi_suite.runs.report import write_reports
from hsi_suite.tasks.scenes.class_areas import MappedAreas, TestSample, area_table

pytestmark = pytest.mark.stand_in_pictures

TestSample.__test__ = False

# Olofsson et al. 2014, the worked example of section 5.1: rows map, columns reference
# (deforestation, forest gain, stable forest, stable non-forest), and pixels of 30 m.
SAMPLE = np.array([[66, 0, 5, 4], [0, 55, 8, 12], [1, 0, 153, 11], [2, 1, 9, 313]])
MAPPED = np.array([200_000, 150_000, 3_200_000, 6_450_000])


def test_the_published_example():
    found = hsi.metrics.area_estimates(SAMPLE.T, MAPPED)
    assert round(found.overall, 3) == 0.947 and round(Z_95 * found.overall_error, 3) == 0.018
    np.testing.assert_array_equal(found.users.round(2), [0.88, 0.73, 0.93, 0.96])
    np.testing.assert_array_equal((Z_95 * found.users_error).round(2), [0.07, 0.10, 0.04, 0.02])
    np.testing.assert_array_equal(found.producers.round(2), [0.75, 0.85, 0.93, 0.96])
    # The paper prints 0.23 for the second and 0.01 for the last: not what its equation 7 gives.
    halves = Z_95 * found.producers_error
    np.testing.assert_array_equal(halves.round(2), [0.21, 0.25, 0.03, 0.02])
    hectares = 0.09 * found.adjusted
    np.testing.assert_array_equal(hectares.round(), [21158, 11686, 285770, 581386])
    halves = 0.09 * Z_95 * found.adjusted_error
    np.testing.assert_allclose(halves, [6158, 3756, 15510, 16282], atol=0.6)
    low, high = found.interval(0)
    assert round(low) == 235086 - 68418 and round(high) == 235086 + 68418


def slow_estimates(sample, mapped):
    """The paper's sums, term by term; of classes that all have two test pixels at least."""
    shares, tested = mapped / mapped.sum(), sample.sum(1)
    classes = range(len(mapped))
    area = [sum(shares[i] * sample[i, j] / tested[i] for i in classes) for j in classes]
    variance = [
        sum(
            shares[i] ** 2 * sample[i, j] / tested[i] * (1 - sample[i, j] / tested[i])
            / (tested[i] - 1)
            for i in classes
        )
        for j in classes
    ]  # fmt: skip
    users = [sample[i, i] / tested[i] for i in classes]
    producers = [shares[j] * users[j] / area[j] for j in classes]
    pixels, of_class = mapped, mapped.sum() * np.array(area)
    spread = [
        (
            pixels[j] ** 2 * (1 - producers[j]) ** 2 * users[j] * (1 - users[j]) / (tested[j] - 1)
            + producers[j] ** 2
            * sum(
                pixels[i] ** 2 * sample[i, j] / tested[i] * (1 - sample[i, j] / tested[i])
                / (tested[i] - 1)
                for i in classes if i != j
            )
        ) / of_class[j] ** 2
        for j in classes
    ]  # fmt: skip
    return of_class, mapped.sum() * np.sqrt(variance), producers, np.sqrt(spread)


def test_estimates_are_the_papers_sums():
    generator = np.random.default_rng(0)
    for _ in range(20):
        sample = generator.integers(0, 30, (5, 5)) + 2 * np.eye(5, dtype=int)
        mapped = generator.integers(1, 10**6, 5).astype(float)
        found = hsi.metrics.area_estimates(sample.T, mapped)
        got = found.adjusted, found.adjusted_error, found.producers, found.producers_error
        for one, other in zip(got, slow_estimates(sample, mapped), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-10)
        assert np.isclose(found.adjusted.sum(), mapped.sum())


def test_intervals_cover_what_is_there():
    generator = np.random.default_rng(1)
    truth = generator.choice(3, 20_000, p=[0.2, 0.3, 0.5])
    mapped = np.where(generator.random(20_000) < 0.8, truth, (truth + 1) % 3)
    real, covered = np.bincount(truth), np.zeros(3)
    for _ in range(300):
        drawn = generator.choice(20_000, 400, replace=False)
        counts = Confusion.of(truth[drawn], mapped[drawn], 3)
        found = hsi.metrics.area_estimates(counts, np.bincount(mapped))
        covered += [low <= area <= high for area, (low, high) in
                    zip(real, map(found.interval, range(3)), strict=True)]  # fmt: skip
    assert ((covered / 300 > 0.90) & (covered / 300 < 0.99)).all()


def test_classes_without_enough_test_pixels():
    # Truth in rows. Class 2 is mapped and never tested, class 3 never mapped.
    counts = [[8, 1, 0, 0], [2, 9, 0, 0], [1, 0, 0, 0], [0, 2, 0, 0]]
    found = hsi.metrics.area_estimates(counts, [100, 50, 25, 0])
    assert found.untested == (2,) and found.once_tested == ()
    assert np.isclose(found.adjusted.sum(), 150)
    assert np.isnan(found.users[[2, 3]]).all() and found.producers[3] == 0
    assert np.isfinite(found.adjusted_error).all()
    once = hsi.metrics.area_estimates([[8, 0], [2, 1]], [100, 50])
    assert once.once_tested == (1,)
    assert np.isnan([*once.adjusted_error, once.overall_error, *once.interval(0)]).all()
    assert np.isclose(once.adjusted.sum(), 150) and np.isnan(once.users_error[1])
    none = hsi.metrics.area_estimates([[0, 0], [0, 0]], [100, 50])
    assert np.isnan(none.adjusted).all() and np.isnan(none.overall) and none.untested == (0, 1)
    perfect = hsi.metrics.area_estimates([[5, 0], [0, 5]], [100, 50])
    assert perfect.overall == 1 and (perfect.adjusted_error == 0).all()
    assert (perfect.producers_error == 0).all()
    for areas in ([1, 2, 3], [1, -1], [1, np.nan]):
        with pytest.raises(ShapeError, match="areas"):
            hsi.metrics.area_estimates([[5, 0], [0, 5]], areas)


def sample_of(counts, kind="random", labelled=100):
    counts = np.array(counts)
    return TestSample(
        tuple(range(1, len(counts) + 1)), Confusion.from_matrix(counts), kind, labelled
    )


def test_what_is_said_of_the_condition_and_of_limits():
    mapped = MappedAreas(np.array([7, 60, 40]), None)
    names = ("Corn", "Woods")
    all_of_it = area_table(mapped, names, sample_of([[5, 1], [1, 5]]))
    assert all_of_it["remarks"][0].endswith("These were, but for the pixels that trained.")
    part = area_table(mapped, names, sample_of([[5, 1], [1, 5]], labelled=25))
    assert "Labels cover 25.00 % of the map" in part["remarks"][0]
    assert "accuracies that are too high" in part["remarks"][0]
    # Of a map that is not that of the labels alone nothing is said of how much they cover.
    elsewhere = area_table(mapped, names, sample_of([[5, 1], [1, 5]], labelled=None))
    assert "Labels cover" not in elsewhere["remarks"][0] and "These were," not in str(elsewhere)
    for kind in ("disjoint", "polygons", "file", "scenes"):
        whole = area_table(mapped, names, sample_of([[5, 1], [1, 5]], kind))
        assert (
            "intervals that are too narrow" in whole["remarks"][0] and kind in whole["remarks"][0]
        )
    untested = area_table(mapped, names, sample_of([[5, 0], [1, 0]]))
    assert any("No test pixel was mapped as Woods" in text for text in untested["remarks"])
    assert untested["classes"][1]["users_accuracy"] is None
    once = area_table(mapped, names, sample_of([[5, 0], [1, 1]]))
    assert any("no standard errors" in text for text in once["remarks"])
    perfect = area_table(mapped, names, sample_of([[5, 0], [0, 5]]))
    assert any("no error was seen" in text for text in perfect["remarks"])
    absent = area_table(
        MappedAreas(np.array([0, 100, 0]), None), names, sample_of([[5, 0], [1, 1]])
    )
    assert any("Never mapped: Woods" in text for text in absent["remarks"])
    for table in (all_of_it, untested, once, perfect, absent, area_table(mapped, names, None)):
        json.dumps(table, allow_nan=False)
        assert areas_blocks(table)


def test_pixel_areas():
    utm = Georeference("EPSG:32633", (30.0, 0, 0, 0, -30.0, 0))
    np.testing.assert_array_equal(line_areas(utm, 4), np.full(4, 900.0))
    turned = Georeference("EPSG:32633", (0, 30.0, 0, 20.0, 0, 0))
    np.testing.assert_array_equal(line_areas(turned, 2), [600.0, 600.0])
    # From pole to pole in lines of 1°: the surface of WGS 84 is 510,065,621.7 km².
    degrees = Georeference("EPSG:4326", (1.0, 0, -180.0, 0, -1.0, 90.0))
    assert np.isclose(360 * line_areas(degrees, 180).sum(), 510_065_621.7e6, rtol=1e-9)
    for nothing in (None, Georeference(None, (30.0, 0, 0, 0, -30.0, 0))):
        assert line_areas(nothing, 3) is None


def test_pixel_areas_of_other_systems():
    pytest.importorskip("rasterio")
    feet = Georeference("EPSG:2263", (100.0, 0, 0, 0, -100.0, 0))
    assert np.isclose(line_areas(feet, 1)[0], (100 * 1200 / 3937) ** 2)
    etrs = Georeference("EPSG:4258", (0.01, 0, 10.0, 0, -0.01, 50.0))
    wgs = Georeference("EPSG:4326", (0.01, 0, 10.0, 0, -0.01, 50.0))
    assert simple_epsg("EPSG:4258") is None
    assert np.isclose(line_areas(etrs, 1)[0], line_areas(wgs, 1)[0], rtol=1e-6)
    # Grads of the Paris system: 400 to the circle.
    grads = Georeference("EPSG:4807", (0.01, 0, 10.0, 0, -0.01, 50.0))
    degrees = Georeference("EPSG:4275", (0.009, 0, 9.0, 0, -0.009, 45.0))
    assert np.isclose(line_areas(grads, 1)[0], line_areas(degrees, 1)[0], rtol=1e-9)
    assert line_areas(Georeference("EPSG:999999", (1.0, 0, 0, 0, -1.0, 0)), 1) is None


def test_areas_of_strips_are_those_of_the_whole():
    labels = np.random.default_rng(0).integers(0, 4, (30, 20))
    heights = np.linspace(1, 2, 30)
    whole = MappedAreas.of([labels], 3, heights)
    strips = MappedAreas.of([labels[:7], labels[7:8], labels[8:]], 3, heights)
    expected = [(heights[:, None] * (labels == label)).sum() for label in range(4)]
    for found in (whole, strips):
        np.testing.assert_allclose(found.square_metres, expected)
        np.testing.assert_array_equal(found.pixels, np.bincount(labels.ravel()))
    np.testing.assert_allclose(
        MappedAreas.of([labels], 3, np.full(30, 900.0)).square_metres, 900.0 * whole.pixels
    )


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("areas")
    scene = write_scene(folder)
    return [
        hsi.train(
            **scene, model="svm", settings=["threads=1"], seed=seed, output=folder / "runs"
        ).path
        for seed in (0, 1)
    ]


def test_a_runs_folder_and_page_hold_them(runs):
    run = hsi.open_run(runs[0])
    areas = json.loads((run.path / "areas.json").read_text())
    counts = np.array(run.metrics["test"]["confusion_matrix"])
    mapped = np.bincount(np.load(run.path / "map.npy").ravel(), minlength=4)[1:]
    found = hsi.metrics.area_estimates(counts, mapped)
    assert [row["mapped_area"] for row in areas["classes"]] == mapped.tolist()
    assert [row["adjusted_area"] for row in areas["classes"]] == found.adjusted.tolist()
    assert areas["unit"] == "pixels"
    table = (run.path / "areas.csv").read_text().splitlines()
    assert table[0].startswith("label,name,mapped_pixels") and len(table) == 4
    page = (run.path / "report.html").read_text()
    assert "Olofsson et al. 2014" in page and "drawn at random from the whole map" in page


def test_pages_of_older_and_damaged_runs(runs):
    path = runs[1] / "areas.json"
    kept = path.read_text()
    try:
        path.unlink()
        write_reports(str(runs[1]))
        assert "Olofsson" not in (runs[1] / "report.html").read_text()
        for damaged in ("{", "[]", '{"unit": 1}', kept.replace('"name"', '"nome"')):
            path.write_text(damaged)
            with pytest.raises(RunError, match=r"areas\.json"):
                write_reports(str(runs[1]))
    finally:
        path.write_text(kept)


def test_predictions_say_whose_test_judges_them(runs, tmp_path):
    scene = runs[0].parent.parent / "cube.npy"
    own = hsi.predict(runs[:1], str(scene), tmp_path / "own.npy", areas=True, threads=1)
    assert [path.name for path in own.written] == ["own.npy", "own_areas.csv", "own_areas.json"]
    assert json.loads(own.written[2].read_text()) == own.areas
    trained = json.loads((runs[0] / "areas.json").read_text())
    assert own.areas == trained
    other = tmp_path / "other.npy"
    np.save(other, small_cube(seed=0, lines=20)[0])
    found = hsi.predict(runs[:1], str(other), None, areas=True, threads=1)
    assert any("another scene" in text for text in found.areas["remarks"])
    # The labels are of the run's scene: they cover nothing of this one.
    assert "Labels cover" in own.areas["remarks"][0] and "Labels cover" not in str(found.areas)
    both = hsi.predict(runs, str(scene), None, areas=True, threads=1)
    assert all("adjusted_area" not in row for row in both.areas["classes"])
    assert "mean of several runs was not tested" in both.areas["remarks"][0]
    assert hsi.predict(runs[:1], str(scene), None, threads=1).areas is None


def test_areas_of_a_filtered_map_are_those_of_the_tested_one(runs, tmp_path):
    scene = runs[0].parent.parent / "cube.npy"
    plain = hsi.predict(runs[:1], str(scene), None, areas=True, threads=1)
    filtered = hsi.predict(runs[:1], str(scene), None, areas=True, majority=5, threads=1)
    assert filtered.changed > 0
    assert filtered.areas["classes"] == plain.areas["classes"]
    assert any("before the filter" in text for text in filtered.areas["remarks"])


def test_a_map_that_averages_orientations_was_not_tested(tmp_path):
    scene = write_scene(tmp_path)
    run = hsi.train(
        **scene, settings=[*SMALL, "train.epochs=1"],
        output=tmp_path / "runs",
    )  # fmt: skip
    options = {"areas": True, "threads": 1}
    plain = hsi.predict([run.path], scene["scene"], None, **options)
    turned = hsi.predict([run.path], scene["scene"], None, test_time_averaging=True, **options)
    assert not any("averaging" in text for text in plain.areas["remarks"])
    assert any("tested without --test-time-averaging" in t for t in turned.areas["remarks"])
