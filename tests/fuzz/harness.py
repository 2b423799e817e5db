"""Carries mutations out in forked children with bounded memory and time."""

import gc
import os
import random
import resource
import selectors
import shutil
import signal
import sys
import time
import traceback
import warnings
from collections import Counter
from contextlib import nullcontext
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from unittest import mock

from stand_in_pictures import undrawn

from .mutations import mutate

MEMORY_BYTES = 2 * 2**30
SECONDS_EACH = 20.0
_LARGEST_FILE = 2**28
_LONGEST_LINE = 4000
# A child carries so many mutations out: forking a process that holds torch takes longer than most.
_PER_CHILD = 12
_END = b"\0"
_ALLOWED = ("read", "refused")


@dataclass(frozen=True)
class Kind:
    """One kind of files and what reads them.

    Attributes:
        name: what they are.
        make: writes whole ones into a folder.
        read: reads them from the folder as a user's call would, whole.
        targets: patterns of the files that are damaged; all others stay whole.
        every: it is tried in every so manieth round, because it takes long.
        drawn: whether figures are drawn; else they are made and left empty.
        keys: whether a refusal may name a key or an option in the place of a file.
    """

    name: str
    make: object
    read: object
    targets: tuple = ("*",)
    every: int = 1
    drawn: bool = False
    keys: bool = False


@dataclass
class Outcome:
    """What became of the mutations of a kind.

    Attributes:
        counts: how often each ending was met: read, refused, traceback, message (a refusal that
            names no file, or is no clear line), noise (something was printed), crash, hang.
        faults: (ending, seed, what was seen) of those that may not be.
        seconds: all of them took.
    """

    counts: Counter = field(default_factory=Counter)
    faults: list = field(default_factory=list)
    seconds: float = 0.0


def prepare(kinds, folder, watch=nullcontext):
    """Write the whole files of kinds and see that they can be read; gives the folder of each.

    Kinds that are made alike share their files.

    Args:
        kinds: some `Kind`.
        folder: for the files.
        watch: makes the context in which whole files are read.
    """
    wholes, made = {}, {}
    for kind in kinds:
        if kind.make not in made:
            place = folder / f"whole_{len(made)}"
            place.mkdir(parents=True)
            with undrawn():
                kind.make(place)
            made[kind.make] = place
        wholes[kind.name] = made[kind.make]
    seen = set()
    for kind in kinds:
        if (kind.make, kind.read, kind.drawn) not in seen:
            seen.add((kind.make, kind.read, kind.drawn))
            with watch():
                _read_whole(kind, wholes[kind.name])
    return wholes


def _read_whole(kind, whole):
    before, copy = Path.cwd(), whole.with_name("copy")
    shutil.copytree(whole, copy)
    try:
        os.chdir(copy)
        with _drawing(kind):
            kind.read(copy)
    finally:
        os.chdir(before)
        shutil.rmtree(copy)


def rounds(kinds, first_seed):
    """Kinds and seeds without an end: every kind in turn, slow ones in some rounds only."""
    number = 0
    while True:
        for place, kind in enumerate(kinds):
            if (number + place) % kind.every == 0:
                yield kind, first_seed + number
        number += 1


def run(turns, wholes, keep=None, say=print):
    """Carry mutations out; gives the outcomes by name of kind.

    Args:
        turns: (kind, seed), as `rounds` gives them; it ends the work.
        wholes: of `prepare`.
        keep: folder in which files that ended badly are kept; None: they are not.
        say: told of each bad ending.
    """
    outcomes, turns = {name: Outcome() for name in wholes}, iter(turns)
    gc.collect()
    # What is there now stays shared with the children.
    gc.freeze()
    try:
        while some := list(islice(turns, _PER_CHILD)):
            while some:
                # To its end, which tidies up; after a crash it gives fewer.
                for (ending, text, seconds), (kind, seed) in zip(
                    attempt(some, wholes), some, strict=False
                ):
                    some = some[1:]
                    outcome = outcomes[kind.name]
                    outcome.counts[ending] += 1
                    outcome.seconds += seconds
                    if ending not in _ALLOWED:
                        outcome.faults.append((ending, seed, text))
                        say(f"{kind.name}, seed {seed}: {ending}: {text.strip()[-200:]}")
                        if keep is not None:
                            place = keep / f"{kind.name.replace(' ', '-')}_{seed}"
                            damaged(kind, wholes[kind.name], seed, place)
    finally:
        gc.unfreeze()
    return outcomes


