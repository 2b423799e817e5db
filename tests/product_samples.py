"""Files in the layouts of satellite and airborne products, small and at their true names.

No real file is at hand: they are built from the public layout (docs/how_to/products.md names the
sources).
"""

import warnings
from dataclasses import dataclass, replace
from pathlib import Path

import h5py
import numpy as np
import rasterio
from file_samples import write_envi

LINES, SAMPLES = 11, 8
UTM = rasterio.Affine(30, 0, 600015.0, 0, -30, 5800025.0)
# EnMAP's detectors overlap, so that the order of the bands and of the wavelengths differ.
VNIR_CENTRES = (423.03, 550.6, 700.2, 902.25, 993.34)
SWIR_CENTRES = (901.9, 935.27, 1240.5, 1700.8, 2200.6, 2438.6)


def swath(x=12.5, y=41.25, step=3e-4) -> np.ndarray:
    """x and y of the pixels of a swath that is turned and bent."""
    lines, samples = np.mgrid[:LINES, :SAMPLES].astype(float)
    return np.stack(
        [
            x + step * (samples + 0.2 * lines + 0.01 * samples**2),
            y - step * (lines - 0.1 * samples),
        ],
        axis=2,
    )


def made(shape, dtype="int16", low=1, high=9000, seed=5) -> np.ndarray:
    return np.random.default_rng(seed).integers(low, high, shape).astype(dtype)


def write_tiff(path: Path, cube: np.ndarray, *, georeferenced=True, nodata=None, **profile):
    """As the providers do: bands in planes, compressed, tagged by GDAL."""
    place = {"crs": "EPSG:32633", "transform": UTM} if georeferenced else {}
    lines, samples, bands = cube.shape
    with warnings.catch_warnings(action="ignore"), rasterio.open(
        path, "w", driver="GTiff", height=lines, width=samples, count=bands, dtype=cube.dtype,
        nodata=nodata, **place, **profile,
    ) as file:  # fmt: skip
        file.write(cube.transpose(2, 0, 1))


ENMAP = "ENMAP01-____L2A-DT0000001867_20220724T104526Z_008_V010302_20230628T165614Z"


def enmap_xml(
    level: str,
    centres,
    *,
    gains=1e-4,
    offsets=0.0,
    names=(),
    dead=(),
    version="010302",
    schema="00.02.00",
    background=-32768,
) -> str:
    gains, offsets = (np.broadcast_to(each, len(centres)) for each in (gains, offsets))
    bands = "".join(
        f'<bandID number="{number}"><wavelengthCenterOfBand>{centre}</wavelengthCenterOfBand>'
        f"<FWHMOfBand>{6 + number / 8}</FWHMOfBand><GainOfBand>{gain}</GainOfBand>"
        f"<OffsetOfBand>{offset}</OffsetOfBand></bandID>\n"
        for number, (centre, gain, offset) in enumerate(
            zip(centres, gains, offsets, strict=True), 1
        )
    )
    statistics = "".join(
        f'<bandID number="{number}"><mean>{-1000000 if number in dead else 812.5}</mean>'
        f"<stdDeviation>{0 if number in dead else 95.2}</stdDeviation></bandID>\n"
        for number in range(1, len(centres) + 1)
    )
    images = "".join(f"<{part}><name>{name}</name></{part}>" for part, name in names)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<level_X xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">\n'
        f"<metadata><schema><versionSchema>{schema}</versionSchema></schema></metadata>\n"
        f"<base><level>{level}</level><revision>{version}</revision></base>\n"
        f"<specific><backgroundValue>{background}</backgroundValue>\n"
        f"<bandCharacterisation>\n{bands}</bandCharacterisation></specific>\n"
        f"<product><image>{images}</image><bandStatistics>{statistics}</bandStatistics></product>\n"
        "</level_X>\n"
    )


