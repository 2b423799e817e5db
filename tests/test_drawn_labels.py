"""Labels as people draw them: vector files, tables of points, regions of interest."""

import json
import sys
import zipfile
from unicodedata import normalize

import drawn_samples as drawn
import numpy as np
import pytest
import shapely
from drawn_samples import CRS, LINES, PLACE, SAMPLES, at, in_system, write_drawn
from rasterio.features import rasterize
from rasterio.transform import Affine

from hsi_suite.data.file_description import describe_file
from hsi_suite.data.formats.drawn_formats import recognise_drawn
from hsi_suite.data.formats.tiff_writer import write_map_tiff
from hsi_suite.data.readers import open_scene, read_scene
from hsi_suite.data.scene import Georeference
from hsi_suite.data.split_files import file_split
from hsi_suite.errors import ConfigError, InputFileError

pytestmark = pytest.mark.stand_in_pictures

NAMES = ("low vegetation", "roof", "tree")


@pytest.fixture
def scene(tmp_path):
    return drawn.write_scene(tmp_path / "scene.tif")


def burnt(shapes, values, place=PLACE, **options):
    """What rasterio's own call gives."""
    return rasterize(
        zip(shapes, values, strict=True), (LINES, SAMPLES), transform=Affine(*place.transform),
        dtype="int32", **options,
    )  # fmt: skip


def squares(count, edge=3, step=4):
    return [at(shapely.box(n * step, n, n * step + edge, n + edge)) for n in range(count)]


@pytest.mark.parametrize("touched", [False, True])
@pytest.mark.parametrize("kind", drawn.FORMATS)
def test_every_format_and_system_is_rasterised_as_rasterio_does(tmp_path, scene, kind, touched):
    path = drawn.write_format(tmp_path, kind)
    read = read_scene(scene, labels=path, labels_field="class", all_touched=touched)
    shapes, classes = drawn.drawn_shapes()
    there = [drawn.in_system(at(shape), drawn.FORMATS[kind][2]) for shape in shapes]
    back = [drawn.in_system(shape, CRS, drawn.FORMATS[kind][2]) for shape in there]
    numbers = [NAMES.index(name) + 1 for name in classes]
    expected = burnt(back, numbers, all_touched=touched)
    np.testing.assert_array_equal(read.labels, expected)
    np.testing.assert_array_equal(
        read.label_features, burnt(back, range(1, 6), all_touched=touched)
    )
    assert read.class_names == NAMES
    assert f"{path.name} on the scene's grid" in read.checksums
    with open_scene(scene, labels=path, labels_field="class", all_touched=touched).cube:
        pass


def test_all_formats_give_one_label_image(tmp_path, scene):
    images = [
        read_scene(scene, labels=drawn.write_format(tmp_path, kind), labels_field="number").labels
        for kind in drawn.FORMATS
    ]
    for image in images[1:]:
        np.testing.assert_array_equal(image, images[0])
    assert set(np.unique(images[0])) == {0, 10, 20, 30}


@pytest.mark.parametrize(
    "place",
    [
        Georeference(CRS, (25.98, 15.0, 364095.0, 15.0, -25.98, 5809965.0)),
        Georeference("EPSG:4326", (3e-4, 0.0, 13.0, 0.0, -3e-4, 52.4)),
        Georeference(CRS, (30.0, 0.0, 364095.0, 0.0, 30.0, 5809965.0)),
    ],
)
def test_rotated_geographic_and_upward_grids(tmp_path, place):
    path = drawn.write_scene(tmp_path / "scene.tif", place)
    shapes, classes = drawn.drawn_shapes()
    placed = [at(shape, place) for shape in shapes]
    gpkg = write_drawn(tmp_path / "d.gpkg", placed, {"class": classes}, crs=place.crs)
    read = read_scene(path, labels=gpkg)
    numbers = [NAMES.index(name) + 1 for name in classes]
    np.testing.assert_array_equal(read.labels, burnt(placed, numbers, place))
    assert np.count_nonzero(read.labels) > 100


