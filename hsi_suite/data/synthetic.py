"""The embedded scene: farmland seen by an airborne spectrometer, generated from a seed.

Nothing is read and nothing was measured in a field: every scene made here is called synthetic.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from ..errors import UnknownNameError
from ..registry import did_you_mean
from ..seeding import derive_seed
from .scene import Scene, nearest_bands
from .synthesis.parcels import ParcelMap, draw_parcels
from .synthesis.radiance import digital_numbers, illumination, noise_deviation, smooth_noise
from .synthesis.spectra import FloatArray, Ground, reflectance
from .synthetic_recipes import SYNTHETIC_RECIPES, SyntheticRecipe
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
    # Here and below: what lists data sets does without.
    from scipy.ndimage import gaussian_filter1d

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
