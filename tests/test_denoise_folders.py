"""`hsi denoise` on folders and into files of every kind."""

import re

import numpy as np
import pytest
import tifffile
from denoiser_samples import box_filter
from photograph_samples import animate, drawn, notes, said
from PIL import Image, JpegImagePlugin
from said_lines import beyond_first

from hsi_suite.data.photographs import read_photograph

COLOUR = drawn(shape=(40, 44))


@pytest.fixture
def run(hsi, monkeypatch, tmp_path):
    """`hsi denoise` in a folder of its own, with a network that takes no time."""
    monkeypatch.chdir(tmp_path)
    box_filter().save(tmp_path / "box.safetensors")

    def denoise(*arguments):
        options = ("--weights", "box.safetensors", "--sigma", "5", "--device", "cpu")
        return hsi("denoise", *arguments, *options)

    return denoise


def save(path, values=COLOUR, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path, **options)


def files_in(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def test_folders_keep_their_tree(run, tmp_path):
    for name in ("a.png", "x/a.jpg", "x/y/a.webp", "x/y/b.tif", "z/.hidden.png", ".cache/c.png"):
        save(tmp_path / "in" / name)
    status, out, err = run("in", "-o", "out")
    assert (status, beyond_first(err)) == (0, [])
    wanted = ["a_denoised.png", "x/a_denoised.png", "x/y/a_denoised.png", "x/y/b_denoised.png"]
    assert files_in(tmp_path / "out") == wanted
    assert [line.split()[0] for line in out.splitlines()] == [f"out/{name}" for name in wanted]
    assert run("in")[0] == 0
    assert {"a_denoised.png", "x/y/b_denoised.png"} <= set(files_in(tmp_path / "in"))
    before = files_in(tmp_path)
    status, _, err = run("in", "--overwrite")  # results of earlier calls are no inputs
    assert status == 0 and files_in(tmp_path) == before


def test_an_output_within_the_input_is_no_input(run, tmp_path):
    save(tmp_path / "a.png")
    save(tmp_path / "x" / "b.png")
    save(tmp_path / "clean" / "old.png")
    status, _, err = run(".", "-o", "clean/")
    assert status == 0 and "clean/ (the output)" in err and "box.safetensors" in err
    wanted = ["a_denoised.png", "old.png", "x/b_denoised.png"]
    assert files_in(tmp_path / "clean") == wanted
    status, _, err = run(".", "-o", "clean/", "--overwrite")
    assert status == 0 and files_in(tmp_path / "clean") == wanted


def test_links_out_of_a_folder_are_left_out(run, tmp_path):
    save(tmp_path / "in" / "own" / "a.png")
    save(tmp_path / "other" / "b.png")
    (tmp_path / "in" / "away").symlink_to(tmp_path / "other")
    (tmp_path / "in" / "b.png").symlink_to(tmp_path / "other" / "b.png")
    (tmp_path / "in" / "again").symlink_to(tmp_path / "in" / "own")
    (tmp_path / "in" / "round").symlink_to(tmp_path / "in")
    (tmp_path / "in" / "gone.png").symlink_to(tmp_path / "in" / "nothing.png")
    status, _, err = run("in", "-o", "out")
    assert status == 0 and files_in(tmp_path / "out") == ["own/a_denoised.png"]
    assert err.count("(a link out of the folder)") == 2 and "gone.png" in err


def test_images_that_differ_in_their_endings_keep_them(run, tmp_path):
    for name in ("in/x/a.png", "in/x/a.JPG", "in/x/b.png", "in/a.webp"):
        save(tmp_path / name)
    status, _, err = run("in", "-o", "out")
    assert status == 0
    assert "2 images differ in their endings alone" in err and "out/x/a.JPG_denoised.png" in err
    wanted = ["x/a.JPG_denoised.png", "x/a.png_denoised.png", "x/b_denoised.png"]
    assert files_in(tmp_path / "out") == ["a_denoised.png", *wanted]
    assert run("in/x/a.png", "in/x/a.JPG")[0] == 0
    before = files_in(tmp_path)
    assert {f"in/{name}" for name in wanted[:2]} <= set(before)
    # Those, too, are results, and no inputs of another call.
    assert run("in", "-o", "out", "--overwrite")[0] == 0 and files_in(tmp_path) == before


def test_two_results_of_one_name_are_refused_before_anything_is_done(run, tmp_path):
    for name in ("in/x/a.png", "more/x/a.png"):
        save(tmp_path / name)
    before = files_in(tmp_path)
    status, out, err = run("in", "more", "-o", "out")
    assert status == 2 and not out and len(beyond_first(err)) == 1
    assert "out/x/a_denoised.png: would be a result of in/x/a.png and of more/x/a.png" in err
    assert files_in(tmp_path) == before
    # What keeps its ending may meet the result of a name that has two.
    for name in ("in/x/a.jpg", "in/x/a.jpg.webp"):
        save(tmp_path / name)
    status, _, err = run("in", "-o", "out")
    assert status == 2 and "would be a result of" in err and not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ((), "a_denoised.png: would be a result of in/a.png and of more/a.png"),
        (("--overwrite", "--sigma", "300"), "--sigma: 300"),
        (("--reference", "in/a.png"), r"--reference: given with in/a\.png and in/cube\.tif"),
    ],
)
def test_what_is_wrong_with_photographs_is_said_before_cubes_are_denoised(
    run, hsi, tmp_path, options, match
):
    for name in ("in/a.png", "more/a.png"):
        save(tmp_path / name)
    tifffile.imwrite(tmp_path / "in" / "cube.tif", np.zeros((5, 20, 24), np.uint8))
    before = files_in(tmp_path)
    command = ("denoise", "in", "more", "-o", "out", "--weights", "box.safetensors", *options)
    status, out, err = hsi(*command)
    assert status == 2 and not out and re.search(match, err)
    assert files_in(tmp_path) == before