@pytest.mark.parametrize(
    ("values", "options", "expected", "names"),
    [
        ([3, 1, 3], {}, [3, 1, 3], ("class 1", "class 2", "class 3")),
        ([3.0, 1.0, 3.0], {}, [3, 1, 3], ("class 1", "class 2", "class 3")),
        (["3", "1", "3"], {}, [3, 1, 3], ("class 1", "class 2", "class 3")),
        (["b", "a", "b"], {}, [2, 1, 2], ("a", "b")),
        (["b", None, "a"], {}, [2, 0, 1], ("a", "b")),
        ([" b", "", "B  c"], {}, [1, 0, 2], ("b", "B c")),
        ([0, 1, 2], {"unlabelled": 0}, [0, 1, 2], ("class 1", "class 2")),
        ([0, 1, 2], {"unlabelled": -1}, [1, 2, 3], ("class 0", "class 1", "class 2")),
        ([-1, 1, 2], {"unlabelled": -1}, [0, 1, 2], ("class 1", "class 2")),
        ([9, 1, 2], {"unlabelled": 9}, [0, 1, 2], ("class 1", "class 2")),
    ],
)
def test_classes_by_number_and_by_name(tmp_path, scene, values, options, expected, names):
    path = write_drawn(tmp_path / "d.gpkg", squares(3), {"kind": values})
    read = read_scene(scene, labels=path, labels_field="kind", **options)
    np.testing.assert_array_equal(read.labels, burnt(squares(3), expected))
    assert read.class_names == names
    assert (read.label_features[read.labels == 0] == 0).all()


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"fid_1": [1, 2, 3], "Class": ["a", "b", "a"]}, "Class"),
        ({"id": [1, 2, 3], "surface": ["a", "b", "a"], "height": [1.5, 2.5, 3.0]}, "surface"),
        ({"label": ["a", "b", "a"], "drawn by": ["me", "you", "me"]}, "label"),
        ({"kind": ["a", "b", "a"], "same": ["x", "x", "x"]}, "kind"),
        ({"kind": ["a", "b", "a"], "drawn by": ["me", "you", "me"]}, None),
    ],
)
def test_the_field_is_found_or_asked_for(tmp_path, scene, fields, found):
    path = write_drawn(tmp_path / "d.gpkg", squares(3), fields)
    if found is None:
        with pytest.raises(InputFileError, match="--labels-field: kind, drawn by"):
            read_scene(scene, labels=path)
    else:
        assert f"in the field {found}" in read_scene(scene, labels=path).remarks[0]


def test_a_list_of_names_gives_their_order(tmp_path, scene):
    path = write_drawn(tmp_path / "d.gpkg", squares(3), {"c": ["b", "a", "b"]})
    names = tmp_path / "names.txt"
    names.write_text("c\nb\na\n")
    read = read_scene(scene, labels=path, class_names=names)
    np.testing.assert_array_equal(read.labels, burnt(squares(3), [2, 3, 2]))
    assert read.class_names == ("c", "b", "a")
    names.write_text("b\n")
    with pytest.raises(InputFileError, match="c holds 'a'; expected one of the class names: b"):
        read_scene(scene, labels=path, class_names=names)


def test_layers_are_asked_for(tmp_path, scene):
    path = write_drawn(tmp_path / "d.gpkg", squares(3), {"c": ["a", "b", "a"]}, layer="first")
    write_drawn(path, squares(2), {"c": ["a", "b"]}, layer="second", append=False)
    with pytest.raises(InputFileError, match="--labels-layer: first, second"):
        read_scene(scene, labels=path)
    read = read_scene(scene, labels=path, labels_layer="second")
    np.testing.assert_array_equal(read.labels, burnt(squares(2), [1, 2]))
    with pytest.raises(InputFileError, match="no layer 'third'; expected first, second"):
        read_scene(scene, labels=path, labels_layer="third")


def test_overlaps_are_counted_and_the_last_feature_wins(tmp_path, scene):
    corners = [(2, 2, 8, 8), (5, 5, 12, 12), (6, 6, 9, 9), (20, 2, 25, 6), (22, 4, 28, 9)]
    shapes = [at(shapely.box(*each)) for each in [*corners, (6.2, 6.2, 8.6, 8.6)]]
    classes = ["a", "b", "a", "a", "a", "b"]
    read = read_scene(scene, labels=write_drawn(tmp_path / "d.gpkg", shapes, {"c": classes}))
    np.testing.assert_array_equal(read.labels, burnt(shapes, [1, 2, 1, 1, 1, 2]))
    covered = np.stack([burnt([shape], [1]) for shape in shapes])
    several = (covered.sum(0) > 1).sum()
    kinds = covered[[0, 2, 3, 4]].any(0) & covered[[1, 5]].any(0)
    told = (
        f"{several} pixels lie in several features, {kinds.sum()} of them in features of different"
    )
    assert any(told in remark for remark in read.remarks)


def test_what_labels_nothing_is_counted(tmp_path, scene):
    corners = [(100, 100, 110, 110), (20.6, 9.6, 20.9, 9.9), (4, 1, 5, 2), (4, 1, 7, 4)]
    placed = [at(shapely.box(*each)) for each in corners]
    shapes = [*squares(2), *placed, None, at(shapely.box(14, 14, 18, 18))]
    classes = ["a", "b", "a", "a", "a", "b", "a", None]
    read = read_scene(scene, labels=write_drawn(tmp_path / "d.gpkg", shapes, {"c": classes}))
    told = "\n".join(read.remarks)
    for words in (
        "1 features lie outside the scene",
        "1 features hold no pixel's centre (--all-touched)",
        "2 features are hidden under later ones",
        "1 features have no shape in the scene's coordinates",
        "1 features have no class in c",
    ):
        assert words in told, told


