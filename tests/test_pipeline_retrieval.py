"""Runs of retrieval from beginning to end: files, scenes, resume, evaluation, what is refused."""

import json
import os
import signal
import sys

import numpy as np
import pytest
import torch
from PIL import Image
from retrieval_samples import gaussian_views, write_pairs
from scipy.io import savemat

from hsi_suite.cli import main
from hsi_suite.data.pair_files import read_pairs
from hsi_suite.engine.observer import Observer
from hsi_suite.errors import HsiSuiteError, InputFileError, RunError, ShapeError, Stopped
from hsi_suite.metrics.measures import same_scores
from hsi_suite.runs import launch
from hsi_suite.runs.evaluation import evaluate
from hsi_suite.runs.folder import MODEL, REPORT
from hsi_suite.tasks.retrieval.configuration import retrieval_config
from hsi_suite.tasks.retrieval.results import PRECISION_RECALL, PROJECTION
from hsi_suite.tasks.retrieval.retriever import load_retriever

pytestmark = pytest.mark.stand_in_pictures

SMALL = [
    "model.options.hidden=64",
    "model.options.embedding=32",
    "train.epochs=3",
    "train.optimizer.learning_rate=1e-3",
    "evaluation.cutoffs=[1, 5]",
    "threads=1",
]


def hsi(monkeypatch, capsys, *arguments):
    """Exit status and what was printed."""
    monkeypatch.setattr(sys, "argv", ["hsi", *map(str, arguments)])
    try:
        main()
    except SystemExit as ended:
        status = ended.code or 0
    else:
        status = 0
    printed = capsys.readouterr()
    return status, printed.out, printed.err


def start(path, output, *more):
    settings = [f"data.files={path}", *SMALL, *more]
    config = launch.configure(config="retrieval/features", settings=settings)
    return launch.start(config, output)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("retrieval")
    path = write_pairs(folder / "pairs.npz", extra=60)
    return start(path, folder / "runs", "evaluation.label_shares=[0.0, 0.5]")


def test_a_run_of_files_leaves_everything(run):
    metrics = run.metrics
    assert metrics["task"] == "retrieval" and not metrics["synthetic"]
    assert metrics["directions"] == ["image_to_text", "text_to_image"]
    split = metrics["split"]
    assert (split["train"], split["validation"], split["test"]) == (174, 19, 47)
    assert split["extra_second"] == 60 and split["kind"] == "random"
    for name in ("cca", "class_posterior", "nearest_pair", "chance"):
        assert set(metrics["baselines"][name]) == set(metrics["directions"])
    assert "no spectra" in metrics["not_applicable"]["spectral_angle"]
    for direction, figures in metrics["test"].items():
        chance = metrics["baselines"]["chance"][direction]["mean_average_precision"]
        assert chance < figures["mean_average_precision"] <= 1
        assert set(figures) >= {"macro_average_precision", "recall_at_5"}
        assert len(metrics["curves"][direction]["precision"]) == 21
        assert 0 < metrics["thresholds"][direction] <= 1
    assert [row["label_share"] for row in metrics["choices"]] == [0.0, 0.5]
    for name in (PROJECTION, PRECISION_RECALL):
        with Image.open(run.path / name) as picture:
            assert min(picture.size) > 200
    page = (run.path / REPORT).read_text("utf-8")
    assert "image → text" in page and "class posterior" in page and "<script" not in page


def test_an_evaluation_gives_the_stored_figures(run):
    result = evaluate(run.path)
    assert result["equal"] and set(result["test"]) == set(run.metrics["directions"])
    earlier = {
        name: {key: value for key, value in scores.items() if "gain" not in key}
        for name, scores in result["test"].items()
    }
    assert earlier != result["test"] and same_scores(result["test"], earlier)


def test_a_rerun_has_the_same_bytes(run, tmp_path):
    again = start(run.config["data"]["files"], tmp_path, "evaluation.label_shares=[0.0, 0.5]")
    assert again.path.name == run.path.name
    for name in (MODEL, "metrics.json", "history.csv"):
        assert (again.path / name).read_bytes() == (run.path / name).read_bytes()


def test_a_stopped_run_goes_on_to_the_same_bytes(run, tmp_path):
    class Impatient(Observer):
        def __init__(self):
            self.steps = 0

        def advance(self, steps=1, **figures):
            self.steps += 1
            if self.steps == 3:
                os.kill(os.getpid(), signal.SIGTERM)

    settings = [f"data.files={run.config['data']['files']}", *SMALL]
    settings.append("evaluation.label_shares=[0.0, 0.5]")
    config = launch.configure(config="retrieval/features", settings=settings)
    with pytest.raises(Stopped):
        launch.start(config, tmp_path, Impatient())
    finished = launch.resume(tmp_path / run.path.name)
    assert (finished.path / MODEL).read_bytes() == (run.path / MODEL).read_bytes()