def attempt(turns, wholes):
    """Carry some mutations out in a child of this process.

    Yields:
        The ending of each, its text, and the seconds it took; of those behind a crash or a hang
        nothing: they are another child's.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    reading_end, writing_end = os.pipe()
    work = next(iter(wholes.values())).parent / f"work_{os.getpid()}"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    child = os.fork()
    if child == 0:
        os.close(reading_end)
        try:
            _serve(turns, wholes, writing_end, work)
        finally:
            os._exit(70)
    os.close(writing_end)
    told, started = b"", time.monotonic()
    with os.fdopen(reading_end, "rb") as stream:
        replies = _replies(stream)
        for _ in turns:
            told = next(replies)
            took, started = time.monotonic() - started, time.monotonic()
            if not told:
                break
            ending, _, text = told.decode(errors="replace").partition("\n")
            yield ending, text, took
    if told is None:
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    shutil.rmtree(work, ignore_errors=True)
    if told is None:
        yield "hang", f"nothing for {SECONDS_EACH:g} seconds", took
    elif not told:
        yield "crash", f"exit status {os.waitstatus_to_exitcode(status)}", took


def damaged(kind, whole, seed, folder):
    """Write the damaged files of a seed into a new folder; gives the damaged one."""
    draw = random.Random(f"{kind.name} {seed}")
    shutil.copytree(whole, folder)
    files = sorted({f for t in kind.targets for f in folder.rglob(t) if f.is_file()})
    target = draw.choice(files)
    target.write_bytes(mutate(target.read_bytes(), target.name, draw))
    return target


def _replies(stream):
    """What a child tells, one after the other; at last None: it is silent, or empty: it is gone."""
    told = b""
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        while selector.select(SECONDS_EACH):
            piece = os.read(stream.fileno(), 65536)
            *whole, told = (told + piece).split(_END)
            yield from whole
            if not piece:
                yield b""
    yield None


def _serve(turns, wholes, pipe, work):
    """In the child: carry mutations out, tell the ending of each, and exit."""
    noise, folder = work / "noise", work / "files"
    descriptor = os.open(noise, os.O_RDWR | os.O_CREAT)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    # Whatever the parent made of them, as pytest does.
    sys.stdout, sys.stderr = (os.fdopen(number, "w", closefd=False) for number in (1, 2))
    warnings.showwarning = _show_warning
    _limit()
    # What was warned of once in the parent would be silent here.
    warnings.simplefilter("always")
    warnings.simplefilter("ignore", ResourceWarning)
    for kind, seed in turns:
        shutil.rmtree(folder, ignore_errors=True)
        damaged(kind, wholes[kind.name], seed, folder)
        os.chdir(folder)
        ending, text = _ending(kind, folder)
        if ending in _ALLOWED and noise.stat().st_size:
            ending, text = "noise", noise.read_text(errors="replace")
        os.ftruncate(descriptor, 0)
        os.lseek(descriptor, 0, os.SEEK_SET)
        told = f"{ending}\n{text[-6000:]}".replace("\0", "").encode(errors="replace") + _END
        while told:
            told = told[os.write(pipe, told) :]
    os._exit(0)


def _show_warning(message, category, file_name, line, *_):
    sys.stderr.write(warnings.formatwarning(message, category, file_name, line))


def _limit():
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_LARGEST_FILE, _LARGEST_FILE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)


def _ending(kind, folder):
    from hsi_suite.errors import HsiSuiteError

    files = [item for item in folder.rglob("*") if item.is_file()]
    names = {file.stem for file in files} | {folder.name}
    try:
        with _drawing(kind):
            kind.read(folder)
    except HsiSuiteError as error:
        line = str(error)
        clear = line.isprintable() and len(line) < _LONGEST_LINE
        named = kind.keys or any(name in line for name in names)
        return ("refused" if clear and named else "message"), line
    except BaseException:
        return "traceback", traceback.format_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return "read", ""


def _drawing(kind):
    return nullcontext() if kind.drawn else _undrawn_figures()


def _undrawn_figures():
    return mock.patch("matplotlib.figure.Figure.savefig", _undrawn)


# A picture of one pixel.
_PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010800000000"
    "3a7e9b550000000a49444154789c636000000002000148afa4710000000049454e44ae426082"
)


def _undrawn(_figure, buffer, *, format, **_options):
    buffer.write("<svg/>" if format == "svg" else _PNG)


def table(outcomes):
    """The outcomes of all kinds as text, one line each and their sum."""
    names = (*_ALLOWED, "traceback", "message", "noise", "crash", "hang")
    total = Outcome()
    for outcome in outcomes.values():
        total.counts.update(outcome.counts)
        total.seconds += outcome.seconds
    width = max(map(len, outcomes), default=0)
    lines = [" " * width + "".join(f"{name:>10}" for name in ("tried", *names, "s each"))]
    for name, outcome in [*outcomes.items(), ("all", total)]:
        tried = sum(outcome.counts.values())
        cells = [f"{tried:>10,}", *(f"{outcome.counts[name]:>10,}" for name in names)]
        lines.append(f"{name:{width}}{''.join(cells)}{outcome.seconds / max(tried, 1):>10.3f}")
    return "\n".join(lines)
