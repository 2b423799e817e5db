"""A new key with its old behaviour as default renames no run, whatever the task."""

import json
from typing import Literal

import pytest

from hsi_suite.config import Section
from hsi_suite.runs import identity as module
from hsi_suite.runs.identity import key_tree, run_identity
from hsi_suite.runs.launch import configure
from hsi_suite.runs.tasks import task_named
from hsi_suite.schemas.classification import ClassificationConfig

TASKS = ("classification", "image_classification", "denoising", "retrieval")
CONFIGS = {
    "classification/hybridsn": ("synthetic", "7fb1ed8f"),
    "image_classification/digits": (None, "c3712428"),
    "denoising/default_denoiser": (None, "203cccdc"),
    "retrieval/synthetic_spectrum_rgb": (None, "b75406d0"),
}


def plain(name, dataset=None):
    """A configuration as a plain tree, the same on every machine."""
    settings = ["threads=1", "device=cpu"]
    return configure(config=name, dataset=dataset, settings=settings).model_dump(mode="json")


@pytest.mark.parametrize("name", CONFIGS)
def test_runs_keep_their_names(name):
    dataset, expected = CONFIGS[name]
    assert run_identity(plain(name, dataset), {"a": "1"}) == expected


class Later(Section):
    depth: int = 2
    width: int | None = None


class Split(ClassificationConfig.model_fields["split"].annotation):
    margin: float = 0.5


class Grown(ClassificationConfig):
    """Next year's configuration: new keys at the top, in a section of today, in a new section."""

    split: Split
    later: Later = Later()
    colour: Literal["red", "blue"] = "red"


@pytest.fixture
def grown(monkeypatch):
    monkeypatch.setattr(task_named("classification"), "schema", Grown)


def test_keys_that_come_later_count_where_they_differ_from_their_default(grown):
    today = plain("classification/hybridsn", "synthetic")
    later = today | {
        "split": today["split"] | {"margin": 0.5},
        "later": {"depth": 2, "width": None},
        "colour": "red",
    }
    same = run_identity(today, {})
    assert run_identity(later, {}) == same
    assert run_identity({"members": [later]}, {}) == run_identity({"members": [today]}, {})
    for changed in (
        {"split": today["split"] | {"margin": 0.4}},
        {"later": {"depth": 3, "width": None}},
        {"colour": "blue"},
    ):
        assert run_identity(later | changed, {}) != same
    # A section that came later counts key by key, too.
    deeper = run_identity(later | {"later": {"depth": 3, "width": None}}, {})
    assert deeper == run_identity(later | {"later": {"depth": 3}}, {})


def sections(schema, above=()):
    for name, field in schema.model_fields.items():
        inner = module._section(field.annotation)
        if inner is not None:
            yield (*above, name), inner
            yield from sections(inner, (*above, name))


@pytest.mark.parametrize("name", CONFIGS)
def test_a_new_key_in_any_section_renames_no_run(name, monkeypatch):
    dataset, expected = CONFIGS[name]
    tree = plain(name, dataset)
    known = task_named(tree["task"])
    found = list(sections(known.schema))
    assert len(found) > 5
    for place, section in found:
        grown = type("Grown", (section,), {"__annotations__": {"later": int}, "later": 3})
        for depth in reversed(range(len(place))):
            above, key = dict(found).get(place[:depth], known.schema), place[depth]
            parts = {"__annotations__": {key: grown}, key: grown.model_construct()}
            grown = type("Grown", (above,), parts)
        changed = json.loads(json.dumps(tree))
        inner = changed
        for key in place:
            inner = inner[key] if inner is not None else None
        if not isinstance(inner, dict):  # absent, or a list of sections
            continue
        inner["later"] = 3
        monkeypatch.setattr(known, "schema", grown)
        assert run_identity(changed, {"a": "1"}) == expected, place
        inner["later"] = 4
        assert run_identity(changed, {"a": "1"}) != expected, place
        monkeypatch.undo()


@pytest.mark.parametrize("task", TASKS)
def test_the_keys_of_version_1_are_still_there(task):
    def paths(tree, above=""):
        for key, inner in tree.items():
            yield f"{above}{key}"
            yield from paths(inner or {}, f"{above}{key}.")

    known = set(paths(module._keys_of(task)))
    assert len(known) > 30 and known <= set(paths(key_tree(task_named(task).schema)))


def test_what_a_task_of_nobody_holds_counts_whole():
    tree = {"task": "counting", "beans": {"number": 3}}
    assert run_identity(tree, {}) != run_identity(tree | {"beans": {"number": 4}}, {})


def test_which_of_the_devices_computes_is_not_part_of_a_run():
    names = [
        run_identity({"task": "classification", "device": device}, {})
        for device in ("cuda:0", "cuda:1", "cuda:13", "cpu")
    ]
    assert names[0] == names[1] == names[2] != names[3]
