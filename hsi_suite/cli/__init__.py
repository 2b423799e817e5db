"""The command line: parse, call one pipeline, print; nothing else.

A user's error is one line and exit status 2; a traceback appears only with --debug. The modules
of the commands are imported when they are called, so that `hsi --help` does not import torch.
"""

from __future__ import annotations

import errno
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

try:
    import click

    from ..engine.observer import interruptible
    from ..errors import HsiSuiteError, InputFileError, Note, Stopped
    from ..printable import clipped, plain
    from .suggestions import SuggestingGroup
    from .terminal import say
except KeyboardInterrupt:
    # Ctrl-C before there was anything to stop.
    raise SystemExit(130) from None

# name: (module, attribute, line for `hsi --help`)
_COMMANDS = {
    "train": ("train", "train", "Train and evaluate classifiers, denoisers and retrievers."),
    "evaluate": ("evaluate", "evaluate", "Compute a run's scores again from its saved model."),
    "predict": ("predict", "predict", "Classify a scene with one or several trained runs."),
    "denoise": ("denoise", "denoise", "Take the noise out of photographs and cubes."),
    "retrieve": ("retrieve", "retrieve", "Search a scene or picture by spectrum, patch or pixel."),
    "detect": ("detect", "detect", "Find a target's spectrum, or anomalies, in a cube."),
    "audit": ("audit", "audit", "Say what a split gives away, and what a map is worth on it."),
    "batch": ("batch", "batch", "Carry out many runs from one file and sum them up."),
    "report": ("report", "report", "Write the report of a run or a batch again."),
    "replay": ("replay", "replay", "Carry runs out again and compare them bit by bit."),
    "compare": ("compare", "compare", "Say which runs are better, and how surely."),
    "data": ("data", "data", "List, describe, fetch and verify data sets."),
    "models": ("models", "models", "List and describe models."),
    "config": ("config", "config", "List and show configurations."),
    "doctor": ("doctor", "doctor", "Check the installation and say what this machine offers."),
}


_FORMAT = warnings.formatwarning
# A disk that is full or gone, of which a print statement hears without the name of a file.
_OUTPUT_ENDS = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG)
# Commands that find what they have done before.
_GOING_ON = {"train", "batch", "predict", "retrieve"}


class _ReaderLeftError(Exception):
    """The reader of a pipe (head, less) has left; click would end with 1, as if bits differed."""


@contextmanager
def _telling_who_left() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError as error:
        raise _ReaderLeftError from error


class _LazyGroup(SuggestingGroup):
    """A group that imports a command's module when the command is used."""

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        # --help and --version print here.
        with _telling_who_left():
            return super().parse_args(context, args)

    def invoke(self, context: click.Context) -> Any:
        with _telling_who_left():
            return super().invoke(context)

    def list_commands(self, context: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        module, attribute, _ = _COMMANDS[name]
        command = getattr(import_module(f".{module}", __package__), attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, _, line) in _COMMANDS.items()])


def _print_version(context: click.Context, parameter: click.Parameter, value: bool) -> None:
    if not value or context.resilient_parsing:
        return
    from importlib.metadata import version

    say(f"hsi_suite {version('hsi-suite')}")
    context.exit()


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_print_version,
    help="Show the version and exit.",
)
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def cli(debug: bool) -> None:
    """Hyperspectral images: classification, denoising and retrieval, with honest numbers."""
    try:
        Path.cwd()
    except FileNotFoundError:
        # Libraries would fail in words of their own, or end the process.
        where, found = "the folder that hsi was called in", "is no longer there"
        raise InputFileError(where, found, remedy="go to another one with cd") from None


def _in_one_line(error: click.ClickException) -> str:
    """What click says of a wrong option, without its lines on the usage."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "hsi"
    text = " ".join(error.format_message().split())
    said = plain(text).rstrip(".")
    ended = f"{command}: {said}{'' if said.endswith('?') else '.'}"
    file = _file_like_an_option() if isinstance(error, click.NoSuchOption) else None
    if file is not None:
        return f"{ended} The file of that name is ./{plain(file)}"
    return f"{ended} See {command} --help."


def _file_like_an_option() -> str | None:
    """The first word of the call that click takes for an option, and that names a file."""
    words = (word for word in sys.argv[1:] if word.startswith("-"))
    return next((word for word in words if Path(word).exists()), None)


def _how_to_go_on(words: list[str]) -> str:
    """What to do after an end that no pipeline has words of its own for."""
    command = next((word for word in words if not word.startswith("-")), "")
    if command == "denoise":
        return (
            "finished files are whole, and the same command makes the others (with --overwrite, "
            "where a cube lacks its page)"
        )
    if command in _GOING_ON:
        return "nothing half-written is left, and the same command goes on"
    return "nothing half-written is left; the same command begins anew"


def _carry_out() -> object:
    with interruptible() as stop:
        try:
            return cli.main(prog_name="hsi", standalone_mode=False)
        except Stopped:
            raise
        except Exception as error:
            if stop.pending:
                # Whatever a library has made of the interrupt.
                raise KeyboardInterrupt from error
            raise


def _say_in_one_line(message: Warning | str, *where: Any, **more: Any) -> str:
    """What users should know, without the place in our code."""
    if isinstance(message, Note):
        return f"note: {plain(message)}\n"
    return _FORMAT(message, *where, **more)


def _open_closed_streams() -> None:
    """Give a stream that the caller has closed (`>&-`) a place to go.

    The next file that is opened would get its number, and what a library prints would go there.
    """
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            mode = "r" if name == "stdin" else "w"
            stream = Path(os.devnull).open(mode, encoding="utf-8")  # noqa: SIM115
            setattr(sys, name, stream)


def _write_no_more() -> None:
    """Let go of standard output, of which Python would complain once more at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def main() -> None:
    """Entry point of the `hsi` command."""
    warnings.formatwarning = _say_in_one_line
    # Threads that wait must sleep: spinning ones stall a machine that others use as well. The
    # results are the same. OpenMP reads this when torch is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    debug = "--debug" in sys.argv
    if debug:
        sys.argv.remove("--debug")
    _open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        # κ and ± must not break a terminal that knows ASCII only.
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    try:
        status = _carry_out()
    except (click.exceptions.Abort, KeyboardInterrupt):
        say(f"stopped; {_how_to_go_on(sys.argv[1:])}", err=True)
        sys.exit(130)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(error.exit_code)
    except click.ClickException as error:
        say(f"error: {_in_one_line(error)}", err=True)
        sys.exit(error.exit_code)
    except _ReaderLeftError:
        _write_no_more()
        sys.exit(141)
    except Stopped as stopped:
        say(f"stopped; {plain(stopped)}", err=True)
        sys.exit(130)
    except HsiSuiteError as error:
        if debug:
            raise
        say(f"error: {error.brief()}", err=True)
        sys.exit(2)
    except OSError as error:
        # Missing rights, links in a circle, names too long: wherever a path is first touched.
        named = error.filename
        if named is None and error.errno in _OUTPUT_ENDS:
            _write_no_more()
            named = "standard output"
        if debug or named is None or error.errno is None:
            raise
        say(f"error: {clipped(named)}: {error.strerror}", err=True)
        sys.exit(2)
    sys.exit(status if isinstance(status, int) else 0)
