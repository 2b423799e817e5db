"""What the numbers of a classification run mean, in words chosen by rules."""

from __future__ import annotations

from ..metrics.measures import measure
from ..printable import plain
from ..schemas.classification import GUARDED
from .choices import choice_remarks
from .content import (
    Metrics,
    baseline_name,
    count,
    enumerate_names,
    ordered_baselines,
    percent,
    unverified_text,
)
from .document import Remark
from .folds import folds_remarks
from .searches import search_remarks
from .split_level import DISJOINT, LEAKS, run_level

# Where position alone comes this near, the accuracy no longer tells that spectra were used.
POSITION_MARGIN = 0.02
# Differences of accuracy below which two methods do as well as each other, and beyond which one
# does far better.
AS_WELL = 0.005
FAR = 0.1
# What did best on disjoint splits: docs/decisions/0005-a-classifier-for-disjoint-splits.md.
_ALTERNATIVES = "all bands (--set reduction.method=standardize) or --model wide_svm"
_MOSTLY = 0.5
#: What to do where a training has come to nothing.
SLOWER = "Lower train.optimizer.learning_rate, set train.gradient_clip, or train longer."


def verdict(metrics: Metrics) -> list[Remark]:
    """The statements about a run, the most important first.

    Args:
        metrics: the content of a run's metrics.json.
    """
    return [
        *first_remarks(metrics),
        *_measured(metrics),
        *choice_remarks(metrics),
        *_learnt_nothing(metrics),
        *folds_remarks(metrics),
        *_position(metrics),
        *_audited(metrics),
        *_neighbourhood(metrics),
        *_scenes_in_common(metrics),
        *_scenes_unlike(metrics),
        *_polygons(metrics),
        *search_remarks(metrics),
        *_spectral_baselines(metrics),
        *_left_out(metrics),
        *_untested(metrics),
        *_denoised(metrics),
        *_dropout(metrics),
    ]


def first_remarks(metrics: Metrics) -> list[Remark]:
    """What belongs before everything else: unverified data, a training that diverged."""
    names, losses = metrics.get("unverified"), metrics.get("diverged")
    remarks = [Remark(unverified_text(names), warning=True)] if names else []
    if losses:
        text = (
            f"The training diverged: its loss was {losses['first_loss']:.3g} before the first "
            f"step and {losses['last_loss']:.3g} in the end. {SLOWER}"
        )
        remarks.append(Remark(text, warning=True))
    return remarks


def commonest_remarks(metrics: Metrics) -> list[Remark]:
    """A warning where a classifier is right no more often than one that knows no input."""
    test = metrics["test"]
    supports = [entry["support"] for entry in test["per_class"]]
    commonest = max(supports) / max(sum(supports), 1)
    if len([support for support in supports if support]) < 2:
        return []
    if test["overall_accuracy"] > commonest:
        return []
    text = (
        f"{plain(metrics['model'])} is right no more often than naming always the commonest class "
        f"would be ({percent(commonest)} %): it has learnt nothing of use. {SLOWER}"
    )
    return [Remark(text, warning=True)]


def _learnt_nothing(metrics: Metrics) -> list[Remark]:
    # A split by the user may hold other classes in its test part than were learnt.
    return commonest_remarks(metrics) if metrics.get("epoch") else []


def _measured(metrics: Metrics) -> list[Remark]:
    test = metrics["test"]
    scene = plain(metrics["dataset"]) + (" (a synthetic scene)" if metrics["synthetic"] else "")
    overall, average, kappa = (
        measure(name) for name in ("overall_accuracy", "average_accuracy", "cohen_kappa")
    )
    text = (
        f"On {count(test['num_pixels'])} test pixels of {scene}, {plain(metrics['model'])} reaches "
        f"an overall accuracy of {overall.with_unit(test[overall.name])} and an average accuracy "
        f"of {average.with_unit(test[average.name])}; "
    )
    if test[kappa.name] is None:
        return [Remark(text + "Cohen's κ is undefined, as only one class occurs.", warning=True)]
    return [Remark(text + f"{kappa.title} is {kappa.text(test[kappa.name])}.")]


