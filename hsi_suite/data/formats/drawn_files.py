"""Files of drawn labels, whatever their format."""

from __future__ import annotations

from pathlib import Path

from ...errors import InputFileError
from .drawn_features import DrawnFeatures, DrawnOptions, refuse_layer, require_geo
from .drawn_formats import DrawnFormat, recognise_drawn
from .envi_rois import read_roi_text, read_roi_xml
from .point_tables import read_point_table
from .vector_files import read_vectors, vector_layers

_WITHOUT_LAYERS = {
    DrawnFormat.TABLE: read_point_table,
    DrawnFormat.ROI_XML: read_roi_xml,
    DrawnFormat.ROI_TEXT: read_roi_text,
}


def read_drawn(path: Path, options: DrawnOptions) -> DrawnFeatures:
    """The features of a file that `recognise_drawn` knows.

    Args:
        path: the file.
        options: of which the layer counts here.

    Raises:
        InputFileError: it is damaged, empty or of another kind, or its layer must be named; or
            the libraries are not installed.
    """
    kind = recognise_drawn(path)
    if kind is None:
        raise InputFileError(path, "holds no points, lines or polygons", "drawn labels")
    require_geo(path)
    if kind in _WITHOUT_LAYERS:
        refuse_layer(path, kind, options.layer)
        return _WITHOUT_LAYERS[kind](path)
    return read_vectors(path, kind, options.layer)


def drawn_layers(path: Path, kind: DrawnFormat) -> list[str | None]:
    """The layers of a file; None for the only one of a format that has no layers.

    Raises:
        InputFileError: it is damaged, or the libraries are not installed.
    """
    require_geo(path)
    return [None] if kind in _WITHOUT_LAYERS else [*vector_layers(path, kind)]
