"""The batches of HybridSN's tables: which runs, the splits they share, what stands beside them."""

import pytest
from inline_jobs import use_inline_jobs
from scenes_samples import write_yaml

from hsi_suite.config import load_tree, validate
from hsi_suite.pipelines.reproducibility import run_batch
from hsi_suite.runs.batches.design import expand
from hsi_suite.schemas.batch import BatchConfig
from hsi_suite.tasks.scenes.configuration import classification_config, resolve
from hsi_suite.tasks.scenes.published import published_scores

pytestmark = pytest.mark.stand_in_pictures

SMALL, REAL = "batch/hybridsn_table", "batch/hybridsn_table_indian_pines"
MODELS = ["svm", "cnn2d", "cnn3d", "m3d_cnn", "ssrn", "hybridsn"]
# What the tables of papers call them.
ROWS = ["SVM", "2D-CNN", "3D-CNN", "M3D-CNN", "SSRN", "HybridSN"]


def members(name):
    batch = validate(BatchConfig, load_tree(name), name)
    return [member.config for member in expand(batch).members]


@pytest.mark.parametrize(("name", "runs"), [(SMALL, 3), (REAL, 5)])
def test_every_network_of_the_table_on_two_splits(name, runs):
    found = members(name)
    assert len(found) == len(MODELS) * 2 * runs
    assert [config.model.name for config in found[:: 2 * runs]] == MODELS


def test_the_real_table_trains_every_network_as_shipped():
    for config in members(REAL):
        shipped = classification_config(dataset="indian_pines", model=config.model.name)
        for part in ("model", "reduction", "train"):
            assert getattr(config, part) == getattr(shipped, part)
        assert config.split.train == 0.3
        assert config.split.guard == (12 if config.split.kind == "disjoint" else None)


def test_the_small_table_keeps_the_inputs_of_the_papers():
    for config in members(SMALL):
        shipped = classification_config(dataset="indian_pines", model=config.model.name)
        if config.model.name == "hybridsn":
            assert (config.model.window, config.reduction.components) == (11, 15)
        else:
            assert (config.model, config.reduction) == (shipped.model, shipped.reduction)
        assert config.train.optimizer.name == "adam"
        assert config.train.epochs == (40 if config.model.name == "m3d_cnn" else 10)


@pytest.mark.parametrize("name", [SMALL, REAL])
def test_pixels_and_windows_of_all_sizes_have_the_same_splits(name):
    asked = {}
    for config in map(resolve, members(name)):
        split, place = config.split, (config.split.kind, config.seeds.base)
        asked.setdefault(place, []).append((split, config.data, config.seeds))
    for wishes in asked.values():
        assert len(wishes) == len(MODELS)
        assert all(wish == wishes[0] for wish in wishes)


@pytest.mark.parametrize("dataset", ["indian_pines", "pavia_university", "salinas"])
def test_published_figures_are_those_of_every_network_of_the_table(dataset):
    config = classification_config(dataset=dataset, model="m3d_cnn")
    rows = published_scores({"dataset": dataset}, config)
    assert [row["method"] for row in rows] == ROWS
    assert published_scores({"dataset": "synthetic_small"}, config) is None
    assert published_scores({"dataset": dataset, "unverified": True}, config) is None
    apart = classification_config(dataset=dataset, model="m3d_cnn", split="disjoint")
    assert published_scores({"dataset": dataset}, apart) is None


@pytest.mark.slow
def test_the_table_runs(tmp_path, monkeypatch):
    use_inline_jobs(monkeypatch)
    tree = load_tree(SMALL)
    # The other two have tests of their own.
    tree |= {"models": MODELS[:4], "splits": ["random"], "runs": 1, "overrides": {}}
    tree["set"]["split"] = {"train": 8}
    tree["set"]["train"]["epochs"] = 1
    batch = run_batch(write_yaml(tmp_path / "table.yaml", tree), tmp_path / "runs")
    assert not batch.failures
    assert {group["model"] for group in batch.summary["groups"]} == set(MODELS[:4])
    page = (batch.path / "report.md").read_text()
    assert "no published scores of this data and protocol" in page
    assert "2D-CNN" not in page
