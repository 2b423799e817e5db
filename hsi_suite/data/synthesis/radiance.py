"""From reflectance to an airborne spectrometer's digital numbers: sun, air, terrain, noise.

The Sun is a black body of 5778 K. The air absorbs in the known bands of water vapour, oxygen and
carbon dioxide, and scatters bluish light into the view (Rayleigh, wavelength to the power -4).
Noise has a part that grows with the signal and a part of the detector's own, which is larger at
both ends of the range and where two of the four spectrometers meet.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

# Centre and width (nm) and optical depth of what the air absorbs around the usable bands.
_AIR = (
    (720.0, 9.0, 0.10),  # water vapour, as 820, 940, 1130, 1380, 1870 and beyond the range
    (762.0, 5.0, 0.25),  # oxygen
    (820.0, 11.0, 0.12),
    (940.0, 22.0, 0.55),
    (1130.0, 24.0, 0.60),
    (1268.0, 7.0, 0.08),  # oxygen
    (1380.0, 32.0, 3.0),
    (1870.0, 48.0, 3.5),
    (2010.0, 14.0, 0.35),  # carbon dioxide
    (2060.0, 12.0, 0.22),  # carbon dioxide
    (2560.0, 90.0, 1.5),
)
_SUN_KELVIN = 5778.0
_SUN_ZENITH = np.deg2rad(32.0)
_STEEPEST = np.deg2rad(5.0)
_WHITE = 13000.0  # digital numbers of a white surface where the Sun is brightest
_SCATTERED = 0.045  # reflectance that the air itself seems to have at 450 nm
_DETECTORS = 5.0  # digital numbers of a detector's own noise in the middle of its range
_PER_SIGNAL = 0.02  # variance of the light's own noise for each digital number
_JUNCTIONS = (661.0, 1258.0, 1870.0)


def smooth_noise(shape: tuple[int, ...], scale: float, rng: np.random.Generator) -> FloatArray:
    """A random surface over the last two axes, of mean 0 and deviation 1 in each.

    Args:
        shape: …, lines, samples.
        scale: standard deviation of the Gaussian that smooths it, pixels.
        rng: source of the surface.
    """
    from scipy.ndimage import gaussian_filter

    surface = gaussian_filter(rng.standard_normal(shape), scale, axes=(-2, -1), mode="reflect")
    surface -= surface.mean(axis=(-2, -1), keepdims=True)
    surface /= surface.std(axis=(-2, -1), keepdims=True)
    return np.asarray(surface)


def sunlight(wavelengths: FloatArray) -> FloatArray:
    """Sunlight that the ground sends back to the sensor from a white surface.

    Args:
        wavelengths: band centres in nm.

    Returns:
        one value for each band, 1 at the peak of the black body without air.
    """
    # Planck's law; hc/k = 1.438777e7 nm K, and the peak lies where that over λT is 4.965114.
    ratio = 1.438777e7 / (wavelengths * _SUN_KELVIN)
    black_body = ratio**5 / np.expm1(ratio)
    peak = 4.965114**5 / np.expm1(4.965114)
    depth = np.zeros_like(wavelengths)
    for centre, width, strength in _AIR:
        depth += strength * np.exp(-0.5 * ((wavelengths - centre) / width) ** 2)
    return np.asarray(black_body / peak * np.exp(-depth))


def illumination(shape: tuple[int, int], rng: np.random.Generator) -> FloatArray:
    """Light on each pixel against flat open ground: slopes towards the Sun, and thin haze.

    Args:
        shape: lines and samples.
        rng: source of the relief and the haze.

    Returns:
        lines × samples, around 1.
    """
    extent = max(shape)
    down, right = np.gradient(smooth_noise(shape, extent / 12, rng))
    slopes = np.arctan(np.tan(_STEEPEST) * (down - right) / np.abs(down - right).max())
    sun = np.cos(_SUN_ZENITH - slopes) / np.cos(_SUN_ZENITH)
    return np.asarray(sun * (1.0 + 0.02 * smooth_noise(shape, extent / 5, rng)))


def digital_numbers(lit_reflectance: FloatArray, wavelengths: FloatArray) -> FloatArray:
    """The sensor's signal without noise.

    Args:
        lit_reflectance: … × bands, reflectance times illumination.
        wavelengths: band centres in nm.
    """
    # A higher gain where the Sun is weak keeps the digital steps below the noise.
    gain = 1.0 + (wavelengths > 1450.0) + 2.0 * (wavelengths > 1950.0)
    air = _SCATTERED * (wavelengths / 450.0) ** -4
    return np.asarray((lit_reflectance + air) * (_WHITE * gain * sunlight(wavelengths)))


def noise_deviation(signal: FloatArray, wavelengths: FloatArray) -> FloatArray:
    """Standard deviation of the sensor's noise in digital numbers.

    Args:
        signal: … × bands, from `digital_numbers`.
        wavelengths: band centres in nm.
    """
    excess = 2.5 * np.exp(-(wavelengths - 365.0) / 40.0) + 2.0 * np.exp((wavelengths - 2500.0) / 60)
    for junction in _JUNCTIONS:
        excess += 1.2 * np.exp(-0.5 * ((wavelengths - junction) / 15.0) ** 2)
    detector = _DETECTORS * (1.0 + excess)
    return np.asarray(np.sqrt(detector**2 + _PER_SIGNAL * signal))
