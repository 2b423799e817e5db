"""A trained classifier as one object and one file: everything that prediction needs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from ..atomic import atomic_file
from ..data.patches import WindowSampler
from ..data.reduction import Reduction
from ..engine.devices import seeded
from ..engine.observer import Observer
from ..errors import HsiSuiteError, OutputError, RunError, ShapeError
from ..models.classical import CLASSICAL, SpectrumClassifier
from ..models.registry import build_model
from .pixel_task import scene_logits

_FORMAT = "hsi_suite classifier 1"
_CHUNK = 16_384


@dataclass(frozen=True)
class Header:
    """What a classifier is, beside its numbers.

    Attributes:
        model: registered name.
        options: further arguments of the model, or the settings of a classical one.
        window: side of the window in pixels.
        labels: label value of each output.
        class_names: all names of the scene's classes; label k has name k − 1.
        bands: bands of the cubes it takes.
        wavelengths: their centres in nm; None when unknown.
        dataset: what it was trained on.
        synthetic: whether that was a generated scene.
        seed: of a classical model's fit.
    """

    model: str
    options: dict[str, Any]
    window: int
    labels: list[int]
    class_names: list[str]
    bands: int
    wavelengths: list[float] | None
    dataset: str
    synthetic: bool
    seed: int = 0


@dataclass
class Classifier:
    """Spectra in, class probabilities out.

    Attributes:
        header: see `Header`.
        reduction: from spectra to the model's input; a classical model sees it too.
        network: a network in eval mode on its device, or a fitted classical model.
        training: a classical model's training spectra (reduced) and class indices.
    """

    header: Header
    reduction: Reduction
    network: nn.Module | SpectrumClassifier
    training: tuple[NDArray[np.float32], NDArray[np.int64]] | None = field(default=None)

    def probabilities(
        self,
        cube: NDArray[np.generic],
        valid: NDArray[np.bool_] | None,
        *,
        wanted: NDArray[np.bool_] | None = None,
        batch_size: int = 512,
        precision: Literal["fp32", "bf16"] = "fp32",
        dropout_seed: int | None = None,
        observer: Observer | None = None,
    ) -> NDArray[np.float32]:
        """Class probabilities of every pixel.

        A support vector machine or forest votes with one class per pixel: its probabilities are
        0 and 1.

        Args:
            cube: lines × samples × bands.
            valid: lines × samples, False where there is no data; None when all pixels are good.
            wanted: lines × samples, True for the pixels to classify; None for all valid ones.
            batch_size: windows per forward pass, where the network cannot take the scene at once.
            precision: of a network's computations; bf16 is autocast.
            dropout_seed: leave dropout on and draw it from this seed; None for eval mode.
            observer: hears of the progress.

        Returns:
            lines × samples × classes; NaN at invalid and unwanted pixels.

        Raises:
            ShapeError: the cube has other bands than the training scene.
        """
        self.check_bands(cube.shape[2])
        good = np.ones(cube.shape[:2], bool) if valid is None else valid
        reduced = self.reduction.apply(cube)
        reduced[~good] = 0
        observer = observer or Observer()
        wanted = good if wanted is None else good & wanted
        out = np.full((*good.shape, len(self.header.labels)), np.nan, np.float32)
        observer.begin("classifying", int(wanted.sum()))
        if not isinstance(self.network, nn.Module):
            out[wanted] = self._votes(reduced[wanted], observer)
        elif wanted.any():
            with _computing(self.network, precision, dropout_seed):
                out[wanted] = self._network_rows(reduced, wanted, batch_size, observer)
        observer.end()
        if np.isnan(out[wanted]).any():
            raise RunError("classification", "probabilities that are no numbers", "a sound model")
        return out

    def check_bands(self, bands: int) -> None:
        """Refuse a cube with another number of bands than the training scene.

        Raises:
            ShapeError: it has.
        """
        if bands != self.header.bands:
            raise ShapeError(
                "scene",
                f"{bands} bands",
                f"{self.header.bands} bands, as {self.header.dataset} has, which the model learnt",
                "predict a scene of the same sensor and bands",
            )

    def _network_rows(
        self,
        reduced: NDArray[np.float32],
        wanted: NDArray[np.bool_],
        batch_size: int,
        observer: Observer,
    ) -> NDArray[np.float32]:
        assert isinstance(self.network, nn.Module)
        sampler = scene_sampler(reduced, self.header.window, _device(self.network))
        chosen = torch.from_numpy(wanted)
        logits = scene_logits(self.network, sampler, chosen, batch_size, observer)
        return logits.softmax(1).cpu().numpy()

    def _votes(self, spectra: NDArray[np.float32], observer: Observer) -> NDArray[np.float32]:
        assert not isinstance(self.network, nn.Module)
        votes = np.zeros((len(spectra), len(self.header.labels)), np.float32)
        for start in range(0, len(spectra), _CHUNK):
            chunk = spectra[start : start + _CHUNK]
            votes[np.arange(start, start + len(chunk)), self.network.predict(chunk)] = 1
            observer.advance(len(chunk))
        return votes

    def label_map(self, probabilities: NDArray[np.float32]) -> NDArray[np.integer]:
        """Labels (lines × samples) of probabilities; 0 where there is no data."""
        return most_probable(probabilities, self.header.labels)

    def save(self, path: Path) -> None:
        """Write the classifier as one safetensors file."""
        tensors: dict[str, Tensor] = {
            f"reduction.{name}": torch.from_numpy(np.ascontiguousarray(value))
            for name, value in vars(self.reduction).items()
        }
        if isinstance(self.network, nn.Module):
            for name, value in self.network.state_dict().items():
                tensors[f"model.{name}"] = value.detach().cpu().contiguous()
        else:
            assert self.training is not None
            tensors["training.spectra"] = torch.from_numpy(self.training[0])
            tensors["training.classes"] = torch.from_numpy(self.training[1])
        # One key of metadata: the library writes several in an order of its own.
        header = json.dumps({"format": _FORMAT, **asdict(self.header)}, sort_keys=True)
        with atomic_file(path) as temporary:
            try:
                save_file(tensors, temporary, {"header": header})
            except SafetensorError as error:
                raise OutputError(path, f"cannot be written ({error})") from error


def most_probable(probabilities: NDArray[np.float32], labels: Sequence[int]) -> NDArray[np.integer]:
    """The label (lines × samples) with the highest probability; 0 where there is no data.

    Args:
        probabilities: lines × samples × classes, NaN where there is no data.
        labels: label value of each class.
    """
    kind = np.uint8 if max(labels) < 256 else np.uint16
    missing = np.isnan(probabilities[..., 0])
    best = np.where(missing[..., None], 0, probabilities).argmax(-1)
    return np.where(missing, 0, np.array(labels, kind)[best]).astype(kind)


@contextmanager
def _computing(
    network: nn.Module, precision: Literal["fp32", "bf16"], dropout_seed: int | None
) -> Iterator[None]:
    """Have a network compute with a precision, and with dropout if there is a seed for it."""
    device = _device(network)
    network.train(dropout_seed is not None)
    bf16 = precision == "bf16"
    with seeded(dropout_seed or 0, device), torch.autocast(device.type, torch.bfloat16, bf16):
        yield
    network.eval()


def _device(network: nn.Module) -> torch.device:
    return next(network.parameters()).device


def scene_sampler(reduced: NDArray[np.float32], window: int, device: torch.device) -> WindowSampler:
    """A sampler over a reduced scene of lines × samples × components."""
    planes = torch.from_numpy(np.ascontiguousarray(reduced.transpose(2, 0, 1)))
    return WindowSampler(planes.to(device), window)


def load_classifier(path: Path, device: torch.device, threads: int = 1) -> Classifier:
    """The classifier in a file.

    Raises:
        RunError: the file is missing, damaged or no classifier.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        header = json.loads(metadata["header"])
        if header.pop("format", None) != _FORMAT:
            raise RunError(path, "another format", f"{_FORMAT!r}", "train the run again")
        return _assemble(_checked(Header(**header)), tensors, device, threads)
    except (OSError, SafetensorError) as error:
        raise RunError(
            path, f"cannot be read ({error})", "the model of a finished run", "train the run again"
        ) from error
    except (
        LookupError, TypeError, ValueError, ArithmeticError, RuntimeError, HsiSuiteError,
    ) as error:  # fmt: skip
        if isinstance(error, RunError):
            raise
        raise RunError(path, f"damaged ({error})", "a classifier", "train the run again") from error


