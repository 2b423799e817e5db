"""A choice of bands as a run's configuration keeps it."""

from __future__ import annotations

from typing import TypeVar

from ...data.band_selection import select_bands, settled
from ...data.readers import open_cube
from ...schemas.classification import SceneConfig

_Data = TypeVar("_Data", bound=SceneConfig)


def with_settled_bands(data: _Data) -> _Data:
    """The section with bands that stay the same: those left out as bad are named by the others.

    What makes no difference to the scene is the default, so that it is no other run.

    Raises:
        InputFileError: the scene cannot be opened.
        ConfigError: the choice does not suit it.
    """
    if data.scene is None:
        return data
    with open_cube(
        data.scene,
        variable=data.scene_variable,
        axes=data.axes,
        shape=data.shape,
        nodata=data.nodata,
    ) as file:
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
