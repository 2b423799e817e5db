from xml.etree import ElementTree

import file_samples as samples
import numpy as np
import pytest
import tifffile
from PIL import Image

from hsi_suite.data.readers import open_cube, read_labels
from hsi_suite.data.scene import Georeference
from hsi_suite.data.writers import write_label_map, write_layers
from hsi_suite.errors import OutputError, ShapeError
from hsi_suite.palette import class_colours

NAMES = ("Corn, no till", "Wald & <Wiese>", "Straße {1}")
TRANSFORM = (20.0, 0.0, 500000.25, 0.0, -20.0, 4000000.1)
UTM = Georeference("EPSG:32617", TRANSFORM)
LAEA = "+proj=laea +lat_0=10 +lon_0=20 +x_0=5 +datum=WGS84"


def write_map(path, georeference=None, valid=None, names=NAMES):
    labels = samples.make_labels()
    write_label_map(path, labels, names, class_colours(len(names)), georeference, valid)
    return labels


@pytest.mark.parametrize("ending", [".tif", ".TIFF", ".hdr", ".npy", ".png"])
def test_maps_are_read_back(tmp_path, ending):
    path = tmp_path / f"map{ending}"
    valid = np.ones((7, 9), bool)
    valid[3, 4:] = False
    labels = write_map(path, valid=valid)
    found = read_labels(path)
    np.testing.assert_array_equal(found.labels, np.where(valid, labels, 0))
    if ending != ".npy":
        np.testing.assert_array_equal(found.colours, class_colours(3)[: len(found.colours)])
    if ending in (".tif", ".TIFF"):
        assert found.class_names == NAMES
    if ending == ".hdr":  # the format cannot hold commas and braces
        assert found.class_names == ("Corn; no till", "Wald & <Wiese>", "Straße (1)")
    beside = {".hdr": {"map.img"}, ".tif": {"map.tif.aux.xml", "map.qml"}}
    beside[".TIFF"] = {"map.TIFF.aux.xml", "map.qml"}
    left = {path.name} | beside.get(ending, set())
    assert {item.name for item in tmp_path.iterdir()} == left


def test_a_gis_finds_names_and_colours_beside_a_tiff(tmp_path):
    names = ("Corn, no till", "Wald & <Wiese>", "Straße {1}\n")
    write_map(tmp_path / "map.tif", UTM, names=names)
    shown = ["Unclassified", "Corn, no till", "Wald & <Wiese>", "Straße {1}"]
    # GDAL has understood what it can write again.
    pytest.importorskip("rasterio")
    import rasterio.shutil

    rasterio.shutil.copy(tmp_path / "map.tif", tmp_path / "copy.tif", driver="GTiff")
    copied = ElementTree.parse(tmp_path / "copy.tif.aux.xml").getroot()
    assert [each.text for each in copied.iter("Category")] == shown
    table = copied.find(".//GDALRasterAttributeTable")
    assert table.get("tableType") == "thematic"
    usages = [each.findtext("Usage") for each in table.iter("FieldDefn")]
    assert usages == ["5", "2", "6", "7", "8"]  # both limits, name, red, green, blue
    colours = class_colours(3)
    for value, row in enumerate(table.iter("Row")):
        cells = [cell.text for cell in row]
        assert cells == [str(value), shown[value], *map(str, colours[value])]
    style = ElementTree.parse(tmp_path / "map.qml").getroot()
    renderer = style.find("./pipe/rasterrenderer")
    assert renderer.get("type") == "paletted" and renderer.get("band") == "1"
    entries = [
        (each.get("value"), each.get("label"), each.get("color"))
        for each in renderer.iter("paletteEntry")
    ]
    assert entries == [
        (str(value), shown[value], "#{:02x}{:02x}{:02x}".format(*colours[value]))
        for value in (1, 2, 3)
    ]


@pytest.mark.parametrize("ending", [".tif", ".hdr", ".npy"])
def test_more_than_255_classes(tmp_path, ending):
    labels = np.arange(400, dtype=np.int64).reshape(20, 20)
    names = [f"c{label}" for label in range(1, 400)]
    write_label_map(tmp_path / f"m{ending}", labels, names, class_colours(399))
    np.testing.assert_array_equal(read_labels(tmp_path / f"m{ending}").labels, labels)
    with pytest.raises(OutputError, match="255"):
        write_label_map(tmp_path / "m.png", labels, names, class_colours(399))


