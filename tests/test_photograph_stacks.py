"""TIFF files of several pictures: what their axes say, and what becomes of each page."""

import re

import numpy as np
import pytest
import tifffile
from denoiser_samples import box_filter, small_unet
from photograph_samples import drawn
from PIL import Image

from hsi_suite.data.photograph_stacks import open_stack, stack_kind
from hsi_suite.data.photographs import read_photograph
from hsi_suite.data.readers import open_cube
from hsi_suite.engine.observer import Observer
from hsi_suite.errors import InputFileError, OutputError
from hsi_suite.tasks.denoising.cubes.cube_jobs import separate_cubes
from hsi_suite.tasks.denoising.denoising_options import DenoisingOptions
from hsi_suite.tasks.denoising.photographs.image_denoising import denoise_images

RNG = np.random.default_rng(0)
LINES, SAMPLES = np.mgrid[:48, :60]
# A cell that moves: the mean over the frames would smear it.
CLEAN = np.stack(
    [
        9000 + 30000 * np.exp(-((SAMPLES - 8 * t - 10) ** 2 + (LINES - 24) ** 2) / 60)
        for t in range(6)
    ]
)
NOISY = (CLEAN + RNG.normal(0, 1500, CLEAN.shape)).clip(0, 65535).astype(np.uint16)
IMAGEJ = {"unit": "um", "finterval": 0.5, "Labels": [f"frame {k}" for k in range(6)]}


class Listener(Observer):
    def __init__(self):
        self.said = []

    def message(self, text):
        self.said.append(text)


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights")
    small_unet().save(folder / "unet.safetensors")
    box_filter().save(folder / "box.safetensors")
    return folder


def write(path, kind, values=NOISY):
    resolution = {"resolution": (3.25, 6.5), "resolutionunit": "CENTIMETER"}
    if kind == "pages":
        tifffile.imwrite(path, values, photometric="minisblack", metadata=None, **resolution)
    elif kind.startswith("ome "):
        metadata = {"axes": kind[4:], "PhysicalSizeX": 0.3, "PhysicalSizeXUnit": "µm"}
        tifffile.imwrite(
            path, values, ome=True, photometric="minisblack", metadata=metadata, **resolution
        )
    elif kind.startswith("imagej "):
        metadata = IMAGEJ | {"axes": kind[7:]}
        tifffile.imwrite(path, values, imagej=True, metadata=metadata, **resolution)
    elif kind.startswith("shaped "):
        tifffile.imwrite(
            path, values, photometric="minisblack", metadata={"axes": kind[7:]}, **resolution
        )
    return path


@pytest.mark.parametrize(
    ("kind", "separate", "said"),
    [
        ("imagej TYX", True, "axes TYX.*one by one.*--stack bands"),
        ("imagej ZYX", True, "axes ZYX.*one by one"),
        ("ome TYX", True, "axes TYX.*one by one"),
        ("ome ZYX", True, "axes ZYX.*one by one"),
        ("shaped TYX", True, "axes TYX.*one by one"),
        ("imagej CYX", False, "axes CYX.*bands of a cube; --stack pages"),
        ("ome CYX", False, "axes CYX.*bands of a cube; --stack pages"),
        ("pages", False, ""),
    ],
)
def test_the_axes_of_the_file_say_what_pages_are(tmp_path, kind, separate, said):
    path = write(tmp_path / "a.tif", kind)
    assert stack_kind(path).separate == separate
    listener = Listener()
    images, cubes = separate_cubes([path], listener)
    assert (images == [path], cubes == [path]) == (separate, not separate)
    assert len(listener.said) == bool(said)
    assert all(re.search(said, text) for text in listener.said)
    for choice, whole in (("pages", True), ("bands", False)):
        images, cubes = separate_cubes([path], None, choice)
        assert (images == [path]) == whole


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("imagej TYX", "6 pages along the axis T (time) are taken for bands"),
        ("ome ZYX", "6 pages along the axis Z (depth) are taken for bands"),
        ("pages", "6 pages of no axis are taken for bands"),
        ("imagej CYX", ""),
        ("ome CYX", ""),
    ],
)
def test_a_guess_is_said_wherever_a_stack_is_read_as_a_cube(tmp_path, kind, said):
    with open_cube(write(tmp_path / "a.tif", kind)) as file:
        assert file.shape == (48, 60, 6)
        assert len(file.remarks) == bool(said) and said in " ".join(file.remarks)