def test_invalid_shapes_are_made_valid_and_heights_left_out(tmp_path, scene):
    bow = at(shapely.Polygon([(2, 2), (8, 8), (8, 2), (2, 8)]))
    high = shapely.force_3d(at(shapely.box(12, 2, 16, 7)), 40.0)
    read = read_scene(
        scene, labels=write_drawn(tmp_path / "d.gpkg", [bow, high], {"c": ["a", "b"]})
    )
    expected = burnt([shapely.make_valid(bow), shapely.force_2d(high)], [1, 2])
    np.testing.assert_array_equal(read.labels, expected)
    assert any("1 invalid shapes were made valid" in remark for remark in read.remarks)


def test_points_and_lines_take_pixels_or_get_a_width(tmp_path, scene):
    points = [at(shapely.Point(3.2, 4.7)), at(shapely.MultiPoint([(9.5, 9.5), (20.1, 3.9)]))]
    path = write_drawn(tmp_path / "p.gpkg", points, {"c": ["a", "b"]})
    labels = read_scene(scene, labels=path).labels
    assert labels[4, 3] == 1 and labels[9, 9] == labels[3, 20] == 2
    assert np.count_nonzero(labels) == 3
    wide = read_scene(scene, labels=path, labels_buffer=60.0).labels
    np.testing.assert_array_equal(wide, burnt([point.buffer(60) for point in points], [1, 2]))
    line = [at(shapely.LineString([(1, 1), (20, 15)])), at(shapely.LineString([(3, 20), (28, 20)]))]
    path = write_drawn(tmp_path / "l.gpkg", line, {"c": ["a", "b"]})
    np.testing.assert_array_equal(read_scene(scene, labels=path).labels, burnt(line, [1, 2]))
    wide = read_scene(scene, labels=path, labels_buffer=45.0).labels
    np.testing.assert_array_equal(wide, burnt([each.buffer(45) for each in line], [1, 2]))


def test_a_buffer_is_in_metres_in_degrees_too(tmp_path):
    place = Georeference("EPSG:4326", (3e-4, 0.0, 13.0, 0.0, -3e-4, 52.4))
    path = drawn.write_scene(tmp_path / "scene.tif", place)
    points = [at(shapely.Point(8.5, 12.5), place), at(shapely.Point(20.5, 12.5), place)]
    gpkg = write_drawn(tmp_path / "p.gpkg", points, {"c": ["a", "b"]}, crs="EPSG:4326")
    labels = read_scene(path, labels=gpkg, labels_buffer=105.0).labels
    lines, samples = np.nonzero(labels == 1)
    # A pixel is 33.4 m high and, at 52.4°, 20.4 m wide.
    assert np.ptp(lines) // 2 == 3 and np.ptp(samples) // 2 == 5


def test_mixed_shapes_need_a_word_on_their_width(tmp_path, scene):
    mixed = [
        at(shapely.box(2, 2, 8, 8)),
        at(shapely.Point(20.5, 12.5)),
        shapely.GeometryCollection([at(shapely.box(12, 2, 15, 5)), at(shapely.Point(12.5, 20.5))]),
    ]
    path = write_drawn(tmp_path / "m.gpkg", mixed, {"c": ["a", "b", "b"]}, kind="Unknown")
    with pytest.raises(InputFileError, match="2 polygons and 2 points or lines together"):
        read_scene(scene, labels=path)
    labels = read_scene(scene, labels=path, labels_buffer=0.0).labels
    np.testing.assert_array_equal(labels, burnt(mixed, [1, 2, 2]))
    assert np.count_nonzero(read_scene(scene, labels=path, labels_buffer=90.0).labels == 2) > 30


def _without_crs(folder):
    path = write_drawn(folder / "d.shp", squares(3), {"c": ["a", "b", "a"]}, "ESRI Shapefile")
    (folder / "d.prj").unlink()
    return path


def _empty(folder):
    write_drawn(folder / "d.gpkg", squares(1), {"c": ["a"]})
    from pyogrio import raw

    raw.write(folder / "e.gpkg", np.array([], object), [np.array([], object)], ["c"],
              driver="GPKG", crs=CRS, geometry_type="Polygon", layer="empty")  # fmt: skip
    return folder / "e.gpkg"


def _far(folder):
    shapes = [at(shapely.box(500, 500, 510, 510)), at(shapely.box(600, 0, 610, 9))]
    return write_drawn(folder / "d.gpkg", shapes, {"c": ["a", "b"]})


def _mixed(folder):
    shapes = [at(shapely.box(2, 2, 8, 8)), at(shapely.Point(20.5, 12.5))]
    return write_drawn(folder / "d.geojson", shapes, {"c": ["a", "b"]}, "GeoJSON", kind="Unknown")


def _plain(folder, **fields):
    return write_drawn(folder / "d.gpkg", squares(2), fields or {"c": ["a", "b"]})


def _zipped(folder):
    with zipfile.ZipFile(folder / "d.zip", "w") as archive:
        archive.write(_plain(folder), "d.gpkg")
    return folder / "d.zip"


