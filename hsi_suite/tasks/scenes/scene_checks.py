"""What is looked at in a scene before anything is learnt from it."""

from __future__ import annotations

from ...data.pixel_spectra import PixelSpectra
from ...data.readers import SceneFile
from ...data.reduction import BLOCK_PIXELS
from ...data.scene import Scene, check_window
from ...data.scene_stack import StackedScene, parts_of
from ...engine.observer import Observer
from ...errors import InputFileError
from ...restoration.damage import LARGEST_VALUE
from ...schemas.classification import ModelConfig


def check_windows(model: ModelConfig, scene: Scene | SceneFile | StackedScene) -> None:
    """Refuse windows that are larger than a scene.

    Raises:
        ShapeError: one is.
    """
    for part in parts_of(scene):
        name = part.name if isinstance(scene, StackedScene) else ""
        for key, side in (("window", model.window), ("filter", model.filter)):
            check_window(f"model.{key}", side, part.lines, part.samples, name)


def check_values(scene: Scene | SceneFile, path: object) -> None:
    """Refuse values that no spectrometer gives and that arithmetic cannot square.

    Args:
        scene: a scene, or lines of one.
        path: of its file, for the message.

    Raises:
        InputFileError: a valid pixel holds such a value.
    """
    if scene.cube.dtype.kind != "f":
        return
    spectra = PixelSpectra(scene.cube)
    for start in range(0, len(spectra), BLOCK_PIXELS):
        block = spectra[start : start + BLOCK_PIXELS]
        if scene.valid is not None:
            block = block[scene.valid.reshape(-1)[start : start + BLOCK_PIXELS]]
        largest = max(abs(float(block.max())), abs(float(block.min()))) if block.size else 0.0
        if not largest <= LARGEST_VALUE:
            raise InputFileError(
                path,
                f"values up to {largest:.3g}",
                f"spectra of at most {LARGEST_VALUE:.0e}",
                "mark missing pixels with --nodata VALUE",
            )


def report_missing(scene: Scene | SceneFile, observer: Observer) -> None:
    """Say how many pixels hold no data, if any."""
    if scene.valid is not None and not scene.valid.all():
        missing = int((~scene.valid).sum())
        observer.message(f"{scene.name}: {missing:,} pixels hold no data and are left out")
