"""What a search for settings scored itself, beside the test."""

from __future__ import annotations

from ..printable import plain
from ..schemas.classification import GUARDED
from .content import Metrics, baseline_name, percent
from .document import Remark

# Points by which a search's own score flatters.
_FAR = 0.1


def search_remarks(metrics: Metrics) -> list[Remark]:
    """What a search for settings scored itself, beside the test."""
    remarks = []
    for name, found, tested in searched_scores(metrics):
        score, reached = found["score"], tested["overall_accuracy"]
        gap = 100 * (score - reached)
        apart = f"{abs(gap):.1f} points {'more' if gap >= 0 else 'less'} than"
        text = (
            f"The settings of {name} were searched on {found['folds']} folds of the training "
            f"pixels, where they score {percent(score)} %, {apart} the {percent(reached)} % of the "
            "test."
        )
        wide = gap > 100 * _FAR
        if wide and found["folds"] == "random" and metrics["split"]["kind"] in GUARDED:
            text += " --set train.search=spatial_folds searches them by place."
        remarks.append(Remark(text, warning=wide))
    return remarks


def searched_scores(metrics: Metrics) -> list[tuple[str, Metrics, Metrics]]:
    """Each classifier whose settings were searched: its name, the search, its test scores."""
    search = metrics.get("search") or {}
    found = []
    if "model" in search:
        found.append((plain(metrics["model"]), search["model"], metrics["test"]))
    baselines = metrics.get("baselines") or {}
    for name, each in (search.get("baselines") or {}).items():
        if name in baselines:
            found.append((f"the baseline {baseline_name(name)}", each, baselines[name]))
    return found
