"""Thousands of classes: memory grows with the pixels, not with the square of the classes."""

import json
import tracemalloc

import numpy as np
import pytest

from hsi_suite.data.class_name_file import read_class_names
from hsi_suite.data.disjoint_split import validation_blocks
from hsi_suite.data.partition_search import class_members
from hsi_suite.data.splits import pixels_by_label, random_split
from hsi_suite.errors import ConfigError, InputFileError
from hsi_suite.metrics.classification import confusion_matrix, scores
from hsi_suite.metrics.confusion import MOST_IN_FULL, Confusion
from hsi_suite.models.classical import CLASSICAL
from hsi_suite.reports.batches.classes import confusion_table
from hsi_suite.reports.batches.content import GroupFacts, RunFacts
from hsi_suite.reports.batches.maps import count_votes
from hsi_suite.reports.classification import class_table
from hsi_suite.reports.confusions import confusion_section
from hsi_suite.reports.content import classes_note
from hsi_suite.reports.drawing import LONGEST_EDGE, MOST_PIXELS, to_png
from hsi_suite.reports.figures import MOST_IN_MATRIX, MOST_PAIRS, confusion_figure
from hsi_suite.reports.maps import map_figure

MANY = 20_000


def predictions(num_classes, pixels, seed=0):
    rng = np.random.default_rng(seed)
    truth = np.arange(pixels) % num_classes
    wrong = rng.random(pixels) < 0.3
    return truth, np.where(wrong, rng.integers(num_classes, size=pixels), truth)


def metrics_of(num_classes, pixels):
    names = [f"class {k}" for k in range(num_classes)]
    test = scores(Confusion.of(*predictions(num_classes, pixels), num_classes)).to_dict(names)
    classes = [{"label": k, "name": name} for k, name in enumerate(names, 1)]
    return {"classes": classes, "test": test, "task": "classification", "model": "m"}


def peak_megabytes(work):
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()


def pixels_of(figure):
    width, height = figure.get_size_inches() * figure.dpi
    return width * height


@pytest.mark.parametrize("num_classes", [3, 40, 300])
def test_cells_score_as_the_full_matrix(num_classes):
    truth, answer = predictions(num_classes, 5_000)
    names = [str(k) for k in range(num_classes)]
    cells = scores(Confusion.of(truth, answer, num_classes)).to_dict(names)
    assert cells == scores(confusion_matrix(truth, answer, num_classes)).to_dict(names)
    again = Confusion.from_plain(json.loads(json.dumps(cells["confusion_matrix"])))
    np.testing.assert_array_equal(again.matrix(), confusion_matrix(truth, answer, num_classes))
    assert isinstance(cells["confusion_matrix"], list) == (num_classes <= MOST_IN_FULL)


def test_scores_and_page_of_many_classes_stay_small():
    def work():
        metrics = metrics_of(4_000, 8_000)
        assert len(json.dumps(metrics["test"])) < 1e6
        (figure,) = confusion_section(metrics, "pixels").blocks
        assert len(figure.tables[0].rows) == MOST_PAIRS
        assert len(class_table(metrics, "", 100).rows) == 100
        assert "100 classes of lowest F1 out of 4,000" in classes_note(metrics, 100)

    # A full matrix alone would take 128, as lists four times that.
    assert peak_megabytes(work) < 60


@pytest.mark.parametrize("num_classes", [MOST_IN_MATRIX, MOST_IN_MATRIX + 1, 1000, MANY])
def test_the_confusion_figure_does_not_grow_with_the_classes(num_classes):
    truth, answer = predictions(num_classes, max(2000, num_classes))
    names = [f"class {k}" for k in range(num_classes)]
    figure = confusion_figure(Confusion.of(truth, answer, num_classes), names)
    assert pixels_of(figure) < 2e6
    assert sum(len(axes.texts) for axes in figure.axes) < 700


def test_a_perfect_classifier_of_many_classes_has_a_figure_too():
    figure = confusion_figure(
        Confusion.of(np.arange(90), np.arange(90), 90), list(map(str, range(90)))
    )
    assert [text.get_text() for text in figure.axes[0].texts] == ["no confusions"]


