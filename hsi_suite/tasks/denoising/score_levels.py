"""What denoisers are scored at: noise, qualities of JPEGs, factors; checked without torch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from ...config import config_names, load_tree
from ...data.missing_files import require_data_set
from ...data.public.image_sets import IMAGE_SETS
from ...errors import ConfigError
from ...user_files import require_folder

_TASK = "denoising"
_QUALITIES, _FACTORS = (1, 100), (2, 8)


def check_sigmas(sigmas: Sequence[float]) -> None:
    """Refuse noise that there is not on the scale 0 to 255.

    Raises:
        ConfigError: a value outside it.
    """
    if not all(0 <= sigma <= 255 for sigma in sigmas):
        raise ConfigError("--sigma", f"{[*sigmas]}", "numbers from 0 to 255")


def check_qualities(qualities: Sequence[float]) -> None:
    """Refuse qualities that no JPEG has.

    Raises:
        ConfigError: one is none.
    """
    _check("--jpeg", qualities, _QUALITIES)


def check_factors(factors: Sequence[float]) -> None:
    """Refuse factors by which images are not made smaller.

    Raises:
        ConfigError: one is none.
    """
    _check("--upsample", factors, _FACTORS)


def check_isos(isos: Sequence[float]) -> None:
    """Refuse sensitivities that no camera has.

    Raises:
        ConfigError: one is not above 0, or there is none.
    """
    if not isos or not all(0 < iso < math.inf for iso in isos):
        raise ConfigError("--iso", f"{[*isos]}", "numbers above 0")


def check_images(data: str | Path) -> None:
    """Refuse clean images that are neither a registered set, nor a configuration, nor a folder.

    Raises:
        InputFileError: no such folder.
        ConfigError: a configuration that trains no denoiser, or `HSI_DATA_DIR` names no folder.
    """
    if str(data) in IMAGE_SETS:
        require_data_set(str(data))
    elif str(data) not in config_names():
        require_folder(Path(data), "a folder of images")
    elif load_tree(str(data)).get("task") != _TASK:
        raise ConfigError("--data", f"{data} trains no denoiser", "a configuration that does")


def _check(option: str, levels: Sequence[float], limits: tuple[int, int]) -> None:
    least, most = limits
    for level in levels:
        if level != int(level) or not least <= level <= most:
            raise ConfigError(option, f"{level:g}", f"whole numbers of {least} to {most}")
