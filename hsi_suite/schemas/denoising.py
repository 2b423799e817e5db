"""The keys of a denoiser's training."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from ..config import Section
from ..unread_keys import ReadWith
from .training import MachineConfig, NonNegative, Options, Positive, Text, TrainingConfig


class ImagesConfig(Section):
    """The clean images that are learnt from.

    Attributes:
        images: a registered set of images (train400, bsds500), or null.
        folder: a folder of images of one's own, or null.
        colour: grey or rgb; colour images are turned into grey and grey ones into colour.
        validation: images set apart by the seed, on which nothing is learnt.
    """

    images: Text | None = None
    folder: Text | None = None
    colour: Literal["grey", "rgb"] = "grey"
    validation: Annotated[int, Field(ge=0)] = 20

    @model_validator(mode="after")
    def _one_source(self) -> ImagesConfig:
        if (self.images is None) == (self.folder is None):
            raise ValueError("either data.images (a registered set) or data.folder (your own)")
        return self


Bounds = Annotated[list[NonNegative], Field(min_length=2, max_length=2)]
Share = Annotated[float, Field(ge=0, le=1)]


# No camera's noise reduction reaches farther, nor are its gains, sharpening or pixels any larger.
_Strength = Annotated[float, Field(ge=0, le=100)]
Strengths = Annotated[list[_Strength], Field(min_length=2, max_length=2)]
_Sensitivity = Annotated[float, Field(ge=0, le=10_000_000)]


class CameraConfig(Section):
    """Between what bounds the cameras differ that photographs are taken with; see `CameraRange`.

    What is no share, JPEG quality or ISO is at most 100.

    Attributes:
        iso: sensitivity, above 0, at most 10,000,000.
        red_gain: of the white balance, above 0.
        blue_gain: of the white balance, above 0.
        luma_smoothing: σ in pixels of the noise reduction on luma.
        luma_coarse: σ of the wider smoothing of a part of it.
        luma_share: that part, 0 to 1.
        chroma_smoothing: the same three on chroma.
        chroma_coarse: likewise.
        chroma_share: likewise.
        edges: share of the noise reduction that is left off along edges, 0 to 1.
        sharpening: share of the unsharp mask.
        quality: of the JPEG, 1 to 100.
        scale: at which photographs are written, above 0 and at most 1.
        resized: share of photographs that are written at another scale than 1.
        softness: pixels of the sensor for one of the clean photograph, at least 1.
        softened: share of photographs that are softer than 1.
        jpeg: share of photographs that are written as JPEG.
        grey: share of photographs in grey.
    """

    iso: Annotated[list[_Sensitivity], Field(min_length=2, max_length=2)] = Field(
        default=[50.0, 12800.0]
    )
    red_gain: Strengths = Field(default=[1.9, 2.4])
    blue_gain: Strengths = Field(default=[1.5, 1.9])
    luma_smoothing: Strengths = Field(default=[0.0, 1.0])
    luma_coarse: Strengths = Field(default=[1.0, 4.0])
    luma_share: Bounds = Field(default=[0.0, 0.5])
    chroma_smoothing: Strengths = Field(default=[0.8, 3.0])
    chroma_coarse: Strengths = Field(default=[2.0, 8.0])
    chroma_share: Bounds = Field(default=[0.0, 1.0])
    edges: Bounds = Field(default=[0.0, 1.0])
    sharpening: Strengths = Field(default=[0.0, 0.3])
    quality: Annotated[
        list[Annotated[int, Field(ge=1, le=100)]], Field(min_length=2, max_length=2)
    ] = Field(default=[60, 100])
    scale: Bounds = Field(default=[0.5, 1.0])
    resized: Share = 0.25
    softness: Strengths = Field(default=[1.0, 4.0])
    softened: Share = 0.85
    jpeg: Share = 0.9
    grey: Share = 0.1

    @model_validator(mode="after")
    def _bounds(self) -> CameraConfig:
        for name, value in self:
            if isinstance(value, list) and value[0] > value[1]:
                raise ValueError(f"noise.camera.{name} as [lowest, highest]")
        for name in ("iso", "red_gain", "blue_gain", "scale"):
            if getattr(self, name)[0] <= 0:
                raise ValueError(f"noise.camera.{name} above 0")
        for name in ("luma_share", "chroma_share", "edges"):
            if getattr(self, name)[1] > 1:
                raise ValueError(f"noise.camera.{name} of at most 1")
        if self.softness[0] < 1:
            raise ValueError("noise.camera.softness of at least 1")
        if self.scale[1] > 1:
            raise ValueError("noise.camera.scale of at most 1")
        return self


Quality = Annotated[int, Field(ge=1, le=100)]
Factor = Annotated[int, Field(ge=2, le=8)]


class ArtefactsConfig(Section):
    """What storing and resizing do to photographs.

    Attributes:
        quality: lowest and highest quality of the JPEG, 1 to 100; each patch draws its own, evenly.
        subsampling: share of the JPEGs in colour whose colour has half the resolution (4:2:0);
            validation images have it from 0.5 on.
        grey: share of the patches in colour that lose it first, so that grey is learnt too.
        camera: of kind jpeg, share of the patches that a camera of `noise.camera` photographs and
            writes instead, noise and all: files of JPEG have been through one mostly.
        drawn: share of the patches that are drawn by code (`data/drawings`: text, lines, charts,
            codes, pixel art) in place of being cut from an image; with `camera` at most 1.
        white: of kind camera, share of the patches that get white noise of `noise.sigma` in place
            of a camera's, in 256 levels, so that a blind network knows both. They draw `quality`,
            `subsampling` and `grey` as those of kind jpeg do.
        written: share of the patches of white noise that are written as JPEG.
        factors: of which each patch draws the one by which it is made smaller and larger again.
        validation_quality: of a mixture, the JPEG qualities at which validation images are
            restored; [] for none.
        validation_factors: of a mixture, the factors; [] for none.
    """

    quality: Annotated[list[Quality], Field(min_length=2, max_length=2)] = Field(default=[5, 99])
    subsampling: Share = 0.0
    grey: Share = 0.0
    camera: Share = 0.0
    drawn: Share = 0.0
    white: Share = 0.0
    written: Share = 0.5
    factors: Annotated[list[Factor], Field(min_length=1)] = Field(default=[2, 3, 4])
    validation_quality: list[Quality] = Field(default=[10, 20])
    validation_factors: list[Factor] = Field(default=[2, 3])

    @model_validator(mode="after")
    def _rising(self) -> ArtefactsConfig:
        if self.quality[0] > self.quality[1]:
            raise ValueError("noise.artefacts.quality as [lowest, highest]")
        if self.camera + self.drawn > 1:
            raise ValueError("noise.artefacts.camera and noise.artefacts.drawn of at most 1 in all")
        return self


NoiseKind = Literal["gaussian", "poisson_gaussian", "camera", "jpeg", "upsampling", "mixture"]
# Those that an `ArtefactsConfig` belongs to.
ARTEFACTS = ("jpeg", "upsampling", "mixture")
# Those without a σ.
WITHOUT_SIGMA = ("camera", "jpeg", "upsampling")
# Those that read one; of cameras the share of white noise has it (`artefacts.white`).
_WITH_SIGMA = ("gaussian", "poisson_gaussian", "mixture", "camera")
# What the levels of the validation are, where they are whole numbers, and their limits.
_WHOLE = {"jpeg": ("qualities", 1, 100), "upsampling": ("factors", 2, 8)}


class NoiseConfig(Section):
    """What is done to clean patches; nothing is clipped but what a camera or a file clips.

    Attributes:
        kind: gaussian, poisson_gaussian (photon noise under it), camera (what a camera's sensor
            and processing make of a colour photograph), jpeg (written as JPEG), upsampling (made
            smaller, then brought back to its size), or mixture: each patch draws one of gaussian,
            jpeg and upsampling, as DnCNN-3 was trained.
        sigma: range of the standard deviation on the scale 0 to 255; each patch draws its own
            from it, evenly. Two equal numbers for one known σ.
        gain: largest value of one photon on the scale 0 to 255, of poisson_gaussian; each patch
            draws its own, evenly.
        camera: of kind camera, which takes no σ and no gain, and of the camera's share of kind jpeg
            (`artefacts.camera`); null for its defaults.
        artefacts: of kinds jpeg, upsampling and mixture; null for its defaults. Of kind camera
            where white noise is to be learnt too (`artefacts.white`).
        validation: the σ at which the validation images are denoised, on the scale 0 to 255; of
            cameras the ISO, of kind jpeg the quality, of kind upsampling the factor. A mixture has
            more in `artefacts`.
    """

    kind: NoiseKind = "gaussian"
    sigma: Annotated[
        list[NonNegative], Field(min_length=2, max_length=2), ReadWith("kind", _WITH_SIGMA)
    ] = Field(default=[0.0, 55.0])
    gain: Annotated[Positive, ReadWith("kind", ("poisson_gaussian",))] = 4.0
    camera: CameraConfig | None = None
    artefacts: ArtefactsConfig | None = None
    validation: Annotated[list[Positive], Field(min_length=1)] = Field(default=[15.0, 25.0, 50.0])

    @property
    def has_cameras(self) -> bool:
        """Whether any patches are photographed by a camera."""
        share = self.artefacts.camera if self.artefacts is not None else 0.0
        return self.kind == "camera" or (self.kind == "jpeg" and share > 0)

    @model_validator(mode="after")
    def _rising(self) -> NoiseConfig:
        if self.sigma[0] > self.sigma[1]:
            raise ValueError("noise.sigma as [lowest, highest]")
        if self.camera is not None and not self.has_cameras:
            raise ValueError(
                "noise.camera with noise.kind=camera, or jpeg and noise.artefacts.camera above 0"
            )
        self._check_artefacts()
        what, least, most = _WHOLE.get(self.kind, ("", 0, 0))
        if what and not all(
            level == int(level) and least <= level <= most for level in self.validation
        ):
            raise ValueError(f"noise.validation as {what}, whole numbers of {least} to {most}")
        return self

    def _check_artefacts(self) -> None:
        if self.artefacts is None:
            return
        kinds = ("camera", *ARTEFACTS)
        if self.kind not in kinds:
            raise ValueError(f"noise.artefacts with noise.kind one of {', '.join(kinds)} alone")
        if self.artefacts.camera and self.kind != "jpeg":
            raise ValueError("noise.artefacts.camera with noise.kind=jpeg alone")
        if self.artefacts.white and self.kind != "camera":
            raise ValueError("noise.artefacts.white with noise.kind=camera alone")
        if self.kind == "camera" and (self.artefacts.drawn or not self.artefacts.white):
            raise ValueError(
                "noise.artefacts of noise.kind=camera for white noise alone: white above 0, drawn 0"
            )


class DenoiserConfig(Section):
    """The network.

    Attributes:
        name: dncnn, residual_unet, or one of those for colour alone, guided_unet and refined_unet.
        options: further arguments of the network.
        weights: what training starts from: a shipped name, a file or the folder of a run, of the
            same network; null draws new weights from the stream `init`.
        grey_weights: what a network for colour starts from instead: a grey one of the same body
            with a σ map. A blind network with an offset: see `blind_colour_start`; a guided_unet:
            see `guided_start`, and its part for brightness stays as it is.
        grey_sigma: the σ of the map that becomes the offset of a blind one, on the scale 0 to 255.
        blind_weights: what a refined_unet starts from instead, with guided_weights: a blind
            residual_unet for colour of the same body with an offset, or another refined_unet, whose
            first part it is; see `refined_start`. The first part stays as it is.
        guided_weights: a guided_unet of the same body.
        guided_sigma: the σ that the latter is told, on the scale 0 to 255.
    """

    name: Text = "residual_unet"
    options: Options = Field(default_factory=dict)
    weights: Text | None = None
    grey_weights: Text | None = None
    grey_sigma: Annotated[Positive, ReadWith("grey_weights")] = 10.0
    blind_weights: Text | None = None
    guided_weights: Text | None = None
    guided_sigma: Annotated[Positive, ReadWith("guided_weights")] = 8.0

    @model_validator(mode="after")
    def _one_start(self) -> DenoiserConfig:
        given = [self.weights, self.grey_weights, self.blind_weights or self.guided_weights]
        if sum(each is not None for each in given) > 1:
            raise ValueError("either model.weights or model.grey_weights or model.blind_weights")
        if (self.blind_weights is None) != (self.guided_weights is None):
            raise ValueError("model.blind_weights and model.guided_weights together")
        return self


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
        if self.noise.has_cameras and self.data.colour != "rgb":
            raise ValueError("data.colour=rgb: cameras take photographs in colour")
        needs = self.train.selection == "best" or self.train.early_stopping is not None
        if needs and not self.data.validation:
            raise ValueError(
                "data.validation above 0: train.selection=best and train.early_stopping need it"
            )
        return self
