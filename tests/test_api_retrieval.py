"""The retriever for Python: learns from arrays what the command line learns from files."""

import numpy as np
import pytest
from retrieval_samples import CLASSES, gaussian_views
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import hsi_suite as hsi
from hsi_suite.errors import ConfigError, HsiSuiteError, RunError, ShapeError
from hsi_suite.tasks.retrieval.retriever import load_retriever

pytestmark = pytest.mark.stand_in_pictures

SMALL = {"data.unit_norm": True, "evaluation.label_shares": [0, 0.5], "threads": 1}
EPOCHS = 3


@pytest.fixture(scope="module")
def views():
    first, second, classes = gaussian_views(240)
    # Labels with gaps, none of them 1.
    return first, second, np.array([3, 7, 40, 41, 200])[classes]


@pytest.fixture(scope="module")
def fitted(views):
    train = [each[:160] for each in views]
    model = hsi.Retriever(names=("spectrum", "text"), epochs=EPOCHS, settings=SMALL)
    return model.fit(*train)


def test_it_is_what_the_command_line_trains(views, fitted, tmp_path):
    names = ("first", "second", "labels")
    parts = {name: each[:160] for name, each in zip(names, views, strict=True)}
    parts |= {f"test_{name}": each[160:] for name, each in zip(names, views, strict=True)}
    np.savez(tmp_path / "pairs.npz", **parts)
    run = hsi.train(
        config="retrieval/features", epochs=EPOCHS, output=tmp_path / "runs",
        baselines=[], verbose=0,
        settings=SMALL | {"data.files": tmp_path / "pairs.npz", "data.pair": "spectrum:text",
                          "evaluation.cutoffs": [1, 10]},
    )  # fmt: skip
    test = [each[160:] for each in views]
    assert fitted.scores(*test, cutoffs=[1, 10]) == run.metrics["test"]
    assert [row["train_loss"] for row in fitted.history_] == [r["train_loss"] for r in run.history]
    found = hsi.Retriever.load(run)
    assert np.array_equal(found.transform(test[0]), fitted.transform(test[0]))
    assert found.thresholds_ == fitted.thresholds_ == run.metrics["thresholds"]
    assert found.classes_.tolist() == [f"class {k}" for k in range(1, CLASSES + 1)]


def test_rows_matches_and_scores(views, fitted, tmp_path):
    first, second, labels = (each[160:] for each in views)
    rows, others = fitted.transform(first), fitted.embed(second, "text")
    assert np.allclose((rows**2).sum(1), 1, atol=1e-5) and rows.shape == others.shape
    found = fitted.kneighbors(first, second, 4)
    by_hand = np.argsort(-(rows.astype(float) @ others.T.astype(float)), 1, kind="stable")[:, :4]
    assert (found.items == by_hand).mean() > 0.99 and found.items.shape == (80, 4)
    assert (np.diff(found.similarities, axis=1) <= 0).all()
    same = fitted.kneighbors(first, others, 4, embedded=True)
    assert np.array_equal(found.items, same.items) and "query 0" in repr(found)
    back = fitted.kneighbors(second, first, 1, modality="text")
    within = fitted.kneighbors(first, first, 1, modality="spectrum", within="spectrum")
    assert back.items.shape == (80, 1) and within.items[:, 0].tolist() == list(range(80))
    assert fitted.score(first, second, labels) == pytest.approx(
        np.mean(
            [f["mean_average_precision"] for f in fitted.scores(first, second, labels).values()]
        )
    )
    fitted.save(tmp_path / "m.safetensors")
    again = hsi.Retriever.load(tmp_path / "m.safetensors")
    assert np.array_equal(again.transform(first), rows)
    assert again.classes_.tolist() == fitted.classes_.tolist() == [3, 7, 40, 41, 200]


