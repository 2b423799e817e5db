"""Training for retrieval: the two-view regression test, batches, choices, baselines, figures."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from retrieval_samples import CLASSES, gaussian_pairs, gaussian_views
from sklearn.cross_decomposition import CCA

from hsi_suite.data.modalities import Modality
from hsi_suite.data.pairs import Labelled
from hsi_suite.engine.trainer import Trainer
from hsi_suite.errors import ShapeError
from hsi_suite.metrics.retrieval import retrieval_scores
from hsi_suite.models.building import build_retriever
from hsi_suite.models.correlation import fit_cca
from hsi_suite.schemas.retrieval import RetrievalConfig
from hsi_suite.tasks.retrieval.scoring import Arena, chance_scores
from hsi_suite.tasks.retrieval.task import PairRetrieval, balanced_order

pytestmark = pytest.mark.stand_in_pictures


def trained(seed=1, **loss):
    """A small DSCMR after the training of the regression test, its task and its history."""
    config = RetrievalConfig.model_validate(
        {
            "data": {"files": "none", "pair": "first:second"},
            "loss": loss,
            "train": {
                "epochs": 30,
                "batch_size": 50,
                "optimizer": {"learning_rate": 1e-3, "beta1": 0.5},
                "selection": "last",
            },
        }
    )
    pairs = gaussian_pairs()
    task = PairRetrieval(
        pairs.take(np.arange(300)),
        pairs.take(np.arange(300, 800)),
        (Modality("features", 40), Modality("features", 25)),
        config,
        config.streams,
        torch.device("cpu"),
    )
    network = build_retriever(
        "dscmr",
        first_shape=(40,),
        second_shape=(25,),
        num_classes=CLASSES,
        options={"hidden": 128, "embedding": 64},
        generator=torch.Generator().manual_seed(seed),
    )
    with torch.no_grad():
        untrained = task.validate(network)
    training = Trainer(network, task, config.train, config.streams, torch.device("cpu")).fit()
    return network, untrained, training


def test_two_gaussian_views_are_learnt_and_a_rerun_has_the_same_bits():
    network, untrained, training = trained()
    assert untrained["mean_average_precision"] == pytest.approx(0.25, abs=0.03)
    assert 0.76 <= training.history[-1]["validation_mean_average_precision"] <= 0.81
    again, _, second = trained()
    assert second.history == training.history
    pairs = zip(network.state_dict().values(), again.state_dict().values(), strict=True)
    assert all(torch.equal(one, other) for one, other in pairs)


def test_what_is_learnt_does_not_hang_on_the_label_loss():
    _, _, training = trained(label="cross_entropy")
    assert training.history[-1]["validation_mean_average_precision"] > 0.74


@settings(max_examples=30, deadline=None)
@given(counts=st.lists(st.integers(1, 30), min_size=1, max_size=6), seed=st.integers(0, 9))
def test_classes_take_turns(counts, seed):
    classes = np.repeat(np.arange(len(counts)), counts)
    order = balanced_order(classes, np.random.default_rng(seed))
    rows = order.reshape(-1, len(counts))
    assert (np.sort(classes[rows], 1) == np.arange(len(counts))).all()
    assert len(order) - len(classes) < len(counts)
    for value, count in enumerate(counts):
        own = order[classes[order] == value][:count]
        # None comes again before all have come.
        assert len(set(own)) == len(own)


def test_chance_is_what_random_rankings_reach():
    generator = np.random.default_rng(0)
    queries = np.eye(3, dtype=int)[generator.integers(3, size=300)]
    gallery = np.eye(3, dtype=int)[np.repeat([0, 1, 2], (5, 20, 35))]
    expected = chance_scores(queries, gallery, [1, 10])
    drawn = [
        retrieval_scores(
            generator.normal(size=(300, 40)), generator.normal(size=(60, 40)), queries, gallery,
            cutoffs=[1, 10],
        )
        for _ in range(20)
    ]  # fmt: skip
    means = {
        "mean_average_precision": np.mean([d.mean_average_precision for d in drawn]),
        "macro_average_precision": np.mean([d.macro_average_precision for d in drawn]),
        "normalised_discounted_cumulative_gain": np.mean(
            [d.normalised_discounted_cumulative_gain for d in drawn]
        ),
        "mean_average_precision_at_10": np.mean([d.mean_average_precision_at[10] for d in drawn]),
        "recall_at_1": np.mean([d.recall_at[1] for d in drawn]),
        "recall_at_10": np.mean([d.recall_at[10] for d in drawn]),
    }
    for name, value in means.items():
        assert expected[name] == pytest.approx(value, abs=0.015), name
    # By hand: one relevant of two items is first or second.
    two = chance_scores(np.array([[1, 0]]), np.array([[1, 0], [0, 1]]), [1])
    assert two["mean_average_precision"] == pytest.approx(0.75)
    assert two["normalised_discounted_cumulative_gain"] == pytest.approx((1 + 1 / np.log2(3)) / 2)
    assert two["recall_at_1"] == two["mean_average_precision_at_1"] == pytest.approx(0.5)


def test_canonical_correlations_are_scikit_learns():
    first, second, _ = gaussian_views(400)
    ours = fit_cca(first, second, [0.0])[0.0]
    theirs = CCA(2, max_iter=5000, tol=1e-10).fit(first, second)
    for side, (items, other) in enumerate(
        zip((first, second), theirs.transform(first, second), strict=True)
    ):
        projected = ours.project(items, side, 2)
        for column in range(2):
            correlation = np.corrcoef(projected[:, column], other[:, column])[0, 1]
            assert abs(correlation) == pytest.approx(1, abs=1e-3)
    found = np.corrcoef(ours.project(first, 0, 1)[:, 0], ours.project(second, 1, 1)[:, 0])[0, 1]
    assert found == pytest.approx(ours.correlations[0], abs=1e-9)
    assert fit_cca(first, second, [1.0])[1.0].correlations[0] < ours.correlations[0]
    with pytest.raises(ShapeError, match="400 and 399 items"):
        fit_cca(first, second[:-1], [0.0])
    with pytest.raises(ShapeError, match="does not vary"):
        fit_cca(first, np.ones_like(second), [0.0])


def test_the_gallery_is_that_of_the_other_modality():
    pairs = gaussian_pairs(10)
    more = Labelled(pairs.second[:4], pairs.targets[:4])
    arena = Arena(pairs, (pairs.sides[0], more), ("there", "back"))
    assert [(name, side, len(gallery)) for name, side, _, gallery in arena.sides()] == [
        ("there", 0, 4),
        ("back", 1, 10),
    ]