@dataclass
class Written:
    """What a product was written with, as it has to be read.

    Attributes:
        path: what a user names.
        title: name and level.
        unit: of the values once they are scaled.
        values: lines × samples × bands, as stored.
        centres: of the bands in nm.
        widths: of the bands in nm.
        gains: of each band, and offsets.
        place: transform of the grid and reference system; None: there is none.
        valid: lines × samples; None: every pixel.
        bad: numbers of bad bands from 0.
        parts: files that hold the product's values.
        places: x and y of each pixel, and their reference system; None: a grid, or nothing.
    """

    path: Path
    title: str
    unit: str
    values: np.ndarray
    centres: np.ndarray
    widths: np.ndarray
    gains: np.ndarray | None = None
    offsets: np.ndarray | None = None
    place: tuple[tuple[float, ...], str] | None = None
    valid: np.ndarray | None = None
    bad: tuple[int, ...] = ()
    parts: tuple[Path, ...] = ()
    places: tuple[np.ndarray, str] | None = None


def write_enmap(folder: Path, level="L2A", **xml) -> Written:
    """A product in one folder."""
    stem = ENMAP.replace("L2A", level)
    metadata = folder / f"{stem}-METADATA.XML"
    centres = np.array(VNIR_CENTRES + SWIR_CENTRES)
    steps = np.arange(len(centres))
    widths = 6 + (steps + 1) / 8
    radiance = {"gains": 1e-5 + 1e-6 * steps, "offsets": -1e-3 * steps, "background": 0}
    if level == "L1B":
        cubes = {
            "vnir": made((LINES, SAMPLES, len(VNIR_CENTRES)), "uint16", seed=6),
            "swir": made((LINES, SAMPLES, len(SWIR_CENTRES)), "uint16", seed=7),
        }
        names = [(d, f"{stem}-SPECTRAL_IMAGE_{d.upper()}.TIF") for d in cubes]
        for detector, name in names:
            write_tiff(folder / name, cubes[detector], georeferenced=False)
        metadata.write_text(enmap_xml(level, centres, names=names, **(radiance | xml)))
        order = np.argsort(centres)
        return Written(
            metadata, "EnMAP L1B", "W m-2 sr-1 nm-1",
            np.concatenate(list(cubes.values()), axis=2)[..., order], centres[order],
            widths[order], radiance["gains"][order], radiance["offsets"][order],
            parts=tuple(folder / name for _, name in names),
        )  # fmt: skip
    cube, dead = made((LINES, SAMPLES, len(centres))), (3,) if level == "L2A" else ()
    cube[:2, :3] = -32768
    cube[..., [number - 1 for number in dead]] = -32768
    name = f"{stem}-SPECTRAL_IMAGE.TIF"
    write_tiff(folder / name, cube, nodata=-32768, compress="deflate")
    scale = radiance if level == "L1C" else {}
    metadata.write_text(
        enmap_xml(level, centres, names=[("merge", name)], dead=dead, **(scale | xml))
    )
    classes = np.ones((LINES, SAMPLES, 1), np.uint8)
    classes[-1, 1:] = 3
    write_tiff(folder / f"{stem}-QL_QUALITY_CLASSES.TIF", classes)
    valid = classes[..., 0] != 3
    valid[:2, :3] = False
    unit = "1" if level == "L2A" else "W m-2 sr-1 nm-1"
    return Written(
        metadata, f"EnMAP {level}", unit, cube, centres, widths,
        np.broadcast_to(scale.get("gains", 1e-4), steps.shape),
        np.broadcast_to(scale.get("offsets", 0.0), steps.shape),
        (tuple(UTM)[:6], "EPSG:32633"), valid, tuple(number - 1 for number in dead),
        (folder / name,),
    )  # fmt: skip


PRISMA_PIXELS = {"vnir": (998.2, 960.1, 700.4, 410.7, 0.0), "swir": (0.0, 2490.2, 1650.5, 943.3)}


