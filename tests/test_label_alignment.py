"""Label maps whose coordinates are not those of the scene."""

import file_samples as samples
import numpy as np
import pytest

from hsi_suite.data.file_list import listed_files
from hsi_suite.data.formats.georeferencing import same_system
from hsi_suite.data.formats.tiff_writer import write_layers_tiff, write_map_tiff
from hsi_suite.data.label_alignment import whole_offset
from hsi_suite.data.readers import read_labels, read_scene
from hsi_suite.data.scene import Georeference
from hsi_suite.data.split_files import file_split
from hsi_suite.errors import InputFileError

SIZE, EAST, NORTH = 30.0, 600000.0, 5800000.0
CRS = "EPSG:32633"


def georeference(line=0.0, sample=0.0, crs=CRS, size=SIZE):
    """Of a raster that begins at a line and sample of the scene."""
    return Georeference(crs, (size, 0.0, EAST + sample * SIZE, 0.0, -size, NORTH - line * SIZE))


def write_labels(path, labels, place):
    colours = np.zeros((4, 3), np.uint8)
    write_map_tiff(path, labels.astype(np.uint8), ("a", "b", "c"), colours, place)
    return path


@pytest.fixture
def scene(tmp_path):
    cube = samples.make_cube("float32")
    names = [str(band) for band in range(cube.shape[2])]
    write_layers_tiff(tmp_path / "cube.tif", cube, names, georeference(), None)
    return tmp_path / "cube.tif"


LABELS = samples.make_labels()


def test_the_same_place_is_taken_without_a_word(tmp_path, scene):
    read = read_scene(scene, labels=write_labels(tmp_path / "gt.tif", LABELS, georeference()))
    np.testing.assert_array_equal(read.labels, LABELS)
    assert read.remarks == () and set(read.checksums) == {"cube.tif", "gt.tif"}


def test_a_larger_raster_is_cropped(tmp_path, scene):
    large = np.pad(LABELS, ((4, 2), (3, 5)), constant_values=2)
    path = write_labels(tmp_path / "gt.tif", large, georeference(-4, -3))
    read = read_scene(scene, labels=path)
    np.testing.assert_array_equal(read.labels, LABELS)
    inside, outside = np.count_nonzero(LABELS), large.size - LABELS.size
    assert f"{inside} labelled pixels are used, {outside} lie outside" in read.remarks[0]
    assert len(read.checksums) == 3  # another run than the same file taken pixel by pixel


@pytest.mark.parametrize("offset", [(2, 3), (-2, 3), (2, -3), (-2, -3), (0, 1)])
@pytest.mark.parametrize("crs", [CRS, None])
def test_labels_off_by_whole_pixels_are_moved(tmp_path, scene, offset, crs):
    path = write_labels(tmp_path / "gt.tif", LABELS, georeference(*offset, crs=crs))
    read = read_scene(scene, labels=path)
    expected = np.zeros_like(LABELS)
    for line, sample in np.ndindex(*LABELS.shape):
        to = line + offset[0], sample + offset[1]
        if 0 <= to[0] < LABELS.shape[0] and 0 <= to[1] < LABELS.shape[1]:
            expected[to] = LABELS[line, sample]
    np.testing.assert_array_equal(read.labels, expected)
    used, given = np.count_nonzero(expected), np.count_nonzero(LABELS)
    assert f"{used} labelled pixels are used, {given - used} lie outside" in read.remarks[0]


def test_a_smaller_raster_leaves_the_rest_unlabelled(tmp_path, scene):
    path = write_labels(tmp_path / "gt.tif", LABELS[1:5, 2:8], georeference(1, 2))
    read = read_scene(scene, labels=path)
    expected = np.zeros_like(LABELS)
    expected[1:5, 2:8] = LABELS[1:5, 2:8]
    np.testing.assert_array_equal(read.labels, expected)


