"""`hsi report --figures`: every figure of a run or batch as a file for a paper."""

import base64
import hashlib
import io
import json
import os
import re
import subprocess
import sys
import zlib
from xml.etree import ElementTree

import numpy as np
import pytest
from batch_samples import Sample, make_batch, make_denoising_batch, make_retrieval_batch
from fontTools.ttLib import TTFont
from matplotlib.figure import Figure
from PIL import Image
from said_lines import beyond_first
from scenes_samples import small_cube, write_scene
from stand_in_pictures import undrawn

from hsi_suite.data.splits import load_split
from hsi_suite.engine.observer import Observer
from hsi_suite.errors import ConfigError, ExistingOutputError, RunError
from hsi_suite.palette import RIGHT, SPLIT_COLOURS, WRONG, class_colours
from hsi_suite.reports.drawing import save_png
from hsi_suite.reports.figures import (
    confusion_figure,
    distance_figure,
    learning_curves_figure,
)
from hsi_suite.reports.paper.figure import (
    ONE_COLUMN,
    TWO_COLUMNS,
    PaperFigure,
    fitted,
    page_inches,
    print_millimetres,
)
from hsi_suite.reports.paper.files import DPI, FORMATS, to_pdf, to_svg
from hsi_suite.reports.paper.frame import MapFrame
from hsi_suite.reports.paper.panels import Panel, legend_figure, scene_figure
from hsi_suite.runs import launch
from hsi_suite.runs.figures import CAPTIONS, write_figures
from hsi_suite.runs.pages import PageFacts
from hsi_suite.tasks.retrieval.results import PROJECTION
from hsi_suite.tasks.scenes.scene_figures import scene_figures

SVG = "{http://www.w3.org/2000/svg}"
LDA = ["threads=1", "evaluation.baselines=[]"]
PICTURES = {
    "false_colour", "ground_truth", "map", "map_of_test_pixels", "test_errors", "split", "legend",
    "scene",
}  # fmt: skip
# As little is drawn as there can be.
NARROW = 60
UTM = (30, 0, 364095, 0, -30, 5809965)


def lda_run(folder, settings=LDA, **options):
    """A run whose own pictures are not the matter."""
    with undrawn():
        return launch.train(output=folder / "runs", model="lda", settings=settings, **options)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    return lda_run(folder, **write_scene(folder))


@pytest.fixture(scope="module")
def drawn(trained, tmp_path_factory):
    """The folder of the figures of a run as SVG."""
    folder = tmp_path_factory.mktemp("drawn")
    write_figures(trained.path, "svg", folder, width=NARROW)
    return folder


def names(folder):
    return {path.stem for path in folder.iterdir()} - {"captions"}


def images(svg):
    """The pictures in an SVG, each dot of its pixels once."""
    found = []
    for element in ElementTree.fromstring(svg).iter(f"{SVG}image"):
        uri = element.get("{http://www.w3.org/1999/xlink}href")
        with Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))) as opened:
            found.append(np.asarray(opened.convert("RGB")))
    return found


