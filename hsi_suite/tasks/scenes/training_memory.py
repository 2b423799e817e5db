"""What memory a training takes, and whether it keeps within a limit.

The answers depend on the scene, the configuration and the limit alone. They decide whether the
cube is held in memory or read by lines, which changes no result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ...data.readers import CubeFile, SceneFile
from ...data.reduction import BLOCK_PIXELS
from ...data.scene import Scene
from ...data.scene_stack import StackedScene, in_memory
from ...engine.memory import dense_gradient_bytes, gradient_bytes, puts_in_place
from ...engine.task import WindowNetwork
from ...errors import InputFileError
from ...memory import DEFAULT_MEMORY_LIMIT, PROGRAM_BYTES, check_limit, memory_text
from ...models.classical import keeps_kernels
from ...schemas.classification import ClassificationConfig
from .classifier import Classifier
from .denoising import DenoisedLines
from .network_classifier import NetworkClassifier
from .strip_memory import model_bytes, model_tree_bytes, svm_bytes

# What a training takes beside the program itself for tables, figures and its page (measured:
# 0.62 GB with the program for a tiny scene, of which not all is taken at the peak of a large one).
_REPORT_BYTES = 80e6
# Of blocks that were given back, which the process keeps (measured: 58 MB).
_GIVEN_BACK_BYTES = 70e6
# Labels, class indices, valid pixels, the map; and of a labelled one its place in the split.
_PIXEL_BYTES, _LABELLED_BYTES = 20, 32
# Three bands and the panels of the picture (measured: 45).
_PICTURE_BYTES = 60
# Of the same block on its way back from eigen-images.
_DENOISED_COPIES = 4
# Weights, gradients, an optimiser's two averages and a checkpoint.
_WEIGHT_BYTES = 24
# Spectra in float32, standardised in float64, those of a fold, centred, and their squares.
_SPECTRUM_BYTES = 24
_MORE_SPECTRUM_BYTES = {"gaussian": 50}


@dataclass(frozen=True)
class MemoryLimit:
    """What memory a training may take.

    Attributes:
        size: bytes for the whole process; on CUDA without what the driver takes.
        asked: whether it was asked for. Then everything keeps within it or is refused. A default
            decides only how a scene is read, and refuses one that does not fit even when it is
            reduced: what a batch of windows takes is left to the configuration.
    """

    size: float = DEFAULT_MEMORY_LIMIT
    asked: bool = False

    @classmethod
    def of(cls, size: float | None) -> MemoryLimit:
        """The limit that was asked for; the default for None."""
        return cls() if size is None else cls(size, True)

    def holds(self, file: CubeFile, config: ClassificationConfig) -> bool:
        """Whether a cube is read into memory whole, instead of by lines.

        Raises:
            InputFileError: it does not fit, and its format cannot be read by lines.
            ConfigError: it does not fit even when it is reduced.
        """
        return self.holds_stack([file], file.shape, config)

    def holds_stack(
        self,
        files: Sequence[CubeFile],
        shape: tuple[int, int, int],
        config: ClassificationConfig,
    ) -> bool:
        """Whether several cubes are read into memory whole, instead of by lines.

        Args:
            files: of the cubes.
            shape: lines, samples and bands of all of them together, gaps included.
            config: how they are reduced, and the window.

        Raises:
            InputFileError: they do not fit, and a format cannot be read by lines.
            ConfigError: they do not fit even when they are reduced.
        """
        lines, samples, _ = shape
        size = max(file.dtype.itemsize for file in files)
        largest = max(files, key=lambda file: file.reading_bytes(file.shape[0]))
        # One is read after the other, and kept.
        others = sum(_cube_bytes(file) for file in files if file is not largest)
        reading = largest.reading_bytes(largest.shape[0]) + others
        needed = scene_bytes(shape, size, lines * samples, config) + reading
        if needed <= self.size:
            return True
        if all(file.by_lines for file in files):
            self._check_reduced(scene_bytes(shape, size, 0, config), shape, config)
            return False
        file = next(file for file in files if not file.by_lines)
        if self.asked:
            raise InputFileError(
                file.path,
                f"a {file.format} file of this kind is read whole, which takes "
                f"{memory_text(needed)}",
                f"at most the memory limit, {memory_text(self.size)}",
                "save the cube as ENVI, NPY or GeoTIFF, or raise --memory-limit",
            )
        return True

    def check_scene(self, scene: Scene | SceneFile, config: ClassificationConfig) -> None:
        """Refuse a scene that does not fit even when it is reduced.

        Raises:
            ConfigError: it does not.
        """
        if in_memory(scene) and not self.asked:
            return
        shape = (scene.lines, scene.samples, scene.bands)
        needed = _held_bytes(scene)
        needed += scene_bytes(shape, scene.cube.dtype.itemsize, _labelled(scene), config)
        self._check_reduced(needed, shape, config)

    def check_training(
        self,
        classifier: Classifier,
        config: ClassificationConfig,
        scene: Scene | SceneFile,
        trained: int,
        dense: bool,
    ) -> None:
        """Refuse a training that does not keep within a limit that was asked for.

        Args:
            classifier: untrained.
            config: resolved.
            scene: what it is trained on.
            trained: number of training pixels.
            dense: whether batches go by the whole scene.

        Raises:
            ConfigError: it does not.
        """
        if not self.asked:
            return
        kept = PROGRAM_BYTES + _REPORT_BYTES + _held_bytes(scene) + _map_bytes(scene)
        classes = len(classifier.header.labels)
        needs = [
            (
                kept
                + _spectra_bytes(name, trained, scene.bands)
                + model_tree_bytes(name, trained, classes),
                f"the baseline {name} with {trained:,} training spectra of {scene.bands} bands",
                "raise it, or leave it out of evaluation.baselines",
            )
            for name in config.evaluation.baselines
        ]
        components = classifier.reduction.components
        if isinstance(classifier, NetworkClassifier):
            kept += _reduced_bytes(scene.lines, scene.samples, components, config.model.window)
            step = _step_bytes(classifier, config, scene.lines, scene.samples, trained, dense)
            what = "batches that go by the whole scene" if dense else "batches of windows"
            remedy = "take train.strategy=patch" if dense else "lower train.batch_size"
            needs.append((kept + step, what, f"raise it, or {remedy}"))
            mapping = model_bytes(classifier, scene.lines, scene.samples)
            needs.append((kept + _GIVEN_BACK_BYTES + mapping, "the map", "raise it"))
        else:
            augmentation = config.train.augmentation
            learnt = trained * (augmentation.copies if augmentation.active else 1)
            name = classifier.header.model
            fitting = _spectra_bytes(name, learnt, components)
            # A forest is fitted, and once more when its file is read for the map.
            trees = 2 * model_tree_bytes(name, learnt, classes)
            filtering = model_bytes(classifier, scene.lines, scene.samples)
            needs.append(
                (
                    kept + fitting + trees + filtering,
                    f"{learnt:,} training spectra of {components} components",
                    "raise it, or lower split.train",
                )
            )
        # The largest, so that who follows the advice is not refused again.
        needed, what, remedy = max(needs)
        if needed > self.size and not in_memory(scene):
            needed += _held_with(needed, scene, config)
        check_limit(self.size, needed, what, remedy)

    def _check_reduced(
        self, needed: float, shape: tuple[int, int, int], config: ClassificationConfig
    ) -> None:
        lines, samples, bands = shape
        reduced = config.reduction.method == "pca"
        check_limit(
            self.size,
            needed,
            f"{lines:,} × {samples:,} pixels with {_components(config, bands)} "
            + ("components" if reduced else "bands"),
            "raise it, lower reduction.components, or cut the scene"
            if reduced
            else "raise it, or cut the scene",
        )


def scene_bytes(
    shape: tuple[int, int, int], itemsize: int, labelled: int, config: ClassificationConfig
) -> float:
    """About the most memory that a scene read by lines takes, libraries included, no network.

    Args:
        shape: lines, samples, bands.
        itemsize: bytes of a value of the cube.
        labelled: number of labelled pixels.
        config: how it is reduced, and the window.
    """
    lines, samples, bands = shape
    pixels = lines * samples
    # A block of spectra as it is read and, without what was turned on the way, in float64.
    rows = min(pixels, max(BLOCK_PIXELS, samples) + samples)
    reading = rows * bands * (itemsize + max(itemsize, 8)) + 32.0 * bands**2
    reduced = _reduced_bytes(lines, samples, _components(config, bands), config.model.window)
    kept = PROGRAM_BYTES + _REPORT_BYTES + _PIXEL_BYTES * pixels + _LABELLED_BYTES * labelled
    return kept + max(reading + _GIVEN_BACK_BYTES + reduced, _PICTURE_BYTES * pixels)


def _cube_bytes(file: CubeFile) -> int:
    lines, samples, bands = file.shape
    return lines * samples * bands * file.dtype.itemsize


def _held_with(limit: float, scene: Scene | SceneFile, config: ClassificationConfig) -> float:
    """Bytes of a cube that is read by lines but would be held under a higher limit; else 0."""
    shape = (scene.lines, scene.samples, scene.bands)
    size = scene.cube.dtype.itemsize
    cube = float(np.prod(shape)) * size
    whole = scene_bytes(shape, size, scene.lines * scene.samples, config) + cube
    return cube if whole <= limit else 0.0


def _labelled(scene: Scene | SceneFile) -> int:
    return 0 if scene.labels is None else int(np.count_nonzero(scene.labels))


def _map_bytes(scene: Scene | SceneFile) -> float:
    """Of what lies on the scene's grid, labels and their split among it."""
    return _PIXEL_BYTES * scene.lines * scene.samples + _LABELLED_BYTES * _labelled(scene)


