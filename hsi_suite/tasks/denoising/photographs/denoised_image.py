"""What became of a photograph or a stack, and how that is said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ....reports.denoising.contact_sheet import Detail
from ..evaluation import mean_scores
from .white_level import WhiteLevel


@dataclass(frozen=True)
class DenoisedImage:
    """What became of one image.

    Attributes:
        source: the image.
        target: the result.
        comparison: the picture of before and after, or None.
        sigma: of the noise on the scale 0 to 255; None where the network does not look at it.
        white: the value that 255 on this scale stands for.
        estimated: whether σ was estimated from the image.
        before: scores of the noisy image, where there is a reference.
        after: scores of the result.
        pages: pictures in the file; of several, σ is the root mean square and scores are means.
        page_sigmas: the least and the largest σ of the pages, in the units of `sigma`.
        detail: a part of it before and after, where a contact sheet is asked for.
        choice: what was found of the noise and chosen for it; "" where nobody looked, and there is
            one network.
    """

    source: Path
    target: Path
    comparison: Path | None
    sigma: float | None
    white: WhiteLevel
    estimated: bool
    before: dict[str, float] | None
    after: dict[str, float] | None
    pages: int = 1
    page_sigmas: tuple[float, float] | None = None
    detail: Detail | None = None
    choice: str = ""

    @property
    def noise_text(self) -> str:
        """How noisy it was, in words; "" where the network does not look at it."""
        if self.sigma is None:
            return ""
        sigmas = [self.sigma] if self.page_sigmas is None else self.page_sigmas
        known = self.white.known
        return _sigma_text(sigmas, self.white.value, known=known, estimated=self.estimated)


def together(pages: Sequence[DenoisedImage]) -> DenoisedImage:
    """What became of a stack: what was chosen for its pages, means of σ² and of the scores.

    Pages may be of several types: σ is meant on the scale 0 to 255 then, the same for all. Only
    where no page has such a scale it is meant in the units that they share.
    """
    first = next((page for page in pages if page.white.known), pages[0])
    units = [1.0 if first.white.known else page.white.value for page in pages]
    sigmas = [(p.sigma or 0) * unit / units[0] for p, unit in zip(pages, units, strict=True)]
    uses = any(page.sigma is not None for page in pages)
    return replace(
        first,
        sigma=float(np.sqrt(np.mean(np.square(sigmas)))) if uses else None,
        before=None if first.before is None else mean_scores([page.before or {} for page in pages]),
        after=None if first.after is None else mean_scores([page.after or {} for page in pages]),
        pages=len(pages),
        page_sigmas=(min(sigmas), max(sigmas)) if uses else None,
        choice=_choices([page.choice for page in pages if page.choice]),
    )


def _choices(words: Sequence[str]) -> str:
    """What was chosen for the pages, and for how many of them where they differ."""
    counts = Counter(words)
    if len(counts) == 1:
        return words[0]
    return "; ".join(
        f"{each} ({'1 page' if count == 1 else f'{count} pages'})" for each, count in counts.items()
    )


def _sigma_text(sigmas: Sequence[float], white: float, *, known: bool, estimated: bool) -> str:
    """One σ, or the least and the largest of several.

    Args:
        sigmas: on the scale 0 to 255.
        white: the value that 255 stands for.
        known: whether that scale means something to others than this image.
        estimated: whether they were estimated.
    """
    told = [f"{each:.1f}" if known else f"{each / 255 * white:.4g}" for each in sigmas]
    units = "of 255" if known else "in the image's own units"
    return f"σ {' to '.join(dict.fromkeys(told))} {units}{' (estimated)' if estimated else ''}"
