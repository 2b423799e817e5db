"""The scripts of examples/ run, with data and a network as a researcher would have them."""

import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scenes_samples import small_cube

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
DATA = """
import numpy as np
kept = np.load("data.npz")
cube, labels, image = kept["cube"], kept["labels"], kept["image"]
"""
NETWORK = """
from torch import nn

class Mine(nn.Module):
    def __init__(self, in_channels, num_classes, window):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(in_channels, 8, 3), nn.ReLU())
        self.head = nn.Linear(8, num_classes)

    def forward(self, windows):
        return self.head(self.body(windows).mean((2, 3)))
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where the script's own data and network lie."""
    cube, labels = small_cube(lines=40, samples=36)
    rng = np.random.default_rng(0)
    image = np.clip(100 + rng.normal(0, 20, (40, 48)), 0, 255).astype(np.uint8)
    np.savez(tmp_path / "data.npz", cube=cube.astype(np.float32), labels=labels, image=image)
    (tmp_path / "my_data.py").write_text(DATA)
    (tmp_path / "my_network.py").write_text(NETWORK)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in ("my_data", "my_network"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize(("name", "lines"), [("classify_arrays", 25), ("denoise_arrays", 10)])
def test_they_are_short_and_run(folder, name, lines, capsys):
    path = EXAMPLES / f"{name}.py"
    code = [line for line in path.read_text("utf-8").splitlines() if line.strip()]
    assert len(code) <= lines
    names = runpy.run_path(str(path))
    text = capsys.readouterr().out
    if name == "classify_arrays":
        assert "position alone" in text and names["scores"]["svm"][0] > 0.9
        assert Image.open(folder / "map.png").size == (36, 40)
    else:
        assert names["clean_image"].std() < names["image"].std() / 3
        assert names["clean_cube"].shape == names["cube"].shape and "of 255" in text
