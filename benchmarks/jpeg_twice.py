"""`python -m benchmarks.jpeg_twice FOLDER`: JPEGs that were cut and written again, more finely.

Photographs that no network learns from (20 of BSDS500 and FOLDER's clean ones, at half their size,
which leaves no JPEG, and FOLDER's noisy ones) are written as JPEG, lose some lines and samples, and
are written again. A line gives, of one kind and two qualities: in how many the first JPEG is found
with its blocks where they begin, by edges of blocks alone and now; the PSNR of the file; what
`hsi denoise` adds to it by itself, mean and least, when edges alone are asked and now; and what is
chosen now. Rows of one quality are written once. The last line, alone with --time, is what the
search takes, in milliseconds a picture.
"""

from __future__ import annotations

import argparse
import io
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from unittest import mock

import numpy as np
import torch
from PIL import Image

from hsi_suite.errors import HsiSuiteError
from hsi_suite.restoration import jpeg_grids, jpeg_traces
from hsi_suite.restoration.noise_signs import luma_of, middle_of
from hsi_suite.tasks.denoising.photographs.network_choice import Networks

from .lossy_formats import Levels, Pair, denoised, pairs_of, ratio

QUALITIES = ((60, 90), (75, 85), (75, 95), (85, 95), (90, 98), (75, None), (90, None), (None, 95))
CROPS = ((3, 5), (1, 2), (4, 4), (0, 3), (7, 6))
_WHITE = 255.0
# Qualities that are found differ by less than this from those that were written.
_SAME = 2
_ROUNDS = 3


@dataclass(frozen=True)
class Row:
    """Of one file, by edges alone and now: whether it is found, and gains in dB."""

    found: tuple[bool, bool]
    before: float
    gains: tuple[float, float]
    name: str


def written_twice(pair: Pair, qualities: tuple[int | None, int | None], number: int) -> Pair:
    """A clean picture cut, and what was written of it; None of the qualities: not JPEG."""
    down, across = CROPS[number % len(CROPS)]
    clean, once = pair[0], _through(pair[1], qualities[0])
    return clean[down:, across:], _through(once[down:, across:], qualities[1])


def _through(image: Levels, quality: int | None) -> Levels:
    if quality is None:
        return image
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer))


def row(networks: Networks, pair: Pair, qualities: tuple[int | None, int | None], at: int) -> Row:
    """What is made of a file that was written twice."""
    clean, values = written_twice(pair, qualities, at)
    corner = tuple(-each % jpeg_grids.BLOCK for each in CROPS[at % len(CROPS)])
    luma = luma_of(middle_of(values).astype(np.float32))
    before = ratio(clean, values)
    found: list[bool] = []
    gains: list[float] = []
    name, last = "", None
    for corners in (_edges_alone, jpeg_grids.likely_corners):
        with mock.patch.object(jpeg_traces, "likely_corners", corners):
            jpeg = jpeg_traces.find_jpeg(luma)
            choice = networks.choose(values, _WHITE, quality=qualities[1])
        near = jpeg is not None and abs(jpeg.quality - (qualities[0] or 0)) <= _SAME
        found.append(near and jpeg is not None and jpeg.corner == corner)
        name = "left" if choice.denoiser is None else choice.words.rpartition(": ")[2]
        # The same choice gives the same picture.
        same = last is not None and (choice.words, choice.jpeg) == (last.words, last.jpeg)
        gains.append(gains[0] if same else ratio(clean, denoised(choice, values)) - before)
        last = choice
    return Row((found[0], found[1]), before, (gains[0], gains[1]), name)


def _edges_alone(luma: jpeg_grids.Plane) -> list[jpeg_grids.Corner]:
    return [jpeg_grids.edge_corner(luma)]


def lines(sets: dict[str, list[Pair]]) -> Iterator[str]:
    """The lines of the table."""
    networks = Networks(None, "auto", torch.device("cpu"))
    for name, pairs in sets.items():
        for qualities in QUALITIES:
            rows = [row(networks, pair, qualities, at) for at, pair in enumerate(pairs)]
            first, second = ("—" if each is None else str(each) for each in qualities)
            yield f"{name:15} {first:>2} → {second:2} {_text(rows)}"
    yield _time(_written(sets))


def _text(rows: list[Row]) -> str:
    found = [sum(row.found[way] for row in rows) for way in (0, 1)]
    cells = [f"{found[0]:2} {found[1]:2} of {len(rows)}"]
    cells.append(f"{np.mean([row.before for row in rows]):6.2f}")
    for way in (0, 1):
        gains = [row.gains[way] for row in rows]
        cells.append(f"{np.mean(gains):+6.2f} ({min(gains):+.2f})")
    counted = Counter(row.name for row in rows)
    return "  ".join([*cells, ", ".join(f"{name} {count}" for name, count in counted.items())])


def _written(sets: dict[str, list[Pair]]) -> list[Levels]:
    """What is looked at for its time: the pictures of the first set."""
    return [pair[1] for pair in next(iter(sets.values()))]


def _time(images: list[Levels]) -> str:
    lumas = [luma_of(middle_of(image).astype(np.float32)) for image in images]
    taken = []
    for corners in (_edges_alone, jpeg_grids.likely_corners):
        with mock.patch.object(jpeg_traces, "likely_corners", corners):
            rounds = []
            for _ in range(_ROUNDS):
                started = time.process_time()
                for luma in lumas:
                    jpeg_traces.find_jpeg(luma)
                rounds.append(time.process_time() - started)
        taken.append(1000 * min(rounds) / len(lumas))
    return f"one corner {taken[0]:.0f} ms, all {taken[1]:.0f} ms a picture"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.jpeg_twice", description=(__doc__ or "").split("\n\n")[0]
    )
    parser.add_argument("folder", help="of pairs of photographs in colour, as PolyU has them")
    parser.add_argument("--time", action="store_true", help="only say what the search takes")
    options = parser.parse_args()
    torch.set_num_threads(1)
    try:
        sets = pairs_of(options.folder, slice(None))
    except HsiSuiteError as error:
        sys.exit(str(error))
    sets = {name: pairs for name, pairs in sets.items() if "white" not in name}
    for line in [_time(_written(sets))] if options.time else lines(sets):
        print(line, flush=True)


if __name__ == "__main__":
    main()