@pytest.mark.parametrize(
    ("place", "message"),
    [
        (georeference(0.5, 0.5), "part of a pixel off"),
        (georeference(size=15.0), "another size"),
        (georeference(crs="EPSG:32632"), "EPSG:32632, the scene in EPSG:32633"),
        (georeference(0.3, 0, crs=None), "reference system is missing"),
        (georeference(500, 0), "no labelled pixel lies in the scene"),
    ],
)
def test_the_rest_is_refused_in_one_line(tmp_path, scene, place, message):
    path = write_labels(tmp_path / "gt.tif", LABELS, place)
    with pytest.raises(InputFileError, match=message) as caught:
        read_scene(scene, labels=path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("place", "apart"),
    [
        (georeference(20_000.5, 0), True),
        (georeference(0, -13_000.5, size=15.0), True),
        (georeference(crs="EPSG:32632"), True),
        (georeference(20_000.5, 0, crs=None), True),
        (Georeference("EPSG:4326", (0.0003, 0.0, 9.0, 0.0, -0.0003, 45.0)), True),
        (Georeference("EPSG:4326", (0.0003, 0.0, 16.467, 0.0, -0.0003, 52.3413)), False),
        (georeference(6.5, 8.5), False),
        (georeference(-6.5, -8.5), False),
    ],
)
def test_labels_of_another_place_are_not_advised_to_be_warped(tmp_path, scene, place, apart):
    pytest.importorskip("rasterio")
    path = write_labels(tmp_path / "gt.tif", LABELS, place)
    with pytest.raises(InputFileError) as caught:
        read_scene(scene, labels=path)
    assert ("they do not overlap" in str(caught.value)) == apart
    assert ("--warp-labels" in str(caught.value)) == (not apart)


def test_without_reference_systems_warping_is_not_advised(tmp_path, scene):
    path = write_labels(tmp_path / "gt.tif", LABELS, georeference(0.3, 0, crs=None))
    with pytest.raises(InputFileError) as caught:
        read_scene(scene, labels=path)
    assert "--warp-labels" not in str(caught.value)


def test_without_coordinates_size_alone_counts(tmp_path, scene):
    np.save(tmp_path / "gt.npy", LABELS)
    np.testing.assert_array_equal(read_scene(scene, labels=tmp_path / "gt.npy").labels, LABELS)
    pixels = Georeference(None, (1.0, 0.0, 7.0, 0.0, -1.0, 3.0))
    path = write_labels(tmp_path / "gt.tif", LABELS, pixels)
    np.testing.assert_array_equal(read_scene(scene, labels=path).labels, LABELS)


def test_warping_takes_the_nearest_label(tmp_path, scene):
    pytest.importorskip("rasterio")
    fine = np.kron(LABELS, np.ones((3, 3), np.uint8))
    path = write_labels(tmp_path / "gt.tif", fine, georeference(size=SIZE / 3))
    read = read_scene(scene, labels=path, warp_labels=True)
    np.testing.assert_array_equal(read.labels, LABELS)
    assert "resampled to the scene's grid" in read.remarks[0]


def test_warping_between_reference_systems(tmp_path, scene):
    warp = pytest.importorskip("rasterio.warp")
    # Fine geographic pixels, each with the label of the scene's pixel that holds its centre.
    bounds = warp.transform_bounds(CRS, "EPSG:4326", EAST, NORTH - 7 * SIZE, EAST + 9 * SIZE, NORTH)
    west, south, east, north = bounds
    step = (north - south) / 100
    lines, samples_ = 100, round((east - west) / step)
    grid = np.mgrid[0:lines, 0:samples_] + 0.5
    x, y = warp.transform(
        "EPSG:4326", CRS, (west + grid[1] * step).ravel(), (north - grid[0] * step).ravel()
    )
    line = np.floor((NORTH - np.array(y)) / SIZE).astype(int)
    sample = np.floor((np.array(x) - EAST) / SIZE).astype(int)
    inside = (line >= 0) & (line < 7) & (sample >= 0) & (sample < 9)
    values = np.where(inside, LABELS[line.clip(0, 6), sample.clip(0, 8)], 0)
    place = Georeference("EPSG:4326", (step, 0.0, west, 0.0, -step, north))
    path = write_labels(tmp_path / "gt.tif", values.reshape(lines, samples_), place)
    read = read_scene(scene, labels=path, warp_labels=True)
    np.testing.assert_array_equal(read.labels, LABELS)


@pytest.mark.parametrize("crs", [CRS, "EPSG:4326", "EPSG:3035"])
def test_warping_takes_the_label_in_which_each_centre_lies(tmp_path, scene, crs):
    warp = pytest.importorskip("rasterio.warp")
    rng = np.random.default_rng(3)
    bounds = warp.transform_bounds(CRS, crs, EAST, NORTH - 7 * SIZE, EAST + 9 * SIZE, NORTH)
    # A grid that is turned and upside down, and fine against errors of hundredths of its pixels.
    size = (bounds[2] - bounds[0]) / 300
    turned = (size, 0.3 * size, bounds[0] - 60 * size, -0.3 * size, size, bounds[1] - 20 * size)
    values = rng.integers(1, 4, (400, 460))
    path = write_labels(tmp_path / "gt.tif", values, Georeference(crs, turned))
    read = read_scene(scene, labels=path, warp_labels=True)
    for line in range(7):
        for sample in range(9):
            x, y = EAST + (sample + 0.5) * SIZE, NORTH - (line + 0.5) * SIZE
            [[x], [y]] = warp.transform(CRS, crs, [x], [y]) if crs != CRS else ([x], [y])
            a, b, c, d, e, f = turned
            column, row = np.linalg.solve([[a, b], [d, e]], [x - c, y - f])
            assert read.labels[line, sample] == values[int(row), int(column)]


