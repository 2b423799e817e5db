"""What is wrong with the keys of a scene, and known before anything of it is read."""

from __future__ import annotations

from ...data.band_selection import check_choice
from ...data.catalogue import check_dataset_name, check_dataset_seed, dataset_shape
from ...data.formats.array_axes import parse_axes
from ...schemas.scene_data import SceneConfig


def require_scene(data: SceneConfig) -> tuple[int, int, int] | None:
    """Refuse keys of a scene that no file can make right.

    Args:
        data: which scene, and how it is read.

    Returns:
        Lines, samples and bands of a registered data set, all of its bands; None of other scenes.

    Raises:
        UnknownNameError: no data set has the name.
        ConfigError: a seed of a recorded scene, or no choice of bands or order of axes.
    """
    check_choice(data.bands)
    if data.axes is not None:
        parse_axes(data.axes)
    if data.dataset is None:
        return None
    check_dataset_name(data.dataset)
    check_dataset_seed(data.dataset, data.seed)
    return dataset_shape(data.dataset)
