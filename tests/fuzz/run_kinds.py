"""Files of ours and of other programs that hold what was learnt: models, runs, batches, indexes."""

import json
import os
import shutil
import tempfile
from pathlib import Path

import batch_samples
import numpy as np
import torch
from denoiser_samples import small_unet
from hsi_suite.pipelines.comparison import compare
from hsi_suite.pipelines.denoising.weights import load_weights
from hsi_suite.pipelines.images.classifier import (
    ImageHeader,
    load_image_classifier,
    untrained_image_classifier,
)
from hsi_suite.pipelines.retrieval.gallery_index import open_index
from hsi_suite.pipelines.retrieval.index import index_gallery
from hsi_suite.pipelines.retrieval.retriever import load_retriever
from hsi_suite.pipelines.run_differences import (
    compare_metrics,
    compare_predictions,
    compare_weights,
)
from hsi_suite.pipelines.run_report import write_reports
from hsi_suite.pipelines.scenes.ensemble import load_ensemble
from hsi_suite.pipelines.training import configure, start
from query_samples import make_run, sample_scene, write_cube
from safetensors.torch import save_file
from scenes_samples import SMALL, write_scene
from test_backbones_classic_torchvision import filled
from test_checkpoint_import import dncnn, saoyan_state, unmerged_matconvnet, write_matconvnet

from hsi_suite.atomic import write_json
from hsi_suite.backbones.classic.torchvision_weights import load_torchvision_file
from hsi_suite.data.public.verification import CACHE_VARIABLE, record_path, recorded_digest
from hsi_suite.engine.checkpoint import load_checkpoint, save_checkpoint
from hsi_suite.engine.observer import Observer
from hsi_suite.errors import HsiSuiteError
from hsi_suite.runs import open_run

from .harness import Kind

CPU = torch.device("cpu")


_KEEPER = tempfile.TemporaryDirectory(prefix="fuzz-made-")


def _copied(name, make, folder):
    """A folder that takes seconds to make: made once, then copied."""
    place = Path(_KEEPER.name) / name
    if not place.exists():
        place.mkdir()
        make(place)
    shutil.copytree(place, folder, dirs_exist_ok=True)


def _weights():
    network = dncnn()
    state = saoyan_state(network)
    folded = {k: v.contiguous() for k, v in state.items()}
    writers = {
        "zip.pth": lambda p: torch.save(state, p),
        "legacy.pth": lambda p: torch.save(state, p, _use_new_zipfile_serialization=False),
        "matconv.mat": lambda p: write_matconvnet(p, unmerged_matconvnet(network)),
        "other.safetensors": lambda p: save_file(folded, p),
        "ours.safetensors": lambda p: small_unet().save(p),
    }
    for name, write in writers.items():
        yield Kind(f"weights {name}", lambda f, n=name, w=write: w(f / n),
                   lambda f, n=name: load_weights(f / n, CPU))  # fmt: skip
    yield Kind("weights torchvision", lambda f: torch.save(filled()[1], f / "resnet.pth"),
               lambda f: load_torchvision_file(filled()[0], f / "resnet.pth"))  # fmt: skip


def _image_model(folder):
    header = ImageHeader(
        "network_in_network", {"width": 8}, ["a", "b"], 16, None, [0.5], [0.2], "x"
    )
    generator = torch.Generator().manual_seed(0)
    untrained_image_classifier(header, CPU, generator).save(folder / "model.safetensors")


def _train_scene(model):
    def make(folder):
        options = write_scene(folder, lines=14, samples=14)
        settings = [s for s in SMALL if model == "hybridsn" or not s.startswith("model.window")]
        settings.append("evaluation.baselines=[]")
        config = configure(settings=settings, model=model, **options)
        run = start(config, folder / "runs", Observer())
        run.path.rename(folder / "run")
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


def _runs():
    for model in ("hybridsn", "svm"):

        def make(folder, model=model):
            _copied(f"scene-{model}", _train_scene(model), folder)

        for target in ("model.safetensors", "metrics.json", "config.yaml", "environment.json",
                       "history.csv", "cost.json", "map.npy"):  # fmt: skip
            if (model == "hybridsn") or target == "model.safetensors":
                yield Kind(f"run {model} {target}", make, _read_run, (f"run/{target}",))


