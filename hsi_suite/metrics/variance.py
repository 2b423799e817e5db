"""How much of the spread of repeated runs each source of chance brings."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeGuard

from scipy import stats

from .statistics import Interval, check_level, defined, squeezed, std_interval

# Values are of the size of 1: their rounding alone has variances of 1e-34.
LEAST_VARIANCE = 1e-100
Scale = Literal["identity", "logit"]


@dataclass(frozen=True)
class SourceVariance:
    """What one source of chance does alone, the others fixed; what is undefined is None.

    Attributes:
        n: runs with a value.
        anchors: states of the other sources at which this one was varied.
        degrees_of_freedom: runs less one for each anchor.
        variance: pooled over the anchors.
        std: its square root.
        std_interval: chi-square interval of it.
        share: of the variance of all sources together; may exceed 1.
        share_interval: of that share, from the F distribution.
    """

    n: int
    anchors: int
    degrees_of_freedom: int
    variance: float | None
    std: float | None
    std_interval: Interval | None
    share: float | None
    share_interval: Interval | None


@dataclass(frozen=True)
class VarianceShares:
    """The spread of repeated runs, taken apart; what is undefined is None.

    Attributes:
        scale: on which the values were taken.
        n: runs in which all sources vary together.
        total_variance: of those.
        total_std: its square root.
        total_std_interval: chi-square interval of it.
        sources: by name.
        remainder: total variance less the sum of the sources'. Above 0 it belongs to what is not
            varied alone; below 0 the sources interact, as each one's own variance holds its
            interactions with the others, which are then counted more than once.
        remainder_share: of the total variance.
        remainder_share_interval: of that share, from the F distribution (Satterthwaite 1946).
        level: nominal coverage of the intervals.
        notes: what has to be known to read the above rightly, in sentences.
    """

    scale: Scale
    n: int
    total_variance: float | None
    total_std: float | None
    total_std_interval: Interval | None
    sources: Mapping[str, SourceVariance]
    remainder: float | None
    remainder_share: float | None
    remainder_share_interval: Interval | None
    level: float
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; undefined ones are None."""
        return asdict(self) | {"notes": list(self.notes)}


def variance_shares(
    groups: Mapping[str, Sequence[Sequence[float | None]]],
    all_values: Sequence[float | None],
    *,
    scale: Scale = "identity",
    count: int | None = None,
    ceiling: float | None = None,
    level: float = 0.95,
) -> VarianceShares:
    """Variance of each source varied alone, and what of the total they leave unexplained.

    The variance of a source with all others held fixed, in the mean over where they are held, is
    its total effect (Homma and Saltelli 1996, Reliability Engineering and System Safety 52): its
    own effect and every interaction that it takes part in. The sum over all sources is therefore
    the total where their effects add up, and more where they interact.

    Intervals take the sources' variances and the total for independent, so each source has to be
    drawn anew at each anchor and for the runs in which all vary; `benchmarks.planted_sources`
    counts how often they hold the truth.

    Args:
        groups: by source, for each anchor the values of the runs in which it alone varies. None
            and NaN are undefined and not counted.
        all_values: values of the runs in which all sources vary.
        scale: "logit" takes log(x / (1 - x)) of shares, which spreads out what a ceiling squeezes
            together; where that is undefined the identity is taken, and the notes say so.
        count: items that each value is a share of; values of exactly 0 and 1 then stand half an
            item within, and have a logit.
        ceiling: the highest possible value, for the caveat near it.
        level: nominal coverage of the intervals.

    Raises:
        ConfigError: the level is not between 0 and 1.
    """
    check_level(level)
    known = {name: [defined(runs) for runs in anchors] for name, anchors in groups.items()}
    whole = defined(all_values)
    every = [*whole, *(v for anchors in known.values() for runs in anchors for v in runs)]
    given = len(all_values) + sum(len(runs) for anchors in groups.values() for runs in anchors)
    notes = _caveats(whole, ceiling, given - len(every))
    if scale == "logit" and (why := _no_logit(every, count)) is not None:
        scale = "identity"
        notes.append(why)
    if scale == "logit":
        known = {name: [_logits(r, count) for r in anchors] for name, anchors in known.items()}
        whole = _logits(whole, count)
    total = statistics.variance(whole) if len(whole) > 1 else None
    sources = {
        name: _source(anchors, total, len(whole) - 1, level) for name, anchors in known.items()
    }
    apart = [source.variance for source in sources.values()]
    rest = None
    if total is not None and None not in apart:
        rest = total - math.fsum(v for v in apart if v is not None)
    notes += _shortfalls(sources, total)
    return VarianceShares(
        scale=scale,
        n=len(whole),
        total_variance=total,
        total_std=None if total is None else math.sqrt(total),
        total_std_interval=None
        if total is None
        else std_interval(math.sqrt(total), len(whole) - 1, level),
        sources=sources,
        remainder=rest,
        remainder_share=rest / total if _spread(total) and rest is not None else None,
        remainder_share_interval=_remainder_interval(sources, total, len(whole) - 1, level),
        level=level,
        notes=tuple(notes),
    )


