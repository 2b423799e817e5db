"""The keys of a denoiser's training."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from ..config import Section
from .training import MachineConfig, NonNegative, Positive, TrainingConfig


class ImagesConfig(Section):
    """The clean images that are learnt from.

    Attributes:
        images: a registered set of images (train400), or null.
        folder: a folder of images of one's own, or null.
        colour: grey or rgb; colour images are turned into grey and grey ones into colour.
        validation: images set apart by the seed, on which nothing is learnt.
    """

    images: str | None = None
    folder: str | None = None
    colour: Literal["grey", "rgb"] = "grey"
    validation: Annotated[int, Field(ge=0)] = 20

    @model_validator(mode="after")
    def _one_source(self) -> ImagesConfig:
        if (self.images is None) == (self.folder is None):
            raise ValueError("either data.images (a registered set) or data.folder (your own)")
        return self


class NoiseConfig(Section):
    """The noise that is added to clean patches; nothing is clipped.

    Attributes:
        kind: gaussian, or poisson_gaussian (photon noise under it).
        sigma: range of the standard deviation on the scale 0 to 255; each patch draws its own
            from it, evenly. Two equal numbers for one known σ.
        gain: largest value of one photon on the scale 0 to 255, of poisson_gaussian; each patch
            draws its own, evenly.
        validation: the σ at which the validation images are denoised, on the scale 0 to 255.
    """

    kind: Literal["gaussian", "poisson_gaussian"] = "gaussian"
    sigma: Annotated[list[NonNegative], Field(min_length=2, max_length=2)] = Field(
        default=[0.0, 55.0]
    )
    gain: Positive = 4.0
    validation: Annotated[list[Positive], Field(min_length=1)] = Field(default=[15.0, 25.0, 50.0])

    @model_validator(mode="after")
    def _rising(self) -> NoiseConfig:
        if self.sigma[0] > self.sigma[1]:
            raise ValueError("noise.sigma as [lowest, highest]")
        return self


class DenoiserConfig(Section):
    """The network.

    Attributes:
        name: dncnn or residual_unet.
        options: further arguments of the network.
        weights: what training starts from: a shipped name, a file or the folder of a run, of the
            same network; null draws new weights from the stream `init`.
    """

    name: str = "residual_unet"
    options: dict[str, Any] = Field(default_factory=dict)
    weights: str | None = None


class DenoisingTrainingConfig(TrainingConfig):
    """The training loop; an epoch is a fixed number of steps.

    Attributes:
        steps_per_epoch: batches between two validations.
        patch: side of the square patches that are cut at random, in pixels.
        loss: l1 (mean absolute error) or l2 (mean squared error).
    """

    batch_size: Annotated[int, Field(ge=1)] = 16
    steps_per_epoch: Annotated[int, Field(ge=1)] = 1000
    patch: Annotated[int, Field(ge=1)] = 64
    loss: Literal["l1", "l2"] = "l1"


class DenoisingConfig(MachineConfig):
    """Everything that defines the training of a denoiser."""

    task: Literal["denoising"] = "denoising"
    data: ImagesConfig
    noise: NoiseConfig = NoiseConfig()
    model: DenoiserConfig = DenoiserConfig()
    train: DenoisingTrainingConfig = DenoisingTrainingConfig()

    @model_validator(mode="after")
    def _selection_needs_validation(self) -> DenoisingConfig:
        needs = self.train.selection == "best" or self.train.early_stopping is not None
        if needs and not self.data.validation:
            raise ValueError(
                "data.validation above 0: train.selection=best and train.early_stopping need it"
            )
        return self