def _in_no_system(folder):
    shape = shapely.geometry.mapping(squares(1)[0])
    feature = {"type": "Feature", "properties": {"class": "a"}, "geometry": shape}
    system = {"type": "name", "properties": {"name": "EPSG:99999"}}
    tree = {"type": "FeatureCollection", "crs": system, "features": [feature]}
    (folder / "d.geojson").write_text(json.dumps(tree))
    return folder / "d.geojson"


BAD = {
    "no reference system": (_without_crs, [], "--labels-crs EPSG:NUMBER (EPSG:32633 is"),
    "empty layer": (_empty, [], "the layer empty is empty"),
    "field missing": (_plain, ["--labels-field", "klass"], "no field 'klass'; expected c"),
    "near miss": (
        lambda f: _plain(f, classes=["a", "b"]),
        ["--labels-field", "class"],
        "Did you mean classes?",
    ),
    "layer missing": (_plain, ["--labels-layer", "x"], "no layer 'x'; expected d"),
    "one class, outside": (
        lambda f: write_drawn(
            f / "d.gpkg", [at(shapely.box(500, 500, 510, 510))], {"class": ["a"]}
        ),
        [],
        "all 1 features lie outside the scene",
    ),
    "metres called degrees": (
        _without_crs,
        ["--labels-crs", "EPSG:4326"],
        "and EPSG:4326 is a system of degrees",
    ),
    "no shapes": (
        lambda f: write_drawn(f / "d.gpkg", [None, None], {"c": ["a", "b"]}, kind="Polygon"),
        [],
        "none of the 2 features has a shape",
    ),
    "unknown system": (_in_no_system, [], "names the reference system 'EPSG:99999'"),
    "zipped GeoPackage": (_zipped, [], "Unpack it and name d.gpkg"),
    "all outside": (_far, [], "all 2 features lie outside the scene"),
    "mixed": (_mixed, [], "1 polygons and 1 points or lines together"),
    "zero": (lambda f: _plain(f, c=[0, 1]), [], "give --unlabelled -1 if 0 is a class"),
    "measures": (
        lambda f: _plain(f, h=[1.5, 2.5]),
        ["--labels-field", "h"],
        "h holds 1.5; expected whole numbers or names",
    ),
    "no classes": (lambda f: _plain(f, h=[1.5, 2.5]), [], "no field that could hold classes (h)"),
    "names and a value": (_plain, ["--unlabelled", "0"], "--unlabelled 0 with classes by name"),
    "buffer without points": (_plain, ["--labels-buffer", "5"], "there are polygons alone"),
    "two systems": (_plain, ["--labels-crs", "EPSG:4326"], "the file names EPSG:32633"),
    "a variable": (_plain, ["--labels-variable", "c"], "drawn labels have none"),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_input_is_one_line(tmp_path, hsi, scene, kind):
    make, options, message = BAD[kind]
    status, _, err = hsi(
        "train", "--scene", scene, "--labels", make(tmp_path), *options, "--model", "svm",
        "--output", tmp_path / "runs",
    )  # fmt: skip
    lines = [line for line in err.splitlines() if line.startswith("error")]
    assert status == 2 and message.lower() in " ".join(err.split()).lower(), err
    assert len(lines) == 1 and not (tmp_path / "runs").exists()


def test_a_reference_system_can_be_said(tmp_path, scene):
    read = read_scene(scene, labels=_without_crs(tmp_path), labels_crs=CRS)
    np.testing.assert_array_equal(read.labels, burnt(squares(3), [1, 2, 1]))


def test_a_scene_without_coordinates_is_one_line(tmp_path):
    path = drawn.write_scene(tmp_path / "scene.tif", None)
    with pytest.raises(InputFileError, match="the scene has none") as caught:
        read_scene(path, labels=_plain(tmp_path))
    assert "\n" not in str(caught.value)


def test_options_of_drawn_labels_are_refused_beside_a_label_map(tmp_path, scene):
    np.save(tmp_path / "gt.npy", np.ones((LINES, SAMPLES), np.uint8))
    with pytest.raises(InputFileError, match="--labels-field is given"):
        read_scene(scene, labels=tmp_path / "gt.npy", labels_field="class")


def test_without_the_libraries_a_line_says_what_to_install(tmp_path, scene, monkeypatch):
    path = _plain(tmp_path)
    monkeypatch.setitem(sys.modules, "pyogrio", None)
    with pytest.raises(InputFileError, match=r"Install hsi-suite\[geo\]"):
        read_scene(scene, labels=path)


TABLES = {
    "map": ("x,y,class\n364110,5809950,roof\n364150,5809900,tree\n", "EPSG:32633"),
    "semicolons": (
        "Class;Easting;Northing\nroof;364110,0;5809950,0\ntree;364150;5809900\n", "scene's"
    ),
    "no header": ("364110 5809950 roof\n364150 5809900 tree\n", "EPSG:32633"),
    "tabs": ("id\tX\tY\tclass\n7\t364110\t5809950\troof\n8\t364150\t5809900\ttree\n", "scene's"),
    "pixels": ("line,sample,class\n0,0,roof\n2,1,tree\n", "samples and lines of the scene"),
    "wkt": (
        'WKT,class\n"POINT Z (364110 5809950 3)",roof\n"POINT (364150 5809900)",tree\n',
        "scene's",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", TABLES)
def test_tables_of_points(tmp_path, scene, kind):
    text, words = TABLES[kind]
    (tmp_path / "points.csv").write_text(text, encoding="utf-8-sig")
    read = read_scene(scene, labels=tmp_path / "points.csv")
    expected = np.zeros((LINES, SAMPLES))
    expected[0, 0], expected[2, 1] = 1, 2
    np.testing.assert_array_equal(read.labels, expected)
    assert read.class_names == ("roof", "tree") and words in "\n".join(read.remarks)


def test_degrees_in_tables(tmp_path, scene):
    points = [
        drawn.in_system(at(shapely.Point(s + 0.5, n + 0.5)), "EPSG:4326")
        for s, n in ((0, 0), (1, 2))
    ]
    rows = "".join(f"{p.y!r},{p.x!r},{c}\n" for p, c in zip(points, "ab", strict=True))
    (tmp_path / "points.txt").write_text(f"lat,lon,what\n{rows}")
    labels = read_scene(scene, labels=tmp_path / "points.txt").labels
    assert labels[0, 0] == 1 and labels[2, 1] == 2


def test_tables_over_a_scene_without_coordinates_count_pixels(tmp_path):
    path = drawn.write_scene(tmp_path / "scene.tif", None)
    (tmp_path / "p.csv").write_text("3,1,2\n7,4,1\n")
    read = read_scene(path, labels=tmp_path / "p.csv")
    assert read.labels[1, 3] == 2 and read.labels[4, 7] == 1
    assert "x and y are sample and line, from 0" in "\n".join(read.remarks)
    (tmp_path / "p.csv").write_text("3.5,1,2\n7,4,1\n")
    with pytest.raises(InputFileError, match="the scene has no coordinates"):
        read_scene(path, labels=tmp_path / "p.csv")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x,y,class\n1,2\n", "row 2 has 2 columns; expected 3"),
        ("x,y,class\n", "no row below its header"),
        ("x,y,class\n1,two,a\n", "y of point 1 is 'two'"),
        ("x,y,class\n1,nan,a\n", "a finite number"),
        ("line,sample,class\n1.5,2,a\n", "whole numbers from 0"),
        ("x,y\n1,2\n", "there is none"),
        ("wkt,class\nPOINT(,a\n", "2 columns|cannot be read"),
    ],
)
def test_damaged_tables_are_one_line(tmp_path, scene, text, message):
    (tmp_path / "p.csv").write_text(text)
    with pytest.raises(InputFileError, match=message) as caught:
        read_scene(scene, labels=tmp_path / "p.csv")
    assert "\n" not in str(caught.value)


def test_regions_of_interest_as_xml(tmp_path, scene):
    shapes, _ = drawn.drawn_shapes()
    rings = [at(shapes[n]).exterior.coords for n in (2, 3, 4)]
    wkt = 'PROJCS["WGS_1984_UTM_Zone_33N",GEOGCS["GCS_WGS_1984",DATUM["D_WGS_1984",SPHEROID["WGS_1984",6378137.0,298.257223563]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]],PROJECTION["Transverse_Mercator"],PARAMETER["False_Easting",500000.0],PARAMETER["False_Northing",0.0],PARAMETER["Central_Meridian",15.0],PARAMETER["Scale_Factor",0.9996],PARAMETER["Latitude_Of_Origin",0.0],UNIT["Meter",1.0]]'  # noqa: E501
    text = drawn.roi_xml(wkt.replace('"', "&quot;"), [("tree", rings[:2]), ("roof", rings[2:])])
    (tmp_path / "roi.xml").write_text(text)
    read = read_scene(scene, labels=tmp_path / "roi.xml")
    expected = burnt([shapely.Polygon(ring) for ring in rings], [2, 2, 1])
    np.testing.assert_array_equal(read.labels, expected)
    assert read.class_names == ("roof", "tree") and read.label_features.max() == 3


def test_regions_of_interest_in_pixels(tmp_path):
    path = drawn.write_scene(tmp_path / "scene.tif", None)
    boxes = [
        ("a", [[(2, 1), (6, 1), (6, 4), (2, 4), (2, 1)]]),
        ("b", [[(10, 2), (14, 2), (14, 9), (10, 9)]]),
    ]
    (tmp_path / "roi.xml").write_text(drawn.roi_xml("none", boxes))
    labels = read_scene(path, labels=tmp_path / "roi.xml").labels
    assert (labels[1:4, 2:6] == 1).all() and (labels[2:9, 10:14] == 2).all()
    assert np.count_nonzero(labels) == 12 + 28
    places = {"water": [(0, 0), (0, 1), (1, 2), (9, 9)], "tree": [(5, 5), (6, 5)]}
    (tmp_path / "roi.txt").write_text(drawn.roi_text(list(places.items())))
    for place in (None, PLACE):
        read = read_scene(drawn.write_scene(path, place), labels=tmp_path / "roi.txt")
        assert read.class_names == ("tree", "water")
        for number, name in enumerate(read.class_names, 1):
            found = list(map(tuple, np.argwhere(read.labels == number).tolist()))
            assert found == places[name]
        assert read.label_features.max() == 3  # touching pixels of a region are one


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<RegionsOfInterest/>", "holds no region"),
        ("<RegionsOfInterest><Region>", "cannot be read"),
        ('<!DOCTYPE x><RegionsOfInterest><Region name="a"/></RegionsOfInterest>', "document type"),
        ('<RegionsOfInterest><Region name="a"/></RegionsOfInterest>', "no region is drawn"),
        (
            "; ENVI Output of ROIs\n; ROI name: a\n; ROI npts: 2\n;  ID X Y\n 1 2 3\n",
            "1 pixels are listed",
        ),
        ("; ENVI Output of ROIs\n; ROI name: a\n; ROI npts: 1\n;  B1\n 17\n", "no columns X and Y"),
        ("; ENVI Output of ROIs\n; ROI name: a\n; ROI npts: x\n", "names and numbers of pixels"),
    ],
)  # fmt: skip
def test_damaged_regions_are_one_line(tmp_path, scene, text, message):
    (tmp_path / "roi.dat").write_text(text)
    with pytest.raises(InputFileError, match=message) as caught:
        read_scene(scene, labels=tmp_path / "roi.dat")
    assert "\n" not in str(caught.value)


