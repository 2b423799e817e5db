"""`python -m benchmarks.print_pictures`: what `hsi denoise` by itself makes of print behind JPEG.

Drawings of `drawn_pictures` in black on white, or white on black; also without anything between
the two (hard, as a fax has it), and at 0.7 of their size (small); mazes; photographs of BSDS500 as
black and white alone, dithered, and dithered on a half or a part of a page of text; dithers and
checkerboards of 1, 2, 4 pixels, and so on, in two greys (`--greys`: these alone). Of each quality
and kind: how many are found to be print, how many of these go to `jpeg_denoiser`, and what those
gain in PSNR, mean and least. `--left` sends the others through it, too, to say what they would
gain.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from hsi_suite.data.artefacts import eight_bits, through_jpeg
from hsi_suite.engine.observer import Observer
from hsi_suite.restoration.jpeg_steps import hold_to_steps
from hsi_suite.restoration.jpeg_traces import JpegTraces
from hsi_suite.restoration.noise_kind import find_noise
from hsi_suite.tasks.denoising.denoiser import Denoiser
from hsi_suite.tasks.denoising.evaluation import picture_batch, picture_of, restored
from hsi_suite.tasks.denoising.photographs.network_choice import weights_for
from hsi_suite.tasks.denoising.scores import evaluated_images
from hsi_suite.tasks.denoising.weights import load_weights
from hsi_suite.weights import JPEG_WEIGHTS

from .drawn_pictures import SIDE, Pixels, pictures, ratio

# Others than those on which the rule was chosen, which are of drawn_pictures' seed.
_SEED = 21
_DRAWN = ("pages", "signs", "line_art", "codes", "held out: serif pages", "held out: sheet music")
_MAZES, _PAGES = "held out: mazes", "pages"
_SMALLER = 0.7
_LEVELS = np.float32(255)
_WHITE, _MIDDLE, _INK = 255.0, 127, 0.2
_DARK, _BRIGHT = 60.0, 200.0


def in_black_and_white(drawing: Pixels) -> Pixels:
    """A drawing with its commonest luma as paper, white or black, and what is furthest as ink."""
    luma = np.asarray(Image.fromarray(drawing).convert("L"), float)
    paper = float(np.bincount(luma.astype(int).ravel(), minlength=256).argmax())
    ends = np.percentile(luma, (_INK, 100 - _INK))
    ink = float(ends[np.abs(ends - paper).argmax()])
    share = (luma - paper) / (ink - paper) if ink != paper else np.zeros_like(luma)
    return _three(_WHITE * (share if ink > paper else 1 - share))


def hard(picture: Pixels) -> Pixels:
    """Black and white alone."""
    return _three(np.where(picture[..., 0] > _MIDDLE, _WHITE, 0.0))


def small(picture: Pixels) -> Pixels:
    """At a share of its size."""
    side = round(_SMALLER * len(picture))
    smaller = Image.fromarray(picture[..., 0]).resize((side, side), Image.Resampling.LANCZOS)
    return _three(np.asarray(smaller, float))


def dithered(picture: Pixels, brightness: float = 1.0) -> Pixels:
    """Floyd and Steinberg's dither of a picture."""
    values = (brightness * picture[..., 0]).clip(0, _WHITE).astype(np.uint8)
    return _three(_WHITE * np.asarray(Image.fromarray(values).convert("1"), float))


def in_two_greys(picture: Pixels) -> Pixels:
    """Black and white as a dark and a bright grey."""
    return _three(_DARK + (_BRIGHT - _DARK) / _WHITE * picture[..., 0])


def squares(size: int) -> Pixels:
    """A checkerboard in black and white."""
    places = np.arange(SIDE) // size
    return _three(_WHITE * (np.add.outer(places, places) % 2))


def _three(plane: NDArray[np.float64]) -> Pixels:
    return np.rint(plane.clip(0, _WHITE)).astype(np.uint8)[..., None].repeat(3, 2)


def photographs(count: int) -> list[Pixels]:
    """The corners of photographs that no network learns from, in grey."""
    images = evaluated_images("denoising/jpeg_denoiser", "rgb", Observer()).images[:count]
    corners = [Image.fromarray(image[:SIDE, :SIDE]).convert("L") for image in images]
    return [_three(np.asarray(corner, float)) for corner in corners]