def _position(metrics: Metrics) -> list[Remark]:
    position = ordered_baselines(metrics).get("position")
    if not position:
        return []
    if metrics["leakage"].get("in_other_scenes") == 1:
        return _other_scenes(metrics, position["overall_accuracy"])
    model, kind = plain(metrics["model"]), metrics["split"]["kind"]
    alone, reached = position["overall_accuracy"], metrics["test"]["overall_accuracy"]
    text = (
        "On this split a nearest neighbour on the position alone, which sees no spectrum, "
        f"scores {percent(alone)} %"
    )
    if alone < reached - POSITION_MARGIN:
        return [Remark(f"{text}, {100 * (reached - alone):.1f} points less than {model}.")]
    learnt = (metrics.get("train") or {}).get("overall_accuracy")
    # What is fitted at once, such as an SVM, would not learn more of them in time.
    if metrics.get("epoch") and learnt is not None and learnt < alone - POSITION_MARGIN:
        text += (
            f". {model} reaches only {percent(learnt)} % on its own training pixels: it has not "
            "learnt them yet, and its scores say little about what it can do."
        )
        return [Remark(text, warning=True)]
    text += f" against {percent(reached)} % of {model}"
    if kind == "random":
        text += (
            ", so this random split measures mostly memory of the neighbourhood. It says little "
            "about pixels away from the training pixels; a disjoint split does: "
            "--split disjoint, which keeps a guard between the sides."
        )
        if metrics.get("scenes"):
            text += " So does --split scenes, which holds whole scenes out."
        return [Remark(text, warning=True)]
    better = (
        "about as well as"
        if alone <= reached + POSITION_MARGIN
        else f"{_better(alone - reached)} than"
    )
    text += (
        f", so where a pixel lies tells its class {better} {model} does; "
        "the accuracy says little about the spectra. "
    )
    if not metrics["split"].get("guard"):
        if kind in GUARDED:
            text += "Leave split.guard out: the scene says then how wide it is."
        else:
            text += "Try a split with a guard (--split disjoint)."
    else:
        text += f"Try {_ALTERNATIVES}."
    return [Remark(text, warning=True)]


def _other_scenes(metrics: Metrics, commonest: float) -> list[Remark]:
    """What position tells of test pixels in scenes that nothing was learnt from: nothing."""
    alone = f"naming always the commonest training class is right for {percent(commonest)} %."
    text = "All test pixels are in scenes that no training pixel is from"
    if any(metrics["leakage"].get(key) for key in ("on_training_ground", "identical_spectra")):
        return [Remark(f"{text}; {alone}")]
    return [Remark(f"{text}, so position tells nothing of them; {alone}")]


def _scenes_in_common(metrics: Metrics) -> list[Remark]:
    """What several scenes have in common, of which the distances within them know nothing."""
    ground, same = (
        metrics["leakage"].get(key) for key in ("on_training_ground", "identical_spectra")
    )
    remarks = []
    if same:
        text = (
            f"{percent(same)} % of the test pixels have the very spectrum of a training pixel: "
            "scenes overlap, or one is a copy of another. Leave it out, or cut the overlap off."
        )
        remarks.append(Remark(text, warning=True))
    if ground:
        text = (
            f"{percent(ground)} % of the test pixels lie on the ground of a training pixel in "
            "another scene: what grows or stands there was learnt. Scores say little of other "
            "places."
        )
        remarks.append(Remark(text, warning=True))
    return remarks


def _better(difference: float) -> str:
    """How much better something is, as an adverb, by a difference of two shares."""
    return "far better" if difference > FAR else "better"


def _neighbourhood(metrics: Metrics) -> list[Remark]:
    window, guard = metrics["leakage"]["window"], metrics["split"].get("guard")
    inside = metrics["leakage"]["test_inside_training_window"]
    if metrics["leakage"].get("in_other_scenes") == 1:
        return []
    if inside == 0:
        text = "No test pixel lies inside a training window. " if window > 1 else ""
        if guard:
            text += f"Training lies more than {guard} pixels from every test pixel."
        return [Remark(text.strip())] if text else []
    text = (
        f"{percent(inside, 1)} % of the test pixels lie inside the {window} × {window} window of "
        "a training pixel: the model has seen them, without their labels, during training."
    )
    return [Remark(text, warning=inside >= _MOSTLY)]


def _audited(metrics: Metrics) -> list[Remark]:
    """Whether a split with a guard is disjoint, as `hsi audit` judges it."""
    found = run_level(metrics)
    if found is None or metrics["split"]["kind"] not in GUARDED:
        return []
    level, reasons = found
    if level == DISJOINT:
        return [Remark(f"By the audit's rule this split is disjoint: {'; '.join(reasons)}.")]
    words = "leaks" if level == LEAKS else f"is {level}"
    text = f"By the audit's rule this split {words}: {'; '.join(reasons)}."
    floor = (metrics.get("guard_curve") or {}).get("floor")
    if floor is not None and floor > metrics["split"]["guard"]:
        text += f" Without split.guard, {floor} pixels are kept free in this scene."
    return [Remark(text, warning=True)]


