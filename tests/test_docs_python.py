"""docs/reference/python.md is true: its examples run, in their order."""

import re
from pathlib import Path

import numpy as np
from scenes_samples import small_cube

import hsi_suite as hsi

PAGE = Path(__file__).resolve().parent.parent / "docs" / "reference" / "python.md"


def test_the_examples_of_the_page_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cube, labels = small_cube(bands=48)
    # The embedded scene would do, and take ten times as long.
    scene = hsi.Scene(
        "small", cube, labels, ("a", "b", "c"), wavelengths=np.linspace(400, 2400, 48)
    )
    monkeypatch.setattr(hsi, "load_dataset", lambda name: scene)
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    names = {"__name__": "page"}
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), names)
    assert (
        len(blocks) >= 7 and names["run"].finished and names["own"].classes_.tolist() == [1, 2, 3]
    )
    assert names["found"].labels.shape == labels.shape
    assert names["clean"].std() < names["image"].std() / 3
