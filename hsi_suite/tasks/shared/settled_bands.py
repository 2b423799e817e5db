"""The cube that a configuration names, and its choice of bands as a run keeps it."""

from __future__ import annotations

from typing import TypeVar

from ...data.band_selection import select_bands, settled
from ...data.readers import CubeFile, open_cube
from ...schemas.scene_data import SceneConfig

_Data = TypeVar("_Data", bound=SceneConfig)


def opened_cube(data: SceneConfig) -> CubeFile:
    """The cube of the scene's file that a configuration names, all its bands."""
    assert data.scene is not None
    return open_cube(
        data.scene,
        variable=data.scene_variable,
        axes=data.axes,
        shape=data.shape,
        nodata=data.nodata,
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
        bad = file.bad_bands
        selection = select_bands(
            data.bands,
            file.shape[2],
            file.wavelengths,
            bad,
            drop_water=data.drop_water,
            name=file.path.name,
        )
    return data.model_copy(update={"bands": settled(selection, data.bands, bad)})