def _checked(header: Header) -> Header:
    """A header whose labels and names fit each other."""
    names, labels = header.class_names, header.labels
    known = range(1, len(names) + 1)
    if not all(isinstance(name, str) for name in names) or not labels:
        raise ValueError("no class names or labels")
    if len(set(labels)) < len(labels) or any(label not in known for label in labels):
        raise ValueError("labels without a name, or a label twice")
    return header


def _assemble(
    header: Header, tensors: dict[str, Tensor], device: torch.device, threads: int
) -> Classifier:
    reduction = Reduction(
        **{name: tensors[f"reduction.{name}"].numpy() for name in ("mean", "matrix", "explained")}
    )
    if header.model in CLASSICAL:
        spectra = tensors["training.spectra"].numpy()
        classes = tensors["training.classes"].numpy()
        fitted = CLASSICAL[header.model](header.options, header.seed, threads)
        fitted.fit(spectra, classes)
        return Classifier(header, reduction, fitted, (spectra, classes))
    network = build_model(
        header.model,
        in_channels=reduction.components,
        num_classes=len(header.labels),
        window=header.window,
        options=header.options,
        generator=None,
    )
    weights = {k.removeprefix("model."): v for k, v in tensors.items() if k.startswith("model.")}
    network.load_state_dict(weights)
    return Classifier(header, reduction, network.to(device).eval())