def test_labels_with_coordinates_over_missing_pixels_are_counted(tmp_path):
    cube = samples.make_cube("float32")
    cube[:2, :3] = np.nan
    names = [str(band) for band in range(cube.shape[2])]
    path = tmp_path / "cube.tif"
    write_layers_tiff(path, cube, names, georeference(), None)
    country = np.tile([[1, 2, 3]], (20, 10))
    labels = write_labels(tmp_path / "gt.tif", country, georeference(-4, -3))
    read = read_scene(path, labels=labels)
    expected = country[4:11, 3:12].copy()
    expected[:2, :3] = 0
    np.testing.assert_array_equal(read.labels, expected)
    assert read.remarks[-1] == "6 labelled pixels hold no data and are unlabelled"
    # Training and test as maps of the country: what they say of such pixels does not count.
    for name, columns in (("train", np.s_[:8]), ("test", np.s_[8:])):
        part = np.zeros_like(country)
        part[:, columns] = country[:, columns]
        write_labels(tmp_path / f"{name}.tif", part, georeference(-4, -3))
    files = f"{tmp_path / 'train.tif'},{tmp_path / 'test.tif'}"
    split = file_split(files, read.labels, georeference=georeference(), valid=read.valid)
    inside = np.zeros((7, 9), bool)
    inside.ravel()[split.train] = True
    assert np.array_equal(inside, read.valid & (np.arange(9) < 5))
    with pytest.raises(InputFileError, match="6 unlabelled pixels in train"):
        file_split(files, read.labels, georeference=georeference())
    # Nothing is learnt where none is left.
    cube[:] = np.nan
    cube[-1, -1] = 1
    write_layers_tiff(path, cube, names, georeference(), None)
    country[10, 11] = 0
    write_labels(tmp_path / "gt.tif", country, georeference(-4, -3))
    with pytest.raises(InputFileError, match="none of the 62 labelled pixels holds data"):
        read_scene(path, labels=tmp_path / "gt.tif")


def test_turned_grids_agree_or_not():
    turned = (20.0, 10.0, 5.0, 10.0, -20.0, 7.0)
    a, b, c, d, e, f = turned
    moved = (a, b, c + 2 * a + 3 * b, d, e, f + 2 * d + 3 * e)
    assert whole_offset(moved, turned, (50, 40)) == (3, 2)
    assert whole_offset(turned, moved, (50, 40)) == (-3, -2)
    assert whole_offset((20.0, 0.0, 5.0, 0.0, -20.0, 7.0), turned, (50, 40)) is None
    # A size that is a little off adds up over the lines.
    assert whole_offset((20.01, 10.0, 5.0, 10.0, -20.0, 7.0), turned, (50, 400)) is None


@pytest.mark.parametrize("code", [32633, 25833, 2056, 3035])
def test_one_system_in_several_spellings(code):
    crs = pytest.importorskip("rasterio.crs").CRS.from_epsg(code)
    for version in ("WKT1_ESRI", "WKT1_GDAL", "WKT2_2019"):
        assert same_system(f"EPSG:{code}", crs.to_wkt(version=version)) is True
        assert same_system("EPSG:32632", crs.to_wkt(version=version)) is False
    assert same_system(None, f"EPSG:{code}") is None


# Splits and label maps in files of their own


@pytest.fixture
def parts(tmp_path):
    chosen = np.random.default_rng(0).random(LABELS.shape) < 0.5
    for name, mask in (("train", chosen), ("test", ~chosen)):
        write_labels(tmp_path / f"{name}.tif", LABELS * mask, georeference())
        np.save(tmp_path / f"{name}.npy", mask & (LABELS > 0))
        np.savez(tmp_path / f"{name}.npz", anything=LABELS * mask)
    return chosen


@pytest.mark.parametrize("ending", ["tif", "npy", "npz"])
def test_a_file_for_each_part(tmp_path, parts, ending):
    names = f"{tmp_path / 'train'}.{ending},{tmp_path / 'test'}.{ending}"
    split = file_split(names, LABELS, georeference=georeference())
    np.testing.assert_array_equal(split.train, np.flatnonzero((LABELS > 0) & parts))
    np.testing.assert_array_equal(split.test, np.flatnonzero((LABELS > 0) & ~parts))
    with pytest.raises(InputFileError, match="both train and test"):
        file_split(f"{tmp_path / 'train'}.{ending},{tmp_path / 'train'}.{ending}", LABELS)


