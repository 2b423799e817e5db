"""The least that networks can look at, known without loading any.

`tests/test_known_sizes.py` holds the table against the networks themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .inputs import check_bands, check_components, check_image, check_single_pixel, check_window


@dataclass(frozen=True)
class Sizes:
    """What a network needs where its options leave its stages as they are.

    Attributes:
        called: how it calls itself in messages.
        window: the least; None of networks that see a single pixel.
        channels: the least number of bands or components.
        components: whether it speaks of components.
    """

    called: str
    window: int | None
    channels: int = 1
    components: bool = False


_OF_HYBRIDSN = {
    "hybridsn": ("HybridSN", 9),
    "hybridsn_se": ("HybridSNSE", 9),
    "hybridsn_inception": ("HybridSNInception", 11),
    "hybridsn_residual": ("HybridSNResidual", 9),
    "hybridsn_se_residual": ("HybridSNSEResidual", 9),
    "hybridsn_separable": ("HybridSNSeparable", 9),
}
SIZES: Mapping[str, Sizes] = {
    **{name: Sizes(*least, 13, components=True) for name, least in _OF_HYBRIDSN.items()},
    "cnn2d": Sizes("cnn2d", 5),
    "cnn3d": Sizes("cnn3d", 5),
    "m3d_cnn": Sizes("m3d_cnn", 5, 23),
    "ssrn": Sizes("SSRN", 3, 7),
    "cnn1d": Sizes("cnn1d", None, 9),
    "inception_1d": Sizes("Inception1D", None, 16),
    "spectralformer": Sizes("spectralformer", None),
}
"""By the names of networks but the classic ones."""

# Those with a stem for small images, which they have unless options say otherwise.
SMALL_STEMS: Mapping[str, int] = {
    "googlenet": 2,
    **dict.fromkeys(
        (
            "inception_v3",
            "inception_v4",
            "inception_resnet_v1",
            "inception_resnet_v2",
            "se_inception_resnet_v2",
        ),
        7,
    ),
}
"""The least windows of classic networks, by their names; the others take all."""
_OF_STEMS = ("stem", "auxiliary")

# What changes how much is needed.
_OF_STAGES = ("block", "stages")


def require_sizes(name: str, options: Mapping[str, Any], window: int, channels: int | None) -> None:
    """Refuse windows and spectra that are too small for a network of this package.

    What hangs on blocks that were asked for is judged when a network is built.

    Args:
        name: of a model.
        options: its own.
        window: side of the window in pixels.
        channels: bands or components; None where they are not known yet.

    Raises:
        ShapeError: the window or the number of channels is none that it takes.
    """
    if not any(key in options for key in _OF_STEMS):
        check_image(name, window, SMALL_STEMS.get(name, 1))
    sizes = SIZES.get(name)
    if sizes is None or any(key in options for key in _OF_STAGES):
        return
    if channels is not None:
        check = check_components if sizes.components else check_bands
        check(sizes.called, channels, sizes.channels)
    if sizes.window is None:
        check_single_pixel(sizes.called, window)
    else:
        check_window(sizes.called, window, sizes.window)
