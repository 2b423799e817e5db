"""Windows, components and shares that no scene, or not the data set that is named, has room for.

They are known from a configuration alone; of other scenes the same is said once they are read.
"""

from __future__ import annotations

from ...data.reduction import check_components
from ...data.scene import check_window
from ...data.splits import check_fraction, check_guard
from ...models.known_sizes import require_sizes
from ...schemas.classification import GUARDED, ClassificationConfig

_SHARED_OUT = ("disjoint", "polygons")


def refuse_sizes(config: ClassificationConfig, shape: tuple[int, int, int] | None) -> None:
    """Refuse sizes that cannot be had.

    Args:
        config: with its candidates, where it has some.
        shape: lines, samples and bands of the scene; None where it is not known yet.

    Raises:
        ShapeError: a window or a number of components that network or scene do not allow.
        SplitError: a training share that is none.
    """
    if config.split.kind in _SHARED_OUT:
        check_fraction("split.train", config.split.train)
    # What is wrong with one candidate is said where it is tried, beside the others.
    if config.auto is None:
        model, reduction = config.model, config.reduction
        reduced = reduction.method == "pca"
        if reduced and shape is not None:
            check_components("reduction.components", reduction.components, shape[2])
        channels = reduction.components if reduced else None
        require_sizes(model.name, model.options, model.window, channels)
    if shape is not None:
        lines, samples, _ = shape
        if config.split.kind in GUARDED and config.split.guard is not None:
            check_guard(config.split.guard, lines, samples)
        for key, side in (("window", config.model.window), ("filter", config.model.filter)):
            check_window(f"model.{key}", side, lines, samples)