def test_the_saved_retriever_is_the_trained_one(run):
    retriever = load_retriever(run.path / MODEL, torch.device("cpu"))
    first, second, _ = gaussian_views(30)
    rows = retriever.embed_first(first), retriever.embed_second(second)
    for part in rows:
        assert part.shape == (30, retriever.embedding_size) and part.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(part, axis=1), 1, atol=1e-5)
    assert retriever.side("text") == "second"
    np.testing.assert_allclose(retriever.posteriors(first, "first").sum(1), 1, atol=1e-5)
    with pytest.raises(HsiSuiteError, match="is not of this run"):
        retriever.side("sound")
    with pytest.raises(ShapeError):
        retriever.embed_second(first)


def test_damaged_retrievers_are_refused(run, tmp_path):
    content = (run.path / MODEL).read_bytes()
    damaged = tmp_path / "model.safetensors"
    for piece in (
        b"",
        content[:100],
        content[:-10],
        b"\x00" * 64,
        content.replace(b'"labels', b'"labelz'),
    ):
        damaged.write_bytes(piece)
        with pytest.raises(RunError):
            load_retriever(damaged, torch.device("cpu"))
    with pytest.raises(RunError):
        load_retriever(tmp_path / "none.safetensors", torch.device("cpu"))


def test_a_scene_is_searched_without_any_data_of_ones_own(tmp_path, monkeypatch, capsys):
    settings = [
        "data.window=5", "split.kind=random", "split.pairs=60", "train.epochs=1",
        "model.options.first_encoder=mlp", "evaluation.cutoffs=[1]",
        "evaluation.baselines=[spectral_angle, nearest_pair]", "data.pair=spectrum:pca",
        "threads=1",
    ]  # fmt: skip
    config = launch.configure(config="retrieval/synthetic_spectrum_rgb", settings=settings)
    run = launch.start(config, tmp_path)
    assert run.metrics["synthetic"] and run.metrics["split"]["kind"] == "random"
    assert run.metrics["split"]["train"] == 60
    assert run.metrics["leakage"]["windows_overlapping"] > 0.5
    assert "memory of the neighbourhood" in (run.path / REPORT).read_text("utf-8")
    assert set(run.metrics["baselines"]["spectral_angle"]) == {"spectrum_to_pca", "pca_to_spectrum"}
    assert evaluate(run.path)["equal"]
    status, out, _ = hsi(monkeypatch, capsys, "evaluate", run.path)
    assert status == 0 and "equal to the stored scores" in out


def test_multi_hot_labels_share_classes(tmp_path):
    _, _, classes = gaussian_views(240)
    hot = np.eye(5, dtype=int)[classes]
    hot[::4, 0] = 1
    run = start(write_pairs(tmp_path / "pairs.npz", labels=hot), tmp_path)
    assert run.metrics["multi_label"]
    assert run.metrics["test"]["image_to_text"]["mean_average_precision"] > 0.2


def test_benchmark_files_of_a_folder_are_pairs_with_a_test_part(tmp_path):
    first, second, classes = gaussian_views(100)
    parts = {"train": slice(0, 80), "test": slice(80, 100)}
    for part, rows in parts.items():
        names = (f"{part}_img", f"{part}_txt", f"{part}_img_lab")
        for name, array in zip(names, (first, second, classes[:, None] + 1), strict=True):
            savemat(tmp_path / f"{name}.mat", {name: array[rows]})
    files = read_pairs(tmp_path)
    assert len(files.pairs) == 80 and len(files.test) == 20 and len(files.checksums) == 6
    np.testing.assert_array_equal(files.pairs.first, first[:80])
    np.testing.assert_array_equal(files.test.targets.argmax(1), classes[80:])