def test_parts_lie_where_their_coordinates_say(tmp_path, parts):
    large = np.pad(LABELS * parts, 3)
    write_labels(tmp_path / "train.tif", large, georeference(-3, -3))
    names = f"{tmp_path / 'train.tif'},{tmp_path / 'test.tif'}"
    split = file_split(names, LABELS, georeference=georeference())
    np.testing.assert_array_equal(split.train, np.flatnonzero((LABELS > 0) & parts))


def test_a_map_of_codes_may_be_a_raster(tmp_path, parts):
    codes = np.where(LABELS > 0, np.where(parts, 1, 2), 0)
    path = write_labels(tmp_path / "codes.tif", codes, georeference())
    split = file_split(path, LABELS, georeference=georeference())
    np.testing.assert_array_equal(split.test, np.flatnonzero((LABELS > 0) & ~parts))


@pytest.mark.parametrize("name", ["gt.tif", "gt.npy", "train.tif"])
def test_a_label_map_is_no_split(tmp_path, parts, name):
    write_labels(tmp_path / "gt.tif", LABELS, None)
    np.save(tmp_path / "gt.npy", LABELS)
    with pytest.raises(InputFileError, match=r"this is a label map.*--split-file TRAIN,TEST"):
        file_split(tmp_path / name, LABELS)


def test_label_maps_of_training_and_test_are_joined(tmp_path, scene, parts):
    names = f"{tmp_path / 'train.tif'},{tmp_path / 'test.tif'}"
    read = read_scene(scene, labels=names)
    np.testing.assert_array_equal(read.labels, LABELS)
    assert read.class_names == ("a", "b", "c")
    np.savez(tmp_path / "both.npz", TR=LABELS * parts, TE=LABELS * ~parts)
    read = read_scene(scene, labels=tmp_path / "both.npz", labels_variable="TR,TE")
    np.testing.assert_array_equal(read.labels, LABELS)
    other = np.where(LABELS > 0, LABELS % 3 + 1, 0)
    write_labels(tmp_path / "test.tif", other, georeference())
    with pytest.raises(InputFileError, match="another label than in train"):
        read_scene(scene, labels=names)


def test_names_of_files_may_hold_commas(tmp_path):
    for name in ("a,1.npy", "b.npy", "c.npy"):
        (tmp_path / name).touch()
    text = f"{tmp_path / 'a,1.npy'}, {tmp_path / 'b.npy'}"
    assert listed_files(text) == (tmp_path / "a,1.npy", tmp_path / "b.npy")
    assert listed_files(tmp_path / "a,1.npy") == (tmp_path / "a,1.npy",)
    assert len(listed_files("x.npy,y.npy")) == 2


@pytest.mark.parametrize(
    ("name", "train", "test"),
    [
        ("indian_pines_spectralformer", 695, 9671),
        ("pavia_university_fixed", 3921, 40002),
        ("houston2013_fixed", 2832, 12197),
    ],
)
def test_fixed_splits_of_papers_give_the_published_counts(data_dir, tmp_path, name, train, test):
    folder = data_dir / "splits"
    labels = read_labels(folder / f"{name}_labels.npy").labels
    split = file_split(folder / f"{name}_split.npz", labels)
    assert (len(split.train), len(split.test)) == (train, test)
    with np.load(folder / f"{name}_split.npz") as masks:
        for part in ("train", "test"):
            np.save(tmp_path / f"{part}.npy", masks[part] * labels)
    again = file_split(f"{tmp_path / 'train.npy'},{tmp_path / 'test.npy'}", labels)
    np.testing.assert_array_equal(again.train, split.train)
    np.testing.assert_array_equal(again.test, split.test)


def test_every_command_that_takes_labels_can_place_and_understand_them():
    from hsi_suite.cli.retrieve import index_command
    from hsi_suite.cli.train import train

    for command in (train, index_command):
        options = {name for parameter in command.params for name in parameter.opts}
        assert {"--labels", "--warp-labels", "--unlabelled"} <= options


def test_files_of_a_split_are_not_warped_and_no_option_is_named(tmp_path):
    path = write_labels(tmp_path / "codes.tif", LABELS, georeference(size=20.0))
    with pytest.raises(InputFileError, match="gdalwarp -r near") as error:
        file_split(path, LABELS, georeference=georeference())
    assert "--warp-labels" not in str(error.value)
