"""Networks of the user's own: in a file, registered by a decorator, offered by a package."""

import re
import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from offered_samples import Point, offering
from PIL import Image
from scenes_samples import write_scene
from torch import nn

import hsi_suite as hsi
from hsi_suite.cli import cli
from hsi_suite.errors import ConfigError, HsiSuiteError, RunError, UnknownNameError
from hsi_suite.models import network_file, registry
from hsi_suite.models.building import build_denoiser, build_model
from hsi_suite.models.listing import list_models
from hsi_suite.models.network_file import checksum_of, is_network_file, shown_name, trust
from hsi_suite.models.registry import MODELS, model_names, register
from hsi_suite.runs import launch
from hsi_suite.runs.evaluation import evaluate
from hsi_suite.runs.folder import Run
from hsi_suite.runs.identity import run_identity
from hsi_suite.runs.replay import replay
from hsi_suite.tasks.denoising.denoiser import load_denoiser
from hsi_suite.tasks.scenes.prediction import predict

pytestmark = pytest.mark.stand_in_pictures

SOURCE = '''
from torch import nn

class Net(nn.Module):
    """A convolution and a mean."""

    def __init__(self, in_channels, num_classes, window, width=4):
        super().__init__()
        self.body = nn.Conv2d(in_channels, width, 3, padding=1)
        self.head = nn.Linear(width, num_classes)

    def forward(self, windows):
        return self.head(self.body(windows).relu().mean((2, 3)))

class Maps(Net):
    def forward(self, windows):
        return self.body(windows)

class Picky(Net):
    def forward(self, windows):
        return super().forward(windows[:, 7:8])

class Empty(nn.Module):
    def __init__(self, in_channels, num_classes, window):
        super().__init__()

class Lazy(Empty):
    def __init__(self, in_channels, num_classes, window):
        super().__init__(in_channels, num_classes, window)
        self.head = nn.LazyLinear(num_classes)

class Whole(Net):
    def forward(self, windows):
        return super().forward(windows).long()

class Unbuilt(Net):
    def __init__(self, in_channels, num_classes, window):
        raise OSError("disk\\non fire")

class Unlearnt(Net):
    def forward(self, windows):
        assert not self.training, "only in training"
        return super().forward(windows)

class Tied(nn.Module):
    def __init__(self, **arguments):
        super().__init__()
        self.net = Net(**arguments)
        self.again = self.net.head

    def forward(self, windows):
        return self.net(windows)

class Bare(nn.Module):
    def __init__(self, classes):
        super().__init__()

number = 3
'''
FIXED = {"in_channels": 5, "num_classes": 3, "window": 3}


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """A cache of the test's own, and nobody trusted."""
    monkeypatch.setenv("HSI_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(network_file, "_trusted_here", set())
    return tmp_path / "cache"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(SOURCE)
    return path


def trained(file, folder, network="Net", **options):
    return launch.train(
        **write_scene(folder), model=f"{file}:{network}", epochs=1,
        settings=["model.window=3", "threads=1", "reduction.components=5"],
        output=folder / "runs", **options,
    )  # fmt: skip


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run with the file and the scene of its training, and the folder of all."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "mine.py").write_text(SOURCE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HSI_CACHE_DIR", str(folder / "cache"))
        return trained(folder / "mine.py", folder)


@pytest.fixture
def run(finished, file, tmp_path):
    """A copy of it; the training's file is as it was."""
    home = finished.path.parent.parent
    (home / "mine.py").write_text(SOURCE)
    copy = Run(tmp_path / finished.path.name)
    shutil.copytree(finished.path, copy.path)
    trust(file)
    return copy


def test_a_network_in_a_file_trains_evaluates_replays_and_predicts(run, finished, tmp_path):
    home = finished.path.parent.parent
    assert run.metrics["model"] == "mine.Net" and "_mine.Net_random_" in run.path.name
    assert run.environment["networks"].keys() == {"network mine.py"}
    assert evaluate(run.path)["equal"]
    # The file may go: the run has its own copy.
    (home / "mine.py").unlink()
    assert evaluate(run.path)["equal"]
    assert replay(run.path).identical == 1
    predict([run.path], tmp_path / "map.tif", scene=str(home / "cube.npy"))
    assert (tmp_path / "map.tif").is_file()


