"""Class maps as polygons in a GeoPackage."""

import resource
import sqlite3
from contextlib import closing
from xml.etree import ElementTree

import numpy as np
import pytest

from hsi_suite.data.scene import Georeference
from hsi_suite.errors import OutputError
from hsi_suite.palette import class_colours

rasterio = pytest.importorskip("rasterio")
pyogrio = pytest.importorskip("pyogrio")
shapely = pytest.importorskip("shapely")

from rasterio.features import rasterize, shapes  # noqa: E402

from hsi_suite.data.formats.geopackage_writer import write_geopackage  # noqa: E402
from hsi_suite.data.map_polygons import map_polygons  # noqa: E402

NAMES = ("Corn, no till", 'Woods & "meadow\'s" <edge>', "\u00d8l\u0007")
UTM = Georeference("EPSG:32633", (30.0, 0, 364095.0, 0, -30.0, 5809965.0))


def noise(lines, samples, classes=3, seed=0, low=0):
    return np.random.default_rng(seed).integers(low, classes + 1, (lines, samples)).astype("u1")


def in_strips(labels, height):
    return (labels[first : first + height] for first in range(0, len(labels), height))


def whole_polygons(labels):
    """What rasterio makes of the whole map."""
    found = shapes(labels, mask=labels > 0, connectivity=4)
    return [(int(value), shapely.geometry.shape(shape)) for shape, value in found]


def keyed(regions):
    """Regions in one order, corners on straight edges left out."""
    return sorted(
        (label, shapely.normalize(shapely.simplify(polygon, 0)).wkt) for label, polygon in regions
    )


@pytest.mark.parametrize("height", [1, 2, 5, 40])
def test_strips_give_the_polygons_of_the_whole(height):
    spiral = np.ones((9, 9), np.uint8)
    spiral[1, 1:] = spiral[1:8, 1] = spiral[7, 1:8] = spiral[3:7, 7] = spiral[3, 3:7] = 2
    spiral[3:6, 3] = spiral[5, 3:6] = 2
    ring = np.full((7, 7), 1, np.uint8)
    ring[1:-1, 1:-1], ring[2:-2, 2:-2], ring[3, 3] = 2, 0, 3
    maps = [spiral, ring, noise(1, 1, low=1), noise(7, 1), noise(1, 9), np.zeros((4, 5), np.uint8)]
    maps += [noise(17, 13, classes, seed) for seed in range(4) for classes in (1, 2, 4)]
    for labels in maps:
        found = list(map_polygons(in_strips(labels, height)))
        assert keyed(found) == keyed(whole_polygons(labels))
        assert all(polygon.is_valid for _, polygon in found)


def read(path):
    about, _, shapes_, columns = pyogrio.raw.read(path, layer="map")
    fields = dict(zip(about["fields"], columns, strict=True))
    return about, shapely.from_wkb(shapes_), fields


@pytest.mark.parametrize(
    "place",
    [
        UTM,
        Georeference("EPSG:32633", (20.0, 5.0, 364095.0, 4.0, -25.0, 5809965.0)),
        Georeference("EPSG:4326", (0.001, 0, 13.0, 0, -0.001, 52.0)),
        Georeference("EPSG:3035", (30.0, 0, 4.5e6, 0, -30.0, 3.2e6)),
        Georeference(None, (30.0, 0, 364095.0, 0, -30.0, 5809965.0)),
        None,
    ],
)
def test_rasterised_again_it_is_the_map(tmp_path, place):
    labels = noise(40, 30, seed=2)
    path = tmp_path / "map.gpkg"
    count = write_geopackage(
        path, map_polygons(in_strips(labels, 7)), NAMES, class_colours(3), place
    )
    about, polygons, fields = read(path)
    transform = rasterio.Affine.identity() if place is None else rasterio.Affine(*place.transform)
    again = rasterize(
        zip(polygons, fields["class"], strict=True), labels.shape, transform=transform, dtype="u1"
    )
    np.testing.assert_array_equal(again, labels)
    assert len(polygons) == count == len(whole_polygons(labels))
    assert all(
        NAMES[k - 1] == name for k, name in zip(fields["class"], fields["name"], strict=True)
    )
    assert fields["pixels"].sum() == (labels > 0).sum()
    if place is None or place.crs is None:
        assert about["crs"] is None and "area_m2" not in fields
        return
    assert about["crs"] == place.crs
    if place.crs != "EPSG:4326":
        np.testing.assert_allclose(fields["area_m2"], shapely.area(polygons), rtol=1e-9)
    else:
        # 0.001° of latitude are 111.26 m there, of longitude 68.68 m.
        np.testing.assert_allclose(fields["area_m2"] / fields["pixels"], 7643, rtol=2e-3)


