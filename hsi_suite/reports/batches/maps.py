"""What the classification maps of several runs say together: class, disagreement, entropy."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, cast

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure as Drawing
from numpy.typing import NDArray
from PIL import Image

from ...palette import NO_DATA, Colour, class_colours
from ...printable import UNDEFINED
from ..content import MOST_CLASSES, count, hex_colour, percent
from ..document import Cell, Figure, Picture, Table, columns
from ..drawing import data_uri
from ..paper.frame import MapFrame
from ..paper.panels import Panel, scene_figure
from .values import name_text, runs_text

LARGEST_EDGE = 640
_WIDEST = 320  # CSS pixels: three maps stand side by side
_STEPS = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True, eq=False)
class Votes:
    """The maps of n runs of one scene, pixel by pixel.

    Attributes:
        winner: lines × samples: the most frequent label, the lowest of equals; 0 = no data.
        disagreement: lines × samples: share of the runs that give another label; 0 where no data.
        entropy: lines × samples: Shannon entropy of the runs' labels, bits; 0 where no data.
        runs: how many maps.
        step: every how many lines and samples were taken.
    """

    winner: NDArray[np.uint16]
    disagreement: NDArray[np.float32]
    entropy: NDArray[np.float32]
    runs: int
    step: int


def thinning(shape: tuple[int, ...]) -> int:
    """Every how many lines and samples a map of this shape is taken, to stay a small picture."""
    return max(1, math.ceil(max(shape) / LARGEST_EDGE))


def count_votes(maps: Sequence[NDArray[np.integer]], step: int = 1) -> Votes:
    """Count what the runs say about each pixel.

    Args:
        maps: at least one, lines × samples of labels, 0 = no data, all of one shape.
        step: every how many lines and samples they hold.
    """
    shape = maps[0].shape
    most = np.zeros(shape, np.uint16)
    winner = np.zeros(shape, np.uint16)
    entropy = np.zeros(shape, np.float32)
    # Pixel by pixel in rising order: equal votes stand together, whatever the number of classes.
    ordered = np.sort(np.stack([one.astype(np.uint16) for one in maps]), axis=0)
    votes = np.zeros(shape, np.uint16)
    for place, labels in enumerate(ordered):
        votes += 1
        last = place + 1 == len(ordered)
        ends = (labels > 0) & (True if last else ordered[min(place + 1, len(maps) - 1)] != labels)
        better = ends & (votes > most)
        most[better], winner[better] = votes[better], labels[better]
        share = np.where(ends, votes.astype(np.float32) / np.float32(len(maps)), np.float32(0))
        entropy -= share * np.log2(share, where=share > 0, out=np.zeros_like(share))
        votes[(labels == 0) | ends] = 0
    known = winner > 0
    disagreement = np.where(known, 1 - most.astype(np.float32) / len(maps), 0).astype(np.float32)
    return Votes(winner, disagreement, np.where(known, entropy, 0), len(maps), step)


def atlas(votes: Votes, names: Mapping[int, str], title: str) -> Figure:
    """The pictures of a group's maps with legends and numbers.

    Args:
        votes: of the group's runs.
        names: of the classes by label.
        title: what the maps are of.
    """
    present = [int(label) for label in np.unique(votes.winner) if label > 0]
    palette = class_colours(max([*names, *present], default=0))
    thinned = f" Every {votes.step}th line and sample is shown." if votes.step > 1 else ""
    over = runs_text(votes.runs)
    image = palette[votes.winner]
    image[votes.winner == 0] = NO_DATA
    what = f"The class that most of {over} give each pixel" if votes.runs > 1 else "The run's map"
    pictures = [
        _picture(image, f"{title}: {what}.", f"{what}.{thinned}", "most_frequent_class", votes.step)
    ]
    sizes = np.bincount(votes.winner.ravel(), minlength=len(palette))
    largest = sorted(sorted(present, key=lambda k: -int(sizes[k]))[:MOST_CLASSES])
    entries = [(hex_colour(palette[k]), _class(names, k)) for k in largest]
    if len(largest) < len(present):
        entries.append((hex_colour(NO_DATA), f"and {count(len(present) - len(largest))} more"))
    legends = [("classes", entries)]
    if votes.runs > 1:
        highest = math.log2(min(votes.runs, max(len(present), 2)))
        pictures += [
            _heat(votes.disagreement, 1.0, votes, f"{title}: disagreement",
                  "Share of the runs that give another class than the most frequent one.",
                  "disagreement"),
            _heat(votes.entropy, highest, votes, f"{title}: entropy of the votes",
                  "Entropy of the runs' votes: 0 where all agree, the higher the more they are "
                  "spread over classes.", "entropy"),
        ]  # fmt: skip
        colours = [hex_colour(colormaps["magma"](step, bytes=True)) for step in _STEPS]
        shares = [f"{100 * step:g} %" for step in _STEPS]
        bits = [f"{highest * step:.2g} bit" for step in _STEPS]
        legends += [
            ("disagreement", list(zip(colours, shares, strict=True))),
            ("entropy", list(zip(colours, bits, strict=True))),
        ]
    tables = [_class_table(votes, names, present, palette)]
    if votes.runs > 1:
        tables.append(_agreement_table(votes))
    drawn = [
        replace(each, legend=legend, draw=partial(cast(Any, each.draw), entries=legend[1]))
        for each, legend in zip(pictures, legends, strict=True)
    ]
    return Figure(drawn, tables)


def _class(names: Mapping[int, str], label: int) -> str:
    return name_text(names.get(label, f"label {label}"))


def _drawing(
    width: float, image: NDArray[np.uint8], step: int, entries: Sequence[tuple[str, str]]
) -> Drawing:
    """A picture for a file of its own, with its legend."""
    lines, samples = image.shape[:2]
    named = [(name, _levels(colour)) for colour, name in entries]
    return scene_figure([Panel("", image)], named, MapFrame(lines * step, samples * step), width)


def _levels(colour: str) -> Colour:
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return red, green, blue


def _picture(image: NDArray[np.uint8], alt: str, caption: str, name: str, step: int) -> Picture:
    uri = data_uri(_png(image), "png")
    lines, samples = image.shape[:2]
    scale = min(_WIDEST / samples, 2 * _WIDEST / lines)
    # Whole pixels stay square; a scene that is larger than its place is left to the browser.
    scale = math.floor(scale) if scale >= 1 else scale
    width, height = max(1, round(scale * samples)), max(1, round(scale * lines))
    draw = partial(_drawing, image=image, step=step)
    return Picture(uri, uri, width, height, alt, caption, pixels=True, name=name, draw=draw)


def _heat(
    values: NDArray[np.float32], highest: float, votes: Votes, alt: str, caption: str, name: str
) -> Picture:
    picture = np.asarray(colormaps["magma"](values / highest, bytes=True), np.uint8)[..., :3].copy()
    picture[votes.winner == 0] = NO_DATA
    return _picture(picture, f"{alt}. {caption}", caption, name, votes.step)


def _png(image: NDArray[np.uint8]) -> bytes:
    """A picture of few colours as a PNG file, one pixel for each of the scene."""
    buffer = io.BytesIO()
    flat = image.reshape(-1, 3).astype(np.uint32)
    codes, inverse = np.unique(flat @ np.array([65536, 256, 1], np.uint32), return_inverse=True)
    if len(codes) <= 256:
        picture = Image.fromarray(inverse.reshape(image.shape[:2]).astype(np.uint8))
        colours = np.stack([codes >> 16, codes >> 8 & 255, codes & 255], 1).astype(np.uint8)
        picture.putpalette(colours.tobytes())
    else:
        picture = Image.fromarray(image)
    picture.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _class_table(
    votes: Votes, names: Mapping[int, str], present: Sequence[int], palette: NDArray[np.uint8]
) -> Table:
    known = max(int((votes.winner > 0).sum()), 1)
    # One sorting for all classes instead of one look at the whole map for each.
    flat = votes.winner.ravel()
    order = np.argsort(flat, kind="stable")
    starts = np.searchsorted(flat[order], present)
    ends = np.searchsorted(flat[order], present, side="right")
    disagreement, entropy = votes.disagreement.ravel(), votes.entropy.ravel()
    chosen = sorted(range(len(present)), key=lambda k: starts[k] - ends[k])[:MOST_CLASSES]
    rows = []
    for k in sorted(chosen):
        label, inside = present[k], order[starts[k] : ends[k]]
        share, differs = len(inside) / known, disagreement[inside].mean()
        rows.append(
            (
                Cell(_class(names, label), colour=hex_colour(palette[label])),
                Cell(percent(share), share),
                Cell(percent(differs) if votes.runs > 1 else UNDEFINED, float(differs)),
                Cell(f"{entropy[inside].mean():.3f}" if votes.runs > 1 else UNDEFINED),
            )
        )
    what = "The mean map class by class: share of the scene, mean disagreement and entropy there."
    if len(rows) < len(present):
        what += f" The {len(rows)} largest of {count(len(present))} classes."
    return Table(
        what,
        columns("class", "share of pixels, %", "disagreement, %", "entropy, bit"),
        rows,
        sortable=True,
    )


def _agreement_table(votes: Votes) -> Table:
    known = votes.winner > 0
    differing = np.rint(votes.disagreement[known] * votes.runs).astype(np.int64)
    counts = np.bincount(differing, minlength=1)
    total = max(int(counts.sum()), 1)
    rows = []
    for number in np.flatnonzero(counts).tolist():
        words = "none" if number == 0 else f"{number} of {votes.runs}"
        pixels = int(counts[number])
        rows.append(
            (
                Cell(words, number),
                Cell(f"{pixels:,}", pixels),
                Cell(percent(pixels / total), pixels),
            )
        )
    return Table(
        "Pixels by the number of runs that differ from the most frequent class.",
        columns("runs that differ", "pixels", "share, %"),
        rows,
    )
