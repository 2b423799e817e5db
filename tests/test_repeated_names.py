"""One thing named twice, or a folder where a file is wanted: one clear line."""

import numpy as np
import pytest
from PIL import Image
from scenes_samples import write_scene


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A scene, a picture, a link to each, and what looks like a finished run."""
    monkeypatch.chdir(tmp_path)
    write_scene(tmp_path)
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 256, (32, 32), np.uint8)).save("photo.png")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.yaml").write_text("task: classification\n")
    (tmp_path / "run" / "metrics.json").write_text("{}")
    for name in ("labels.npy", "cube.npy", "photo.png", "run"):
        (tmp_path / f"link_{name}").symlink_to(tmp_path / name)
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("predict run run --scene cube.npy -o map.tif", "run: is given twice"),
        ("predict run ./link_run --scene cube.npy -o map.tif", "link_run: is given twice"),
        ("evaluate run run/", "run/: is given twice"),
        ("train --scene cube.npy --labels labels.npy,link_labels.npy", "is given twice"),
        ("denoise photo.png --reference link_photo.png -o x.png", "--reference: link_photo.png is"),
        ("denoise cube.npy --reference cube.npy -o x.npy", "--reference: cube.npy is the input"),
        ("train --dataset synthetic --labels labels.npy", "--labels: given with the data set"),
        ("train --dataset synthetic --nodata 0", "--nodata: given with the data set"),
        (
            "train --config retrieval/synthetic_spectrum_rgb --dataset synthetic --axes y,x,band",
            "--axes: given with the data set",
        ),
        ("predict run --scene run -o map.tif", "run: this is the folder of a run"),
        ("detect run --anomaly rx -o map.tif", "run: this is the folder of a run"),
        ("train --scene run --labels labels.npy", "run: this is the folder of a run"),
        ("train --scene cube.npy --labels run", "run: this is the folder of a run"),
        ("data info run", "run: this is the folder of a run"),
        ("evaluate run/metrics.json", "is a file; expected a run folder. Name its folder, run"),
        ("train --resume run/config.yaml", "is a file; expected a run folder. Name its folder"),
        ("predict run/config.yaml --scene cube.npy -o map.tif", "Name its folder, run"),
    ],
)
def test_what_is_named_twice_or_wrongly_is_one_line(hsi, folder, arguments, said):
    before = sorted(folder.iterdir())
    status, out, err = hsi(*arguments.split())
    assert (status, out) == (2, "")
    error = err.splitlines()[-1]
    assert error.startswith("error: ") and said in error
    assert sorted(path for path in folder.iterdir() if path.name != "runs") == before