def test_patches_several_classes_and_other_encoders(tmp_path):
    rng = np.random.default_rng(0)
    labels = np.arange(48) % 2
    spectra = rng.normal(labels[:, None], 1, (48, 16))
    patches = (
        rng.integers(0, 100, (48, 5, 5, 3)).astype(np.uint16) + 50 * labels[:, None, None, None]
    )
    options = {"epochs": 1, "settings": {"threads": 1, "train.batch_size": 8}}
    model = hsi.Retriever(encoders=("residual_1d", "residual_2d"), **options)
    model.fit(spectra, patches, np.stack([labels, 1 - labels], 1))
    assert model.retriever_.second.kind == "patches" and model.retriever_.second.shape == (3, 5, 5)
    model.save(tmp_path / "m.safetensors")
    loaded = hsi.Retriever.load(tmp_path / "m.safetensors")
    assert np.array_equal(loaded.transform(patches, "second"), model.transform(patches, "second"))
    with pytest.raises(ShapeError, match="items of 'first'"):
        loaded.transform(patches)
    with pytest.raises(ShapeError, match="patches of 7 × 7 × 3; expected patches of 5 × 5 × 3"):
        loaded.transform(np.zeros((2, 7, 7, 3)), "second")


def test_scikit_learns_ways(views):
    model = hsi.Retriever(epochs=2, settings=SMALL)
    assert clone(model).get_params() == model.get_params() and "epochs=2" in repr(model)
    for call in (
        lambda: model.transform(views[0]),
        lambda: model.kneighbors(*views[:2]),
        lambda: model.scores(*views),
        lambda: model.save("x"),
    ):
        with pytest.raises(NotFittedError, match="not fitted yet") as caught:
            call()
        assert isinstance(caught.value, HsiSuiteError)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"second": np.zeros((3, 4))}, "as many of each, row by row"),
        ({"labels": np.arange(3)}, "labels: 3 of them; expected 160"),
        ({"labels": np.zeros(160, int)}, "a single class"),
        ({"labels": np.full(160, -1)}, "values from -1"),
        ({"labels": np.full(160, 0.5)}, "a whole number for each item"),
        ({"labels": np.full((160, 2), 3)}, "0 to 1"),
        ({"first": np.full((160, 4), np.nan)}, "not finite"),
        ({"first": np.full((160, 4), 1e300)}, "not finite in single precision"),
        ({"first": np.zeros((160, 4, 4))}, "items × lines × samples × channels"),
        ({"first": np.zeros((160, 4, 4, 2))}, "square ones of odd side"),
        ({"first": np.array([["a"]] * 160)}, "values of type"),
    ],
)
def test_wrong_arrays_get_one_clear_line(views, change, message):
    given = dict(zip(("first", "second", "labels"), (v[:160] for v in views), strict=True))
    with pytest.raises(HsiSuiteError, match=message) as caught:
        hsi.Retriever(epochs=1, settings=SMALL).fit(**given | change)
    assert "\n" not in str(caught.value)


def test_wrong_parameters_get_one_clear_line(views, fitted, tmp_path):
    for parameters, message in (
        ({"names": ("a", "a")}, "two names"),
        ({"names": ("a",)}, "two, one for each"),
        ({"encoders": ("mlp", "nothing")}, "nothing"),
        ({"model": "dscmrr"}, "dscmr"),
        ({"settings": {"train.epoch": 1}}, "train.epochs"),
    ):
        with pytest.raises(HsiSuiteError, match=message):
            hsi.Retriever(**parameters).fit(*views)
    for call, message in (
        (lambda: fitted.transform(views[0], "x"), "spectrum or text"),
        (lambda: fitted.kneighbors(views[0], views[1], 0), "1 to 240"),
        (lambda: fitted.kneighbors(views[0], views[1], embedded=True), "as `transform` gives them"),
        (lambda: fitted.scores(*views, cutoffs=[999]), "cutoff"),
    ):
        with pytest.raises((ConfigError, ShapeError), match=message):
            call()
    with pytest.raises(RunError):
        hsi.Retriever.load(tmp_path / "nothing")


def test_a_file_of_a_retriever_is_one_for_the_task(fitted, tmp_path):
    import torch

    fitted.save(tmp_path / "m.safetensors")
    assert load_retriever(tmp_path / "m.safetensors", torch.device("cpu")).header.names == (
        "spectrum", "text",
    )  # fmt: skip
