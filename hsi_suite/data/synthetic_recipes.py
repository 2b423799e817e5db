"""The embedded scenes by name: their sizes, their classes, and how hard they are.

How hard the recipes are was fixed with an RBF-SVM on spectra alone, before any network saw them:
StandardScaler and SVC; 30 % stratified random training pixels (train_test_split); C of 1 to 1e5
and gamma of 1e-5 to 1e-2 in steps of ten, chosen by 3-fold cross-validation on the training
pixels. Overall accuracy in %, for five splits (random_state 0 to 4) of the default scene and for
one split (random_state 0) of scenes with other data seeds:

    synthetic        85.0 ± 0.8   data seeds 2 to 13: 84.8 ± 1.4, from 82.5 to 87.1
    synthetic_large  86.1 ± 0.6   data seeds 2 to 7:  85.6 ± 0.9, from 84.5 to 86.7

`synthetic_small` is the recipe of `synthetic` on fewer pixels, which nobody tuned: 83.9 ± 0.8 with
C of 1000 and gamma of 1e-4.

On the default scenes, first split: average accuracy of the SVM 84.1 and 72.8, random forest of
200 trees 76.7 and 75.6, nearest neighbour on the position alone 98.0 and 98.3. Trained on one
half of the scene and tested on the other (mean of the four ways to do so, over the classes that
the training half holds) the same SVM reaches 68.1 and 73.5: fields differ, so a spatially
disjoint split is harder.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from .synthesis.spectra import Ground

# Of `synthetic.usable_channels`, which takes longer to load.
_USABLE_CHANNELS = 200


@dataclass(frozen=True)
class CoverClass:
    """One class of a synthetic scene.

    Attributes:
        name: what the legend says.
        pixels: how many pixels bear its label.
        ground: its mean state.
        natural: grows in irregular patches instead of fields.
        unevenness: factor on the differences from pixel to pixel.
    """

    name: str
    pixels: int
    ground: Ground
    natural: bool = False
    unevenness: float = 1.0


@dataclass(frozen=True)
class SyntheticRecipe:
    """Everything a synthetic scene is made from, but its seed.

    Attributes:
        name: the scene's name.
        shape: lines and samples.
        channel_step: 1 keeps every usable AVIRIS channel, 2 every second one.
        parcel_area: typical size of a field, pixels.
        slant: angle of the fields against the image, degrees.
        variability: factor on the differences inside a class, from field to field and from pixel
            to pixel; it sets how hard the scene is.
        classes: what grows there, labelled 1, 2, … in this order.
        seed: the seed of the scene unless another is given.
    """

    name: str
    shape: tuple[int, int]
    channel_step: int
    parcel_area: float
    slant: float
    variability: float
    classes: tuple[CoverClass, ...]
    seed: int

    @property
    def bands(self) -> int:
        """How many of the usable channels of AVIRIS it keeps."""
        return -(-_USABLE_CHANNELS // self.channel_step)


_MAIZE = {"green": 0.34, "chlorophyll": 1.05, "leaf_water": 1.0, "structure": 1.0}
_SOYA = {"green": 0.28, "chlorophyll": 0.90, "leaf_water": 1.15, "structure": 1.08}

_LARGE_CLASSES = (
    CoverClass("Maize, no till", 1430, Ground(**_MAIZE, dry=0.30, moisture=0.45)),
    CoverClass("Maize, reduced till", 830, Ground(**_MAIZE, dry=0.17, moisture=0.40)),
    CoverClass("Maize, ploughed", 240, Ground(**_MAIZE, dry=0.04, moisture=0.32)),
    CoverClass("Soya, no till", 970, Ground(**_SOYA, dry=0.30, moisture=0.45)),
    CoverClass("Soya, reduced till", 2450, Ground(**_SOYA, dry=0.17, moisture=0.40)),
    CoverClass("Soya, ploughed", 590, Ground(**_SOYA, dry=0.04, moisture=0.32)),
    CoverClass("Winter wheat, ripening", 205, Ground(0.45, 0.42, 0.0, 0.60, 0.70, 1.0)),
    CoverClass("Oats, green", 22, Ground(0.72, 0.10, 0.0, 0.95, 0.95, 1.05)),
    CoverClass("Lucerne", 46, Ground(0.80, 0.04, 0.0, 1.20, 1.15, 1.10)),
    CoverClass("Pasture, grazed", 480, Ground(0.62, 0.18, 0.0, 0.85, 0.85, 0.95)),
    CoverClass("Meadow, tall grass", 730, Ground(0.76, 0.14, 0.0, 0.95, 0.90, 1.02)),
    CoverClass("Meadow, mown", 30, Ground(0.52, 0.30, 0.0, 0.80, 0.75, 0.98)),
    CoverClass("Hay in windrows", 478, Ground(0.25, 0.60, 0.0, 0.75, 0.70, 1.0, 1.05)),
    CoverClass("Deciduous woods", 1265, Ground(0.93, 0.04, 0.0, 1.25, 1.20, 0.92), True, 1.3),
    CoverClass("Farmstead, yards and trees", 388, Ground(0.50, 0.10, 0.20), unevenness=2.0),
    CoverClass("Gravel and concrete", 95, Ground(0.06, 0.05, 0.75), unevenness=1.5),
)
_SMALL_CLASSES = (
    CoverClass("Maize, no till", 520, Ground(**_MAIZE, dry=0.28, moisture=0.45)),
    CoverClass("Maize, ploughed", 380, Ground(**_MAIZE, dry=0.10, moisture=0.36)),
    CoverClass("Soya, no till", 560, Ground(**_SOYA, dry=0.28, moisture=0.45)),
    CoverClass("Soya, ploughed", 420, Ground(**_SOYA, dry=0.10, moisture=0.36)),
    CoverClass("Pasture, grazed", 330, Ground(0.62, 0.18, 0.0, 0.85, 0.85, 0.95)),
    CoverClass("Meadow, tall grass", 200, Ground(0.74, 0.14, 0.0, 0.95, 0.90, 1.02)),
    CoverClass("Deciduous woods", 440, Ground(0.93, 0.04, 0.0, 1.25, 1.20, 0.92), True, 1.3),
    CoverClass("Farmstead, yards and trees", 150, Ground(0.50, 0.10, 0.20), unevenness=2.0),
)
# As many pixels of each class for its area as in the scene of 72 × 72.
_SMALLEST_CLASSES = tuple(
    replace(each, pixels=round(each.pixels * 60**2 / 72**2)) for each in _SMALL_CLASSES
)

SYNTHETIC_RECIPES: Mapping[str, SyntheticRecipe] = MappingProxyType(
    {
        recipe.name: recipe
        for recipe in (
            SyntheticRecipe("synthetic", (72, 72), 2, 150.0, 8.0, 1.4, _SMALL_CLASSES, 1),
            SyntheticRecipe("synthetic_small", (60, 60), 2, 150.0, 8.0, 1.4, _SMALLEST_CLASSES, 1),
            SyntheticRecipe("synthetic_large", (145, 145), 1, 250.0, 8.0, 1.25, _LARGE_CLASSES, 1),
        )
    }
)
