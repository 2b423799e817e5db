import numpy as np
import pytest
from matplotlib.text import Text

from hsi_suite.reports.document import Remark, Table, columns
from hsi_suite.reports.drawing import to_png
from hsi_suite.reports.html import html_page
from hsi_suite.reports.retrieval.query_figures import (
    CommonSpace,
    Tile,
    common_space_figure,
    contact_sheet_figure,
    query_spectra_figure,
    similarity_text,
)
from hsi_suite.reports.retrieval.query_page import RetrievalQueryReport, retrieval_query_page
from hsi_suite.reports.retrieval.score_map import ScaleBar, score_map_figure

RNG = np.random.default_rng(0)


def map_figure(shape=(12, 15), step=1, scores=None):
    scores = RNG.random(shape, np.float32) if scores is None else scores
    picture = RNG.integers(0, 255, (shape[0] * step, shape[1] * step, 3)).astype(np.uint8)
    matches = np.array([[2, 3], [5, 6]])
    return score_map_figure(scores, picture, matches, ScaleBar(5, "100 m"), "a $query$", step)


def space(labels=True, dimensions=2):
    points = RNG.normal(size=(40, dimensions))
    names = ["Water", "a $b$ _c"]
    known = RNG.integers(0, 3, 40) if labels else None
    scores = RNG.random(40, np.float32)
    return CommonSpace(points, known, names, scores, points[:3], points[0], 0.8)


def tile(caption="1: 0.9\nline 1, sample 2\n$Water$"):
    return Tile(RNG.integers(0, 255, (25, 25, 3)).astype(np.uint8), (10, 10, 5, 5), caption)


def test_equal_inputs_give_equal_pictures():
    scores = np.linspace(-1, 1, 180, dtype=np.float32).reshape(12, 15)
    picture = np.zeros((12, 15, 3), np.uint8)
    made = [
        to_png(score_map_figure(scores, picture, np.array([[1, 1]]), ScaleBar(5, "x"), "t"))
        for _ in range(2)
    ]
    assert made[0] == made[1]
    assert made[0].startswith(b"\x89PNG")


@pytest.mark.parametrize("value", [0.3, 1.0])
def test_a_map_of_one_value_and_with_gaps_is_drawn(value):
    scores = np.full((12, 15), value, np.float32)
    scores[3:6] = np.nan
    assert to_png(map_figure(scores=scores))


def test_long_and_wide_maps_are_drawn():
    for shape in ((3, 60), (60, 3), (1, 1)):
        assert to_png(map_figure(shape, step=2))


@pytest.mark.parametrize("count", [1, 5, 11])
def test_contact_sheets_of_any_size(count):
    assert to_png(contact_sheet_figure([tile()] * count, "found"))


def test_spectra_break_at_gaps_and_where_nothing_was_measured():
    centres = np.array([500.0, 510, 520, 800, 810, 820])
    query = np.array([1.0, 2, np.nan, 3, 4, 5])
    figure = query_spectra_figure(centres, query, np.ones((4, 6)), "nm", 4)
    mean, drawn = figure.axes[0].lines
    assert np.isnan(mean.get_xdata()).sum() == 1
    assert np.isnan(drawn.get_ydata()).sum() == 2
    without = query_spectra_figure(centres, np.empty(0), np.ones((4, 6)), "nm", 4)
    assert len(without.axes[0].lines) == 1


@pytest.mark.parametrize("labels", [True, False])
def test_the_common_space_is_coloured_by_class_or_by_similarity(labels):
    assert to_png(common_space_figure(space(labels)))


def test_similarities_never_read_one_too_early():
    assert [similarity_text(value) for value in (1.0, 0.99999, 0.5, -1.0)] == [
        "1.0000", "0.9999", "0.5000", "-1.0000",
    ]  # fmt: skip


def test_the_page_escapes_what_it_shows_and_marks_warnings():
    document = retrieval_query_page(
        RetrievalQueryReport(
            title="Search: <script>alert(1)</script>",
            lead="10 pixels searched",
            remarks=[Remark("Nothing like it.", True), Remark("Fine.")],
            score_map=map_figure(),
            sheet=contact_sheet_figure([tile()], "found"),
            spectra=None,
            spectra_words="",
            space=common_space_figure(space()),
            space_words="Two axes.",
            matches=Table("", columns("rank", "label"), [["1", "<b>Water</b>"]]),
            query=[("query", "a & b")],
            gallery=[("gallery", "jasper")],
            command="hsi retrieve query",
        )
    )
    page = html_page(document)
    assert "<script" not in page
    assert "&lt;b&gt;Water&lt;/b&gt;" in page
    assert "<strong>Note:</strong> Nothing like it." in page
    assert page.count("<img") == 3
    assert "Spectra</h2>" not in page


@pytest.mark.parametrize("shape", [(100, 120), (9, 9), (300, 40)])
@pytest.mark.parametrize("close", [0, 1, 5])
def test_the_numbers_of_matches_lie_beside_each_other(shape, close):
    """Also where matches are neighbours, or lie in a corner."""
    rng = np.random.default_rng(1)
    for middle in (np.array(shape) // 2, np.array([0, 0]), np.array(shape) - 1):
        near = middle + rng.integers(-close, close + 1, (12, 2))
        matches = np.clip(near, 0, np.array(shape) - 1)
        picture = np.zeros((*shape, 3), np.uint8)
        scores = rng.random(shape, np.float32)
        figure = score_map_figure(scores, picture, matches, ScaleBar(2, "2 pixels"), "a query")
        figure.draw_without_rendering()
        numbers = [text for text in figure.axes[0].texts if text.get_text().isdigit()]
        assert [text.get_text() for text in numbers] == list("123456789")
        # Their own boxes: those of annotations hold the line to the match too.
        boxes = [Text.get_window_extent(text) for text in numbers]
        for index, box in enumerate(boxes):
            assert not any(box.overlaps(other) for other in boxes[:index])