def test_training_and_test_in_files_of_their_own(tmp_path, scene):
    first = write_drawn(tmp_path / "train.gpkg", squares(4)[:2], {"c": ["b", "a"]})
    second = write_drawn(tmp_path / "test.gpkg", squares(4)[2:], {"c": ["b", "a"]})
    both = f"{first},{second}"
    read = read_scene(scene, labels=both)
    np.testing.assert_array_equal(read.labels, burnt(squares(4), [2, 1, 2, 1]))
    assert read.label_features.max() == 4
    split = file_split(both, read.labels, georeference=read.georeference)
    flat = read.label_features.ravel()
    assert set(flat[split.train]) == {1, 2} and set(flat[split.test]) == {3, 4}
    with pytest.raises(InputFileError, match="--split polygons"):
        file_split(first, read.labels, georeference=read.georeference)


def test_drawn_labels_beside_a_label_map(tmp_path, scene):
    path = write_drawn(tmp_path / "d.gpkg", squares(2), {"c": [1, 2]})
    other = np.zeros((LINES, SAMPLES), np.uint8)
    other[15:20, 15:20] = 2
    write_map_tiff(tmp_path / "gt.tif", other, ("x", "y"), np.zeros((3, 3), np.uint8), PLACE)
    read = read_scene(scene, labels=f"{path},{tmp_path / 'gt.tif'}")
    np.testing.assert_array_equal(read.labels, burnt(squares(2), [1, 2]) + other)
    assert (read.label_features[15:20, 15:20] == 0).all() and read.class_names == ("x", "y")