@pytest.fixture
def mixed(run, hsi, tmp_path):
    """A call for a folder, of a photograph and a stack that is taken for a cube, and for a cube."""
    save(tmp_path / "in" / "a.png")
    stack = np.random.default_rng(5).integers(60, 80, (6, 20, 24), np.uint8)
    tifffile.imwrite(tmp_path / "in" / "cube.tif", stack, metadata=None)
    np.save(tmp_path / "b.npy", np.moveaxis(stack, 0, 2).astype(np.float32))

    def denoise(output, *options):
        weights = ("--weights", "box.safetensors", "--device", "cpu")
        return hsi("denoise", "in", "b.npy", "-o", output, *weights, *options)

    return denoise


@pytest.mark.parametrize(
    ("options", "written", "said"),
    [
        (("--format", "jpeg", "--quality", "80"), "a_denoised.jpg",
         "--quality and --format are for photographs; 2 cubes, from in/cube.tif to b.npy, are "
         "denoised without them; --stack pages takes"),
        (("--white", "200"), "a_denoised.png", "--white is for photographs; 2 cubes"),
        (("--mode", "bands"), "a_denoised.png",
         "--mode is for cubes; in/a.png, a photograph, is denoised without it\n"),
    ],
)  # fmt: skip
def test_what_options_are_not_for_is_done_without_them(tmp_path, mixed, options, written, said):
    status, _, err = mixed("out", *options)
    assert status == 0 and said in err
    assert files_in(tmp_path / "out") == sorted([written, "b_denoised.npy", "cube_denoised.tif"])
    # As without the option.
    assert mixed("own", *(options if "--mode" in options else ()))[0] == 0
    for name in ("b_denoised.npy", "cube_denoised.tif"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "own" / name).read_bytes()


@pytest.mark.parametrize("options", [("--sigma", "12"), ("--sigma", "5,5"), ("--add-noise", "9")])
def test_a_sigma_of_photographs_is_none_of_the_cubes_beside_them(tmp_path, mixed, options):
    status, _, err = mixed("out", *options)
    wrong = f"is a cube, and {options[0]} is on the scale 0 to 255 of the photographs beside it"
    assert status == 2 and err.count(wrong) == 2 and "in a call of their own, or take the" in err
    pages = "," in options[1]
    assert not pages or "in/a.png: has one page, and --sigma names 2" in err
    assert files_in(tmp_path / "out") == ([] if pages else ["a_denoised.png"])
    if not pages:
        assert mixed("out", *options, "--stack", "pages")[0] == 2  # b.npy is a cube all the same
        assert files_in(tmp_path / "out") == ["a_denoised.png", "cube_denoised.tif"]


def test_a_white_that_a_picture_cannot_reach_is_its_own_failure(run, tmp_path):
    save(tmp_path / "in" / "a.png")
    save(tmp_path / "in" / "deep.png", drawn(1).astype(np.uint16) * 16)
    status, _, err = run("in", "-o", "out", "--white", "4095")
    assert status == 2 and files_in(tmp_path / "out") == ["deep_denoised.png"]
    assert "in/a.png: holds whole numbers of up to 255, and --white is 4095" in err


