import tracemalloc

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, ndcg_score

from hsi_suite.errors import ShapeError
from hsi_suite.matrix_products import onednn
from hsi_suite.metrics.ranking_scores import RECALL_LEVELS
from hsi_suite.metrics.retrieval import retrieval_scores


def loop_scores(queries, gallery, query_labels, gallery_labels, k):
    """The same figures, one query and one item at a time."""
    average, at, hits, gained = [], [], [], []
    for query, label in zip(queries, query_labels, strict=True):
        scores = [float(np.float32(query @ item)) for item in gallery]
        relevant = [bool(np.any(np.logical_and(label, other))) if np.ndim(label)
                    else label == other for other in gallery_labels]  # fmt: skip
        if not any(relevant):
            continue
        average.append(average_precision_score(relevant, scores))
        gains = [int(np.sum(np.logical_and(label, other))) if np.ndim(label)
                 else int(label == other) for other in gallery_labels]  # fmt: skip
        gained.append(ndcg_score([gains], [scores]) if len(gallery) > 1 else 1.0)
        ranking = sorted(range(len(gallery)), key=lambda item: (-scores[item], item))[:k]
        total, seen = 0.0, 0
        for rank, item in enumerate(ranking, 1):
            if relevant[item]:
                seen += 1
                total += seen / rank
        at.append(total / min(sum(relevant), k))
        hits.append(seen > 0)
    return np.mean(average), np.mean(at), np.mean(hits), np.mean(gained)


def test_a_ranking_judged_by_hand():
    # Ranking of the gallery: relevant, not, relevant, not.
    gallery = np.array([[1.0, 0], [0.9, 0], [0.8, 0], [0.7, 0]])
    found = retrieval_scores(
        np.array([[1.0, 0]]), gallery, np.array([7]), np.array([7, 2, 7, 2]),
        similarity="dot", cutoffs=(1, 2, 3),
    )  # fmt: skip
    assert found.mean_average_precision == pytest.approx((1 + 2 / 3) / 2)
    assert found.mean_average_precision_at == pytest.approx({1: 1.0, 2: 0.5, 3: 5 / 6})
    assert found.recall_at == {1: 1.0, 2: 1.0, 3: 1.0}
    best = 1 + 1 / np.log2(3)
    assert found.normalised_discounted_cumulative_gain == pytest.approx(1.5 / best)
    expected = np.where(RECALL_LEVELS <= 0.5, 1, 2 / 3)
    np.testing.assert_allclose(found.precision, expected)


def test_all_tied_is_the_share_of_relevant_items():
    ones = np.ones((5, 3))
    found = retrieval_scores(
        ones, ones, np.arange(5) % 2, np.array([0, 0, 1, 1, 1]), cutoffs=(1, 3)
    )
    assert found.average_precisions == pytest.approx([0.4, 0.6, 0.4, 0.6, 0.4])
    assert found.mean_average_precision_at[1] == pytest.approx(3 / 5)
    assert found.macro_average_precision == pytest.approx(0.5)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 12), st.integers(1, 15), st.booleans(), st.booleans())
def test_equals_the_loop_ties_included(seed, queries, gallery, multi, chunked):
    rng = np.random.default_rng(seed)
    # Few whole numbers, so that many scores are equal.
    first = rng.integers(-1, 2, (queries, 2)).astype(float)
    second = rng.integers(-1, 2, (gallery, 2)).astype(float)
    if multi:
        labels = [rng.integers(0, 2, (count, 3)) for count in (queries, gallery)]
    else:
        labels = [rng.integers(0, 3, count) for count in (queries, gallery)]
    k = int(rng.integers(1, gallery + 1))
    shares = [
        bool(np.any(np.logical_and(a, b))) if multi else a == b
        for a in labels[0]
        for b in labels[1]
    ]
    arguments = {"similarity": "dot", "cutoffs": (k,), "memory": 100 if chunked else 1e6}
    if not any(shares):
        with pytest.raises(ShapeError, match="class"):
            retrieval_scores(first, second, *labels, **arguments)
        return
    found = retrieval_scores(first, second, *labels, **arguments)
    average, at, hits, gained = loop_scores(first, second, *labels, k)
    assert found.normalised_discounted_cumulative_gain == pytest.approx(gained, abs=1e-9)
    assert found.mean_average_precision == pytest.approx(average, abs=1e-12)
    assert found.mean_average_precision_at[k] == pytest.approx(at, abs=1e-12)
    assert found.recall_at[k] == pytest.approx(hits)


