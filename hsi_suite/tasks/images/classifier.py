"""A trained classifier of images as one object and one file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from ...data.labelled_images import LabelledImages
from ...engine.device_memory import InHalves
from ...engine.finite import check_finite, note_file, output_of
from ...engine.observer import Observer
from ...errors import RunError, ShapeError
from ...guard import parsing
from ...models.building import build_model
from ...models.stored_header import header_from
from ...models.stored_model import require_fitting
from ...runs.model_file import read_model_file, write_model_file
from .views import ImageViews

_FORMAT = "hsi_suite image classifier 1"
_GREY, _RGB = 1, 3


@dataclass(frozen=True)
class ImageHeader:
    """What a classifier of images is, beside its numbers.

    Attributes:
        model: registered name.
        options: further arguments of the model.
        class_names: the classes, in the order of its outputs.
        size: side of the square it sees, in pixels.
        resize: shorter side that images are brought to first; None: the whole shorter side is
            seen.
        mean: of each channel over the training part, on the scale 0 to 1: 1 for grey, 3 for RGB.
        std: standard deviation of each channel.
        dataset: what it was trained on.
    """

    model: str
    options: dict[str, Any]
    class_names: list[str]
    size: int
    resize: int | None
    mean: list[float]
    std: list[float]
    dataset: str

    @property
    def channels(self) -> int:
        """1 for grey, 3 for RGB."""
        return len(self.mean)


@dataclass
class ImageClassifier:
    """Images in, class probabilities out.

    Attributes:
        header: see `ImageHeader`.
        network: on its device.
    """

    header: ImageHeader
    network: nn.Module

    def views(self, images: LabelledImages) -> ImageViews:
        """The images as this classifier sees them, on its device.

        Raises:
            ShapeError: they have other channels.
        """
        header = self.header
        if images.channels != header.channels:
            kinds = {_GREY: "grey", _RGB: "RGB"}
            raise ShapeError(
                images.name, f"{kinds[images.channels]} images", f"{kinds[header.channels]} ones"
            )
        side = header.size if header.resize is not None else int(images.shapes.min())
        device = next(self.network.parameters()).device
        return ImageViews(images, header.size, side, header.mean, header.std, device)

    def probabilities(
        self,
        views: ImageViews,
        images: NDArray[np.int64],
        *,
        crops: int = 1,
        batch_size: int = 512,
        observer: Observer | None = None,
    ) -> NDArray[np.float32]:
        """Class probabilities of some images, the mean of the softmax over their crops.

        Args:
            views: of `self.views`.
            images: their indices, N.
            crops: 1, 10, 12 or 144, see `data.multi_crop.multi_crop_boxes`.
            batch_size: views per forward pass.
            observer: reports progress.

        Returns:
            N × classes.

        Raises:
            NotFiniteError: the network gives values that are no numbers.
        """
        observer = observer or Observer()
        observer.begin("classifying", len(images))
        self.network.eval()
        whose = output_of(self.network, self.header.model)
        rows = [np.empty((0, len(self.header.class_names)), np.float32)]
        with torch.inference_mode():
            network = InHalves(lambda some: self.network(some).float(), observer)
            for values, number in views.fixed(images, crops, batch_size):
                logits = network(values)
                shares = check_finite(logits, whose).softmax(1)
                rows.append(shares.reshape(-1, number, shares.shape[1]).mean(1).cpu().numpy())
                observer.advance(len(rows[-1]))
        observer.end()
        return np.concatenate(rows)

    def save(self, path: Path) -> None:
        """Write the classifier as one safetensors file, its header in the metadata."""
        tensors = {
            name: value.detach().cpu().contiguous()
            for name, value in self.network.state_dict().items()
        }
        write_model_file(path, tensors, {"format": _FORMAT, **asdict(self.header)})


def untrained_image_classifier(
    header: ImageHeader, device: torch.device, generator: torch.Generator | None
) -> ImageClassifier:
    """The classifier that a header describes, with weights drawn from `generator`.

    Raises:
        UnknownNameError: no such network.
        ConfigError: an option it does not have, or a value it cannot take.
        ShapeError: it cannot take images of this size.
    """
    network = build_model(
        header.model,
        in_channels=header.channels,
        num_classes=len(header.class_names),
        window=header.size,
        options=header.options,
        generator=generator,
    )
    return ImageClassifier(header, network.to(device))


def load_image_classifier(path: Path, device: torch.device) -> ImageClassifier:
    """The classifier that `ImageClassifier.save` wrote, in eval mode.

    Raises:
        RunError: the file is missing, damaged or holds something else.
    """
    fields, tensors = read_model_file(path, _FORMAT, "a classifier of images")
    with parsing(
        path, "a classifier of images", "train the run again", kind=RunError, found="damaged"
    ):
        header = _checked(header_from(ImageHeader, fields))
        build = partial(untrained_image_classifier, header, torch.device("meta"), None)
        require_fitting(lambda: build().network, header.options, tensors)
        classifier = untrained_image_classifier(header, device, None)
        classifier.network.load_state_dict(tensors)
    classifier.network.eval()
    note_file(classifier.network, path)
    return classifier


def _checked(header: ImageHeader) -> ImageHeader:
    """A header whose values fit each other."""
    names = header.class_names
    if not names or not all(isinstance(name, str) for name in names):
        raise ValueError("no class names")
    numbers = [*header.mean, *header.std]
    if header.channels not in (_GREY, _RGB) or len(header.std) != header.channels:
        raise ValueError("a mean and deviation for neither grey nor RGB")
    if not all(isinstance(value, float) and np.isfinite(value) for value in numbers):
        raise ValueError("a mean or deviation that is no number")
    if not isinstance(header.size, int) or header.size < 1 or min(header.std) <= 0:
        raise ValueError("a size or deviation that is not above 0")
    return header


def mean_probabilities(rows: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """What several classifiers say together: the mean of their probabilities, N × classes."""
    mean: NDArray[np.float64] = np.stack(rows).astype(np.float64).mean(0)
    return mean.astype(np.float32)
