"""A hyperspectral scene: the cube and everything known about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..errors import ShapeError
from ..shown import Rows, Shown
from .band_selection import BandSelection

if TYPE_CHECKING:
    from xarray import DataArray

_RED_GREEN_BLUE = (640.0, 550.0, 460.0)  # nm


@dataclass(frozen=True)
class Georeference:
    """Where a raster lies on the Earth.

    Attributes:
        crs: the coordinate reference system as WKT or "EPSG:n"; None when unknown.
        transform: (a, b, c, d, e, f) with x = a·sample + b·line + c and y = d·sample + e·line + f
            for the upper-left corner of a pixel, in units of the CRS (the affine of GDAL).
        map_info: the fields of ENVI's "map info" as read, so that they are written back unchanged.
    """

    crs: str | None
    transform: tuple[float, float, float, float, float, float]
    map_info: tuple[str, ...] | None = None

    @property
    def counts_pixels(self) -> bool:
        """Whether the coordinates only number the pixels, as those of cameras do."""
        a, b, _, d, e, _ = self.transform
        return self.crs is None and (abs(a), b, d, abs(e)) == (1, 0, 0, 1)


class Shaped(Protocol):
    """An array, or what stands for one that is not in memory."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Lines, samples, bands."""
        ...


CubeT = TypeVar("CubeT", bound=Shaped, covariant=True)


@dataclass(frozen=True, repr=False)
class SceneOf(Shown, Generic[CubeT]):
    """A cube with its labels and descriptions.

    Attributes:
        name: how the scene is called in run folders and reports.
        cube: lines × samples × bands, in the file's own type and units.
        labels: lines × samples, 0 = unlabelled, k = class_names[k - 1]; None without ground truth.
        class_names: one name for each label from 1 on.
        label_features: lines × samples, the number of the drawn feature that labels each pixel,
            from 1 on, 0 where none does; None where labels were not drawn.
        wavelengths: centre of each band in nm; None when unknown.
        fwhm: full width at half maximum of each band in nm; None when unknown.
        selection: which bands of its file these are; None: all.
        georeference: None when unknown.
        companions: further layers of lines × samples (e.g. "height": LiDAR surface height, m).
        valid: lines × samples, False where the pixel holds no data; None when every pixel is good.
        nodata: the value that marked missing pixels in the file; None when there was none.
        false_colour: 0-based bands shown as red, green and blue.
        synthetic: True for generated scenes, which are called so wherever they appear.
        checksums: SHA-256 of what the scene was read from, by file name; part of a run's identity.
        citation: how to cite the scene; "" when unknown.
        remarks: what a user should know of how it was read, a short line each.
        label_remarks: those of them that are of its labels.
        unverified: files of a registered scene whose content no published checksum vouches for.

    Raises:
        ShapeError: the parts do not fit each other.
    """

    name: str
    cube: CubeT
    labels: NDArray[np.integer] | None = None
    class_names: tuple[str, ...] = ()
    label_features: NDArray[np.integer] | None = None
    wavelengths: NDArray[np.float64] | None = None
    georeference: Georeference | None = None
    companions: Mapping[str, NDArray[np.generic]] = field(default_factory=dict)
    valid: NDArray[np.bool_] | None = None
    nodata: float | None = None
    false_colour: tuple[int, int, int] = (0, 0, 0)
    synthetic: bool = False
    checksums: Mapping[str, str] = field(default_factory=dict)
    citation: str = ""
    remarks: tuple[str, ...] = ()
    label_remarks: tuple[str, ...] = ()
    unverified: tuple[str, ...] = ()
    fwhm: NDArray[np.float64] | None = None
    selection: BandSelection | None = None

    def __post_init__(self) -> None:
        if len(self.cube.shape) != 3:
            raise ShapeError(
                self.name, f"a cube of {len(self.cube.shape)} dimensions", "lines × samples × bands"
            )
        layers = {
            "labels": self.labels,
            "features": self.label_features,
            "valid": self.valid,
            **self.companions,
        }
        for what, layer in layers.items():
            if layer is not None and layer.shape != self.cube.shape[:2]:
                raise ShapeError(
                    self.name,
                    f"{what} of {_size(layer.shape)}",
                    f"the cube's lines × samples, {_size(self.cube.shape[:2])}",
                )
        if self.wavelengths is not None and len(self.wavelengths) != self.bands:
            raise ShapeError(
                self.name,
                f"{len(self.wavelengths)} wavelengths",
                f"one for each of {self.bands} bands",
            )
        if self.labels is not None and self.labels.size:
            highest = int(self.labels.max())
            if highest > len(self.class_names):
                raise ShapeError(
                    self.name,
                    f"label {highest} with {len(self.class_names)} class names",
                    "a name for every label",
                )

    def shown(self) -> tuple[str, Rows]:
        """Its size and what is known beside the values."""
        kind = getattr(self.cube, "dtype", "")
        rows = [("cube", f"{_size(self.cube.shape)} (lines × samples × bands) {kind}")]
        if self.wavelengths is not None:
            low, high = self.wavelengths.min(), self.wavelengths.max()
            rows.append(("wavelengths", f"{low:g} to {high:g} nm"))
        if self.labels is not None:
            named = int((self.labels > 0).sum())
            rows.append(("labelled", f"{named:,} pixels of {len(self.class_names)} classes"))
        if self.valid is not None:
            rows.append(("without data", f"{int((~self.valid).sum()):,} pixels"))
        if self.georeference is not None:
            rows.append(("place", (self.georeference.crs or "coordinates without a system")[:60]))
        if self.companions:
            rows.append(("companions", ", ".join(self.companions)))
        if self.unverified:
            rows.append(("unverified", ", ".join(self.unverified)))
        rows += [("remark", remark) for remark in self.remarks]
        return f"Scene {self.name}{' (synthetic)' if self.synthetic else ''}", rows

    @property
    def lines(self) -> int:
        """Number of rows."""
        return int(self.cube.shape[0])

    @property
    def samples(self) -> int:
        """Number of columns."""
        return int(self.cube.shape[1])

    @property
    def bands(self) -> int:
        """Number of spectral channels."""
        return int(self.cube.shape[2])