def _spread(total: float | None) -> TypeGuard[float]:
    """Whether there is a variance that others can be shares of; what is below is rounding."""
    return total is not None and total > LEAST_VARIANCE


def _source(
    anchors: Sequence[Sequence[float]], total: float | None, total_degrees: int, level: float
) -> SourceVariance:
    spreading = [runs for runs in anchors if len(runs) > 1]
    degrees = sum(len(runs) - 1 for runs in spreading)
    variance = share = limits = None
    if degrees:
        squares = math.fsum((len(r) - 1) * statistics.variance(r) for r in spreading)
        variance = squares / degrees
    if variance is not None and _spread(total):
        share = variance / total
        # Both variances are independent estimates: their ratio follows F.
        low, high = stats.f.ppf([(1 + level) / 2, (1 - level) / 2], degrees, total_degrees)
        limits = Interval(share / float(low), share / float(high), "F")
    std = None if variance is None else math.sqrt(variance)
    return SourceVariance(
        n=sum(map(len, anchors)),
        anchors=len(anchors),
        degrees_of_freedom=degrees,
        variance=variance,
        std=std,
        std_interval=None if std is None else std_interval(std, degrees, level),
        share=share,
        share_interval=limits,
    )


def _remainder_interval(
    sources: Mapping[str, SourceVariance], total: float | None, total_degrees: int, level: float
) -> Interval | None:
    """Of the share of the total that the sources together leave.

    Their sum is taken as one variance, of the degrees of freedom by Satterthwaite (1946,
    Biometrics Bulletin 2).
    """
    parts = [(each.variance, each.degrees_of_freedom) for each in sources.values()]
    known = [(variance, degrees) for variance, degrees in parts if variance is not None]
    together = math.fsum(variance for variance, _ in known)
    if not _spread(total) or len(known) < len(parts) or together <= LEAST_VARIANCE:
        return None
    degrees = together**2 / math.fsum(variance**2 / degrees for variance, degrees in known)
    low, high = stats.f.ppf([(1 + level) / 2, (1 - level) / 2], degrees, total_degrees)
    share = together / total
    return Interval(1 - share / float(high), 1 - share / float(low), "F")


def _no_logit(values: Iterable[float], count: int | None) -> str | None:
    outside = [v for v in values if not 0 <= v <= 1]
    if outside:
        return f"not on the logit scale: {outside[0]:g} is no share between 0 and 1"
    edges = sum(v in (0, 1) for v in values)
    if edges and count is None:
        return f"not on the logit scale: {edges} values are exactly 0 or 1"
    return None


def _logits(values: Sequence[float], count: int | None) -> list[float]:
    margin = 0.5 / count if count else 0.0
    inside = (min(max(v, margin), 1 - margin) for v in values)
    return [math.log(v / (1 - v)) for v in inside]


def _caveats(whole: Sequence[float], ceiling: float | None, missing: int) -> list[str]:
    notes = [f"{missing} runs without a value are not counted"] if missing else []
    why = squeezed(whole, ceiling) if len(whole) > 1 else None
    if why is not None:
        notes.append(
            f"{why}: a source that lowers the values seems to spread them more, and the "
            "chi-square and F intervals cover much less than they say"
        )
    return notes


def _shortfalls(sources: Mapping[str, SourceVariance], total: float | None) -> list[str]:
    notes = [
        f"{name}: fewer than two runs at an anchor, no spread to be seen"
        for name, source in sources.items()
        if source.variance is None
    ]
    if total is None:
        notes.append("fewer than two runs vary all sources together: no shares")
    elif not _spread(total):
        notes.append("all runs that vary all sources together are equal: there is nothing to share")
    return notes
