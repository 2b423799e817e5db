"""What the pages tell a reader to give can be given: commands, options, keys, files, extras."""

import configparser
import inspect
import re
import shlex
from itertools import pairwise

import click
import pytest
from test_commands import KEYS, ROOT, check

from hsi_suite.cli import cli
from hsi_suite.config import config_names
from hsi_suite.models.registry import MODELS
from hsi_suite.models.spec import PURPOSES

PAGES = sorted(
    path
    for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("hsi_suite/**/*.md"))
    # What changed may speak of what has gone since.
    if path.name != "CHANGELOG.md" and "_build" not in path.parts
)


def commands(group=cli, words=("hsi",)):
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        if isinstance(command, click.Group):
            yield from commands(command, (*words, name))
        else:
            yield " ".join((*words, name)), command


def texts():
    """Every page, and the help of every command, by name."""
    for path in PAGES:
        yield str(path.relative_to(ROOT)), path.read_text()
    for name, command in commands():
        context = click.Context(command, info_name=name, terminal_width=80, max_content_width=80)
        yield name, command.get_help(context)


TEXTS = dict(texts())
OPTIONS = {
    name
    for _, command in commands()
    for option in command.params
    for name in (*option.opts, *option.secondary_opts)
} | {"--help", "--version", "--debug"}
# Options of networks, which may be set by their names alone.
OF_MODELS = {
    key
    for name in MODELS
    for key in inspect.signature(MODELS[name].factory).parameters
    if key not in {each for purpose in PURPOSES.values() for each in purpose.arguments}
}
# Programs that are not ours, and those beside the package, have options of their own.
OTHERS = re.compile(r"torchrun|dask |openssl|tests\.fuzz|tests\.kills|benchmarks|--gres|--lifetime")


def lines_of(text):
    """The lines of a text; one that ends in a backslash goes on."""
    return re.sub(r"\\\n\s*", "", text).splitlines()


def written_commands(text):
    """Every command of ours in a block of code or between backticks."""
    for line in lines_of(text):
        found = re.match(r"\s*(?:\.venv/bin/)?(hsi [a-z].*)", line)
        if found and not re.match(r"hsi \w+ (and|is|are|to|in)\b", found[1]):
            yield found[1].split(" # ")[0]
    for found in re.findall(r"`(hsi [a-z][^`]*)`", text.replace("\n", " ")):
        yield found


@pytest.mark.parametrize("name", TEXTS)
def test_commands_options_keys_and_configurations_exist(name):
    for line in written_commands(TEXTS[name]):
        words = shlex.split(line.replace("…", "x").replace("$TLS", ""))
        try:
            check([word for word in words if word not in {"|", "&&", ">"}])
        except AssertionError as error:
            raise AssertionError(f"{name}: {line}: {error}") from error
        for option, value in pairwise(words):
            if option == "--set" and "=" in value and "describe" not in words:
                key = value.partition("=")[0]
                short = key.partition(".")[0] in OF_MODELS
                assert key in KEYS or key.startswith("model.options.") or short, f"{name}: {line}"
            if option == "--config" and "/" in value and not value.endswith(("/…", "/...", "/x")):
                assert value in config_names(), f"{name}: {line}"


@pytest.mark.parametrize("name", TEXTS)
def test_every_option_that_is_named_is_one(name):
    for line in lines_of(TEXTS[name]):
        if OTHERS.search(line):
            continue
        for option in re.findall(r"(?<![\w-])--[a-z][a-z-]+", line):
            assert option in OPTIONS, f"{name}: {line}"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_and_extras_exist(path):
    text = path.read_text()
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", text):
        if "://" not in target:
            assert (path.parent / target).exists(), f"{path.name}: {target}"
    extras = known_extras()
    for found in re.findall(r"hsi-suite\[([a-z,]+)\]", text):
        assert set(found.split(",")) <= extras


def known_extras():
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    return set(setup["options.extras_require"])


def test_the_readme_says_how_to_install_every_extra_for_users():
    text = (ROOT / "README.md").read_text()
    assert len(text.splitlines()) <= 120  # what is longer has a page
    for extra in known_extras() - {"test", "dev", "docs"}:
        assert f"pip install 'hsi-suite[{extra}]'" in text


def test_the_formats_of_cubes_are_named_in_full():
    for text in (TEXTS["README.md"], TEXTS["hsi train"], TEXTS["hsi denoise"]):
        for form in ("ENVI", "GeoTIFF", "MATLAB", "HDF5", "NumPy"):
            assert form in text


@pytest.mark.parametrize("width", [60, 80])
def test_no_help_is_cut_or_wider_than_its_terminal(width):
    for name, command in [("hsi", cli), *groups(), *commands()]:
        context = click.Context(command, info_name=name, terminal_width=width)
        help_text = command.get_help(context)
        described = help_text.partition("Examples:")[0] if width < 80 else help_text
        assert max(map(len, described.splitlines())) <= width, name
        assert not re.search(r"[a-z]\.\.\.$", help_text, re.MULTILINE), name


def test_helps_name_values_and_head_examples():
    for name, command in [("hsi", cli), *groups(), *commands()]:
        help_text = command.get_help(click.Context(command, info_name=name, terminal_width=80))
        # What click calls a value that was given no name says nothing of it.
        assert not re.search(r"--\S+ (INTEGER|FLOAT|TEXT|PATH)\b", help_text), name
        lines = help_text.splitlines()
        examples = [at for at, line in enumerate(lines) if line.strip().startswith("hsi ")]
        if examples:
            assert "Examples:" in [line.strip() for line in lines[: examples[0]]], name


def groups(group=cli, words=("hsi",)):
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        if isinstance(command, click.Group):
            yield " ".join((*words, name)), command
