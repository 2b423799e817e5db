"""Several scenes as one: their lines below each other, with a gap that holds no data.

A gap as wide as a window's radius reads, reduced, as zeros: what the border of a single scene is
padded with. So no window sees pixels of another scene, and every window is what it would be in
its scene alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .formats.cube_file import CubeFile
from .readers import SceneFile
from .scene import Georeference, Scene, SceneOf
from .scene_list import stack_name
from .splits import Split

AnyScene = Scene | SceneFile


@dataclass(frozen=True)
class ScenePart:
    """A scene in a stack.

    Attributes:
        name: of the scene.
        first_line: of it in the stack.
        lines: number of them.
        samples: in each line; the stack is as wide as its widest scene.
        georeference: None when unknown.
        remarks: what a user should know of how it was read.
        valid: lines × samples, False where there is no data; None: everywhere some.
    """

    name: str
    first_line: int
    lines: int
    samples: int
    georeference: Georeference | None = None
    remarks: tuple[str, ...] = ()
    valid: NDArray[np.bool_] | None = None

    @property
    def place(self) -> tuple[slice, slice]:
        """Its lines and samples in a layer of the stack."""
        return slice(self.first_line, self.first_line + self.lines), slice(self.samples)

    def mine(self, pixels: NDArray[np.integer], samples: int) -> NDArray[np.bool_]:
        """Which flat indices into a stack of so many samples lie in it."""
        lines = pixels // samples
        inside: NDArray[np.bool_] = (lines >= self.first_line) & (
            lines < self.first_line + self.lines
        )
        return inside


@dataclass(frozen=True)
class StackedScene(SceneFile):
    """Several scenes as one, see the module; `valid` is False in gaps and beside narrow scenes.

    Attributes:
        parts: its scenes, from top to bottom.
    """

    parts: tuple[ScenePart, ...] = ()

    @property
    def held_bytes(self) -> int:
        """Bytes of the cubes that are in memory."""
        source = self.cube.source
        assert isinstance(source, StackedLines)
        return sum(cube.nbytes for cube in source.cubes if isinstance(cube, np.ndarray))

    @property
    def in_memory(self) -> bool:
        """Whether all cubes are."""
        source = self.cube.source
        assert isinstance(source, StackedLines)
        return all(isinstance(cube, np.ndarray) for cube in source.cubes)


@dataclass(frozen=True)
class StackedLines:
    """The lines of several cubes below each other, 0 between and beside them; a `LineSource`.

    Attributes:
        cubes: in memory, or open files.
        first_lines: of each in the stack.
        samples: of the widest.
    """

    cubes: tuple[NDArray[Any] | CubeFile, ...]
    first_lines: tuple[int, ...]
    samples: int

    @property
    def dtype(self) -> np.dtype[Any]:
        """A type that holds the values of all."""
        return np.result_type(*(cube.dtype for cube in self.cubes))

    def read_lines(self, first_line: int, last_line: int) -> NDArray[Any]:
        """Lines first_line … last_line - 1, lines × samples × bands."""
        shape = (last_line - first_line, self.samples, self.cubes[0].shape[2])
        lines = np.zeros(shape, self.dtype)
        for cube, start in zip(self.cubes, self.first_lines, strict=True):
            first, last = max(first_line, start), min(last_line, start + cube.shape[0])
            if first < last:
                own = slice(first - start, last - start)
                values = (
                    cube[own] if isinstance(cube, np.ndarray) else cube.read(own.start, own.stop)
                )
                lines[first - first_line : last - first_line, : cube.shape[1]] = values
        return lines

    def close(self) -> None:
        """Close the files."""
        for cube in self.cubes:
            if isinstance(cube, CubeFile):
                cube.close()


def stack_scenes(
    scenes: Sequence[AnyScene], gap: int, class_names: Sequence[str], reference: int = 0
) -> StackedScene:
    """Scenes of the same bands and classes as one.

    Args:
        scenes: with labels of one numbering.
        gap: lines between them, at least a window's radius, and the guard of a split.
        class_names: of the labels from 1 on.
        reference: the scene whose wavelengths and choice of bands stand for all.
    """
    heights = [scene.lines + gap for scene in scenes]
    first_lines = tuple(int(sum(heights[:number])) for number in range(len(scenes)))
    size = sum(heights) - gap, max(scene.samples for scene in scenes)
    parts = tuple(
        ScenePart(s.name, first, s.lines, s.samples, s.georeference, s.remarks, s.valid)
        for s, first in zip(scenes, first_lines, strict=True)
    )
    first = scenes[reference]
    source = StackedLines(tuple(scene.cube for scene in scenes), first_lines, size[1])
    drawn = any(scene.label_features is not None for scene in scenes)
    return StackedScene(
        name=stack_name([scene.name for scene in scenes]),
        cube=CubeFile(_path(first), "stack of scenes", (*size, first.bands), source, ()),
        labels=_layer(scenes, parts, size, np.int32, lambda scene: scene.labels),
        class_names=tuple(class_names),
        label_features=_features(scenes, parts, size) if drawn else None,
        wavelengths=first.wavelengths,
        fwhm=first.fwhm,
        selection=first.selection,
        valid=_layer(scenes, parts, size, np.bool_, valid_pixels),
        false_colour=first.false_colour,
        synthetic=any(scene.synthetic for scene in scenes),
        # Which scene a file is of, and their order, counts as well.
        checksums={
            f"{number}. {scene.name}: {name}": digest
            for number, scene in enumerate(scenes, 1)
            for name, digest in scene.checksums.items()
        },
        remarks=tuple(f"{scene.name}: {text}" for scene in scenes for text in scene.remarks),
        label_remarks=tuple(
            f"{scene.name}: {text}" for scene in scenes for text in scene.label_remarks
        ),
        unverified=tuple(name for scene in scenes for name in scene.unverified),
        parts=parts,
    )


def parts_of(scene: SceneOf[Any]) -> tuple[ScenePart, ...]:
    """The scenes of a stack; of any other scene itself alone."""
    if isinstance(scene, StackedScene):
        return scene.parts
    return (ScenePart(scene.name, 0, scene.lines, scene.samples, scene.georeference),)


def lines_of(scene: SceneOf[Any]) -> tuple[tuple[int, int], ...]:
    """First and last line, not included, of each scene of a stack; () for any other scene."""
    if not isinstance(scene, StackedScene):
        return ()
    return tuple((part.first_line, part.first_line + part.lines) for part in scene.parts)


def pixels_to_fit(scene: AnyScene, split: Split) -> NDArray[np.bool_] | None:
    """Where spectra count that say how all spectra are reduced; None: everywhere.

    Every pixel with data; of a split by scenes only those of scenes with training pixels.
    """
    if split.kind != "scenes" or not isinstance(scene, StackedScene):
        return scene.valid
    chosen = np.zeros((scene.lines, scene.samples), bool)
    for part in scene.parts:
        if part.mine(split.train, scene.samples).any():
            chosen[part.place] = True
    return chosen if scene.valid is None else chosen & scene.valid


def in_memory(scene: AnyScene) -> bool:
    """Whether a scene's cube is, or all cubes of a stack."""
    return scene.in_memory if isinstance(scene, StackedScene) else isinstance(scene, Scene)


