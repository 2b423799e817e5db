"""`hsi report`: the report of a run or a batch once more, from its folder alone."""

import json
import shutil

import numpy as np
import pytest
from batch_samples import Sample, make_batch, make_denoising_batch, make_retrieval_batch
from matplotlib.figure import Figure
from said_lines import beyond_first
from scenes_samples import SMALL, write_scene
from test_image_classification import FAST, Pebble

from hsi_suite.errors import RunError
from hsi_suite.models.registry import MODELS, ModelSpec
from hsi_suite.reports.drawing import save_png
from hsi_suite.runs import launch
from hsi_suite.runs.report import write_reports
from hsi_suite.tasks.retrieval.results import PROJECTION


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    options = write_scene(folder)
    return launch.train(output=folder / "runs", model="hybridsn", settings=SMALL, **options)


def test_the_page_of_a_run_is_the_one_its_training_wrote(trained):
    page = trained.path / "report.html"
    before = page.read_bytes()
    page.unlink()
    written = write_reports(trained.path)
    assert written.files == [page]
    assert page.read_bytes() == before
    assert written.verdict[0].text.startswith("On ")


def test_what_its_stages_took_stands_beside_it(trained):
    cost = json.loads((trained.path / "cost.json").read_text())
    stages = ("preparation", "training", "map", "test", "baseline", "pictures")
    assert all(cost[f"{stage}_seconds"] >= 0 for stage in stages)
    assert min(cost["preparation_seconds"], cost["pictures_seconds"]) > 0
    assert cost["peak_memory_megabytes"] > 10 and "processor_joules" in cost
    page = (trained.path / "report.html").read_text()
    assert "preparation_seconds" in page and "processor_joules" in page


def test_so_is_that_of_a_run_on_images(tmp_path):
    spec = ModelSpec(Pebble, "classification", "for tests", "kaiming", {}, (1, 8, 8), 0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(MODELS._entries, "pebble", spec)
        config = launch.configure(dataset="digits", model="pebble", settings=FAST)
        run = launch.start(config, tmp_path)
    page = run.path / "report.html"
    before = page.read_bytes()
    page.unlink()
    write_reports(run.path)
    assert page.read_bytes() == before


def test_the_page_of_a_denoiser_is_written_again(tmp_path):
    make_denoising_batch(tmp_path / "batch")
    run = sorted(path.parent for path in (tmp_path / "batch").glob("*/metrics.json"))[0]
    written = write_reports(run)
    assert written.files == [run / "report.html"]
    assert "reaches 29.90 dB and an SSIM of 0.9000 at σ 25" in written.verdict[0].text
    page = written.files[0].read_text()
    assert "white Gaussian noise of σ 0 to 55" in page and "Learning curves" in page


@pytest.mark.parametrize("picture", [True, False])
def test_the_page_of_a_retriever_is_written_again(tmp_path, picture):
    make_retrieval_batch(tmp_path / "batch")
    run = sorted(path.parent for path in (tmp_path / "batch").glob("*/metrics.json"))[0]
    if picture:
        save_png(Figure(figsize=(2, 1)), run / PROJECTION)
    written = write_reports(run)
    assert written.files == [run / "report.html"]
    assert "the better choice here" in written.verdict[0].text
    page = written.files[0].read_text()
    assert "spectrum → rgb" in page and ("Common space" in page) == picture


def test_the_command_tells_the_verdict_and_the_files(hsi, tmp_path):
    folder = make_batch(
        tmp_path / "b", Sample(runs=2, models={"hybridsn": (0.9, 0.6)}, kinds=("random",))
    )
    status, out, err = hsi("report", folder)
    assert (status, beyond_first(err)) == (0, [])
    assert "With other seeds alone, overall accuracy differs by up to" in " ".join(out.split())
    for name in ("report.html", "report.md", "table.tex", "cost.csv"):
        assert str(folder / name) in out
    status, out, _ = hsi("report", folder, "--json")
    found = json.loads(out)
    assert found["files"][0].endswith("/report.html")
    assert any(remark["warning"] for remark in found["verdict"])


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda run: shutil.rmtree(run), "no such folder"),
        (lambda run: (run / "config.yaml").unlink(), "neither a run nor a finished batch"),
        (lambda run: (run / "metrics.json").unlink(), "the run is not finished"),
        (lambda run: (run / "metrics.json").write_bytes(b"\xff\x00"), "metrics.json"),
        (lambda run: (run / "metrics.json").write_text('{"task": 3}'), "task"),
        (lambda run: (run / "history.csv").write_text("epoch\nx\n"), "history.csv"),
        (lambda run: (run / "cost.json").write_text("["), "cost.json"),
        (lambda run: (run / "map.png").write_bytes(b"no picture"), "map.png"),
    ],
)
def test_damaged_runs_are_one_line(hsi, trained, tmp_path, damage, words):
    run = tmp_path / "run"
    shutil.copytree(trained.path, run)
    damage(run)
    status, _, err = hsi("report", run)
    assert status == 2
    assert len(beyond_first(err)) == 1
    assert words in err


def test_a_map_of_another_kind_is_refused(tmp_path):
    folder = make_batch(
        tmp_path / "b", Sample(runs=2, models={"hybridsn": (0.9, 0.6)}, kinds=("random",))
    )
    path = sorted(folder.glob("*/map.npy"))[0]
    for wrong in (np.ones(5), np.ones((3, 4)), -np.ones((40, 60), int), np.zeros((0, 4), int)):
        np.save(path, wrong)
        with pytest.raises(RunError, match="holds no map"):
            write_reports(folder)
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(RunError, match="cannot be read"):
        write_reports(folder)