def write_prisma(folder: Path, level="L2D", flags=True) -> Written:
    """An .he5 file: lines × bands × samples, wavelengths falling, bands that were not acquired."""
    path = folder / f"PRS_{level}_STD_20201107101404_20201107101408_0001.he5"
    group = f"HDFEOS/SWATHS/PRS_{level}_HCO"
    first = level == "L1"
    parts = []
    with h5py.File(path, "w") as file:
        file.attrs["Processing_Level"] = np.bytes_(level[1:])
        file.attrs["Processor_Version"] = np.bytes_("02.05")
        file.attrs["Product_StartTime"] = np.bytes_("2020-11-07T10:14:04.116")
        for seed, (detector, centres) in enumerate(PRISMA_PIXELS.items()):
            stored = made((LINES, len(centres), SAMPLES), "uint16", seed=seed)
            stored[:2, :, :3] = 0
            if first:
                stored[5, 2] = 0  # a radiance as small as that
            called, upper = detector.capitalize(), detector.upper()
            widths = np.where(np.array(centres) > 0, 9.5 + np.arange(len(centres)), 0)
            file[f"{group}/Data Fields/{upper}_Cube"] = stored
            file.attrs[f"List_Cw_{called}"] = np.float32(centres)
            file.attrs[f"List_Fwhm_{called}"] = np.float32(widths)
            file.attrs[f"List_Cw_{called}_Flags"] = np.int32(np.array(centres) > 0)
            if first:
                file.attrs[f"ScaleFactor_{called}"] = np.float32(100)
                file.attrs[f"Offset_{called}"] = np.float32(0.25 * seed)
                gain, offset = 0.01, -0.25 * seed
            else:
                file.attrs[f"L2Scale{called}Min"] = np.float32(0.125 * seed)
                file.attrs[f"L2Scale{called}Max"] = np.float32(1.5)
                gain, offset = (1.5 - 0.125 * seed) / 65535, 0.125 * seed
            if flags:
                matrix = np.zeros(stored.shape, np.uint8)
                matrix[7, :, 4] = 2 if first else 1  # a pixel without a good value
                matrix[8, 1, 5] = 3 if first else 1  # one value
                matrix[8, 1, 6] = 1 if first else 4  # saturated
                name = f"{upper}_PIXEL_{'SAT' if first else 'L2'}_ERR_MATRIX"
                file[f"{group}/Data Fields/{name}"] = matrix
                stored = np.where(matrix == (2 if first else 1), 65535 if first else 0, stored)
                stored = np.where(matrix == (3 if first else 1), 65535 if first else 0, stored)
            kept = np.array(centres) > 0
            parts.append((stored.transpose(0, 2, 1)[..., kept], np.float32(centres)[kept],
                          widths[kept], [gain] * kept.sum(), [offset] * kept.sum()))  # fmt: skip
        sides = ("_VNIR", "_SWIR") if first else ("",)
        for side in sides:
            shift = 1e-3 * (side == "_SWIR")
            file[f"{group}/Geolocation Fields/Latitude{side}"] = swath()[..., 1] + shift
            file[f"{group}/Geolocation Fields/Longitude{side}"] = swath()[..., 0] + shift
        if level == "L2D":
            left, top = 600000.0, 4500000.0
            file.attrs["Epsg_Code"] = np.int32(32633)
            for corner, x, y in (("UL", 0, 0), ("UR", 1, 0), ("LL", 0, 1), ("LR", 1, 1)):
                file.attrs[f"Product_{corner}corner_easting"] = left + 30 * x * (SAMPLES - 1)
                file.attrs[f"Product_{corner}corner_northing"] = top - 30 * y * (LINES - 1)
    values, centres, widths, gains, offsets = (
        np.concatenate(each, axis=-1) for each in zip(*parts, strict=True)
    )
    order = np.argsort(centres)
    values = values[..., order].astype("uint16")
    if first:
        values[~values.any(axis=2)] = 65535
    valid = np.ones((LINES, SAMPLES), bool)
    valid[:2, :3] = False
    if flags:
        valid[7, 4] = False
    reflectance = level in ("L2C", "L2D")
    place = (30.0, 0.0, 600000.0 - 15, 0.0, -30.0, 4500000.0 + 15)
    return Written(
        path, f"PRISMA {level}", "1" if reflectance else "W m-2 sr-1 um-1", values,
        centres[order].astype(float), widths[order], gains[order], offsets[order],
        (place, "EPSG:32633") if level == "L2D" else None, valid, (), (path,),
        None if level == "L2D" else (swath(), "EPSG:4326"),
    )  # fmt: skip


