"""What the audit of a split means, in words chosen by rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...metrics.measures import measure
from ...metrics.position import position_skill as skill_of
from ...printable import plain
from ..content import count, enumerate_names, percent
from ..document import Remark
from ..split_level import DISJOINT, IDENTICAL, LEAKS, PARTLY, RULE, Seen, split_level

Facts = Mapping[str, Any]

_FEW_AREAS = 20
_SENTENCES = {
    LEAKS: "This split leaks",
    PARTLY: "This split is partly disjoint",
    DISJOINT: "This split is disjoint",
}
_MEANING = {
    LEAKS: "A score on it says little about pixels elsewhere.",
    PARTLY: "Read a score on it beside that of position alone.",
    DISJOINT: "A score on it is one of places that the classifier has not seen.",
}


def audit_verdict(facts: Facts) -> dict[str, Any]:
    """The verdict on a split: which of three it is, why, and the rule.

    Args:
        facts: of the audit, see `tasks.auditing.split_audit`.

    Returns:
        level, rule, the skill of position alone, and statements with their warnings.
    """
    level, _ = _level(facts)
    return {
        "level": level,
        "rule": RULE,
        "position_skill": position_skill(facts),
        "statements": [{"text": each.text, "warning": each.warning} for each in statements(facts)],
    }


def statements(facts: Facts) -> list[Remark]:
    """What the verdict says, with lists of names as the language that is spoken joins them."""
    level, reasons = _level(facts)
    first = f"{_SENTENCES[level]}: {'; '.join(reasons)}. {_MEANING[level]}"
    return [Remark(first, level != DISJOINT), *_statements(facts)]


def verdict_remarks(facts: Facts) -> list[Remark]:
    """The statements of an audit's verdict."""
    return [Remark(each["text"], each["warning"]) for each in facts["verdict"]["statements"]]


def position_skill(facts: Facts) -> float:
    """How far position alone comes from naming the commonest class to 100 %; at most 1."""
    chance = facts["commonest_class"]["overall_accuracy"]
    return float(skill_of(facts["position"]["overall_accuracy"]["value"], chance))


def score_text(name: str, score: Mapping[str, Any]) -> str:
    """A score with its unit and the limits of its interval."""
    known = measure(name)
    text = known.with_unit(score["value"])
    if score["low"] is None:
        return text
    return f"{text} ({known.end_text(score['low'])} to {known.end_text(score['high'])})"


def _level(facts: Facts) -> tuple[str, list[str]]:
    """Which of the three a split is, and the reasons."""
    leakage = facts["leakage"]
    seen = Seen(
        position_skill(facts),
        leakage["window"],
        leakage["test_inside_training_window"],
        facts["pixels"]["shared"],
        _identical_share(facts),
    )
    return split_level(seen)


def _statements(facts: Facts) -> list[Remark]:
    return [
        _position(facts),
        *_map(facts),
        *_near_and_far(facts),
        *_pixel_remarks(facts),
        *_class_remarks(facts),
        *_polygons(facts),
        *_identical(facts),
        *_intervals(facts),
    ]


def _position(facts: Facts) -> Remark:
    position, chance = facts["position"], facts["commonest_class"]
    names = {each["label"]: each["name"] for each in facts["classes"]}
    text = (
        f"Position alone, a nearest neighbour that sees no spectrum, scores "
        f"{score_text('overall_accuracy', position['overall_accuracy'])} overall and "
        f"{score_text('average_accuracy', position['average_accuracy'])} on the average of the "
        f"classes; naming always {plain(names[chance['label']])}, the commonest, "
        f"{percent(chance['overall_accuracy'])} % overall."
    )
    return Remark(text)


def _map(facts: Facts) -> list[Remark]:
    scores = facts.get("map")
    if not scores:
        return []
    known, found = measure("overall_accuracy"), scores["overall_accuracy"]
    ahead = scores["minus_position"]["overall_accuracy"]
    between = ""
    if ahead["low"] is not None:
        low, high = (known.end_text(ahead[end], signed=True) for end in ("low", "high"))
        between = f" ({low} to {high})"
    text = f"The map scores {score_text('overall_accuracy', found)} overall, "
    where = "above" if ahead["value"] >= 0 else "below"
    text += f"{known.size_with_points(abs(ahead['value']))} {where} position alone{between}"
    sure = (ahead["low"] if ahead["low"] is not None else ahead["value"]) > 0
    text += "." if sure else ": such a score does not show that spectra were used."
    remarks = [Remark(text, warning=not sure)]
    tested = facts["pixels"]["test"]
    if scores["none"]:
        words = f"The map has no label at {_pixels(scores['none'], verb=False)} of the test"
        remarks.append(Remark(f"{words}, which count as wrong.", warning=True))
    if scores["unknown"]:
        words = f"At {_pixels(scores['unknown'], verb=False)} of the test the map has labels that"
        remarks.append(Remark(f"{words} are no class, which count as wrong.", warning=True))
    if scores["right_from_0"] > 2 * found["value"] * tested:
        share = percent(scores["right_from_0"] / tested)
        text = (
            f"Were its classes numbered from 0, the map would score {share} %: then give "
            "--predictions-unlabelled -1, which makes 0 a class."
        )
        remarks.append(Remark(text, warning=True))
    return remarks


