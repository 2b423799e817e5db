"""The spectrum that is looked for, in the bands and units of a scene."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...data.field_spectra import Units, read_field_spectrum
from ...data.readers import CubeFile
from ...data.spectral_resampling import resample
from ...data.value_scale import declared_scale
from ...errors import ConfigError, InputFileError

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Target:
    """A target spectrum.

    Attributes:
        name: what it is called.
        values: in each band, in the units of the scene; NaN in bands that were not measured.
        remarks: how it was made, a line each.
    """

    name: str
    values: Values
    remarks: tuple[str, ...]


def pixel_target(file: CubeFile, sample: int, line: int) -> Target:
    """The spectrum of a pixel of the scene itself.

    Raises:
        ConfigError: the scene has no such pixel, or it holds no data.
    """
    lines, samples, _ = file.shape
    if not (0 <= line < lines and 0 <= sample < samples):
        raise ConfigError("--at", f"{sample},{line}", f"below {samples},{lines}: sample and line")
    row = file.read(line, line + 1)
    valid = file.valid(row, line)
    values = row[0, sample].astype(np.float64)
    if not np.isfinite(values).all() or (valid is not None and not valid[0, sample]):
        raise ConfigError("--at", f"{sample},{line} holds no data", "a pixel with data")
    return Target(f"pixel {sample},{line}", values, ())


def measured_target(
    file: CubeFile,
    path: str | Path,
    *,
    name: str | None = None,
    units: Units | None = None,
    scale: float | None = None,
) -> Target:
    """A measured spectrum of reflectance, resampled to the scene's bands.

    Args:
        file: the scene; it must have wavelengths.
        path: CSV or other text, or an ENVI spectral library.
        name: which of several spectra.
        units: of its values; None reads them from the file.
        scale: value of the scene that stands for a reflectance of 1; None takes what the scene
            declares.

    Raises:
        InputFileError: the spectrum cannot be read, or does not overlap with the bands.
        ConfigError: the scene has no wavelengths, or nobody says what its values stand for.
    """
    if file.wavelengths is None:
        raise ConfigError(
            "--target",
            f"{file.path.name} has no wavelengths",
            "a scene with wavelengths",
            "take a pixel of the scene as the target: --at SAMPLE,LINE",
        )
    measured = read_field_spectrum(path, name=name, units=units)
    resampled = resample(measured, file.wavelengths)
    values, remark = _in_units_of(file, resampled.values, scale)
    return Target(measured.name, values, (*measured.remarks, resampled.remark, remark))


def _in_units_of(file: CubeFile, reflectance: Values, scale: float | None) -> tuple[Values, str]:
    if scale is not None:
        if not 0 < scale < np.inf:
            raise ConfigError("--scale", f"{scale}", "a number above 0")
        return reflectance * scale, f"multiplied by {scale:g}"
    declared = declared_scale(file)
    if declared is not None:
        gain, offset = np.array(declared.gain), np.array(declared.offset)
        return (reflectance - offset) / gain, "brought to the units that the scene declares"
    middle = file.shape[0] // 2
    values = file.read(middle, middle + 1).astype(np.float64)
    level = float(np.nanmedian(values))
    if not 0 < level <= 1:
        raise InputFileError(
            file.path,
            f"declares no scale, and its values are about {level:.4g}",
            "reflectance from 0 to 1, or a declared scale",
            "say the value of a reflectance of 1 with --scale, such as --scale 10000",
        )
    return reflectance, "the scene's values are taken for reflectance from 0 to 1"