EMIT_CENTRES = np.float32([381.006, 388.409, 1350.2, 1400.8, 2200.4, 2492.9])


def write_emit_mask(path: Path, clouds=(), names=("Cirrus flag", "Cloud Flag", "Spacecraft Flag")):
    """The file of flags beside EMIT's products, with cirrus in every pixel."""
    layers = np.zeros((LINES, SAMPLES, len(names)), "float32")
    layers[..., 0] = 1
    for place in clouds:
        layers[(*place, 1)] = 1
    with h5py.File(path, "w") as file:
        file["mask"] = layers
        file["sensor_band_parameters/mask_bands"] = np.array(names, dtype="S20")


def write_emit_with_mask(folder: Path) -> Written:
    """As `write_emit`, and its mask with one cloud."""
    written, cloud = write_emit(folder), (6, 3)
    write_emit_mask(folder / written.path.name.replace("RFL", "MASK"), [cloud])
    with h5py.File(written.path, locking=False) as file:
        line, sample = (file[f"location/glt_{axis}"][()] - 1 for axis in "yx")
    return replace(written, valid=written.valid & ~((line == cloud[0]) & (sample == cloud[1])))


def write_emit(folder: Path, name="reflectance", ortho=True) -> Written:
    """A netCDF-4 file with a lookup table of a swath that lies askew on the map."""
    level = {"reflectance": "L2A_RFL", "radiance": "L1B_RAD"}[name]
    path = folder / f"EMIT_{level}_001_20230316T045133_2307503_005.nc"
    values = np.random.default_rng(9).random((LINES, SAMPLES, 6)).astype("float32")
    values[3, 4] = -9999
    widths = np.float32(8.4 + np.arange(6) / 10)
    good = np.float32([1, 1, 0, 0, 1, 1])
    rows, columns = np.indices((15, 13))
    # Turned by some 30 degrees, and some pixels twice.
    glt_y = np.rint(rows * 0.8 + columns * 0.4 - 3).astype("int32")
    glt_x = np.rint(columns * 0.8 - rows * 0.4 + 2).astype("int32")
    outside = (glt_y < 1) | (glt_y > LINES) | (glt_x < 1) | (glt_x > SAMPLES)
    glt_y[outside] = glt_x[outside] = 0
    step = 0.000542232520256
    with h5py.File(path, "w") as file:
        # netCDF's library writes texts of a fixed length.
        texts = {
            "instrument": "EMIT", "product_version": "V001",
            "time_coverage_start": "2023-03-16T04:51:33+0000",
            "spatial_ref": rasterio.CRS.from_epsg(4326).to_wkt(),
        }  # fmt: skip
        file.attrs.update({key: np.bytes_(text) for key, text in texts.items()})
        file.attrs["geotransform"] = np.array([76.25, step, 0.0, 31.5, 0.0, -step])
        data = file.create_dataset(name, data=values, chunks=(4, 4, 6), fillvalue=-9999)
        data.attrs["_FillValue"] = np.float32([-9999])
        units = {"reflectance": "unitless", "radiance": "uW/cm^2/SR/nm"}[name]
        data.attrs["units"] = np.bytes_(units)
        for key, each in (("wavelengths", EMIT_CENTRES), ("fwhm", widths)):
            file[f"sensor_band_parameters/{key}"] = each
            file[f"sensor_band_parameters/{key}"].attrs["units"] = np.bytes_("nm")
        file["sensor_band_parameters/good_wavelengths"] = good
        for key, axis in (("lon", 0), ("lat", 1)):
            file[f"location/{key}"] = swath(76.25, 31.5)[..., axis]
        if ortho:
            file["location/glt_x"], file["location/glt_y"] = glt_x, glt_y
            for key in ("glt_x", "glt_y"):
                file[f"location/{key}"].attrs["_FillValue"] = np.int32([-9999])
    title = {"reflectance": "EMIT L2A", "radiance": "EMIT L1B"}[name]
    unit = {"reflectance": "1", "radiance": "uW cm-2 sr-1 nm-1"}[name]
    seen, place = values, None
    if ortho:
        seen = np.full((*glt_x.shape, 6), -9999, "float32")
        for row, column in np.argwhere(~outside):
            seen[row, column] = values[glt_y[row, column] - 1, glt_x[row, column] - 1]
        place = ((step, 0.0, 76.25, 0.0, -step, 31.5), "EPSG:4326")
    return Written(
        path, title, unit, seen, EMIT_CENTRES.astype(float), widths.astype(float), place=place,
        valid=seen[..., 0] != -9999, bad=(2, 3), parts=(path,),
        places=None if ortho else (swath(76.25, 31.5), "EPSG:4326"),
    )  # fmt: skip


