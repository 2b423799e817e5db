"""Commands and keys that messages tell a user to give: each can be given as it stands."""

import ast
import re
import shlex
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from metrics_samples import sample_metrics

from hsi_suite.cli import cli
from hsi_suite.commands import command, suggested
from hsi_suite.config import dotted_keys
from hsi_suite.data.disjoint_split import disjoint_split
from hsi_suite.data.splits import random_split
from hsi_suite.errors import HsiSuiteError
from hsi_suite.reports.verdict import verdict
from hsi_suite.runs.folder import Run
from hsi_suite.schemas.batch import BatchConfig
from hsi_suite.schemas.classification import ClassificationConfig
from hsi_suite.schemas.denoising import DenoisingConfig
from hsi_suite.schemas.image_classification import ImageClassificationConfig
from hsi_suite.schemas.retrieval import RetrievalConfig

ROOT = Path(__file__).resolve().parent.parent
SCHEMAS = (
    BatchConfig,
    ClassificationConfig,
    DenoisingConfig,
    ImageClassificationConfig,
    RetrievalConfig,
)
KEYS = {key for schema in SCHEMAS for key in dotted_keys(schema)}
LEAVES = {key.split(".")[-1] for key in KEYS if "." in key and "_" in key.split(".")[-1]}
COMMANDS = "|".join(cli.list_commands(click.Context(cli)))


def sources():
    for folder in ("hsi_suite", "pipelines"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path, ast.parse(path.read_text())


def messages():
    """Every text in the arguments of an error, with its place."""
    for path, tree in sources():
        for node in ast.walk(tree):
            name = getattr(getattr(node, "func", None), "id", "")
            if isinstance(node, ast.Call) and name.endswith("Error"):
                for text in ast.walk(node):
                    if isinstance(text, ast.Constant) and isinstance(text.value, str):
                        yield f"{path.name}:{text.lineno}", text.value


def told_commands():
    """Every command in backticks or after "hsi " that stands in a text of the library."""
    for path, tree in sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                for found in re.findall(rf"`(hsi (?:{COMMANDS})[^`]*)`", node.value):
                    yield f"{path.name}:{node.lineno}", " ".join(found.split())


def check(words):
    """Follow a command as far as its options: they must exist."""
    current = cli
    words = words[1:]
    while isinstance(current, click.Group):
        context = click.Context(current)
        following = current.get_command(context, words[0]) if words else None
        if following is None:
            assert not words, f"no command {words[0]}"
            return
        current, words = following, words[1:]
    known = {name for option in current.params for name in (*option.opts, *option.secondary_opts)}
    assert {word for word in words if word.startswith("-")} <= known | {"--help"}


@pytest.mark.parametrize("path", ["runs/a b", "it's", "$HOME/x", "a;rm -rf b", "-x", "ü"])
def test_a_command_comes_back_from_a_shell_as_it_was_meant(path):
    assert shlex.split(command("train", "--resume", Path(path))) == [
        "hsi",
        "train",
        "--resume",
        path,
    ]
    assert suggested("report", path) == f"`{command('report', path)}`"


def test_told_commands_and_their_options_exist():
    told = list(told_commands())
    assert len(told) > 10
    for place, line in told:
        try:
            check(shlex.split(line.replace("…", "x")))
        except AssertionError as error:
            raise AssertionError(f"{place}: {line}: {error}") from error


def test_commands_with_names_in_them_are_quoted_by_the_helper():
    bare = []
    for path, tree in sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr):
                parts = [p.value if isinstance(p, ast.Constant) else "\0" for p in node.values]
                if re.search(rf"hsi ({COMMANDS}) [^`\n]*\0", "".join(map(str, parts))):
                    bare.append(f"{path.name}:{node.lineno}")
    assert not bare


def test_keys_in_messages_are_whole_and_exist():
    sections = {key.split(".")[0] for key in KEYS if "." in key}
    wrong = []
    for place, text in messages():
        for key in re.findall(rf"(?<![\w./-])(?:{'|'.join(sections)})(?:\.[a-z_]+)+", text):
            # Which options there are is the model's own to say.
            if key.endswith(".safetensors") or key.startswith("model.options."):
                continue
            if key not in KEYS and not any(known.startswith(f"{key}.") for known in KEYS):
                wrong.append(f"{place}: {key} is no key")
        for word in re.findall(r"(?<![\w.{])[a-z]+(?:_[a-z]+)+(?![\w(])", text):
            if word in LEAVES and word not in KEYS:
                wrong.append(f"{place}: {word} lacks its section")
    assert not wrong


