"""Both sides of every benchmark compute the same; the report is well-formed. Nothing is timed."""

import importlib.util
import json
import platform
import re
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio

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

from benchmarks import (  # noqa: E402
    classification,
    compiled_training,
    denoising,
    denoising_case,
    drawn_pictures,
    group,
    layer_costs,
    load,
    machine,
    measuring,
    mixed_noise,
    report,
    ship_denoiser,
    start_up,
    sweeps,
    usual_classification,
    usual_denoising,
    worker,
)
from benchmarks.__main__ import main  # noqa: E402
from benchmarks.held_out_drawings import HELD_OUT  # noqa: E402
from benchmarks.inference_trials import Winograd  # noqa: E402
from benchmarks.interleaving import Side, agreement, compare, interleave  # noqa: E402
from benchmarks.scene_case import evenly, scene_case  # noqa: E402
from benchmarks.ship_denoiser import go_share  # noqa: E402
from benchmarks.workload import Shape, Workload  # noqa: E402
from hsi_suite.data.artefacts import through_jpeg  # noqa: E402
from hsi_suite.data.drawings import KINDS, draw_kind  # noqa: E402
from hsi_suite.data.patches import scene_sampler  # noqa: E402
from hsi_suite.engine.observer import Observer  # noqa: E402
from hsi_suite.tasks.scenes.fitting import fit, plan  # noqa: E402

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
    photograph=96,
    scored_images=1,
)
SCENE = Shape(lines=20, samples=24, classes=3, labelled=240)
RANDOM = replace(TINY, shape=SCENE)
QUIET = {"seconds": 1.0, "own": 1.0, "others": 0.01, "stolen": 0.0}
BUSY = {**QUIET, "others": 1.5}


@pytest.fixture(scope="module")
def case():
    return scene_case(TINY)


def test_the_usual_windows_are_those_we_gather(case):
    windows, classes = usual_classification.all_windows(
        case.reduced(), case.prepared.labels, TINY.window
    )
    pixels = torch.from_numpy(np.flatnonzero(case.prepared.labels))
    reduced = case.prepared.reduction.apply(case.prepared.scene.cube)
    ours = scene_sampler(reduced, TINY.window, torch.device("cpu")).gather(pixels)
    usual = usual_classification.Windows(windows, classes)
    assert windows.dtype == np.float64
    assert torch.equal(usual.windows[:, 0], ours)
    assert torch.equal(usual.classes, torch.from_numpy(case.prepared.classes)[pixels])


