"""The keys of a classification run."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from ..config import Section
from .training import MachineConfig, NonNegative, NumberOrNaN, Options, Seed, TrainingConfig

Size = Annotated[int, Field(ge=1)]


def _as_text(value: Any) -> Any:
    """A list of bands that YAML took for a number, or a list of them."""
    if isinstance(value, list | tuple):
        return ",".join(map(str, value))
    return str(value) if type(value) in (int, float) else value


BandsText = Annotated[str, BeforeValidator(_as_text)]


class SceneConfig(Section):
    """Where the scene comes from: a registered data set or the user's own files.

    Attributes:
        dataset: a name of `hsi data list`.
        seed: of a synthetic data set's generator; null takes its own. `--seed` does not touch it.
        scene: the user's cube.
        scene_variable: its variable, where the file holds several arrays.
        axes: order of its axes, where the file does not say: "y,x,band", "band,y,x" and so on;
            of a matrix of spectra "band,pixel" or "pixel,band".
        shape: lines and samples of a matrix of spectra.
        labels: the user's label map, or labels as people draw them: GeoPackage, GeoJSON, Shapefile,
            KML, FlatGeobuf, a table of points, ENVI's regions of interest.
        labels_variable: its variable, where the file holds several arrays.
        class_names: a text file with one name per line.
        unlabelled: the value of unlabelled pixels in the label map; null: 0. With another one, 0
            is a class of its own where it occurs.
        warp_labels: bring labels on another grid to the scene's, nearest neighbour.
        labels_field: of drawn labels: the field that holds the class; null where only one could.
        labels_layer: of drawn labels: the layer, where a file has several.
        labels_buffer: of drawn labels: metres by which points and lines are widened.
        labels_crs: of drawn labels: the reference system, where the file names none.
        all_touched: of drawn labels: label every pixel that a polygon touches, not those alone
            whose centre it holds.
        nodata: the value that marks missing data.
        bands: which bands are used: good (all but those that the file marks as bad), all, or a
            list of numbers and ranges, or of wavelengths: 1-50,60 or 400-1340,1460-1790. A list
            leaves bad bands out too, unless it begins with "all,".
        drop_water: leave out the bands in which water vapour leaves hardly any light, 1340 to
            1460, 1790 to 1960 and above 2450 nm.
        allow_unverified: use registered files although their checksum is wrong or unknown,
            and say so.
    """

    dataset: str | None = None
    seed: Seed | None = None
    scene: str | None = None
    scene_variable: str | None = None
    axes: str | None = None
    shape: Annotated[list[Size], Field(min_length=2, max_length=2)] | None = None
    labels: str | None = None
    labels_variable: str | None = None
    class_names: str | None = None
    unlabelled: NumberOrNaN | None = None
    warp_labels: bool = False
    labels_field: str | None = None
    labels_layer: str | None = None
    labels_buffer: Annotated[float, Field(ge=0)] | None = None
    labels_crs: str | None = None
    all_touched: bool = False
    nodata: NumberOrNaN | None = None
    bands: BandsText = "good"
    drop_water: bool = False
    allow_unverified: bool = False

    @model_validator(mode="after")
    def _one_source(self) -> SceneConfig:
        if (self.dataset is None) == (self.scene is None):
            raise ValueError("either a data set (--dataset) or a cube of your own (--scene)")
        if self.scene is not None and self.labels is None:
            raise ValueError("labels (--labels) beside the cube")
        return self


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
        method: pca, or standardize (each band to zero mean and unit variance).
        components: number of principal components.
        whiten: scale the components to unit variance.
        fit_on: scene (every valid pixel, as in the HybridSN paper) or train (training pixels).
    """

    method: Literal["pca", "standardize"] = "pca"
    components: Annotated[int, Field(ge=1)] = 30
    whiten: bool = True
    fit_on: Literal["scene", "train"] = "scene"


