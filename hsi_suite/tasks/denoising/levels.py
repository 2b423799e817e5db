"""At how much of which noise validation images are judged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ...schemas.denoising import ArtefactsConfig, NoiseConfig

_LEVELS = 255.0


@dataclass(frozen=True)
class Level:
    """So much of one kind of noise.

    Attributes:
        kind: what is done to an image.
        value: σ on the scale 0 to 255, the ISO of a camera, the quality of a JPEG, or the factor of
            an image made smaller and larger again.
    """

    kind: Literal["gaussian", "camera", "jpeg", "upsampling"]
    value: float

    @property
    def sigma(self) -> float:
        """What a network with a σ map is given, on the scale 0 to 1."""
        return self.value / _LEVELS if self.kind == "gaussian" else 0.0


def validation_levels(noise: NoiseConfig) -> dict[str, Level]:
    """The levels of a configuration, by the names that metrics.json gives them.

    σ and ISO go by their number, as they did before there were other kinds.
    """
    if noise.kind == "camera":
        return {f"{iso:g}": Level("camera", iso) for iso in noise.validation}
    if noise.kind == "jpeg":
        return _named("quality", "jpeg", noise.validation)
    if noise.kind == "upsampling":
        return _named("factor", "upsampling", noise.validation)
    if noise.kind == "mixture":
        artefacts = noise.artefacts or ArtefactsConfig()
        return (
            _named("sigma", "gaussian", noise.validation)
            | _named("quality", "jpeg", artefacts.validation_quality)
            | _named("factor", "upsampling", artefacts.validation_factors)
        )
    return {f"{sigma:g}": Level("gaussian", sigma) for sigma in noise.validation}


def _named(
    prefix: str,
    kind: Literal["gaussian", "jpeg", "upsampling"],
    values: list[float] | list[int],
) -> dict[str, Level]:
    return {f"{prefix}_{value:g}": Level(kind, float(value)) for value in values}