def write_tanager(folder: Path, kind="ortho", name="surface_reflectance") -> Written:
    """An HDF-EOS5 file: bands × lines × samples, its facts in attributes."""
    part = {"surface_reflectance": "sr", "toa_radiance": "radiance"}[name]
    path = folder / f"20250504_092952_87_4001_{kind}_{part}_hdf5.h5"
    group = f"HDFEOS/{'GRIDS' if kind == 'ortho' else 'SWATHS'}/HYP"
    centres = np.float64([376.44, 381.45, 1350.2, 1955.1, 2499.13])
    widths = np.float64([5.38, 5.4, 6.1, 6.2, 6.78])
    values = np.random.default_rng(8).random((5, LINES, SAMPLES)).astype("float32")
    values[:, 0, :4] = -9999
    nothing = np.zeros((LINES, SAMPLES), np.uint8)
    nothing[0, :4], nothing[9, 2], nothing[9, 3] = 1, 1, 255
    cloud = np.zeros((LINES, SAMPLES), np.uint8)
    cloud[4] = 1
    with h5py.File(path, "w") as file:
        data = file.create_dataset(
            f"{group}/Data Fields/{name}", data=values, chunks=(2, 4, 5), compression="gzip"
        )
        data.attrs["wavelengths"], data.attrs["fwhm"] = centres, widths
        data.attrs["wavelengths_units"] = data.attrs["fwhm_units"] = np.bytes_("nm")
        data.attrs["_FillValue"] = np.float32(-9999)
        if name == "surface_reflectance":
            data.attrs["good_wavelengths"] = np.uint8([1, 1, 0, 0, 1])
            file[f"{group}/Data Fields/{name}_uncertainty"] = values
        fields = {"nodata_pixels": nothing, "beta_cloud_mask": cloud, "beta_cirrus_mask": cloud * 0}
        for key, each in fields.items():
            file[f"{group}/Data Fields/{key}"] = each
        if kind == "basic":
            for key, axis in (("Longitude", 0), ("Latitude", 1)):
                file[f"{group}/Geolocation Fields/{key}"] = swath()[..., axis]
        else:
            file[group].attrs["epsg_code"] = np.int64(32611)
        corners = (400020.0, 3800010.0, 400020.0 + 30 * SAMPLES, 3800010.0 - 30 * LINES)
        file["HDFEOS INFORMATION/StructMetadata.0"] = np.bytes_(
            "GROUP=SwathStructure\nEND_GROUP=SwathStructure\nGROUP=GridStructure\n\tGROUP=GRID_1\n"
            f'\t\tGridName="HYP"\n\t\tXDim={SAMPLES}\n\t\tYDim={LINES}\n'
            f"\t\tUpperLeftPointMtrs=({corners[0]:.6f},{corners[1]:.6f})\n"
            f"\t\tLowerRightMtrs=({corners[2]:.6f},{corners[3]:.6f})\n"
            "\t\tProjection=HE5_GCTP_UTM\n\t\tZoneCode=11\n\t\tSphereCode=12\n"
            "\t\tGridOrigin=HE5_HDFE_GD_UL\n\tEND_GROUP=GRID_1\nEND_GROUP=GridStructure\nEND\n"
        )
    bad = (2, 3) if name == "surface_reflectance" else ()
    place = ((30.0, 0.0, corners[0], 0.0, -30.0, corners[1]), "EPSG:32611")
    return Written(
        path, f"Tanager {kind}", "1" if bad else "W m-2 sr-1 um-1", values.transpose(1, 2, 0),
        centres, widths, place=place if kind == "ortho" else None, valid=nothing == 0, bad=bad,
        parts=(path,), places=(swath(), "EPSG:4326") if kind == "basic" else None,
    )  # fmt: skip


