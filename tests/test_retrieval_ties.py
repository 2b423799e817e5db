"""Items that a gallery holds twice tie exactly, wherever they stand in batches and blocks."""

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from retrieval_samples import gaussian_pairs

from hsi_suite.alike_rows import alike
from hsi_suite.data.modalities import Modality, unit_rows
from hsi_suite.data.pairs import Pairs
from hsi_suite.matrix_products import onednn
from hsi_suite.models.dscmr import DSCMR
from hsi_suite.tasks.retrieval import baselines, choice
from hsi_suite.tasks.retrieval.retriever import RetrieverHeader, untrained_retriever
from hsi_suite.tasks.retrieval.scoring import Ranking, validation_arena
from hsi_suite.tasks.retrieval.search import best_matches, similarities

pytestmark = pytest.mark.skipif(onednn() is None, reason="torch without oneDNN")

DIRECTIONS = ("there", "back")


def places(number):
    """Where the same item stands: at both ends, around borders of blocks, in odd places."""
    near = [0, 1, 2, 7, 8, 15, 16, 17, 33, 255, 256, 511, 512, 1023, 1024, 1025]
    return sorted({place for place in (*near, number // 3, number - 1) if place < number})


def doubled(items):
    """Items of which the first stands in many places."""
    items = items.copy()
    items[places(len(items))] = items[0]
    return items


def assert_alike(rows):
    found = rows[places(len(rows))]
    np.testing.assert_array_equal(found, np.broadcast_to(found[0], found.shape))


def prepared_pairs(pairs):
    """What baselines are told of pairs that come ready made."""
    modalities = (Modality("features", 40), Modality("features", 25))
    return SimpleNamespace(
        parts=SimpleNamespace(train=pairs, validation=pairs.take(np.arange(0))),
        modalities=modalities,
        names=("first", "second"),
    )


@pytest.mark.parametrize("number", [1, 1026, 5000])
def test_equal_rows_that_cancel_have_equal_similarities(number):
    """Of orthogonal rows nothing but what rounding leaves is told, which the order decides."""
    rng = np.random.default_rng(number)
    for dimensions in (7, 24, 130):
        query = rng.normal(size=2 * dimensions).astype(np.float32)
        # At odds with the query pair by pair, in another order than the pairs'.
        turned = np.stack([query[dimensions:], -query[:dimensions]]).reshape(-1)
        rows = doubled(np.tile(turned, (number, 1)))
        scores = similarities(rows, query)
        assert (scores == scores[0]).all()
        found = best_matches(scores, np.indices((number, 1)).reshape(2, -1).T, min(9, number))
        assert found.items.tolist() == list(range(min(9, number)))


@pytest.mark.parametrize("side", ["first", "second"])
@pytest.mark.parametrize("number", [3, 1025, 1027])
@pytest.mark.parametrize("sizes", [(50, 10), (128, 64)])
def test_a_retriever_embeds_equal_items_alike(number, sizes, side):
    rng = np.random.default_rng(0)
    header = RetrieverHeader(
        "dscmr",
        {"hidden": sizes[0], "embedding": sizes[1]},
        DIRECTIONS,
        ("a", "b", "c"),
        (),
        "none",
        synthetic=False,
        label_share=0.5,
    )
    modalities = (Modality("features", 200), Modality("features", 33))
    generator = torch.Generator().manual_seed(0)
    retriever = untrained_retriever(header, *modalities, torch.device("cpu"), generator)
    retriever.network.eval()
    items = doubled(rng.normal(size=(number, 200 if side == "first" else 33)).astype(np.float32))
    rows = retriever.embed(items, side)
    assert_alike(rows)
    assert_alike(retriever.posteriors(items, side))
    # In no company, and in any.
    for some in (1, 2, 5):
        np.testing.assert_array_equal(retriever.embed(items[:some], side), rows[:some])


@pytest.mark.parametrize(
    ("encoder", "shape"),
    [
        ("conv_1d", (40,)),
        ("inception_1d", (33,)),
        ("conv_2d", (3, 5, 5)),
        ("se_residual_2d", (4, 5, 5)),
        ("inception_2d", (4, 5, 5)),
    ],
)
def test_networks_give_equal_items_equal_rows_in_every_batch(encoder, shape):
    torch.manual_seed(0)
    network = DSCMR(shape, (7,), 5, encoder, hidden=50, embedding=10).eval()
    items = torch.randn(49, *shape)
    items[places(49)] = items[0].clone()
    with torch.inference_mode():
        rows = alike(network.embed_first, items)
        assert rows.shape == (49, 10)
        assert_alike(rows.numpy())
        for some in (1, 3, 17):
            assert torch.equal(alike(network.embed_first, items[:some]), rows[:some])
        # The slow twin: the same network in doubles, as torch has it.
        expected = network.double().embed_first(items.double())
    torch.testing.assert_close(rows.double(), expected, rtol=0, atol=2e-6)


def test_gradients_go_on_through_connected_layers():
    layer = torch.nn.Linear(3, 2)
    alike(layer, torch.randn(5, 3)).sum().backward()
    assert layer.weight.grad is not None


def test_of_training_items_as_near_the_first_partner_searches():
    rng = np.random.default_rng(3)
    for _ in range(8):
        pairs = gaussian_pairs(300, seed=int(rng.integers(1000)))
        train = Pairs(doubled(pairs.first), pairs.second, pairs.targets)
        queries = pairs.take(np.arange(90))
        queries = Pairs(np.repeat(train.first[:1], 90, 0), queries.second, queries.targets)
        arena = validation_arena(queries, DIRECTIONS)
        method, _ = baselines._nearest_pair(prepared_pairs(train))
        searching = method(arena)["there"].queries
        partner = unit_rows(train.second[:1])
        np.testing.assert_array_equal(searching, np.repeat(partner, 90, 0))


@pytest.mark.parametrize("method", ["cca", "class_posterior"])
@pytest.mark.parametrize("number", [5, 333, 700])
def test_baselines_embed_equal_items_alike(method, number):
    rank, _ = baselines._TUNED[method](prepared_pairs(gaussian_pairs(120)))
    more = gaussian_pairs(number, seed=2)
    first, second = more.first, more.second
    for items in (first, second):
        items[:, :3] = 0.0
        items[places(number)] = items[0]
        # Zeros of either sign are equal, too.
        items[2, :3] = -0.0
    for ranking in rank(validation_arena(more, DIRECTIONS)).values():
        assert_alike(ranking.queries)
        assert_alike(ranking.gallery)


@dataclass
class Unembedded:
    """A retriever of which nothing but the header is asked."""

    header: RetrieverHeader


def test_thresholds_do_not_hang_on_the_order_of_the_gallery(monkeypatch):
    rng = np.random.default_rng(5)
    queries, gallery = (rng.normal(size=(n, 299)).astype(np.float32) for n in (41, 47))
    header = RetrieverHeader("dscmr", {}, DIRECTIONS, ("a",), (), "none", synthetic=False)
    found = set()
    for _ in range(12):
        turned = Ranking(queries, rng.permutation(gallery), "dot")
        monkeypatch.setattr(choice, "rankings", lambda *_, it=turned: {"there": it})
        chosen = choice._with_thresholds(Unembedded(header), None)
        found.add(chosen.header.thresholds["there"])
    assert len(found) == 1
