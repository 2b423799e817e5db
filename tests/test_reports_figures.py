import io
import xml.etree.ElementTree as ElementTree

import matplotlib
import numpy as np
import pytest
from PIL import Image

from hsi_suite.errors import Note, OutputError, ShapeError
from hsi_suite.palette import class_colours
from hsi_suite.reports.drawing import data_uri, house_style, save_png, to_png, to_svg
from hsi_suite.reports.figures import (
    confusion_figure,
    distance_figure,
    has_curves,
    learning_curves_figure,
)
from hsi_suite.reports.maps import (
    NO_DATA,
    false_colour,
    map_figure,
)

HISTORY = [
    {"epoch": e, "learning_rate": 1e-3, "train_loss": 2.0 / e, "train_accuracy": 1 - 0.5 / e}
    for e in range(1, 6)
]


def pixels(figure):
    return np.asarray(Image.open(io.BytesIO(to_png(figure))).convert("RGB"))


def texts(figure):
    return [text.get_text() for text in figure.texts]


def toy_map(lines=12, samples=17, num_classes=4):
    labels = np.arange(lines * samples).reshape(lines, samples) % num_classes + 1
    rgb = np.zeros((lines, samples, 3), np.uint8)
    return labels, rgb, [f"class {k}" for k in range(1, num_classes + 1)]


def test_false_colour_stretches_each_band_between_its_quantiles():
    values = np.arange(101, dtype=np.float64).reshape(1, 101)
    cube = np.stack([values, 1000 * values, np.full_like(values, 7.0)], axis=-1)
    picture = false_colour(cube, (0, 1, 2))
    assert picture.dtype == np.uint8
    np.testing.assert_array_equal(picture[..., 0], picture[..., 1])
    assert picture[0, :3, 0].tolist() == [0, 0, 0]
    assert picture[0, 98:, 0].tolist() == [255, 255, 255]
    assert picture[0, 50, 0] == 128
    assert (picture[..., 2] == 128).all()


def test_false_colour_leaves_missing_pixels_out_of_the_stretch():
    generator = np.random.default_rng(0)
    cube = generator.random((20, 20, 3))
    spoiled, valid = cube.copy(), np.ones((20, 20), bool)
    spoiled[0, 0] = np.nan
    spoiled[1, :] = 1e9
    valid[0, 0] = False
    valid[1, :] = False
    picture = false_colour(spoiled, (0, 1, 2), valid)
    assert (picture[~valid] == NO_DATA).all()
    np.testing.assert_array_equal(picture[2:], false_colour(cube, (0, 1, 2), valid)[2:])
    assert (false_colour(np.full((2, 2, 3), np.nan), (0, 1, 2)) == NO_DATA).all()


def test_map_shows_every_scene_pixel_as_a_crisp_square():
    labels, rgb, names = toy_map(num_classes=3)
    image = pixels(map_figure(labels, None, rgb, names, title="t", synthetic=False))
    # The map is the part of the picture that has saturated colours over its whole width.
    hits = (image[:, :, None] == class_colours(3)[1:]).all(axis=-1).any(axis=-1)
    rows = np.flatnonzero(hits.sum(axis=1) > 400)
    columns = np.flatnonzero(hits[rows[0]])
    square = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = square.shape[0] // labels.shape[0]
    assert scale > 1
    expected = np.kron(labels, np.ones((scale, scale), int))
    np.testing.assert_array_equal(square, class_colours(3)[expected])


def test_map_colours_are_the_palette_and_missing_pixels_are_grey():
    labels, rgb, names = toy_map()
    valid = np.ones(labels.shape, bool)
    valid[:3] = False
    image = pixels(
        map_figure(labels, labels * 0, rgb, names, title="t", synthetic=False, valid=valid)
    )
    for colour in (*class_colours(4), NO_DATA):
        assert (image == colour).all(axis=-1).any()


def test_legend_names_every_class_and_synthetic_scenes_are_called_so():
    labels, rgb, names = toy_map()
    names[0] = "$\\frac{broken^math \x1b[31m <b>"
    shown = texts(map_figure(labels, labels, rgb, names, title="meadows", synthetic=True))
    assert "meadows — synthetic scene" in shown
    assert {"false colour", "ground truth", "map", *names[1:]} <= set(shown)
    assert any(text.startswith("$\\frac") for text in shown)
    plain = texts(map_figure(labels, None, rgb, names, title="meadows", synthetic=False))
    assert "meadows" in plain
    assert "ground truth" not in plain