def test_following_what_a_rare_class_is_told(tmp_path):
    import numpy as np

    labels = np.ones((6, 6), int)
    labels[0, 0] = 2
    labels[3:] = 3
    options = {"train": 0.5, "generator": np.random.default_rng(0)}
    with pytest.raises(HsiSuiteError) as caught:
        random_split(labels, **options)
    assert "split.rare_classes" in caught.value.remedy
    assert "split.rare_classes" in KEYS
    assert random_split(labels, rare_classes="drop", **options).classes == (1, 3)
    with pytest.raises(HsiSuiteError) as caught:
        disjoint_split(labels, guard=1, rare_classes="error", **options)
    for key in ("model.window", "split.guard", "split.rare_classes"):
        assert key in caught.value.remedy
        assert key in KEYS


def test_what_a_verdict_says_to_try_can_be_tried():
    from hsi_suite.runs.launch import configure

    metrics = sample_metrics(kind="disjoint", accuracy=0.5)
    text = " ".join(remark.text for remark in verdict(metrics))
    assert re.search(r"--set (\S+)=(\w+)", text)
    (setting,) = set(re.findall(r"--set (\S+?)\)", text))
    assert configure(dataset="synthetic", settings=(setting,)).reduction.method == "standardize"
    (name,) = set(re.findall(r"--model (\w+)", text))
    assert configure(dataset="synthetic", model=name).model.name == name


def test_an_interrupted_run_says_how_to_go_on_and_it_parses(tmp_path, monkeypatch, hsi):
    from hsi_suite.runs import launch as training

    folder = tmp_path / "my runs; here"
    folder.mkdir()
    (folder / "config.yaml").touch()
    words = shlex.split(command("train", "--resume", folder))
    seen = []
    monkeypatch.setattr(training, "resume", lambda path, *_: seen.append(path) or Run(folder))
    monkeypatch.setattr("hsi_suite.cli.output.print_run", lambda *_: None)
    assert CliRunner().invoke(cli, words[1:]).exit_code == 0
    assert seen == [folder]


def test_long_messages_keep_their_remedy_in_sight():
    error = HsiSuiteError("file", "x" * 5_000, "y" * 5_000, "do this")
    assert len(error.brief()) < 700
    assert error.brief().endswith(". Do this")
    assert "x" * 5_000 in str(error)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["trian"], "Did you mean train"),
        (["pedict"], "Did you mean predict"),
        (["data", "lst"], "Did you mean"),
        (["retrieve", "indx"], "Did you mean"),
        (["train", "--dataset", "synthetic", "--set", "window=9"], "Did you mean model.window?"),
        (["train", "--dataset", "synthetic", "--set", "rare_classes=drop"], "split.rare_classes?"),
        (["train", "--dataset", "synthetic", "--set", "model.windw=9"], "mean model.window?"),
        (["train", "--dataset", "synthetic", "--set", "traain.epochs=2"], "Did you mean train"),
    ],
)
def test_misspelt_commands_and_keys_get_a_suggestion(hsi, arguments, said):
    status, _, err = hsi(*arguments)
    assert (status, err.count("\n")) == (2, 1)
    assert said in err
    assert err.lower().count("did you mean") == 1
    assert "?." not in err


@pytest.mark.parametrize(
    ("command_line", "tree", "said"),
    [
        ("train --config", "task: clasification", "'clasification'; .*Did you mean classification"),
        ("train --config", "task: batch\nruns: 2", "task: a batch; .*with `hsi batch 'my x.yaml'`"),
        ("batch", "extends: classification/svm", "with `hsi train --config 'my x.yaml'`"),
        ("batch", "data: {dataset: synthetic}", "a single run; expected one of a batch"),
        (
            "train --config",
            "data: {dataset: synthetic_small}\nmodel: {name: cnn1}",
            "model.name: unknown model 'cnn1'; .*Did you mean cnn1d",
        ),
    ],
)
def test_configurations_of_another_kind_say_what_they_are(
    hsi, tmp_path, monkeypatch, command_line, tree, said
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my x.yaml").write_text(tree)
    status, _, err = hsi(*command_line.split(), "my x.yaml")
    assert status == 2
    assert re.search(said, err.splitlines()[-1])
    assert not (tmp_path / "runs").exists()


def test_a_map_of_unknown_kind_is_refused_before_torch_is_loaded():
    import subprocess
    import sys

    code = (
        "import sys; sys.argv = ['hsi', 'predict', 'r', '--scene', 's', '-o', 'map.shp']\n"
        "from hsi_suite.cli import main\n"
        "try: main()\nexcept SystemExit as end: assert end.code == 2\n"
        "assert 'torch' not in sys.modules and 'numpy' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "unknown kind of map '.shp'" in done.stderr