def _scenes_unlike(metrics: Metrics) -> list[Remark]:
    told = metrics.get("scenes_unlike") or ()
    return [Remark(f"{plain(line)}.", warning=True) for line in told]


def _polygons(metrics: Metrics) -> list[Remark]:
    polygons = metrics["leakage"].get("polygons")
    if not polygons:
        return []
    divided, number = polygons["divided"], polygons["polygons"]
    if not divided:
        return [Remark(f"None of the {count(number)} polygons is divided by the split.")]
    share = polygons["test_in_training_polygons"]
    text = (
        f"{count(divided)} of {count(number)} polygons have pixels in training and in the test, "
        f"{percent(share, 1)} % of the test pixels: they are neighbours of pixels that were "
        "learnt with their label. --split polygons keeps polygons whole."
    )
    return [Remark(text, warning=share >= _MOSTLY)]


def _spectral_baselines(metrics: Metrics) -> list[Remark]:
    others = {
        key: scores["overall_accuracy"]
        for key, scores in ordered_baselines(metrics).items()
        if key != "position"
    }
    if not others:
        return []
    best = max(others, key=lambda key: others[key])
    model, reached = plain(metrics["model"]), metrics["test"]["overall_accuracy"]
    gap = 100 * (reached - others[best])
    text = f"The best of the other baselines, {baseline_name(best)}, scores {percent(others[best])}"
    if gap > 0:
        return [Remark(f"{text} %, {gap:.1f} points less than {model}.")]
    more = f"{-gap:.1f} points more than" if gap < 0 else "the same as"
    text += f" %, {more} {model}: a simpler method does "
    if -gap < 100 * AS_WELL:
        return [Remark(f"{text}as well here.", warning=True)]
    return [Remark(f"{text}{_better(-gap / 100)} here. Try {_ALTERNATIVES}.", warning=True)]


def _left_out(metrics: Metrics) -> list[Remark]:
    split, remarks = metrics["split"], []
    dropped = split.get("dropped") or {}
    if dropped:
        learned = len(metrics["classes"])
        remarks.append(
            Remark(
                f"The split leaves out {len(dropped)} of {learned + len(dropped)} classes: "
                f"{enumerate_names(dropped)}. The accuracies are over the other {learned}, so "
                "they cannot be compared with scores over all classes.",
                warning=True,
            )
        )
    lost = sum((split.get("lost") or {}).values())
    untested = split.get("untested") or {}
    if untested:
        remarks.append(
            Remark(
                f"{count(sum(untested.values()))} labelled pixels are tested by no fold, of "
                f"{enumerate_names(untested)}: where they lie, no training pixel of their class is "
                "left. No score counts them.",
                warning=True,
            )
        )
    if lost:
        remarks.append(
            Remark(f"{count(lost)} labelled pixels are lost to the guard between the two sides.")
        )
    return remarks


def _untested(metrics: Metrics) -> list[Remark]:
    test, remarks = metrics["test"], []
    if test["absent"]:
        remarks.append(
            Remark(
                f"No test pixel belongs to {enumerate_names(test['absent'])}: "
                "average accuracy leaves that out.",
                warning=True,
            )
        )
    if test["never_predicted"]:
        remarks.append(
            Remark(
                f"{plain(metrics['model'])} never answers "
                f"{enumerate_names(test['never_predicted'])} on the test pixels.",
                warning=True,
            )
        )
    return remarks


def _denoised(metrics: Metrics) -> list[Remark]:
    done = metrics.get("denoising")
    if not done:
        return []
    text = (
        f"The scene was denoised first, for every classifier here ({plain(done['weights'])}, "
        f"{count(done['rank'])} eigen-images; the noise was {percent(done['relative_noise'], 1)} % "
        "of a band's spread, in the median). No label was used, but the spectra of the test "
        "pixels took part, across any guard."
    )
    return [Remark(text, warning=metrics["split"]["kind"] != "random")]


def _dropout(metrics: Metrics) -> list[Remark]:
    entry = (metrics.get("dropout_at_test") or {}).get("overall_accuracy")
    if not entry or entry["mean"] is None:
        return []
    text = (
        f"With dropout left on, {entry['n']} evaluations of the same weights give overall "
        f"accuracies from {percent(entry['min'])} to {percent(entry['max'])} %, on average "
        f"{percent(entry['mean'])} %; every other score here is with dropout off."
    )
    return [Remark(text)]