def test_the_plain_network_is_the_registered_one(case):
    windows = torch.randn(3, 13, 11, 11, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        usual = classification.usual_network(case).eval()(windows[:, None])
        ours = case.classifier.network.eval()(windows)
    torch.testing.assert_close(usual, ours, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("strategy", ["patch", "dense"])
def test_both_trainings_take_the_same_steps(strategy):
    case = scene_case(TINY, ["train.epochs=3", f"train.strategy={strategy}"])
    pixels = evenly(case.prepared.split.train, TINY.batch_size)
    split = replace(case.prepared.split, train=pixels)
    windows, classes = usual_classification.all_windows(
        case.reduced(), case.prepared.labels, TINY.window
    )
    chosen = np.isin(np.flatnonzero(case.prepared.labels), pixels)
    batches = usual_classification.loader(windows[chosen], classes[chosen], TINY.batch_size)
    network = classification.usual_network(case)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    usual = [usual_classification.train(network, batches, optimizer) for _ in range(3)]
    with case.computing():
        prepared = replace(case.prepared, split=split)
        training = fit(case.classifier, case.config, prepared, None, Observer())
    ours = [row["train_loss"] for row in training.history]
    # One batch an epoch, no dropout: only the order inside the batch differs, and Keras' decay.
    assert usual == pytest.approx(ours, rel=1e-4)
    assert usual[2] < usual[0]


def test_all_maps_have_the_same_labels():
    case = scene_case(TINY)
    with case.computing():
        fit(case.classifier, case.config, case.prepared, None, Observer())
    scene, network = case.reduced(), classification.usual_network(case)
    pixels = evenly(np.arange(case.prepared.labels.size), 300)
    probabilities = case.classifier.probabilities(case.prepared.scene.cube, None)
    ours = case.classifier.label_map(probabilities).reshape(-1)[pixels]
    values = np.array(case.prepared.split.classes)
    batched = values[usual_classification.map_by_batches(network, scene, TINY.window, pixels, 32)]
    looped = values[usual_classification.map_by_pixels(network, scene, TINY.window, pixels[::3])]
    # Where two classes are equal to the last bits, the order of additions decides.
    best = np.sort(probabilities.reshape(-1, len(values))[pixels])[:, -2:]
    clear = best[:, 1] - best[:, 0] > 1e-5
    assert clear.mean() > 0.9
    assert len(np.unique(ours)) > 2
    np.testing.assert_array_equal(batched[clear], ours[clear])
    np.testing.assert_array_equal(looped[clear[::3]], ours[::3][clear[::3]])


@pytest.mark.parametrize(
    "side", [*classification.TRAINING, *classification.MAP], ids=lambda side: side.name
)
def test_every_side_scales_to_the_whole(side):
    timed = {"usual_pixel_map": 5, "usual_batch_map": 40, "suite_map": 480}
    timing = group.find_job(side.job)(RANDOM, side.settings)(brief=False)
    assert timing.whole == (72 if side in classification.TRAINING else 480)
    assert timing.pixels == timed.get(side.job.partition(":")[2], 64)
    assert timing.timed > 0
    assert timing.seconds == pytest.approx(timing.timed * timing.whole / timing.pixels)
    if side in classification.MAP:
        assert (timing.output >= 0).sum() == timing.pixels


def test_operations_are_those_of_the_network():
    # Multiply-adds by hand, window 11 and 13 components: outputs × kernel × input channels.
    features = [
        8 * 7 * 9**2 * 63,
        16 * 3 * 7**2 * 45 * 8,
        32 * 1 * 5**2 * 27 * 16,
        64 * 3**2 * 9 * 32,
    ]
    head = 64 * 3**2 * 256 + 256 * 128 + 128 * 3
    looped = classification.usual_pixel_map(RANDOM, ())(brief=False)
    assert looped.operations == looped.pixels * 2 * (sum(features) + head)
    trained = classification.suite_training(RANDOM, ["train.strategy=patch"])(brief=True)
    assert trained.operations == 32 * 6 * (sum(features) + head)
    # The whole scene of 20 × 24 with its border of 5 once, the head at every pixel.
    scene = [
        8 * 7 * 28 * 32 * 63,
        16 * 3 * 26 * 30 * 45 * 8,
        32 * 1 * 24 * 28 * 27 * 16,
        64 * 22 * 26 * 9 * 32,
    ]
    mapped = classification.suite_map(RANDOM, ())(brief=False)
    assert mapped.operations == 2 * (sum(scene) + 480 * head)
    stepped = classification.suite_training(RANDOM, ["train.strategy=dense"])(brief=False)
    assert stepped.operations == 6 * (2 * sum(scene) + 64 * head)


def test_a_scene_of_random_numbers_has_the_sizes_asked_for():
    assert Workload.from_json(RANDOM.to_json()) == RANDOM
    case = scene_case(RANDOM)
    assert case.prepared.scene.cube.shape == (20, 24, 13)
    assert np.bincount(case.prepared.labels.ravel()).tolist() == [240, 80, 80, 80]
    assert len(case.prepared.split.train) == 72
    np.testing.assert_array_equal(case.reduced(), case.prepared.scene.cube)
    mapped = sweeps.window_map(RANDOM, ())(brief=False)
    assert (mapped.pixels, mapped.whole) == (40, 480)
    training = classification.suite_training(RANDOM, ["train.strategy=patch"])
    assert training(brief=True).figures == {
        "auto": plan(case.classifier, case.config, case.prepared).strategy
    }


def test_what_is_varied_changes_one_size_alone():
    base = replace(TINY, shape=sweeps._BASE)
    for vary in sweeps.VARIED.values():
        workloads = [changed for _, changed in vary(base)]
        differing = [{k for k, v in vars(w).items() if v != vars(base)[k]} for w in workloads]
        assert len(set(workloads)) == len(workloads) > 2
        assert len(set().union(*differing)) == 1


def test_auto_is_right_within_a_tenth():
    def side(seconds, auto):
        return {"rounds": [{"timed": each, "figures": {"auto": auto}} for each in seconds]}

    slow, fast = [4.0, 6.0, 5.0], [2.0, 2.0, 5.0]
    patch, dense, ratios, chosen, right = sweeps._judged([side(slow, "dense"), side(fast, "")], 2)
    assert (patch, dense, ratios) == ([2, 3, 2.5], [1, 1, 2.5], [2, 3, 1])
    assert (chosen, right) == ("dense", "yes")
    assert sweeps._judged([side(slow, "patch"), side(fast, "")], 2)[3:] == ["patch", "**no**"]
    near = [side([1.05], "patch"), side([1.0], "")]
    assert sweeps._judged(near, 1)[4] == "yes"


def check_plain_denoiser():
    """The usual way and the product's give the same; what they took away from the noise."""
    noisy = denoising_case.noisy_photograph(96)
    usual = usual_denoising.denoise(denoising_case.plain_network(), noisy)
    denoiser = denoising_case.suite_denoiser("dncnn", "cpu")
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in denoiser.network.modules())
    ours = denoising_case.product_path(denoiser, "fp32", TINY)(noisy)
    np.testing.assert_allclose(ours, usual, atol=1e-5)
    return (noisy - usual).std() * 255


def test_the_plain_denoiser_is_the_registered_one(monkeypatch):
    monkeypatch.delenv("HSI_DATA_DIR", raising=False)
    # Random weights take away something of the size of noise, and no constant.
    assert 1 < check_plain_denoiser() < 50


@pytest.mark.data
def test_the_plain_denoiser_takes_public_weights(data_dir):
    assert check_plain_denoiser() == pytest.approx(25, abs=1.5)


def test_denoising_sides_say_what_they_did():
    by_pixel = 2 * 9 * (64 + 15 * 64**2 + 64)
    usual = denoising.usual_denoising_way(TINY, ())(brief=False)
    assert (usual.pixels, usual.operations) == (96**2, 96**2 * by_pixel)
    ours = denoising.suite_denoising(TINY, ("dncnn", "bf16"))(brief=True)
    assert (ours.pixels, ours.operations) == (48**2, 48**2 * by_pixel)
    default = denoising.suite_denoising(TINY, ("default", "fp32"))(brief=False)
    assert default.output is None
    assert 0 < default.operations < usual.operations / 4


def test_methods_are_scored_on_what_is_at_hand(monkeypatch):
    monkeypatch.delenv("HSI_DATA_DIR", raising=False)
    name, images = denoising_case.photographs(replace(TINY, scored_images=None))
    assert (name, len(images)) == ("5 images of samples of scikit-image", 5)
    assert {image.dtype for image in images} == {np.dtype(np.uint8)}
    names = [side.name for side in denoising.method_sides()]
    assert "DnCNN-17" not in names
    small = np.ascontiguousarray(images[0][200:280, 200:280])
    monkeypatch.setattr(denoising, "photographs", lambda workload: ("one", [small]))
    wavelet = denoising.scored(TINY, ("wavelet",))(brief=False)
    shipped = denoising.scored(TINY, ("default", "fp32"))(brief=False)
    assert wavelet.figures["cpu_seconds"] > 0
    noisy = wavelet.figures["psnr"] - wavelet.figures["gain"]
    assert noisy == pytest.approx(20 * np.log10(255 / 25), abs=0.3)
    assert shipped.figures["gain"] > wavelet.figures["gain"] > 2


@pytest.mark.data
def test_the_public_checkpoint_is_scored_where_it_is(data_dir):
    assert denoising_case.photographs(TINY)[0] == "1 images of Set12"
    names = [side.name for side in denoising.method_sides()]
    assert names[2:4] == ["DnCNN-17", "DnCNN-17, bf16"]
    assert denoising_case.suite_denoiser("checkpoint", "cpu").header.options["depth"] == 17


def test_outputs_are_compared_by_their_kind():
    labels = np.array([3, 1, -1, 2])
    assert agreement(labels, np.array([3, 2, 2, -1])) == {"equal_share": 0.5}
    values = agreement(np.array([0.5, 1.0]), np.array([0.5, 0.75]))
    assert values == {"largest_difference": 0.25}


def test_the_stopwatch_tells_waiting_from_computing():
    with measuring.stopwatch("cpu") as watch:
        pass
    assert watch.seconds > 0
    assert watch.cpu_seconds >= 0


def test_load_is_what_others_take():
    with load.watched() as seen:
        sum(range(10**5))
    assert set(seen) == set(QUIET)
    assert seen["own"] > 0
    assert not load.too_busy(QUIET)
    assert load.too_busy(BUSY)
    assert load.too_busy({**QUIET, "stolen": 0.5})
    assert not load.too_busy({**QUIET, "others": None, "stolen": None})


def test_the_machine_is_described_without_names_or_paths(monkeypatch):
    monkeypatch.setattr(machine, "_LEAST_SECONDS", 0.0)
    told = machine.describe_machine(TINY)
    text = json.dumps(told)
    assert told["cpu"]
    assert told["memory_gigabytes"] > 0.5
    assert str(ROOT) not in text
    assert platform.node() not in text
    rates = machine.multiplication_rates(1, "cpu", size=64)
    assert set(rates) == {"float32", "bfloat16"}
    assert min(rates.values()) > 0


def test_operations_are_counted_forwards_and_backwards():
    layer = torch.nn.Conv2d(3, 4, 3)
    images = torch.randn(2, 3, 10, 12)
    counted = 2 * 4 * 8 * 10 * 27
    with layer_costs.Recorder() as recorder:
        torch.mm(torch.empty(2, 3, device="meta"), torch.empty(3, 4, device="meta"))
        kept = layer(images).relu()
        kept.square().sum().backward()
    costs = recorder.costs
    forward = costs["forward", "convolution 3 → 4, 3×3"]
    assert forward.operations == 2 * counted and forward.calls == 1
    assert forward.moved == 4 * (images.numel() + 4 * 27 + 4 + kept.numel())
    backward = costs["backward", "convolution 3 → 4, 3×3: gradients of kernels"]
    assert backward.operations == 2 * counted
    # ReLU keeps its own output, and the square another power of it at most.
    assert costs["forward", "relu"].kept == 4 * kept.numel()
    assert forward.kept == 0
    assert not any("product" in name for _, name in costs)
    with torch.inference_mode(), layer_costs.Recorder() as recorder:
        torch.nn.functional.linear(layer(images), torch.ones(5, 10))
    ways = {name: cost.operations for (_, name), cost in recorder.costs.items() if cost.operations}
    assert ways == {
        "convolution 3 → 4, 3×3": 2 * counted,
        "product 64 × 10 × 5": 2 * 64 * 10 * 5,
    }


def test_costs_become_rows_and_a_sum():
    def entry(name, seconds, operations=0.0):
        cost = layer_costs.Cost(operations, 3e6, seconds, 2e6, 1)
        return {"stage": "forward", "name": name, **vars(cost)}

    rounds = [
        [entry("large", 2.0, 4e9), entry("small", 0.001), entry("tiny", 0.002)],
        [entry("large", 1.0, 4e9), entry("small", 0.001), entry("tiny", 0.002)],
    ]
    large, others, whole = layer_costs.table_rows(rounds, 8.0, 1)
    assert large == ["large", "forward", [2.0, 1.0], "100%", "2.00", "4 (50%)", "3", "2"]
    assert others[0] == "all others" and others[3:] == ["0%", "", "", "6", "4"]
    assert whole[2] == pytest.approx([2.003, 1.003]) and whole[6] == "9"


def test_all_groups_are_found_with_their_jobs():
    groups = {name: group.load_group(name) for name in group.NAMES}
    assert {each.title for each in groups.values()} >= {"Classification", "Denoising"}
    assert all(each.parts for each in groups.values())
    sides = [*classification.TRAINING, *classification.MAP, *denoising.SPEED, *denoising.COLOUR]
    sides += [*denoising.method_sides(), *sweeps._TRAINING, *sweeps._MAP]
    assert all(callable(group.find_job(side.job)) for side in sides)


def example_result(**machine_facts):
    """A result with made-up figures: one comparison of every column, one plain table."""

    def side(name, seconds, **more):
        rounds = [
            {
                "seconds": each,
                "timed": each,
                "pixels": 1_000_000,
                "whole": 2_000_000,
                "operations": each * 6e9,
                "peak_megabytes": 100 * each,
                "figures": {"psnr": 30.0, "gain": 9.0, "cpu_seconds": 2 * each},
            }
            for each in seconds
        ]
        entry = {"name": name, "usual": False, "precision": "float32", "rounds": rounds}
        return entry | more

    sides = [
        side("usual", [8.0, 10.0, 9.0], usual=True),
        side("ours", [2.0, 2.0, 3.0], agreement={"with": "usual", "largest_difference": 2e-6}),
        side("map", [1.0, 1.0, 1.0], agreement={"with": "usual", "equal_share": 0.998}),
    ]
    comparison = {
        "title": "Everything",
        "note": "A note.",
        "columns": [*report.COLUMNS],
        "sides": sides,
        "load": QUIET,
    }
    plain_table = {
        "title": "Start",
        "note": "",
        "head": ["", "seconds", "way"],
        "rows": [["`hsi`", [0.2, 0.1, 0.3], "dense"]],
        "load": QUIET,
    }
    facts = machine.describe_machine(TINY) | {
        "matrix_multiply_gflops": {"float32": 12.0, "bfloat16": 20.0},
        "flags": ["avx512_bf16", "fma"],
        "bf16_instructions": ["avx512_bf16"],
    }
    return {
        "format": report.FORMAT,
        "started": "2026-01-02T03:04:05+00:00",
        "workload": vars(TINY),
        "machine": facts | machine_facts,
        "idle": QUIET,
        "seconds": 120.0,
        "groups": [{"title": "Group", "tables": [comparison, plain_table]}],
    }


def test_the_report_holds_the_figures():
    text = report.page([example_result()])
    rows = {
        cells[0]: cells[1:]
        for line in text.splitlines()
        if line.startswith("| ")
        for cells in [[cell.strip() for cell in line.strip("|").split("|")]]
    }
    assert rows["ours"] == [
        "2.00 / 2.00 / 3.00",
        "1,000,000 of 2,000,000",
        "3.00 / 4.00 / 5.00",
        "0.333 / 0.500 / 0.500",
        "300",
        "6 (50%)",
        "within 2.0e-06 of usual",
        "30.00",
        "4.00 / 4.00 / 6.00",
        "9.00",
        "2.25",
    ]
    assert rows["usual"][2] == "1"
    assert rows["map"][6] == "99.8% of labels as usual"
    assert rows["`hsi`"] == ["0.100 / 0.200 / 0.300", "dense"]
    assert "12 GFLOP/s in float32, 20 in bfloat16 (instructions for it: avx512_bf16" in text
    assert "without AMX" in text
    check_tables(text, 2)


def test_a_busy_machine_is_told():
    result = example_result()
    assert "not to be quoted" not in report.page([result])
    result["groups"][0]["tables"][1]["load"] = BUSY
    text = report.page([result])
    assert "not to be quoted" in text
    assert "Meanwhile other programs took 1.50 processors ⚠." in text
    assert text.count("⚠") == 2
    assert "not to be quoted" in report.page([example_result() | {"idle": BUSY}])


def test_several_results_make_one_page(tmp_path, capsys):
    paths = [tmp_path / name for name in ("cpu.json", "gpu.json")]
    gpu = example_result(device_name="A GPU", device="cuda")
    for side in gpu["groups"][0]["tables"][0]["sides"]:
        for reply in side["rounds"]:
            reply["device_megabytes"] = 77.0
    for path, result in zip(paths, (example_result(cpu="A CPU"), gpu), strict=True):
        path.write_text(json.dumps(result))
    report.main([*map(str, paths), "-o", str(tmp_path / "RESULTS.md")])
    text = (tmp_path / "RESULTS.md").read_text()
    assert re.findall(r"^#+ .*", text, re.MULTILINE)[:3] == [
        "# hsi_suite against the usual way",
        "## A CPU",
        "### Group",
    ]
    assert "## A GPU" in text
    assert text.count("GPU peak MB") == 1
    assert str(ROOT) not in text
    assert platform.node() not in text
    check_tables(text, 4)
    report.main([str(paths[0])])
    assert capsys.readouterr().out.startswith("# hsi_suite")


def test_sweeps_make_tables(monkeypatch):
    def in_this_process(sides, workload, say):
        found = []
        for side in sides:
            timing = group.find_job(side.job)(workload, side.settings)(brief=False)
            reply = {name: value for name, value in vars(timing).items() if name != "output"}
            found.append({"name": side.name, "rounds": [reply]})
        return found

    monkeypatch.setattr(sweeps, "interleave", in_this_process)
    monkeypatch.setattr(sweeps, "SCENES", {"Tiny": (SCENE, 13, 9)})
    vary = {"window": lambda base: [(str(n), replace(RANDOM, window=n)) for n in (9, 11)]}
    monkeypatch.setattr(sweeps, "VARIED", vary)
    tables = [sweeps.choices(TINY, lambda text: None)]
    tables.append(sweeps.sweep("window", TINY, lambda text: None))
    assert tables[0]["rows"][0][0] == "Tiny, 13 components, window 9"
    assert [row[0] for row in tables[1]["rows"]] == ["9", "11"]
    assert {row[3] for row in tables[1]["rows"]} <= {"patch", "dense"}
    text = report.page([example_result() | {"groups": [{"title": "Costs", "tables": tables}]}])
    check_tables(text, 2)


@pytest.mark.parametrize("content", [None, "", "[]", '{"format": "hsi_suite benchmark 1"}'])
def test_a_file_that_is_no_result_is_refused(tmp_path, content):
    path = tmp_path / "result.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(SystemExit, match=r"result\.json"):
        report.main([str(path)])


@pytest.mark.parametrize("arguments", [["--rounds", "0"], ["--threads", "x"], ["--groups", "no"]])
def test_wrong_options_are_refused(arguments, capsys):
    with pytest.raises(SystemExit) as refusal:
        main(arguments)
    assert refusal.value.code == 2
    assert "usage" in capsys.readouterr().err


def test_float32_of_a_gpu_is_no_tf32_on_any_side(monkeypatch, tmp_path):
    seen, flags = [], (torch.backends.cuda.matmul, torch.backends.cudnn)

    def note(*given, **options):
        seen.append([flag.allow_tf32 for flag in flags])
        return 1.0

    before = note() and seen.pop()
    monkeypatch.setattr(machine, "_products", lambda *given: [None])
    monkeypatch.setattr(machine, "_rate", note)
    assert machine.multiplication_rates(1, "cuda") == {"float32": 1.0, "bfloat16": 1.0}
    monkeypatch.setattr(worker, "find_job", lambda job: lambda sizes, settings: note)
    monkeypatch.setattr(sys, "stdin", [])
    worker.main("a:job", replace(TINY, device="cuda").to_json(), "[]", str(tmp_path / "none"))
    assert seen == [[False, False]] * 3
    assert note() and seen.pop() == before


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_a_gpu_that_is_not_there_is_told(tmp_path):
    with pytest.raises(SystemExit, match="this machine has 0 CUDA devices"):
        main(["--device", "cuda", "--output", str(tmp_path)])


@pytest.mark.slow
def test_processes_take_turns_and_agree():
    heard = []
    sides = (
        Side("usual", "classification:usual_batch_map", usual=True),
        Side("ours", "classification:suite_map"),
    )
    found = compare("Map", "A note.", sides, ["seconds"], RANDOM, heard.append)
    assert [line.split()[2] for line in heard if line.startswith("round")] == [
        "usual",
        "ours",
        "usual",
        "ours",
    ]
    usual, ours = found["sides"]
    assert len(usual["rounds"]) == len(ours["rounds"]) == 2
    assert min(r["peak_megabytes"] for side in (usual, ours) for r in side["rounds"]) > 50
    assert ours["agreement"]["with"] == "usual"
    assert ours["agreement"]["equal_share"] > 0.9
    assert "agreement" not in usual
    assert found["load"]["own"] > 0
    json.dumps(found)


def check_tables(text, count):
    """Every table has a rule under its head and the same number of cells in each line."""
    tables = re.findall(r"(?:^\|.*\|\n)+", text, re.MULTILINE)
    assert len(tables) == count
    for found in tables:
        lines = found.splitlines()
        assert re.fullmatch(r"[|\-: ]+", lines[1])
        assert len({line.count("|") for line in lines}) == 1
        assert len(lines) > 2


@pytest.mark.slow
def test_a_side_that_fails_is_named():
    with pytest.raises(RuntimeError, match="'broken'"):
        interleave([Side("broken", "start_up:no_such_job")], TINY, lambda text: None)


def test_the_first_output_of_a_command_is_waited_for_and_no_longer(tmp_path):
    speaks = "import sys, time; print('x', flush=True, file=sys.stderr); time.sleep(600)"
    command = [sys.executable, "-S", "-c"]
    course = start_up.course_of([*command, speaks], tmp_path)
    assert 0 < course.first < 300 and course.processor is None
    ends = [*command, "import sys; print('x', flush=True); sys.exit(2)"]
    course = start_up.course_of(ends, tmp_path, 2)
    assert course.processor > 0 and (course.first_processor or 0) <= course.processor + 0.02
    with pytest.raises(RuntimeError, match="ended with 2"):
        start_up.course_of(ends, tmp_path, 0)
    with pytest.raises(RuntimeError, match="without a word"):
        start_up.course_of([*command, "pass"], tmp_path)


def test_winograds_transforms_give_the_convolution():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(1, 3, 12, 8, generator=generator).double()
    weight = torch.randn(5, 3, 3, 3, generator=generator).double()
    expected = torch.nn.functional.conv2d(x, weight, padding=1)
    torch.testing.assert_close(Winograd(weight)(x), expected, rtol=0, atol=1e-12)


def test_drawings_are_scored_as_files_of_8_bits_and_nothing_above_60_db(tmp_path, monkeypatch):
    picture = draw_kind("shapes", 64, np.random.default_rng(1))
    spoilt = through_jpeg(picture / np.float32(255), 50, subsampling=True)
    whole = np.rint(spoilt * 255).clip(0, 255).astype(np.uint8)
    expected = peak_signal_noise_ratio(picture, whole)
    before, added = drawn_pictures.gains({"same": lambda noisy, _: noisy}, [picture], 50)
    assert before == pytest.approx(expected, abs=1e-4) and added["same"] == [0.0]
    exact = torch.from_numpy(picture.transpose(2, 0, 1)[None] / np.float32(255))
    _, added = drawn_pictures.gains({"exact": lambda *_: exact}, [picture], 50)
    assert added["exact"][0] == pytest.approx(60 - expected, abs=1e-4)
    monkeypatch.setattr(drawn_pictures, "SIDE", 64)
    monkeypatch.setattr("sys.argv", ["x", "--count", "1", "--save", str(tmp_path / "drawn")])
    drawn_pictures.main()
    files = sorted((tmp_path / "drawn").iterdir())
    assert len(files) == len(KINDS) + 1 + len(HELD_OUT)
    assert all(Image.open(file).size == (64, 64) for file in files)


def test_the_simple_way_with_mixed_noise_takes_impulses_and_directions_out():
    lines, samples, bands = 12, 14, 30
    spectra = np.random.default_rng(0).random((4, bands))
    ramps = np.ones((lines, samples, 4)) * np.linspace(0, 1, samples)[None, :, None]
    clean = np.asarray(ramps @ spectra, np.float32)
    struck = clean.copy()
    struck[5, 6, 3] += 50
    found = mixed_noise.simple_way(struck)
    assert found.dtype == np.float32 and found.shape == clean.shape
    assert np.abs(found - mixed_noise.simple_way(clean))[3:, 2:-2].max() < 1e-4
    noise = np.random.default_rng(1).normal(0, 1, (40, 40, bands)).astype(np.float32)
    values = noise.reshape(-1, bands)
    assert np.linalg.matrix_rank(mixed_noise.simple_way(noise).reshape(values.shape)) <= 11


def test_ways_of_a_compiled_step_learn_the_same():
    case = scene_case(TINY)
    usual, *others = (
        compiled_training.Step(case, kind, compiled_training.scene_logits, "fp32")()
        for kind in (
            compiled_training.HybridSN,
            compiled_training.ByLayers,
            compiled_training.ByStack,
        )
    )
    assert usual.abs().max() > 0
    for other in others:
        torch.testing.assert_close(other, usual, rtol=1e-4, atol=1e-6)


def test_a_compiled_step_needs_a_compiler(monkeypatch, capsys):
    monkeypatch.setenv("CXX", "no-such-compiler")
    monkeypatch.setattr(sys, "argv", ["benchmarks.compiled_training"])
    with pytest.raises(SystemExit) as ended:
        compiled_training.main()
    assert ended.value.code == 2
    assert "no-such-compiler is not there" in capsys.readouterr().err


def convolution(out=3):
    return torch.nn.Conv2d(2, out, 3)


def test_a_share_of_the_way_lies_between_both():
    torch.manual_seed(0)
    start, end = convolution(), convolution()
    numbers = [each.weight.detach().double() for each in (start, end)]
    for share in (0.25, 0.5, 1.0):
        network = convolution()
        network.load_state_dict(end.state_dict())
        go_share(network, start, share)
        wanted = numbers[0] + share * (numbers[1] - numbers[0])
        torch.testing.assert_close(network.weight.detach().double(), wanted, atol=1e-7, rtol=0)
    # Numbers of half the size are computed with in single precision.
    go_share(end, start.half(), 0.5)
    wanted = (numbers[1] + start.weight.detach().double()) / 2
    torch.testing.assert_close(end.weight.detach().double(), wanted, atol=1e-7, rtol=0)
    with pytest.raises(SystemExit, match="another kind"):
        go_share(end, convolution(4), 0.5)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("--share", "0.5"), "one without the other"),
        (("--from", "jpeg_denoiser"), "one without the other"),
        (("--from", "jpeg_denoiser", "--share", "0"), "above 0 and at most 1"),
        (("--from", "jpeg_denoiser", "--share", "1.5"), "above 0 and at most 1"),
        (("--from", "jpeg_denoiser", "--share", "half"), "above 0 and at most 1"),
    ],
)
def test_a_wrong_share_is_refused_by_a_line(given, said, monkeypatch, capsys, tmp_path):
    out = tmp_path / "out.safetensors"
    monkeypatch.setattr(sys, "argv", ["ship_denoiser", str(tmp_path), str(out), *given])
    with pytest.raises(SystemExit) as ended:
        ship_denoiser.main()
    assert ended.value.code == 2
    assert said in capsys.readouterr().err and not out.exists()
