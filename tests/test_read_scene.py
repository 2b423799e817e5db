import file_samples as samples
import numpy as np
import pytest
import scipy.io
import tifffile
from PIL import Image

from hsi_suite.data.readers import hash_file, read_class_names, read_labels, read_scene
from hsi_suite.errors import InputFileError


def save(path, array):
    np.save(path, array)
    return path


@pytest.fixture
def cube_path(tmp_path):
    return save(tmp_path / "cube.npy", samples.make_cube("float32"))


# Label maps


@pytest.mark.parametrize("version", ["4", "5"])
def test_labels_of_matlab(tmp_path, version):
    labels = samples.make_labels()
    scipy.io.savemat(
        tmp_path / "a.mat", {"gt": labels.astype(float), "n": 3.0}, format=version, appendmat=False
    )
    found = read_labels(tmp_path / "a.mat")
    assert found.labels.dtype == np.int32 and found.class_names is None
    np.testing.assert_array_equal(found.labels, labels)


def test_labels_of_matlab_73_and_hdf5_structs(tmp_path):
    labels = samples.make_labels()
    samples.write_matlab73(tmp_path / "a.mat", **{"scene/gt": labels.astype(float)})
    np.testing.assert_array_equal(read_labels(tmp_path / "a.mat").labels, labels)


def test_several_label_maps(tmp_path):
    labels = samples.make_labels()
    np.savez(tmp_path / "a.npz", train=labels, test=labels[::-1])
    with pytest.raises(InputFileError, match="--labels-variable train"):
        read_labels(tmp_path / "a.npz")
    found = read_labels(tmp_path / "a.npz", variable="test")
    np.testing.assert_array_equal(found.labels, labels[::-1])


def test_envi_classification(tmp_path):
    labels = samples.make_labels()
    extra = (
        "file type = ENVI Classification\nclasses = 4\n"
        "class names = {Unclassified, Water, Bare soil, Tree}\n"
        "class lookup = {0, 0, 0, 0, 0, 255, 128, 64, 0, 0, 255, 0}\n"
    )
    samples.write_envi(tmp_path / "gt.hdr", labels[:, :, None], extra=extra)
    found = read_labels(tmp_path / "gt.hdr")
    assert found.class_names == ("Water", "Bare soil", "Tree")
    np.testing.assert_array_equal(found.colours[1:], [[0, 0, 255], [128, 64, 0], [0, 255, 0]])
    np.testing.assert_array_equal(found.labels, labels)


def raster(path, values, nodata, names=""):
    extra = f"data ignore value = {nodata}\n{names}"
    samples.write_envi(path, np.asarray(values)[:, :, None], extra=extra)
    return path


def test_nodata_of_a_label_raster_is_unlabelled(tmp_path):
    labels = samples.make_labels().astype("int16")
    path = raster(tmp_path / "gt.hdr", np.where(labels == 0, -9999, labels), -9999)
    np.testing.assert_array_equal(read_labels(path).labels, labels)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32"])
def test_class_0_beside_nodata_asks_and_is_kept(tmp_path, cube_path, dtype):
    values = (samples.make_labels().astype(int) + 255) % 256  # 255 unlabelled, classes 0 to 2
    path = raster(tmp_path / "gt.hdr", values.astype(dtype), 255)
    with pytest.raises(InputFileError, match="--unlabelled 255 if 0 is a class"):
        read_labels(path)
    np.testing.assert_array_equal(read_labels(path, unlabelled=255).labels, samples.make_labels())
    np.testing.assert_array_equal(
        read_labels(path, unlabelled=0).labels, np.where(values == 255, 0, values)
    )
    scene = read_scene(cube_path, labels=path, unlabelled=255)
    assert scene.class_names == ("class 0", "class 1", "class 2")
    assert "label k + 1" in scene.remarks[-1]


