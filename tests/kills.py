"""Kill `hsi` at random moments, give the same command again, and compare with an unbroken one.

    python -m tests.kills --kills 40 --seed 0

Commands run in forked processes, so that nothing is imported twice. After a kill and its
continuation every result must have the bits of an unbroken run's, and no other file may be there,
neither beside the results nor in the place of temporary files.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

# As a script it must find the other test modules, and the package where it is installed.
_TESTS = Path(__file__).resolve().parent
if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.path[:] = [str(_TESTS), *(p for p in sys.path if p and Path(p).resolve() != _TESTS.parent)]

import numpy as np  # noqa: E402
from PIL import Image  # noqa: E402
from query_samples import sample_scene, write_cube  # noqa: E402
from scenes_samples import SMALL, small_cube  # noqa: E402
from task_samples import TASKS, textured, training  # noqa: E402

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
# What tells of time and place, and pages that quote it.
_NOT_COMPARED = {
    "cost.json",
    "environment.json",
    "log.txt",
    "cost.csv",
    "report.html",
    "stdout.txt",
    "finished.json",
}
# So that strips are small and there are several.
_STRIP_PIXELS = 300
_LONGEST = 600.0
# Python's own start is not ours: before it a signal ends a process without a word.
_EARLIEST = 0.02
# Of a kill that came when all was done.
_TRIES = 5


@dataclass
class Job:
    """A command that is killed.

    Attributes:
        name: of its kind.
        words: the command, given the folder of results.
        answer: whether what it prints is its result.
        protects: whether it refuses to replace a finished result without --overwrite.
        files: SHA-256 of an unbroken run's results by name.
        seconds: that the unbroken run took.
    """

    name: str
    words: Callable[[Path], list[object]]
    answer: bool = False
    protects: bool = False
    files: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0


@dataclass(frozen=True)
class Kill:
    """What one kill led to.

    Attributes:
        job: name of the job.
        number: the signal.
        moment: seconds after the start.
        status: exit status of what was killed; negative for a signal.
        problems: what is wrong; empty where all is well.
    """

    job: str
    number: signal.Signals
    moment: float
    status: int
    problems: tuple[str, ...]


def run(words: list[object], out: Path, kill: tuple[signal.Signals, float] | None = None) -> int:
    """Run `hsi` in a forked process; the exit status, negative for a signal.

    Args:
        words: what comes after `hsi`.
        out: folder of the results; what is printed goes to stdout.txt in it.
        kill: signal and moment, in seconds after the command's beginning.
    """
    place = out.with_name(out.name + "_tmp")
    for folder in (out, place):
        folder.mkdir(exist_ok=True)
    begun, begin = os.pipe()
    child = os.fork()
    if child == 0:
        _become(words, out, place, begin)
    os.close(begin)
    os.read(begun, 1)
    os.close(begun)
    started = time.monotonic()
    status = None
    while status is None:
        done, ending = os.waitpid(child, os.WNOHANG)
        passed = time.monotonic() - started
        if done:
            status = os.waitstatus_to_exitcode(ending)
        elif kill is not None and passed >= kill[1]:
            os.kill(child, kill[0])
            kill = None
        elif passed > _LONGEST:
            os.kill(child, signal.SIGKILL)
        else:
            time.sleep(0.002)
    return status


def _become(words: list[object], out: Path, place: Path, begin: int) -> None:
    """Turn this process into the command; never returns."""
    code = 1
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        os.environ["TMPDIR"] = tempfile.tempdir = str(place)
        descriptor = os.open(out / "stdout.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        for stream in (1, 2):
            os.dup2(descriptor, stream)
        sys.stdout, sys.stderr = (os.fdopen(os.dup(n), "w", buffering=1) for n in (1, 2))
        _small_strips()
        sys.argv = ["hsi", *map(str, words)]
        from hsi_suite.cli import main

        os.write(begin, b".")
        main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException as error:  # what the command lets through is a finding
        os.write(2, f"Traceback: {error!r}\n".encode())
    finally:
        os._exit(code)


def _small_strips() -> None:
    from hsi_suite.tasks.retrieval import index_memory
    from hsi_suite.tasks.scenes import prediction

    index_memory._MOST_PIXELS = _STRIP_PIXELS
    prediction.strip_lines = lambda *arguments: 5


def made(out: Path) -> dict[str, str]:
    """Checksums of what is in a folder by name; empty ones for what is not compared."""
    return {
        str(path.relative_to(out)): ""
        if path.name in _NOT_COMPARED
        else hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(out.rglob("*"))
        if path.is_file()
    }


def jobs(folder: Path) -> list[Job]:
    """All kinds of jobs, with the results of an unbroken run of each; data go into `folder`."""
    data = folder / "data"
    data.mkdir()
    all_jobs = [*(_training(task, data) for task in TASKS), training_over_scenes(data)]
    all_jobs.append(_choosing(data))
    for job in all_jobs:
        _reference(job, folder)
    runs = {task: _only_folder(folder / f"train {task}") for task in TASKS}
    more = _jobs_with_runs(runs, data)
    for job in more:
        _reference(job, folder)
    return all_jobs + more


def _only_folder(folder: Path) -> Path:
    [found] = [path for path in folder.iterdir() if path.is_dir()]
    return found


def _training(task: str, data: Path) -> Job:
    # Saved often, so that kills meet checkpoints being written.
    words = training(task, data, "train.checkpoint_seconds=0.2", epochs=4)
    return Job(f"train {task}", lambda out: [*words, "--output", out])


def training_over_scenes(data: Path) -> Job:
    """A training over two scenes with long epochs, so that most kills meet one half-way."""
    words: list[object] = ["train"]
    cube, labels = small_cube(lines=60, samples=112)
    for name, half in (("west", np.s_[:, :56]), ("east", np.s_[:, 56:])):
        np.save(data / f"{name}.npy", cube[half])
        np.save(data / f"{name}_labels.npy", labels[half])
        words += ["--scene", data / f"{name}.npy", "--labels", data / f"{name}_labels.npy"]
    # By windows: a dense epoch is few steps.
    chosen = [*SMALL, "train.epochs=3", "train.strategy=patch", "train.checkpoint_seconds=0.2"]
    words += ["--test-scene", "east", *(word for each in chosen for word in ("--set", each))]
    return Job("train several scenes", lambda out: [*words, "--output", out])


def _choosing(data: Path) -> Job:
    """A training that chooses its model first."""
    cube, labels = small_cube(lines=60, samples=56)
    np.save(data / "chosen.npy", cube)
    np.save(data / "chosen_labels.npy", labels)
    words: list[object] = ["train", "--scene", data / "chosen.npy", "--model", "auto"]
    words += ["--labels", data / "chosen_labels.npy", "--threads", 1, "--set", "split.guard=2"]
    words += ["--set", "auto.candidates=[lda, forest, wide_svm model.window=5]"]
    return Job("train auto", lambda out: [*words, "--output", out])


def _jobs_with_runs(runs: dict[str, Path], data: Path) -> list[Job]:
    scene, photographs, cube = data / "large.npy", data / "photographs", data / "noisy.npy"
    np.save(scene, np.tile(small_cube()[0], (4, 4, 1)))
    photographs.mkdir()
    for number in range(6):
        Image.fromarray(textured((120, 130), number)).save(photographs / f"{number}.png")
    bands = [textured((60, 70), number % 3) + 0.3 * number for number in range(12)]
    np.save(cube, np.stack(bands, 2).astype(np.float32))
    gallery = data / "gallery.hdr"
    write_cube(gallery, sample_scene(lines=120))
    weights = ["--weights", runs["denoising"], "--sigma", "10"]
    members = ["task: batch", "configs: [member.yaml]", "seeds: [0, 1]"]
    (data / "batch.yaml").write_text("\n".join(members))
    shutil.copy(runs["classification"] / "config.yaml", data / "member.yaml")
    classifier, retriever = runs["classification"], runs["retrieval"]
    return [
        Job("predict", lambda out: ["predict", classifier, "--scene", scene, "-o", out / "m.tif",
                                    "--probabilities"], protects=True),
        Job("predict products", lambda out: [
            "predict", classifier, "--scene", scene, "-o", out / "m.tif", "--areas", "--cog",
            "--vector", out / "else" / "m.gpkg", "--majority", "3", "--min-area", "3px",
        ], protects=True),
        Job("denoise photographs", lambda out: ["denoise", photographs, "-o", out / "clean",
                                                *weights, "--overwrite"]),
        Job("denoise cube", lambda out: ["denoise", cube, "-o", out / "clean.hdr",
                                         "--weights", runs["denoising"], "--overwrite"]),
        Job("index", lambda out: ["retrieve", "index", retriever, "--scene", gallery,
                                  "-o", out / "index"]),
        Job("replay", lambda out: ["replay", runs["denoising"]], answer=True),
        Job("batch", lambda out: ["batch", data / "batch.yaml", "--jobs", "1", "--output", out]),
    ]  # fmt: skip


def _reference(job: Job, folder: Path) -> None:
    out = folder / job.name
    started = time.monotonic()
    status = run(job.words(out), out)
    job.seconds = time.monotonic() - started
    if status != 0:
        raise SystemExit(f"{job.name}: status {status}\n{(out / 'stdout.txt').read_text()}")
    job.files = made(out)


def kill(job: Job, number: signal.Signals, moment: float, folder: Path) -> Kill:
    """Kill a job once, let the same command go on, and say what is wrong afterwards."""
    out = folder / f"{job.name} killed"
    # A run's folder is written into its configuration nowhere, so results may lie elsewhere.
    status = run(job.words(out), out, (number, moment))
    problems = _after_the_signal(job, number, status, out)
    replacing = ["--overwrite"] if job.protects and status == 0 else []
    again = run([*job.words(out), *replacing], out)
    said = (out / "stdout.txt").read_text()
    if again != 0:
        problems.append(f"the same command ended with {again}: {said[-300:]}")
    found = made(out)
    problems += [f"left over: {name}" for name in sorted(found.keys() - job.files.keys())]
    problems += [f"missing: {name}" for name in sorted(job.files.keys() - found.keys())]
    problems += [
        f"other bits: {name}"
        for name in sorted(found.keys() & job.files.keys())
        if found[name] != job.files[name]
    ]
    place = out.with_name(out.name + "_tmp")
    # Torch keeps an empty folder of its own there.
    left = [path.name for path in place.iterdir() if not path.name.startswith("torchinductor_")]
    problems += [f"left over: temporary {name}" for name in left]
    if job.answer and "identical" not in said:
        problems.append(f"another answer: {said[-200:]}")
    for path in (out, place):
        shutil.rmtree(path)
    return Kill(job.name, number, moment, status, tuple(problems))


def _after_the_signal(job: Job, number: signal.Signals, status: int, out: Path) -> list[str]:
    said = (out / "stdout.txt").read_text() if (out / "stdout.txt").exists() else ""
    traceback = said.find("Traceback")
    problems = [f"a traceback: {said[traceback - 200 :][:2000]}"] if traceback >= 0 else []
    expected = {0, -number} if number == signal.SIGKILL else {0, 130}
    if status not in expected:
        problems.append(f"ended with {status}: {said[-300:]}")
    if status == 130 and "stopped; " not in said:
        problems.append("does not say how to go on")
    if number != signal.SIGKILL and job.name != "batch":
        # Whoever could clean up has done so.
        places = (out, out.with_name(out.name + "_tmp"))
        marked = [path.name for place in places for path in place.rglob("*hsi-tmp-*")]
        problems += [f"left over at once: {name}" for name in marked]
    return problems


def carry_out(folder: Path, kills: int, seed: int, wanted: list[Job] | None = None) -> list[Kill]:
    """So many kills, the jobs and signals in turn, the moments at random."""
    chosen = wanted or jobs(folder)
    chance = random.Random(seed)
    results = []
    for turn in range(kills):
        job = chosen[turn % len(chosen)]
        number = SIGNALS[(turn % len(chosen) + turn // len(chosen)) % len(SIGNALS)]
        for _ in range(_TRIES):
            result = kill(job, number, _EARLIEST + chance.uniform(0, job.seconds), folder)
            if result.status != 0 or result.problems:
                break
            # It had ended before: the machine is faster now than when the job was timed.
            job.seconds = min(job.seconds, result.moment)
        results.append(result)
        words = "; ".join(result.problems) or "equal bits, nothing left over"
        print(
            f"{turn + 1:3} {job.name:28} {number.name:7} at {result.moment:6.2f} of "
            f"{job.seconds:6.2f} s, status {result.status:4}: {words}",
            flush=True,
        )
    return results


def main() -> int:
    """Parse, kill, print a table; 1 where something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    _import_everything()
    with tempfile.TemporaryDirectory(prefix="kills-") as folder:
        results = carry_out(Path(folder), given.kills, given.seed)
    names = dict.fromkeys(result.job for result in results)
    print(f"\n{'job':28} kills  interrupted  equal")
    for name in names:
        own = [result for result in results if result.job == name]
        cut = sum(result.status != 0 for result in own)
        print(f"{name:28} {len(own):5} {cut:12} {sum(not r.problems for r in own):6}")
    wrong = sum(bool(result.problems) for result in results)
    print(f"{len(results)} kills, {wrong} with problems")
    return int(wrong > 0)


def _import_everything() -> None:
    """Before the forks, so that each command begins at once."""
    # What is imported where it is first used takes longer than the small jobs themselves.
    import skimage.metrics
    import torch._dynamo
    import torch.utils.flop_counter

    import hsi_suite.cli.batch
    import hsi_suite.cli.denoise
    import hsi_suite.cli.replay
    import hsi_suite.cli.retrieve
    import hsi_suite.pipelines.reproducibility
    import hsi_suite.runs.launch
    import hsi_suite.runs.replay
    import hsi_suite.tasks.denoising.photographs.image_denoising
    import hsi_suite.tasks.retrieval.index
    import hsi_suite.tasks.scenes.prediction

    assert skimage.metrics and torch.utils.flop_counter and torch._dynamo
    assert hsi_suite.cli.batch and hsi_suite.runs.replay


if __name__ == "__main__":
    sys.exit(main())
