"""What a type checker, a reader of help() and an editor see of the public names."""

import inspect
import re
import sys
from pathlib import Path

import pytest

import hsi_suite as hsi

SCRIPT = """
import numpy as np
import hsi_suite as hsi

cube, labels = np.zeros((9, 8, 5)), np.ones((9, 8), int)
split = hsi.splits.disjoint(labels, guard=1)
model = hsi.SceneClassifier("hybridsn", window=5, settings={"train.epochs": 1})
retriever = hsi.Retriever(names=("a", "b"))
denoiser = hsi.Denoiser(sigma=20)
run = hsi.train(cube, labels, split=split)
reveal_type(split)
reveal_type(hsi.audit(labels, split, window=5))
reveal_type(model.fit(cube, labels, split=split))
reveal_type(model.predict(cube))
reveal_type(model.predict_proba(cube))
reveal_type(model.score(cube, labels))
reveal_type(hsi.SceneClassifier.load("m.safetensors"))
reveal_type(retriever.fit(cube[0], cube[0], labels[0]))
reveal_type(retriever.transform(cube[0]))
reveal_type(retriever.kneighbors(cube[0], cube[0], 3))
reveal_type(retriever.scores(cube[0], cube[0], labels[0]))
reveal_type(denoiser(cube))
reveal_type(denoiser.estimate_sigma(cube[0]))
reveal_type(hsi.denoise(cube, sigma=3))
reveal_type(run)
reveal_type(run.label_map)
reveal_type(hsi.evaluate(run))
reveal_type(hsi.evaluate_together([run, run]))
reveal_type(hsi.predict(run, cube))
reveal_type(hsi.batch("batch/smoke"))
reveal_type(hsi.replay(run))
reveal_type(hsi.compare({"a": [0.5], "b": [0.6]}))
reveal_type(hsi.compare([run]))
reveal_type(hsi.read_scene("cube.hdr"))
reveal_type(hsi.load_dataset("synthetic"))
reveal_type(hsi.open_run("run"))
reveal_type(hsi.models.create("hybridsn", in_channels=3, num_classes=2, window=9))
reveal_type(hsi.models.names())
reveal_type(hsi.metrics.overall_accuracy(labels, labels))
reveal_type(hsi.blocks.SqueezeExcitation)
"""


@pytest.mark.slow
def test_a_type_checker_knows_every_result(tmp_path):
    api = pytest.importorskip("mypy.api", reason="mypy is of the extra dev")
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    root = Path(hsi.__file__).resolve().parent.parent
    text, errors, status = api.run(
        ["--strict", "--cache-dir", str(root / ".mypy_cache"), "--config-file",
         str(root / "setup.cfg"), str(script)]
    )  # fmt: skip
    revealed = re.findall(r"Revealed type is \"(.*)\"", text)
    assert status == 0 and not errors, text
    assert len(revealed) == SCRIPT.count("reveal_type(")
    assert not [each for each in revealed if each in ("Any", "builtins.object")]


def test_names_of_the_checker_are_those_of_the_module():
    names = {name for name in dir(hsi) if not name.startswith("_")}
    assert names >= set(hsi.__all__)
    for module in (hsi, hsi.metrics, hsi.models):
        assert [name for name in module.__all__ if not hasattr(module, name)] == []


def public():
    """Every public name as (name, object), classes with their public methods."""
    for name in hsi.__all__:
        thing = getattr(hsi, name)
        yield name, thing
        if inspect.ismodule(thing):
            for inner in thing.__all__:
                yield f"{name}.{inner}", getattr(thing, inner)
        elif inspect.isclass(thing):
            for inner, member in vars(thing).items():
                if not inner.startswith("_") and (callable(member) or isinstance(member, property)):
                    yield f"{name}.{inner}", member


PUBLIC = dict(public())


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_says_what_it_is(name):
    thing = PUBLIC[name]
    text = inspect.getdoc(thing) or ""
    assert len(text) > 20, name
    function = getattr(thing, "__func__", thing)
    if not inspect.isfunction(function):
        return
    hints = inspect.signature(function).parameters
    for parameter in hints.values():
        if parameter.name in ("self", "cls"):
            continue
        assert parameter.annotation is not parameter.empty, (name, parameter.name)
    named = [key for key in hints if key not in ("self", "cls")]
    # One word to another function's page stands for its parameters.
    if (
        len(named) > 1
        and "; see `" not in text
        and "he same as" not in text
        and "blocks." not in name
    ):
        missing = [key for key in named if not re.search(rf"^ +{key}: ", text, re.MULTILINE)]
        assert not missing, (name, missing)


def test_the_public_face_waits_with_torch():
    code = "import sys, hsi_suite; assert 'torch' not in sys.modules; hsi_suite.HsiSuiteError"
    import subprocess

    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
