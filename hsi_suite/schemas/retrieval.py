"""The keys of a training for cross-modal retrieval."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from ..config import Section
from ..unread_keys import ReadWith
from .scene_data import SceneConfig
from .training import (
    MachineConfig,
    NonNegative,
    OptimizerConfig,
    Options,
    Positive,
    SetApart,
    Text,
    TrainingConfig,
)

Share = Annotated[float, Field(ge=0, le=1)]
Range = Annotated[list[Positive], Field(min_length=2, max_length=2)]
Baseline = Literal["cca", "class_posterior", "nearest_pair", "spectral_angle"]
BASELINES: tuple[Baseline, ...] = ("cca", "class_posterior", "nearest_pair", "spectral_angle")


class PairDataConfig(SceneConfig):
    """Where the pairs come from: a scene, seen in two ways, or files with features of both.

    The keys of a scene are those of a classification.

    Attributes:
        pair: the two modalities: of a scene two of spectrum, pca, hsi, rgb, panchromatic and
            companion; of files any two names.
        files: an .npz or .mat file or a folder of such, with aligned features and labels.
        window: side of patches in pixels, odd.
        components: principal components of pca and hsi, fitted to the training pixels.
        unit_norm: scale each spectrum (of files: each item) to length 1, so that its unit and the
            light do not matter.
        companion: the layer beside the cube; null takes the scene's only one.
        panchromatic: range in nm over which bands are averaged with equal weights.
    """

    pair: Text = "spectrum:rgb"
    files: Text | None = None
    window: Annotated[int, Field(ge=1)] = 11
    components: Annotated[int, Field(ge=1)] = 3
    unit_norm: bool = True
    companion: Text | None = None
    panchromatic: Range = Field(default=[450.0, 900.0])

    @model_validator(mode="after")
    def _one_source(self) -> PairDataConfig:
        if sum(source is not None for source in (self.dataset, self.scene, self.files)) != 1:
            raise ValueError("one of data.dataset, data.scene (with data.labels) or data.files")
        if self.scene is not None and self.labels is None:
            raise ValueError("data.labels beside data.scene")
        if self.files is not None and (self.bands not in ("good", "all") or self.drop_water):
            raise ValueError("data.bands and data.drop_water with a scene or a data set alone")
        if self.window % 2 == 0:
            raise ValueError("an odd data.window, so that it has a central pixel")
        if self.panchromatic[0] >= self.panchromatic[1]:
            raise ValueError("data.panchromatic as [lowest, highest] in nm")
        return self


class PairSplitConfig(Section):
    """How pairs become training, validation and test parts.

    Attributes:
        kind: disjoint (spatially, with a guard between all three parts) or random; pairs of files
            have no places and are always divided at random, class by class.
        train: share of the training side, validation included.
        validation: share of the training side that is set apart for selection.
        guard: pixels between the parts; null takes the window.
        layout: auto, blocks or stripes.
        rare_classes: classes that cannot be divided: drop, train (train only) or error.
        pairs: training pairs to keep, drawn with every class's share; null keeps all.
    """

    kind: Literal["disjoint", "random"] = "disjoint"
    train: Annotated[float, Field(gt=0, lt=1)] = 0.6
    validation: SetApart = 0.25
    guard: Annotated[
        Annotated[int, Field(ge=0, le=10_000)] | None, ReadWith("kind", ("disjoint",))
    ] = None
    layout: Annotated[Literal["auto", "blocks", "stripes"], ReadWith("kind", ("disjoint",))] = (
        "auto"
    )
    rare_classes: Literal["drop", "train", "error"] = "drop"
    pairs: Annotated[int, Field(ge=2)] | None = None


class RetrievalModelConfig(Section):
    """The network.

    Attributes:
        name: a name of `hsi models list` whose task is retrieval.
        options: its further arguments; encoders that are not named here follow the modalities:
            residual_1d for spectra, residual_2d for patches, mlp for features (conv_1d and conv_2d
            where options.block says what their stages are).
    """

    name: Text = "dscmr"
    options: Options = Field(default_factory=dict)


class RetrievalLossConfig(Section):
    """label + λ · discrimination + η · invariance (Zhen et al. 2019, equation 11).

    Attributes:
        label: how predicted labels are held to the true ones: distance (the paper's J1) or
            cross_entropy.
        discrimination: λ, of J2.
        invariance: η, of J3.
    """

    label: Literal["distance", "cross_entropy"] = "distance"
    discrimination: NonNegative = 1e-3
    invariance: NonNegative = 0.1


class RetrievalTrainingConfig(TrainingConfig):
    """The training loop.

    Attributes:
        balanced: every batch holds as many pairs of each class, drawn again and again from rare
            ones; pairs of several classes are shuffled alone.
    """

    epochs: Annotated[int, Field(ge=1)] = 100
    batch_size: Annotated[int, Field(ge=2)] = 100
    optimizer: OptimizerConfig = OptimizerConfig(learning_rate=1e-4, beta1=0.5)
    selection: Literal["last", "best"] = "best"
    balanced: bool = True


class RetrievalEvaluationConfig(Section):
    """What is computed after training.

    Attributes:
        baselines: methods judged on the same parts.
        cutoffs: lengths of rankings at which mean average precision and recall are reported; those
            beyond the smaller gallery are cut to it.
        label_shares: shares of the predicted labels in the similarity that the validation chooses
            from; 0 is the common representation alone, as in the paper.
        sharpness: factors of label predictions before their softmax that it chooses from.
    """

    baselines: list[Baseline] = Field(default=list(BASELINES))
    cutoffs: list[Annotated[int, Field(ge=1)]] = Field(default=[1, 10, 100])
    label_shares: Annotated[list[Share], Field(min_length=1)] = Field(default=[0.0])
    sharpness: Annotated[list[Positive], Field(min_length=1)] = Field(default=[1.0])


class RetrievalConfig(MachineConfig):
    """Everything that defines a training for retrieval."""

    task: Literal["retrieval"] = "retrieval"
    data: PairDataConfig
    split: PairSplitConfig = PairSplitConfig()
    model: RetrievalModelConfig = RetrievalModelConfig()
    loss: RetrievalLossConfig = RetrievalLossConfig()
    train: RetrievalTrainingConfig = RetrievalTrainingConfig()
    evaluation: RetrievalEvaluationConfig = RetrievalEvaluationConfig()

    @model_validator(mode="after")
    def _selection_needs_validation(self) -> RetrievalConfig:
        needs = self.train.selection == "best" or self.train.early_stopping is not None
        chooses = len(self.evaluation.label_shares) * len(self.evaluation.sharpness) > 1
        if (needs or chooses) and not self.split.validation:
            raise ValueError(
                "split.validation above 0: train.selection=best, train.early_stopping and a "
                "choice of evaluation.label_shares or sharpness need it"
            )
        return self
