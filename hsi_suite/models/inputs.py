"""What the classifiers of windows refuse to take, each in one line."""

from __future__ import annotations

from ..errors import ShapeError


def check_bands(network: str, bands: int, least: int) -> None:
    """Refuse too few bands.

    Raises:
        ShapeError: fewer than `least`.
    """
    if bands < least:
        raise ShapeError(network, f"{bands} bands", f"at least {least}")


def check_window(network: str, window: int, least: int) -> None:
    """Refuse a window without a centre, or one that is used up by the convolutions.

    Raises:
        ShapeError: even, or smaller than `least`.
    """
    if window < least or window % 2 == 0:
        raise ShapeError(
            network,
            f"a window of {window}",
            f"an odd window of at least {least}",
            "change model.window",
        )


def check_components(network: str, components: int, least: int) -> None:
    """Refuse too few principal components.

    Raises:
        ShapeError: fewer than `least`.
    """
    if components < least:
        remedy = "raise reduction.components"
        raise ShapeError(network, f"{components} components", f"at least {least}", remedy)


def check_single_pixel(network: str, window: int) -> None:
    """Refuse windows where a network sees one pixel.

    Raises:
        ShapeError: a window other than 1.
    """
    if window != 1:
        raise ShapeError(
            network,
            f"a window of {window}",
            "a window of 1: it sees one pixel's spectrum",
            "set model.window=1",
        )


def check_image(name: str, window: int, least: int) -> None:
    """Refuse a window that a classic network cannot halve as often as it does.

    Args:
        name: of the network.
        window: its side in pixels.
        least: the smallest that it takes.

    Raises:
        ShapeError: the window is smaller.
    """
    if window < least:
        remedy = "change model.window or take another model"
        raise ShapeError(name, f"a window of {window}", f"at least {least}", remedy)
