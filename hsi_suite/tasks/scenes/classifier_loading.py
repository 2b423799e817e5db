"""Classifiers read from the files that `Classifier.save` writes."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from ...data.orientations import ORIENTATIONS
from ...data.reduction import Reduction
from ...data.spectral_domain import SpectralDomain
from ...data.value_scale import ValueScale
from ...engine.finite import note_file
from ...errors import RunError
from ...guard import parsing
from ...models.building import build_model
from ...models.calibration import Calibration
from ...models.classical import CLASSICAL
from ...models.stored_header import header_from
from ...models.stored_model import require_fitting
from ...runs.model_file import read_model_file
from .classifier import FORMAT, Classifier, Header
from .network_classifier import NetworkClassifier
from .spectral_classifier import SpectralClassifier, classical_model


def load_classifier(path: Path, device: torch.device, threads: int = 1) -> Classifier:
    """The classifier in a file.

    Raises:
        RunError: the file is missing, damaged or no classifier, or holds NaN.
    """
    fields, tensors = read_model_file(path, FORMAT, "a classifier of scenes")
    with parsing(path, "a classifier", "train the run again", kind=RunError, found="damaged"):
        classifier = _assemble(_checked(header_from(Header, fields)), tensors, device, threads)
    if isinstance(classifier, NetworkClassifier):
        note_file(classifier.network, path)
    return classifier


def _checked(header: Header) -> Header:
    """A header whose labels and names fit each other."""
    names, labels = header.class_names, header.labels
    known = range(1, len(names) + 1)
    if not all(isinstance(name, str) for name in names) or not labels:
        raise ValueError("no class names or labels")
    if len(set(labels)) < len(labels) or any(label not in known for label in labels):
        raise ValueError("labels without a name, or a label twice")
    if header.orientations not in (1, ORIENTATIONS):
        raise ValueError(f"{header.orientations!r} orientations")
    if header.domain is not None:
        SpectralDomain.from_dict(header.domain)
    if header.likeness is not None and not 0 < header.likeness < math.inf:
        raise ValueError(f"a likeness of {header.likeness!r}")
    if header.filter is not None and not (
        type(header.filter) is int
        and header.filter > 1
        and header.filter % 2
        and header.likeness is not None
        and header.model not in CLASSICAL
    ):
        raise ValueError(f"a filter of {header.filter!r}")
    _ = header.known_bands  # raises where what is kept does not fit
    if header.value_scale is not None:
        ValueScale.from_dict(header.value_scale)
    if header.calibration is not None:
        Calibration.from_dict(header.calibration)
    weights = header.class_weights
    if weights is not None and not (
        len(weights) == len(labels) and all(0 < weight < math.inf for weight in weights)
    ):
        raise ValueError("class weights that are no positive numbers, one for each label")
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
        model = classical_model(header, threads)
        classifier = SpectralClassifier(header, reduction, model)
        classifier.fit(spectra, classes)
        return classifier
    weights = {k.removeprefix("model."): v for k, v in tensors.items() if k.startswith("model.")}
    build = partial(
        build_model,
        header.model,
        in_channels=reduction.components,
        num_classes=len(header.labels),
        window=header.window,
        options=header.options,
        generator=None,
    )
    require_fitting(build, header.options, weights)
    network = build()
    network.load_state_dict(weights)
    return NetworkClassifier(header, reduction, network.to(device).eval())
