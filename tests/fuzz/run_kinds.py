"""Folders of runs and batches, what goes on in them, and configurations."""

import json
import shutil
import signal
from contextlib import suppress
from unittest import mock

import batch_samples
import numpy as np
from scenes_samples import SMALL, small_cube, write_scene
from test_prediction_strips import Interrupted

from hsi_suite.atomic import write_json
from hsi_suite.config import load_tree, validate
from hsi_suite.engine.observer import Observer
from hsi_suite.engine.trainer import Training
from hsi_suite.errors import HsiSuiteError, Stopped
from hsi_suite.reports.paper.figure import picture_figure
from hsi_suite.runs.batches.design import expand
from hsi_suite.runs.batches.progress import finished_table
from hsi_suite.runs.comparison import compare
from hsi_suite.runs.evaluation import evaluate
from hsi_suite.runs.figures import write_figures
from hsi_suite.runs.folder import open_run
from hsi_suite.runs.launch import configure, resume, start
from hsi_suite.runs.pages import picture_of
from hsi_suite.runs.replay import replay
from hsi_suite.runs.report import write_reports
from hsi_suite.runs.run_differences import (
    compare_metrics,
    compare_predictions,
    compare_weights,
)
from hsi_suite.schemas.batch import BatchConfig
from hsi_suite.tasks.scenes import choosing, fold_training, prediction, strip_prediction
from hsi_suite.tasks.scenes.ensemble import load_ensemble

from .harness import Kind
from .made import copied
from .model_kinds import CPU


class _StopAfterAnEpoch(Observer):
    def epoch(self, row, seconds):
        signal.raise_signal(signal.SIGINT)


def _train_scene(model, observer=None):
    def make(folder):
        options = write_scene(folder, lines=14, samples=14)
        unread = ("model.window", "reduction.components")
        settings = [s for s in SMALL if model == "hybridsn" or not s.startswith(unread)]
        settings += ["evaluation.baselines=[]", "device=cpu"]
        config = configure(settings=settings, model=model, **options)
        with suppress(Stopped):
            start(config, folder / "runs", observer or Observer())
        [run] = (folder / "runs").iterdir()
        run.rename(folder / "run")
        shutil.rmtree(folder / "runs")

    return make


def _read_run(folder):
    run = folder / "run"
    _both(lambda: write_reports(run), lambda: compare([run]))
    opened = open_run(run)
    _both(
        lambda: load_ensemble([run], CPU, 1),
        lambda: compare_metrics(opened, opened),
        lambda: compare_weights(opened, opened),
        lambda: compare_predictions(opened, opened),
        lambda: (opened.environment, opened.identity, opened.cost, opened.history),
    )


def _both(*calls):
    """Every call for itself; the first refusal is told after all of them."""
    refusals = []
    for call in calls:
        try:
            call()
        except HsiSuiteError as error:
            refusals.append(error)
    if refusals:
        raise refusals[0]


def _hybridsn(folder):
    copied("hybridsn", _train_scene("hybridsn"), folder)


def _svm(folder):
    copied("svm", _train_scene("svm"), folder)


def _stopped(folder):
    copied("stopped", _train_scene("hybridsn", _StopAfterAnEpoch()), folder)
    assert (folder / "run" / "checkpoint.pt").exists()


def _with_own_scene(folder, call):
    """Call with the scene of a run where it lies now: configurations name it in full."""
    path = folder / "run" / "config.yaml"
    with mock.patch("hsi_suite.tasks.scenes.scene_loading.named_scene", _moved(folder)):
        return call(path.parent)


def _moved(folder):
    from hsi_suite.tasks.scenes.scene_loading import named_scene

    def named(data, *arguments):
        here = {"scene": str(folder / "cube.npy"), "labels": str(folder / "labels.npy")}
        return named_scene(data.model_copy(update=here), *arguments)

    return named


