"""Carries mutations out in forked children with bounded memory and time."""

import os
import random
import resource
import selectors
import shutil
import signal
import sys
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from .mutations import mutate

MEMORY_BYTES = 2 * 2**30
SECONDS_EACH = 20.0
_LARGEST_FILE = 2**28
_LONGEST_LINE = 4000
# A child serves so many, then a new one begins: what one leaves behind spoils few.
_PER_CHILD = 50


@dataclass(frozen=True)
class Kind:
    """One kind of files and what reads them.

    Attributes:
        name: what they are.
        make: writes whole ones into a folder.
        read: reads them from the folder as a user's call would, whole.
        targets: patterns of the files that are damaged; all others stay whole.
    """

    name: str
    make: object
    read: object
    targets: tuple = ("*",)


@dataclass
class Outcome:
    """What became of the mutations of a kind.

    Attributes:
        counts: how often each ending was met: read, refused, traceback, message, noise, crash,
            hang.
        faults: (ending, seed, what was seen) of those that may not be.
    """

    counts: Counter = field(default_factory=Counter)
    faults: list = field(default_factory=list)


def prepare(kind, folder):
    """Write the whole files of a kind and see that they can be read."""
    folder.mkdir(parents=True)
    kind.make(folder)
    before = Path.cwd()
    copy = folder.with_name(folder.name + "_whole")
    shutil.copytree(folder, copy)
    try:
        os.chdir(copy)
        kind.read(copy)
    finally:
        os.chdir(before)
        shutil.rmtree(copy)


def fuzz(kind, whole, seeds, keep=None):
    """Mutate the files of a kind, once for each seed.

    Args:
        kind: a `Kind`.
        whole: the folder that `prepare` wrote.
        seeds: numbers, one for each mutation.
        keep: folder in which files that ended badly are kept; None: they are not.
    """
    outcome, seeds = Outcome(), list(seeds)
    while seeds:
        done = _run_child(kind, whole, seeds[:_PER_CHILD], outcome, keep)
        seeds = seeds[done:]
    return outcome


def damaged(kind, whole, seed, folder):
    """Write the damaged files of a seed into a new folder."""
    draw = random.Random(f"{kind.name} {seed}")
    shutil.copytree(whole, folder)
    files = sorted({f for t in kind.targets for f in folder.rglob(t) if f.is_file()})
    target = draw.choice(files)
    target.write_bytes(mutate(target.read_bytes(), target.name, draw))
    return target


def _run_child(kind, whole, seeds, outcome, keep):
    """How many of the seeds are done with."""
    sys.stdout.flush()
    sys.stderr.flush()
    reading_end, writing_end = os.pipe()
    work = whole.parent / f"work_{os.getpid()}"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    child = os.fork()
    if child == 0:
        os.close(reading_end)
        try:
            _serve(kind, whole, seeds, writing_end, work)
        finally:
            os._exit(0)
    os.close(writing_end)
    done, ending = 0, None
    with os.fdopen(reading_end, "rb") as stream:
        done, hung = _listen(stream, outcome, seeds)
    if hung:
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if hung:
        ending = "hang"
    elif done < len(seeds):
        ending = "crash"
    if ending:
        signal_number = os.waitstatus_to_exitcode(status)
        outcome.counts[ending] += 1
        outcome.faults.append((ending, seeds[done], f"exit status {signal_number}"))
        done += 1
    if keep is not None:
        for _, seed, _ in outcome.faults:
            place = keep / f"{kind.name.replace(' ', '-').replace('/', '-')}_{seed}"
            if not place.exists():
                damaged(kind, whole, seed, place)
    shutil.rmtree(work, ignore_errors=True)
    return done


def _listen(stream, outcome, seeds):
    """Note what a child tells; gives how many endings came, and whether it then fell silent."""
    done, rest = 0, b""
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        while done < len(seeds):
            if not selector.select(SECONDS_EACH):
                return done, True
            piece = os.read(stream.fileno(), 65536)
            if not piece:
                break
            *lines, rest = (rest + piece).split(b"\0")
            for line in lines:
                ending, _, text = line.decode(errors="replace").partition("\n")
                outcome.counts[ending] += 1
                if ending not in ("read", "refused"):
                    outcome.faults.append((ending, seeds[done], text))
                done += 1
    return done, False


def _serve(kind, whole, seeds, pipe, work):
    """In the child: carry the mutations out and tell each ending."""
    noise = work / "noise"
    descriptor = os.open(noise, os.O_RDWR | os.O_CREAT)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_LARGEST_FILE, _LARGEST_FILE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    for seed in seeds:
        folder = work / "files"
        shutil.rmtree(folder, ignore_errors=True)
        damaged(kind, whole, seed, folder)
        os.chdir(folder)
        ending, text = _ending(kind, folder)
        if ending in ("read", "refused") and noise.stat().st_size:
            ending, text = "noise", noise.read_text(errors="replace")
        os.ftruncate(descriptor, 0)
        os.lseek(descriptor, 0, os.SEEK_SET)
        told = f"{ending}\n{text[-6000:]}".replace("\0", "")
        os.write(pipe, told.encode(errors="replace") + b"\0")


def _ending(kind, folder):
    from hsi_suite.errors import HsiSuiteError

    try:
        kind.read(folder)
    except HsiSuiteError as error:
        line = str(error)
        clear = line.isprintable() and len(line) < _LONGEST_LINE
        return ("refused" if clear else "message"), line
    except BaseException:
        return "traceback", traceback.format_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return "read", ""


def table(outcomes):
    """The outcomes of all kinds as text, one line each and their sum."""
    names = ("read", "refused", "traceback", "message", "noise", "crash", "hang")
    width = max(map(len, outcomes), default=0)
    lines = [" " * width + "".join(f"{name:>10}" for name in ("tried", *names))]
    total = Counter()
    for kind, outcome in [*outcomes.items(), ("all", Outcome(total))]:
        cells = (sum(outcome.counts.values()), *(outcome.counts[name] for name in names))
        lines.append(f"{kind:{width}}" + "".join(f"{cell:>10,}" for cell in cells))
        if outcome.counts is not total:
            total.update(outcome.counts)
    return "\n".join(lines)


def run_for(kinds, folder, seconds, first_seed, keep, say=print):
    """Go round the kinds until the time is over; gives the outcomes by kind."""
    outcomes, ready = {}, []
    for number, kind in enumerate(kinds):
        prepare(kind, folder / f"whole_{number}")
        ready.append((kind, folder / f"whole_{number}"))
        outcomes[kind.name] = Outcome()
    deadline, seed = time.monotonic() + seconds, first_seed
    while time.monotonic() < deadline:
        for kind, whole in ready:
            if time.monotonic() >= deadline:
                break
            found = fuzz(kind, whole, range(seed, seed + _PER_CHILD), keep)
            outcomes[kind.name].counts.update(found.counts)
            outcomes[kind.name].faults += found.faults
            for ending, number, text in found.faults:
                say(f"{kind.name}, seed {number}: {ending}: {text.strip().splitlines()[-1:]}")
        seed += _PER_CHILD
    return outcomes
