"""Tasks are found by name, those of other packages too, and have figures without saying how."""

import ast
import importlib
import inspect
from pathlib import Path

import pytest

import hsi_suite
from hsi_suite.errors import ConfigError, UnknownNameError
from hsi_suite.runs import tasks as module
from hsi_suite.runs.launch import configure
from hsi_suite.runs.scores import baseline_scores, headline, part_sizes, run_scores, variant
from hsi_suite.runs.task import Task
from hsi_suite.runs.tasks import task_named, task_names

pytestmark = pytest.mark.stand_in_pictures


class Counting(Task):
    name = "counting"
    datasets = ("beans",)
    limits_memory = False

    def configure(self, config, options, settings):
        return self.name, config, options["dataset"]


class Point:
    """An entry point of a package that is not there."""

    def __init__(self, name, load):
        self.name, self.value, self.load = name, f"{name}_package:TASK", load


@pytest.fixture
def others(monkeypatch):
    points = [Point("counting", Counting), Point("broken", lambda: 1 / 0)]
    monkeypatch.setattr(module, "entry_points", lambda group: points if group else ())


def test_a_task_of_another_package_is_found_and_trained_by_its_data(others):
    assert {"classification", "counting"} <= set(task_names())
    assert isinstance(task_named("counting"), Counting)
    with pytest.raises(UnknownNameError, match="counting"):
        task_named("countin")
    with pytest.raises(ConfigError, match="broken_package:TASK"):
        task_named("broken")
    assert configure(scene="cube.npy", labels="gt.npy").task == "classification"


def test_its_data_sets_are_known(others, monkeypatch):
    monkeypatch.setattr(module, "entry_points", lambda group: [Point("counting", Counting)])
    assert configure(dataset="beans") == ("counting", None, "beans")


def test_a_broken_package_does_not_stop_trainings_of_other_tasks(others):
    assert configure(dataset="beans")[0] == "counting"
    assert configure(dataset="indian_pines").task == "classification"
    assert configure(dataset="digits").task == "image_classification"


@pytest.mark.parametrize(
    "name", ["classification", "image_classification", "denoising", "retrieval"]
)
def test_a_recipe_has_the_functions_of_a_task_and_can_be_read_in_one_go(name):
    recipe = importlib.import_module(task_named(name).recipe)
    assert recipe.__name__ == f"hsi_suite.pipelines.{name}"
    for function in ("resolve", "prepare", "evaluate"):
        wanted = list(inspect.signature(getattr(Task, function)).parameters)[1:]
        assert list(inspect.signature(getattr(recipe, function)).parameters) == wanted
    assert len(inspect.getsource(recipe).splitlines()) <= 150


def test_figures_of_a_task_that_says_nothing_of_them(others):
    metrics = {
        "task": "counting", "split": {"kind": "random", "train": 3, "test": 2},
        "test": {"error": 0.5, "by": {"size": {"large": 1, "small": None}}, "ok": True},
        "baselines": {"guess": {"error": 2.0}},
    }  # fmt: skip
    assert run_scores(metrics) == {"error": 0.5, "by/size/large": 1, "by/size/small": None}
    assert baseline_scores(metrics) == {"guess": {"error": 2.0}}
    assert headline(metrics) == ["error", "by/size/large", "by/size/small"]
    assert (variant(metrics), part_sizes(metrics)) == ("random", (3, 2))
    result = {"test": {"error": 0.25}, "stored": {"error": 0.5}}
    assert task_named("counting").compared(result)[0].split() == ["error", "0.25", "stored", "0.5"]


def test_nobody_but_a_task_compares_with_its_name():
    names = {name for name in task_names() if task_named(name).recipe.startswith("hsi_suite.")}
    found = []
    package = Path(hsi_suite.__file__).parent
    for path in sorted([*package.rglob("*.py"), *(package / "pipelines").glob("*.py")]):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Compare):
                literals = {each.value for each in ast.walk(node) if isinstance(each, ast.Constant)}
                found += [f"{path}:{node.lineno}"] if literals & names else []
    assert found == []