def test_split_panel_has_its_own_legend():
    labels, rgb, names = toy_map()
    parts = np.where(labels == 1, 1, 3)
    figure = map_figure(labels, labels, rgb, names, title="t", synthetic=False, split_parts=parts)
    shown = texts(figure)
    assert {"split", "split: training", "split: test"} <= set(shown)
    assert "split: validation" not in shown


@pytest.mark.parametrize(
    ("shape", "num_classes"),
    [((3000, 40), 2), ((40, 3000), 25), ((1, 1), 2), ((2600, 2600), 3), ((145, 145), 60)],
)
def test_maps_of_any_size_stay_within_bounds(shape, num_classes):
    labels = np.ones(shape, int)
    rgb = np.zeros((*shape, 3), np.uint8)
    names = [f"a rather long class name, number {k}" for k in range(num_classes)]
    figure = map_figure(labels, labels, rgb, names, title="t" * 400, synthetic=True)
    width, height = figure.get_size_inches() * figure.dpi
    assert 900 < width < 2300
    assert height < 3500
    assert set(names) <= set(texts(figure))


def test_the_legend_names_the_labels_that_occur():
    labels, rgb, _ = toy_map()
    labels[labels == 4] = 60_000
    names = [f"class {k}" for k in range(1, 60_001)]
    figure = map_figure(labels, labels, rgb, names, title="t", synthetic=False)
    assert set(texts(figure)) & set(names) == {"class 1", "class 2", "class 3", "class 60000"}


def test_layers_that_do_not_fit_are_refused():
    labels, rgb, names = toy_map()
    with pytest.raises(ShapeError, match="ground truth"):
        map_figure(labels, labels[:-1], rgb, names, title="t", synthetic=False)
    with pytest.raises(ShapeError, match="labels 1 … 4"):
        map_figure(labels, None, rgb, names[:2], title="t", synthetic=False)


def figures():
    labels, rgb, names = toy_map()
    yield map_figure(labels, labels, rgb, names, title="t", synthetic=False)
    yield confusion_figure(np.diag([3, 10000, 2, 0]), names)
    yield confusion_figure(np.eye(40, dtype=int), [str(k) for k in range(40)])
    yield learning_curves_figure(HISTORY)
    yield distance_figure([[1, 90], [2, 5], [12, 5]])


def test_equal_inputs_give_equal_bytes_whatever_the_users_settings():
    first = [(to_png(figure), to_svg(figure)) for figure in figures()]
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "red", "svg.fonttype": "none"}):
        second = [(to_png(figure), to_svg(figure)) for figure in figures()]
    assert first == second


@pytest.mark.parametrize("kind", ["png", "svg"])
def test_one_drawing_gives_the_bytes_of_two(kind):
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    left_to_an_engine = 0
    # Of a figure each, since matplotlib itself draws some otherwise the second time.
    for figure, other in zip(figures(), figures(), strict=True):
        engine = figure.get_layout_engine()
        ours = to_svg(figure).encode() if kind == "svg" else to_png(figure)
        assert figure.get_layout_engine() is engine
        more = (
            {"transparent": True, "metadata": nothing}
            if kind == "svg"
            else {"dpi": "figure", "metadata": {"Software": None}}
        )
        with house_style():
            other.savefig(plain := io.BytesIO(), format=kind, **more)
        assert ours == plain.getvalue()
        left_to_an_engine += engine is not None
    assert left_to_an_engine > 3


def test_a_figure_is_drawn_once(monkeypatch):
    figure, times = learning_curves_figure(HISTORY), []
    draw = type(figure).draw
    monkeypatch.setattr(
        type(figure), "draw", lambda self, *rest: (times.append(1), draw(self, *rest))
    )
    to_svg(figure)
    to_png(figure)
    assert len(times) == 2