def test_a_map_names_the_largest_of_many_classes():
    labels = np.arange(1, 40_001).reshape(200, 200) % MANY + 1
    names = [f"class {k}" for k in range(1, MANY + 1)]
    grey = np.zeros((200, 200, 3), np.uint8)
    figure = map_figure(labels, labels, grey, names, title="t", synthetic=False)
    assert pixels_of(figure) < 12e6
    assert any("19,904 more classes" in text.get_text() for text in figure.texts)


def test_no_figure_is_drawn_larger_than_the_bound():
    from matplotlib.figure import Figure

    png = to_png(Figure(figsize=(2.0, 900.0)), dpi=200)
    width, height = (int.from_bytes(png[k : k + 4], "big") for k in (16, 20))
    assert width * height <= MOST_PIXELS
    assert height <= LONGEST_EDGE


def test_class_names_are_read_in_linear_time(tmp_path):
    path = tmp_path / "names.txt"
    path.write_text("\n".join(f"class {k}" for k in range(100_000)))
    # Compared pair by pair, these would take minutes.
    assert len(read_class_names(path)) == 100_000
    path.write_text("a\nb\na\n")
    with pytest.raises(InputFileError, match="line 3 repeats 'a'"):
        read_class_names(path)


def test_pixels_by_label_are_those_of_a_look_at_each_label():
    labels = np.random.default_rng(0).integers(0, 9, (30, 20))
    found = pixels_by_label(labels)
    assert sorted(found) == list(range(1, 9))
    for label, pixels in found.items():
        np.testing.assert_array_equal(pixels, np.flatnonzero(labels == label))
    many = np.arange(2 * MANY).reshape(200, -1) % MANY + 1
    split = random_split(many, train=0.5, generator=np.random.default_rng(0))
    assert len(split.classes) == MANY


def test_tables_of_cells_are_held_by_their_members():
    rng = np.random.default_rng(0)
    cells, ranks = rng.integers(0, 50, 400), rng.integers(0, 7, 400)
    table = np.zeros((50, 7), int)
    np.add.at(table, (cells, ranks), 1)
    members = class_members(cells, ranks, 50)
    np.testing.assert_array_equal([np.bincount(m, minlength=7) for m in members], table)
    labels = np.arange(4000).reshape(50, 80) % 2000 + 1
    peak = peak_megabytes(
        lambda: validation_blocks(labels, np.arange(4000), 0.5, 1, np.random.default_rng(0))
    )
    assert peak < 16  # a table of blocks × classes takes 64


def test_classical_models_refuse_what_they_cannot_do():
    CLASSICAL["svm"].check_size(16, 3_000)
    CLASSICAL["forest"].check_size(16, 45_000)
    with pytest.raises(ConfigError, match="179,700 machines"):
        CLASSICAL["svm"].check_size(600, 12_000)
    with pytest.raises(ConfigError, match=r"lower split\.train"):
        CLASSICAL["forest"].check_size(3_000, 12_000)


def test_votes_of_many_classes_are_counted_pixel_by_pixel():
    rng = np.random.default_rng(0)
    maps = [rng.integers(0, 4, (6, 7)).astype(np.uint16) for _ in range(5)]
    votes = count_votes(maps)
    stack = np.stack(maps)
    for place in np.ndindex(6, 7):
        counts = np.bincount(stack[(slice(None), *place)], minlength=4)
        counts[0] = 0
        assert votes.winner[place] == (counts.argmax() if counts.any() else 0)
        shares = counts[counts > 0] / 5
        assert votes.entropy[place] == pytest.approx(-(shares * np.log2(shares)).sum(), abs=1e-6)


def test_confusions_of_a_batch_of_many_classes_are_listed():
    metrics = [metrics_of(2_000, 8_000), metrics_of(2_000, 8_000)]
    runs = [RunFacts(f"r{k}", m, {}, [], {}, "") for k, m in enumerate(metrics)]
    facts = GroupFacts({"name": "g", "model": "m", "task": "classification"}, runs)
    table = []
    # Runs × classes × classes would take 64.
    assert peak_megabytes(lambda: table.append(confusion_table(facts))) < 40
    assert len(table[0].rows) == 40
    worst = table[0].cells[0][2].order
    assert worst == max(row[2].order for row in table[0].cells)
