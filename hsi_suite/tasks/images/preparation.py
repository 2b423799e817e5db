"""From a configuration to images, their parts and the classifier that is to learn them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from ...checksums import hash_file
from ...data.class_folders import read_class_folder
from ...data.image_split import divide_images
from ...data.labelled_images import (
    LabelledImages,
    load_labelled_images,
    recoloured,
    resized,
)
from ...data.splits import Split
from ...engine.observer import Observer
from ...models.pretrained import begin_pretrained
from ...schemas.image_classification import ImageClassificationConfig, LabelledImagesConfig
from ...user_files import require_regular
from .classifier import ImageClassifier, ImageHeader, untrained_image_classifier
from .configuration import refuse_unselected
from .task import ImageClassification
from .views import channel_statistics

WEIGHTS = "model.weights"
"""By what the weights that a training starts from are called among its checksums."""


@dataclass(frozen=True)
class PreparedImages:
    """Images and their parts.

    Attributes:
        images: all of them.
        split: their parts, in indices of images.
    """

    images: LabelledImages
    split: Split


def load_configured_images(data: LabelledImagesConfig, observer: Observer) -> LabelledImages:
    """The images of a resolved configuration, coloured and resized as it says.

    Raises:
        HsiSuiteError: they are not here or cannot be read.
    """
    if data.dataset is None:
        assert data.folder is not None
        assert data.size is not None
        return read_class_folder(
            data.folder,
            colour=data.colour or "rgb",
            shorter_side=data.resize or data.size,
            on_message=observer.message,
        )
    images = load_labelled_images(
        data.dataset, allow_unverified=data.allow_unverified, on_message=observer.message
    )
    if data.colour is not None:
        images = recoloured(images, data.colour)
    return images if data.resize is None else resized(images, data.resize)


def prepare_images(config: ImageClassificationConfig, observer: Observer) -> PreparedImages:
    """Load and divide the images; the stream `split` draws the parts.

    Raises:
        HsiSuiteError: they cannot be had or divided, or there is nothing to select by.
    """
    images = load_configured_images(config.data, observer)
    split = divide_images(
        images,
        test=config.split.test,
        validation=config.split.validation,
        generator=config.streams.numpy("split"),
    )
    refuse_unselected(config, len(split.validation))
    return PreparedImages(images, split)


def untrained_images_classifier(
    config: ImageClassificationConfig, prepared: PreparedImages
) -> ImageClassifier:
    """The classifier of a resolved configuration before training, on its device.

    Raises:
        HsiSuiteError: no such model, or it cannot be built so.
    """
    images = prepared.images
    mean, std = channel_statistics(images, prepared.split.train)
    assert config.data.size is not None
    header = ImageHeader(
        model=config.model.name,
        options=dict(config.model.options),
        class_names=list(images.class_names),
        size=config.data.size,
        resize=config.data.resize,
        mean=mean,
        std=std,
        dataset=images.name,
    )
    device = torch.device(config.device)
    classifier = untrained_image_classifier(header, device, config.streams.torch("init"))
    if config.model.weights is not None:
        arguments = {**header.options, "in_channels": header.channels, "window": header.size}
        path = Path(config.model.weights)
        begin_pretrained(classifier.network, header.model, arguments, path)
    return classifier


def starting_weights(config: ImageClassificationConfig) -> dict[str, str]:
    """The checksum of the weights that training starts from, by the key that names them.

    Raises:
        InputFileError: there is no such file.
    """
    weights = config.model.weights
    if weights is None:
        return {}
    require_regular(Path(weights), "a file of torchvision's weights")
    return {WEIGHTS: hash_file(Path(weights))}


def training_task(
    config: ImageClassificationConfig, prepared: PreparedImages, classifier: ImageClassifier
) -> ImageClassification:
    """What `engine.trainer` trains on."""
    return ImageClassification(
        classifier.views(prepared.images),
        prepared.images.classes,
        prepared.split,
        config.train,
        config.augment,
        config.evaluation.batch_size,
        config.streams,
    )
