"""From a configuration to pairs, the modalities they are seen in, and an untrained retriever."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from ...data.item_source import ItemSource
from ...data.leakage import LeakageAudit, audit
from ...data.modalities import Modality, ModalityOptions, ready_modality, scene_modality
from ...data.pair_files import PairFiles, read_pairs
from ...data.pair_split import split_pairs
from ...data.pairs import PairParts, Pairs, one_hot, pair_names
from ...data.scene import Scene
from ...data.splits import Split
from ...engine.observer import Observer
from ...errors import ConfigError, InputFileError, SplitError
from ...schemas.retrieval import PairDataConfig, RetrievalConfig
from ..scenes.preparation import class_indices
from ..scenes.scene_loading import named_scene
from .retriever import Retriever, RetrieverHeader, untrained_retriever
from .task import PairRetrieval

# By kind of modality, patches being all others; without and with a block that is named.
_ENCODERS = {"spectrum": ("residual_1d", "conv_1d"), "features": ("mlp", "mlp")}
_PATCH_ENCODERS = ("residual_2d", "conv_2d")


@dataclass(frozen=True, eq=False)
class PreparedPairs:
    """Pairs made ready for training.

    Attributes:
        name: of the data set.
        parts: the pairs.
        modalities: how they are seen, fitted to the training pairs.
        names: of the modalities.
        scene: where the pairs are from; None for files.
        split: which pixels of the scene they are; None for files.
        leakage: what the split gives away; None for files.
    """

    name: str
    parts: PairParts
    modalities: tuple[Modality, Modality]
    names: tuple[str, str]
    scene: Scene | None
    split: Split | None
    leakage: LeakageAudit | None

    @property
    def synthetic(self) -> bool:
        """Whether the scene was generated."""
        return self.scene is not None and self.scene.synthetic


def load_pair_scene(config: RetrievalConfig, observer: Observer) -> Scene:
    """The scene that a resolved configuration names, with labels.

    Raises:
        ConfigError: its pairs come from files.
        InputFileError: the scene cannot be read or has no labels.
    """
    if config.data.files is not None:
        raise ConfigError("data.files", "pairs of files have no scene", "data.dataset or a scene")
    scene = named_scene(config.data, observer)
    assert isinstance(scene, Scene)  # read whole
    if scene.labels is None:
        raise InputFileError(scene.name, "no ground truth", "labelled pixels", "give --labels FILE")
    return scene


def prepare_pairs(config: RetrievalConfig, observer: Observer) -> PreparedPairs:
    """Load, divide and cut out what a resolved configuration says.

    Raises:
        HsiSuiteError: the data cannot be had, divided or seen as asked for.
    """
    names = pair_names(config.data.pair)
    if config.data.files is not None:
        return pairs_of_arrays(config, names, read_pairs(Path(config.data.files)))
    scene = load_pair_scene(config, observer)
    assert scene.labels is not None
    options = _options(config.data)
    for name in names:
        # Before the search for a split, which takes seconds.
        ItemSource(scene_modality(name, scene, np.arange(scene.labels.size), options), scene)
    labels = scene.labels if scene.valid is None else np.where(scene.valid, scene.labels, 0)
    assert config.split.guard is not None
    split = split_pairs(
        labels,
        kind=config.split.kind,
        train=config.split.train,
        validation=config.split.validation,
        guard=config.split.guard,
        layout=config.split.layout,
        rare_classes=config.split.rare_classes,
        pairs=config.split.pairs,
        generator=config.streams.numpy("split"),
    )
    return pairs_of_split(config, scene, split)


def pairs_of_split(config: RetrievalConfig, scene: Scene, split: Split) -> PreparedPairs:
    """The pairs of the pixels of a split."""
    assert scene.labels is not None
    names = pair_names(config.data.pair)
    options = _options(config.data)
    bare = [scene_modality(name, scene, split.train, options) for name in names]
    sources = [ItemSource(modality, scene) for modality in bare]
    classes = class_indices(scene.labels, split.classes)

    def part(pixels: NDArray[np.int64]) -> Pairs:
        first, second = (source.items(pixels) for source in sources)
        return Pairs(first, second, one_hot(classes[pixels], len(split.classes)))

    parts = PairParts(
        train=part(split.train),
        validation=part(split.validation),
        test=part(split.test),
        class_names=tuple(scene.class_names[label - 1] for label in split.classes),
        checksums=scene.checksums,
    )
    return PreparedPairs(
        name=scene.name,
        parts=parts,
        modalities=(bare[0].fitted(parts.train.first), bare[1].fitted(parts.train.second)),
        names=names,
        scene=scene,
        split=split,
        leakage=audit(split, window=config.data.window),
    )


def new_retriever(config: RetrievalConfig, prepared: PreparedPairs) -> Retriever:
    """The retriever of a resolved configuration before training, on its device.

    Raises:
        HsiSuiteError: no such model, or it cannot be built so.
    """
    options = dict(config.model.options)
    for side, modality in zip(("first", "second"), prepared.modalities, strict=True):
        usual = _ENCODERS.get(modality.kind, _PATCH_ENCODERS)
        options.setdefault(f"{side}_encoder", usual["block" in options])
    header = RetrieverHeader(
        model=config.model.name,
        options=options,
        names=prepared.names,
        class_names=prepared.parts.class_names,
        labels=() if prepared.split is None else prepared.split.classes,
        dataset=prepared.name,
        synthetic=prepared.synthetic,
        label_share=config.evaluation.label_shares[0],
        sharpness=config.evaluation.sharpness[0],
    )
    first, second = prepared.modalities
    device = torch.device(config.device)
    return untrained_retriever(header, first, second, device, config.streams.torch("init"))


def pair_task(config: RetrievalConfig, prepared: PreparedPairs) -> PairRetrieval:
    """What `engine.trainer` trains on."""
    return PairRetrieval(
        prepared.parts.train,
        prepared.parts.validation,
        prepared.modalities,
        config,
        config.streams,
        torch.device(config.device),
    )


def _options(data: PairDataConfig) -> ModalityOptions:
    low, high = data.panchromatic
    return ModalityOptions(
        window=data.window,
        components=data.components,
        unit_norm=data.unit_norm,
        companion=data.companion,
        panchromatic=(low, high),
    )


def pairs_of_arrays(
    config: RetrievalConfig, names: tuple[str, str], files: PairFiles
) -> PreparedPairs:
    """The pairs of files, or of arrays in memory, divided as a resolved configuration says.

    Args:
        config: says how.
        names: of the modalities.
        files: the pairs; items are features, or patches of channels × lines × samples.

    Raises:
        SplitError: more training pairs are asked for than there are.
    """
    generator = config.streams.numpy("split")
    share = config.split
    learnt, test = files.pairs, files.test
    if test is None:
        learnt, test = _divided(learnt, 1 - share.train, generator)
        if not len(test):
            found = f"{share.train}, which leaves none of {len(files.pairs)} pairs to test"
            raise SplitError("split.train", found, "one at least", "lower split.train")
    learnt, validation = _divided(learnt, share.validation, generator)
    _refuse_empty(config, len(files.pairs), learnt, validation)
    if share.pairs is not None:
        if share.pairs > len(learnt):
            found = f"{share.pairs}, and {len(learnt)} training pairs are left"
            raise SplitError("split.pairs", found, f"at most {len(learnt)}", "lower split.pairs")
        learnt = learnt.take(np.sort(generator.permutation(len(learnt))[: share.pairs]))
    modalities = [
        ready_modality(items.shape[1:], unit_norm=config.data.unit_norm).fitted(items)
        for items in (learnt.first, learnt.second)
    ]
    parts = PairParts(learnt, validation, test, files.class_names, files.extra, files.checksums)
    return PreparedPairs(files.name, parts, (modalities[0], modalities[1]), names, None, None, None)


def _refuse_empty(config: RetrievalConfig, pairs: int, learnt: Pairs, validation: Pairs) -> None:
    """Refuse shares that leave a part without pairs, of which a training needs two.

    Raises:
        SplitError: names the shares.
    """
    share = config.split
    if len(learnt) < 2:
        found = f"{share.train} and {share.validation}, which leave {len(learnt)} of {pairs} pairs"
        expected = "two to learn from at least"
        remedy = "raise split.train or lower split.validation"
        raise SplitError("split.train, split.validation", found, expected, remedy)
    if share.validation and not len(validation):
        found = f"{share.validation}, which leaves none of {pairs} pairs to select by"
        raise SplitError("split.validation", found, "one at least", "raise split.validation")


def _divided(pairs: Pairs, share: float, generator: np.random.Generator) -> tuple[Pairs, Pairs]:
    """Pairs without and with a share of each set of labels, drawn at random."""
    _, sets = np.unique(pairs.targets, axis=0, return_inverse=True)
    sets = sets.reshape(-1)
    chosen = np.zeros(len(pairs), bool)
    order = generator.permutation(len(pairs))
    # Set by set, each in random order: every n-th of the row then has its share of each.
    order = order[np.argsort(sets[order], kind="stable")]
    places = np.floor(np.arange(len(order)) * share) < np.floor(
        np.arange(1, len(order) + 1) * share
    )
    chosen[order[places]] = True
    return pairs.take(np.flatnonzero(~chosen)), pairs.take(np.flatnonzero(chosen))


def reached_cutoffs(config: RetrievalConfig, prepared: PreparedPairs) -> tuple[int, ...]:
    """The lengths of rankings that are reported, each once: none is longer than both galleries."""
    longest = min(len(gallery) for gallery in prepared.parts.galleries)
    return tuple(dict.fromkeys(min(k, longest) for k in config.evaluation.cutoffs))


def cutoff_remarks(config: RetrievalConfig, prepared: PreparedPairs) -> list[str]:
    """A line that says which cut-offs are beyond a gallery, where some are."""
    galleries = zip(prepared.parts.galleries, prepared.names, strict=True)
    number, name = min((len(gallery), name) for gallery, name in galleries)
    beyond = [k for k in config.evaluation.cutoffs if k > number]
    if not beyond:
        return []
    return [
        f"evaluation.cutoffs: {', '.join(map(str, beyond))} is more than the {number} {name} items "
        f"of the gallery, and cut to {number}"
    ]