def tags_of(path):
    with tifffile.TiffFile(path) as file:
        series = file.series[0]
        first = file.pages.first
        return {
            "axes": series.axes,
            "shape": series.shape,
            "pages": len(file.pages),
            "imagej": file.imagej_metadata,
            "description": first.description,
            "codes": sorted(tag.code for tag in first.tags),
            "resolution": (first.tags[282].value, first.tags[283].value, first.tags[296].value),
            "order": file.byteorder,
        }


@pytest.mark.parametrize("kind", ["imagej TYX", "imagej ZYX", "ome TYX", "shaped ZYX", "pages"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_pages_are_denoised_one_by_one_and_keep_their_notes(tmp_path, weights, kind, dtype):
    values = (NOISY / {np.uint8: 257, np.uint16: 1, np.float32: 65535}[dtype]).astype(dtype)
    path = write(tmp_path / "a.tif", kind, values)
    options = DenoisingOptions(
        weights=str(weights / "box.safetensors"), sigma=6, threads=1, device="cpu"
    )
    (done,), refused = denoise_images([path], None, options)
    assert not refused and done.pages == 6 and done.target == tmp_path / "a_denoised.tif"
    before, after = tags_of(path), tags_of(done.target)
    # The box filter leaves nothing but notes to compare; how pixels are packed may differ.
    assert {**after, "codes": None} == {**before, "codes": None}
    assert set(before["codes"]) <= set(after["codes"])
    found = tifffile.imread(done.target)
    assert found.dtype == dtype
    for index in range(6):
        tifffile.imwrite(tmp_path / "one.tif", values[index], metadata=None)
        single = DenoisingOptions(**{**vars(options), "overwrite": True})
        denoise_images([tmp_path / "one.tif"], tmp_path / "out.tif", single)
        np.testing.assert_array_equal(found[index], tifffile.imread(tmp_path / "out.tif"))


def test_a_moving_cell_is_nearer_to_the_truth_and_scored(tmp_path):
    path, clean = write(tmp_path / "a.tif", "imagej TYX"), CLEAN.astype(np.uint16)
    write(tmp_path / "clean.tif", "imagej TYX", clean)
    options = DenoisingOptions(threads=1, device="cpu", reference=tmp_path / "clean.tif")
    (done,), _ = denoise_images([path], None, options)
    error = np.sqrt(np.mean((tifffile.imread(done.target).astype(float) - CLEAN) ** 2))
    assert error < 0.35 * np.sqrt(np.mean((NOISY - CLEAN) ** 2))
    gain = done.after["peak_signal_noise_ratio"] - done.before["peak_signal_noise_ratio"]
    assert gain > 8 and done.sigma == pytest.approx(1500 / 257, rel=0.15)


def test_pages_in_colour_and_of_several_sizes(tmp_path, weights):
    colour = RNG.integers(0, 255, (3, 30, 40, 3), dtype=np.uint8)
    tifffile.imwrite(tmp_path / "rgb.tif", colour, photometric="rgb", metadata=None)
    pages = [Image.fromarray(colour[0, :20, :25, 0]), Image.fromarray(colour[1])]
    pages[0].save(
        tmp_path / "book.tif", save_all=True, append_images=pages[1:], compression="tiff_lzw"
    )
    images, cubes = separate_cubes([tmp_path / "rgb.tif", tmp_path / "book.tif"])
    assert not cubes
    options = DenoisingOptions(
        weights=str(weights / "unet.safetensors"), sigma=6, threads=1, device="cpu"
    )
    done, refused = denoise_images(images, None, options)
    assert not refused and [image.pages for image in done] == [3, 2]
    assert tifffile.imread(done[0].target).shape == colour.shape
    with tifffile.TiffFile(done[1].target) as file:
        assert [page.shape for page in file.pages] == [(20, 25), (30, 40, 3)]


def test_a_stack_in_one_page_is_read_as_imagej_keeps_large_ones(tmp_path, weights):
    tifffile.imwrite(
        tmp_path / "a.tif", NOISY, imagej=True, metadata={"axes": "TYX"}, truncate=True
    )
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        assert len(file.pages) == 1
    options = DenoisingOptions(
        weights=str(weights / "box.safetensors"), sigma=6, threads=1, device="cpu"
    )
    (done,), _ = denoise_images([tmp_path / "a.tif"], None, options)
    assert tifffile.imread(done.target).shape == NOISY.shape and done.pages == 6
    inner = tifffile.imread(done.target)[3, 5:-5, 5:-5].astype(float)
    assert np.sqrt(np.mean((inner - CLEAN[3, 5:-5, 5:-5]) ** 2)) < 1500


def test_a_stack_goes_into_a_tiff_alone_and_half_a_stack_is_not_left(tmp_path, weights):
    holed = (NOISY / 65535).astype(np.float32)
    holed[4, 3, 3] = np.nan
    path = write(tmp_path / "a.tif", "imagej TYX", holed)
    options = DenoisingOptions(
        weights=str(weights / "box.safetensors"), sigma=6, threads=1, device="cpu"
    )
    _, refused = denoise_images([path], tmp_path / "a.png", options)
    assert isinstance(refused[path], OutputError) and "6 pages" in str(refused[path])
    _, refused = denoise_images([path], tmp_path / "out.tif", options)
    assert "page 5 holds" in str(refused[path])
    assert [each.name for each in tmp_path.iterdir()] == ["a.tif"]


def test_pages_that_follow_each_other_in_a_circle_are_refused_at_once(tmp_path):
    path = write(tmp_path / "a.tif", "pages")
    with tifffile.TiffFile(path, mode="r+b") as file:
        first, last = file.pages[0], file.pages[-1]
        entries = len(last.tags)
        file.filehandle.seek(last.offset + 2 + 12 * entries)
        file.filehandle.write(first.offset.to_bytes(4, "little"))
    for read in (stack_kind, lambda p: open_stack(p).__enter__()):
        with pytest.raises(InputFileError, match="directories overlap"):
            read(path)


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (2, 1, 0)])
def test_noise_of_pages_of_several_types_is_told_on_one_scale(tmp_path, weights, order):
    rng = np.random.default_rng(0)
    picture = np.clip(0.5 + rng.normal(0, 10 / 255, (40, 44)), 0, 1)
    pages = [
        np.rint(255 * picture).astype("u1"),
        np.rint(65535 * picture).astype("u2"),
        picture.astype("f4"),
    ]
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        for page in order:
            file.write(pages[page], photometric="minisblack", metadata=None, contiguous=False)
    options = DenoisingOptions(weights=str(weights / "unet.safetensors"), sigma=10)
    [done], _ = denoise_images([tmp_path / "a.tif"], tmp_path / "b.tif", options)
    assert done.pages == 3 and done.white.known and done.sigma == pytest.approx(10)