def prints(count: int, scenes: Sequence[Pixels]) -> dict[str, list[Pixels]]:
    """Pictures in black and white by their kind, some of each."""
    drawn = pictures(count, _SEED)
    black = {kind: [in_black_and_white(each) for each in drawn[kind]] for kind in (*_DRAWN, _MAZES)}
    made = {kind: black[kind] for kind in _DRAWN}
    for name, change in (("hard", hard), ("small", small)):
        made |= {f"{name} {kind}": [change(each) for each in black[kind]] for kind in _DRAWN}
    pages = black[_PAGES][: len(scenes)]
    screens = [dithered(each) for each in scenes]
    return made | {
        "mazes": black[_MAZES],
        "small mazes": [small(each) for each in black[_MAZES]],
        "photographs, hard": [hard(each) for each in scenes],
        "photographs, hard, small": [small(hard(each)) for each in scenes],
        "dithers": screens,
        "dithers, small": [small(each) for each in screens],
        "bright dithers": [dithered(each, 3.0) for each in scenes],
        "dithers in two greys": [in_two_greys(each) for each in screens],
        "squares in two greys": [in_two_greys(squares(2**power)) for power in range(count)],
        "pages, half dithered": [
            np.concatenate([page[: SIDE // 2], screen[: SIDE // 2]])
            for page, screen in zip(pages, screens, strict=True)
        ],
        "pages, a part dithered": [
            _pasted(page, screen[:64, :128]) for page, screen in zip(pages, screens, strict=True)
        ],
    }


def _pasted(page: Pixels, part: Pixels) -> Pixels:
    lines, samples = part.shape[:2]
    whole = page.copy()
    whole[-lines:, :samples] = part
    return whole


def mended(denoiser: Denoiser, levels: Pixels, jpeg: JpegTraces) -> Pixels:
    """A JPEG through the network, held to its steps."""
    shown = picture_of(restored(denoiser, picture_batch([levels / _LEVELS]), 0.0))
    clean = eight_bits(shown)
    hold_to_steps(levels, clean, jpeg, _WHITE)
    return clean


def gains(
    denoiser: Denoiser, drawn: Sequence[Pixels], quality: int, *, left: bool
) -> tuple[list[float], list[float]]:
    """What those gain that are sent to the network, and those found to be print that are not.

    Without `left`, the others are counted, and gain 0.
    """
    sent, others = [], []
    for picture in drawn:
        levels = eight_bits(through_jpeg(picture / _LEVELS, quality, subsampling=True))
        found = find_noise(levels.astype(np.float32), quality)
        if not found.drawn or found.signs.jpeg is None:
            continue
        chosen = weights_for(found) == JPEG_WEIGHTS
        gain = 0.0
        if chosen or left:
            clean = mended(denoiser, levels, found.signs.jpeg)
            gain = ratio(picture, clean / _LEVELS) - ratio(picture, levels / _LEVELS)
        (sent if chosen else others).append(gain)
    return sent, others


def _cell(values: Sequence[float]) -> str:
    return f"{np.mean(values):+.2f} ({min(values):+.2f})" if values else ""


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.print_pictures", description=(__doc__ or "").split("\n\n")[0]
    )
    parser.add_argument("--quality", type=int, nargs="+", default=[30, 60, 75, 80])
    parser.add_argument("--count", type=int, default=5, help="pictures of each kind")
    parser.add_argument("--left", action="store_true", help="also what those left alone would gain")
    parser.add_argument("--greys", action="store_true", help="those in two greys alone")
    options = parser.parse_args()
    torch.set_num_threads(1)
    denoiser = load_weights(JPEG_WEIGHTS, torch.device("cpu"))
    kinds = prints(options.count, photographs(options.count))
    if options.greys:
        kinds = {kind: drawn for kind, drawn in kinds.items() if "two greys" in kind}
    for quality in options.quality:
        print(f"\nquality {quality:<20} print   sent  {'gain of them':16}left alone")
        for kind, drawn in kinds.items():
            sent, others = gains(denoiser, drawn, quality, left=options.left)
            counts = f"{len(sent) + len(others):5}{len(sent):7}"
            would = _cell(others) if options.left else ""
            print(f"{kind:28}{counts}  {_cell(sent):16}{would}".rstrip(), flush=True)


if __name__ == "__main__":
    main()