def _runs():
    for target in ("model.safetensors", "metrics.json", "config.yaml", "environment.json",
                   "history.csv", "cost.json", "map.npy", "areas.json"):  # fmt: skip
        yield Kind(f"run hybridsn {target}", _hybridsn, _read_run, (f"run/{target}",))
    yield Kind("run svm model.safetensors", _svm, _read_run, ("run/model.safetensors",))
    yield Kind("page of a run", _hybridsn, lambda f: write_reports(f / "run"), ("run/*",),
               every=8, drawn=True)  # fmt: skip
    yield Kind("picture of a run", _hybridsn, _picture, ("run/map.png",))
    yield Kind("figures of a run", _hybridsn, _figures, ("run/*.npz", "run/*.npy", "run/*.json"),
               every=8, drawn=True, keys=True)  # fmt: skip
    own = ("run/*.json", "run/*.yaml", "run/*.npz", "run/*.safetensors")
    yield Kind(
        "run evaluated", _svm, lambda f: _with_own_scene(f, evaluate), own, every=2, keys=True
    )
    yield Kind(
        "run replayed", _svm, lambda f: _with_own_scene(f, _replayed), own, every=4, keys=True
    )
    yield Kind("run resumed", _stopped, lambda f: _with_own_scene(f, resume),
               ("run/checkpoint.pt", "run/*.json", "run/*.yaml", "run/*.csv"), every=4,
               keys=True)  # fmt: skip


def _picture(folder):
    png = picture_of(open_run(folder / "run"), "map.png")
    picture_figure(png, "map", 5.0)


def _figures(folder):
    def write(run):
        write_figures(run, "png", folder / "figures", width=40, overwrite=True)

    _with_own_scene(folder, write)


def _replayed(run):
    replay(run, device="cpu")


def _predicted(folder, **options):
    with (
        mock.patch.object(prediction, "_state_of", lambda path: [path.name]),
        mock.patch.object(prediction, "strip_lines", lambda *_: 4),
    ):
        prediction.predict(
            [folder / "run"], folder / "map.tif", scene=str(folder / "cube.npy"), threads=1,
            device="cpu", **options,
        )  # fmt: skip


def _cut_off(folder):
    def make(place):
        _svm(place)
        with suppress(Stopped):
            _predicted(place, observer=Interrupted(2))
        assert (place / "map.tif.partial").is_dir()

    copied("map cut off", make, folder)


def _products(folder):
    _predicted(folder, majority=3, areas=True, vector=folder / "map.gpkg")


def _cut_off_products(folder):
    def make(place):
        _svm(place)
        stop = mock.patch.object(strip_prediction, "MapFinishing", side_effect=KeyboardInterrupt)
        with stop, suppress(Stopped):
            _products(place)
        assert (place / "map.tif.partial").is_dir()

    copied("products of a map cut off", make, folder)


def _make_scene_of_floats(folder):
    _svm(folder)
    np.save(folder / "cube.npy", small_cube(14, 14)[0].astype("f4"))


def _predictions():
    yield Kind("scene classified", _make_scene_of_floats, _predicted, ("cube.npy",))
    yield Kind("map cut off", _cut_off, _predicted, ("map.tif.partial/*",))
    yield Kind("products of a map cut off", _cut_off_products, _products,
               ("map.tif.partial/*",))  # fmt: skip


def _small_batch(folder):
    one = {"svm": (0.9, 0.6)}
    sample = batch_samples.Sample(models=one, kinds=("random",), runs=2, epochs=3)
    copied("batch", lambda f: batch_samples.make_batch(f, sample), folder)


def _denoising_batch(folder):
    copied("denoising", lambda f: batch_samples.make_denoising_batch(f, runs=2), folder)


def _retrieval_batch(folder):
    copied("retrieval", lambda f: batch_samples.make_retrieval_batch(f, runs=2), folder)


def _read_batch(folder):
    names = [p for p in sorted(folder.iterdir()) if (p / "config.yaml").is_file()]
    _both(
        lambda: write_reports(folder),
        lambda: compare([folder]),
        lambda: compare(names),
        lambda: write_reports(names[0]),
    )


def _batches():
    makers = {"classification": _small_batch, "denoising": _denoising_batch,
              "retrieval": _retrieval_batch}  # fmt: skip
    others = ("batch.yaml", "*/cost.json", "*/environment.json", "*/*.yaml", "*/*.csv", "*/*.npy")
    targets = {"summary.json": ("summary.json",), "metrics.json": ("*/metrics.json",),
               "others": others}  # fmt: skip
    for task, make in makers.items():
        for target, chosen in targets.items():
            yield Kind(f"batch {task} {target}", make, _read_batch, chosen)
        yield Kind(f"page of a batch of {task}", make, write_reports, ("**/*",), every=16,
                   drawn=True)  # fmt: skip
    yield Kind("batch gone on with",
               lambda f: write_json(f / "runs.json", {"0123456789abcdef": "a_run"}),
               lambda f: finished_table(f / "runs.json"))  # fmt: skip