def _path(scene: AnyScene) -> Path:
    return scene.cube.path if isinstance(scene.cube, CubeFile) else Path(scene.name)


def valid_pixels(scene: AnyScene) -> NDArray[np.bool_]:
    """Which pixels hold data, lines × samples."""
    return np.ones((scene.lines, scene.samples), bool) if scene.valid is None else scene.valid


def _layer(
    scenes: Sequence[AnyScene],
    parts: Sequence[ScenePart],
    size: tuple[int, int],
    kind: Any,
    layer: Callable[[AnyScene], NDArray[Any] | None],
) -> NDArray[Any]:
    """A layer of every scene in its place, 0 elsewhere."""
    out = np.zeros(size, kind)
    for scene, part in zip(scenes, parts, strict=True):
        values = layer(scene)
        if values is not None:
            out[part.place] = values
    return out


def _features(
    scenes: Sequence[AnyScene], parts: Sequence[ScenePart], size: tuple[int, int]
) -> NDArray[np.int64]:
    """The drawn features of all scenes, numbered one scene after the other."""
    out = np.zeros(size, np.int64)
    for scene, part in zip(scenes, parts, strict=True):
        if scene.label_features is not None:
            own = scene.label_features.astype(np.int64)
            out[part.place] = np.where(own > 0, own + out.max(), 0)
    return out