DESIS = "DESIS-HSI-L2A-DT1203190212_025-20191203T021128-V0210"


def write_desis(folder: Path, level="L2A") -> Written:
    """A product in one folder; its image is interleaved by pixel."""
    stem = DESIS.replace("L2A", level)
    centres = np.array([401.9, 404.3, 550.1, 999.5])
    widths = np.array([2.8, 3.1, 3.4, 3.6])
    steps = np.arange(4)
    gains = np.full(4, 1e-4) if level == "L2A" else 1e-3 * (1 + steps)
    offsets = np.zeros(4) if level == "L2A" else 0.125 * steps
    bands = "".join(
        f"<band><bandNumber>{k + 1}</bandNumber>"
        f"<wavelengthCenterOfBand>{centres[k]}</wavelengthCenterOfBand>"
        f"<wavelengthWidthOfBand>{widths[k]}</wavelengthWidthOfBand>"
        f"<response>0.1,1,0.1</response><wavelengths>1,2,3</wavelengths>"
        f"<gainOfBand>{gains[k]}</gainOfBand><offsetOfBand>{offsets[k]}</offsetOfBand></band>"
        for k in steps[::-1]
    )
    metadata = folder / f"{stem}-METADATA.xml"
    metadata.write_text(
        '<?xml version="1.0" encoding="UTF-8"?>\n<hsi_doc>'
        f"<metadata><name>{stem}-METADATA.xml</name></metadata><base></base>"
        f"<specific><bandCharacterisation>{bands}</bandCharacterisation>"
        "<interiorOrientation><band><bandNumber>1</bandNumber></band></interiorOrientation>"
        "</specific></hsi_doc>\n"
    )
    cube = made((LINES, SAMPLES, 4), seed=11)
    cube[0] = -32768
    image = folder / f"{stem}-SPECTRAL_IMAGE.tif"
    write_tiff(image, cube, nodata=-32768, compress="lzw", interleave="pixel",
               georeferenced=level != "L1B")  # fmt: skip
    valid = np.ones((LINES, SAMPLES), bool)
    valid[0] = False
    return Written(
        metadata, f"DESIS {level}", "1" if level == "L2A" else "mW cm-2 sr-1 um-1", cube, centres,
        widths, gains, offsets, (tuple(UTM)[:6], "EPSG:32633") if level != "L1B" else None, valid,
        (), (image,),
    )  # fmt: skip