@dataclass(frozen=True, repr=False)
class Scene(SceneOf[NDArray[np.generic]]):
    """A scene whose cube is in memory; see `SceneOf`."""

    def save(
        self, path: Path | str, labels: Path | str | None = None, *, overwrite: bool = False
    ) -> tuple[Path, ...]:
        """Write the scene as files that every command reads: wavelengths, place and gaps are kept.

        Args:
            path: of the cube: .hdr (ENVI), .tif, .nc (netCDF-4) or .npy, which holds the values
                alone.
            labels: of the map of labels: .tif, .hdr (both with class names and colours), .npy or
                .png; None: it is left out.
            overwrite: whether files that are there may be replaced.

        Returns:
            The files written.

        Raises:
            ConfigError: labels are asked for and the scene has none.
            OutputError: a place cannot be written, or a file is there.
        """
        from .scene_export import export_scene  # it writes scenes, and needs this module

        return export_scene(self, path, labels=labels, overwrite=overwrite).written

    def to_xarray(self) -> DataArray:
        """The scene as an `xarray.DataArray` with everything that is known of it.

        Its dimensions are y, x and wavelength. Coordinates: wavelength and fwhm in nm; band, the
        numbers in the file where not all are used; x and y of the pixels' centres, or xc and yc of
        every pixel of a rotated grid; spatial_ref, as rioxarray has it; labels, valid,
        label_features and companion_NAME where there are such layers. The rest are attributes,
        `_FillValue` among them. The values are not copied.

        Raises:
            ConfigError: xarray is not installed.
        """
        from .scene_arrays import to_data_array  # it makes scenes, and needs this module

        array: DataArray = to_data_array(self)
        return array

    @classmethod
    def from_xarray(
        cls,
        array: DataArray,
        *,
        labels: Any = None,
        class_names: Sequence[str] = (),
        bands: str = "good",
    ) -> Scene:
        """A scene of an `xarray.DataArray`; of one of `to_xarray`, the same scene.

        Args:
            array: dimensions in any order, told by their names (y, x, wavelength and their like).
                Coordinates as in `to_xarray`; wavelengths without units are nm, those up to 100 µm.
                Where coordinates and GeoTransform disagree, as in a part cut out, coordinates hold.
            labels: lines × samples, 0 = unlabelled; None: those of the coordinate "labels".
            class_names: one name for each label from 1 on.
            bands: as `--bands`; "good" leaves out those that a coordinate good_wavelengths,
                good_bands or bbl marks with 0.

        Raises:
            ShapeError: it is no such array, or its parts make no scene.
            ConfigError: fewer names than classes, or a choice of bands that makes no sense.
        """
        from .scene_arrays import from_data_array

        return from_data_array(array, labels, class_names, bands)


def _size(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape))


def nearest_bands(wavelengths: NDArray[np.float64] | None, bands: int) -> tuple[int, int, int]:
    """The 0-based bands for a natural-colour picture.

    Args:
        wavelengths: band centres in nm, or None.
        bands: number of bands; without wavelengths the bands at 3/4, 1/2 and 1/4 are taken.
    """
    if wavelengths is None:
        red, green, blue = (min(bands - 1, bands * k // 4) for k in (3, 2, 1))
    else:
        red, green, blue = (int(np.abs(wavelengths - t).argmin()) for t in _RED_GREEN_BLUE)
    return red, green, blue


def check_window(key: str, window: int, lines: int, samples: int, name: str = "") -> None:
    """Refuse a window that is larger than the scene.

    Args:
        key: the key that gives the window.
        window: its side in pixels.
        lines: of the scene.
        samples: of the scene.
        name: of the scene, where there are several.

    Raises:
        ShapeError: it is.
    """
    if window > min(lines, samples):
        scene = f"the scene {name}" if name else "a scene"
        raise ShapeError(
            key,
            f"a window of {window} in {scene} of {lines} × {samples} pixels",
            "a window no larger than the scene",
            f"lower {key}",
        )
