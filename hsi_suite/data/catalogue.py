"""Data sets by name: the public scenes and the synthetic ones.

What reads or makes a scene is imported when one is loaded, so that names are known at once.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from ..arguments import checked
from ..errors import ConfigError, UnknownNameError
from ..registry import Registry, did_you_mean, enter_offered
from .labelled_images import IMAGE_CLASSES
from .public.download import locate, say_on_stderr
from .public.public_scene import PublicScene
from .public.public_scenes import PUBLIC_SCENES
from .public.transfer import Say
from .scene import Scene
from .synthetic_recipes import SYNTHETIC_RECIPES

__all__ = ["PUBLIC_SCENES", "PublicScene", "dataset_names", "load_dataset", "public_scenes"]

GROUP = "hsi_suite.scenes"
"""The group of entry points under which other packages offer scenes."""


def dataset_names() -> tuple[str, ...]:
    """The names of all data sets, the embedded ones first."""
    return (*SYNTHETIC_RECIPES, *public_scenes())


def public_scenes() -> Registry[PublicScene]:
    """The public scenes by name, those of other packages among them."""
    _load_others()
    return PUBLIC_SCENES


@cache
def _load_others() -> None:
    def enter(_: str, theirs: Any) -> None:
        if not isinstance(theirs, PublicScene):
            raise TypeError(f"not a PublicScene but {type(theirs).__name__}")
        if theirs.name in SYNTHETIC_RECIPES or theirs.name in IMAGE_CLASSES:
            raise ValueError(f"data set {theirs.name!r} is registered twice")
        PUBLIC_SCENES.add(theirs.name, theirs)

    enter_offered(GROUP, "data set", enter)


def check_dataset_name(name: str) -> None:
    """Refuse a name that is no data set's.

    Raises:
        UnknownNameError: lists the nearest names.
    """
    scenes = dataset_names()
    # Images are trained on by the same option, so that a slip may mean one of them.
    known = scenes if name in IMAGE_CLASSES else (*scenes, *IMAGE_CLASSES)
    if name not in scenes:
        hint = did_you_mean(name, known)
        raise UnknownNameError(
            "data set", f"unknown name {name!r}", f"one of {', '.join(known)}", hint
        )


def check_dataset_seed(name: str, seed: int | None) -> None:
    """Refuse a seed of a scene that was recorded, not generated.

    Raises:
        ConfigError: there is one.
    """
    if seed is not None and name not in SYNTHETIC_RECIPES:
        raise ConfigError(
            "data.seed",
            f"{name} was recorded by a sensor and has no seed",
            "a synthetic data set",
            "leave the seed out",
        )


def dataset_shape(name: str) -> tuple[int, int, int]:
    """Lines, samples and bands of a data set, known without its files.

    Raises:
        UnknownNameError: no data set is called `name`.
    """
    check_dataset_name(name)
    if name in SYNTHETIC_RECIPES:
        recipe = SYNTHETIC_RECIPES[name]
        return *recipe.shape, recipe.bands
    return public_scenes()[name].shape


@checked
def load_dataset(
    name: str,
    *,
    seed: int | None = None,
    allow_unverified: bool = False,
    on_message: Say = say_on_stderr,
) -> Scene:
    """Load a scene by name, downloading its files where they are not on this machine.

    Args:
        name: a public or synthetic data set.
        seed: the seed of a synthetic scene; None for the recipe's own.
        allow_unverified: use files whose checksum is wrong or unknown, and say so.
        on_message: reports downloads and every file that was not verified.

    Returns:
        The scene; `checksums` holds the SHA-256 of the files that were really used.

    Raises:
        UnknownNameError: no data set is called `name`.
        ConfigError: a seed was given for a scene that was recorded, not generated.
        ChecksumError: a file is not the one expected.
        DatasetNotFoundError: files are on no disk and cannot be downloaded.
        InputFileError: a file does not hold what it should.
    """
    check_dataset_name(name)
    if name in SYNTHETIC_RECIPES:
        from .synthetic import generate_scene

        return generate_scene(name, seed=seed)
    check_dataset_seed(name, seed)
    public = public_scenes()[name]
    files = locate(public.files, allow_unverified=allow_unverified, on_message=on_message)
    return public.read({file.name: local for file, local in zip(public.files, files, strict=True)})
