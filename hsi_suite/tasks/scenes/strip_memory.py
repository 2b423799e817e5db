"""How many lines of a scene are classified at a time, so that memory keeps within a limit.

The answer depends on the scene, the models and the limit alone, never on what the machine has free:
strips begin and end at the same lines whenever a prediction is called again.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence

import torch
from torch import nn

from ...data.readers import CubeFile
from ...engine.dense import HALVES, features_grid, runs_dense
from ...engine.memory import LayerBytes, layer_bytes
from ...engine.sliding import sliding_bytes
from ...engine.task import WindowNetwork
from ...errors import OutputError
from ...memory import PROGRAM_BYTES, check_limit, memory_text
from ...models.classical import keeps_kernels
from ...models.random_forest import RandomForest
from .answer_filtering import filtered_lines
from .classifier import Classifier
from .ensemble import COLUMNS, Ensemble
from .network_classifier import NetworkClassifier
from .orientation_averaging import lines_at_a_time
from .spectral_classifier import SpectralClassifier

# Strips need not be larger: what they compute twice is little, and less is lost when one breaks.
_MOST_PIXELS = 2**19
_REDUCTION_BLOCK = 65_536
# As `engine.dense` cuts a piece once more, and the windows of a batch.
_INNER_PIXELS, _INNER_LINES, _WINDOWS = 10_000, 16, 512
# A network's memory against the largest of its layers (measured: 1.8 for HybridSN, 2.9 for SSRN,
# 2.8 for the 1-D CNN), and against one that is unfolded (2.1 for SSRN: where malloc keeps blocks,
# the next does not fit into the one before).
_LIVE_LAYERS, _UNFOLDED_LAYERS = 3.2, 2.3
# The same against the sum of its outputs, where scenes go through it (measured: 2.2 for HybridSN).
_LIVE_OUTPUTS = 2.5
_PROBE = 24
_SVM_CACHE = 500e6
# Three bands, stretched in double precision, and the panels that are drawn (measured: 75).
_PICTURE_BYTES = 120


def strip_lines(file: CubeFile, ensemble: Ensemble, memory_limit: float) -> int:
    """Lines in a strip.

    Args:
        file: the scene.
        ensemble: what classifies it.
        memory_limit: bytes for the whole process; on CUDA without what the driver takes.

    Raises:
        ConfigError: not even small strips keep within the limit.
    """
    lines, samples, _ = file.shape
    # Smaller strips would read and reduce most lines twice.
    least = min(lines, 2 * ensemble.radius + 1)
    most = max(least, min(lines, _MOST_PIXELS // samples))
    heights = range(least, most + 1)
    needed = _memory_of(file, ensemble)
    fitting = bisect_right(heights, memory_limit, key=needed)
    if not fitting:
        check_limit(memory_limit, needed(least), "this scene with these runs")
    return heights[fitting - 1]


def check_picture(file: CubeFile, memory_limit: float) -> None:
    """Refuse to draw a scene that does not fit into memory.

    Raises:
        OutputError: it does not.
    """
    lines, samples, _ = file.shape
    needed = PROGRAM_BYTES + lines * samples * _PICTURE_BYTES
    if needed > memory_limit:
        raise OutputError(
            "a picture",
            f"{lines:,} × {samples:,} pixels need {memory_text(needed)}",
            f"at most the memory limit, {memory_text(memory_limit)}",
            "write .tif, .hdr or .npy",
        )


def _memory_of(file: CubeFile, ensemble: Ensemble) -> Callable[[int], float]:
    """About the most memory that the process takes, as a function of the lines in a strip."""
    lines, samples, bands = file.shape
    around = 2 * ensemble.radius
    width = min(samples, COLUMNS + around)
    classes, models = len(ensemble.labels), ensemble.classifiers
    components = max(classifier.reduction.components for classifier in models)
    reducing = min(lines * samples, _REDUCTION_BLOCK) * bands * 16
    computing = max(model_bytes(classifier, lines, width) for classifier in models)
    fixed = PROGRAM_BYTES + models_bytes(ensemble) + reducing + computing

    def needed(height: int) -> float:
        read = min(height + around, lines)
        # A piece reduced, turned and padded; its logits, probabilities and their parts.
        piece = read * width * (16 * components + 24 * classes + 40)
        results = height * samples * (12 * classes + 24)
        return fixed + file.reading_bytes(read) + piece + results

    return needed


def models_bytes(ensemble: Ensemble) -> float:
    """Memory of the classifiers' own numbers, and of fitting the largest, one after the other."""
    models = ensemble.classifiers
    return sum(map(_kept_bytes, models)) + max(map(_fitting_bytes, models))


