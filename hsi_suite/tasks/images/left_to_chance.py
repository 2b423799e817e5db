"""What a training on labelled images leaves to chance."""

from __future__ import annotations

from ...models.building import build_example
from ...runs.chance import absent_dropout
from ...schemas.image_classification import AugmentConfig, ImageClassificationConfig


def absent_source(config: ImageClassificationConfig, source: str) -> str | None:
    """Why there is no such source; None where there is."""
    if source == "data":
        return "the images were recorded, not generated"
    if source == "augment" and config.augment == AugmentConfig():
        return "nothing is augmented"
    if source == "dropout":
        return absent_dropout(
            config, lambda: build_example(config.model.name, config.model.options)
        )
    return None
