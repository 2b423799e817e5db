"""Trainings on images that begin with weights named as torchvision names them."""

import pickle

import pytest
import torch
from safetensors.torch import save_file

from hsi_suite.backbones.classic.torchvision_names import torchvision_names
from hsi_suite.checksums import hash_file
from hsi_suite.errors import ConfigError, HsiSuiteError, InputFileError
from hsi_suite.models.pretrained import begin_pretrained
from hsi_suite.models.registry import spec_of
from hsi_suite.runs import launch
from hsi_suite.runs.evaluation import evaluate
from hsi_suite.tasks.images.configuration import image_classification_config, resolve
from hsi_suite.tasks.images.preparation import starting_weights

pytestmark = pytest.mark.stand_in_pictures

SIZES = {"in_channels": 1, "window": 32, "width": 0.125, "stem": "imagenet"}


def built(name, num_classes, seed, **options):
    torch.manual_seed(seed)
    return spec_of(name).factory(num_classes=num_classes, **{**SIZES, **options})


def theirs(network):
    """Its state dictionary as torchvision names it."""
    own = network.state_dict()
    return {name: own[ours].clone() for name, ours in torchvision_names(network).items()}


def saved(state, path):
    save_file(state, path) if path.suffix == ".safetensors" else torch.save(state, path)
    return path


@pytest.mark.parametrize("ending", [".pth", ".safetensors"])
@pytest.mark.parametrize(("name", "classes"), [("resnet_18", 7), ("resnet_18", 12), ("vgg_11", 7)])
def test_all_but_the_layers_over_other_classes_are_taken(name, classes, ending, tmp_path):
    options = {"stem": "imagenet"} if name == "resnet_18" else {}
    sizes = {key: value for key, value in SIZES.items() if key != "stem"} | options
    torch.manual_seed(1)
    given = spec_of(name).factory(num_classes=12, **sizes)
    path = saved(theirs(given), tmp_path / f"weights{ending}")
    network = spec_of(name).factory(num_classes=classes, **sizes)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    kept = begin_pretrained(network, name, sizes, path)
    own, other = network.state_dict(), given.state_dict()
    assert all(key.startswith("head.") for key in kept)
    assert len(kept) == (0 if classes == 12 else 2)
    for key in own:
        assert torch.equal(own[key], (before if key in kept else other)[key])


def test_auxiliary_heads_of_a_file_may_be_left(tmp_path):
    sizes = {"in_channels": 3, "window": 32, "width": 0.0625, "stem": "imagenet"}
    build = spec_of("googlenet").factory
    given = build(num_classes=9, auxiliary=True, **sizes)
    path = saved(theirs(given), tmp_path / "googlenet.pth")
    network = build(num_classes=4, **sizes)
    kept = begin_pretrained(network, "googlenet", sizes, path)
    assert kept == ["head.classifier.weight", "head.classifier.bias"]
    stem = "features.stem.layers.0.conv.weight"
    assert torch.equal(network.state_dict()[stem], given.state_dict()[stem])


class _Code:
    """What would run if a file of weights were unpickled."""

    def __reduce__(self):
        return (pytest.fail, ("code in a file of weights was run",))


def test_files_of_something_else_are_refused(tmp_path):
    network = built("resnet_18", 4, 0)
    state = theirs(built("resnet_18", 9, 1))
    options = dict(SIZES)
    wide = saved(theirs(built("resnet_18", 9, 1, width=0.25)), tmp_path / "wide.pth")
    with pytest.raises(InputFileError, match="other shapes"):
        begin_pretrained(network, "resnet_18", options, wide)
    without = saved({k: v for k, v in state.items() if k != "fc.bias"}, tmp_path / "without.pth")
    with pytest.raises(InputFileError, match=r"no tensor fc\.bias"):
        begin_pretrained(network, "resnet_18", options, without)
    (tmp_path / "code.pth").write_bytes(pickle.dumps({"fc.bias": _Code()}))
    with pytest.raises(InputFileError):
        begin_pretrained(network, "resnet_18", options, tmp_path / "code.pth")
    with pytest.raises(ConfigError, match="not among torchvision's networks"):
        begin_pretrained(
            spec_of("zfnet").factory(in_channels=1, num_classes=2, window=64, width=0.05),
            "zfnet", {}, wide,
        )  # fmt: skip
    with pytest.raises(HsiSuiteError, match=r"absent\.pth"):
        starting_weights(configured(tmp_path / "absent.pth"))


def configured(path):
    settings = [
        f"model.weights={path}", "model.options={width: 0.125, stem: imagenet}",
        "train.epochs=1", "threads=1", "data.size=16",
    ]  # fmt: skip
    options = {"dataset": "digits", "model": "resnet_18", "device": "cpu"}
    return image_classification_config(options=options, settings=settings)


def test_a_training_begins_with_them(tmp_path):
    given = built("resnet_18", 25, 1, window=16)
    path = saved(theirs(given), tmp_path / "weights.safetensors")
    config = configured(path)
    assert resolve(config).model.weights == str(path)
    run = launch.start(config, tmp_path / "runs")
    assert run.environment["data"]["model.weights"] == hash_file(path)
    assert evaluate(run.path)["equal"]
    # They count by their content: under another name the run is the same, and is finished.
    moved = saved(theirs(given), tmp_path / "moved.safetensors")
    assert launch.start(configured(moved), tmp_path / "runs").path == run.path