@pytest.mark.parametrize("ending", [".tif", ".hdr", ".npy"])
@pytest.mark.parametrize("count", [1, 3])
def test_layers_are_read_back(tmp_path, ending, count):
    layers = np.random.default_rng(0).random((7, 9, count)).astype(np.float32)
    layers[2, 2] = np.nan
    path = tmp_path / f"p{ending}"
    names = [f"layer {index}" for index in range(count)]
    for nodata in (None, -1.0):
        write_layers(path, layers, names, nodata=nodata)
        with open_cube(path) as file:
            expected = layers if nodata is None else np.nan_to_num(layers, nan=-1)
            np.testing.assert_array_equal(file.read(), expected)
            if ending != ".npy":
                assert file.band_names == tuple(names)
                assert np.isnan(file.nodata) if nodata is None else file.nodata == -1


def test_layers_without_missing_pixels_have_no_nodata(tmp_path):
    write_layers(tmp_path / "p.tif", np.zeros((3, 4, 2)), ["a", "b"])
    with open_cube(tmp_path / "p.tif") as file:
        assert file.nodata is None and file.dtype == np.float32


@pytest.mark.parametrize("crs", ["EPSG:32617", "EPSG:32755", "EPSG:26911", "EPSG:4326",
                                 "EPSG:2154", "EPSG:3035", LAEA, None])  # fmt: skip
@pytest.mark.parametrize("kind", ["map", "layers"])
def test_rasterio_reads_the_georeference_back(tmp_path, crs, kind):
    rasterio = pytest.importorskip("rasterio")
    system = None if crs is None else rasterio.CRS.from_user_input(crs)
    for text in {crs, system and system.to_wkt()}:
        where = Georeference(text, TRANSFORM)
        for name, opened in (("a.tif", "a.tif"), ("a.hdr", "a.img")):
            if kind == "map":
                write_map(tmp_path / name, where)
            else:
                write_layers(tmp_path / name, np.ones((3, 4, 2)), ["a", "b"], where)
            with rasterio.open(tmp_path / opened) as file:
                assert file.transform == rasterio.Affine(*TRANSFORM)
                if system is None and name == "a.hdr":  # what GDAL makes of "Arbitrary"
                    assert file.crs.to_wkt().startswith("LOCAL_CS")
                else:
                    assert same_system(file.crs, system)


def same_system(found, expected):
    if not expected or not found:
        return bool(found) == bool(expected)
    # ESRI's dialect has no codes and other names: the parameters must agree.
    return found == expected or found.to_dict() == expected.to_dict()


def test_rasterio_reads_colours_and_nodata(tmp_path):
    rasterio = pytest.importorskip("rasterio")
    labels = write_map(tmp_path / "a.tif", UTM)
    write_map(tmp_path / "a.hdr", UTM)
    with rasterio.open(tmp_path / "a.tif") as file:
        assert file.nodata == 0
        assert file.tags()["CLASS_2"] == NAMES[1]
        colours = file.colormap(1)
        np.testing.assert_array_equal(file.read(1), labels)
    with rasterio.open(tmp_path / "a.img") as file:
        np.testing.assert_array_equal(file.read(1), labels)
        assert [file.colormap(1)[k][:3] for k in range(4)] == [colours[k][:3] for k in range(4)]
    assert [colours[k][:3] for k in range(4)] == [tuple(map(int, c)) for c in class_colours(3)]


def envi_scene(path, info, system=None):
    extra = f"map info = {{{', '.join(info)}}}\n"
    if system:
        extra += f"coordinate system string = {{{system}}}\n"
    samples.write_envi(path, samples.make_cube(), extra=extra)
    with open_cube(path) as file:
        return file.georeference


@pytest.mark.parametrize("system", [None, "esri", "2154"])
def test_envi_to_envi_is_unchanged_and_to_geotiff_is_equal(tmp_path, system):
    rasterio = pytest.importorskip("rasterio")
    text = None
    if system is not None:
        code = 32617 if system == "esri" else 2154
        version = rasterio.enums.WktVersion.WKT1_ESRI
        text = rasterio.CRS.from_epsg(code).to_wkt(version=version)
    info = ("UTM", "1.5", "1.5", "500010", "3999990", "20", "20", "17", "North", "WGS-84",
            "units=Meters")  # fmt: skip
    where = envi_scene(tmp_path / "in.hdr", info, text)
    assert where.map_info == info and where.crs == (text or "EPSG:32617")
    write_map(tmp_path / "out.hdr", where)
    write_map(tmp_path / "out.tif", where)
    assert read_labels(tmp_path / "out.hdr").georeference.map_info == info
    if text:
        assert read_labels(tmp_path / "out.hdr").georeference.crs == text
    with rasterio.open(tmp_path / "in.img") as source:
        for name in ("out.img", "out.tif"):
            with rasterio.open(tmp_path / name) as file:
                assert file.transform == source.transform
                assert same_system(file.crs, source.crs)


