"""The keys of a training that classifies whole images."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from ..config import Section
from ..unread_keys import ReadWith
from .training import (
    LEAST_SHARE,
    ClassifierTrainingConfig,
    MachineConfig,
    NonNegative,
    Options,
    Positive,
    SetApart,
    Text,
)

Pair = Annotated[list[Positive], Field(min_length=2, max_length=2)]
Side = Annotated[int, Field(ge=1, le=4096)]
Amount = Annotated[float, Field(ge=0, lt=1)]


class LabelledImagesConfig(Section):
    """The images and how the network sees them.

    Attributes:
        dataset: a registered set of labelled images (digits, cifar10), or null.
        folder: a folder with one sub-folder of images per class, or null.
        colour: grey or rgb; null takes a registered set as it is and folders as rgb.
        size: side of the square that the network sees, in pixels; null takes that of a registered
            set.
        resize: shorter side that images are brought to when they are read, antialiased; the
            network then sees a square of `size` in them. null keeps registered sets as they are,
            resizes images of folders to `size`, and shows the network the whole shorter side.
        allow_unverified: use registered files although their checksum is wrong or unknown,
            and say so.
    """

    dataset: Text | None = None
    folder: Text | None = None
    colour: Literal["grey", "rgb"] | None = None
    size: Side | None = None
    resize: Side | None = None
    allow_unverified: bool = False

    @model_validator(mode="after")
    def _one_source(self) -> LabelledImagesConfig:
        if (self.dataset is None) == (self.folder is None):
            raise ValueError("either data.dataset (a registered set) or data.folder (your own)")
        if self.folder is not None and self.size is None:
            raise ValueError("data.size: images of a folder have no size of their own")
        if self.resize is not None and (self.size is None or self.resize < self.size):
            raise ValueError("data.resize not below data.size")
        return self


class ImageSplitConfig(Section):
    """How images become parts, class by class, where nobody has divided them.

    Attributes:
        test: share set apart for final scores, of images that come without a test part.
        validation: share of the training side set apart for selection.
    """

    test: Annotated[float, Field(ge=LEAST_SHARE, lt=1)] = 0.2
    validation: SetApart = 0.1


class ImageModelConfig(Section):
    """The network.

    Attributes:
        name: a name of `hsi models list`.
        options: further arguments of the network.
        weights: a file of torchvision's weights (.pth or .safetensors) of the same network, from
            which training starts; the layers over the classes are drawn anew where the file has
            another number of them. null draws all from the stream `init`.
    """

    name: Text = "resnet_20"
    options: Options = Field(default_factory=dict)
    weights: Text | None = None


class ImageTrainingConfig(ClassifierTrainingConfig):
    """The training loop.

    Attributes:
        auxiliary_weight: of the losses of auxiliary heads beside the network's own (GoogLeNet:
            0.3).
    """

    batch_size: Annotated[int, Field(ge=1)] = 128
    auxiliary_weight: NonNegative = 0.3


class AugmentConfig(Section):
    """What is drawn anew for each image whenever it is learnt from.

    Attributes:
        crop: centre, shift (a square of the usual size at a random place) or area (a box of
            random area and aspect).
        pad: pixels by which a shifted square may reach beyond the image; CIFAR's is 4.
        area: least and greatest share of the image in a box.
        aspect: least and greatest ratio of its width to its height.
        interpolation: by which pixels are found between pixels; of several each view draws its own.
        flip: mirror half of the images.
        brightness: greatest relative change.
        contrast: greatest relative change.
        saturation: greatest relative change.
    """

    crop: Literal["centre", "shift", "area"] = "centre"
    pad: Annotated[int, Field(ge=0, le=1024), ReadWith("crop", ("shift",))] = 0
    area: Annotated[Pair, ReadWith("crop", ("area",))] = Field(default=[0.08, 1.0])
    aspect: Annotated[Pair, ReadWith("crop", ("area",))] = Field(default=[0.75, 4 / 3])
    interpolation: Annotated[
        list[Literal["nearest", "bilinear", "bicubic"]], Field(min_length=1)
    ] = Field(default=["bilinear"])
    flip: bool = False
    brightness: Amount = 0.0
    contrast: Amount = 0.0
    saturation: Amount = 0.0

    @model_validator(mode="after")
    def _rising(self) -> AugmentConfig:
        if self.area[0] > self.area[1] or self.area[1] > 1:
            raise ValueError("augment.area as [least, greatest], at most 1")
        if self.aspect[0] > self.aspect[1]:
            raise ValueError("augment.aspect as [least, greatest]")
        return self


class ImageEvaluationConfig(Section):
    """How images are classified in the end; validation during training uses one crop.

    Attributes:
        crops: views of an image whose probabilities are averaged: 1, 10, 12 or 144.
        batch_size: views per forward pass.
    """

    crops: Literal[1, 10, 12, 144] = 1
    batch_size: Annotated[int, Field(ge=1)] = 512


class ImageClassificationConfig(MachineConfig):
    """Everything that defines a training that classifies images."""

    task: Literal["image_classification"] = "image_classification"
    data: LabelledImagesConfig
    split: ImageSplitConfig = ImageSplitConfig()
    model: ImageModelConfig = ImageModelConfig()
    train: ImageTrainingConfig = ImageTrainingConfig()
    augment: AugmentConfig = AugmentConfig()
    evaluation: ImageEvaluationConfig = ImageEvaluationConfig()
