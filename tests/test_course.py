"""The course: its check finds students' mistakes, its examples run, both languages say the same."""

import importlib.util
import re
import shlex
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from hsi_suite.models.building import build_model

ROOT = Path(__file__).resolve().parent.parent
COURSE = ROOT / "docs" / "course"
SOLUTION = ROOT / "tests" / "course_solution.py"
CHECK = COURSE / "check_hybridsn.py"


@pytest.fixture
def checker():
    spec = importlib.util.spec_from_file_location("check_hybridsn", CHECK)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def faulty(checker, tmp_path):
    """What the check says of the solution with parts of its text replaced."""

    def fault(*changes, language="en"):
        text = SOLUTION.read_text("utf-8")
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / "my_hybridsn.py"
        path.write_text(text)
        checker.CHINESE = language == "zh"
        with pytest.raises(checker.Fault) as caught:
            checker.check(path)
        assert "\n" not in str(caught.value)
        return str(caught.value)

    return fault


HEAD = "return self.head(self.image(volume.flatten(1, 2)))"
FUNCTIONAL = (
    "x = nn.functional.dropout(self.head[:3](self.image(volume.flatten(1, 2))), 0.4)\n"
    "        x = nn.functional.dropout(self.head[4:6](x), 0.4)\n"
    "        return self.head[7](x)"
)
MISTAKES = {
    "padding": [("8, 16, (5, 3, 3)", "8, 16, (5, 3, 3), padding=(0, 1, 1)"), "pads .* does not"],
    "same": [("(32 * (in_channels - 12), 64, 3)", "(576, 64, 3, padding=1)"), "pads"],
    "order": [("(7, 3, 3)", "(3, 3, 7)"), "layer 1 .*components first"],
    "stride": [("(7, 3, 3)", "(7, 3, 3), 2"), "stride is"],
    "channels": [("1, 8, (7", "1, 4, (7"), ("nn.Conv3d(8,", "nn.Conv3d(4,"), "number of kernels"],
    "bias": [
        ("8, (7, 3, 3)", "8, (7, 3, 3), bias=False"),
        ("nn.init.zeros_(layer.bias)", "layer.bias is None or nn.init.zeros_(layer.bias)"),
        "504 parameters; .*bias",
    ],
    "units": [("256)", "512)"), ("256,", "512,"), "number of its units"],
    "no axis": [("windows.unsqueeze(1)", "windows"), r"4 axes; it takes 5: .*unsqueeze\(1\)"],
    "no reshape": [("volume.flatten(1, 2)", "volume"), r"5 axes; it takes 4: .*flatten\(1, 2\)"],
    "no flatten": [("            nn.Flatten(),\n", ""), "flatten all but the batch"],
    "softmax": [(HEAD, f"{HEAD}.softmax(1)"), "leave softmax out"],
    "log softmax": [(HEAD, f"{HEAD}.log_softmax(1)"), "leave softmax out"],
    "relu": [("16, (5, 3, 3)),\n            nn.ReLU(),", "16, (5, 3, 3)),"), "layer 2 .*a ReLU"],
    "last relu": [("128, num_classes),", "128, num_classes), nn.ReLU(),"), "no output is negative"],
    "always dropped": [(HEAD, FUNCTIONAL), "dropout stays on"],
    "kept for dropped": [("nn.Dropout(dropout)", "nn.Dropout(1 - dropout)"), "60 % of what enters"],
    "no dropout": [("            nn.Dropout(dropout),\n", ""), " 0 % of what enters layer 6"],
    "dropped too early": [
        ("self.image(volume", "nn.functional.dropout2d(self.image(volume"),
        ("flatten(1, 2)))", "flatten(1, 2)), 0.4, self.training))"),
        "% of what enters layer 5 is dropped",
    ],
    "dropped last": [
        ("128, num_classes),", "128, num_classes), nn.Dropout(dropout),"),
        "of what leaves the last layer is dropped",
    ],
    "no return": [(HEAD, HEAD.removeprefix("return ")), "gives NoneType"],
    "step without return": [
        ("return nn.Sequential(nn.Conv2d(", "nn.Sequential(nn.Conv2d("),
        "layer 4 .*does each step end in a return",
    ],
    "batch joined": [
        ("volume.flatten(1, 2)", "volume.flatten(0, 1)"),
        "layer 4 .*compare what enters that layer with the table",
    ],
    "no module": [
        ("class HybridSN(nn.Module):", "class HybridSN:\n    modules = list"),
        ("super().__init__()", "pass"),
        ("self.start()", "pass"),
        "no nn.Module",
    ],
    "squeeze": [(HEAD, f"{HEAD}.squeeze()"), "for one window"],
    "one scene": [("64 * (window - 8) ** 2", "18496"), "window of 11"],
    "15 components": [("32 * (in_channels - 12)", "576"), "15 components"],
    "classes": [("128, num_classes", "128, 16"), "use num_classes"],
    "start": [("        self.start()\n", ""), "biases .*step 4"],
    "kaiming": [("xavier_uniform_", "kaiming_normal_"), "deviation .*step 4"],
    "detached": [("self.image(volume", "self.image(volume.detach()"), "no gradient"],
    "a layer too many": [
        ("        self.start()\n", "        self.more = nn.Linear(2, 2)\n        self.start()\n"),
        "a layer too many",
    ],
    "layer in forward": [
        ("        return self.head(", "        return nn.Linear(16, 16)(self.head("),
        ("flatten(1, 2)))", "flatten(1, 2))))"),
        r"forward\(\) makes a layer anew",
    ],
    "syntax": [("class HybridSN(nn.Module):", "class HybridSN(nn.Module)"), "does not run"],
    "arguments": [("window, dropout=0.4)", "window, sizes)"), "takes in_channels, num_classes"],
    "name": [("class HybridSN", "class Net"), "has no class HybridSN; .*--class"],
}


