"""The weights that ship with the package: safetensors files, each with a model card beside it."""

from __future__ import annotations

from pathlib import Path

from ..errors import UnknownNameError
from ..registry import did_you_mean

#: What `hsi denoise` uses when nothing else is named.
DEFAULT_WEIGHTS = "default_denoiser"
#: What photographs in colour are given to, where their noise is white and as strong in all colours.
COLOUR_WEIGHTS = "colour_denoiser"
#: For photographs with the noise of a camera or scanner.
CAMERA_WEIGHTS = "camera_denoiser"
#: For photographs whose only fault is what JPEG left out.
JPEG_WEIGHTS = "jpeg_denoiser"
_FOLDER = Path(__file__).parent


def shipped_names() -> list[str]:
    """Names of the weights that are there."""
    return sorted(path.stem for path in _FOLDER.glob("*.safetensors"))


def shipped_weights(name: str) -> Path:
    """The file of weights that ship.

    Raises:
        UnknownNameError: no weights of this name ship with this version.
    """
    names = shipped_names()
    if name not in names:
        hint = did_you_mean(name, names, "name a file with --weights", most=1)
        known = f"one of {', '.join(names)}" if names else "none ships with this version"
        raise UnknownNameError("shipped weights", f"no {name!r} among them", known, hint)
    return _FOLDER / f"{name}.safetensors"
