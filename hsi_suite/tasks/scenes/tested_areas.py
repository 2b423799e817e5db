"""Which test pixels judge the map of a prediction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ...checksums import hash_file
from ...data.readers import CubeFile
from ...engine.observer import Observer
from ...runs.folder import Run, open_run
from .class_areas import TestSample


def test_sample(
    runs: Sequence[str | Path], file: CubeFile, observer: Observer, *, as_tested: bool = True
) -> tuple[TestSample | None, tuple[str, ...]]:
    """The test pixels of a run, and what must be said of them beside this scene's map.

    Args:
        runs: folders of finished runs.
        file: the scene that is mapped.
        observer: is told where they do not judge this map.
        as_tested: whether the run classifies as it did its test pixels.
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
    sample, remarks = TestSample.of(run.metrics), []
    if not as_tested:
        remarks.append(
            "The run was tested without --test-time-averaging: the estimates suppose that it errs "
            "as often with it."
        )
    several = bool(run.metrics.get("scenes"))
    if several or not _learnt_from(run, file):
        sample = replace(sample, labelled=None)
        where = "of several scenes together" if several else "of another scene"
        remarks.append(
            f"The test pixels are {where}: adjusted areas and intervals hold only if the run "
            "errs here as it did there, which nothing here tests."
        )
    for remark in remarks:
        observer.message(f"areas: {remark[0].lower()}{remark[1:]}")
    return sample, tuple(remarks)


def _learnt_from(run: Run, file: CubeFile) -> bool:
    """Whether a scene's files are those that a run was trained on."""
    known = run.environment.get("data")
    digests = set(known.values()) if isinstance(known, dict) else set()
    # Hashed at most once each: they are about to be read anyway.
    return bool(digests) and all(hash_file(path) in digests for path in file.files)