def write_aviris(folder: Path, later=True) -> Written:
    """AVIRIS-NG reflectance on a rotated grid, or AVIRIS radiance with its table of gains."""
    centres = np.array([376.86, 381.87, 1353.55, 2500.54])
    widths = np.array([5.57, 5.58, 5.6, 6.09])
    spectrum = (
        "wavelength units = Nanometers\n"
        f"wavelength = {{ {', '.join(map(str, centres))} }}\n"
        f"fwhm = {{ {', '.join(map(str, widths))} }}\n"
    )
    if later:
        path = folder / "ang20170228t170016_rfl_v2p5_img.hdr"
        cube = np.random.default_rng(3).random((LINES, SAMPLES, 4)).astype("float32")
        cube[:, 0] = -9999
        extra = (
            "description = { AVIRIS-NG orthocorrected reflectance ang20170228t170016_v2p5 }\n"
            "map info = { UTM, 1, 1, 606000.5, 4100200.25, 5.1, 5.1, 11, North, WGS-84, "
            "units=Meters, rotation=-23.00000000 }\n"
            "data ignore value = -9999\nbbl = { 1, 1, 0, 1 }\n"
        )
        data = write_envi(path, cube, "bil", extra + spectrum, data_suffix="")
        cos, sin = np.cos(np.radians(-23)), np.sin(np.radians(-23))
        place = (5.1 * cos, 5.1 * sin, 606000.5, 5.1 * sin, -5.1 * cos, 4100200.25)
        return Written(
            path, "AVIRIS-NG L2", "1", cube, centres, widths, place=(place, "EPSG:32611"),
            valid=cube[..., 0] != -9999, bad=(2,), parts=(data,),
        )  # fmt: skip
    path = folder / "f080611t01p00r07rdn_c_sc01_ort_img.hdr"
    cube = made((LINES, SAMPLES, 4), seed=12)
    extra = "description = {AVIRIS calibrated radiance f080611t01p00r07}\nsensor type = AVIRIS\n"
    data = write_envi(path, cube, "bip", extra + spectrum, order=1, data_suffix="")
    factors = (300.0, 300.0, 600.0, 1200.0)
    (folder / "f080611t01p00r07rdn_c.gain").write_text(
        "".join(f"  {factor:.6f}  {channel}\n" for channel, factor in enumerate(factors, 1))
    )
    places = swath(606000.5, 4100200.25, 16.5)
    igm = np.concatenate([places, np.zeros((LINES, SAMPLES, 1))], axis=2)
    system = "map info = { UTM, 1, 1, 0, 0, 1, 1, 11, North, WGS-84, units=Meters }\n"
    name = "f080611t01p00r07rdn_c_igm.hdr"
    write_envi(folder / name, igm, "bsq", system, data_suffix="")
    return Written(
        path, "AVIRIS L1B", "uW cm-2 sr-1 nm-1", cube, centres, widths, 1 / np.array(factors),
        np.zeros(4), parts=(data,), places=(places, "EPSG:32611"),
    )  # fmt: skip


PRODUCTS = (
    {
        f"enmap {level}": lambda folder, level=level: write_enmap(folder, level)
        for level in ("L1B", "L1C", "L2A")
    }
    | {
        f"prisma {level}": lambda folder, level=level: write_prisma(folder, level)
        for level in ("L1", "L2B", "L2C", "L2D")
    }
    | {
        "emit L2A": write_emit,
        "emit L2A and its mask": write_emit_with_mask,
        "emit L1B": lambda folder: write_emit(folder, "radiance"),
        "emit without a table": lambda folder: write_emit(folder, ortho=False),
        "tanager ortho": write_tanager,
        "tanager basic": lambda folder: write_tanager(folder, "basic", "toa_radiance"),
        "desis L1B": lambda folder: write_desis(folder, "L1B"),
        "desis L1C": lambda folder: write_desis(folder, "L1C"),
        "desis L2A": write_desis,
        "aviris next generation": write_aviris,
        "aviris": lambda folder: write_aviris(folder, later=False),
    }
)