def _kept_bytes(classifier: Classifier) -> float:
    if isinstance(classifier, NetworkClassifier):
        return 8.0 * sum(weights.numel() for weights in classifier.network.parameters())
    assert isinstance(classifier, SpectralClassifier) and classifier.spectra is not None
    spectra = classifier.spectra
    trees = model_tree_bytes(classifier.header.model, len(spectra), len(classifier.header.labels))
    return 4.0 * spectra.nbytes + trees


def _fitting_bytes(classifier: Classifier) -> float:
    if not isinstance(classifier, SpectralClassifier) or classifier.spectra is None:
        return 0.0
    return svm_bytes(len(classifier.spectra)) if keeps_kernels(classifier.header.model) else 0.0


def svm_bytes(spectra: int) -> float:
    """Memory of the kernels of a support vector machine."""
    return min(_SVM_CACHE, 8.0 * spectra**2)


def model_tree_bytes(name: str, spectra: int, classes: int) -> float:
    """Memory of a forest's trees; 0 for other models."""
    return RandomForest.tree_bytes(classes, spectra) if name == "forest" else 0.0


def model_bytes(classifier: Classifier, lines: int, samples: int) -> float:
    """Memory of a classifier at work on a piece of at most so many lines and samples."""
    filtering = _filter_bytes(classifier, samples)
    if not isinstance(classifier, NetworkClassifier) or classifier.device.type == "cuda":
        return filtering
    network = classifier.network
    if classifier.header.orientations == 1:
        return filtering + _network_bytes(classifier, network, lines, samples)
    window = classifier.header.window
    height = min(lines, lines_at_a_time(samples, window, len(classifier.header.labels)))
    work = max(
        _network_bytes(classifier, network, height, samples),
        _network_bytes(classifier, network, samples, height),
    )
    values = 8 * classifier.reduction.components + 12 * len(classifier.header.labels) + 16
    return filtering + work + values * (height + window) * (samples + window)


def _filter_bytes(classifier: Classifier, samples: int) -> float:
    """Spectra of some lines, their differences and their chosen ones; shares and their sums."""
    kept = classifier.header.likeness_filter
    if kept is None:
        return 0.0
    window = kept.window
    values = classifier.reduction.components + len(classifier.header.labels)
    return 16.0 * values * (filtered_lines(samples) + window) * (samples + window)


def _network_bytes(classifier: Classifier, network: nn.Module, lines: int, samples: int) -> float:
    components = classifier.reduction.components
    if runs_dense(network, training=False):
        return _dense_bytes(network, components, lines, samples)
    window = classifier.header.window
    one = torch.zeros(1, components, window, window)
    work = _live_bytes(layer_bytes(network, lambda: network(one)))
    return _WINDOWS * (work + 12 * components * window**2)


def _dense_bytes(network: WindowNetwork, components: int, lines: int, samples: int) -> float:
    assert isinstance(network, nn.Module)
    side = network.window - network.margin
    height = _INNER_LINES * max(1, _INNER_PIXELS // samples // _INNER_LINES)
    places = (min(lines, height) + side - 1) * (samples + side - 1)
    size = _PROBE + network.margin
    probe = torch.zeros(1, components, size, size)
    layers = layer_bytes(network, lambda: network.features(probe))
    # Either is enough; the first is close for networks of many layers, the second for few.
    work = min(_live_bytes(layers), _LIVE_OUTPUTS * sum(layer.output for layer in layers))
    in_tiles = features_grid(network, places // (samples + side - 1), samples + side - 1)
    unfolded = max(
        (
            layer.inputs + layer.output + layer.unfolded
            for layer in layers
            if layer.unfolded and in_tiles == HALVES
        ),
        default=0.0,
    )
    per_place = max(work, _UNFOLDED_LAYERS * unfolded) / _PROBE**2
    with torch.inference_mode():
        features = network.features(probe[..., : network.window, : network.window])
    first, rest = network.split_head()
    if first is None:
        work = _live_bytes(layer_bytes(rest, lambda: rest(features)))
        head = _WINDOWS * (work + 12 * features.numel())
    else:
        head = sliding_bytes(first, side, lines * samples, places)
    return max(per_place * places, head) + 8.0 * features.shape[1] * places


def _live_bytes(layers: Sequence[LayerBytes]) -> float:
    """What a network takes while it works, without gradients."""
    return _LIVE_LAYERS * max((layer.inputs + layer.output for layer in layers), default=0.0)
