"""What is said before torch and its like are loaded: help, what a command will do, and errors.

Seconds depend on the machine, so that what is looked at is which packages are there by then.
"""

import json
import subprocess
import sys

import click
import pytest

from hsi_suite.cli import cli

# Each takes a good part of a second, or several.
HEAVY = ("torch", "sklearn", "matplotlib", "scipy", "h5py", "tifffile", "pandas")
# Carries out commands one after the other; each ends where it asks for a heavy package.
WATCHED = """
import contextlib, io, json, sys
from hsi_suite.cli import cli, main

class Asked(BaseException):
    pass

class Watch:
    def find_spec(self, name, path=None, target=None):
        if name in HEAVY:
            raise Asked(name)

HEAVY = json.loads(sys.argv[1])
sys.meta_path.insert(0, Watch())
told = []
for words in json.loads(sys.argv[2]):
    sys.argv = ["hsi", *words]
    out, err, asked = io.StringIO(), io.StringIO(), ""
    out.reconfigure = err.reconfigure = lambda **_: None
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main()
        except SystemExit:
            pass
        except Asked as package:
            asked = str(package)
    told.append([out.getvalue(), err.getvalue(), asked])
print(json.dumps(told))
"""


TRAININGS = {
    "train --dataset synthetic": "hybridsn on synthetic, seed 0, device auto; results go into runs",
    "train --dataset synthetic --model svm --seed 3 --output there":
        "svm on synthetic, seed 3, device auto; results go into there",
    "train --dataset synthetic --runs 3 --device cpu":
        "hybridsn on synthetic, seeds 0 to 2, device cpu; results go into runs",
    "train --scene a.npy --labels b.npy --split disjoint":
        "hybridsn on a, seed 0, device auto; results go into runs",
    "train --scene a.npy --labels b.npy --scene b.npy --labels a.npy":
        "hybridsn on a+b, seed 0, device auto; results go into runs",
    "train --dataset digits": "resnet_20 on digits, seed 0, device auto; results go into runs",
    "train --config denoising/default_denoiser":
        "residual_unet on train400, seed 0, device auto; results go into runs",
    "train --config retrieval/synthetic_spectrum_rgb":
        "dscmr on synthetic, seed 0, device auto; results go into runs",
}  # fmt: skip
HELP = ["--help", *(f"{name} --help" for name in cli.list_commands(click.Context(cli)))]
WRONG = {
    "train --epochs x": "Invalid value",
    "train --dataset syntetic": "unknown name",
    "train --dataset synthetic --set train.epoch=3": "unknown key",
    "train --dataset synthetic --set split.kind=rondom": "rondom",
    "train --config nothing": "no configuration",
    "train --config denoising/default_denoiser --set data.folder=x/": "no such file",
    "train --scene nothing.mat --labels x.mat": "no such file",
    "train --dataset synthetic --split-file nothing.npz": "no such file",
    "train --dataset synthetic --runs 2 --memory-limit 1G": "one run",
    "train --resume nothing": "no such folder",
    "batch nothing": "no configuration",
    "evaluate nothing": "no such folder",
    "predict nothing --scene x.npy -o map.tif": "no such folder",
    "predict nothing --scene x.npy -o map.mp3": "map.mp3",
    "replay nothing": "no such folder",
    "denoise nothing.png": "no such file",
    "detect nothing.hdr --anomaly rx -o map.tif": "no such file",
    "detect a.npy --target nothing.csv -o map.tif": "nothing.csv: no such file",
    "detect a.npy --anomaly rx -o map.tif --truth nothing.npy": "nothing.npy: no such file",
    "detect synthetic --anomaly rx -o map.tif": "hsi data export synthetic -o cube.hdr",
    "denoise synthetic": "hsi data export synthetic -o cube.hdr",
    "denoise a.npy --reference nothing.npy": "nothing.npy: no such file",
    "predict run --scene synthetic -o map.tif": "hsi data export synthetic -o cube.hdr",
    "audit nothing.mat --split a.npy": "nothing.mat: no such file",
    "audit a.npy --split b.npy,nothing.npy": "nothing.npy: no such file",
    "audit a.npy --split b.npy --predictions nothing.npy": "nothing.npy: no such file",
    "audit a.npy --split b.npy --cube synthetic": "hsi data export synthetic -o cube.hdr",
    "data export nothing.mat -o cube.hdr": "nothing.mat: no such file",
    "data info nothing.mat": "nothing.mat: no such file",
    "retrieve index nothing --scene x.npy -o index": "no such folder",
    "retrieve index run --scene synthetic -o index": "hsi data export synthetic -o cube.hdr",
    "retrieve query nothing --pixel 1,1": "no such folder",
    "retrieve query run --pixel 1,1": "run: holds no index.json",
    "retrieve query run": "--spectrum, --patch, --pixel: none given",
    "train --dataset synthetic --model hybridsm": "--model: unknown model 'hybridsm'",
    "train --dataset digits --model nothing": "--model: unknown model 'nothing'",
    "train --config denoising/default_denoiser --model nothing": "unknown model 'nothing'",
    "train --config denoising/default_denoiser --set model.weights=nothing.pth": "no such file",
    "train --dataset synthetic --device gpu": "device: 'gpu'; expected auto, cpu, cuda or cuda:N",
    "train --dataset synthetic --set device=gpu": "device: 'gpu'; expected auto, cpu, cuda",
    "train --resume run --device cuda:x": "device: 'cuda:x'",
    "train --dataset synthetic --device cpu --set train.precision=fp16": "train.precision: fp16 on",
    "train --dataset synthetic --output a.npy": "a.npy: is a file, and no folder",
    "batch wrong.yaml": "models: unknown model 'resnet_19'; expected",
    "batch batch/smoke --together 2": "together: several seeds of classification; expected",
    "batch batch/denoising_smoke --together 2": "together: several seeds of denoising; expected",
    "batch batch/smoke --output a.npy": "a.npy: is a file, and no folder",
    "models describe nothing": "model: unknown model 'nothing'",
    "models compare ssrn nothing": "model: unknown model 'nothing'",
    "report nothing": "nothing: no such folder",
    "compare run nothing": "nothing: no such folder",
    "data info nothing": "data set: unknown name 'nothing'",
    "data fetch nothing": "data set: unknown name 'nothing'",
    "data verify nothing": "data set: unknown name 'nothing'",
    "evaluate --weights nothing.pth": "nothing.pth: no such file",
    "evaluate --weights nothing": "no 'nothing' among them",
    "evaluate --weights default_denoiser --pairs nothing": "nothing: no such file",
    "evaluate --weights default_denoiser --device gpu": "device: 'gpu'",
    "predict run --scene a.npy -o map.tif --device gpu": "device: 'gpu'",
    "predict run --scene a.npy -o map.tif --min-area x": "--min-area: x",
    "predict run --scene a.npy -o map.tif --majority 4": "--majority: 4",
    "predict run --scene a.npy -o map.tif --vector map.shp": "--vector writes a GeoPackage",
    "denoise a.npy --model nothing": "no 'nothing' among them",
    "denoise a.npy --weights nothing.pth": "nothing.pth: no such file",
    "denoise a.npy --device gpu": "device: 'gpu'",
    "denoise a.npy --precision fp16 --device cpu": "--precision: fp16 on cpu",
    "denoise a.npy --strength 2": "--strength: 2; expected 0 to 1",
    "denoise a.npy --sigma -3": "--sigma: -3",
    "denoise a.npy --tile 0": "--tile: 0",
    "denoise a.npy --add-kind stripes": "--add-kind: given without --add-noise",
    "retrieve index run --scene a.npy -o index --device gpu": "device: 'gpu'",
    "replay run --device gpu": "device: 'gpu'",
    "detect a.npy --anomaly rx -o map.mp3": "map.mp3",
    "doctor --gpu --device gpu": "device: 'gpu'",
}
BATCH, AGAIN = "batch batch/smoke", "replay run"


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """Output, errors and the heavy package that was asked for ("" if none), by command."""
    folder = tmp_path_factory.mktemp("first_line")
    for name in ("a.npy", "b.npy"):
        (folder / name).touch()
    (folder / "wrong.yaml").write_text(
        "task: batch\ndatasets: [synthetic]\nmodels: [lda, resnet_19]\nruns: 2\n"
    )
    (folder / "run").mkdir()
    for name in ("config.yaml", "metrics.json"):
        (folder / "run" / name).write_text("{}")
    lines = [*HELP, *WRONG, *TRAININGS, BATCH, AGAIN]
    words = json.dumps([line.split() for line in lines])
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, json.dumps(HEAVY), words],
        cwd=folder, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return dict(zip(lines, json.loads(done.stdout), strict=True))


@pytest.mark.parametrize("line", HELP)
def test_help_needs_nothing_heavy(told, line):
    out, err, asked = told[line]
    assert out.startswith(f"Usage: hsi {line.partition('--')[0]}".rstrip())
    assert (err, asked) == ("", "")


@pytest.mark.parametrize("line", WRONG)
def test_what_can_be_refused_at_once_is(told, line):
    out, err, asked = told[line]
    assert (out, asked) == ("", "")
    assert err.startswith("error: ") and err.count("\n") == 1 and WRONG[line] in err


@pytest.mark.parametrize("line", TRAININGS)
def test_a_training_says_what_it_will_do_before_anything_heavy_is_loaded(told, line):
    out, err, asked = told[line]
    assert (out, err) == ("", f"hsi train: {TRAININGS[line]}\n")
    assert asked in HEAVY


def test_batches_and_replays_do_so_too(told):
    assert told[BATCH][1] == "hsi batch: smoke, 2 seeds; results go into runs\n"
    assert told[BATCH][2] in HEAVY
    assert told[AGAIN][1].startswith("replay 1 of 1: run\n")