def test_cosine_looks_at_directions_alone():
    rng = np.random.default_rng(0)
    queries, gallery = rng.normal(size=(20, 4)), rng.normal(size=(30, 4))
    labels = rng.integers(0, 3, 20), rng.integers(0, 3, 30)
    first = retrieval_scores(queries, gallery, *labels, cutoffs=(1, 10))
    second = retrieval_scores(
        queries * rng.uniform(0.5, 9, (20, 1)), gallery * rng.uniform(0.5, 9, (30, 1)), *labels,
        cutoffs=(1, 10),
    )  # fmt: skip
    np.testing.assert_allclose(first.average_precisions, second.average_precisions, atol=1e-6)


def test_scores_at_the_border_of_the_narrow_keys():
    # 2 exactly, though the product of the lengths is rounded to a little less.
    ones, labels = np.array([[-1.0, -1.0], [1.0, 1.0]]), np.array([0, 1])
    found = retrieval_scores(-ones, ones, labels, labels, similarity="dot")
    assert list(found.average_precisions) == [0.5, 0.5]
    assert found.normalised_discounted_cumulative_gain == pytest.approx(1 / np.log2(3))


def test_threads_change_no_bit(monkeypatch):
    rng = np.random.default_rng(0)
    queries, gallery = rng.integers(-2, 3, (90, 3)) + 0.0, rng.integers(-2, 3, (70, 3)) + 0.0
    labels = rng.integers(0, 4, 90), rng.integers(0, 4, 70)
    found = []
    for threads in (1, 2, 5):
        monkeypatch.setattr("torch.get_num_threads", lambda threads=threads: threads)
        found.append(retrieval_scores(queries, gallery, *labels, cutoffs=(5,), memory=1e5))
    for other in found[1:]:
        np.testing.assert_array_equal(found[0].average_precisions, other.average_precisions)
        np.testing.assert_array_equal(found[0].precision, other.precision)
        assert found[0].recall_at == other.recall_at


@pytest.mark.skipif(onednn() is None, reason="torch without oneDNN")
def test_equal_items_share_their_places():
    # Products of equal rows have equal bits, so that items listed twice favour nobody.
    rng = np.random.default_rng(0)
    for depth in (2, 7, 33, 64, 250):
        single = rng.normal(size=(4, depth))
        which = rng.permutation(np.arange(60) % 4)
        queries, labels = rng.normal(size=(21, depth)), rng.integers(0, 3, (60,))
        found = retrieval_scores(queries, single[which], np.zeros(21, int), labels)
        lengths = np.linalg.norm(single, axis=1)
        scores = (queries @ single.T / lengths)[:, which]
        as_high = scores[:, :, None] <= scores[:, None, :]
        precision = as_high[:, :, labels == 0].sum(2) / as_high.sum(2)
        expected = precision[:, labels == 0].mean(1)
        np.testing.assert_allclose(found.average_precisions, expected, atol=1e-12)


def test_torch_keeps_its_threads():
    rng = np.random.default_rng(0)
    items, labels = rng.normal(size=(40, 3)), rng.integers(0, 2, 40)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        retrieval_scores(items, items, labels, labels, memory=1e5)
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)


def test_memory_is_kept_to(monkeypatch):
    monkeypatch.setattr("torch.get_num_threads", lambda: 1)
    rng = np.random.default_rng(0)
    items, labels = rng.normal(size=(150, 4)).astype(np.float32), np.zeros(150, int)
    retrieval_scores(items, items, labels, labels)
    tracemalloc.start()
    retrieval_scores(items, items, labels, labels, cutoffs=(150,), memory=2e6)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2e6 / 2


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"gallery": np.zeros((0, 2)), "gallery_labels": np.zeros(0, int)}, "no items"),
        ({"gallery": np.zeros((4, 3))}, "shape"),
        ({"gallery_labels": np.zeros(3, int)}, "one for each"),
        ({"gallery_labels": np.zeros((4, 2), int)}, "classes"),
        ({"cutoffs": (5,)}, "1 to 4"),
        ({"queries": np.full((3, 2), np.nan)}, "not finite"),
        ({"gallery": np.full((4, 2), np.inf)}, "not finite"),
    ],
)
def test_what_does_not_belong_together_is_refused(change, said):
    arguments = {
        "queries": np.ones((3, 2)),
        "gallery": np.ones((4, 2)),
        "query_labels": np.zeros(3, int),
        "gallery_labels": np.zeros(4, int),
        "cutoffs": (1,),
    } | change
    with pytest.raises(ShapeError, match=said):
        retrieval_scores(**arguments)