def test_a_program_that_nobody_named_here_is_not_run(run, file, cache, monkeypatch):
    for each in cache.iterdir():
        each.unlink()
    monkeypatch.setattr(network_file, "_trusted_here", set())
    for call in (lambda: evaluate(run.path), lambda: launch.resume(run.path)):
        with pytest.raises(RunError, match=r"never named here.*hsi models trust"):
            call()
    trust(file)
    assert evaluate(run.path)["equal"]


def test_another_file_of_the_same_name_is_refused(run, finished):
    file = finished.path.parent.parent / "mine.py"
    (run.path / "mine.py").unlink()
    file.write_text(SOURCE + "\n# changed\n")
    with pytest.raises(RunError, match=r"mine\.py: has changed since the training"):
        evaluate(run.path)
    file.unlink()
    with pytest.raises(RunError, match=r"mine\.py: no such file.*SHA-256"):
        evaluate(run.path)


def test_the_content_of_the_file_is_part_of_the_run_and_its_place_is_not(file, tmp_path):
    other = tmp_path / "elsewhere" / "mine.py"
    other.parent.mkdir()
    other.write_text(SOURCE)
    trees = [
        launch.configure(dataset="synthetic", model=f"{path}:Net").model_dump(mode="json")
        for path in (file, other)
    ]
    assert trees[0] != trees[1]
    assert run_identity(trees[0], {}) == run_identity(trees[1], {})
    before = checksum_of(f"{file}:Net")
    file.write_text(SOURCE + "\n# changed\n")
    assert checksum_of(f"{file}:Net") != before


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ("mine.py:Nothing", "has no network Nothing"),
        ("mine.py:number", "has no network number"),
        ("mine.py:Bare", "takes no in_channels and no num_classes and no window"),
        ("mine.py:Maps", r"gives \(2, 4, 3, 3\) for 2 windows; expected logits of the shape"),
        ("mine.py:Picky", "cannot take 2×5×3×3"),
        ("mine.py:Empty", "has no parameters"),
        ("mine.py:Lazy", "has lazy layers"),
        ("mine.py:Whole", r"gives torch\.int64; expected logits"),
        ("mine.py:Unbuilt", r"mine\.py, line \d+: OSError: disk; expected a network that runs"),
        ("absent.py:Net", "no file absent.py"),
        ("broken.py:Net", r"cannot be run \(ZeroDivisionError"),
        ("exits.py:Net", r"cannot be run \(SystemExit: 3"),
    ],
)
def test_what_is_no_network_gets_one_clear_line(file, tmp_path, monkeypatch, named, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken.py").write_text("1 / 0\n")
    (tmp_path / "exits.py").write_text("import sys\nsys.exit(3)\n")
    with pytest.raises(HsiSuiteError, match=message) as caught:
        trained(*named.split(":")[:1], tmp_path, network=named.split(":")[1])
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "runs").exists()


def test_what_fails_in_training_is_named_with_its_line(file, tmp_path):
    place = SOURCE.split("\n").index('        assert not self.training, "only in training"') + 1
    with pytest.raises(ConfigError, match=rf"line {place}: AssertionError: only in training"):
        trained(file, tmp_path, network="Unlearnt")
    assert not list((tmp_path / "runs").glob("*/metrics.json"))


def test_a_network_with_tied_weights_and_free_keywords_is_saved_and_loaded(file, tmp_path):
    run = trained(file, tmp_path, network="Tied")
    assert evaluate(run.path)["equal"]
    with pytest.raises(ConfigError, match="args"):
        build_model(f"{file}:Tied", **FIXED, options={"args": 3}, generator=None)


def test_options_of_a_network_in_a_file_are_its_arguments(file, tmp_path):
    named = {"dataset": "synthetic", "model": f"{file}:Net"}
    config = launch.configure(**named, settings=["model.options.width=7"])
    assert config.model.options == {"width": 7} and config.model.window == 15
    assert launch.configure(**named, settings=["model.options.width=null"]).model.options == {}
    with pytest.raises(ConfigError, match=r"model\.options\.wide: unknown option.*width"):
        build_model(config.model.name, **FIXED, options={"wide": 3}, generator=None)


