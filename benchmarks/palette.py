"""`python -m benchmarks.palette`: how far the colours of `hsi_suite.palette` are apart.

Differences are the least of normal vision and of vision without one kind of cone. `--fit` searches
for class colours anew and prints them: nine that are far apart, seven that are far from these, four
more. Of two measures, CIE 1976 and CIEDE2000, the search takes the smaller, the first one counted
at 0.6, as it makes much of saturated colours.
"""

from __future__ import annotations

import argparse

import numpy as np
from numpy.typing import NDArray
from skimage.color import deltaE_ciede2000

from hsi_suite.metrics.colours import VISIONS, cielab, differences, least_difference
from hsi_suite.palette import RIGHT, SERIES, SPLIT_COLOURS, WRONG, class_colours

_GREYS = np.repeat(np.arange(0, 256, 3)[:, None], 3, axis=1)
_LEVELS = np.arange(0, 256, 17)
_FROM_GREY = 14.0
_LIGHTNESS = (22, 95)  # neither as the unlabelled nor as paper
_STAGES = (9, 16, 20)
_CHOICES = 8
_PATIENCE = 40

Floats = NDArray[np.float64]
Colours = NDArray[np.integer]


def main() -> None:
    """Print the differences, or search."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fit", action="store_true", help="search for class colours")
    parser.add_argument("--starts", type=int, default=100, help="of the search, each stage")
    arguments = parser.parse_args()
    if arguments.fit:
        colours = search(arguments.starts)
        print(" ".join(f"{r:02x}{g:02x}{b:02x}" for r, g, b in colours))
    else:
        colours = class_colours(20)[1:]
    for number in (2, 4, 6, 9, 12, 16, 20):
        print(f"{number:3} classes: {_words(colours[:number])}")
    print(f"classes and any grey: {differences(colours, _GREYS).min():.1f}")
    print(f"greys of parts: {least_difference(SPLIT_COLOURS):.1f}")
    print(f"right and wrong: {_words(np.array([RIGHT, WRONG]))}")
    series = np.array([[int(one[k : k + 2], 16) for k in (1, 3, 5)] for one in SERIES])
    print(f"{len(series)} series: {_words(series)}")


def _words(colours: Colours) -> str:
    newer = min(
        deltaE_ciede2000(cielab(one, vision), cielab(other, vision))
        for place, one in enumerate(colours)
        for other in colours[:place]
        for vision in VISIONS
    )
    return f"{least_difference(colours):.1f}, by CIEDE2000 {newer:.1f}"


def search(starts: int) -> Colours:
    """Colours of classes, each stage's far from one another and from those before."""
    rng = np.random.default_rng(0)
    candidates = np.stack(np.meshgrid(_LEVELS, _LEVELS, _LEVELS, indexing="ij"), -1).reshape(-1, 3)
    light = cielab(candidates)[:, 0]
    far = differences(candidates, _GREYS).min(1) >= _FROM_GREY
    candidates = candidates[(light > _LIGHTNESS[0]) & (light < _LIGHTNESS[1]) & far]
    apart = _apart(candidates)
    chosen: list[int] = []
    for number in _STAGES:
        found = max(
            (_climb(chosen, number, apart, rng) for _ in range(starts)),
            key=lambda each: _least(apart, each),
        )
        chosen = _ordered(found, len(chosen), apart)
    return candidates[chosen]


def _apart(colours: Colours) -> Floats:
    """Every candidate against every other; infinite against itself."""
    result = np.full((len(colours), len(colours)), np.inf)
    for vision in VISIONS:
        seen = cielab(colours, vision)
        for place, one in enumerate(seen):
            both = np.minimum(
                0.6 * np.linalg.norm(seen - one, axis=1), deltaE_ciede2000(seen, one[None])
            )
            result[place] = np.minimum(result[place], both)
    np.fill_diagonal(result, np.inf)
    return result


def _least(apart: Floats, chosen: list[int]) -> float:
    return float(apart[np.ix_(chosen, chosen)].min())


def _nearest(apart: Floats, chosen: list[int]) -> Floats:
    """How near each candidate is to the chosen ones; −1 for these."""
    near = apart[chosen].min(0) if chosen else np.ones(len(apart))
    near[chosen] = -1
    return near


def _climb(kept: list[int], number: int, apart: Floats, rng: np.random.Generator) -> list[int]:
    """From a draw, replace one of the closest pair while that helps; shake where it does not."""
    current = list(kept)
    while len(current) < number:
        current.append(int(rng.choice(np.argsort(-_nearest(apart, current))[:_CHOICES])))
    best, idle = list(current), 0
    while idle < _PATIENCE:
        square = apart[np.ix_(current, current)]
        pair = np.unravel_index(square.argmin(), square.shape)
        moved = False
        for place in (int(each) for each in pair if each >= len(kept)):
            rest = current[:place] + current[place + 1 :]
            trial = [*current[:place], int(_nearest(apart, rest).argmax()), *current[place + 1 :]]
            if _least(apart, trial) > _least(apart, current):
                current, moved = trial, True
                break
        if not moved:
            trial = list(current)
            for place in rng.choice(np.arange(len(kept), number), 2, replace=False).tolist():
                rest = trial[:place] + trial[place + 1 :]
                trial[place] = int(rng.choice(np.argsort(-_nearest(apart, rest))[:_CHOICES]))
            if _least(apart, trial) >= _least(apart, current) - 0.7 * rng.random():
                current = trial
            idle += 1
        if _least(apart, current) > _least(apart, best):
            best, idle = list(current), 0
    return best


def _ordered(chosen: list[int], kept: int, apart: Floats) -> list[int]:
    """Those that are kept, then always the one farthest from all before."""
    order, rest = chosen[: max(kept, 1)], chosen[max(kept, 1) :]
    while rest:
        order.append(rest.pop(int(np.argmax([apart[order, each].min() for each in rest]))))
    return order


if __name__ == "__main__":
    main()
