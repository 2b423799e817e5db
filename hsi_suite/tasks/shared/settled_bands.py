"""The cube that a configuration names, and its choice of bands as a run keeps it."""

from __future__ import annotations

from typing import TypeVar

from ...data.band_selection import BandSelection, select_bands, settled
from ...data.readers import CubeFile, open_cube
from ...schemas.scene_data import SceneConfig

_Data = TypeVar("_Data", bound=SceneConfig)


def opened_cube(data: SceneConfig, scene: str | None = None) -> CubeFile:
    """The cube that a configuration names, all its bands: of its scene, or of one of several."""
    path = scene or data.scene
    assert path is not None
    return open_cube(
        path,
        variable=data.scene_variable,
        axes=data.axes,
        shape=data.shape,
        nodata=data.nodata,
    )


def bands_of(
    data: SceneConfig, file: CubeFile, bad: tuple[int, ...] | None = None
) -> BandSelection | None:
    """The bands of a file that a configuration chooses; None where that is all.

    Args:
        data: chooses.
        file: open.
        bad: bands that are marked as bad; None: those that the file marks.

    Raises:
        ConfigError: the choice does not suit it.
    """
    return select_bands(
        data.bands,
        file.shape[2],
        file.wavelengths,
        file.bad_bands if bad is None else bad,
        drop_water=data.drop_water,
        name=file.path.name,
    )


def with_settled_bands(data: _Data) -> _Data:
    """The section with bands that stay the same: those left out as bad are named by the others.

    What makes no difference to the scene is the default, so that it is no other run.

    Raises:
        InputFileError: the scene cannot be opened.
        ConfigError: the choice does not suit it.
    """
    if data.scene is None:
        return data
    with opened_cube(data) as file:
        bands = settled(bands_of(data, file), data.bands, file.bad_bands)
    return data.model_copy(update={"bands": bands})
