import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hsi_suite.errors import InputFileError, ShapeError
from hsi_suite.tasks.retrieval.search import best_matches, similarities


def grid(lines, samples):
    return np.indices((lines, samples)).reshape(2, -1).T.astype(np.int32)


def slow_matches(scores, positions, top, apart, left_out=None):
    """Every item in turn, by falling score and then by position."""
    order = sorted(range(len(scores)), key=lambda item: (-scores[item], item))
    taken, found = [] if left_out is None else [left_out], []
    for item in order:
        y, x = (int(place) for place in positions[item])
        if all(max(abs(y - a), abs(x - b)) > apart for a, b in taken):
            taken.append((y, x))
            found.append(item)
    return found[:top]


@given(
    st.integers(0, 2**31),
    st.integers(1, 9),
    st.integers(1, 9),
    st.integers(0, 3),
    st.integers(1, 12),
    st.booleans(),
)
@settings(max_examples=150, deadline=None)
def test_matches_equal_a_slow_search(seed, lines, samples, apart, levels, leave):
    """Few levels make many ties; neighbours are left out as one by one."""
    rng = np.random.default_rng(seed)
    positions = grid(lines, samples)
    scores = (rng.integers(0, levels, len(positions)) / levels).astype(np.float32)
    top = int(rng.integers(1, len(positions) + 1))
    left_out = tuple(map(int, positions[rng.integers(len(positions))])) if leave else None
    found = best_matches(scores, positions, top, apart=apart, left_out=left_out)
    assert found.items.tolist() == slow_matches(scores, positions, top, apart, left_out)
    assert (found.scores == scores[found.items]).all()


def test_all_tied_items_come_in_the_order_of_positions():
    scores = np.full(12, 0.5, np.float32)
    assert best_matches(scores, grid(3, 4), 5).items.tolist() == [0, 1, 2, 3, 4]
    assert best_matches(scores, grid(3, 4), 5, apart=1).items.tolist() == [0, 2, 8, 10]


@pytest.mark.parametrize("top", [0, -1, 13])
def test_more_matches_than_items_are_refused(top):
    with pytest.raises(ShapeError, match="expected 1 to 12, the items of the gallery"):
        best_matches(np.zeros(12, np.float32), grid(3, 4), top)


def test_similarities_do_not_depend_on_pieces(monkeypatch):
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(1000, 24)).astype(np.float32)
    rows[500:] = rows[:500]
    query = rng.normal(size=24).astype(np.float32)
    whole = similarities(rows, query)
    assert np.allclose(whole, rows @ query, atol=1e-5)
    assert (whole[500:] == whole[:500]).all()
    monkeypatch.setattr("hsi_suite.tasks.retrieval.search._PIECE_BYTES", 8 * 24 * 7)
    assert (similarities(rows, query) == whole).all()


@pytest.mark.filterwarnings("error")
def test_wrong_queries_and_damaged_rows_are_refused():
    rows = np.zeros((4, 3), np.float32)
    with pytest.raises(ShapeError):
        similarities(rows, np.zeros(5, np.float32))
    # A NaN at which arithmetic warns; warnings are errors here.
    rows.view(np.uint32)[2, 1] = 0x7F800001
    with pytest.raises(InputFileError, match="an index: holds rows that are no numbers"):
        similarities(rows, np.ones(3, np.float32), "an index")
