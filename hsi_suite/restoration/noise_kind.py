"""Which kind of noise an image has: none, white, a camera's, or the faults of its coder alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from importlib import resources
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .boosted_trees import BoostedTrees, read_trees
from .drawn_signs import has_two_tones, hides_noise, is_drawn, is_drawn_behind, is_mended, is_print
from .jpeg_traces import JpegTraces, find_jpeg
from .lossy_coding import LossyCoding
from .noise_signs import Image, NoiseSigns, inside_of, luma_of, middle_of, noise_signs
from .patch_detail import counts_blank

NoiseKind = Literal["clean", "gaussian", "camera", "jpeg", "lossy"]
_TREES = "noise_kinds.npz"
#: The fit that tells white noise from other noise and none.
WHITE_FIT = "grey_white"
#: And the one for what WebP, AVIF and HEIC have left in colour.
CODED_FIT = "colour_coded"

# White noise is as fine as it is middling: clean photographs, simulated cameras and scans stay
# below 0.6 in luma and in colour, white noise of σ 3 lies above 0.67 in 95 of 100.
_WHITE = 0.64
# Its finest detail times the square of that, so that grain that is weak needs to be whiter: what
# white noise of σ 1.75 has in grey, in the luma of colour and in colour. Photographs that pass for
# clean, old scans among them, stay below.
_LEAST, _LEAST_LUMA, _LEAST_COLOUR = 1.3, 0.87, 1.75
# How likely other noise has to be: behind JPEG, and where a picture is left as it is otherwise, as
# texture lost is worse than weak grain left. Half of Set12 are old scans whose middle detail of
# luma in the quietest patches is 1.5 to 2.1: below this the trees have to be surer still.
_LIKELY, _SURE, _SURER = 0.65, 0.8, 0.98
_WEAK = 2.2
# Behind a lossy coder other than JPEG, by trees of its own; and in grey by those of PNG, as it has
# taken the finest detail of both.
_LIKELY_CODED, _LIKELY_CODED_GREY = 0.85, 0.75
# Clean photographs of fine texture pass for noise. But noise is nearly constant in flat places (a
# spread of 0.42 to 0.59, in colour of 0.4), has as much of the finest colour everywhere (0.12 to
# 0.22; PolyU's noisy photographs made smaller 0.13 to 0.20), and lies over edges that demosaicking
# and noise reduction have softened. 27 textures have 0.61, 0.55, 0.22 and edges of 7.7 and more.
# Coders other than JPEG keep colour at half the size, which leaves little of it. Noise in luma
# alone tells nothing of colour: the photograph's own is less than the last share of luma's detail.
_UNEVEN, _UNEVEN_COLOUR, _SHARP, _LIVELY, _LIVELIER, _COLOURFUL = 0.6, 0.5, 7.4, 0.2, 0.5, 0.46
# How likely white noise has to be where texture may hide it.
_LIKELY_WHITE = 0.5
# Noise that is less likely than this is hardly there; above, it is not told from texture.
_UNLIKELY = 0.35
# Coarse colour of the quietest patches against middle luma: white noise of σ 5 to 25 in all colours
# behind JPEG of 75 to 95 with colour at half the size has 0.40 to 0.81 (48), of luma alone 0.00 to
# 0.34 in nine of ten (56; at most 0.68).
_COLOURED = 0.4
# Finest detail of white noise in a frame of black or white. Of 1,506 photographs and drawings
# without noise, a third each made darker and brighter, one that passes for white has 7.7, the
# others 5.4 and less.
_STRONG = 8.0
# Faults of a finer JPEG are not seen.
_FINEST_SEEN = 92
# Qualities that are found in pixels differ by less than this from those of their files.
_SAME = 2


@dataclass(frozen=True)
class FoundNoise:
    """What was found.

    Attributes:
        kind: of the noise; `jpeg` and `lossy` are the faults of JPEG and of another lossy coder.
        signs: what it was told from.
        chance: of noise rather than structure alone, as the fit has it; 1 where it is white.
        drawn: whether it is print or a drawing, whose fine detail would pass for noise.
        coding: of the lossy file that it comes from, if that is no JPEG.
        mended: whether it is print behind JPEG that the network for JPEG mends.
    """

    kind: NoiseKind
    signs: NoiseSigns
    chance: float
    drawn: bool = False
    coding: LossyCoding | None = None
    mended: bool = False

    @property
    def colour_halved(self) -> bool:
        """Whether a lossy coder has kept noise of colour, at half the size, as most do.

        Noise of luma alone has no coarse colour in the quietest patches.
        """
        coded = self.signs.jpeg is not None or self.coding is not None
        return coded and self.signs.quiet_colour > _COLOURED * self.signs.middle

    @property
    def words(self) -> str:
        """What was found, in a few words."""
        jpeg = self.signs.jpeg
        coder = str(self.coding or "") if jpeg is None else f"JPEG of quality {jpeg.quality}"
        after = f" behind {coder}" if coder else ""
        if self.drawn:
            return f"text or a drawing rather than a photograph{after}"
        unsure = self.chance > _UNLIKELY
        coder_alone = f"{coder}, its noise not told from texture"
        return {
            "clean": f"noise not told from texture{after}"
            if unsure
            else f"hardly any noise{after}",
            "gaussian": f"white noise{after}",
            "camera": f"noise of a camera or scanner, alike in neighbouring pixels{after}",
            "jpeg": coder_alone,
            "lossy": coder_alone,
        }[self.kind]


def find_noise(
    image: Image, quality: int | None = None, coding: LossyCoding | None = None
) -> FoundNoise:
    """The kind of an image's noise.

    White noise is known by its finest detail, which all other noise of photographs has lost to
    demosaicking, noise reduction, a lens or JPEG. Whether there is such other noise, or structure
    alone, is told by boosted trees on `NoiseSigns.numbers`, fitted to simulated cameras, scans and
    JPEG files (`python -m benchmarks.noise_kinds`, which also scores them on others): one each
    for images with and without JPEG, in colour and in grey, one for colour behind other lossy
    coders, and one for white noise that texture hides in grey. Before any of these is believed,
    print and drawings are looked for (`drawn_signs`).

    Args:
        image: lines × samples (× 3) on the scale 0 to 255, at least 32 × 32; not resampled since
            it was decoded.
        quality: of the JPEG file that it comes from, or None. A coarser JPEG that it was before
            is looked for in the pixels.
        coding: of the lossy file that it comes from, if that is no JPEG.

    Raises:
        ShapeError: it is smaller than 16 × 16.
    """
    image = _grey_where_equal(image)
    signs = signs_of(image, quality)
    without = _without_noise(signs, coding)
    found = _found(signs, without, coding, grey=image.ndim == 2)
    if found.kind != "gaussian" and signs.jpeg is None:
        found = _found_in_frame(image, coding) or found
    if _drawn(image, found):
        jpeg = found.signs.jpeg
        mended = without == "jpeg" and jpeg is not None and is_mended(image, jpeg.quality)
        return replace(found, kind=without, drawn=True, mended=mended)
    # The network for JPEG takes a camera's noise, too, and less of what is drawn.
    doubtful = without == "lossy" or (without == "jpeg" and hides_noise(image))
    doubtful = doubtful or (image.ndim == 3 and is_texture(found.signs, coding))
    return replace(found, kind=without) if found.kind == "camera" and doubtful else found


def _found(
    signs: NoiseSigns, without: NoiseKind, coding: LossyCoding | None, *, grey: bool
) -> FoundNoise:
    """The kind of noise of a photograph."""
    if is_white(signs, grey=grey) or _found_white(signs, grey=grey):
        return FoundNoise("gaussian", signs, 1.0, coding=coding)
    chance = _chance(signs, coding, grey=grey)
    kind = "camera" if chance > _least_chance(signs, coding, grey=grey) else without
    return FoundNoise(kind, signs, chance, coding=coding)


def _found_in_frame(image: Image, coding: LossyCoding | None) -> FoundNoise | None:
    """Strong white noise in a picture some of which is black or white and has none of it.

    Hardly a patch of such noise keeps away from black and white, so that all patches are looked at,
    of which those without any noise are the quietest.
    """
    if not counts_blank(inside_of(middle_of(image))):
        return None
    signs = noise_signs(image, None, blank=False)
    strong = signs.fine > _STRONG and is_white(signs, grey=image.ndim == 2)
    return FoundNoise("gaussian", signs, 1.0, coding=coding) if strong else None


def is_texture(signs: NoiseSigns, coding: LossyCoding | None) -> bool:
    """Whether what passes for a camera's noise in colour is texture; behind JPEG not told.

    Args:
        signs: of a picture in colour.
        coding: of the lossy file that it comes from, if that is no JPEG.
    """
    luma, colour = signs.flat_spread
    uneven = luma > _UNEVEN and colour > _UNEVEN_COLOUR
    if signs.jpeg is not None or not uneven or not signs.rough_everywhere:
        return False
    coded = coding is not None
    if not coded and signs.colour_middle <= _COLOURFUL * signs.middle:
        return False
    lively = coded or signs.colour_spread > _LIVELY
    return (lively and signs.sharpest > _SHARP) or signs.colour_spread > _LIVELIER


def _without_noise(signs: NoiseSigns, coding: LossyCoding | None) -> NoiseKind:
    """What the coder of a picture has left if nothing else has left anything."""
    if signs.jpeg is not None and signs.jpeg.quality <= _FINEST_SEEN:
        return "jpeg"
    return "lossy" if coding is not None and coding.coarse else "clean"


def _drawn(image: Image, found: FoundNoise) -> bool:
    """Whether what was found is the detail of print, of two tones, or a drawing that is no JPEG."""
    if found.kind == "clean":
        return False
    if has_two_tones(image):
        return True
    if found.kind == "lossy":
        return is_drawn_behind(image)
    return is_print(image) or (found.signs.jpeg is None and is_drawn(image))


def signs_of(image: Image, quality: int | None) -> NoiseSigns:
    """What `find_noise` goes by; same arguments and errors."""
    found = find_jpeg(luma_of(image))
    # What a coarser JPEG before has lost is still lost in a file that was written finely again.
    coarser = found is not None and (quality is None or found.quality < quality - _SAME)
    known = None if quality is None else JpegTraces(quality, (0, 0))
    return noise_signs(image, found if coarser else known)


def _grey_where_equal(image: Image) -> Image:
    """One plane of an image whose three channels are the same, as grey pictures are often kept."""
    if image.ndim == 3 and (image == image[..., :1]).all():
        return image[..., 0]
    return image


def is_white(signs: NoiseSigns, *, grey: bool) -> bool:
    """Whether the finest detail alone says that the noise is white."""
    least = _LEAST if grey else _LEAST_LUMA
    luma = _white(signs.fine, signs.luma_whiteness, least)
    return luma or _white(signs.colour_fine, signs.colour_whiteness, _LEAST_COLOUR)


def _white(fine: float, whiteness: float, least: float) -> bool:
    return whiteness > _WHITE and fine * whiteness**2 > least


def may_be_white(signs: NoiseSigns, *, grey: bool) -> bool:
    """Whether it is left to the trees: texture hides white noise in grey, in colour not."""
    return grey and signs.jpeg is None and signs.middle > _WEAK


def _found_white(signs: NoiseSigns, *, grey: bool) -> bool:
    if not may_be_white(signs, grey=grey):
        return False
    return _trees(WHITE_FIT).chance(signs.numbers()) > _LIKELY_WHITE


def _least_chance(signs: NoiseSigns, coding: LossyCoding | None, *, grey: bool) -> float:
    if signs.jpeg is not None:
        return _LIKELY
    if coding is not None:
        return _LIKELY_CODED_GREY if grey else _LIKELY_CODED
    return _SURE if signs.middle > _WEAK else _SURER


def fit_name(signs: NoiseSigns, coding: LossyCoding | None, *, grey: bool) -> str:
    """Which of the fits is for an image."""
    if _has_own_fit(signs, coding, grey=grey):
        return CODED_FIT
    return ("grey" if grey else "colour") + ("" if signs.jpeg is None else "_jpeg")


def fit_numbers(
    signs: NoiseSigns, coding: LossyCoding | None, *, grey: bool
) -> NDArray[np.float64]:
    """What it goes by: the signs, and how a file that is no JPEG was coded, where that counts."""
    numbers = signs.numbers()
    if coding is None or not _has_own_fit(signs, coding, grey=grey):
        return numbers
    return np.append(numbers, coding.numbers)


def _has_own_fit(signs: NoiseSigns, coding: LossyCoding | None, *, grey: bool) -> bool:
    """Whether there are trees for WebP, AVIF and HEIC; in grey they were no better."""
    return coding is not None and signs.jpeg is None and not grey


def _chance(signs: NoiseSigns, coding: LossyCoding | None, *, grey: bool) -> float:
    numbers = fit_numbers(signs, coding, grey=grey)
    return _trees(fit_name(signs, coding, grey=grey)).chance(numbers)


@lru_cache(maxsize=6)
def _trees(name: str) -> BoostedTrees:
    with resources.as_file(resources.files(__package__) / _TREES) as path:
        return read_trees(path, name)