def test_every_damaged_file_is_a_line_and_the_others_are_done(run, tmp_path):
    save(tmp_path / "in" / "good.png")
    save(tmp_path / "in" / "sub" / "good.jpg")
    content = (tmp_path / "in" / "good.png").read_bytes()
    (tmp_path / "in" / "cut.png").write_bytes(content[:-60])
    (tmp_path / "in" / "sub" / "empty.tif").write_bytes(b"")
    (tmp_path / "in" / "sub" / "text.jpg").write_text("no picture")
    animate(tmp_path / "in" / "film.gif", COLOUR)
    status, _, err = run("in", "-o", "out")
    assert status == 2 and len(beyond_first(err)) == 5
    for name in ("cut.png", "sub/empty.tif", "sub/text.jpg", "film.gif"):
        assert f"error: in/{name}: " in err
    assert "4 of 6 files were not denoised" in err
    assert files_in(tmp_path / "out") == ["good_denoised.png", "sub/good_denoised.png"]


@pytest.mark.parametrize(
    ("kind", "ending", "named"),
    [("png", ".png", "PNG"), ("jpeg", ".jpg", "JPEG"), ("tiff", ".tif", "TIFF"),
     ("webp", ".webp", "WEBP")],
)  # fmt: skip
def test_the_kind_of_the_results_can_be_named(run, tmp_path, kind, ending, named):
    save(tmp_path / "in" / "a.jpg", exif=b"Exif\0\0" + notes(), dpi=(300, 300), quality=70)
    status, out, _ = run("in", "-o", "out", "--format", kind)
    assert status == 0 and out.startswith(f"out/a_denoised{ending}")
    with Image.open(tmp_path / "out" / f"a_denoised{ending}") as image:
        assert image.format == named
    found = read_photograph(tmp_path / "out" / f"a_denoised{ending}")
    assert said(found.exif)[271] == "Maker" and found.dpi == pytest.approx((300, 300), abs=0.1)


def test_a_jpeg_keeps_its_quality_unless_told(run, tmp_path):
    save(tmp_path / "a.jpg", quality=70, subsampling=2)
    assert run("a.jpg", "-o", "b.jpg")[0] == run("a.jpg", "--format", "jpeg")[0] == 0
    assert run("a.jpg", "-o", "c.jpg", "--quality", "95")[0] == 0
    assert run("a.jpg", "-o", "d.webp", "--quality", "20")[0] == 0
    own, kept, second, told = (
        Image.open(tmp_path / name) for name in ("a.jpg", "b.jpg", "a_denoised.jpg", "c.jpg")
    )
    assert own.quantization == kept.quantization == second.quantization != told.quantization
    assert {JpegImagePlugin.get_sampling(image) for image in (own, kept, told)} == {2}
    assert (tmp_path / "d.webp").stat().st_size < (tmp_path / "c.jpg").stat().st_size


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (("a.png", "--quality", "80"), "--quality: without the kind of file"),
        (("a.png", "--quality", "80", "--format", "png"), "--quality: given for .png files"),
        (("a.png", "--quality", "80", "-o", "b.tif"), "--quality: given for .tif files"),
        (("a.png", "--quality", "0", "--format", "jpeg"), "--quality"),
        (("a.png", "--format", "gif"), "--format"),
        (("a.png", "--format", "jpeg", "-o", "b.png"), "--format: jpeg for b.png"),
        (("deep.png", "--format", "jpeg"), "cannot hold the input's uint16 values"),
        (("clear.png", "--format", "jpeg"), "cannot hold the input's transparency"),
        (("deep.png", "-o", "deep.webp"), "cannot hold the input's uint16 values"),
        (("cube.npy", "--format", "png"), "--format: given with cube.npy; expected photographs"),
        (("cube.npy", "--quality", "90"), "--quality: given with cube.npy; expected photographs"),
    ],
)
def test_what_makes_no_sense_is_refused(run, tmp_path, arguments, match):
    save(tmp_path / "a.png")
    save(tmp_path / "deep.png", drawn(1).astype(np.uint16) * 257)
    save(tmp_path / "clear.png", np.dstack([COLOUR, COLOUR[..., 0]]))
    np.save(tmp_path / "cube.npy", np.zeros((8, 9, 12), np.float32))
    before = files_in(tmp_path)
    status, out, err = run(*arguments)
    assert status == 2 and not out and match in " ".join(err.split())
    assert files_in(tmp_path) == before
