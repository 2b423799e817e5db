"""Products of matrices by the faster library, against products in float64."""

import numpy as np
import pytest
import torch

from hsi_suite import matrix_products as products

onednn_alone = pytest.mark.skipif(products.onednn() is None, reason="torch without oneDNN")


def drawn(rows, others, depth):
    rng = np.random.default_rng(rows + depth)
    return (rng.normal(size=(count, depth)).astype(np.float32) for count in (rows, others))


@pytest.mark.parametrize("library", ["oneDNN", "NumPy", "lower precision elsewhere"])
@pytest.mark.parametrize(
    ("rows", "others", "depth"), [(1, 1, 1), (2, 50, 7), (40, 33, 200), (3, 2, 0)]
)
def test_a_full_product_is_that_of_doubles(library, rows, others, depth, monkeypatch):
    left, right = drawn(rows, others, depth)
    if library == "NumPy":
        monkeypatch.setattr(products, "onednn", lambda: None)
    if library == "lower precision elsewhere":
        monkeypatch.setattr(torch, "get_float32_matmul_precision", lambda: "medium")
        # What it would compute then is not fp32 on every processor.
        monkeypatch.setattr(products, "onednn", lambda: pytest.fail)
    found = products.full_product(left, right)
    assert found.dtype == np.float32
    expected = left.astype(float) @ right.T.astype(float)
    lengths = np.linalg.norm(left, axis=1)[:, None] * np.linalg.norm(right, axis=1)
    assert (np.abs(found - expected) <= 1e-6 * lengths).all()


@onednn_alone
def test_equal_rows_have_equal_products():
    rng = np.random.default_rng(1)
    for _ in range(40):
        depth, rows, others = rng.integers((1, 1, 2), (600, 60, 400))
        left, few = drawn(rows, 3, depth)
        which, turn = rng.integers(3, size=others), rng.integers(rows, size=rows)
        found = products.full_product(left[turn], few[which])
        first = {kind: column for column, kind in reversed(list(enumerate(which)))}
        np.testing.assert_array_equal(found, found[:, [first[kind] for kind in which]])
        seen = {kind: row for row, kind in reversed(list(enumerate(turn)))}
        np.testing.assert_array_equal(found, found[[seen[kind] for kind in turn]])


@onednn_alone
@pytest.mark.parametrize("which", ["left", "right"])
def test_parts_of_wider_rows_are_copied_first(which, monkeypatch):
    given, library = [], products.onednn()

    def spy(left, right, *others):
        given.extend((left, right))
        return library(left, right, *others)

    monkeypatch.setattr(products, "onednn", lambda: spy)
    wide, narrow = torch.randn(20, 30), torch.randn(6, 7)
    pair = (wide[:, 5:12], narrow) if which == "left" else (narrow, wide[:, 5:12])
    torch.testing.assert_close(products.product(*pair), pair[0] @ pair[1].t())
    products.full_product(*(each.numpy() for each in pair))
    # Transposed ones are taken as they lie.
    products.product(torch.randn(7, 6).t(), narrow)
    assert all(each.is_contiguous() or each.t().is_contiguous() for each in given)
    assert not given[4].is_contiguous()
