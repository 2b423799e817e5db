"""`hsi denoise`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from ..pipelines.image_denoising import DenoisedImage

_EXAMPLES = """\b
Examples:
  hsi denoise photo.jpg
  hsi denoise scans/ -o clean/ --sigma 12
  hsi denoise photo.png --add-noise 25 --compare
"""
_UNITS = {"": 1, "M": 1e6, "G": 1e9}


def _auto_or(kind: type[int] | type[float]) -> Callable[..., float | None]:
    """A callback that turns auto into None and anything else into a number."""

    def convert(context: click.Context, parameter: click.Parameter, value: str) -> float | None:
        if value == "auto":
            return None
        try:
            return kind(value)
        except ValueError:
            raise click.BadParameter(f"{value!r} is neither auto nor a number") from None

    return convert


def _bytes(context: click.Context, parameter: click.Parameter, value: str) -> float:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([MG]?)B?", value.upper())
    if match is None:
        raise click.BadParameter(f"{value!r} is no amount of memory such as 800M or 2G")
    return float(match[1]) * _UNITS[match[2]]


@click.command(epilog=_EXAMPLES)
@click.argument("inputs", metavar="INPUT...", nargs=-1, required=True)
@click.option(
    "-o", "--output", metavar="OUT", help="A file, or a folder.  [default: NAME_denoised.png]"
)
@click.option(
    "--sigma",
    callback=_auto_or(float),
    default="auto",
    show_default=True,
    metavar="auto|VALUE",
    help="Standard deviation of the noise on the scale 0 to 255, whatever the image's depth.",
)
@click.option("--model", metavar="NAME", help="Weights that ship with hsi_suite, by name.")
@click.option("--weights", metavar="FILE", help="Weights of your own, or a public checkpoint.")
@click.option(
    "--strength", type=float, default=1.0, show_default=True, help="Share of the change, 0 to 1."
)
@click.option("--self-ensemble", is_flag=True, help="Mean over 8 flips and turns; 8 times slower.")
@click.option("--precision", type=click.Choice(["fp32", "bf16"]), default="fp32", show_default=True)
@click.option(
    "--tile",
    callback=_auto_or(int),
    default="auto",
    show_default=True,
    metavar="auto|N",
    help="Side of the tiles in pixels; no seams at any size.",
)
@click.option(
    "--memory-limit",
    callback=_bytes,
    default="2G",
    show_default=True,
    metavar="SIZE",
    help="Memory to stay within.",
)
@click.option("--overwrite", is_flag=True, help="Let results take the place of inputs.")
@click.option("--reference", metavar="CLEAN", help="The clean image: print PSNR and SSIM.")
@click.option(
    "--add-noise", type=float, metavar="SIGMA", help="Add noise first (0 to 255), as a trial."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of that noise.")
@click.option("--compare", is_flag=True, help="Also write a picture of before and after.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N.")
@click.option("--threads", type=click.IntRange(1), help="CPU threads.")
def denoise(
    inputs: tuple[str, ...],
    output: str | None,
    model: str | None,
    weights: str | None,
    strength: float,
    self_ensemble: bool,
    precision: str,
    **given: Any,
) -> None:
    """Take the noise out of photographs (PNG, JPEG, TIFF, BMP) or folders of them."""
    from ..engine.allocation import keep_large_blocks
    from ..errors import ConfigError, InputFileError
    from ..pipelines.image_denoising import DenoisingOptions, denoise_images
    from ..pipelines.image_restoration import Restoration
    from .progress import TerminalObserver

    if model is not None and weights is not None:
        raise ConfigError("--weights", "given beside --model", "one of the two")
    keep_large_blocks()
    how = Restoration(strength=strength, self_ensemble=self_ensemble, bf16=precision == "bf16")
    options = DenoisingOptions(weights=weights or model, how=how, **given)
    done, refused = denoise_images(inputs, output, options, TerminalObserver())
    for image in done:
        _print(image)
    if len(refused) == 1 and not done:
        raise next(iter(refused.values()))
    for error in refused.values():
        click.echo(f"error: {error}", err=True)
    if refused:
        raise InputFileError(
            "hsi denoise", f"{len(refused)} of {len(done) + len(refused)} images were not denoised"
        )


def _print(image: DenoisedImage) -> None:
    line = str(image.target)
    if image.sigma is not None:
        line += f"  σ {image.sigma:.1f} of 255{' (estimated)' if image.estimated else ''}"
    click.echo(line)
    if image.before is not None and image.after is not None:
        for name, scores in (("noisy", image.before), ("denoised", image.after)):
            click.echo(
                f"  {name:8} {scores['peak_signal_noise_ratio']:6.2f} dB, "
                f"SSIM {scores['structural_similarity']:.4f}"
            )
    if image.comparison is not None:
        click.echo(f"  {image.comparison}")