def _components(config: ClassificationConfig, bands: int) -> int:
    return config.reduction.components if config.reduction.method == "pca" else bands


def _reduced_bytes(lines: int, samples: int, components: int, window: int) -> float:
    return 4.0 * components * (lines + window - 1) * (samples + window - 1)


def _held_bytes(scene: Scene | SceneFile) -> float:
    """Of the cube, or of what a denoised one is read from."""
    if isinstance(scene, StackedScene):
        return float(scene.held_bytes)
    if isinstance(scene, Scene):
        return float(scene.cube.nbytes)
    if isinstance(scene.cube.source, DenoisedLines):
        rows = max(BLOCK_PIXELS, scene.samples)
        return scene.cube.source.plane_bytes + _DENOISED_COPIES * 8.0 * rows * scene.bands
    return 0.0


def _spectra_bytes(name: str, spectra: int, bands: int) -> float:
    """Of a classifier of single spectra at its training."""
    each = _MORE_SPECTRUM_BYTES.get(name, _SPECTRUM_BYTES)
    return each * spectra * bands + (svm_bytes(spectra) if keeps_kernels(name) else 0.0)


def _step_bytes(
    classifier: NetworkClassifier,
    config: ClassificationConfig,
    lines: int,
    samples: int,
    trained: int,
    dense: bool,
) -> float:
    """Of a training step: activations that gradients need, and the optimiser."""
    network = classifier.network
    if next(network.parameters()).is_cuda:
        return 0.0
    weights = _WEIGHT_BYTES * sum(parameter.numel() for parameter in network.parameters())
    batch = min(config.train.batch_size, trained)
    components, window = classifier.reduction.components, config.model.window
    one = torch.zeros(1, components, window, window)
    if not dense or not isinstance(network, WindowNetwork):
        in_place = puts_in_place(network, (batch, components, window, window))
        whole = gradient_bytes(network, one, network, in_place=in_place)
        return weights + batch * (whole + 8 * components * window**2)
    whole = gradient_bytes(network, one, network)
    features = gradient_bytes(network, one, network.features)
    scene = dense_gradient_bytes(network, components, lines + window - 1, samples + window - 1)
    padded = _reduced_bytes(lines, samples, components, window)
    return weights + scene + batch * (whole - features) + 3 * padded
