"""The configuration of a training on labelled images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...config import config_names, load_tree, validate
from ...data.labelled_images import IMAGE_CLASSES
from ...errors import ConfigError
from ...models.known_names import require_torchvision
from ...runs.machine import on_this_machine
from ...schemas.image_classification import ImageClassificationConfig
from ...user_files import require_there
from ..shared.model_options import configured
from ..shared.named_options import named_keys, replace_source

_FOLDER = "image_classification"
_DEFAULT_MODEL = "resnet_20"
# What a user may name directly, and the key of the configuration that it sets.
_OPTIONS = {
    "dataset": ("data", "dataset"),
    "folder": ("data", "folder"),
    "allow_unverified": ("data", "allow_unverified"),
    "model": ("model", "name"),
    "epochs": ("train", "epochs"),
    "seed": ("seeds", "base"),
    "device": ("device",),
    "threads": ("threads",),
}
_SOURCES = ("dataset", "folder")


def image_classification_config(
    *,
    config: str | None = None,
    options: Mapping[str, Any] | None = None,
    settings: Sequence[str] = (),
) -> ImageClassificationConfig:
    """The configuration of a training on labelled images.

    The most special shipped configuration for the model and the data set is the base, unless one
    is named; then come the options, then the settings.

    Args:
        config: name or path of a configuration.
        options: dataset, folder, allow_unverified, model, epochs, seed, device, threads; None
            leaves a key alone.
        settings: "a.b=c" texts, as of `--set`.

    Raises:
        ConfigError: a key or value is wrong.
        InputFileError: weights to begin from are not there.
    """
    tree = named_keys(options, _OPTIONS, "no option of image classification")
    replace_source(tree, _SOURCES)
    named = options or {}
    source = config or _shipped_for(named.get("dataset"), named.get("model"))
    given = configured(load_tree(source), tree, settings, _DEFAULT_MODEL, ImageClassificationConfig)
    found = validate(ImageClassificationConfig, given, source)
    if found.data.dataset in IMAGE_CLASSES and not found.split.validation:
        # None of them comes with a validation part.
        refuse_unselected(found, 0)
    if found.model.weights is not None:
        require_torchvision(found.model.name)
        require_there(Path(found.model.weights).absolute())
    return found


def _shipped_for(dataset: str | None, model: str | None) -> str:
    names = config_names()
    if dataset is None:
        return f"{_FOLDER}/folder"
    special = f"{_FOLDER}/{model}_{dataset}"
    return special if special in names else f"{_FOLDER}/{dataset}"


def resolve(config: ImageClassificationConfig) -> ImageClassificationConfig:
    """The configuration with everything filled in that depends on the machine or on other keys.

    Raises:
        DeviceError: the device is not there.
        UnknownNameError: no such data set.
    """
    data = config.data
    changed: dict[str, Any] = {}
    if data.dataset is not None and data.size is None:
        changed["size"] = IMAGE_CLASSES[data.dataset].shape[0]
    if data.folder is not None:
        # In full, so that a run can be continued from anywhere.
        changed["folder"] = str(Path(data.folder).absolute())
    model, weights = config.model, config.model.weights
    if weights is not None:
        model = model.model_copy(update={"weights": str(Path(weights).absolute())})
    return config.model_copy(
        update={
            **on_this_machine(config),
            "data": data.model_copy(update=changed),
            "model": model,
        }
    )


def refuse_unselected(config: ImageClassificationConfig, validation: int) -> None:
    """Refuse a training whose epoch is selected on images that there are none of.

    Args:
        config: of the training.
        validation: images of the validation part.

    Raises:
        ConfigError: it selects, and there are none.
    """
    selects = config.train.selection == "best" or config.train.early_stopping is not None
    if selects and not validation:
        raise ConfigError(
            "split.validation",
            f"{config.split.validation}, which leaves no image to select by",
            "a larger share: train.selection=best and train.early_stopping need it",
        )