def test_labels_of_both_sides_must_agree(tmp_path):
    classes = gaussian_views(240)[2]
    same = write_pairs(tmp_path / "same.npz", train_txt_lab=classes)
    assert len(read_pairs(same).pairs) == 240
    alone = write_pairs(tmp_path / "alone.npz", labels=None, train_txt_lab=classes)
    np.testing.assert_array_equal(read_pairs(alone).pairs.targets, read_pairs(same).pairs.targets)
    other = classes.copy()
    other[:7] = (other[:7] + 1) % 5
    hot = np.eye(5, dtype=int)[classes]
    for labels, second, found in (
        (classes, other, "labels and train_txt_lab contradict each other in 7 of 240 pairs"),
        (hot, np.eye(5, dtype=int)[other], "contradict each other in 7 of 240 pairs"),
        (classes, hot, "one form of labels"),
        (classes, classes[:-1], "of shapes"),
    ):
        path = write_pairs(tmp_path / "two.npz", labels=labels, train_txt_lab=second)
        with pytest.raises(InputFileError, match=found):
            read_pairs(path)
    views = dict(zip(("test_img", "test_txt"), gaussian_views(9)[:2], strict=True))
    path = write_pairs(
        tmp_path / "test.npz", test_img_lab=classes[:9], test_txt_lab=other[:9], **views
    )
    with pytest.raises(InputFileError, match="test_img_lab and test_txt_lab contradict"):
        read_pairs(path)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"second": np.zeros((5, 3))}, "240 items of the first modality and 5 of the second"),
        ({"labels": np.zeros(3)}, "single class"),
        ({"labels": np.arange(5)}, "5 of them; expected 240"),
        ({"labels": None}, "holds no array 'labels'"),
        ({"labels": np.full(240, 0.5)}, "no whole numbers"),
        ({"labels": -np.ones(240)}, "from -1"),
        ({"labels": np.full((240, 3), 7)}, "values up to 7"),
        ({"first": np.full((240, 4), np.nan)}, "not finite"),
        ({"first": np.zeros(240)}, r"shape \(240,\)"),
        ({"test_first": np.zeros((2, 40))}, "without test_second"),
        ({"extra_first": np.zeros((2, 40))}, "without extra_first_labels"),
        ({"train_img": np.zeros((2, 2))}, "holds both first and train_img"),
    ],
)
def test_bad_pairs_are_refused_in_one_line(tmp_path, changed, message):
    path = write_pairs(tmp_path / "pairs.npz", **changed)
    with pytest.raises(HsiSuiteError, match=message) as caught:
        read_pairs(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no archive", b"\x93NUMPY", b"text"])
def test_files_of_another_kind_are_refused(tmp_path, content):
    path = tmp_path / "pairs.npz"
    path.write_bytes(content)
    with pytest.raises(InputFileError):
        read_pairs(path)
    whole = write_pairs(tmp_path / "whole.npz").read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputFileError):
        read_pairs(path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputFileError, match=r"without \.mat or \.npz"):
        read_pairs(tmp_path / "empty")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["data.pair=spectrum:lidar"], "unknown kind 'lidar'"),
        (["data.pair=spectrum"], "two modalities such as spectrum:rgb"),
        (["data.pair=spectrum:companion"], "no companion layer"),
        (["data.window=4"], "odd data.window"),
        (["data.window=99"], "a window of 99 in a scene"),
        (["split.guard=1"], "at least the window's radius"),
        (["split.validation=0"], "split.validation above 0"),
        (["data.files=pairs.npz"], "one of data.dataset"),
        (["evaluation.baselines=[svm]"], "evaluation.baselines"),
        (["model.options.second_encoder=inception_1d"], "expected spectra or features"),
        (["model.options.first_encoder=resnet"], "unknown name 'resnet'"),
        (["model.name=hybridsn"], "hybridsn is for classification"),
    ],
)
def test_what_cannot_be_is_one_line_and_exit_2(settings, message, tmp_path, monkeypatch, capsys):
    # The search for a split takes seconds and has tests of its own.
    monkeypatch.setattr("hsi_suite.tasks.retrieval.preparation.split_pairs", _quick_split)
    arguments = ["train", "--config", "retrieval/synthetic_spectrum_rgb", "--output", str(tmp_path)]
    for setting in settings:
        arguments += ["--set", setting]
    status, _, err = hsi(monkeypatch, capsys, *arguments)
    assert status == 2, err
    assert message in err and "Traceback" not in err
    # The first line may say what was about to be done.
    told = [line for line in err.strip().splitlines() if not line.startswith("hsi train: ")]
    assert len(told) == 1


def _quick_split(labels, *, generator, **_):
    from hsi_suite.data.splits import random_split

    return random_split(labels, train=0.3, validation=0.3, generator=generator)


def test_cutoffs_beyond_the_gallery_are_cut_to_it_with_a_word(tmp_path):
    path = write_pairs(tmp_path / "pairs.npz")
    run = start(path, tmp_path, "evaluation.cutoffs=[5, 49, 100]")
    for figures in [*run.metrics["test"].values(), *run.metrics["baselines"]["chance"].values()]:
        told = {int(name.rpartition("_at_")[2]) for name in figures if "_at_" in name}
        assert told == {5, 47}
        assert figures["recall_at_47"] == pytest.approx(1)
    log = (run.path / "log.txt").read_text()
    assert "evaluation.cutoffs: 49, 100 is more than the 47" in log
    assert evaluate(run.path)["equal"]


def test_options_name_a_source_in_place_of_the_configurations(tmp_path):
    named = {"config": "retrieval/features", "options": {"dataset": "synthetic"}}
    config = retrieval_config(**named, settings=["data.pair=spectrum:rgb"])
    assert config.data.files is None and config.data.dataset == "synthetic"
    with pytest.raises(HsiSuiteError, match=r"data\.pair: unknown kind 'image'"):
        retrieval_config(**named)
    with pytest.raises(HsiSuiteError, match="Did you mean"):
        retrieval_config(config="retrieval/features", options={"datset": "x"})


def test_the_terminal_shows_both_directions_and_every_baseline(run, monkeypatch, capsys):
    arguments = ("train", "--resume", run.path)
    status, out, _ = hsi(monkeypatch, capsys, *arguments)
    assert status == 0
    for words in ("image → text", "text → image", "canonical", "class posterior", "chance"):
        assert words in out
    assert max(map(len, out.splitlines())) <= 80 + len(str(run.path))
    _, out, _ = hsi(monkeypatch, capsys, *arguments, "--json")
    assert json.loads(out)["test"] == run.metrics["test"]
