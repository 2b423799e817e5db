"""What a user of `hsi denoise` may choose, for photographs and cubes; checked without torch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import ConfigError
from ...memory import DEFAULT_MEMORY_LIMIT
from ...user_files import resolved
from .restoration_settings import Restoration

if TYPE_CHECKING:
    from .photographs.network_choice import Noise

# Of the value that is white: beyond these the squares of values overflow single precision.
_WHITES = (1e-9, 1e9)


@dataclass(frozen=True)
class DenoisingOptions:
    """What a user may choose.

    Attributes:
        weights: shipped name, file or run folder; None for the one that suits the noise.
        noise: what is known of the noise of photographs, where no weights are named; auto looks.
        sigma: of the noise on the scale 0 to 255; None to estimate it.
        page_sigmas: in its place, one for each page of a TIFF stack; () for none.
        joint: whether pages of a stack are denoised with the help of their neighbours.
        white: the value that 255 on this scale stands for; None for the file's own: the largest
            of whole numbers, 1 for floats.
        how: strength, self-ensemble, precision.
        tile: side of the tiles in pixels; None: as memory allows.
        memory_limit: bytes for the whole process.
        overwrite: whether a result may take the place of a finished file; of photographs also of
            an input.
        reference: the clean image, where there is one, for scores.
        add_noise: σ (0 to 255) of noise that is added first, for a demonstration; it is not
            clipped. The image itself is then the reference.
        seed: of that noise; image k takes seed + k.
        compare: also write a picture of before and after.
        kind: of the files of photographs, see `photograph_endings.KINDS`; None for what suits each.
        quality: of JPEG, WebP and AVIF files, 1 to 100; None for that of the input, or the best.
        contact_sheet: a PNG file with a detail of each photograph before and after, or None.
        device: auto, cpu, cuda or cuda:N.
        threads: CPU threads; None takes the processors this process may use.
    """

    weights: str | None = None
    noise: Noise = "auto"
    sigma: float | None = None
    page_sigmas: tuple[float, ...] = ()
    joint: bool = False
    white: float | None = None
    how: Restoration = field(default_factory=Restoration)
    tile: int | None = None
    memory_limit: float = DEFAULT_MEMORY_LIMIT
    overwrite: bool = False
    reference: str | Path | None = None
    add_noise: float | None = None
    seed: int = 0
    compare: bool = False
    kind: str | None = None
    quality: int | None = None
    contact_sheet: str | Path | None = None
    device: str = "auto"
    threads: int | None = None

    def for_page(self, number: int) -> DenoisingOptions:
        """The same for a page of a stack, numbered from 0."""
        if not self.page_sigmas:
            return self
        return replace(self, sigma=self.page_sigmas[number], page_sigmas=())

    def check(self, inputs: Sequence[str | Path] = ()) -> None:
        """Refuse values that mean nothing.

        Args:
            inputs: what is to be denoised.

        Raises:
            ConfigError: one is out of its range, or an input is its own reference.
        """
        if self.noise != "auto" and self.weights is not None:
            raise ConfigError("--noise", "given beside weights", "one of the two")
        if self.noise in ("camera", "jpeg") and (self.sigma is not None or self.page_sigmas):
            raise ConfigError(
                "--sigma",
                f"given with --noise {self.noise}, whose network judges the noise itself",
                "one of the two",
                "a known σ is that of white noise; --strength trades detail against noise",
            )
        own = self.reference is not None and self.add_noise is None
        if own and resolved(Path(str(self.reference))) in {resolved(Path(path)) for path in inputs}:
            raise ConfigError(
                "--reference",
                f"{self.reference} is the input itself",
                "the clean image or cube",
                "for a trial of a clean one give --add-noise SIGMA",
            )
        sigmas = [("--sigma", value) for value in (self.sigma, *self.page_sigmas)]
        for name, value in (*sigmas, ("--add-noise", self.add_noise)):
            if value is not None and not 0 <= value < math.inf:
                raise ConfigError(name, f"{value:g}", "a number of 0 or more")
        least, most = _WHITES
        if self.white is not None and not least <= self.white <= most:
            raise ConfigError("--white", f"{self.white:g}", f"{least:g} to {most:g}")
        if not 0 <= self.how.strength <= 1:
            raise ConfigError("--strength", f"{self.how.strength:g}", "0 to 1")
        if self.tile is not None and self.tile < 1:
            raise ConfigError("--tile", f"{self.tile}", "auto or pixels, at least 1")
        if self.seed < 0:
            raise ConfigError("--seed", f"{self.seed}", "0 or more")
