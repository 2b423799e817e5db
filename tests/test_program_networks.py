"""Networks registered in a program: what they can do there, and what other processes are told."""

import subprocess
import sys

import pytest
from offered_samples import offering
from scenes_samples import write_scene, write_yaml
from torch import nn

import hsi_suite as hsi
from hsi_suite.errors import RunError
from hsi_suite.models import registry
from hsi_suite.models.program_network import order_of, source_digest, take_over

pytestmark = pytest.mark.stand_in_pictures

NETWORK = '''
from torch import nn
import hsi_suite as hsi

@hsi.models.register("mine_here")
class Mine(nn.Module):
    """A mean and a line."""

    def __init__(self, in_channels, num_classes, window):
        super().__init__()
        self.head = nn.Linear(in_channels, num_classes)

    def forward(self, windows):
        return self.head(windows.mean((2, 3)))
'''
# As a researcher writes it: nothing guards the calls of a script.
PROGRAM = (
    NETWORK
    + """
import numpy as np

cube, labels = np.load("cube.npy"), np.load("labels.npy")
run = hsi.train(cube, labels, model="mine_here", epochs=1,
                settings={"model.window": 3, "reduction.components": 5, "threads": 1})
print(hsi.evaluate(run).equal, (hsi.predict(run, cube).labels == run.label_map).all())
try:
    hsi.batch("small.yaml", output="batches")
except hsi.HsiSuiteError as error:
    print(error)
"""
)


@pytest.fixture
def small(tmp_path):
    data = write_scene(tmp_path)
    write_yaml(
        tmp_path / "run.yaml",
        {"extends": "classification/own_network", "threads": 1, "data": data,
         "reduction": {"components": 5}, "train": {"epochs": 1},
         "model": {"name": "mine_here", "window": 3}},
    )  # fmt: skip
    return write_yaml(
        tmp_path / "small.yaml", {"task": "batch", "configs": ["run.yaml"], "runs": 1}
    )


@pytest.fixture
def others():
    with offering(registry, registry.MODELS) as offer:
        yield offer


@pytest.mark.slow
def test_a_script_trains_evaluates_and_predicts_and_hears_what_it_cannot(small, tmp_path):
    (tmp_path / "program.py").write_text(PROGRAM)
    ended = subprocess.run(
        [sys.executable, "program.py"], cwd=tmp_path, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr
    worked, refused = ended.stdout.strip().split("\n")
    assert worked == "True True"
    assert "mine_here is a class of this program alone" in refused
    assert "name it FILE.py:Mine" in refused and not (tmp_path / "batches").exists()
    # Before the training, and in the log.
    assert "register it too" in ended.stderr and "name it FILE.py:Mine" in ended.stderr
    (path,) = (tmp_path / "runs").glob("*_mine-here_*")
    assert "register it too" in (path / "log.txt").read_text()
    for call in (
        lambda: hsi.evaluate(path),
        lambda: hsi.predict(path, tmp_path / "cube.npy"),
        lambda: hsi.train(resume=path),
    ):
        with pytest.raises(RunError, match=r"a class of the program that trained.*FILE\.py:Class"):
            call()


def test_workers_import_what_can_be_imported(small, tmp_path, monkeypatch, others):
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "networks_of_mine.py").write_text(NETWORK)
    monkeypatch.syspath_prepend(tmp_path / "lib")
    __import__("networks_of_mine")
    batch = hsi.batch(small, output=tmp_path / "batches", verbose=0)
    assert not batch.failures and batch.runs[0].metrics["model"] == "mine_here"
    assert "network mine_here" in batch.runs[0].environment["networks"]
    order = order_of("mine_here")
    assert order["path"] == str(tmp_path / "lib") and order["class"] == "Mine"
    take_over(order)
    assert order_of("hybridsn") is None


def test_a_changed_class_is_another_network(tmp_path, monkeypatch):
    digests = set()
    for number, text in enumerate((NETWORK, NETWORK.replace("mean", "amax"), NETWORK)):
        names = {"__name__": f"nowhere_{number}"}
        exec(text.replace("@hsi.models.register", "# "), names)
        # A session without source: told by what was compiled.
        digests.add(source_digest(names["Mine"]))
    assert len(digests) == 2

    class Here(nn.Module):
        """With source."""

    assert source_digest(Here) == source_digest(Here) != source_digest(nn.Linear)
