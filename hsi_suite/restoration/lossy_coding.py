"""Lossy coders other than JPEG: how coarse a file is, and from where on its faults can be seen."""

from __future__ import annotations

from dataclasses import dataclass

# From these indices on `jpeg_denoiser` gains on photographs without noise, and none of those that
# it was chosen on loses more than 0.3 dB (`python -m benchmarks.lossy_formats`); quality 80 of
# WebP, 55 of AVIF and 50 of HEIC as Pillow and pillow-heif write them.
_COARSE = {"WebP": 25, "AVIF": 136, "HEIC": 22}


@dataclass(frozen=True)
class LossyCoding:
    """The quantiser that a WebP, AVIF or HEIC file was written with.

    Attributes:
        kind: WebP, AVIF or HEIC.
        index: of luma's quantiser on the coder's own scale; 0 is the finest.
        coarsest: the largest index of that scale.
    """

    kind: str
    index: int
    coarsest: int

    @property
    def coarse(self) -> bool:
        """Whether its faults are worth taking away."""
        return self.index >= _COARSE[self.kind]

    @property
    def numbers(self) -> tuple[float, float, float]:
        """How coarse it is, 0 to 1, and whether it is WebP, and AVIF; for `find_noise`."""
        return self.index / self.coarsest, float(self.kind == "WebP"), float(self.kind == "AVIF")

    def __str__(self) -> str:
        return f"{self.kind} with quantiser {self.index} of {self.coarsest}"