def test_what_is_drawn_over_missing_pixels_is_unlabelled(tmp_path):
    path = tmp_path / "scene.tif"
    cube = np.random.default_rng(1).random((LINES, SAMPLES, 4), np.float32)
    cube[:3, :2] = np.nan
    from hsi_suite.data.formats.tiff_writer import write_layers_tiff

    write_layers_tiff(path, cube, list("abcd"), PLACE, None)
    read = read_scene(path, labels=_plain(tmp_path))
    expected = burnt(squares(2), [1, 2])
    expected[:3, :2] = 0
    np.testing.assert_array_equal(read.labels, expected)
    assert "6 drawn pixels hold no data" in read.remarks[-1]


def test_other_places_other_runs(tmp_path, scene):
    path = _plain(tmp_path)
    first = read_scene(scene, labels=path).checksums
    place = Georeference(CRS, (30.0, 0.0, 364125.0, 0.0, -30.0, 5809965.0))
    moved = drawn.write_scene(tmp_path / "other.tif", place)
    name = "d.gpkg on the scene's grid"
    assert read_scene(moved, labels=path).checksums[name] != first[name]


def test_the_cli_trains_by_polygons_and_says_so(tmp_path, hsi, scene):
    shapes = [at(shapely.box(s, n, s + 3, n + 3)) for n in range(0, 20, 5) for s in range(0, 25, 5)]
    classes = [("a", "b")[number % 2] for number in range(len(shapes))]
    path = write_drawn(tmp_path / "d.gpkg", shapes, {"c": classes})
    status, out, err = hsi(
        "train", "--scene", scene, "--labels", path, "--split", "polygons", "--model", "svm",
        "--output", tmp_path / "runs",
    )  # fmt: skip
    assert status == 0, err
    assert "polygons on both sides" in out and "0 of 20" in out
    page = next((tmp_path / "runs").glob("*_polygons_*/report.html")).read_text("utf-8")
    assert json.loads(next((tmp_path / "runs").glob("*/metrics.json")).read_text())[
        "label_remarks"
    ] == [
        "d.gpkg: classes are the 2 names in the field c, in order of the alphabet",
        "d.gpkg: 20 features label 180 pixels",
    ]
    assert "None of the 20 polygons is divided" in page and "20 features label 180 pixels" in page
    status, out, _ = hsi("train", "--scene", scene, "--labels", path, "--model", "svm",
                         "--output", tmp_path / "runs")  # fmt: skip
    assert status == 0 and "--split polygons keeps polygons whole" in " ".join(out.split())
    run = next((tmp_path / "runs").glob("*_polygons_*"))
    status, out, err = hsi("evaluate", run)
    assert status == 0, err
    assert describe_file(run / "split.npz")["format"] == "a split, for --split-file"


