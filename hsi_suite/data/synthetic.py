"""The embedded scene: farmland seen by an airborne spectrometer, generated from a seed.

Nothing is read and nothing was measured in a field: every scene made here is called synthetic.

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

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from ..errors import UnknownNameError
from ..registry import did_you_mean
from ..seeding import derive_seed
from .scene import Scene, nearest_bands
from .synthesis.parcels import ParcelMap, draw_parcels
from .synthesis.radiance import digital_numbers, illumination, noise_deviation, smooth_noise
from .synthesis.spectra import FloatArray, Ground, reflectance
from .wavelengths import AVIRIS_224

# Where water vapour leaves no light: 24 of AVIRIS' 224 channels.
_OPAQUE = ((1350.0, 1420.0), (1805.0, 1950.0))
_POINT_SPREAD = 0.55  # standard deviation, pixels

_ROAD = Ground(built=0.8, green=0.05, brightness=0.9)
_VERGE = Ground(green=0.55, dry=0.15, chlorophyll=0.9)

# Standard deviations inside a class, and of the soil over the whole scene, in the order of
# Ground's fields; a recipe's variability multiplies them.
_BETWEEN_FIELDS = Ground(0.012, 0.012, 0.003, 0.025, 0.025, 0.02, 0.025, 0.03, 0.05, 0.05)
_BETWEEN_PIXELS = Ground(0.06, 0.05, 0.010, 0.09, 0.09, 0.07, 0.06, 0.10, 0.12, 0.12)
_SOIL_MAP = Ground(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.03, 0.04, 0.15, 0.15)


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


def generate_scene(recipe: str | SyntheticRecipe = "synthetic", seed: int | None = None) -> Scene:
    """Generate a synthetic scene.

    Args:
        recipe: a recipe or the name of one in `SYNTHETIC_RECIPES`.
        seed: decides the layout, the ground, the light and the noise; None takes the recipe's.

    Returns:
        A scene of uint16 digital numbers whose `synthetic` is True. Its checksum covers the bytes
        of the cube and the labels.

    Raises:
        UnknownNameError: no recipe has that name.
        ConfigError: the recipe's classes need more room than its scene has.
    """
    recipe = _recipe(recipe) if isinstance(recipe, str) else recipe
    seed = recipe.seed if seed is None else seed

    def stream(name: str) -> np.random.Generator:
        return np.random.default_rng(derive_seed(seed, "synthetic", name))

    parcels = draw_parcels(
        recipe.shape,
        [each.pixels for each in recipe.classes],
        [each.natural for each in recipe.classes],
        recipe.parcel_area,
        float(np.deg2rad(recipe.slant)),
        stream("layout"),
    )
    wavelengths = usable_channels()[:: recipe.channel_step]
    seen = reflectance(draw_ground(recipe, parcels, stream("ground")), wavelengths)
    seen *= illumination(recipe.shape, stream("light"))[..., None]
    for axis in (0, 1):
        seen = gaussian_filter1d(seen, _POINT_SPREAD, axis=axis, mode="nearest")
    signal = digital_numbers(seen, wavelengths)
    signal += noise_deviation(signal, wavelengths) * stream("noise").standard_normal(signal.shape)
    cube = np.clip(np.rint(signal), 0, 65535).astype(np.uint16)
    return Scene(
        name=recipe.name,
        cube=cube,
        labels=parcels.labels,
        class_names=tuple(each.name for each in recipe.classes),
        wavelengths=wavelengths,
        false_colour=nearest_bands(wavelengths, len(wavelengths)),
        synthetic=True,
        checksums={"synthetic cube": _checksum(cube, parcels.labels)},
    )


def usable_channels() -> FloatArray:
    """Centres in nm of the 200 AVIRIS channels outside the water vapour of 1.4 and 1.9 µm."""
    centres = np.array(AVIRIS_224)
    opaque = np.zeros(centres.shape, dtype=bool)
    for low, high in _OPAQUE:
        opaque |= (centres > low) & (centres < high)
    return np.asarray(centres[~opaque])


def draw_ground(
    recipe: SyntheticRecipe, parcels: ParcelMap, rng: np.random.Generator
) -> FloatArray:
    """The state of each pixel's ground, parameters × lines × samples.

    A pixel's state is its class's mean, plus what its field differs by, plus what the soil of the
    region differs by, plus its own difference, which neighbours share in part.
    """
    covers = [_ROAD, _VERGE, *(each.ground for each in recipe.classes)]
    means = np.array([cover.vector() for cover in covers])
    unevenness = np.array([1.0, 1.0, *(each.unevenness for each in recipe.classes)])
    place = parcels.cover + 1
    fields = _field_differences(parcels, len(means[0]), rng)
    spread = recipe.variability
    ground = means.T[:, place] + spread * _column(_BETWEEN_FIELDS) * fields.T[:, parcels.parcels]
    shape = ground.shape
    ground += spread * _column(_SOIL_MAP) * smooth_noise(shape, max(recipe.shape) / 6, rng)
    alone, shared = rng.standard_normal(shape), smooth_noise(shape, 1.5, rng)
    ground += spread * _column(_BETWEEN_PIXELS) * unevenness[place] * (0.8 * alone + 0.6 * shared)
    return np.asarray(ground)


def _field_differences(parcels: ParcelMap, size: int, rng: np.random.Generator) -> FloatArray:
    """Differences of the fields, parcels + 1 × size; row 0 is for what is no field.

    Over the labelled fields of a class they have mean 0 and deviation 1: fields vary, but how
    much they vary is a matter of the recipe and not of the seed.
    """
    drawn = rng.standard_normal((int(parcels.parcels.max()) + 1, size))
    drawn[0] = 0.0
    for label in range(1, int(parcels.labels.max()) + 1):
        own = np.unique(parcels.parcels[parcels.labels == label])
        if len(own) > 2:
            drawn[own] -= drawn[own].mean(axis=0)
            drawn[own] /= drawn[own].std(axis=0)
    return drawn


def _column(deviations: Ground) -> FloatArray:
    return deviations.vector()[:, None, None]


def _recipe(name: str) -> SyntheticRecipe:
    if name in SYNTHETIC_RECIPES:
        return SYNTHETIC_RECIPES[name]
    hint = did_you_mean(name, SYNTHETIC_RECIPES)
    raise UnknownNameError(
        "synthetic scene", f"unknown name {name!r}", f"one of {', '.join(SYNTHETIC_RECIPES)}", hint
    )


def _checksum(cube: NDArray[np.uint16], labels: NDArray[np.uint8]) -> str:
    """SHA-256 of the bytes of cube and labels, in the byte order of the files we write."""
    return hashlib.sha256(cube.astype("<u2").tobytes() + labels.tobytes()).hexdigest()