def test_values_below_0_or_without_a_declaration(tmp_path, cube_path):
    labels = samples.make_labels().astype("int16")
    path = save(tmp_path / "gt.npy", labels - 1)
    with pytest.raises(InputFileError, match="--unlabelled -1 if it marks"):
        read_labels(path)
    np.testing.assert_array_equal(read_labels(path, unlabelled=-1).labels, labels)
    floats = np.where(labels == 0, np.nan, labels - 1)
    path = save(tmp_path / "nan.npy", floats)
    np.testing.assert_array_equal(read_labels(path, unlabelled=np.nan).labels, labels)
    names = tmp_path / "names.txt"
    names.write_text("zero\none\ntwo\n")
    scene = read_scene(cube_path, labels=path, unlabelled=np.nan, class_names=names)
    assert scene.class_names == ("zero", "one", "two")
    names.write_text("one\ntwo\n")
    with pytest.raises(InputFileError, match="as there is a class 0"):
        read_scene(cube_path, labels=path, unlabelled=np.nan, class_names=names)


def test_names_say_what_0_is(tmp_path):
    labels = samples.make_labels()
    names = "class names = {Unclassified, Corn, Soy, Wood}\n"
    path = raster(tmp_path / "gt.hdr", labels, 255, names)
    assert read_labels(path).class_names == ("Corn", "Soy", "Wood")
    names = "class names = {Sand, Corn, Soy, Wood}\n"
    path = raster(tmp_path / "gt.hdr", labels, 255, names)
    found = read_labels(path, unlabelled=255)
    assert found.class_names == ("Sand", "Corn", "Soy", "Wood")
    np.testing.assert_array_equal(found.labels, labels + 1)


@pytest.mark.parametrize(
    ("names", "more", "highest", "expected"),
    [
        ("Corn, Soy, Wood", "classes = 3", 2, ("Corn", "Soy", "Wood")),
        ("Corn, Soy, Wood", "classes = 3", 3, ("Corn", "Soy", "Wood")),
        ("Corn, Soy, Wood", "classes = 4", 2, ("Corn", "Soy", "Wood")),
        ("Unlabeled, Corn, Soy, Wood", "classes = 3", 3, ("Corn", "Soy", "Wood")),
        ("Nichts, Corn, Soy", "class lookup = {0,0,0, 9,9,9, 8,8,8}", 2, ("Corn", "Soy")),
        ("Corn, Soy, Wood", "class lookup = {0,0,0, 9,9,9, 8,8,8, 7,7,7}", 2,
         ("Corn", "Soy", "Wood")),
        ("Class 0, Class 1, Class 2", "", 2, ("Class 1", "Class 2")),
        ("Unclassified, Corn, young, Soy", "classes = 3", 2, ("Corn, young", "Soy")),
        ("Unclassified,Corn, Young,Soy", "classes = 3", 2, ("Corn, Young", "Soy")),
        ("Unclassified, Corn,Young, Soy", "classes = 3", 2, ("Corn,Young", "Soy")),
        ("Unclassified,\nCorn, Young,\nSoy", "classes = 3", 2, ("Corn, Young", "Soy")),
        ("Unclassified, Corn, Young, Soy", "classes = 3", 2, None),
        ("Unclassified, Corn Soy, Wood", "classes = 4", 2, None),
        ("Unclassified, Corn Soy", "class lookup = {0,0,0, 9,9,9, 8,8,8}", 2, None),
        ("Corn Soy, Wood", "classes = 4", 2, None),
    ],
)  # fmt: skip
def test_class_names_belong_to_their_labels(tmp_path, names, more, highest, expected):
    labels = np.minimum(samples.make_labels(), highest).astype("uint8")
    if highest == 2:
        labels[labels == 3] = 2
    extra = f"file type = ENVI Classification\nclass names = {{{names}}}\n{more}\n"
    samples.write_envi(tmp_path / "gt.hdr", labels[:, :, None], extra=extra)
    found = read_labels(tmp_path / "gt.hdr")
    assert found.class_names == expected
    np.testing.assert_array_equal(found.labels, labels)
    if expected is None:
        assert "--class-names" in found.remarks[0]


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_png_values_are_labels_at_every_depth(tmp_path, bits):
    labels = samples.make_labels(min(3, 2**bits - 1))
    image = Image.fromarray(labels, mode="P")
    image.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255])
    image.save(tmp_path / "p.png", bits=bits)
    found = read_labels(tmp_path / "p.png")
    np.testing.assert_array_equal(found.labels, labels)
    assert tuple(found.colours[1]) == (255, 0, 0) and len(found.colours) == labels.max() + 1
    (tmp_path / "g.png").write_bytes(grey_png(labels, bits))
    np.testing.assert_array_equal(read_labels(tmp_path / "g.png").labels, labels)