def test_potsdam_in_three_formats(tmp_path, data_dir):
    """Polygons over a real scene: one image in three systems, and what a random split leaks."""
    labels = np.load(data_dir / "scenes/enmap_potsdam/labels.npy").astype(np.int32)
    from rasterio.features import shapes as outlines
    from shapely.geometry import shape

    transform = Affine(*PLACE.transform)
    found = [(shape(s), int(v)) for s, v in outlines(labels, labels > 0, transform=transform)]
    cube = np.random.default_rng(0).random((*labels.shape, 3), np.float32)
    from hsi_suite.data.formats.tiff_writer import write_layers_tiff

    write_layers_tiff(tmp_path / "scene.tif", cube, list("abc"), PLACE, None)
    for name in ("GeoPackage", "GeoJSON", "zipped Shapefile"):
        file, driver, crs = drawn.FORMATS[name]
        path = write_drawn(
            tmp_path / file,
            [drawn.in_system(each, crs) for each, _ in found],
            {"class": [value for _, value in found]},
            driver,
            crs,
        )
        read = read_scene(tmp_path / "scene.tif", labels=path)
        np.testing.assert_array_equal(read.labels, labels)
        assert read.label_features.max() == len(found)


def test_a_system_that_is_none_is_the_fault_of_the_option(tmp_path, scene):
    fields = {"class": [1, 2]}
    path = write_drawn(tmp_path / "d.shp", squares(2), fields, "ESRI Shapefile", crs=None)
    for system in ("foo", "EPSG:999999"):
        with pytest.raises(ConfigError, match=f"^--labels-crs: '{system}' is no reference system"):
            read_scene(scene, labels=path, labels_crs=system)


def test_features_outside_are_said_with_both_places(tmp_path, scene):
    away = [shapely.affinity.translate(shape, 1e6, 0) for shape in squares(2)]
    path = write_drawn(tmp_path / "away.gpkg", away, {"class": [1, 2]})
    left, right = (round(PLACE.transform[2] + edge) for edge in (0, PLACE.transform[0] * SAMPLES))
    with pytest.raises(InputFileError, match=rf"outside.*x 1\d+ to .*lies at x {left} to {right}"):
        read_scene(scene, labels=path)


def test_tables_of_spreadsheets_may_name_their_separator(tmp_path, scene):
    x, y = PLACE.transform[2] + 1, PLACE.transform[5] - 1
    table = f"sep=;\nx;y;class\n{x};{y};2\n{x + 90};{y};1\n".replace(".", ",")
    (tmp_path / "t.csv").write_text(table)
    labels = read_scene(scene, labels=tmp_path / "t.csv").labels
    assert labels[0, 0] == 2 and (labels > 0).sum() == 2


def test_geojson_without_a_system_may_be_in_another_than_degrees(tmp_path, scene):
    shapes = squares(2)
    features = [
        {"type": "Feature", "properties": {"class": n}, "geometry": shapely.geometry.mapping(shape)}
        for n, shape in enumerate(shapes, 1)
    ]
    path = tmp_path / "plain.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    with pytest.raises(InputFileError) as caught:
        read_scene(scene, labels=path)
    assert "are no degrees" in str(caught.value)
    assert str(caught.value).endswith(f"Give --labels-crs EPSG:NUMBER ({CRS} is the scene's)")
    found = read_scene(scene, labels=path, labels_crs=CRS).labels
    assert np.array_equal(found, burnt(shapes, [1, 2]))
    # A file that names its system means it.
    system = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::3035"}}
    named = {"type": "FeatureCollection", "features": features, "crs": system}
    path.write_text(json.dumps(named))
    with pytest.raises(InputFileError, match="and the file names EPSG:3035"):
        read_scene(scene, labels=path, labels_crs=CRS)


