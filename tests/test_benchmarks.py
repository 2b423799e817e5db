"""Both sides of every benchmark compute the same; the report is well-formed. Nothing is timed."""

import importlib.util
import json
import re
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

ROOT = Path(__file__).resolve().parent.parent


def load_benchmarks():
    """The package by its path: it is not installed, and the checkout is not on sys.path."""
    folder = ROOT / "benchmarks"
    spec = importlib.util.spec_from_file_location(
        "benchmarks", folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    sys.modules["benchmarks"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules["benchmarks"])


load_benchmarks()

from hsi_suite.pipelines.classifier import scene_sampler  # noqa: E402
from hsi_suite.pipelines.fitting import fit  # noqa: E402

from benchmarks import classification, jobs, machine, report, usual_way  # noqa: E402
from benchmarks.interleaving import Side, interleave  # noqa: E402
from benchmarks.workload import Workload  # noqa: E402
from hsi_suite.engine.observer import Observer  # noqa: E402

TINY = Workload(
    dataset="synthetic",
    components=13,
    window=11,
    batch_size=32,
    dropout=0.0,
    threads=1,
    rounds=2,
    steps=2,
    loop_pixels=5,
    map_pixels=40,
)


@pytest.fixture(scope="module")
def case():
    return jobs.given(TINY)


def test_the_usual_windows_are_those_we_gather(case):
    windows, classes = usual_way.all_windows(case.reduced(), case.prepared.labels, TINY.window)
    pixels = torch.from_numpy(np.flatnonzero(case.prepared.labels))
    reduced = case.prepared.reduction.apply(case.prepared.scene.cube)
    ours = scene_sampler(reduced, TINY.window, torch.device("cpu")).gather(pixels)
    usual = usual_way.Windows(windows, classes)
    assert windows.dtype == np.float64
    assert torch.equal(usual.windows[:, 0], ours)
    assert torch.equal(usual.classes, torch.from_numpy(case.prepared.classes)[pixels])


def test_the_plain_network_is_the_registered_one(case):
    windows = torch.randn(3, 13, 11, 11, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        usual = jobs.usual_network(case).eval()(windows[:, None])
        ours = case.classifier.network.eval()(windows)
    torch.testing.assert_close(usual, ours, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("strategy", ["patch", "dense"])
def test_both_trainings_take_the_same_steps(strategy):
    case = jobs.given(TINY, ["train.epochs=3", f"train.strategy={strategy}"])
    pixels = jobs.spread(case.prepared.split.train, TINY.batch_size)
    split = replace(case.prepared.split, train=pixels)
    windows, classes = usual_way.all_windows(case.reduced(), case.prepared.labels, TINY.window)
    chosen = np.isin(np.flatnonzero(case.prepared.labels), pixels)
    batches = usual_way.loader(windows[chosen], classes[chosen], TINY.batch_size)
    network = jobs.usual_network(case)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    usual = [usual_way.train(network, batches, optimizer) for _ in range(3)]
    with case.computing():
        prepared = replace(case.prepared, split=split)
        training = fit(case.classifier, case.config, prepared, None, Observer())
    ours = [row["train_loss"] for row in training.history]
    # One batch an epoch, no dropout: only the order inside the batch differs, and Keras' decay.
    assert usual == pytest.approx(ours, rel=1e-4)
    assert usual[2] < usual[0]


def test_all_maps_have_the_same_labels():
    case = jobs.given(TINY)
    with case.computing():
        fit(case.classifier, case.config, case.prepared, None, Observer())
    scene, network = case.reduced(), jobs.usual_network(case)
    pixels = jobs.spread(np.arange(case.prepared.labels.size), 300)
    probabilities = case.classifier.probabilities(case.prepared.scene.cube, None)
    ours = case.classifier.label_map(probabilities).reshape(-1)[pixels]
    values = np.array(case.prepared.split.classes)
    batched = values[usual_way.map_by_batches(network, scene, TINY.window, pixels, 32)]
    looped = values[usual_way.map_by_pixels(network, scene, TINY.window, pixels[::3])]
    # Where two classes are equal to the last bits, the order of additions decides.
    best = np.sort(probabilities.reshape(-1, len(values))[pixels])[:, -2:]
    clear = best[:, 1] - best[:, 0] > 1e-5
    assert clear.mean() > 0.9
    assert len(np.unique(ours)) > 2
    np.testing.assert_array_equal(batched[clear], ours[clear])
    np.testing.assert_array_equal(looped[clear[::3]], ours[::3][clear[::3]])


def test_every_side_names_a_job_and_scales_to_the_whole():
    sides = [*classification.TRAINING, *classification.MAP]
    assert {side.job for side in sides} == set(jobs.JOBS)
    timed = {"usual_pixel_map": 5, "usual_batch_map": 40, "suite_map": 72 * 72}
    for side in sides:
        timing = jobs.JOBS[side.job](TINY, side.settings)(brief=False)
        assert timing.whole == (900 if side in classification.TRAINING else 72 * 72)
        assert timing.pixels == timed.get(side.job, 64)
        assert timing.timed > 0
        assert timing.seconds == pytest.approx(timing.timed * timing.whole / timing.pixels)


def test_operations_are_those_of_the_network(case):
    # Multiply-adds by hand, window 11 and 13 components: outputs × kernel × input channels.
    features = [
        8 * 7 * 9**2 * 63,
        16 * 3 * 7**2 * 45 * 8,
        32 * 1 * 5**2 * 27 * 16,
        64 * 3**2 * 9 * 32,
    ]
    head = 64 * 3**2 * 256 + 256 * 128 + 128 * 8
    looped = jobs.usual_pixel_map(TINY, ())(brief=False)
    assert looped.operations == looped.pixels * 2 * (sum(features) + head)
    trained = jobs.suite_training(TINY, ["train.strategy=patch"])(brief=True)
    assert trained.operations == 32 * 6 * (sum(features) + head)
    # The whole scene of 72 × 72 with its border of 5 once, the head at every pixel.
    scene = [
        8 * 7 * 80**2 * 63,
        16 * 3 * 78**2 * 45 * 8,
        32 * 1 * 76**2 * 27 * 16,
        64 * 74**2 * 9 * 32,
    ]
    mapped = jobs.suite_map(TINY, ())(brief=False)
    assert mapped.operations == 2 * (sum(scene) + 72**2 * head)
    stepped = jobs.suite_training(TINY, ["train.strategy=dense"])(brief=False)
    assert stepped.operations == 6 * (2 * sum(scene) + 64 * head)


@pytest.mark.slow
def test_processes_in_turns_give_a_well_formed_report(tmp_path):
    heard = []
    sides = (Side("usual", "usual_batch_map", usual=True), Side("ours", "suite_map"))
    comparison = {
        "title": "Map",
        "note": "A note.",
        "sides": interleave(sides, TINY, heard.append),
    }
    order = [line.split()[2] for line in heard if line.startswith("round")]
    assert order == ["usual", "ours", "usual", "ours"]
    measured = {
        "load_average": 0.0,
        "torch": torch.__version__,
        "cpu_capability": "AVX2",
        "matrix_multiply_gflops": {"float32": 80.0, "bfloat16": 150.0},
    }
    later = {**measured, "matrix_multiply_gflops": {"float32": 90.0, "bfloat16": 140.0}}
    result = {
        "workload": {name: getattr(TINY, name) for name in vars(TINY)},
        "machine": machine.describe_machine(1) | machine.best_of(measured, later),
        "start_up": {"hsi --help": [0.2, 0.1, 0.3]},
        "comparisons": [comparison],
    }
    text = report.write_report(result, tmp_path)
    assert (tmp_path / report.MARKDOWN).read_text() == text
    read = json.loads((tmp_path / report.JSON).read_text())
    assert read["machine"]["matrix_multiply_gflops"] == {"float32": 90.0, "bfloat16": 150.0}
    usual, ours = read["comparisons"][0]["sides"]
    pairs = zip(usual["rounds"], ours["rounds"], strict=True)
    ratios = [theirs["seconds"] / own["seconds"] for theirs, own in pairs]
    found = ours["faster_than"]["usual"]
    assert (found["min"], found["max"]) == (min(ratios), max(ratios))
    assert found["median"] == pytest.approx(sum(ratios) / 2)
    assert usual["faster_than"] == {}
    assert min(r["peak_megabytes"] for side in (usual, ours) for r in side["rounds"]) > 50
    assert "0.100 / 0.200 / 0.300" in text
    check_tables(text)
    assert "not to be quoted" not in text
    result["machine"] |= {"load_average": [9.0, 9.0], "processors": 4}
    assert "not to be quoted" in report.markdown(result)


def check_tables(text):
    """Every table has a rule under its head and the same number of cells in each line."""
    tables = re.findall(r"(?:^\|.*\|\n)+", text, re.MULTILINE)
    assert len(tables) == 2
    for found in tables:
        lines = found.splitlines()
        assert re.fullmatch(r"[|\-: ]+", lines[1])
        assert len({line.count("|") for line in lines}) == 1
        assert len(lines) > 2


@pytest.mark.slow
def test_a_side_that_fails_is_named():
    with pytest.raises(RuntimeError, match="'broken'"):
        interleave([Side("broken", "no_such_job")], TINY, lambda text: None)