def test_equal_maps_give_equal_files_and_batches_do_not_show(tmp_path, monkeypatch):
    from hsi_suite.data.formats import geopackage_writer

    labels = noise(30, 30)
    for name, size in (("a", 20_000), ("b", 20_000), ("c", 7)):
        monkeypatch.setattr(geopackage_writer, "_BATCH", size)
        write_geopackage(
            tmp_path / f"{name}.gpkg", map_polygons([labels]), NAMES, class_colours(3), UTM
        )
    assert (tmp_path / "a.gpkg").read_bytes() == (tmp_path / "b.gpkg").read_bytes()
    one, many = (read(tmp_path / f"{name}.gpkg") for name in "ac")
    assert (one[1] == many[1]).all() and (one[2]["class"] == many[2]["class"]).all()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.gpkg", "b.gpkg", "c.gpkg"]


# The columns of the table as QGIS makes it, in its order.
STYLE_COLUMNS = [
    "id", "f_table_catalog", "f_table_schema", "f_table_name", "f_geometry_column", "styleName",
    "styleQML", "styleSLD", "useAsDefault", "description", "owner", "ui", "update_time",
]  # fmt: skip


def test_qgis_finds_a_style_for_the_layer(tmp_path):
    path = tmp_path / "map.gpkg"
    colours = class_colours(3)
    write_geopackage(path, map_polygons([noise(9, 9)]), NAMES, colours, UTM, "filtered")
    with closing(sqlite3.connect(path)) as database:
        columns = [row[1] for row in database.execute("PRAGMA table_info(layer_styles)")]
        # How QGIS asks for a layer's style.
        found = database.execute(
            "SELECT styleQML FROM layer_styles WHERE f_table_schema = '' AND f_table_name = 'map' "
            "AND f_geometry_column = 'geom' ORDER BY CASE WHEN useAsDefault THEN 1 ELSE 2 END"
        ).fetchall()
        kinds = dict(database.execute("SELECT table_name, data_type FROM gpkg_contents"))
        told = database.execute(
            "SELECT description FROM gpkg_contents WHERE table_name = 'map'"
        ).fetchone()
    assert columns == STYLE_COLUMNS and len(found) == 1 and told == ("filtered",)
    assert kinds == {"map": "features", "layer_styles": "attributes"}
    style = ElementTree.fromstring(found[0][0])
    renderer = style.find("renderer-v2")
    assert renderer.get("type") == "categorizedSymbol" and renderer.get("attr") == "class"
    symbols = {symbol.get("name"): symbol for symbol in renderer.iterfind("symbols/symbol")}
    categories = renderer.findall("categories/category")
    assert [category.get("value") for category in categories] == ["1", "2", "3"]
    assert [category.get("label") for category in categories][:2] == list(NAMES[:2])
    for label, category in enumerate(categories, 1):
        symbol = symbols[category.get("symbol")]
        assert symbol.get("type") == "fill" and symbol.find("layer").get("class") == "SimpleFill"
        option = symbol.find("layer/Option/Option[@name='color']").get("value")
        assert option == symbol.find("layer/prop[@k='color']").get("v")
        assert option == ",".join(map(str, [*colours[label], 255]))


@pytest.mark.parametrize("share", [0.02, 0.3, 0.7, 0.98])
def test_a_full_disk_leaves_nothing(tmp_path, capfd, share):
    labels, path = noise(60, 60), tmp_path / "map.gpkg"
    write_geopackage(path, map_polygons([labels]), NAMES, class_colours(3), UTM)
    whole = path.read_bytes()
    _, hard = both = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(share * len(whole)), hard))
    try:
        with pytest.raises(OutputError, match=r"map\.gpkg: cannot be written"):
            write_geopackage(path, map_polygons([labels]), NAMES, class_colours(3), UTM)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, both)
    assert path.read_bytes() == whole and not capfd.readouterr().err
    assert [item.name for item in tmp_path.iterdir()] == ["map.gpkg"]


def test_an_unwritable_place(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="file"):
        write_geopackage(
            tmp_path / "file" / "m.gpkg", map_polygons([noise(3, 3)]), NAMES, class_colours(3), UTM
        )


def test_what_goes_wrong_on_the_way_leaves_nothing(tmp_path):
    def broken():
        yield from list(map_polygons([noise(20, 20)]))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_geopackage(tmp_path / "m.gpkg", broken(), NAMES, class_colours(3), UTM)
    assert not list(tmp_path.iterdir())


def test_the_polygons_can_be_labels_again(tmp_path):
    from hsi_suite.data.formats.drawn_formats import DrawnFormat
    from hsi_suite.data.formats.vector_files import read_vectors

    labels = noise(20, 20)
    write_geopackage(tmp_path / "m.gpkg", map_polygons([labels]), NAMES, class_colours(3), UTM)
    drawn = read_vectors(tmp_path / "m.gpkg", DrawnFormat.GEOPACKAGE, None)
    assert not drawn.remarks and len(drawn.geometries) == len(whole_polygons(labels))
