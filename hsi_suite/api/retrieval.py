"""Cross-modal retrieval over arrays: learn from pairs, search one modality by the other."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator

from ..arguments import check_types, checked, checked_names
from ..data.modalities import Items
from ..engine.devices import computing, resolve_device
from ..engine.trainer import Trainer
from ..errors import ConfigError, ShapeError
from ..runs.folder import MODEL
from ..runs.machine import available_threads
from ..runs.precisions import require_precisions
from ..schemas.retrieval import RetrievalConfig
from ..shown import Rows, Shown
from ..tasks.retrieval.choice import choose_similarity, rankings
from ..tasks.retrieval.configuration import resolve, retrieval_config
from ..tasks.retrieval.preparation import new_retriever, pair_task, pairs_of_arrays
from ..tasks.retrieval.retriever import Retriever as Trained
from ..tasks.retrieval.retriever import load_retriever
from ..tasks.retrieval.scoring import Arena, as_table
from ..tasks.retrieval.search import best_matches, similarities
from ..tasks.retrieval.sides import SIDES, Side
from ..unread_keys import refuse_unread_settings
from .arguments import RunLike, Settings, folder_of, settings_texts
from .arrays import as_items
from .fitted import check_fitted, plain_interrupts
from .pair_arrays import IN_MEMORY, channels_first, items_text, pairs_given
from .progress import bars

_CONFIG = "retrieval/features"
_SHOWN = 5


@dataclass(frozen=True, eq=False, repr=False)
class Matches(Shown):
    """The best items of a gallery for each query.

    Attributes:
        items: places in the gallery, queries × matches, best first.
        similarities: −1 to 1, of the same shape.
    """

    items: NDArray[np.int64]
    similarities: NDArray[np.float32]

    def shown(self) -> tuple[str, Rows]:
        """The first queries and their matches."""
        best = slice(_SHOWN)
        rows = [
            (f"query {number}", ", ".join(f"{i} ({s:.3f})" for i, s in zip(*row, strict=True)))
            for number, row in enumerate(
                zip(self.items[best, best], self.similarities[best, best], strict=True)
            )
        ]
        return f"Matches of {len(self.items)} queries, {self.items.shape[1]} each", rows


class Retriever(BaseEstimator):  # type: ignore[misc]
    """Learns a common space of two modalities, and searches one by the other.

    Two networks learn from pairs (a spectrum and a patch of the same pixel, an image and its text)
    to put both items near each other, and near all of their class (DSCMR, Zhen et al., CVPR 2019).
    Equal seeds, threads and machine give equal bits, those of `hsi train --config
    retrieval/features` for the same pairs.

    Args:
        model: a name of `hsi_suite.models.names("retrieval")`.
        names: of the two modalities.
        encoders: of the two: mlp or residual_1d for items × values, residual_2d for patches; None
            takes mlp and residual_2d.
        epochs: passes over the pairs; None: as in the configuration.
        config: name or file of a configuration to begin with.
        settings: further keys, {"data.unit_norm": True, "loss.label": "cross_entropy"}.
        seed: of everything drawn at random.
        device: auto, cpu, cuda or cuda:N.
        threads: CPU threads; None takes the processors this process may use.
        verbose: 0 shows no progress bar, 2 also says how it is trained.

    Attributes:
        classes_: the label values it learnt from, rising; names where a run has no values.
        history_: a row of figures for each epoch.
        thresholds_: by direction, the similarity that 95 % of the validation's best matches reach;
            empty without a validation part.

    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> labels = np.arange(60) % 3
    >>> spectra = np.eye(3)[labels] @ rng.normal(size=(3, 12)) + rng.normal(0, 0.1, (60, 12))
    >>> colours = np.eye(3)[labels] @ rng.normal(size=(3, 6)) + rng.normal(0, 0.1, (60, 6))
    >>> model = Retriever(names=("spectrum", "rgb"), epochs=20).fit(spectra, colours, labels)
    >>> found = model.kneighbors(spectra[:2], colours, 4)
    >>> labels[found.items].tolist()
    [[0, 0, 0, 0], [1, 1, 1, 1]]
    >>> round(model.score(spectra, colours, labels), 2)
    1.0
    """

    @checked_names
    def __init__(
        self,
        model: str = "dscmr",
        *,
        names: Sequence[str] = ("first", "second"),
        encoders: Sequence[str] | None = None,
        epochs: int | None = None,
        config: str | os.PathLike[str] = _CONFIG,
        settings: Settings = (),
        seed: int = 0,
        device: str = "auto",
        threads: int | None = None,
        verbose: bool | int = 1,
    ) -> None:
        self.model = model
        self.names = names
        self.encoders = encoders
        self.epochs = epochs
        self.config = config
        self.settings = settings
        self.seed = seed
        self.device = device
        self.threads = threads
        self.verbose = verbose

    @checked
    def fit(self, first: ArrayLike, second: ArrayLike, labels: ArrayLike) -> Retriever:
        """Learn from pairs: row k of both belongs together.

        The configuration's share of them (`split.validation`, a tenth) is set apart, class by
        class, to select the epoch and the similarity.

        Args:
            first: items of the first modality: pairs × values (features, spectra), or pairs ×
                lines × samples × channels (patches, square and of odd side).
            second: those of the second.
            labels: the class of each pair, whole numbers from 0 on, with any gaps; or 0 and 1 of
                pairs × classes, where a pair can be of several.

        Raises:
            ShapeError: the arrays do not fit each other, or hold impossible values.
            ConfigError: a parameter is wrong.
        """
        check_types(type(self).__init__, self.get_params())
        names = self._names()
        pairs = pairs_given(first, second, labels, names)
        config = resolve(self._configuration(names))
        require_precisions(config)
        observer = bars(self.verbose)
        with (
            plain_interrupts(),
            computing(torch.device(config.device), config.threads or 1, config.deterministic),
        ):
            prepared = pairs_of_arrays(config, names, pairs.files)
            trained = new_retriever(config, prepared)
            device, task = torch.device(config.device), pair_task(config, prepared)
            training = Trainer(
                trained.network, task, config.train, config.streams, device, None, observer
            ).fit()
            chosen, _ = choose_similarity(trained, prepared.parts.validation, config)
        self._settle(replace(chosen, header=replace(chosen.header, labels=pairs.values)))
        self.history_: list[dict[str, float]] = training.history
        return self

    @checked
    def transform(self, items: ArrayLike, modality: str | None = None) -> NDArray[np.float32]:
        """Items as rows of length 1 in the common space, N × dimensions.

        The dot product of two rows is their similarity.

        Args:
            items: of one modality, as in `fit`.
            modality: its name; None is the first.

        Raises:
            NotFittedError: `fit` comes first.
            ShapeError: the items have another shape.
            ConfigError: neither modality has that name.
        """
        check_fitted(self)
        side = self._side(modality, 0)
        with self._computing():
            return self.retriever_.embed(self._items(items, side, "items"), side)

    def embed(self, items: ArrayLike, modality: str | None = None) -> NDArray[np.float32]:
        """The same as `transform`."""
        return self.transform(items, modality)

    @checked
    def kneighbors(
        self,
        queries: ArrayLike,
        gallery: ArrayLike,
        n_neighbors: int = 5,
        *,
        modality: str | None = None,
        within: str | None = None,
        embedded: bool = False,
    ) -> Matches:
        """The items of a gallery that are most similar to each query; the search is exact.

        Args:
            queries: items of one modality, as in `fit`.
            gallery: items of the other one.
            n_neighbors: how many matches of each query.
            modality: whose items the queries are; None is the first.
            within: whose items the gallery holds; None is the other one.
            embedded: the gallery holds rows that `transform` gave: for many searches in one.

        Raises:
            NotFittedError: `fit` comes first.
            ShapeError: items of another shape, or more matches than the gallery has items.
            ConfigError: neither modality has that name.
        """
        check_fitted(self)
        side = self._side(modality, 0)
        other = self._side(within, 1 - SIDES.index(side))
        with self._computing():
            wanted = self.retriever_.embed(self._items(queries, side, "queries"), side)
            rows = self._rows(gallery) if embedded else self.transform(gallery, self._named(other))
        places = np.stack([np.arange(len(rows)), np.zeros(len(rows), int)], 1).astype(np.int32)
        if not 1 <= n_neighbors <= len(rows):
            expected = f"1 to {len(rows):,}, the items of the gallery"
            raise ShapeError("n_neighbors", f"{n_neighbors} matches", expected)
        found_rows = [
            best_matches(similarities(rows, row, "gallery"), places, n_neighbors) for row in wanted
        ]
        return Matches(
            np.stack([each.items for each in found_rows]),
            np.stack([each.scores for each in found_rows]),
        )

    @checked
    def scores(
        self,
        first: ArrayLike,
        second: ArrayLike,
        labels: ArrayLike,
        *,
        cutoffs: Sequence[int] = (),
    ) -> dict[str, dict[str, float]]:
        """Figures of both directions; the items of one modality search those of the other.

        Args:
            first: items of the first modality, as in `fit`.
            second: of the second, row by row.
            labels: of the pairs, as in `fit`; items that share a class are relevant.
            cutoffs: lengths of rankings at which precision and recall are told too.

        Returns:
            By direction ("first_to_second") mean_average_precision, macro_average_precision,
            normalised_discounted_cumulative_gain and the figures at the cutoffs, each 0 to 1, as
            metrics.json of a run has them.

        Raises:
            NotFittedError: `fit` comes first.
            ShapeError: the arrays do not fit each other or the retriever.
        """
        check_fitted(self)
        pairs = pairs_given(first, second, labels, self.retriever_.header.names).files.pairs
        for side, items in zip(SIDES, (pairs.first, pairs.second), strict=True):
            self.retriever_.modality(side).prepare(items[:1])
        directions = self.retriever_.header.directions
        arena = Arena(pairs, pairs.sides, directions, tuple(map(int, cutoffs)))
        with self._computing():
            return as_table(arena.judge(rankings(self.retriever_, arena)))

    def score(self, first: ArrayLike, second: ArrayLike, labels: ArrayLike) -> float:
        """Mean average precision, 0 to 1, the mean of both directions; see `scores`."""
        found = self.scores(first, second, labels).values()
        return float(np.mean([figures["mean_average_precision"] for figures in found]))

    @checked
    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the fitted retriever as one safetensors file.

        Raises:
            NotFittedError: `fit` comes first.
            OutputError: the place cannot be written.
        """
        check_fitted(self)
        self.retriever_.save(Path(path))

    @classmethod
    @checked
    def load(cls, path: RunLike, *, device: str = "auto", threads: int | None = None) -> Retriever:
        """A retriever that `save` wrote, or that of a finished run.

        Spectra and patches of a scene's run are those of `hsi retrieve`: patches of images hold
        the place of each value between the 2nd and the 98th percentile of its layer.

        Args:
            path: the file, or the run or its folder.
            device: auto, cpu, cuda or cuda:N.
            threads: CPU threads; None takes the processors this process may use.

        Raises:
            RunError: the file is missing, damaged or no retriever.
        """
        place = folder_of(path)
        place = place / MODEL if place.is_dir() else place
        trained = load_retriever(place, torch.device(resolve_device(device)))
        loaded = cls(
            trained.header.model, names=trained.header.names, device=device, threads=threads
        )
        loaded._settle(trained)
        return loaded

    def _configuration(self, names: tuple[str, str]) -> RetrievalConfig:
        sources = ("data.dataset=null", "data.scene=null", f"data.files={IN_MEMORY}")
        encoders = [] if self.encoders is None else self._two(self.encoders, "encoders")
        chosen = [
            f"model.options.{side}_encoder={name}"
            for side, name in zip(SIDES, encoders, strict=False)
        ]
        options: dict[str, Any] = {
            "model": self.model, "epochs": self.epochs, "seed": int(self.seed),
            "device": self.device, "threads": self.threads, "baselines": [],
        }  # fmt: skip
        settings = settings_texts(self.settings)
        made = retrieval_config(
            config=os.fspath(self.config),
            options=options,
            settings=[*chosen, *settings, *sources, f"data.pair={names[0]}:{names[1]}"],
        )
        refuse_unread_settings(made, settings)
        return made

    def _names(self) -> tuple[str, str]:
        first, second = self._two(self.names, "names")
        if first == second or not all(re.fullmatch(r"[\w .-]+", name) for name in (first, second)):
            found = f"{first!r} and {second!r}"
            raise ConfigError("names", found, "two names of letters and digits that differ")
        return first, second

    def _two(self, values: Sequence[str], name: str) -> tuple[str, str]:
        if len(values) != 2:
            raise ConfigError(name, f"{len(values)} of them", "two, one for each modality")
        return values[0], values[1]

    def _settle(self, trained: Trained) -> None:
        header = trained.header
        self.retriever_ = trained
        self.classes_ = np.array(header.labels or header.class_names)
        self.thresholds_: dict[str, float] = dict(header.thresholds or {})
        self.history_ = []

    def _side(self, modality: str | None, usual: int) -> Side:
        return SIDES[usual] if modality is None else self.retriever_.side(modality)

    def _named(self, side: Side) -> str:
        return self.retriever_.header.names[SIDES.index(side)]

    def _items(self, items: ArrayLike, side: Side, name: str) -> Items:
        given = channels_first(as_items(items, name))
        wanted = self.retriever_.modality(side).shape
        if given.shape[1:] != wanted:
            found, expected = (items_text(shape) for shape in (given.shape[1:], wanted))
            remedy = f"they are taken as items of {self._named(side)!r}: name their modality"
            raise ShapeError(name, found, expected, remedy)
        return given

    def _rows(self, rows: ArrayLike) -> NDArray[np.float32]:
        given, size = as_items(rows, "gallery"), self.retriever_.embedding_size
        if given.shape[1:] != (size,):
            found = f"rows of shape {given.shape[1:]}"
            raise ShapeError("gallery", found, f"rows of {size} values, as `transform` gives them")
        return given

    def _computing(self) -> Any:
        return computing(self.retriever_.device, self.threads or available_threads(), True)
