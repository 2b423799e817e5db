"""The keys of a classification run."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from ..config import Section
from ..unread_keys import ReadWith
from .choosing import AUTO, AutoConfig
from .scene_data import ScenesConfig
from .training import (
    ClassifierTrainingConfig,
    MachineConfig,
    NonNegative,
    Options,
    Precision,
    SetApart,
    Text,
)

GUARDED = ("disjoint", "polygons", "spatial_folds")
"""Kinds of split that keep a guard between training and test."""
_DIVIDING = ("random", "disjoint", "polygons", "scenes")
Calibration = Literal["none", "temperature", "sigmoid", "isotonic", "auto"]
Baseline = Literal["svm", "forest", "cnn1d", "lda", "gaussian", "spectral_angle"]


class PreprocessConfig(Section):
    """What is done to the whole scene before anything else.

    Attributes:
        denoise: take the noise out of the cube with the shipped denoiser, the noise of each band
            estimated from the scene itself. Unlabelled and test pixels take part; no label does. A
            denoised cube varies in few directions: principal components beyond them are 0.
    """

    denoise: bool = False


class ReductionConfig(Section):
    """What is done to the spectra before the network.

    Attributes:
        method: pca, standardize (each band to zero mean and unit variance) or none (bands as they
            are).
        components: number of principal components.
        whiten: scale the components to unit variance.
        fit_on: scene (every valid pixel, as in the HybridSN paper; of a split by scenes those of
            the training scenes) or train (training pixels).
    """

    method: Literal["pca", "standardize", "none"] = "pca"
    components: Annotated[int, Field(ge=1), ReadWith("method", ("pca",), by_model=True)] = 30
    whiten: Annotated[bool, ReadWith("method", ("pca",), by_model=True)] = True
    fit_on: Annotated[
        Literal["scene", "train"], ReadWith("method", ("pca", "standardize"), by_model=True)
    ] = "scene"


class SplitConfig(Section):
    """How labelled pixels become training, validation and test parts.

    Attributes:
        kind: random (stratified), disjoint (spatially, with a guard), polygons (whole drawn
            polygons, or areas of one label, with a guard), spatial_folds (cross-validation: blocks,
            or drawn polygons, in folds, each tested by a model of its own), scenes (whole ones of
            several) or file.
        train: share of each class's pixels, or (a whole number) pixels per class; of a split by
            scenes, where none are named, share or number of the scenes. Not of spatial_folds.
        validation: share of the training side that is set apart for selection.
        guard: pixels between training and test; null, or auto, takes what the window reaches, or
            more where position alone tells classes at that distance
            (docs/explanations/splits.md). disjoint, polygons and spatial_folds only.
        folds: number of spatial folds, each a model. spatial_folds only.
        layout: auto, blocks or stripes. disjoint and spatial_folds only, of which auto takes
            polygons where labels are drawn.
        rare_classes: classes that cannot be divided: drop, train (train only) or error; null
            means error for random splits, drop for those by place or polygons and train for those
            by scenes.
        file: masks or indices of a fixed split, in one file or in TRAIN,TEST[,VALIDATION].
        test_scenes: names of the scenes that test; empty draws them. scenes only.
        validation_scenes: names of the scenes that select an epoch; empty takes
            `validation` of the training scenes. scenes only.
    """

    kind: Literal["random", "disjoint", "polygons", "spatial_folds", "scenes", "file"] = "random"
    train: Annotated[float, Field(gt=0), ReadWith("kind", _DIVIDING)] = 0.3
    validation: SetApart = 0.0
    guard: Annotated[int, Field(ge=0, le=10_000)] | None = None
    folds: Annotated[int, Field(ge=2, le=100)] = 5
    layout: Annotated[
        Literal["auto", "blocks", "stripes"], ReadWith("kind", ("disjoint", "spatial_folds"))
    ] = "auto"
    rare_classes: Literal["drop", "train", "error"] | None = None
    file: Text | None = None
    test_scenes: list[Text] = Field(default_factory=list)
    validation_scenes: list[Text] = Field(default_factory=list)

    @field_validator("guard", mode="before")
    @classmethod
    def _auto_is_none(cls, value: object) -> object:
        return None if value == "auto" else value

    @field_validator("train")
    @classmethod
    def _share_or_count(cls, value: float) -> float:
        if value >= 1 and value != int(value):
            raise ValueError("a share below 1 or a whole number of pixels per class")
        return value

    @model_validator(mode="after")
    def _file_goes_with_kind(self) -> SplitConfig:
        if (self.kind == "file") != (self.file is not None):
            raise ValueError("split.file together with split.kind=file")
        if self.kind != "scenes" and (self.test_scenes or self.validation_scenes):
            raise ValueError("split.kind=scenes (--split scenes) with names of scenes")
        if self.kind != "spatial_folds" and self.folds != type(self).model_fields["folds"].default:
            raise ValueError("split.kind=spatial_folds (--split spatial_folds) with split.folds")
        both = set(self.test_scenes) & set(self.validation_scenes)
        if both:
            raise ValueError(f"one role for each scene; {min(both)} has two")
        return self


class ModelConfig(Section):
    """The network.

    Attributes:
        name: a name of `hsi models list`.
        window: side of the square of pixels around the classified one. A network looks at it; a
            model of single spectra averages its answers over it, each pixel weighted by how alike
            its spectrum is, see `LikenessFilter`.
        filter: side of the square of pixels over which a network's probabilities are averaged in
            the same way, before they are calibrated: in the run's scores and maps and whenever it
            predicts; training and its validation see single answers. 1 averages nothing.
        options: further arguments of the model.
    """

    name: Text = "hybridsn"
    window: Annotated[int, Field(ge=1)] = 25
    filter: Annotated[int, Field(ge=1)] = 1
    options: Options = Field(default_factory=dict)

    @property
    def reach(self) -> int:
        """Side in pixels of the square that the answer at its centre depends on."""
        return self.window + self.filter - 1

    @model_validator(mode="after")
    def _odd(self) -> ModelConfig:
        for key, side in (("window", self.window), ("filter", self.filter)):
            if side % 2 == 0:
                raise ValueError(f"an odd model.{key}, so that it has a central pixel")
        return self


class AugmentationConfig(Section):
    """What is drawn anew for each window whenever it is learnt from.

    A model that is fitted at once learns from a few changed copies of its spectra.

    Attributes:
        flips: mirror lines, samples, both or none.
        rotations: turn by 0, 90, 180 or 270°; with flips all eight orientations of a square.
        gain: greatest relative change of a window's brightness: all its spectra, before they are
            reduced, times one factor from 1 − gain to 1 + gain.
        noise: standard deviation of Gaussian noise on each value that the network sees; whitened
            components and standardised bands vary by 1.
        fields: standard deviation of the share that is added, of the difference between the mean
            spectra of two fields of one class (areas of training pixels that touch), drawn at
            random from all classes: as much as one field differs from another, a spectrum may
            differ elsewhere.
        copies: changed copies of each training spectrum for a model that is fitted at once (svm,
            forest, ...), in place of it; networks see another one each time.
        others: augmentations of other packages by their names, each with its options.
    """

    flips: bool = False
    rotations: bool = False
    gain: Annotated[float, Field(ge=0, lt=1)] = 0.0
    noise: NonNegative = 0.0
    fields: NonNegative = 0.0
    copies: Annotated[int, Field(ge=1, le=100)] = 3
    others: dict[str, Options] = Field(default_factory=dict)

    @property
    def active(self) -> bool:
        """Whether anything is changed at all."""
        unused = {"copies": type(self).model_fields["copies"].default}
        return self.model_copy(update=unused) != AugmentationConfig()


class ClassificationTrainingConfig(ClassifierTrainingConfig):
    """The training loop of a classifier of windows.

    Attributes:
        strategy: patch (a window for every pixel of a batch), dense (features of the whole scene
            at every step, for networks that see a window as a part of the scene; the same
            gradients up to rounding; a last batch too small for that goes by windows) or auto,
            which takes the one expected to be faster. The one taken is part of a run's identity,
            as the two differ in the last bits.
        sampling: pixels (a batch is drawn from all training pixels), or tiles (from a few tiles of
            8 × 8 pixels, all of whose training pixels follow each other: another sampling, with
            which a dense step needs the features of those tiles alone and an epoch teaches about
            half as much).
        augmentation: see `AugmentationConfig`. Each window is changed by itself, so with any of it
            training is by windows.
        search: how svm and gaussian, as model or baseline, find settings that are not given: on
            random folds of the training pixels, or on spatial_folds of them, which keep the split's
            guard where they can.
        calibration: how class probabilities are made to mean what they say, without changing any
            class: none, temperature, sigmoid, isotonic (docs/explanations/probabilities.md) or
            auto, the one of these with the least negative log-likelihood over spatial folds
            (temperature where fewer than 200 pixels can be held out). Fitted on the training side
            alone: of models of single spectra on blocks that were left out of the fit, of networks
            on the validation part, without which auto fits none, or by calibration_folds.
        calibration_folds: into how many folds of blocks the training side is dealt for the
            calibration; a model of the same settings learns without each of them, farther from it
            than the split's guard, and scores it. Null: 5 of models of single spectra, none of
            networks, to which each is one more training.
        class_weights: what a training pixel counts for by its class, 1 on average: none (all
            alike), balanced (so that all classes count alike) or effective (by the effective
            number of pixels, Cui et al., CVPR 2019). Of networks in the loss; of svm, forest and
            lda in the fit. With none wide_svm keeps weights of its own.
        class_weights_beta: β of effective: 0 weighs nothing, towards 1 it comes to balanced.
        balanced_batches: draw every class equally often, pixels of rare classes several times in an
            epoch and of common ones not all; networks only.
    """

    class_weights: Literal["none", "balanced", "effective"] = "none"
    class_weights_beta: Annotated[
        float, Field(ge=0, lt=1), ReadWith("class_weights", ("effective",))
    ] = 0.999
    balanced_batches: bool = False

    calibration: Calibration = "auto"
    calibration_folds: Annotated[int, Field(ge=2, le=20)] | None = None
    augmentation: AugmentationConfig = AugmentationConfig()
    strategy: Literal["auto", "patch", "dense"] = "auto"
    sampling: Literal["pixels", "tiles"] = "pixels"
    search: Literal["random", "spatial_folds"] = "random"


class EvaluationConfig(Section):
    """What is computed after training.

    Attributes:
        baselines: beside the position-only nearest neighbour, which is always there.
        batch_size: windows per forward pass, where a network cannot take the scene at once.
        precision: of the network's computations: fp32, bf16 (logits differ by about 3e-3), or on
            CUDA devices tf32 and fp16.
        dropout_at_test: also classify the test part ten times with dropout left on, a known
            mistake, and write what it does to the spread. The run's own scores never use it.
        orientations: 8 averages a network's probabilities over all ways to turn and mirror a
            window, in the run's scores and maps and whenever it predicts; validation during
            training sees windows as they are. 1 averages nothing.
    """

    baselines: list[Baseline] = Field(default_factory=list)
    batch_size: Annotated[int, Field(ge=1)] = 512
    precision: Precision = "fp32"
    dropout_at_test: bool = False
    orientations: Literal[1, 8] = 1


class ClassificationConfig(MachineConfig):
    """Everything that defines a classification run.

    Attributes:
        auto: with model.name=auto, what is tried to choose the model, and its reduction and
            training; keys of `train` that are set beside it hold for all candidates.
    """

    task: Literal["classification"] = "classification"
    data: ScenesConfig
    preprocess: PreprocessConfig = PreprocessConfig()
    reduction: ReductionConfig = ReductionConfig()
    split: SplitConfig = SplitConfig()
    model: ModelConfig = ModelConfig()
    train: ClassificationTrainingConfig = ClassificationTrainingConfig()
    evaluation: EvaluationConfig = EvaluationConfig()
    auto: AutoConfig | None = None

    @model_validator(mode="after")
    def _auto_chooses_all_of_it(self) -> ClassificationConfig:
        if (self.auto is not None) != (self.model.name == AUTO):
            raise ValueError(
                "model.name=auto together with auto.candidates: --model auto, or --config "
                "classification/auto"
            )
        if self.auto is None:
            return self
        own = self.model.options or self.model.filter > 1
        if own or self.reduction != ReductionConfig(method="none", fit_on="train"):
            raise ValueError(
                "model.options, model.filter and reduction of --model auto as they are: each "
                'candidate has its own, as in auto.candidates=["hybridsn reduction.components=15"]'
            )
        return self

    @model_validator(mode="after")
    def _selection_needs_validation(self) -> ClassificationConfig:
        needs = self.train.selection == "best" or self.train.early_stopping is not None
        held = self.split.validation or self.split.validation_scenes
        # Roles of scenes are settled later.
        held = held or any(each.role == "validation" for each in self.data.scenes)
        if needs and self.split.kind != "file" and not held:
            raise ValueError(
                "split.validation above 0: train.selection=best and train.early_stopping need it"
            )
        return self

    @model_validator(mode="after")
    def _one_model_with_dropout(self) -> ClassificationConfig:
        if self.evaluation.dropout_at_test and self.split.kind == "spatial_folds":
            raise ValueError(
                "no evaluation.dropout_at_test with split.kind=spatial_folds: it is shown of one "
                "model, as of --split disjoint"
            )
        return self

    @model_validator(mode="after")
    def _balanced_from_all_pixels(self) -> ClassificationConfig:
        if self.train.balanced_batches and self.train.sampling == "tiles":
            raise ValueError("train.sampling=pixels with train.balanced_batches")
        return self

    @model_validator(mode="after")
    def _windows_can_turn(self) -> ClassificationConfig:
        augmentation = self.train.augmentation
        for key, turning in (
            ("train.augmentation.flips", augmentation.flips),
            ("train.augmentation.rotations", augmentation.rotations),
            ("evaluation.orientations", self.evaluation.orientations > 1),
        ):
            if turning and self.model.window == 1:
                raise ValueError(f"no {key} with model.window=1: one pixel has no orientation")
        return self

    @model_validator(mode="after")
    def _augmented_by_windows(self) -> ClassificationConfig:
        if self.train.augmentation.active and self.train.strategy == "dense":
            raise ValueError(
                "train.strategy patch or auto with train.augmentation: each window is changed by "
                "itself, which a whole scene cannot be"
            )
        return self