def test_the_check_passes_a_right_network_and_ours(checker, capsys):
    checker.check(SOLUTION)
    said = capsys.readouterr().out
    assert said.count("ok  ") == 14 and "5,122,176" in said

    def ours(in_channels, num_classes, window):
        return build_model(
            "hybridsn", in_channels=in_channels, num_classes=num_classes, window=window,
            options={}, generator=torch.Generator().manual_seed(0),
        )  # fmt: skip

    checker.load = lambda path, name: ours
    checker.check("ours")
    assert capsys.readouterr().out == said


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_line_that_helps(faulty, mistake):
    *changes, said = MISTAKES[mistake]
    assert re.search(said, faulty(*changes))


@pytest.mark.parametrize("mistake", ["padding", "no reshape", "softmax", "start"])
def test_mistakes_are_told_in_chinese_too(faulty, mistake):
    *changes, _ = MISTAKES[mistake]
    assert re.search(r"[\u4e00-\u9fff]", faulty(*changes, language="zh"))


def test_the_skeleton_says_which_step_comes_next():
    command = [sys.executable, CHECK, COURSE / "skeleton_hybridsn.py"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    assert (done.returncode, said) == (
        1, "wrong not written yet: step 1: the three 3-D convolutions\n",
    )  # fmt: skip


def test_a_file_that_is_not_there_is_said(checker, tmp_path, monkeypatch, capsys):
    missing = str(tmp_path / "none.py")
    monkeypatch.setattr(sys, "argv", ["check", missing, "--language", "zh"])
    assert checker.main() == 2
    assert capsys.readouterr().err == f"没有文件 {missing}\n"


def test_the_skeleton_has_the_parts_of_the_solution_and_none_is_solved():
    skeleton = (COURSE / "skeleton_hybridsn.py").read_text()
    solution = SOLUTION.read_text()
    parts = re.findall(r"def (\w+)\(", skeleton)
    assert parts == re.findall(r"def (\w+)\(", solution)
    assert skeleton.count("raise NotImplementedError") == len(parts) - 1
    assert "nn.Conv3d(" not in skeleton


PAGES = sorted(COURSE.glob("*.md"))
CHINESE = ROOT / "docs" / "zh" / "course"
QUICK = ("models", "config")


def blocks(page):
    """Every block of code of a page with its language, without comments."""
    found = re.findall(r"^```(\S*)\n(.*?)^```", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    assert found or page.name == "index.md"
    return [(kind, re.sub(r"\s*# .*", "", text)) for kind, text in found]


def programs(page):
    return [text for kind, text in blocks(page) if kind == "python"]


def commands(page):
    texts = [text.replace("\\\n", " ") for kind, text in blocks(page) if kind == "bash"]
    lines = [text.splitlines() for text in texts]
    return [line for each in lines for line in each]


def test_both_languages_have_the_same_pages():
    assert [page.name for page in PAGES] == sorted(page.name for page in CHINESE.glob("*.md"))
    assert len(PAGES) == 9
    assert len((ROOT / "README.zh-CN.md").read_text("utf-8").splitlines()) <= 120


def pairs():
    """Every English page that has a Chinese twin, with it."""
    yield ROOT / "README.md", ROOT / "README.zh-CN.md"
    yield ROOT / "docs" / "start.md", ROOT / "docs" / "zh" / "start.md"
    yield from ((page, CHINESE / page.name) for page in PAGES)


@pytest.mark.parametrize(("page", "twin"), list(pairs()), ids=lambda page: page.stem)
def test_both_languages_have_the_same_code(page, twin):
    assert blocks(page) == blocks(twin)
    for path in (page, twin):
        text = path.read_text("utf-8")
        assert text.count("<details>") == text.count("</details>") <= 1
        assert "@@" not in text


@pytest.mark.parametrize(("page", "twin"), list(pairs()), ids=lambda page: page.stem)
def test_both_languages_have_the_same_figures(page, twin):
    """Every number of two decimals or with thousands set apart."""

    def figures(path):
        return sorted(re.findall(r"\d+\.\d\d+|\d{1,3}(?:,\d{3})+", path.read_text("utf-8")))

    assert figures(page) == figures(twin)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_quick_commands_run(page, hsi, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_hybridsn.py").write_text(SOLUTION.read_text())
    for line in commands(page):
        words = shlex.split(line)
        if words[0] == "hsi" and words[1] in QUICK:
            status, out, err = hsi(*words[1:])
            assert status == 0, f"{line}: {err}"
            assert out


def test_a_network_of_ones_own_trains_as_the_page_says(hsi, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_hybridsn.py").write_text(SOLUTION.read_text())
    lines = commands(COURSE / "2-hybridsn.md")
    own = [line for line in lines if "synthetic_small" in line and "my_hybridsn" in line]
    (line,) = own
    status, out, err = hsi(*shlex.split(line.replace("--epochs 10", "--epochs 1"))[1:])
    assert status == 0, err
    assert "my_hybridsn.HybridSN" in out


def test_the_attention_block_of_the_page_is_ours(capsys):
    names = {"__name__": "page"}
    compare, answer = programs(COURSE / "6-attention.md")
    exec(answer, names)
    exec(compare, names)
    assert capsys.readouterr().out == "580\nTrue\n"


def test_the_check_says_of_attention_what_the_page_says(faulty):
    page = COURSE / "6-attention.md"
    _, answer = programs(page)
    said = faulty(
        ("from torch import nn\n", answer),
        ("64, 3), nn.ReLU())", "64, 3), nn.ReLU(), SE(64))"),
    )
    assert f"```text\nwrong {said}\n```" in page.read_text("utf-8")


def test_the_losses_of_the_page_are_ours(capsys):
    names = {"__name__": "page"}
    compare, trap, answer = programs(COURSE / "8-dscmr.md")
    exec(answer, names)
    exec(compare, names)
    exec(trap, names)
    assert capsys.readouterr().out == "4.233 True\n2.0777 True\n5.5894 True\n0.0\n"
    names["losses"] = SimpleNamespace(
        invariance_loss=lambda u, v: (u - v).square().sum(1).sqrt().mean()
    )
    exec(trap, names)
    assert capsys.readouterr().out == "nan\n"


def test_the_pictures_and_the_cube_of_the_page_are_made(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for text in programs(COURSE / "7-dncnn.md"):
        exec(text, {"__name__": "page"})
    assert len(list(tmp_path.glob("pictures/*.png"))) == 8
    assert np.load(tmp_path / "small.npy").max().round() == 4851


def test_the_audit_of_the_page_says_so(capsys):
    (text,) = programs(COURSE / "5-improve.md")
    exec(text, {"__name__": "page"})
    said = capsys.readouterr().out
    shown = [text for kind, text in blocks(COURSE / "5-improve.md") if kind == "text"]
    for line in shown[0].splitlines():
        assert line in said
