"""`hsi denoise`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..data.photograph_endings import KINDS, OTHER_NAMES
from .denoise_output import as_finished, print_cube, print_image, report_refused
from .terminal import announce, names_of, say
from .values import (
    NUMBER,
    Word,
    array_options,
    auto_or,
    band_options_with,
    device_option,
    language_option,
    memory_limit_option,
    numbers_or_auto,
    require_page,
)

if TYPE_CHECKING:
    from ..errors import HsiSuiteError
    from ..schemas.training import Precision
    from ..tasks.denoising.denoising_options import DenoisingOptions

_CASES = ("case1", "case2", "case3", "case4", "case5")
_EXAMPLES = """\b
Examples:
  hsi denoise photo.jpg
  hsi denoise scans/ -o clean/ --sigma 12
  hsi denoise photo.png --add-noise 25 --compare
  hsi denoise cube.hdr --repair --compare
  hsi denoise cube.hdr --mode robust --compare
  hsi denoise clean.npy --add-noise 0.05 --add-kind case5 --mode robust
  hsi denoise photo.jpg --noise camera --strength 0.7
"""


@click.command(epilog=_EXAMPLES)
@click.argument("inputs", metavar="INPUT...", nargs=-1, required=True)
@click.option(
    "-o", "--output", metavar="OUT", help="A file, or a folder.  [default: NAME_denoised.png]"
)
@click.option(
    "--sigma",
    callback=numbers_or_auto,
    default="auto",
    show_default=True,
    metavar="auto|VALUE",
    help="Standard deviation of the noise: of a photograph on the scale 0 to 255, whatever its "
    "depth (of a TIFF stack also one for each page: 5,5,8); of a cube in the cube's own units.  "
    "Auto estimates it from the data.",
)
@click.option(
    "--white",
    type=NUMBER,
    metavar="VALUE",
    help="Photographs: the value that is white, 255 on that scale.  [default: the largest of 8 or "
    "16 bits; 1 for floats]",
)
@click.option("--model", metavar="NAME", help="Weights that ship with hsi_suite, by name.")
@click.option("--weights", metavar="FILE", help="Weights of your own, or a public checkpoint.")
@click.option(
    "--strength",
    type=NUMBER,
    default=1.0,
    show_default=True,
    help="Share of the change, 0 to 1: less keeps more detail, and noise.",
)
@click.option("--self-ensemble", is_flag=True, help="Mean over 8 flips and turns; 8 times slower.")
@click.option(
    "--precision",
    type=Word(["fp32", "tf32", "bf16", "fp16"]),
    default="fp32",
    show_default=True,
    help="Of the network; tf32 and fp16 on CUDA devices.",
)
@click.option(
    "--tile",
    callback=auto_or(click.INT),
    default="auto",
    show_default=True,
    metavar="auto|N",
    help="Side of the tiles in pixels; no seams at any size.",
)
@memory_limit_option("what cannot be done within it is refused")
@click.option(
    "--stack",
    type=Word(["auto", "pages", "joint", "bands"]),
    default="auto",
    show_default=True,
    help="TIFF files of several pages: denoise page by page, with the help of neighbouring pages, "
    "or as the bands of a cube.  Auto goes by the axes that ImageJ and OME files name.",
)
@click.option(
    "--format",
    "kind",
    type=Word(KINDS, OTHER_NAMES),
    help="Photographs: kind of the results.  [default: png; tiff where that cannot hold them]",
)
@click.option(
    "--quality",
    type=click.IntRange(1, 100),
    metavar="N",
    help="JPEG, WebP and AVIF results.  [default: a JPEG's own, else 95; WebP without loss]",
)
@click.option(
    "--overwrite",
    is_flag=True,
    help="Let results take the place of finished files; of photographs, even of inputs.",
)
@click.option(
    "--reference", metavar="CLEAN", help="The clean image or cube: print PSNR, SSIM (and SAM)."
)
@click.option(
    "--add-noise",
    type=NUMBER,
    metavar="SIGMA",
    help="Add noise first, as a trial; units of --sigma.",
)
@click.option(
    "--noise",
    type=Word(["auto", "gaussian", "camera", "jpeg"]),
    default="auto",
    show_default=True,
    help="Photographs: what is known of their noise, which chooses the weights.  Auto looks at the "
    "picture and says what it found; with --sigma the noise is gaussian.",
)
@click.option(
    "--add-kind",
    type=Word(["gaussian", "bands", "stripes", "dead-lines", "impulses", *_CASES]),
    default="gaussian",
    show_default=True,
    metavar="KIND",
    help="Cubes: kind of the added noise: gaussian, bands, stripes, dead-lines, impulses; or case1 "
    "to case5 of the literature, of a mean SIGMA: in each band another, and with stripes, dead "
    "lines, impulses, all of them.",
)
@click.option(
    "--seed", type=int, metavar="N", default=0, show_default=True, help="Seed of that noise."
)
@click.option(
    "--compare", is_flag=True, help="Also write before and after: a picture; of a cube, a page."
)
@click.option(
    "--contact-sheet",
    metavar="FILE.png",
    help="Photographs: one picture with a detail of each before and after.",
)
@click.option(
    "--rank",
    callback=auto_or(click.INT),
    default="auto",
    show_default=True,
    metavar="auto|N",
    help="Cubes: number of eigen-images.",
)
@click.option(
    "--mode",
    type=Word(["subspace", "robust", "bands"]),
    default="subspace",
    show_default=True,
    help="Cubes: eigen-images; the same after stripes, stuck and odd values and dead lines are "
    "found and mended (includes --repair; from 10 bands on); or each band alone.",
)
@click.option("--repair", is_flag=True, help="Cubes: fill dead bands, missing and odd values.")
@click.option(
    "--non-local/--local",
    default=True,
    show_default=True,
    help="Cubes: denoise eigen-images a second time together, by what pixels with alike spectra "
    "say; or each by itself alone, in a fifth to four fifths of the time.",
)
@language_option
@array_options
@band_options_with("all, with their marks")
@device_option(default="auto")
@click.option("--threads", type=click.IntRange(1, 1024), metavar="N", help="CPU threads.")
def denoise(
    inputs: tuple[str, ...],
    output: str | None,
    model: str | None,
    weights: str | None,
    strength: float,
    self_ensemble: bool,
    precision: Precision,
    **given: Any,
) -> None:
    """Take the noise out of photographs, folders of them, and hyperspectral cubes.

    Photographs are PNG, JPEG, TIFF, WebP, AVIF, JPEG 2000, BMP, GIF and Netpbm's files, and HEIC
    and RAW with the extra photos; cubes ENVI, GeoTIFF, MATLAB, HDF5 and NumPy files.
    """
    stacking = given.pop("stack")
    given["joint"] = stacking == "joint"
    how = (strength, self_ensemble, precision)
    options = _checked(inputs, model, weights, how, {**given, "output": output})
    named = names_of(inputs, "inputs")
    announce("denoise", f"{named}, device {options.device}; {_goes_into(output)}")
    # What computes takes seconds to load.
    from ..api.progress import TerminalObserver
    from ..engine.allocation import keep_large_blocks
    from ..tasks.denoising.cubes.cube_jobs import (
        CubeSettings,
        denoise_cubes,
        refuse_shared_names,
        separate_cubes,
    )
    from ..tasks.denoising.options_of_kinds import done_without, refuse_other_kind, refused_cubes
    from ..tasks.denoising.photographs.image_denoising import denoise_images, plan_images
    from ..tasks.denoising.photographs.image_sheet import sheet_text

    keep_large_blocks()
    if given["joint"]:
        stacking = "pages"
    if given["axes"] is not None or given["shape"] is not None:
        stacking = "bands"
    images, cubes = separate_cubes(
        inputs, TerminalObserver(), stacking, [output, given["contact_sheet"]]
    )
    require_page(bool(cubes) and given["compare"], "a cube and --compare")
    folders = [path for path in map(Path, inputs) if path.is_dir()]
    chosen = {
        name: given[name] for name in ("mode", "repair", "non_local", "nodata", "axes", "bands")
    }
    settings = CubeSettings(
        variable=given["scene_variable"],
        shape=None if given["shape"] is None else tuple(given["shape"]),
        drop_water=bool(given["drop_water"]),
        rank="auto" if given["rank"] is None else given["rank"],
        noise=given["add_kind"],
        **chosen,
    )
    refuse_other_kind(images, cubes, options, given)
    refused = refused_cubes(images, cubes, options)
    cubes = [path for path in cubes if path not in refused]
    for line in done_without(images, cubes, given):
        say(line, err=True)
    refuse_shared_names(images, cubes, output, folders)
    if images and cubes:
        # Cubes take minutes: what would be refused of photographs is refused before them.
        plan_images(images, output, options, folders)
    done = 0
    without_sheet: HsiSuiteError | None = None
    observer = TerminalObserver()
    if cubes:
        files, wrong = denoise_cubes(
            cubes, output, options, settings, observer, folders, as_finished(observer, print_cube)
        )
        refused |= wrong
        done += len(files)
    if images:
        photographs, wrong = denoise_images(
            images, output, options, observer, folders, as_finished(observer, print_image)
        )
        sheet = options.contact_sheet
        without_sheet = None if sheet is None else wrong.pop(Path(sheet), None)
        refused |= wrong
        done += len(photographs)
        if without_sheet is not None:
            say(f"error: {without_sheet}", err=True)
        elif photographs and sheet is not None:
            beside = "; cubes are not on it" if cubes else ""
            say(f"{sheet}  {sheet_text(len(photographs))}{beside}")
    report_refused(refused, done)
    if without_sheet is not None:
        raise click.exceptions.Exit(2)


def _goes_into(output: str | None) -> str:
    """Where results go, in words."""
    return "results go beside what is denoised" if output is None else f"results go into {output}"


def _checked(
    inputs: tuple[str, ...],
    model: str | None,
    weights: str | None,
    how: tuple[float, bool, Precision],
    given: Mapping[str, Any],
) -> DenoisingOptions:
    """What the options say of photographs and cubes alike, refused where they mean nothing."""
    from ..data.missing_files import require_cube
    from ..engine.device_names import require_precision, sure_device
    from ..errors import ConfigError
    from ..tasks.denoising.denoising_options import DenoisingOptions
    from ..tasks.denoising.named_places import check_names
    from ..tasks.denoising.options_of_kinds import check_scale, kinds_by_name, refuse_other_kind
    from ..tasks.denoising.restoration_settings import Restoration
    from ..tasks.denoising.weight_files import find_weights
    from ..user_files import require_regular
    from ..weights import shipped_weights

    if model is not None and weights is not None:
        raise ConfigError("--weights", "given beside --model", "one of the two")
    for each in inputs:
        require_cube(Path(each))
    if given["reference"] is not None:
        require_regular(Path(given["reference"]), "the clean image or cube")
    if given["rank"] is not None and given["rank"] < 1:
        raise ConfigError("--rank", f"{given['rank']}", "auto or a number, at least 1")
    if model is not None:
        shipped_weights(model)
    if given["add_kind"] != "gaussian" and given["add_noise"] is None:
        raise ConfigError("--add-kind", "given without --add-noise", "both, for a trial")
    sigmas: tuple[float, ...] = given["sigma"]
    shared = {each.name for each in fields(DenoisingOptions)} & set(given) - {"sigma"}
    options = DenoisingOptions(
        weights=weights or model,
        how=Restoration(*how),
        sigma=sigmas[0] if len(sigmas) == 1 else None,
        page_sigmas=sigmas if len(sigmas) > 1 else (),
        **{name: given[name] for name in shared},
    )
    options.check(inputs)
    written = [given["output"], given["contact_sheet"]]
    images, cubes, either = kinds_by_name(inputs, written)
    require_page(given["compare"] and bool(cubes or either), "a cube and --compare")
    if not either:
        refuse_other_kind(images, cubes, options, given)
    elif images:
        check_scale(options)
    check_names(inputs, given["output"], options)
    require_precision("--precision", options.how.precision, sure_device(options.device))
    if options.weights is not None:
        find_weights(options.weights)
    return options