def test_the_users_settings_are_left_alone():
    before = dict(matplotlib.rcParams)
    with house_style():
        assert matplotlib.rcParams["svg.hashsalt"] == "hsi_suite"
    for figure in figures():
        to_svg(figure)
    assert dict(matplotlib.rcParams) == before


def test_svg_is_well_formed_and_undated():
    for figure in figures():
        text = to_svg(figure)
        assert ElementTree.fromstring(text).tag.endswith("svg")
        assert "dc:date" not in text
        assert matplotlib.__version__ not in text


def test_png_holds_no_version(tmp_path):
    path = tmp_path / "deep" / "map.png"
    save_png(distance_figure([[1, 1]]), path)
    assert Image.open(path).format == "PNG"
    assert "Software" not in Image.open(path).info
    assert [p.name for p in path.parent.iterdir()] == ["map.png"]


def test_unwritable_place_is_one_clear_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        save_png(distance_figure([[1, 1]]), tmp_path / "file" / "map.png")


def test_data_uri_is_base64():
    assert data_uri(b"\x00\x01", "png") == "data:image/png;base64,AAE="
    assert data_uri("é", "svg+xml") == "data:image/svg+xml;base64,w6k="


def test_confusion_writes_counts_and_names():
    figure = confusion_figure([[5, 0], [123456, 7]], ["$x^2$", "b\nc"])
    axes = figure.axes[0]
    assert sorted(text.get_text() for text in axes.texts) == ["123456", "5", "7"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["$x^2$", "b c"]
    to_svg(figure)


@pytest.mark.parametrize(
    ("keys", "titles"),
    [
        (("train_loss",), ["training loss"]),
        (("epoch", "train_loss", "train_accuracy"), ["training loss", "training accuracy"]),
        (("epoch", "learning_rate"), ["learning rate"]),
    ],
)
def test_curves_draw_what_the_history_has(keys, titles):
    history = [{key: row[key] for key in keys} for row in HISTORY]
    figure = learning_curves_figure(history)
    assert [axes.get_title() for axes in figure.axes] == titles


def test_validation_curves_share_the_panel_and_gaps_are_allowed():
    history = [dict(row, validation_overall_accuracy=None) for row in HISTORY]
    history[-1]["validation_overall_accuracy"] = 0.8
    axes = learning_curves_figure(history).axes[1]
    assert [line.get_label() for line in axes.lines] == [
        "training accuracy",
        "validation overall accuracy",
    ]
    assert np.isnan(axes.lines[1].get_ydata()[:-1]).all()


@pytest.mark.parametrize("history", [[], [{"epoch": 1}], [{"train_loss": None}]])
def test_a_history_without_figures_has_no_curves(history):
    assert not has_curves(history)
    with pytest.raises(ValueError, match="no figures"):
        learning_curves_figure(history)


def test_distances_are_shares_of_the_test_pixels():
    bars = distance_figure([[1, 75], [3, 25]]).axes[0].patches
    assert [(bar.get_x() + bar.get_width() / 2, bar.get_height()) for bar in bars] == [
        (1.0, 75.0),
        (3.0, 25.0),
    ]


def test_chinese_names_are_written_by_a_font_that_has_them(monkeypatch):
    from matplotlib import rcParams

    from hsi_suite.reports import drawing

    # STIX, which matplotlib brings, stands for a Chinese font.
    monkeypatch.setattr(drawing, "chinese_font", lambda: "STIXGeneral")
    drawing._style.cache_clear()
    try:
        with drawing.house_style():
            assert rcParams["font.family"] == ["DejaVu Sans", "STIXGeneral"]
    finally:
        drawing._style.cache_clear()


def test_signs_without_a_font_are_told_once_in_one_line(monkeypatch):
    from hsi_suite.reports import fonts
    from hsi_suite.reports.drawing import to_svg

    monkeypatch.setattr(fonts, "_said", set())
    drawing = distance_figure([[1, 100]])
    drawing.axes[0].set_title("maize \U00013000\U00013001")
    with pytest.warns() as told:
        assert to_svg(drawing) == to_svg(drawing)
    (note,) = told
    assert issubclass(note.category, Note)
    assert "\U00013000\U00013001" in str(note.message) and "Noto Sans CJK SC" in str(note.message)
