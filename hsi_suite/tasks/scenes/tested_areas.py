"""Which test pixels judge the map of a prediction."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ...checksums import hash_file
from ...data.readers import CubeFile
from ...engine.observer import Observer
from ...runs.folder import Run, open_run
from .class_areas import TestSample


def test_sample(
    runs: Sequence[str | Path], file: CubeFile, observer: Observer
) -> tuple[TestSample | None, tuple[str, ...]]:
    """The test pixels of a run, and what must be said of them beside this scene's map.

    Args:
        runs: folders of finished runs.
        file: the scene that is mapped.
        observer: is told where there are none.
    """
    if len(runs) > 1:
        remark = "The mean of several runs was not tested: areas are as mapped, without intervals."
        observer.message(remark)
        return None, (remark,)
    run = open_run(runs[0])
    if run.metrics.get("folds"):
        remark = (
            "The mean of the models of all folds was not tested: areas are as mapped, without "
            "intervals."
        )
        observer.message(remark)
        return None, (remark,)
    if not run.metrics.get("scenes") and _learnt_from(run, file):
        return TestSample.of(run.metrics), ()
    where = "of several scenes together" if run.metrics.get("scenes") else "of another scene"
    remark = (
        f"The test pixels are {where}: adjusted areas and intervals hold only if the run "
        "errs here as it did there, which nothing here tests."
    )
    observer.message(f"areas: {remark[0].lower()}{remark[1:]}")
    return TestSample.of(run.metrics), (remark,)


def _learnt_from(run: Run, file: CubeFile) -> bool:
    """Whether a scene's files are those that a run was trained on."""
    known = run.environment.get("data")
    digests = set(known.values()) if isinstance(known, dict) else set()
    # Hashed at most once each: they are about to be read anyway.
    return bool(digests) and all(hash_file(path) in digests for path in file.files)
