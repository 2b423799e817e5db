"""What a run on data that nobody's checksum vouches for leaves: marked wherever it is looked at."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import tifffile
from batch_samples import make_batch, make_retrieval_batch, report_of
from query_samples import make_run, write_cube
from scipy.io import savemat

import hsi_suite as hsi
from hsi_suite.data.catalogue import load_dataset
from hsi_suite.data.public.public_scene import Layer, PublicScene
from hsi_suite.data.public.public_scenes import PUBLIC_SCENES
from hsi_suite.data.public.verification import RemoteFile
from hsi_suite.data.readers import read_labels
from hsi_suite.engine.observer import Observer
from hsi_suite.errors import ChecksumError
from hsi_suite.reports.batches.paper_table import paper_table
from hsi_suite.reports.classification import classification_blocks
from hsi_suite.reports.latex import latex_table
from hsi_suite.reports.terminal import print_blocks
from hsi_suite.runs.batches.summary import run_rows
from hsi_suite.runs.comparison import compare
from hsi_suite.runs.evaluation import evaluate
from hsi_suite.runs.launch import configure
from hsi_suite.runs.replay import replay
from hsi_suite.tasks.retrieval.gallery_index import open_index
from hsi_suite.tasks.retrieval.index import index_gallery
from hsi_suite.tasks.retrieval.query import Query, query_index
from hsi_suite.tasks.scenes.prediction import predict

pytestmark = pytest.mark.stand_in_pictures


@pytest.fixture
def salinas(tmp_path, monkeypatch):
    """A made-up scene under the name of one that papers report figures of."""
    (tmp_path / "data").mkdir()
    monkeypatch.setenv("HSI_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("HSI_CACHE_DIR", str(tmp_path / "cache"))
    labels = np.arange(20 * 20).reshape(20, 20) // 100 + 1
    rng = np.random.default_rng(0)
    cube = labels[..., None] + rng.normal(0, 0.3, (20, 20, 6))
    savemat(tmp_path / "data" / "toy.mat", {"cube": cube, "gt": labels})
    file = RemoteFile("toy.mat", ("https://127.0.0.1:9/toy.mat",), sha256="0" * 64)
    scene = PublicScene(
        name="salinas",
        title="",
        sensor="",
        cube=Layer(file, "cube", (20, 20, 6)),
        labels=Layer(file, "gt", (20, 20)),
        class_names=("a", "b", "c", "d"),
        false_colour=(0, 1, 2),
        citation="",
    )
    monkeypatch.setitem(PUBLIC_SCENES._entries, "salinas", scene)


OPTIONS = {"dataset": "salinas", "model": "lda", "settings": ("split.train=0.3",)}


def test_every_product_says_so(salinas, tmp_path, capsys):
    with pytest.raises(ChecksumError):
        hsi.train(**OPTIONS, output=tmp_path / "runs")
    run = hsi.train(**OPTIONS, allow_unverified=True, output=tmp_path / "runs")
    assert run.metrics["unverified"] == ["toy.mat"]
    assert "UNVERIFIED" in (run.path / "metrics.json").read_text()
    assert "UNVERIFIED" in (run.path / "log.txt").read_text()
    page = (run.path / "report.html").read_text()
    assert page.count("UNVERIFIED") >= 3
    assert "Roy et al." not in page
    print_blocks(classification_blocks(run.metrics))
    assert "UNVERIFIED data: no published checksum vouches for toy.mat" in " ".join(
        capsys.readouterr().out.split()
    )


@pytest.mark.parametrize("make", [make_batch, make_retrieval_batch])
def test_comparisons_and_tables_of_a_batch_say_so(tmp_path, make):
    folder = make(tmp_path)
    assert not any("UNVERIFIED" in note for note in compare([folder]).notes)
    runs = [path.parent for path in folder.glob("*/metrics.json")]
    for run in runs:
        metrics = json.loads((run / "metrics.json").read_text())
        (run / "metrics.json").write_text(json.dumps(metrics | {"unverified": ["toy.mat"]}))
    assert any("toy.mat" in note for note in compare(runs).notes)
    summary = json.loads((folder / "summary.json").read_text())
    summary["groups"][0]["unverified"] = ["toy.mat"]
    (folder / "summary.json").write_text(json.dumps(summary))
    assert any("toy.mat" in note for note in compare([folder]).notes)
    assert "UNVERIFIED data (toy.mat)" in latex_table(paper_table(report_of(folder)))


def test_a_run_of_unverified_data_is_so_in_the_table_of_runs(salinas, tmp_path):
    run = hsi.train(**OPTIONS, allow_unverified=True, output=tmp_path / "runs")
    config = configure(**OPTIONS, allow_unverified=True)
    member = SimpleNamespace(what="a", seed=0, source="all", varied_seed=None, config=config)
    design = SimpleNamespace(cells=[SimpleNamespace(name="group", members=[member])])
    assert run_rows(design, {"a": run})[0]["unverified"] == "toy.mat"


def test_a_scene_knows_its_files(salinas):
    scene = load_dataset("salinas", allow_unverified=True, on_message=lambda text: None)
    assert scene.unverified == ("toy.mat",)
    assert load_dataset("synthetic_small").unverified == ()


def test_the_summary_of_a_batch_says_so():
    from hsi_suite.reports.batches.verdict import unverified_of
    from hsi_suite.runs.batches.summary import _unverified

    metrics = [{"unverified": ["b.mat"]}, {}, {"unverified": ["a.mat", "b.mat"]}]
    assert _unverified(metrics) == {"unverified": ["a.mat", "b.mat"]}
    assert _unverified([{}, {}]) == {}
    (remark,) = unverified_of({"groups": [{}, _unverified(metrics)]})
    assert remark.warning
    assert remark.text.startswith("UNVERIFIED data")
    assert unverified_of({"groups": [{}]}) == []


def marked(run):
    """The run as one of unverified data."""
    metrics = json.loads((run / "metrics.json").read_text())
    (run / "metrics.json").write_text(json.dumps(metrics | {"unverified": ["toy.mat"]}))
    return run


def test_maps_figures_and_replays_say_so(salinas, tmp_path):
    run = hsi.train(**OPTIONS, allow_unverified=True, output=tmp_path / "runs")
    rng = np.random.default_rng(1)
    np.save(tmp_path / "scene.npy", rng.normal(2, 1, (12, 11, 6)))
    said = []
    observer = SimpleObserver(said)
    for name in ("map.tif", "map.hdr", "map.npy"):
        predict(
            [run.path],
            tmp_path / name,
            scene=str(tmp_path / "scene.npy"),
            probabilities=True,
            observer=observer,
        )
        assert sum(text.startswith("UNVERIFIED data") for text in said) == 1
        said.clear()
    for name in ("map", "map_probabilities"):
        with tifffile.TiffFile(tmp_path / f"{name}.tif") as file:
            assert "UNVERIFIED data: no published" in file.pages[0].tags[42112].value
        assert "description = {UNVERIFIED data: no" in (tmp_path / f"{name}.hdr").read_text()
    assert read_labels(tmp_path / "map.tif").class_names == ("a", "b", "c", "d")
    assert read_labels(tmp_path / "map.hdr").class_names == ("a", "b", "c", "d")
    assert evaluate(run.path, observer=observer)["unverified"] == ["toy.mat"]
    assert sum(text.startswith("UNVERIFIED data") for text in said) == 1
    said.clear()
    replay(run.path, observer=observer)
    assert sum(text.startswith("UNVERIFIED data") for text in said) == 1


def test_indices_and_searches_say_so(tmp_path):
    run = make_run(tmp_path / "run")
    write_cube(tmp_path / "scene.hdr")
    plain = index_gallery(run, tmp_path / "plain", scene=str(tmp_path / "scene.hdr"))
    assert plain.header.unverified == []
    said = []
    index_gallery(
        marked(run),
        tmp_path / "index",
        scene=str(tmp_path / "scene.hdr"),
        observer=SimpleObserver(said),
    )
    assert sum(text.startswith("UNVERIFIED data") for text in said) == 1
    assert open_index(tmp_path / "index").header.unverified == ["toy.mat"]
    found = query_index(tmp_path / "index", Query(pixel=(2, 3)))
    assert any("toy.mat" in warning for warning in found.warnings)
    assert found.to_json()["unverified"] == ["toy.mat"]


class SimpleObserver(Observer):
    def __init__(self, said):
        self.said = said

    def message(self, text):
        self.said.append(text)
