"""Keys that a command names and nothing reads."""

import typing

import pytest
from pydantic import BaseModel

from hsi_suite.config import apply_settings, section_of
from hsi_suite.errors import ConfigError, Note
from hsi_suite.runs.launch import configure
from hsi_suite.runs.tasks import task_named, task_names
from hsi_suite.unread_keys import ReadWith, read_with, refuse_unread

# A command that each task takes without more.
STARTS = {
    "classification": {"dataset": "synthetic"},
    "denoising": {"config": "smoke/denoising"},
    "image_classification": {"dataset": "digits"},
    "retrieval": {"config": "retrieval/synthetic_spectrum_rgb"},
}


def marked(schema: type[BaseModel], above: str = ""):
    """Every marked key with its section, its mark and the keys above it."""
    for key, field in schema.model_fields.items():
        inner = section_of(field.annotation)
        if inner is not None:
            yield from marked(inner, f"{above}{key}.")
        mark = read_with(schema, key)
        if mark is not None:
            yield schema, f"{above}{key}", key, mark


MARKED = [(task, *each) for task in STARTS for each in marked(task_named(task).schema)]


def test_every_task_is_walked():
    assert set(STARTS) == set(task_names())
    assert {key for _, _, _, key, _ in MARKED} >= {"momentum", "components", "gain", "pad", "guard"}


@pytest.mark.parametrize(
    ("task", "section", "place", "key", "mark"), MARKED, ids=lambda each: str(each)[:40]
)
def test_marks_name_values_of_the_key_beside(task, section, place, key, mark):
    beside = section.model_fields[mark.key]
    if not mark.values:
        assert type(None) in typing.get_args(beside.annotation)
        return
    known = typing.get_args(beside.annotation)
    assert set(mark.values) < set(known)
    above = place.removesuffix(key)
    for other in known:
        tree = apply_settings({}, [f"{above}{mark.key}={other}", f"{place}=1"])
        if other in mark.values:
            refuse_unread(task_named(task).schema, tree, tree)
        else:
            with pytest.raises(ConfigError) as error:
                refuse_unread(task_named(task).schema, tree, tree)
            assert str(error.value).startswith(f"{place}: 1 with {above}{mark.key}={other}; ")
            assert str(error.value).endswith("Leave it out: nothing reads it there")


def refusal(task, settings, place):
    """What is said of the place."""
    try:
        configure(settings=settings, **STARTS[task])
    except ConfigError as error:
        assert str(error).startswith(f"{place}:")
        return str(error)
    return None


def test_what_needs_another_key_needs_it():
    line = refusal("denoising", ["model.grey_sigma=5"], "model.grey_sigma")
    assert line is not None and "model.grey_weights=null" in line
    settings = ["model.grey_sigma=5", "model.grey_weights=default_denoiser"]
    assert refusal("denoising", settings, "model.grey_sigma") is None


def test_keys_in_a_mapping_are_found_and_null_leaves_a_key_alone():
    place = "train.optimizer.decay"
    assert refusal("classification", ["train.optimizer={name: sgd, decay: 0.3}"], place)
    assert not refusal("classification", ["train.optimizer={name: rmsprop, decay: 0.3}"], place)
    assert not refusal("retrieval", ["split.kind=random", "split.guard=null"], "split.guard")


def test_what_stands_in_a_file_is_let_be(tmp_path):
    (tmp_path / "mine.yaml").write_text(
        "extends: classification/hybridsn\n"
        "data: {dataset: synthetic}\ntrain: {optimizer: {name: adam, momentum: 0.5}}\n"
        "split: {layout: stripes}\n"
    )
    made = configure(config=str(tmp_path / "mine.yaml"))
    assert made.train.optimizer.momentum == 0.5 and made.split.layout == "stripes"


def test_what_the_configuration_of_a_model_leaves_unread_is_said():
    with pytest.warns(Note, match=r"components: 5 with reduction\.method=standardize, and"):
        made = configure(dataset="synthetic", model="svm", settings=["reduction.components=5"])
    assert made.reduction.method == "standardize"
    both = ["reduction.components=5", "reduction.method=none"]
    assert refusal("classification", both, "reduction.components")


def test_what_several_trainings_share_is_let_be():
    made = configure(dataset="synthetic", model="svm", common=["reduction.components=5"])
    assert made.reduction.components == 5 and made.reduction.method == "standardize"


def test_a_mark_without_values_wants_any():
    assert ReadWith("weights").fits("a") and not ReadWith("weights").fits(None)
    assert ReadWith("kind", ("a", "b")).wanted("x.") == "x.kind=a or b"
