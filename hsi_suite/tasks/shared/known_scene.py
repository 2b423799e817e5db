"""What is wrong with the keys of a scene, and known before anything of it is read."""

from __future__ import annotations

from ...data.band_selection import check_choice
from ...data.catalogue import check_dataset_name, check_dataset_seed, dataset_shape
from ...data.formats.array_axes import parse_axes
from ...errors import ConfigError
from ...schemas.scene_data import OF_FILES, SceneConfig


def require_scene(data: SceneConfig) -> tuple[int, int, int] | None:
    """Refuse keys of a scene that no file can make right.

    Args:
        data: which scene, and how it is read.

    Returns:
        Lines, samples and bands of a registered data set, all of its bands; None of other scenes.

    Raises:
        UnknownNameError: no data set has the name.
        ConfigError: a seed of a recorded scene, or no choice of bands or order of axes; keys of
            files of the user's beside a data set.
    """
    check_choice(data.bands)
    if data.axes is not None:
        parse_axes(data.axes)
    if data.dataset is None:
        if data.seed is not None:
            raise ConfigError(
                "data.seed",
                f"{data.seed} with files of your own",
                "a synthetic data set",
                "leave the seed out",
            )
        return None
    refuse_keys_of_files(data, f"the data set {data.dataset}")
    check_dataset_name(data.dataset)
    check_dataset_seed(data.dataset, data.seed)
    return dataset_shape(data.dataset)


def refuse_keys_of_files(data: SceneConfig, source: str) -> None:
    """Refuse keys that nothing would read: those of a cube's files beside another source.

    Args:
        data: which scene, and how it is read.
        source: what is read, as in "the data set synthetic".

    Raises:
        ConfigError: one of them is given; names the first.
    """
    defaults = type(data).model_fields
    for key in OF_FILES:
        value = getattr(data, key)
        if value != defaults[key].default:
            found = f"{value!r} with {source}"
            raise ConfigError(f"data.{key}", found, "data.scene beside it", "leave it out")