def grey_png(labels, bits):
    """A grey PNG written by hand: pillow writes no grey of 2 or 4 bits."""
    import struct
    import zlib

    def chunk(name, content):
        check = zlib.crc32(name + content)
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", check)

    rows = b""
    for row in labels:
        text = "".join(f"{value:0{bits}b}" for value in row)
        text += "0" * (-len(text) % 8)
        rows += b"\0" + int(text, 2).to_bytes(len(text) // 8, "big")
    lines, columns = labels.shape
    head = struct.pack(">IIBBBBB", columns, lines, bits, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def test_png_of_16_bits_and_pictures(tmp_path):
    labels = samples.make_labels().astype("uint16") * 300
    Image.fromarray(labels).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_labels(tmp_path / "a.png").labels, labels)
    Image.fromarray(np.zeros((4, 5, 3), "u1")).save(tmp_path / "a.png")
    with pytest.raises(InputFileError, match="picture in colours"):
        read_labels(tmp_path / "a.png")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.array([[1.0, 2.5]] * 2), "the value 2.5"),
        (np.array([[1.0, np.nan]] * 2), "the value nan"),
        (np.array([[1, -1]] * 2), "the label -1"),
        (np.array([[1, 70000]] * 2), "the label 70000"),
        (np.zeros((2, 2, 2), int), "2 × 2 × 2"),
        (np.zeros((0, 2), int), "0 × 2"),
        (np.array([["a", "b"]] * 2), "<U1"),
        (np.ones((2, 2), complex), "complex"),
    ],
)
def test_values_that_are_no_labels(tmp_path, values, message):
    with pytest.raises(InputFileError, match=message):
        read_labels(save(tmp_path / "a.npy", values))


def test_class_names(tmp_path):
    path = tmp_path / "names.txt"
    path.write_bytes("\ufeffWald\r\n Straße \r\n\r\n".encode())
    assert read_class_names(path) == ("Wald", "Straße")
    for content, message in [
        (b"a\n\nb\n", "line 2 is blank"),
        (b"a\nb\na\n", "line 3 repeats 'a'"),
        (b"\n\n", "no class names"),
        (b"\xff\xfe\xfa", "UTF-8"),
    ]:
        path.write_bytes(content)
        with pytest.raises(InputFileError, match=message):
            read_class_names(path)


# Scenes


def test_scene_of_two_files(tmp_path, cube_path):
    labels = samples.make_labels()
    gt = save(tmp_path / "gt.npy", labels)
    scene = read_scene(cube_path, labels=gt)
    np.testing.assert_array_equal(scene.cube, samples.make_cube("float32"))
    np.testing.assert_array_equal(scene.labels, labels)
    assert scene.name == "cube" and scene.class_names == ("class 1", "class 2", "class 3")
    assert scene.valid is None and scene.nodata is None and not scene.synthetic
    assert scene.false_colour == (3, 2, 1)
    assert scene.checksums == {"cube.npy": hash_file(cube_path), "gt.npy": hash_file(gt)}
    assert read_scene(cube_path, name="field").labels is None


def test_scene_takes_what_the_header_says(tmp_path):
    extra = "wavelength = {450, 550, 650, 750, 850}\nwavelength units = nm\n"
    samples.write_envi(tmp_path / "a.hdr", samples.make_cube(), extra=extra)
    scene = read_scene(tmp_path / "a.hdr")
    assert scene.false_colour == (2, 1, 0)
    assert sorted(scene.checksums) == ["a.hdr", "a.img"]
    samples.write_envi(tmp_path / "a.hdr", samples.make_cube(), extra="default bands = {5, 4, 1}\n")
    assert read_scene(tmp_path / "a.hdr").false_colour == (4, 3, 0)


def test_equal_names_in_two_folders_keep_two_checksums(tmp_path, cube_path):
    (tmp_path / "gt").mkdir()
    gt = save(tmp_path / "gt" / "cube.npy", samples.make_labels())
    assert set(read_scene(cube_path, labels=gt).checksums) == {"cube.npy", "gt/cube.npy"}


def test_class_names_must_suffice(tmp_path, cube_path):
    gt = save(tmp_path / "gt.npy", samples.make_labels())
    names = tmp_path / "names.txt"
    names.write_text("a\nb\nc\nd\n")
    assert read_scene(cube_path, labels=gt, class_names=names).class_names == ("a", "b", "c", "d")
    names.write_text("a\nb\n")
    with pytest.raises(InputFileError, match=r"names\.txt: 2 class names; expected at least 3"):
        read_scene(cube_path, labels=gt, class_names=names)