def _near_and_far(facts: Facts) -> list[Remark]:
    found = facts.get("near_and_far")
    if not found or "map" not in found or found["map"]["low"] is None:
        return []
    known, score = measure("overall_accuracy"), found["map"]
    near, far = (distance_text(*found[key]) for key in ("near", "far"))
    low, high = (known.end_text(score[end], signed=True) for end in ("low", "high"))
    text = (
        f"Between {near} and {far} from training the map loses "
        f"{known.size_with_points(score['value'])} ({low} to {high})"
    )
    if score["low"] > 0:
        return [
            Remark(f"{text}: what it scores near training it does not score farther off.", True)
        ]
    if score["value"] <= 0:
        return []
    return [Remark(f"{text}, which may be chance.")]


def distance_text(first: int, last: int) -> str:
    """A range of distances in pixels."""
    return f"{first} px" if first == last else f"{first}–{last} px"


def _pixel_remarks(facts: Facts) -> list[Remark]:
    pixels, remarks = facts["pixels"], []
    if pixels["shared"]:
        text = f"{_pixels(pixels['shared'])} both in training and in the test: a leak by itself."
        remarks.append(Remark(text, warning=True))
    for part, number in pixels["unlabelled"].items():
        text = (
            f"{_pixels(number, f'{part} ')} unlabelled in the ground truth and left out of the "
            "audit."
        )
        remarks.append(Remark(text, warning=True))
    for part, number in pixels["differing"].items():
        text = (
            f"At {_pixels(number, f'{part} ', verb=False)} the split has another label than the "
            "ground truth, which counts."
        )
        remarks.append(Remark(text, warning=True))
    return remarks


def _class_remarks(facts: Facts) -> list[Remark]:
    classes = facts["classes"]
    unknown = [each for each in classes if each["test"] and not each["train"]]
    untested = [each["name"] for each in classes if each["train"] and not each["test"]]
    remarks = []
    if unknown:
        names = enumerate_names(each["name"] for each in unknown)
        pixels = count(sum(each["test"] for each in unknown))
        text = f"No training pixel of {names} ({pixels} test pixels): nobody can get these right."
        remarks.append(Remark(text, warning=True))
    if untested:
        remarks.append(Remark(f"No test pixel of {enumerate_names(untested)}."))
    return remarks


def _polygons(facts: Facts) -> list[Remark]:
    found = facts["leakage"]["polygons"]
    if not found["divided"]:
        return [
            Remark(f"None of the {count(found['polygons'])} {facts['areas']['are']} is divided.")
        ]
    text = (
        f"{count(found['divided'])} of {count(found['polygons'])} {facts['areas']['are']} have "
        f"pixels on both sides; {percent(found['test_in_training_polygons'])} % of the test pixels "
        "lie in these."
    )
    return [Remark(text)]


def _identical(facts: Facts) -> list[Remark]:
    found = facts.get("identical_spectra")
    if not found:
        return []
    if not found["identical"]:
        return [Remark("No test spectrum stands in training as well.")]
    text = (
        f"{count(found['identical'])} of {count(found['compared'])} test spectra stand in training "
        f"as well, to the last bit; {count(found['same_class'])} of them with the same class."
    )
    return [Remark(text, warning=_identical_share(facts) >= IDENTICAL)]


def _intervals(facts: Facts) -> list[Remark]:
    areas = facts["areas"]
    percentage = f"{100 * facts['level']:.0f} %"
    if areas["in_test"] < 2:
        text = f"The test lies in one of the {areas['are']}, so that no score has an interval."
        return [Remark(text, warning=True)]
    text = (
        f"Intervals are of {percentage}, from leaving out each of the {count(areas['in_test'])} "
        f"{areas['are']} in the test (jackknife): pixels of one are right or wrong together."
    )
    if areas["in_test"] < _FEW_AREAS:
        text += " So few areas make rough intervals."
    return [Remark(text)]


def _identical_share(facts: Facts) -> float:
    found = facts.get("identical_spectra")
    return found["identical"] / found["compared"] if found and found["compared"] else 0.0


def _pixels(number: int, kind: str = "", *, verb: bool = True) -> str:
    """So many pixels, and that they are, or without the verb."""
    word = "pixel" if number == 1 else "pixels"
    is_are = (" is" if number == 1 else " are") if verb else ""
    return f"{count(number)} {kind}{word}{is_are}"