class SplitConfig(Section):
    """How labelled pixels become training, validation and test parts.

    Attributes:
        kind: random (stratified), disjoint (spatially, with a guard), polygons (whole drawn
            polygons, or areas of one label, with a guard) or file.
        train: share of each class's pixels, or (a whole number) pixels per class.
        validation: share of the training side that is set apart for selection.
        guard: pixels between training and test; null takes the window's radius. disjoint and
            polygons only.
        layout: auto, blocks or stripes. disjoint only.
        rare_classes: classes that cannot be divided: drop, train (train only) or error; null
            means error for random splits and drop for those by place or polygons.
        file: masks or indices of a fixed split, in one file or in TRAIN,TEST[,VALIDATION].
    """

    kind: Literal["random", "disjoint", "polygons", "file"] = "random"
    train: Annotated[float, Field(gt=0)] = 0.3
    validation: Annotated[float, Field(ge=0, lt=1)] = 0.0
    guard: Annotated[int, Field(ge=0, le=10_000)] | None = None
    layout: Literal["auto", "blocks", "stripes"] = "auto"
    rare_classes: Literal["drop", "train", "error"] | None = None
    file: str | None = None

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
        return self


class ModelConfig(Section):
    """The network.

    Attributes:
        name: a name of `hsi models list`.
        window: side of the square of pixels around the classified one.
        options: further arguments of the model.
    """

    name: str = "hybridsn"
    window: Annotated[int, Field(ge=1)] = 25
    options: Options = Field(default_factory=dict)

    @model_validator(mode="after")
    def _odd(self) -> ModelConfig:
        if self.window % 2 == 0:
            raise ValueError("an odd model.window, so that it has a central pixel")
        return self


class AugmentationConfig(Section):
    """What is drawn anew for each window whenever it is learnt from.

    Attributes:
        flips: mirror lines, samples, both or none.
        rotations: turn by 0, 90, 180 or 270°; with flips all eight orientations of a square.
        gain: greatest relative change of a window's brightness: all its spectra, before they are
            reduced, times one factor from 1 − gain to 1 + gain.
        noise: standard deviation of Gaussian noise on each value that the network sees; whitened
            components and standardised bands vary by 1.
        others: augmentations of other packages by their names, each with its options.
    """

    flips: bool = False
    rotations: bool = False
    gain: Annotated[float, Field(ge=0, lt=1)] = 0.0
    noise: NonNegative = 0.0
    others: dict[str, Options] = Field(default_factory=dict)

    @property
    def active(self) -> bool:
        """Whether anything is changed at all."""
        return self != AugmentationConfig()


class ClassificationTrainingConfig(TrainingConfig):
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
    """

    augmentation: AugmentationConfig = AugmentationConfig()
    strategy: Literal["auto", "patch", "dense"] = "auto"
    sampling: Literal["pixels", "tiles"] = "pixels"


class EvaluationConfig(Section):
    """What is computed after training.

    Attributes:
        baselines: beside the position-only nearest neighbour, which is always there.
        batch_size: windows per forward pass, where a network cannot take the scene at once.
        precision: of the network's computations, fp32 or bf16 autocast (logits differ by about
            3e-3).
        dropout_at_test: also classify the test part ten times with dropout left on, a known
            mistake, and write what it does to the spread. The run's own scores never use it.
        orientations: 8 averages a network's probabilities over all ways to turn and mirror a
            window, in the run's scores and maps and whenever it predicts; validation during
            training sees windows as they are. 1 averages nothing.
    """

    baselines: list[Literal["svm", "forest", "cnn1d"]] = Field(default_factory=list)
    batch_size: Annotated[int, Field(ge=1)] = 512
    precision: Literal["fp32", "bf16"] = "fp32"
    dropout_at_test: bool = False
    orientations: Literal[1, 8] = 1


class ClassificationConfig(MachineConfig):
    """Everything that defines a classification run."""

    task: Literal["classification"] = "classification"
    data: SceneConfig
    preprocess: PreprocessConfig = PreprocessConfig()
    reduction: ReductionConfig = ReductionConfig()
    split: SplitConfig = SplitConfig()
    model: ModelConfig = ModelConfig()
    train: ClassificationTrainingConfig = ClassificationTrainingConfig()
    evaluation: EvaluationConfig = EvaluationConfig()

    @model_validator(mode="after")
    def _selection_needs_validation(self) -> ClassificationConfig:
        needs = self.train.selection == "best" or self.train.early_stopping is not None
        if needs and self.split.kind != "file" and not self.split.validation:
            raise ValueError(
                "split.validation above 0: train.selection=best and train.early_stopping need it"
            )
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
