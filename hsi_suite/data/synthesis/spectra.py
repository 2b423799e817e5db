"""Reflectance spectra of farmland, composed from continua and absorption features.

The ground of a pixel is described by ten numbers (`Ground`): how much of it green plants, dry
plant matter and built surfaces cover (soil is the rest), and the state of each. Within one
material the logarithm of the reflectance is linear in the strengths of its absorptions
(Beer-Lambert); the materials add up by area. The features lie where nature has them: chlorophyll
450 and 670 nm with the red edge near 720 nm, leaf water 970, 1200, 1450 and 1940 nm, cellulose
and lignin 1730, 2100 and 2310 nm, iron oxide 500 and 900 nm, clay 2200 nm, carbonate 2335 nm.
The spectra are shaped like measured ones, not fitted to them.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Ground:
    """What covers a piece of ground, and in which state.

    Attributes:
        green: share of the area under green leaves, 0-1.
        dry: share under straw, litter and other dry plant matter, 0-1.
        built: share under concrete, gravel and roofs, 0-1; bare soil is what remains.
        chlorophyll: strength of the leaf pigments; 1 is a healthy crop.
        leaf_water: strength of the leaf-water features; 1 is well watered.
        structure: brightness of the canopy in the near infrared; 1 is a closed field crop.
        brightness: brightness of soil, straw and built surfaces alike; 1 is average.
        moisture: darkening of soil and straw by water, 0 (dry) to 1 (wet).
        iron: strength of iron oxide in the soil; 1 is average.
        clay: strength of clay minerals in the soil; 1 is average.
    """

    green: float = 0.0
    dry: float = 0.0
    built: float = 0.0
    chlorophyll: float = 1.0
    leaf_water: float = 1.0
    structure: float = 1.0
    brightness: float = 1.0
    moisture: float = 0.4
    iron: float = 1.0
    clay: float = 1.0

    def vector(self) -> FloatArray:
        """The ten numbers in the order of `PARAMETERS`."""
        return np.array(astuple(self))


PARAMETERS = tuple(field.name for field in fields(Ground))
_LOWEST = np.array([0, 0, 0, 0.1, 0.1, 0.3, 0.3, 0, 0, 0], dtype=np.float64)
_HIGHEST = np.array([1, 1, 1, 3, 3, 2, 2, 1, 4, 4], dtype=np.float64)


def reflectance(ground: FloatArray, wavelengths: FloatArray) -> FloatArray:
    """Reflectance of mixed ground.

    Args:
        ground: parameters × any shape, in the order of `PARAMETERS`; values out of their physical
            range are moved to its edge, and shares adding up to more than 1 are scaled down.
        wavelengths: band centres in nm.

    Returns:
        any shape × bands, between 0 and 1.
    """
    flat = ground.reshape(len(PARAMETERS), -1)
    flat = np.clip(flat, _LOWEST[:, None], _HIGHEST[:, None])
    shares, (pigments, water, structure, brightness, wet, iron, clay) = flat[:3], flat[3:]
    green, dry, built = shares / np.maximum(shares.sum(axis=0), 1.0)
    nm = wavelengths
    materials = (
        (green, structure, _leaf_continuum(nm), ((pigments, _pigments(nm)), (water, _water(nm)))),
        (dry, brightness, _straw_continuum(nm), ((wet, _wetting(nm)),)),
        (built, brightness, _built_continuum(nm), ()),
        (
            1.0 - green - dry - built,
            brightness,
            _soil_continuum(nm),
            ((wet, _wetting(nm)), (iron, _iron(nm)), (clay, _clay(nm))),
        ),
    )
    mixed = np.zeros((flat.shape[1], len(nm)))
    for share, light, continuum, features in materials:
        # Summed term by term: the rounding of BLAS depends on its number of threads.
        exponent = np.log(continuum) + np.log(light)[:, None]
        for strength, absorption in features:
            exponent -= strength[:, None] * absorption
        np.exp(exponent, out=exponent)
        exponent *= share[:, None]
        mixed += exponent
    return np.minimum(mixed, 1.0, out=mixed).reshape(*ground.shape[1:], len(nm))


def _dip(nm: FloatArray, centre: float, width: float) -> FloatArray:
    """A Gaussian feature of depth 1; `width` is its standard deviation in nm."""
    return np.asarray(np.exp(-0.5 * ((nm - centre) / width) ** 2))


def _step(nm: FloatArray, centre: float, width: float) -> FloatArray:
    """A logistic rise from 0 to 1 around `centre`."""
    return np.asarray(0.5 * (1.0 + np.tanh((nm - centre) / (2.0 * width))))


def _leaf_continuum(nm: FloatArray) -> FloatArray:
    return 0.50 - 0.06 * _step(nm, 1350.0, 150.0)


def _pigments(nm: FloatArray) -> FloatArray:
    """Optical depth of leaf pigments: chlorophyll bands on a shelf that ends at the red edge."""
    shelf = 1.25 * _step(-nm, -712.0, 9.0) + 0.8 * _step(-nm, -400.0, 15.0)
    return (
        shelf + 1.15 * _dip(nm, 450.0, 45.0) + 0.35 * _dip(nm, 620.0, 30.0) + _dip(nm, 672.0, 20.0)
    )


def _water(nm: FloatArray) -> FloatArray:
    """Optical depth of leaf water: four bands on an absorption that grows with wavelength."""
    bands = 0.08 * _dip(nm, 970.0, 28.0) + 0.20 * _dip(nm, 1200.0, 45.0)
    bands += 1.20 * _dip(nm, 1450.0, 55.0) + 1.60 * _dip(nm, 1940.0, 70.0)
    growing = 0.42 * _step(nm, 1380.0, 60.0) + 0.75 * _step(nm, 1950.0, 60.0)
    return bands + growing + 0.45 * _step(nm, 2420.0, 60.0)


def _straw_continuum(nm: FloatArray) -> FloatArray:
    rising = 0.07 + 0.42 * (1.0 - np.exp(-np.maximum(nm - 380.0, 0.0) / 420.0))
    features = 0.06 * _dip(nm, 1480.0, 50.0) + 0.07 * _dip(nm, 1730.0, 30.0)
    features += 0.26 * _dip(nm, 2100.0, 50.0) + 0.20 * _dip(nm, 2310.0, 40.0)
    return np.asarray(rising * np.exp(-features - 0.25 * _step(nm, 2050.0, 120.0)))


def _soil_continuum(nm: FloatArray) -> FloatArray:
    return np.asarray(0.05 + 0.29 * (1.0 - np.exp(-np.maximum(nm - 360.0, 0.0) / 520.0)))


def _iron(nm: FloatArray) -> FloatArray:
    return (
        0.22 * _dip(nm, 500.0, 60.0) + 0.05 * _dip(nm, 670.0, 40.0) + 0.13 * _dip(nm, 900.0, 80.0)
    )


def _clay(nm: FloatArray) -> FloatArray:
    return 0.15 * _dip(nm, 2203.0, 20.0) + 0.05 * _dip(nm, 2340.0, 25.0)


def _wetting(nm: FloatArray) -> FloatArray:
    """Optical depth of water in soil and straw: darker throughout, more so beside water bands."""
    bands = 0.45 * _dip(nm, 1450.0, 60.0) + 0.60 * _dip(nm, 1940.0, 75.0)
    return 0.45 + bands + 0.25 * _step(nm, 1450.0, 150.0)


def _built_continuum(nm: FloatArray) -> FloatArray:
    grey = 0.20 + 0.14 * (1.0 - np.exp(-np.maximum(nm - 360.0, 0.0) / 300.0))
    return np.asarray(grey * np.exp(-0.12 * _dip(nm, 2335.0, 30.0)))