@pytest.mark.parametrize("ending", [".geojson", ".kml", ".csv", ".txt"])
def test_drawn_labels_may_be_called_as_the_scene_beside_them(ending, tmp_path):
    texts = {
        ".geojson": '{"type": "FeatureCollection", "features": []}',
        ".kml": '<kml xmlns="http://www.opengis.net/kml/2.2"/>',
        ".csv": "x,y,class\n1,2,3\n",
        ".txt": "1.0 2.0 3\n4.0 5.0 6\n",
    }
    path = tmp_path / f"scene{ending}"
    path.write_text(texts[ending])
    alone = recognise_drawn(path)
    assert alone is not None
    (tmp_path / "scene.hdr").write_text("ENVI\n")
    assert recognise_drawn(path) is alone
    # What has a header of its own is a raster, whatever its bytes look like.
    (tmp_path / f"{path.name}.hdr").write_text("ENVI\n")
    assert recognise_drawn(path) is None


def test_a_vertex_without_a_place_costs_its_feature_alone(tmp_path, scene):
    # So far from its zone, UTM has no inverse.
    beyond = shapely.Polygon([(1e9, 1e9), (1e9, 2e9), (2e9, 2e9)])
    shapes = [in_system(shape, "EPSG:32632") for shape in squares(2)]
    fields = {"class": ["a", "b", "a"]}
    path = write_drawn(tmp_path / "d.gpkg", [*shapes, beyond], fields, crs="EPSG:32632")
    read = read_scene(scene, labels=path)
    np.testing.assert_array_equal(read.labels, burnt(squares(2), [1, 2]))
    assert any("1 features have no shape in the scene's" in remark for remark in read.remarks)


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e300])
def test_a_vertex_that_is_no_number_costs_its_feature_alone(tmp_path, scene, value):
    x, y = shapely.get_coordinates(squares(1)[0])[0]
    odd = shapely.Polygon([(x, y), (x + 90, y), (value, y - 90), (x, y - 60)])
    path = write_drawn(tmp_path / "d.gpkg", [*squares(2), odd], {"class": ["a", "b", "a"]})
    read = read_scene(scene, labels=path)
    labelled = np.count_nonzero(burnt(squares(2), [1, 2]))
    assert np.count_nonzero(read.labels) >= labelled
    if not np.isfinite(value):
        np.testing.assert_array_equal(read.labels, burnt(squares(2), [1, 2]))


def test_an_area_that_collapses_is_counted_as_no_shape(tmp_path, scene):
    [point] = shapely.get_coordinates(squares(1)[0])[:1]
    flat = shapely.Polygon([point] * 4)
    path = write_drawn(tmp_path / "d.gpkg", [*squares(2), flat], {"class": ["a", "b", "a"]})
    read = read_scene(scene, labels=path)
    np.testing.assert_array_equal(read.labels, burnt(squares(2), [1, 2]))
    assert any("1 features have no shape in the scene's" in remark for remark in read.remarks)
    assert not any("made valid" in remark for remark in read.remarks)


@pytest.mark.parametrize("crs", ["none", PLACE.crs])
def test_a_region_with_a_vertex_at_infinity_is_left_out(tmp_path, scene, crs):
    ring = [(1e999, 3.0), (12.0, 3.0), (12.0, 9.0), (1e999, 3.0)]
    good = np.array([(2.0, 2.0), (8.0, 2.0), (8.0, 8.0), (2.0, 2.0)])
    if crs != "none":
        good = shapely.get_coordinates(at(shapely.Polygon(good)))
    path = tmp_path / "roi.xml"
    path.write_text(drawn.roi_xml(crs, [("a", [ring]), ("b", [good])]))
    read = read_scene(scene, labels=path)
    assert set(np.unique(read.labels)) == {0, 2}
    assert any("1 features have no shape" in remark for remark in read.remarks)


def test_labels_of_one_class_have_a_field_by_its_usual_name(tmp_path, scene):
    path = write_drawn(tmp_path / "d.gpkg", squares(2), {"class": ["a", "a"]})
    read = read_scene(scene, labels=path)
    assert read.class_names == ("a",)
    np.testing.assert_array_equal(read.labels, burnt(squares(2), [1, 1]))
    # A field of several kinds is meant rather than one of that name and a single kind.
    path = write_drawn(tmp_path / "e.gpkg", squares(2), {"class": ["a", "a"], "c": ["b", "d"]})
    assert read_scene(scene, labels=path).class_names == ("b", "d")


def test_names_of_layers_and_fields_may_be_written_with_combining_marks(tmp_path, scene):
    path = write_drawn(tmp_path / "d.gpkg", squares(2), {"Fläche": ["a", "b"]}, layer="Wälder")
    write_drawn(path, squares(1), {"c": ["a"]}, layer="else", append=True)
    split = {"labels_layer": normalize("NFD", "Wälder"), "labels_field": normalize("NFD", "Fläche")}
    assert split["labels_layer"] != "Wälder"
    read = read_scene(scene, labels=path, **split)
    np.testing.assert_array_equal(read.labels, burnt(squares(2), [1, 2]))
