"""The tutorials are true: every command runs, in its order, and every picture comes from one."""

import re
from pathlib import Path

import pytest
from inline_jobs import use_inline_jobs
from page_commands import blocks, command_lines, expanded, picture_bytes, pictures, run_page

DOCS = Path(__file__).resolve().parent.parent / "docs"
TUTORIALS = sorted((DOCS / "tutorials").glob("*.md"))
# What a command gets beside its own words, so that it takes seconds; by its start.
SMALLER = {
    "hsi train --dataset synthetic --epochs 10": "--epochs 1 --set split.train=0.1",
    "hsi train --scene farm.hdr": "--set split.train=0.1",
    "hsi train --config retrieval/synthetic_spectrum_rgb": "--epochs 1",
    "hsi batch duel.yaml": "--runs 2",
}


@pytest.mark.slow
@pytest.mark.parametrize("page", TUTORIALS, ids=lambda page: page.stem)
def test_every_command_runs_and_leaves_the_pictures(page, tmp_path, monkeypatch):
    # As for a reader with nothing but the package.
    monkeypatch.delenv("HSI_DATA_DIR", raising=False)
    use_inline_jobs(monkeypatch)
    run_page(page, tmp_path, SMALLER)
    for target, source in pictures(page):
        start = {".png": b"\x89PNG", ".svg": b"<?xml"}[target.suffix]
        assert picture_bytes(tmp_path, source).startswith(start), source


@pytest.mark.parametrize("page", TUTORIALS, ids=lambda page: page.stem)
def test_every_picture_is_there_is_small_and_comes_from_a_command(page):
    shown = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", page.read_text())
    assert len(shown) == len(list(pictures(page))) >= 1
    for target, _ in pictures(page):
        assert 0 < target.stat().st_size < 350_000, target.name


def test_what_is_made_smaller_is_a_command_of_a_page():
    text = "\n".join(page.read_text() for page in TUTORIALS)
    assert [start for start in SMALLER if f"\n{start}" not in text] == []


def test_nothing_that_looks_like_a_command_is_left_out():
    """A block without a language would show commands that no test carries out."""
    for page in TUTORIALS:
        carried_out = sum(
            len(list(command_lines(code)))
            for kind, code in blocks(page.read_text())
            if kind == "bash"
        )
        assert carried_out == len(re.findall(r"^hsi [a-z]", page.read_text(), re.MULTILINE)) > 2


def test_a_page_that_is_wrong_fails(tmp_path):
    page = tmp_path / "page.md"
    for code in ("hsi train --dataset nowhere", "hsi no-such-command", "rm -r important"):
        page.write_text(f"```bash\n{code}\n```\n")
        with pytest.raises((Exception, SystemExit)):
            run_page(page, tmp_path)


def test_commands_are_read_as_a_shell_does(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run_a1").touch()
    code = "hsi a --set 'x=1 2' \\\n  --b run_*  # why\n\n# nothing\n"
    (words,) = command_lines(code)
    assert expanded(words) == ["hsi", "a", "--set", "x=1 2", "--b", "run_a1"]
    (tmp_path / "run_a2").touch()
    with pytest.raises(AssertionError, match="run_a2"):
        expanded(words)