@pytest.mark.parametrize("turned", [False, True])
def test_geotiff_to_envi(tmp_path, turned):
    rasterio = pytest.importorskip("rasterio")
    transform = TRANSFORM if not turned else (16.0, 12.0, 5e5, 12.0, -16.0, 4e6)
    write_map(tmp_path / "a.tif", Georeference("EPSG:32617", transform))
    where = read_labels(tmp_path / "a.tif").georeference
    assert where == Georeference("EPSG:32617", transform)
    write_map(tmp_path / "b.hdr", where)
    with rasterio.open(tmp_path / "b.img") as file:
        assert file.crs == rasterio.CRS.from_epsg(32617)
        assert tuple(file.transform)[:6] == pytest.approx(transform, abs=1e-9)
    assert read_labels(tmp_path / "b.hdr").georeference.transform == pytest.approx(transform)


def test_without_rasterio(tmp_path, monkeypatch):
    rasterio = pytest.importorskip("rasterio")
    with monkeypatch.context() as patch:
        for name in ("rasterio", "rasterio.crs", "rasterio.io", "rasterio.enums"):
            patch.setitem(__import__("sys").modules, name, None)
        for ending in (".tif", ".hdr"):
            write_map(tmp_path / f"a{ending}", UTM)
            with pytest.raises(OutputError, match=r"hsi-suite\[geo\]"):
                write_map(tmp_path / f"b{ending}", Georeference("EPSG:2154", TRANSFORM))
            assert read_labels(tmp_path / f"a{ending}").georeference.crs == UTM.crs
    assert not list(tmp_path.glob("b*"))
    for name in ("a.tif", "a.img"):
        with rasterio.open(tmp_path / name) as file:
            assert file.transform == rasterio.Affine(*TRANSFORM)
            assert file.crs.to_dict() == rasterio.CRS.from_epsg(32617).to_dict()


def test_a_grid_that_envi_cannot_hold(tmp_path):
    with pytest.raises(OutputError, match=r"sheared.*\.tif"):
        write_map(tmp_path / "a.hdr", Georeference(None, (20, 5, 0, 0, -20, 0)))
    with pytest.raises(OutputError, match="reference system"):
        write_map(tmp_path / "a.tif", Georeference("nonsense", TRANSFORM))
    assert not list(tmp_path.iterdir())


def test_places_that_cannot_be_written(tmp_path):
    (tmp_path / "folder.tif").mkdir()
    (tmp_path / "file").write_text("")
    for name, message in [
        ("map.jpg", r"'\.jpg' names no known format; expected one of \.tif, \.tiff, \.hdr"),
        ("map", "no ending"),
        ("folder.tif", "folder"),
        ("file/map.tif", "no folder"),
        ("file/map.hdr", "no folder"),
    ]:
        with pytest.raises(OutputError, match=message) as error:
            write_map(tmp_path / name)
        assert "\n" not in str(error.value)
    with pytest.raises(OutputError, match=r"\.png"):
        write_layers(tmp_path / "p.png", np.ones((2, 2, 1)), ["a"])
    assert {item.name for item in tmp_path.iterdir()} == {"folder.tif", "file"}


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    for name in ("a.tif", "a.hdr"):
        write_map(tmp_path / name)
    before = {item.name: item.read_bytes() for item in tmp_path.iterdir()}

    def full(*arguments, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tifffile, "imwrite", full)
    monkeypatch.setattr(np, "ascontiguousarray", full)
    for name in ("a.tif", "a.hdr"):
        with pytest.raises(OutputError, match="No space left"):
            write_map(tmp_path / name, UTM)
    assert {item.name: item.read_bytes() for item in tmp_path.iterdir()} == before


def test_parts_that_do_not_fit(tmp_path):
    labels = samples.make_labels()
    for arguments in [
        (labels, NAMES[:2], class_colours(2)),
        (labels, NAMES, class_colours(2)),
        (labels[0], NAMES, class_colours(3)),
        (-labels.astype(int), NAMES, class_colours(3)),
        (labels, NAMES, class_colours(3), None, np.ones((2, 2), bool)),
    ]:
        with pytest.raises(ShapeError):
            write_label_map(tmp_path / "a.npy", *arguments)
    with pytest.raises(ShapeError):
        write_layers(tmp_path / "a.npy", np.ones((2, 3, 4)), ["a"])


def test_png_shows_the_class_colours(tmp_path):
    labels = write_map(tmp_path / "a.png")
    shown = np.asarray(Image.open(tmp_path / "a.png").convert("RGB"))
    np.testing.assert_array_equal(shown, class_colours(3)[labels])


def test_equal_maps_give_equal_bytes(tmp_path):
    for ending in (".tif", ".hdr", ".npy", ".png"):
        for name in ("a", "b"):
            write_map(tmp_path / f"{name}{ending}", UTM)
        assert (tmp_path / f"a{ending}").read_bytes() == (tmp_path / f"b{ending}").read_bytes()