def _fold_left(folder):
    rows = [{"epoch": 1.0, "loss": 0.7}, {"epoch": 2.0, "loss": 0.4}]
    search = {"folds": "spatial", "number": 3, "score": 0.5, "settings": {"C": 1.0}}
    behind = {"value": 0.0, "low": None, "high": None, "apart": False}
    row = {"name": "lda", "score": 0.5, "by_fold": [0.4, 0.6], "behind": behind}
    facts = {"chosen": "lda", "best": "lda", "window": 1, "score": "mean", "rule": "best",
             "folds": 2, "made_of": "blocks", "guard": 3, "level": 0.95, "not_judged": ["a"],
             "candidates": [row, {"name": "gaussian", "why": "too few"}]}  # fmt: skip
    choice = choosing.Choice(mock.Mock(), mock.Mock(), facts, {"lda": 0.5})
    left = fold_training.record_of(Training(rows, 2, [], 0.9), search, choice)
    write_json(folder / "fold_1.json", left)


def _choice_left(folder):
    row = {"hits": [1, 2], "support": [3, 2], "seconds": 0.5}
    write_json(folder / "choice.json", {"lda": {"0": row, "1": row}, "svm": {"0": row}})


def _folds():
    yield Kind("what was tried to choose a model", _choice_left,
               lambda f: choosing.recorded(f / "choice.json", 2))  # fmt: skip
    yield Kind("what a fold's training left", _fold_left,
               lambda f: fold_training.recorded(f / "fold_1.json"))  # fmt: skip


_CONFIGS = {
    "classification": {
        "extends": "classification/hybridsn", "seeds": {"base": 3}, "threads": 1,
        "data": {"dataset": "synthetic"}, "split": {"kind": "disjoint"},
        "train": {"epochs": 2, "augmentation": {"flips": True}}, "model": {"window": 9},
    },
    "denoising by cameras": {
        "extends": "denoising/camera_denoiser",
        "data": {"images": None, "folder": "photos", "validation": 2},
        "noise": {"kind": "camera", "validation": [400], "camera": {"iso": [100, 800]}},
        "device": "cpu", "threads": 1,
    },
    "denoising of a mixture": {
        "extends": "denoising/dncnn_3", "data": {"images": None, "folder": "photos"},
        "noise": {"artefacts": {"quality": [5, 99], "factors": [2, 4], "validation_factors": []}},
        "device": "cpu", "threads": 1,
    },
    "images": {
        "extends": "image_classification/folder", "data": {"folder": "photos", "size": 16},
        "model": {"name": "resnet_20"}, "split": {"validation": 0.2},
    },
    "retrieval": {
        "extends": "retrieval/synthetic_spectrum_rgb", "data": {"window": 3},
        "evaluation": {"cutoffs": [5], "baselines": ["cca"]},
    },
}  # fmt: skip
_BATCH = {
    "models": ["hybridsn", "svm"], "datasets": ["synthetic"], "splits": ["random"], "runs": 2,
    "set": {"train.epochs": 2}, "jobs": 1,
}  # fmt: skip
_TEXT = (
    "extends: classification/hybridsn\nseeds: {base: 3}\nmodel:\n  window: 9\nthreads: 1\n"
    "data: {dataset: synthetic}\ntrain:\n  optimizer: {learning_rate: 1e-3}\n"
)


def _read_batch_config(folder):
    path = str(folder / "b.yaml")
    expand(validate(BatchConfig, load_tree(path), path), folder)


def _read_setting(folder):
    text = (folder / "setting.txt").read_text(errors="surrogateescape")
    configure(model="svm", dataset="synthetic", settings=text.split("\n")[:3])


def _configs():
    for kind, tree in _CONFIGS.items():
        yield Kind(f"config {kind}", lambda f, t=tree: (f / "c.yaml").write_text(json.dumps(t)),
                   lambda f: configure(config=str(f / "c.yaml")), keys=True)  # fmt: skip
    yield Kind("config as text", lambda f: (f / "c.yml").write_text(_TEXT),
               lambda f: configure(config=str(f / "c.yml")), keys=True)  # fmt: skip
    yield Kind("config of a batch", lambda f: (f / "b.yaml").write_text(json.dumps(_BATCH)),
               _read_batch_config, keys=True)  # fmt: skip
    yield Kind("settings",
               lambda f: (f / "setting.txt").write_text("model.name=svm\nthreads=1\nseeds.base=2"),
               _read_setting, keys=True)  # fmt: skip


def run_kinds():
    """All kinds of files of runs."""
    return [*_runs(), *_folds(), *_predictions(), *_batches(), *_configs()]