INKS = np.dstack([255 - drawn(shape=(30, 40)), drawn(1, (30, 40)) // 3])
CLEAR = np.dstack([drawn(shape=(30, 40)), drawn(1, (30, 40), seed=3)])
# How a page is written, and what of it is denoised.
PAGES = {
    "bits": (drawn(1, (30, 40)) > 127, {"photometric": "minisblack"}),
    "fax": (drawn(1, (30, 40)) > 127, {"photometric": "miniswhite"}),
    "palette": (
        drawn(1, (30, 40)),
        {"photometric": "palette", "colormap": np.random.default_rng(1).integers(0, 65536, (3, 256))
         .astype(np.uint16)},
    ),
    "clear": (CLEAR, {"photometric": "rgb", "extrasamples": ["unassalpha"]}),
    "camera": (CLEAR[..., :3], {"photometric": "ycbcr", "compression": "jpeg"}),
    "inks": (INKS, {"photometric": "separated", "iccprofile": b"\0" * 128}),
    "lab": (CLEAR[..., :3], {"photometric": "icclab"}),
    "planes": (
        np.moveaxis(CLEAR[..., :3], 2, 0), {"photometric": "rgb", "planarconfig": "separate"}
    ),
    "measured": (drawn(1, (30, 40)).astype(np.int16) * 9 - 500, {"photometric": "minisblack"}),
}  # fmt: skip


@pytest.mark.parametrize("name", PAGES)
def test_pages_of_every_kind_are_what_pictures_of_that_kind_are(tmp_path, weights, name):
    values, how = PAGES[name]
    for path, count in ((tmp_path / "one.tif", 1), (tmp_path / "all.tif", 3)):
        with tifffile.TiffWriter(path) as file:
            for _ in range(count):
                file.write(values, metadata=None, contiguous=False, resolution=(300, 150), **how)
    assert stack_kind(tmp_path / "all.tif").separate or name == "measured"
    single = read_photograph(tmp_path / "one.tif")
    with open_stack(tmp_path / "all.tif") as stack:
        assert stack.header.alpha == (single.alpha is not None) and stack.header.pages == 3
        for index in range(3):
            page = stack.read(index)
            assert np.array_equal(page.values, single.values) and page.remark == single.remark
            assert page.white in (None, single.header.white)
            if single.alpha is not None:
                assert np.array_equal(page.alpha, single.alpha)
    options = DenoisingOptions(
        weights=str(weights / "box.safetensors"), sigma=None if name == "measured" else 0,
        threads=1, device="cpu",
    )  # fmt: skip
    (done,), refused = denoise_images([tmp_path / "all.tif"], None, options)
    assert not refused
    with tifffile.TiffFile(done.target) as file:
        assert len(file.pages) == 3
        page = file.pages[1]
        assert page.dtype == single.values.dtype and page.resolution == (300, 150)
        assert page.samplesperpixel == single.header.channels + single.header.alpha
        assert 34675 not in page.tags
    with open_stack(done.target) as stack:
        assert stack.read(2).values.shape == single.values.shape


def test_a_page_that_cannot_be_a_picture_is_named(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(CLEAR[..., 0], metadata=None, photometric="minisblack")
        file.write(np.dstack([CLEAR, CLEAR]), metadata=None, photometric="minisblack",
                   planarconfig="contig")  # fmt: skip
    with pytest.raises(InputFileError, match="page 2 has 8 bands"), open_stack(tmp_path / "a.tif"):
        pass


@pytest.mark.parametrize("kind", ["imagej TZCYX", "ome TCZYX"])
def test_hyperstacks_keep_their_axes(tmp_path, weights, kind):
    values = np.tile(NOISY[:4].reshape(2, 2, 1, 48, 60), (1, 1, 3, 1, 1))
    path = write(tmp_path / "a.tif", kind, values)
    listener = Listener()
    assert separate_cubes([path], listener) == ([path], [])
    assert re.search(r"12 pictures \(axes T.*one by one", listener.said[0])
    options = DenoisingOptions(
        weights=str(weights / "box.safetensors"), sigma=6, threads=1, device="cpu"
    )
    (done,), _ = denoise_images([path], None, options)
    before, after = tags_of(path), tags_of(done.target)
    assert {**after, "codes": None} == {**before, "codes": None} and done.pages == 12


def test_measured_values_of_a_microscope_keep_their_notes_true(tmp_path, weights):
    values = (NOISY[:3].astype(int) - 30000).astype(np.int16)
    path = write(tmp_path / "a.tif", "ome TYX", values)
    options = DenoisingOptions(weights=str(weights / "box.safetensors"), threads=1, device="cpu")
    (done,), _ = denoise_images([path], None, options)
    with tifffile.TiffFile(done.target) as file:
        assert file.series[0].axes == "TYX" and file.series[0].dtype == np.float32
        assert 'Type="float"' in file.pages[0].description


def test_a_sigma_for_every_page(tmp_path, weights, hsi, monkeypatch):
    monkeypatch.chdir(tmp_path)
    clean = drawn(1, (48, 60)).astype(float)
    rng = np.random.default_rng(3)
    noisy = [clean + rng.normal(0, sigma, clean.shape) for sigma in (4, 12, 40)]
    write(tmp_path / "a.tif", "imagej TYX", np.clip(np.rint(noisy), 0, 255).astype(np.uint8))
    status, out, _ = hsi("denoise", "a.tif", "--sigma", "4,12,40", "-o", "list.tif")
    assert status == 0 and "σ 4.0 to 40.0 of 255, 3 pages" in out
    found = tifffile.imread("list.tif")
    for page, sigma in enumerate((4, 12, 40)):
        status, out, _ = hsi("denoise", "a.tif", "--sigma", str(sigma), "-o", f"{sigma}.tif")
        assert status == 0 and f"σ {sigma}.0 of 255, 3 pages" in out
        assert np.array_equal(tifffile.imread(f"{sigma}.tif")[page], found[page])
    status, out, _ = hsi("denoise", "a.tif", "-o", "auto.tif")
    told = [float(word) for word in re.findall(r"σ ([\d.]+) to ([\d.]+) of 255", out)[0]]
    assert status == 0 and told[0] < 8 and 25 < told[1] < 55 and "(estimated), 3 pages" in out


def test_a_list_of_sigmas_that_does_not_fit_is_refused(tmp_path, hsi, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "a.tif", "imagej TYX")
    Image.fromarray(drawn(1)).save("one.png")
    np.save("cube.npy", np.zeros((8, 9, 12), np.float32))
    for arguments, match in (
        (("a.tif", "--sigma", "4,12"), "a.tif: has 6 pages, and --sigma names 2; expected one σ"),
        (("one.png", "--sigma", "4,12"), "one.png: has one page, and --sigma names 2"),
        (("cube.npy", "--sigma", "4,12"), "--sigma: 2 values given with cube.npy"),
        (("a.tif", "--sigma", "1,2,3,4,5,-6"), "--sigma: -6"),
        (("a.tif", "--sigma", "1,2,3,4,5,600"), "--sigma: 600"),
        (("a.tif", "--sigma", "1,2,3,4,5,much"), "'much' is not a number"),
    ):
        status, out, err = hsi("denoise", *arguments)
        assert status == 2 and not out and match in " ".join(err.split())
    assert len(list(tmp_path.iterdir())) == 3


def test_what_was_chosen_is_said_of_all_pages(tmp_path, hsi):
    rng = np.random.default_rng(0)
    grey = np.full((40, 44), 120) + rng.normal(0, 20, (40, 44))
    colour = np.full((40, 44, 3), 120) + rng.normal(0, 20, (40, 44, 3))
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        for page, kind in ((colour, "rgb"), (grey, "minisblack"), (grey[::-1], "minisblack")):
            file.write(page.round().astype(np.uint8), photometric=kind, metadata=None)
    status, out, err = hsi("denoise", tmp_path / "a.tif", "--device", "cpu")
    assert status == 0, err
    assert "colour_denoiser (1 page); white noise: default_denoiser (2 pages)" in out
