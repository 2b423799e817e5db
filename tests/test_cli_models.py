import json
import sys

import pytest
from click.testing import CliRunner
from said_lines import beyond_first

from hsi_suite.backbones import BLOCKS
from hsi_suite.cli import main
from hsi_suite.cli.models import models
from hsi_suite.errors import ConfigError, HsiSuiteError
from hsi_suite.models.classic_classifier import CLASSIC_MODELS
from hsi_suite.models.classical import CLASSICAL
from hsi_suite.models.registry import MODELS


def run(*arguments):
    """The output of `hsi models ARGUMENTS`; the project's own errors come out as they are."""
    # Workers of the suite have a width of their own.
    result = CliRunner(env={"COLUMNS": None}).invoke(models, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    if "--json" not in arguments:
        assert max(map(len, result.stdout.splitlines())) <= 110
    return result.stdout


def rows(text):
    return [line.split() for line in text.splitlines() if line.strip()]


def test_hybridsn_prints_the_table_of_its_paper():
    text = run("describe", "hybridsn", "--input", "1x30x25x25")
    expected = [
        ("conv3d 8@7×3×3", "8×24×23×23", "406.3 kB", "512", "6,398,784"),
        ("conv3d 16@5×3×3", "16×20×21×21", "564.5 kB", "5,776", "50,803,200"),
        ("conv3d 32@3×3×3", "32×18×19×19", "831.7 kB", "13,856", "89,828,352"),
        ("conv2d 64@3×3", "64×17×17", "74.0 kB", "331,840", "95,883,264"),
        ("Flatten", "18496", "–", "–", "–"),
        ("linear 256", "256", "1.0 kB", "4,735,232", "4,734,976"),
        ("dropout 0.4", "256", "–", "–", "–"),
        ("linear 128", "128", "512 B", "32,896", "32,768"),
        ("dropout 0.4", "128", "–", "–", "–"),
        ("linear 16", "16", "64 B", "2,064", "2,048"),
    ]
    end = next(number for number, row in enumerate(rows(text)) if row[0] == "total")
    words = [" ".join(row[1:]) for row in rows(text)[4:end]]
    assert [line for line in words if "ReLU" not in line] == [" ".join(row) for row in expected]
    assert rows(text)[end] == ["total", "16", "3.8", "MB", "5,122,176", "247,683,392"]
    assert [row[0] for row in rows(text)[end + 1 : -2]] == [
        "stage", rows(text)[end + 2][0], *(f"spectral_spatial.{n}" for n in range(3)), "spatial.0",
        "head",
    ]  # fmt: skip
    assert rows(text)[-3] == ["head", "16", "3.1", "kB", "4,770,192", "4,769,792"]
    assert "in_channels 30, num_classes 16, window 25" in text
    assert text.endswith("yes in training, yes for maps\n")


@pytest.mark.parametrize("name", [*sorted(set(MODELS) - set(CLASSIC_MODELS)), "alexnet"])
def test_every_network_is_described_as_text_and_json(name):
    assert run("describe", name).startswith(f"{name}: ")
    content = json.loads(run("describe", name, "--json"))
    assert content["name"] == name and content["input"] == list(MODELS[name].example_input)
    assert content["totals"]["parameters"] == MODELS[name].example_parameters
    for total in ("parameters", "multiply_adds", "memory"):
        parts = sum(stage[total] for stage in content["stages"])
        assert parts == sum(layer[total] for layer in content["layers"])
        assert sum(layer[total] for layer in content["layers"]) == content["totals"][total]
    assert set(content["window_equivariant"]) == {"training", "maps"}


def test_json_holds_exact_numbers():
    content = json.loads(run("describe", "hybridsn", "--set", "num_classes=9", "--json"))
    assert content["layers"][0] == {
        "name": "spectral_spatial.0.conv",
        "kind": "conv3d 8@7×3×3",
        "output": [8, 24, 23, 23],
        "memory": 4 * 8 * 24 * 23 * 23,
        "parameters": 512,
        "multiply_adds": 6_398_784,
    }
    assert content["totals"]["output"] == [9]
    assert content["arguments"]["num_classes"] == 9


def test_list_names_networks_classical_models_and_blocks():
    entries = json.loads(run("list", "--json"))
    assert [entry["name"] for entry in entries] == [*MODELS, *CLASSICAL, "auto"]
    first = {row[0] for row in rows(run("list"))}
    assert {*MODELS, *CLASSICAL} <= first
    assert [entry["name"] for entry in json.loads(run("list", "--blocks", "--json"))] == list(
        BLOCKS
    )
    assert set(BLOCKS) <= {row[0] for row in rows(run("list", "--blocks"))}


@pytest.mark.parametrize(
    "size", ["x", "axb", "30x", "0x25x25", "-1x2x2", "1.5x2x2", "30 25 25", "9" * 20, "٣x٣x٣"]
)
def test_sizes_that_are_none(size):
    with pytest.raises(ConfigError, match="--input"):
        run("describe", "hybridsn", "--input", size)


def test_sizes_take_either_sign():
    assert run("describe", "hybridsn", "--input", "15×9×9") == run(
        "describe", "hybridsn", "--input", "15x9x9"
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("hybridns",),
        ("svm",),
        ("hybridsn", "--input", "30x25"),
        ("hybridsn", "--input", "30x7x7"),
        ("hybridsn", "--set", "window=9"),
        ("hybridsn", "--set", "dropout"),
        ("hybridsn", "--set", "dropout=[1"),
        ("hybridsn", "--set", "dropout=much"),
        ("residual_unet", "--set", "channels={1: 2}"),
        ("residual_unet", "--set", "a.b=2"),
    ],
)
def test_bad_input_raises_the_projects_errors(arguments):
    result = CliRunner().invoke(models, ["describe", *arguments])
    assert isinstance(result.exception, HsiSuiteError)
    assert not result.stdout


def test_a_bad_input_is_one_line_and_status_two(monkeypatch, capsys):
    arguments = ["hsi", "models", "describe", "hybridsn", "--input", "30x25"]
    monkeypatch.setattr(sys, "argv", arguments)
    with pytest.raises(SystemExit) as stopped:
        main()
    told = capsys.readouterr()
    assert stopped.value.code == 2 and told.out == ""
    (error,) = beyond_first(told.err)
    assert error.startswith("error: input: 30×25")
