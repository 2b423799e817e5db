"""Labels drawn over a small scene, written in every format that is read."""

import zipfile

import numpy as np
import shapely
from pyogrio import raw
from rasterio.warp import transform

from hsi_suite.data.formats.tiff_writer import write_layers_tiff
from hsi_suite.data.scene import Georeference

SIZE, EAST, NORTH = 30.0, 364095.0, 5809965.0
CRS = "EPSG:32633"
LINES, SAMPLES = 24, 30
PLACE = Georeference(CRS, (SIZE, 0.0, EAST, 0.0, -SIZE, NORTH))
# Format: name of the file, driver, reference system.
FORMATS = {
    "GeoPackage": ("drawn.gpkg", "GPKG", CRS),
    "GeoJSON": ("drawn.geojson", "GeoJSON", "EPSG:4326"),
    "Shapefile": ("drawn.shp", "ESRI Shapefile", "EPSG:3857"),
    "zipped Shapefile": ("drawn.zip", "ESRI Shapefile", "EPSG:25833"),
    "KML": ("drawn.kml", "KML", "EPSG:4326"),
    "FlatGeobuf": ("drawn.fgb", "FlatGeobuf", "EPSG:3035"),
}


def write_scene(path, place=PLACE, bands=4):
    rng = np.random.default_rng(5)
    cube = rng.random((LINES, SAMPLES, bands), np.float32)
    write_layers_tiff(path, cube, [f"band {band}" for band in range(bands)], place, None)
    return path


def at(shape, place=PLACE):
    """A shape given by samples and lines, in the coordinates of the scene."""
    a, b, c, d, e, f = place.transform

    def move(xy):
        return np.stack([a * xy[:, 0] + b * xy[:, 1] + c, d * xy[:, 0] + e * xy[:, 1] + f], 1)

    return shapely.transform(shape, move)


def in_system(shape, crs, own=CRS):
    return shapely.transform(shape, lambda xy: np.stack(transform(own, crs, *xy.T), 1))


def drawn_shapes():
    """Polygons with a hole, of several parts, slanted ones; and their classes."""
    shapes = [
        shapely.Polygon(
            [(1.2, 1.3), (9.4, 2.1), (7.7, 8.8), (2.3, 7.4)], [[(4, 4), (6, 4), (5, 6)]]
        ),
        shapely.MultiPolygon(
            [shapely.box(12.1, 1.2, 15.3, 4.4), shapely.box(17.2, 2.1, 19.8, 5.7)]
        ),
        shapely.Polygon([(3.1, 12.2), (14.6, 11.1), (8.8, 20.3)]),
        shapely.Point(22.3, 14.2).buffer(4.1),
        shapely.box(23.1, 1.4, 27.7, 7.9),
    ]
    return shapes, ["tree", "roof", "low vegetation", "tree", "roof"]


def write_drawn(path, shapes, fields, driver="GPKG", crs=CRS, **options):
    """A vector file of shapes in the coordinates of `crs`, in that order; it may be zipped."""
    columns = [np.array(values, dtype=object if isinstance(values[0], str | None) else None)
               for values in fields.values()]  # fmt: skip
    shapes = np.array([None, *shapes], dtype=object)[1:]
    if driver == "FlatGeobuf":  # an index would change the order of the features
        options["layer_options"] = {"SPATIAL_INDEX": "NO"}
    target = path.with_suffix(".shp") if path.suffix == ".zip" else path
    kinds = {shape.geom_type for shape in shapes if shape is not None}
    plain = {kind.removeprefix("Multi") for kind in kinds}
    kind = plain.pop() if len(plain) == 1 else "Unknown"
    if any(each.startswith("Multi") for each in kinds) and driver in ("GPKG", "FlatGeobuf"):
        kind = f"Multi{kind}" if kinds == {f"Multi{kind}"} else "Unknown"
    raw.write(
        target, shapely.to_wkb(shapes, output_dimension=3), columns, list(fields),
        driver=driver, crs=crs, geometry_type=options.pop("kind", kind), **options,
    )  # fmt: skip
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            for side in path.parent.glob(f"{path.stem}.*"):
                if side.suffix in (".shp", ".shx", ".dbf", ".prj", ".cpg"):
                    archive.write(side, f"folder/{side.name}")
                    side.unlink()
    return path


def write_format(folder, kind):
    """The drawn shapes in a format of `FORMATS`."""
    name, driver, crs = FORMATS[kind]
    shapes, classes = drawn_shapes()
    placed = [in_system(at(shape), crs) for shape in shapes]
    numbers = [10 * (classes.index(each) + 1) for each in classes]
    return write_drawn(folder / name, placed, {"class": classes, "number": numbers}, driver, crs)


def roi_xml(crs, shapes):
    """ENVI's XML of regions: (name, list of coordinates of polygons)."""
    regions = "".join(
        f'<Region name="{name}" color="0,255,0"><GeometryDef><CoordSysStr>{crs}</CoordSysStr>'
        + "".join(
            "<Polygon><Exterior><LinearRing><Coordinates>\n"
            + " ".join(f"{x!r} {y!r}" for x, y in np.asarray(ring).tolist())
            + "\n</Coordinates></LinearRing></Exterior></Polygon>"
            for ring in rings
        )
        + "</GeometryDef></Region>"
        for name, rings in shapes
    )
    root = f'<RegionsOfInterest version="1.1">{regions}</RegionsOfInterest>'
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{root}\n'


def roi_text(regions):
    """ENVI Classic's text of regions: (name, lines and samples from 0)."""
    head = "; ENVI Output of ROIs (5.3) [Thu Nov 26 10:00:00 2026]\n"
    head += f"; Number of ROIs: {len(regions)}\n; File Dimension: {SAMPLES} x {LINES}\n;\n"
    for name, places in regions:
        head += (
            f"; ROI name: {name}\n; ROI rgb value: {{255, 0, 0}}\n; ROI npts: {len(places)}\n;\n"
        )
    text = head + ";   ID     X     Y   Map X  Map Y\n"
    for _, places in regions:
        for number, (line, sample) in enumerate(places, 1):
            text += f"{number:6} {sample + 1:5} {line + 1:5}  0.00  0.00\n"
        text += "\n"
    return text
