"""What simpler methods reach on the very same pairs; each is tuned on the validation alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier

from ...data.item_source import ItemSource
from ...data.modalities import Items, Modality, unit_rows
from ...data.pairs import Pairs
from ...engine.observer import Observer
from ...matrix_products import full_product
from ...models.correlation import fit_cca
from ...process_wide import ignoring
from ...schemas.retrieval import RetrievalConfig
from .preparation import PreparedPairs
from .scoring import Arena, Ranking, Scores, as_table, chance_scores, validation_arena
from .search import pieces_of

Rows = NDArray[np.floating]
#: The rankings of both directions on an arena.
Method = Callable[[Arena], dict[str, Ranking]]

# What the validation chooses from; without one the second value is taken.
_RIDGES = (1e-3, 1e-2, 1e-1, 1.0)
_COMPONENTS = (5, 10, 20, 50)
_PENALTIES = (1e-3, 1e-2, 1e-1, 1.0)
_ITERATIONS = 300
_SPECTRAL = ("spectrum", "pca", "hsi")


@dataclass(frozen=True)
class Baselines:
    """The scores of simpler methods.

    Attributes:
        scores: by method and direction; "chance" is always there.
        settings: what the validation chose for them, by method.
        not_applicable: why a method that was asked for has no scores.
    """

    scores: dict[str, dict[str, Scores]]
    settings: dict[str, dict[str, float]]
    not_applicable: dict[str, str]


def run_baselines(
    config: RetrievalConfig, prepared: PreparedPairs, arena: Arena, observer: Observer
) -> Baselines:
    """The baselines that the configuration names, on the test part, and chance."""
    result = Baselines({}, {}, {})
    for name in config.evaluation.baselines:
        observer.message(f"baseline {name} on the same pairs")
        if name == "spectral_angle":
            method = _spectral_angle(prepared)
            if isinstance(method, str):
                result.not_applicable[name] = method
                continue
        else:
            method, settings = _TUNED[name](prepared)
            if settings:
                result.settings[name] = settings
        result.scores[name] = as_table(arena.judge(method(arena)))
    queries = arena.queries.targets
    result.scores["chance"] = {
        direction: chance_scores(queries, gallery.targets, arena.cutoffs)
        for direction, _, _, gallery in arena.sides()
    }
    return result


def _flat(modality: Modality, items: Items) -> NDArray[np.float32]:
    """Prepared items as rows."""
    return modality.prepare(items).reshape(len(items), -1)


def _train_rows(prepared: PreparedPairs) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    train, (first, second) = prepared.parts.train, prepared.modalities
    return _flat(first, train.first), _flat(second, train.second)


def _both(
    arena: Arena, modalities: tuple[Modality, Modality], embed: Callable[[Rows, int], Rows]
) -> dict[str, tuple[Rows, Rows]]:
    """Queries and gallery of each direction, embedded as rows of a side."""
    return {
        direction: (
            _alike(embed, _flat(modalities[side], items), side),
            _alike(embed, _flat(modalities[1 - side], gallery.items), 1 - side),
        )
        for direction, side, items, gallery in arena.sides()
    }


def _alike(embed: Callable[[Rows, int], Rows], rows: NDArray[np.float32], side: int) -> Rows:
    """Embedded rows; equal ones are embedded once, as products give them other last bits."""
    # Adding 0 leaves one kind of zero, so that equal rows are equal bytes.
    bytes_of = np.ascontiguousarray(rows + np.float32(0)).view(f"V{rows.shape[1] * 4}")[:, 0]
    _, first, which = np.unique(bytes_of, return_index=True, return_inverse=True)
    return np.asarray(embed(rows[first], side)[which])


def _canonical_correlation(prepared: PreparedPairs) -> tuple[Method, dict[str, float]]:
    """Canonical correlations; how many, and the ridge, by the validation."""
    first, second = _train_rows(prepared)
    fits = fit_cca(first, second, _RIDGES)

    def method(ridge: float, components: float) -> Method:
        fit = fits[ridge]

        def rank(arena: Arena) -> dict[str, Ranking]:
            rows = _both(
                arena,
                prepared.modalities,
                lambda items, side: fit.project(items, side, int(components)),
            )
            return {name: Ranking(*pair) for name, pair in rows.items()}

        return rank

    grid = {"ridge": _RIDGES, "components": tuple(map(float, _COMPONENTS))}
    return _chosen(prepared, grid, method)


def _class_posterior(prepared: PreparedPairs) -> tuple[Method, dict[str, float]]:
    """Two logistic regressions; items are as like as they are probably of one class."""
    rows, targets = _train_rows(prepared), prepared.parts.train.targets
    fits = {
        penalty: tuple(_logistic(items, targets, penalty) for items in rows)
        for penalty in _PENALTIES
    }

    def method(inverse_penalty: float) -> Method:
        pair = fits[inverse_penalty]

        def rank(arena: Arena) -> dict[str, Ranking]:
            found = _both(arena, prepared.modalities, lambda items, side: pair[side](items))
            return {name: Ranking(*both, "dot") for name, both in found.items()}

        return rank

    return _chosen(prepared, {"inverse_penalty": _PENALTIES}, method)


def _logistic(rows: Rows, targets: NDArray[np.integer], penalty: float) -> Callable[[Rows], Rows]:
    """From rows to the probabilities of the classes."""
    single = bool((targets.sum(1) == 1).all())
    model = LogisticRegression(C=penalty, max_iter=_ITERATIONS)
    # Far along the path the probabilities hardly change; a class may have no example.
    with ignoring(ConvergenceWarning, UserWarning):
        if single:
            classes = targets.argmax(1)
            fitted = model.fit(rows, classes)
            columns = fitted.classes_
        else:
            fitted = OneVsRestClassifier(model).fit(rows, targets)
            columns = np.arange(targets.shape[1])

    def posterior(items: Rows) -> Rows:
        shares = np.zeros((len(items), targets.shape[1]))
        shares[:, columns] = fitted.predict_proba(items)
        return shares

    return posterior


def _nearest_pair(prepared: PreparedPairs) -> tuple[Method, dict[str, float]]:
    """The training item nearest to a query in its own modality; its partner searches instead.

    Of those that are as near the first is taken.
    """
    train = [unit_rows(rows) for rows in _train_rows(prepared)]

    def rank(arena: Arena) -> dict[str, Ranking]:
        rankings = {}
        for direction, side, items, gallery in arena.sides():
            queries = unit_rows(_flat(prepared.modalities[side], np.asarray(items, np.float32)))
            parts = np.array_split(queries, pieces_of(len(queries), len(train[side]), least=8))
            nearest = np.concatenate([full_product(part, train[side]).argmax(1) for part in parts])
            there = _flat(prepared.modalities[1 - side], gallery.items)
            rankings[direction] = Ranking(train[1 - side][nearest], there)
        return rankings

    return rank, {}


def _spectral_angle(prepared: PreparedPairs) -> Method | str:
    """The angle between spectra, where both sides have them; else why it does not apply."""
    kinds = [modality.kind for modality in prepared.modalities]
    without = [kind for kind in kinds if kind not in _SPECTRAL]
    if without or prepared.scene is None or prepared.split is None:
        names = " and ".join(
            name for name, kind in zip(prepared.names, kinds, strict=True) if kind not in _SPECTRAL
        )
        return f"{names or 'a file'} has no spectra to compare"
    scene, test = prepared.scene, prepared.split.test
    spectra = ItemSource(Modality("spectrum", scene.bands), scene).items(test)
    return lambda arena: {direction: Ranking(spectra, spectra) for direction in arena.directions}


_TUNED: Mapping[str, Callable[[PreparedPairs], tuple[Method, dict[str, float]]]] = {
    "cca": _canonical_correlation,
    "class_posterior": _class_posterior,
    "nearest_pair": _nearest_pair,
}


def _chosen(
    prepared: PreparedPairs,
    grid: Mapping[str, tuple[float, ...]],
    method: Callable[..., Method],
) -> tuple[Method, dict[str, float]]:
    """The method with the settings that are best on the validation; the first of equals."""
    validation: Pairs = prepared.parts.validation
    if not len(validation):
        settings = {name: values[1] for name, values in grid.items()}
        return method(**settings), settings
    names = (f"{prepared.names[0]}_to", f"{prepared.names[1]}_to")
    arena = validation_arena(validation, names)
    best: tuple[float, dict[str, float]] | None = None
    for values in product(*grid.values()):
        settings = dict(zip(grid, values, strict=True))
        score = arena.mean(method(**settings)(arena))
        if best is None or score > best[0]:
            best = score, settings
    assert best is not None
    return method(**best[1]), best[1]
