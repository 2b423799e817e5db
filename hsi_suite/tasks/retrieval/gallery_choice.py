"""What a user names as a gallery: checked without what reads it."""

from __future__ import annotations

from collections.abc import Iterable

from ...errors import ConfigError


def check_gallery(
    scene: str | None, dataset: str | None, of_file: Iterable[object], *, resample: bool
) -> None:
    """Refuse what is no one gallery, and options of a file where a data set is named.

    Args:
        scene: a file.
        dataset: a registered scene.
        of_file: what options of files say; None for those that are not given.
        resample: whether bands are to be made of those of another sensor.

    Raises:
        ConfigError: not exactly one of the two, or an option of the other.
    """
    if (scene is None) == (dataset is None):
        found = "neither" if scene is None else "both"
        raise ConfigError("--scene, --dataset", f"{found} given", "one of the two")
    if dataset is None:
        return
    if any(option is not None for option in of_file):
        raise ConfigError("--dataset", "given with options of a file", "--scene FILE with them")
    if resample:
        raise ConfigError("--resample", "given with a registered scene", "--scene FILE")