def texts(svg):
    return ["".join(each.itertext()) for each in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def scene_figures_of(run):
    return {each.name: each for each in scene_figures(PageFacts.of(run), Observer())}


def small_figure():
    history = [{"epoch": e, "train_loss": 1 / e, "train_accuracy": 1 - 1 / e} for e in (1, 2, 3)]
    return fitted(learning_curves_figure(history), page_inches(88))


def test_a_run_gives_its_scene_alone_and_together_and_the_charts_of_its_page(drawn):
    charts = {"confusion_matrix", "class_scores", "distances", "reliability"}
    assert names(drawn) >= PICTURES | charts
    captions = (drawn / CAPTIONS).read_text()
    for path in drawn.glob("*.svg"):
        assert f"{path.stem}, " in captions
    assert "red band 14, green band 10, blue band 5" in " ".join(captions.split()).replace(
        "Red", "red"
    )


def test_a_pixel_of_a_map_becomes_a_square_of_equal_dots(trained, drawn):
    labels = trained.label_map
    [picture] = images((drawn / "map.svg").read_text())
    lines, samples = (edge // size for edge, size in zip(picture.shape, labels.shape, strict=False))
    assert min(lines, samples) > 8
    expected = class_colours(3)[labels].repeat(lines, 0).repeat(samples, 1)
    # However matplotlib turns it, nothing is blended.
    assert np.array_equal(picture, expected) or np.array_equal(picture[::-1], expected)


def test_errors_and_split_are_those_of_the_run(trained, drawn):
    split = load_split(trained.path / "split.npz")
    truth = np.load(trained.config["data"]["labels"]).ravel()
    labels = trained.label_map.ravel()
    right = int((labels == truth)[split.test].sum())
    counted = {}
    for name in ("test_errors", "split"):
        [picture] = images((drawn / f"{name}.svg").read_text())
        dots = (picture.shape[0] // 30) * (picture.shape[1] // 28)
        counted[name] = picture, dots

    def pixels(name, colour):
        picture, dots = counted[name]
        return (picture == np.array(colour, np.uint8)).all(-1).sum() / dots

    assert pixels("test_errors", RIGHT) == right
    assert pixels("test_errors", WRONG) == len(split.test) - right
    assert pixels("split", SPLIT_COLOURS[1]) == len(split.train)
    assert pixels("split", SPLIT_COLOURS[3]) == len(split.test)


def test_letters_bands_and_classes_stand_in_the_figure_of_all(drawn):
    shown = texts((drawn / "scene.svg").read_text())
    for words in ("(a) false colour", "(d) split", "split: training", "class 1", "sample", "line"):
        assert words in shown, shown
    assert "(a) red band 14, green band 10, blue band 5" in " ".join(shown)
    # Nobody knows how large the pixels of an array are.
    assert "N" not in shown


def test_text_of_an_svg_stays_text_with_its_letters_embedded(drawn):
    for path in drawn.glob("*.svg"):
        content = path.read_text()
        fonts = re.findall(r'base64,([^"]*)"\) format\("woff"\)', content)
        if not texts(content):
            continue
        letters = set()
        for font in fonts:
            with TTFont(io.BytesIO(base64.b64decode(font))) as opened:
                letters |= set(opened.getBestCmap())
        wanted = {ord(letter) for letter in "".join(texts(content))} - {ord("\n")}
        assert wanted <= letters, path


def test_a_pdf_has_true_type_letters_no_date_and_the_width_that_was_asked_for():
    content = to_pdf(small_figure())
    for absent in (b"CreationDate", b"Producer", b"Creator", b"/Type3"):
        assert absent not in content
    assert b"/CIDFontType2" in content
    assert b"/FontFile2" in content
    assert b"/ToUnicode" in content
    box = re.search(rb"/MediaBox \[ 0 0 ([\d.]+) ([\d.]+) \]", content)
    assert float(box[1]) == pytest.approx(88 / 25.4 * 72, abs=0.01)


def test_lines_reach_the_edges_of_a_pdf():
    # Matplotlib leaves out what lies beyond the page, which is smaller than what is drawn.
    figure = Figure(figsize=(4, 3))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.plot([0, 1], [0.99, 0.99], color="red")
    axes.set(xlim=(0, 1), ylim=(0, 1))
    content = to_pdf(figure)
    streams = [
        zlib.decompress(part)
        for part in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", content, re.DOTALL)
    ]
    drawn = next(part for part in streams if b" cm" in part)
    assert b"0.7 0 0 0.7 0 0 cm" in drawn
    assert re.search(rb"\n288 213\.8\d* l", drawn), drawn[:600]


def test_equal_figures_are_equal_files_in_every_process():
    code = (
        "from hashlib import sha256\n"
        "from hsi_suite.reports.paper.files import to_pdf, to_svg\n"
        "from hsi_suite.reports.figures import distance_figure\n"
        "made = [make(distance_figure([(1, 2), (3, 4)])) for make in (to_pdf, to_svg)]\n"
        "print(sha256(b''.join(made)).hexdigest())"
    )
    # This process has another seed of its hashes.
    there = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": "1"}, check=True,
        capture_output=True, text=True,
    ).stdout  # fmt: skip
    here = [make(distance_figure([(1, 2), (3, 4)])) for make in (to_pdf, to_svg)]
    assert there.strip() == hashlib.sha256(b"".join(here)).hexdigest()


def test_a_png_has_the_dots_of_its_width():
    with Image.open(io.BytesIO(FORMATS["png"](small_figure()))) as opened:
        assert opened.width == pytest.approx(88 / 25.4 * DPI, abs=2)
        assert opened.info["dpi"][0] == pytest.approx(DPI, abs=0.1)


def test_every_figure_has_the_width_that_is_asked_for(drawn):
    for path in drawn.glob("*.svg"):
        assert f'width="{NARROW}mm"' in path.read_text()
        assert f"{path.stem}, {NARROW} × " in (drawn / CAPTIONS).read_text()


def test_finished_figures_are_kept_unless_they_may_be_replaced(trained, tmp_path, monkeypatch):
    one = PaperFigure("one", "It shows one.", lambda width: small_figure(), 3.0)
    monkeypatch.setattr("hsi_suite.runs.figures._figures", lambda *_: [one])
    write_figures(trained.path, "svg", tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    assert len(before) == 2
    with pytest.raises(ExistingOutputError):
        write_figures(trained.path, "svg", tmp_path)
    write_figures(trained.path, "svg", tmp_path, overwrite=True)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_second_format_goes_beside_the_first_under_the_same_captions(
    trained, tmp_path, monkeypatch
):
    one = PaperFigure("one", "It shows one.", lambda width: small_figure(), 3.0)
    monkeypatch.setattr("hsi_suite.runs.figures._figures", lambda *_: [one])
    write_figures(trained.path, "svg", tmp_path)
    captions = (tmp_path / CAPTIONS).read_text()
    write_figures(trained.path, "pdf", tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"one.svg", "one.pdf", CAPTIONS}
    assert (tmp_path / CAPTIONS).read_text() == captions
    (tmp_path / "one.pdf").unlink()
    (tmp_path / CAPTIONS).write_text("captions of mine")
    with pytest.raises(ExistingOutputError, match=CAPTIONS):
        write_figures(trained.path, "pdf", tmp_path)
    assert not (tmp_path / "one.pdf").exists()


def test_nothing_is_written_where_one_figure_cannot_be_drawn(trained, tmp_path, monkeypatch):
    last = PaperFigure("broken", "", lambda width: 1 / 0, 3.0)
    monkeypatch.setattr("hsi_suite.runs.figures._figures", lambda *_: [
        PaperFigure("whole", "", lambda width: small_figure(), 3.0), last
    ])  # fmt: skip
    with pytest.raises(ZeroDivisionError):
        write_figures(trained.path, "svg", tmp_path / "f")
    assert not (tmp_path / "f").exists()


def test_a_width_without_room_is_refused(trained, tmp_path):
    batch = make_batch(tmp_path / "b", Sample(runs=2, models={"hybridsn": (0.9, 0.6)}))
    with pytest.raises(ConfigError, match="--width: 40 mm, which leaves no room in means"):
        write_figures(batch, "pdf", tmp_path / "f", width=40)
    assert not (tmp_path / "f").exists()


def test_data_that_have_changed_are_refused(tmp_path):
    options = write_scene(tmp_path)
    run = lda_run(tmp_path, **options)
    cube, _ = small_cube(seed=3)
    np.save(options["scene"], cube)
    with pytest.raises(RunError, match="data have changed"):
        write_figures(run.path, "pdf", tmp_path / "f")
    assert not (tmp_path / "f").exists()


def test_a_georeferenced_scene_has_coordinates_scale_bar_and_north(tmp_path):
    rasterio = pytest.importorskip("rasterio")
    cube, labels = small_cube()
    with rasterio.open(
        tmp_path / "cube.tif", "w", driver="GTiff", height=30, width=28, count=18, dtype="uint16",
        crs="EPSG:32633", transform=UTM,
    ) as file:  # fmt: skip
        file.write(cube.transpose(2, 0, 1))
    np.save(tmp_path / "labels.npy", labels)
    files = {"scene": str(tmp_path / "cube.tif"), "labels": str(tmp_path / "labels.npy")}
    run = lda_run(tmp_path, **files)
    figures = scene_figures_of(run)
    for name in ("map", "scene"):
        shown = texts(to_svg(figures[name].drawing(88)).decode())
        assert {"N", "200 m", "easting, km", "northing, km"} <= set(shown), shown
    assert "UTM 33N, WGS-84" in figures["map"].caption


def test_several_scenes_have_figures_each(tmp_path):
    for number in (0, 1):
        cube, labels = small_cube(seed=0, lines=24 + number)
        np.save(tmp_path / f"cube{number}.npy", cube)
        np.save(tmp_path / f"labels{number}.npy", labels)
    names = {"scene": "cube", "labels": "labels"}
    files = {k: [str(tmp_path / f"{name}{n}.npy") for n in (0, 1)] for k, name in names.items()}
    run = lda_run(tmp_path, **files)
    figures = scene_figures_of(run)
    assert {f"cube{k}_{name}" for k in (0, 1) for name in PICTURES} == set(figures)
    second = np.asarray(figures["cube1_map"].drawing(40).axes[0].images[0].get_array())
    assert second.shape[0] % 25 == 0


def test_folds_are_greys_with_their_numbers(tmp_path):
    options = write_scene(tmp_path)
    settings = [*LDA, "split.folds=3", "split.guard=1"]
    run = lda_run(tmp_path, settings, split="spatial_folds", **options)
    shown = texts(to_svg(scene_figures_of(run)["split"].drawing(40)).decode())
    assert {"fold 1", "fold 2", "fold 3"} <= set(shown)


def test_a_batch_gives_charts_and_maps_of_its_runs(tmp_path):
    batch = make_batch(tmp_path / "b", Sample(runs=2, models={"hybridsn": (0.9, 0.6)}))
    written = write_figures(batch, "pdf", width=NARROW)
    assert {each.path.parent for each in written} == {batch / "figures"}
    found = {each.path.stem for each in written}
    assert {"means", "learning_curves", "most_frequent_class", "disagreement", "entropy"} <= found
    assert all("hybridsn" in each.caption for each in written if "entropy" in each.path.stem)


@pytest.mark.parametrize("make", [make_denoising_batch, make_retrieval_batch])
def test_runs_of_other_tasks_give_the_figures_of_their_pages(tmp_path, make):
    make(tmp_path / "batch")
    run = sorted(path.parent for path in (tmp_path / "batch").glob("*/metrics.json"))[0]
    save_png(Figure(figsize=(2, 1)), run / PROJECTION)
    found = {each.path.stem for each in write_figures(run, "svg", tmp_path / "f")}
    assert "learning_curves" in found
    if make is make_retrieval_batch:
        assert {"precision_recall", "projection"} <= found
        (run / PROJECTION).write_bytes((run / PROJECTION).read_bytes()[:60])
        with pytest.raises(RunError, match="projection"):
            write_figures(run, "svg", tmp_path / "g")
        assert not (tmp_path / "g").exists()


def test_the_command_lists_what_it_wrote(hsi, trained, tmp_path, monkeypatch):
    def two(*_):
        page = PageFacts.of(trained)
        return [each for each in scene_figures(page, Observer()) if each.name in ("legend", "map")]

    monkeypatch.setattr("hsi_suite.runs.figures._figures", two)
    status, out, err = hsi("report", trained.path, "--figures", "svg", "-o", tmp_path / "f",
                           "--width", "3.5in", "--json")  # fmt: skip
    assert status == 0
    files = json.loads(out)["files"]
    assert {each["path"] for each in files} == {str(p) for p in (tmp_path / "f").glob("*.svg")}
    assert {each["width_mm"] for each in files} == {88.9}
    status, out, err = hsi("report", trained.path, "--figures", "svg", "-o", tmp_path / "f")
    assert (status, out) == (2, "")
    assert "exists already" in err and "--overwrite" in err


@pytest.mark.parametrize(("options", "said"), [
    (("--figures", "gif"), "'gif' is not one of"),
    (("--figures", "pdf", "--width", "88"), "88mm, 18cm or 3.5in"),
    (("--figures", "pdf", "--width", "8mm"), "--width: 8 mm; expected 40 to 500 mm"),
    (("--width", "88mm"), "--figures"),
    (("-o", "x"), "--figures"),
    (("--overwrite",), "--figures"),
    (("--figures", "pdf", "--language", "zh"), "figures are in English"),
])  # fmt: skip
def test_wrong_options_are_one_line(hsi, trained, options, said):
    status, out, err = hsi("report", trained.path, *options)
    assert (status, out) == (2, "")
    assert said in err
    assert len(beyond_first(err)) == 1


def test_formats_that_there_are_not_are_refused(trained, tmp_path):
    with pytest.raises(ConfigError, match="one of pdf, svg, png"):
        write_figures(trained.path, "gif", tmp_path)


def test_a_figure_takes_the_columns_it_needs():
    narrow, wide = (PaperFigure("f", "", lambda width: None, inches) for inches in (4.6, 9.6))
    assert (narrow.width(None), wide.width(None)) == (ONE_COLUMN, TWO_COLUMNS)
    assert narrow.width(60) == 60
    assert print_millimetres(page_inches(88)) == pytest.approx(88)


def test_panels_that_would_be_too_narrow_go_below_each_other():
    history = [{"epoch": e, "learning_rate": 1e-3, "train_loss": 1.0, "train_accuracy": 0.5}
               for e in (1, 2)]  # fmt: skip
    wide = fitted(learning_curves_figure(history), page_inches(180))
    assert [axes.get_subplotspec().colspan.start for axes in wide.axes] == [0, 1, 2]
    narrow = fitted(learning_curves_figure(history), page_inches(88))
    assert [axes.get_subplotspec().rowspan.start for axes in narrow.axes] == [0, 1, 2]
    assert narrow.get_size_inches()[0] == pytest.approx(page_inches(88))


def test_a_matrix_without_room_for_counts_has_a_scale():
    counts = np.diag(np.arange(1, 17)) + 1
    classes = [f"a class of number {k}" for k in range(16)]
    wide = confusion_figure(counts, classes, page_inches(180))
    assert sum(text.get_text() == "1" for text in wide.axes[0].texts) == 240
    narrow = confusion_figure(counts, classes, page_inches(88))
    assert not narrow.axes[0].texts
    assert narrow.axes[1].get_xlabel() == "share of the true class, %"


@pytest.mark.parametrize("shape", [(3000, 20), (20, 3000), (1, 1), (9000, 9000)])
@pytest.mark.parametrize("width", [40, 88, 180])
def test_scenes_of_any_size_stay_within_bounds(shape, width):
    image = np.zeros((*shape, 3), np.uint8)
    panels = [Panel("one", image, "a note " * 20), Panel("two", image)]
    entries = [(f"a rather long class name, number {k}", (k, k, k)) for k in range(30)]
    figure = scene_figure(panels, entries, MapFrame(*shape), page_inches(width))
    across, high = (print_millimetres(inches) for inches in figure.get_size_inches())
    assert across == pytest.approx(width)
    assert high < 20 * width
    dots = [image.get_array().shape for axes in figure.axes for image in axes.images]
    assert max(max(each[:2]) for each in dots) <= 2 * 1.5 * width / 25.4 * DPI


def test_names_are_no_formulas_and_a_legend_may_be_empty():
    figure = legend_figure([("$\\frac{broken", (1, 2, 3))], 3.0)
    assert "$\\frac{broken" in "".join(texts(to_svg(figure).decode()))
    legend_figure([], 3.0)
