"""How a scene's labelled pixels are divided, as a configuration says, and what that gives away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ...checksums import hash_file
from ...data.disjoint_split import disjoint_split
from ...data.file_list import listed_files
from ...data.formats.drawn_features import DrawnOptions
from ...data.leakage import LeakageAudit, audit_folds
from ...data.polygon_split import polygon_split
from ...data.polygons import polygons_of
from ...data.readers import SceneFile
from ...data.scene import Scene
from ...data.scene_overlap import shared_ground, shared_spectra
from ...data.scene_split import SceneParts, scene_split
from ...data.scene_stack import StackedScene, lines_of, parts_of
from ...data.spatial_folds import SpatialFolds, spatial_folds
from ...data.split_files import file_split
from ...data.splits import Split, random_split
from ...schemas.classification import ClassificationConfig, SplitConfig
from ...schemas.scene_data import SceneConfig
from ...seeding import SeedStreams


def split_checksum(config: SplitConfig) -> dict[str, str]:
    """SHA-256 of the files of a fixed split, by name."""
    if config.file is None:
        return {}
    files = listed_files(config.file)
    if len(files) == 1:
        return {files[0].name: hash_file(files[0])}
    # Which file is for which part counts as well.
    return {f"{number}. {path.name}": hash_file(path) for number, path in enumerate(files, 1)}


def scene_audit(folds: Sequence[Split], scene: Scene | SceneFile, window: int) -> LeakageAudit:
    """What a split of a scene with labels gives away.

    Of polygons too, where there are some, and of several scenes what they have in common.

    Args:
        folds: the split, or one of each spatial fold.
        scene: that it divides.
        window: side of the window that the model sees.
    """
    polygons, kind = None, folds[0].kind
    if scene.labels is not None and (scene.label_features is not None or kind == "polygons"):
        polygons = polygons_of(scene.labels, scene.label_features)
    found = audit_folds(folds, window=window, polygons=polygons, scenes=lines_of(scene))
    if not isinstance(scene, StackedScene):
        return found
    return replace(
        found,
        on_training_ground=shared_ground(scene, folds) or None,
        identical_spectra=shared_spectra(scene, folds) or None,
    )


def fold_scene(
    config: ClassificationConfig, scene: Scene | SceneFile, seeds: SeedStreams
) -> SpatialFolds:
    """The spatial folds that a resolved configuration asks for.

    Raises:
        SplitError: the labels cannot be divided so.
    """
    asked = config.split
    assert scene.labels is not None and asked.guard is not None and asked.rare_classes is not None
    return spatial_folds(
        scene.labels,
        scene.label_features,
        folds=asked.folds,
        guard=asked.guard,
        validation=asked.validation,
        rare_classes=asked.rare_classes,
        layout=asked.layout,
        generator=seeds.numpy("split"),
    )


def split_scene(
    config: ClassificationConfig, scene: Scene | SceneFile, seeds: SeedStreams
) -> Split:
    """The split that a resolved configuration asks for.

    Raises:
        InputFileError: the file of a fixed split cannot be read.
        SplitError: the labels cannot be divided so.
    """
    asked, labels = config.split, scene.labels
    assert labels is not None
    rare = asked.rare_classes
    assert rare is not None
    if asked.kind == "file":
        assert asked.file is not None
        return file_split(
            asked.file,
            labels,
            rare_classes=rare,
            georeference=scene.georeference,
            drawing=_drawn_options(config.data),
            valid=scene.valid,
        )
    generator = seeds.numpy("split")
    if asked.kind == "scenes":
        return scene_split(
            labels,
            SceneParts([part.name for part in parts_of(scene)], lines_of(scene)),
            train=asked.train,
            test_scenes=asked.test_scenes,
            validation_scenes=asked.validation_scenes,
            validation=asked.validation,
            block=config.model.reach // 2,
            rare_classes=rare,
            generator=generator,
        )
    # A whole number is meant as pixels per class.
    train = int(asked.train) if asked.train >= 1 else asked.train
    if asked.kind == "random":
        return random_split(
            labels,
            train=train,
            validation=asked.validation,
            rare_classes=rare,
            generator=generator,
        )
    assert asked.guard is not None
    if asked.kind == "polygons":
        return polygon_split(
            labels,
            scene.label_features,
            train=asked.train,
            guard=asked.guard,
            validation=asked.validation,
            rare_classes=rare,
            generator=generator,
        )
    return disjoint_split(
        labels,
        train=asked.train,
        guard=asked.guard,
        validation=asked.validation,
        rare_classes=rare,
        layout=asked.layout,
        generator=generator,
    )


def _drawn_options(data: SceneConfig) -> DrawnOptions:
    """How the scene's drawn labels are read."""
    return DrawnOptions(
        data.labels_field,
        data.labels_layer,
        data.labels_buffer,
        data.labels_crs,
        data.all_touched,
    )