def test_label_map_of_another_size(tmp_path, cube_path):
    gt = save(tmp_path / "gt.npy", np.ones((5, 9), int))
    with pytest.raises(InputFileError, match="5 × 9 pixels; expected 7 lines × 9 samples"):
        read_scene(cube_path, labels=gt)
    save(gt, np.ones((9, 7), int))
    with pytest.raises(InputFileError, match="turned by 90 degrees"):
        read_scene(cube_path, labels=gt)
    save(gt, np.zeros((7, 9), int))
    with pytest.raises(InputFileError, match="unlabelled"):
        read_scene(cube_path, labels=gt)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_pixels_that_are_not_finite_are_masked(tmp_path, cube_path, value):
    cube = samples.make_cube("float32")
    cube[2, 3, :3] = cube[5, 5, :] = value
    scene = read_scene(save(cube_path, cube))
    assert (~scene.valid).sum() == 2 and not scene.valid[2, 3] and not scene.valid[5, 5]
    np.testing.assert_array_equal(scene.cube, cube)


@pytest.mark.parametrize("dtype", ["int16", "uint16", "float32", "float64"])
def test_nodata_is_masked_in_every_type(tmp_path, dtype):
    cube = samples.make_cube(dtype)
    cube[0, 0] = cube[1, 1, 2:] = 9
    path = save(tmp_path / "a.npy", cube)
    scene = read_scene(path, nodata=9)
    assert np.argwhere(~scene.valid).tolist() == [[0, 0], [1, 1]]
    assert scene.nodata == 9.0
    # What the type cannot hold marks nothing.
    assert read_scene(path, nodata=1e300).valid is None
    assert read_scene(path, nodata=9.5).valid is None


def test_masking_in_blocks_changes_nothing(tmp_path, cube_path, monkeypatch):
    cube = samples.make_cube("float32")
    cube[::3, ::2, 1:4] = cube[1::3, 1::2, 1:3] = np.nan
    whole = read_scene(save(cube_path, cube))
    assert (~whole.valid).sum() == 3 * 5
    for name in ("_BLOCK_VALUES", "_FILLED_VALUES"):
        monkeypatch.setattr(f"hsi_suite.data.missing_data.{name}", 50)
    again = read_scene(cube_path)
    np.testing.assert_array_equal(again.valid, whole.valid)
    np.testing.assert_array_equal(again.cube, whole.cube)
    assert again.remarks == whole.remarks


def test_missing_data_that_is_refused(tmp_path, cube_path):
    labels = samples.make_labels()
    gt = save(tmp_path / "gt.npy", labels)
    cube = samples.make_cube("float32")
    line, sample = np.argwhere(labels > 0)[5]
    cube[line, sample, 2:] = np.nan
    save(cube_path, cube)
    place = f"line {line + 1}, sample {sample + 1}"
    with pytest.raises(InputFileError, match=f"labelled pixels without data .*: 1, .*{place}"):
        read_scene(cube_path, labels=gt)
    cube[:, :, 2] = np.nan
    save(cube_path, cube)
    with pytest.raises(
        InputFileError, match=r"1 of 5 bands \(3\) are NaN, infinite in every pixel"
    ):
        read_scene(cube_path)
    cube = samples.make_cube("float32")
    cube[::2, :, :3] = cube[1::2, :, 2:] = -1
    save(cube_path, cube)
    with pytest.raises(InputFileError, match=r"no pixel holds data.*nodata \(-1\).*--nodata"):
        read_scene(cube_path, nodata=-1)


def test_the_georeference_may_come_with_the_labels(tmp_path, cube_path):
    tags = [(33550, 12, 3, (2.0, 2.0, 0.0), True), (33922, 12, 6, (0, 0, 0, 10.0, 20.0, 0), True)]
    tifffile.imwrite(tmp_path / "gt.tif", samples.make_labels(), metadata=None, extratags=tags)
    scene = read_scene(cube_path, labels=tmp_path / "gt.tif")
    assert scene.georeference.transform == (2.0, 0.0, 10.0, 0.0, -2.0, 20.0)