def test_annotations_that_only_type_checkers_know_do_no_harm(tmp_path):
    source = SOURCE.replace("width=4", "width: 'Nowhere | None' = 4")
    (tmp_path / "typed.py").write_text(source)
    named = {"dataset": "synthetic", "model": f"{tmp_path / 'typed.py'}:Net"}
    config = launch.configure(**named, settings=["model.options.width=null"])
    assert config.model.options == {"width": None}


def test_names():
    assert is_network_file("a/b c.py:Net_1") and shown_name("a/b c.py:Net_1") == "b c.Net_1"
    for name in ("hybridsn", "a.py", "a.py:", "a.py:1Net", "a.py:N-t", 3, None):
        assert not is_network_file(name)
    assert shown_name("hybridsn") == "hybridsn"


class Mean(nn.Module):
    """The mean spectrum. Nothing else."""

    def __init__(self, in_channels, num_classes, window):
        super().__init__()
        self.head = nn.Linear(in_channels, num_classes)

    def forward(self, windows):
        return self.head(windows.mean((2, 3)))


@pytest.fixture
def others():
    with offering(registry, MODELS) as offer:
        yield offer


def test_a_registered_network_is_one_of_all(others, tmp_path):
    assert register("mean")(Mean) is Mean
    assert registry.spec_of("mean").summary == "The mean spectrum. Nothing else"
    undescribed = register("plain")(type("Plain", (Mean,), {"__doc__": None}))
    assert registry.spec_of("plain").summary == undescribed.__name__
    model = build_model("mean", **FIXED, options={}, generator=torch.Generator().manual_seed(3))
    again = build_model("mean", **FIXED, options={}, generator=torch.Generator().manual_seed(3))
    assert torch.equal(model.head.weight, again.head.weight)
    scene = write_scene(tmp_path)
    run = launch.train(
        **scene, model="mean", epochs=1, output=tmp_path / "runs",
        settings=["model.window=3", "threads=1", "reduction.components=5"],
    )  # fmt: skip
    assert evaluate(run.path)["equal"]
    with pytest.raises(ValueError, match="registered twice"):
        register("hybridsn")(Mean)
    with pytest.raises(ConfigError, match="task"):
        register("other", task="retrieval")


class Smooth(nn.Module):
    """A denoiser that tells nothing of itself."""

    def __init__(self, in_channels):
        super().__init__()
        self.layer = nn.Conv2d(in_channels, in_channels, 3, padding=1)

    def forward(self, images):
        return self.layer(images)


class Told(Smooth):
    takes_noise_map, multiple, receptive_radius = False, 2, 1


def test_a_registered_denoiser_is_trained_and_denoises(others, tmp_path):
    register("smooth", task="denoising")(Smooth)
    register("told", task="denoising")(Told)
    pixels = np.random.default_rng(0).integers(0, 255, (6, 48, 40), np.uint8)
    for number, each in enumerate(pixels):
        Image.fromarray(each).save(tmp_path / f"{number}.png")
    run = launch.train(
        config="smoke/denoising", model="smooth", output=tmp_path / "runs",
        settings=[f"data.folder={tmp_path}", "data.validation=2", "model.options={}"],
    )  # fmt: skip
    denoiser = load_denoiser(run.path / "model.safetensors", torch.device("cpu"))
    assert isinstance(denoiser.network.network, Smooth)
    assert denoiser.network.receptive_radius is None and not denoiser.network.takes_noise_map
    assert hsi.denoise(pixels[0], weights=run, verbose=0).shape == (48, 40)
    told = build_denoiser("told", in_channels=1, options={}, generator=None)
    assert (told.multiple, told.receptive_radius) == (2, 1)