def _small_batch(folder):
    one = {"svm": (0.9, 0.6)}
    sample = batch_samples.Sample(models=one, kinds=("random",), runs=2, epochs=3)
    batch_samples.make_batch(folder, sample)


def _batches():
    makers = {
        "classification": _small_batch,
        "denoising": lambda f: batch_samples.make_denoising_batch(f, runs=2),
        "retrieval": lambda f: batch_samples.make_retrieval_batch(f, runs=2),
    }

    def read(folder):
        names = [p for p in sorted(folder.iterdir()) if (p / "config.yaml").is_file()]
        _both(
            lambda: write_reports(folder),
            lambda: compare([folder]),
            lambda: compare(names),
            lambda: write_reports(names[0]),
        )

    for task, make in makers.items():
        targets = ("summary.json", "batch.yaml", "*/*.json", "*/*.yaml", "*/*.csv", "*/*.npy")
        for target in ("summary.json", "metrics.json", "others"):
            chosen = targets[1:] if target == "others" else (f"**/{target}",)
            yield Kind(f"batch {task} {target}", make, read, chosen)


def _retriever(folder):
    _copied("retriever", lambda f: make_run(f / "run", steps=5), folder)


def _indexed(folder):
    def make(place):
        make_run(place / "run", steps=5)
        cube = write_cube(place / "cube.hdr", sample_scene(8, 9))
        np.save(place / "gt.npy", sample_scene(8, 9).labels)
        index_gallery(
            place / "run", place / "index", scene=cube, labels=str(place / "gt.npy"), threads=1
        )

    _copied("index", make, folder)


def _read_index(folder):
    index = open_index(folder / "index")
    for array in (index.embeddings, index.positions, index.picture, index.labels, index.spectra):
        if array is not None:
            np.asarray(array).sum()
    _ = index.header.place


def _configs():
    tree = {
        "extends": "classification/hybridsn", "seeds": {"base": 3}, "threads": 1,
        "data": {"dataset": "synthetic"}, "split": {"kind": "disjoint"},
        "train": {"epochs": 2, "augmentation": {"flips": True}}, "model": {"window": 9},
    }  # fmt: skip
    yield Kind("config", lambda f: (f / "c.yaml").write_text(json.dumps(tree)),
               lambda f: configure(config=str(f / "c.yaml")))  # fmt: skip
    lines = "extends: classification/hybridsn\nseeds: {base: 3}\nmodel:\n  window: 9\nthreads: 1\n"
    lines += "data: {dataset: synthetic}\ntrain:\n  optimizer: {learning_rate: 1e-3}\n"
    yield Kind("config text", lambda f: (f / "c.yml").write_text(lines),
               lambda f: configure(config=str(f / "c.yml")))  # fmt: skip


def _read_record(folder):
    os.environ[CACHE_VARIABLE] = str(folder)
    recorded_digest("a.mat")


def _make_record(folder):
    os.environ[CACHE_VARIABLE] = str(folder)
    write_json(record_path(), {"a.mat": "ab" * 32})


def run_kinds():
    """All kinds of files of what was learnt."""
    state = {"epoch": 3, "weights": {"a": torch.arange(12.0)}, "rows": [{"loss": 0.5}]}
    return [
        *_weights(),
        Kind("model of images", _image_model,
             lambda f: load_image_classifier(f / "model.safetensors", CPU)),
        Kind("model of retrieval", _retriever,
             lambda f: load_retriever(f / "run" / "model.safetensors", CPU),
             ("run/model.safetensors",)),
        *_runs(),
        *_batches(),
        Kind("index", _indexed, _read_index, ("index/*",)),
        Kind("index header", _indexed, _read_index, ("index/index.json",)),
        *_configs(),
        Kind("checkpoint", lambda f: save_checkpoint(f / "checkpoint.pt", state, "ab"),
             lambda f: load_checkpoint(f / "checkpoint.pt", "ab")),
        Kind("record of checksums", _make_record, _read_record),
    ]  # fmt: skip