def test_a_network_of_another_package(others):
    others(Point("mean", Mean), Point("broken", None))
    with pytest.warns(UserWarning, match="model broken of broken_package:THING is left out"):
        assert "mean" in model_names("classification") and "mean" not in model_names("denoising")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert build_model("mean", **FIXED, options={}, generator=None)
        listed = {each["name"]: each for each in list_models()}
        assert listed["mean"]["summary"] == registry.spec_of("mean").summary
        with pytest.raises(UnknownNameError, match="mean"):
            build_model("meen", **FIXED, options={}, generator=None)


class Backwards(Mean):
    def forward(self, windows):
        return self.head(windows)


class Unmoved(Mean):
    def forward(self, windows):
        assert not self.training, "only in training"
        return super().forward(windows)


class Unreduced(Mean):
    def forward(self, windows):
        return windows


class Unopened(Mean):
    def __init__(self, in_channels, num_classes, window):
        raise OSError("disk\non fire")


WRONG = [
    (Backwards, r"cannot take 2×5×3×3 \(mat1 and mat2 shapes"),
    (Unreduced, r"gives \(2, 5, 3, 3\) for 2 windows; expected logits of the shape"),
    (Unopened, r"test_own_networks\.py, line \d+: OSError: disk; expected a network that runs"),
    (Unmoved, r"test_own_networks\.py, line \d+: AssertionError: only in training"),
]


@pytest.mark.parametrize("how", ["offered", "registered", "handed over"])
@pytest.mark.parametrize(
    ("network", "message"), WRONG, ids=lambda each: getattr(each, "__name__", "")
)
def test_what_fails_in_a_network_of_others_gets_one_clear_line(
    others, tmp_path, how, network, message
):
    if how == "offered":
        others(Point("theirs", network))
    elif how == "registered":
        register("theirs")(network)
    name = registry.entered(network) if how == "handed over" else "theirs"
    with pytest.raises(ConfigError, match=message) as caught:
        launch.train(
            **write_scene(tmp_path), model=name, epochs=1, output=tmp_path / "runs",
            settings=["model.window=3", "threads=1", "reduction.components=5"],
        )  # fmt: skip
    assert "\n" not in str(caught.value)
    assert network is Unmoved or not (tmp_path / "runs").exists()


def test_what_fails_in_training_on_images_is_named_with_its_line(others, tmp_path):
    register("theirs")(Unmoved)
    with pytest.raises(ConfigError, match=r"line \d+: AssertionError: only in training"):
        launch.train(dataset="digits", model="theirs", epochs=1, output=tmp_path / "runs")


def test_a_network_that_only_a_configuration_names_is_not_run(tmp_path, file):
    marker = tmp_path / "was_run"
    file.write_text(f"{SOURCE}\nopen({str(marker)!r}, 'w').close()\n")
    config = tmp_path / "config.yaml"
    model = f"model: {{name: '{file}:Net', window: 3}}"
    config.write_text(f"task: classification\n{model}\nreduction: {{components: 5}}\n")
    scene = write_scene(tmp_path)
    named = {**scene, "config": str(config), "epochs": 1, "output": tmp_path / "runs"}
    with pytest.raises(RunError, match=r"never named here.*hsi models trust"):
        launch.train(**named, settings=["threads=1"])
    assert not marker.exists() and not (tmp_path / "runs").exists()
    launch.train(**named, settings=["threads=1", f"model.name={file}:Net"])
    assert marker.exists()


def test_the_page_on_own_networks_is_true(tmp_path, monkeypatch):
    """Its class is described before anything else was done with it, and learns."""
    page = Path(__file__).resolve().parent.parent / "docs" / "how_to" / "own_network.md"
    source = re.search(r"```python\n(# mine\.py\n.*?)```", page.read_text("utf-8"), re.DOTALL)
    (tmp_path / "mine.py").write_text(source[1])
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(cli, ["models", "describe", "mine.py:Small", "--input", "5x9x9"])
    assert done.exit_code == 0 and "parameters" in done.output, done.output
    run = launch.train(
        **write_scene(tmp_path),
        model="mine.py:Small",
        epochs=1,
        output=tmp_path / "runs",
        settings=["threads=1", "width=8", "model.window=9", "reduction.components=5"],
    )
    assert run.finished
