"""Galleries made searchable by finished retrieval runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from ...atomic import refuse_existing
from ...data.formats.drawn_features import DrawnOptions
from ...engine.devices import computing, resolve_device
from ...engine.observer import Observer
from ...errors import InputFileError, OutputError
from ...memory import DEFAULT_MEMORY_LIMIT
from ...runs.finished_runs import report_unverified
from ...runs.folder import MODEL, open_run, require_finished
from ...runs.machine import available_threads
from ...runs.tasks import require_task
from ..shared.unfinished_output import unfinished_output
from .definition import RETRIEVAL
from .gallery import open_gallery
from .gallery_domain import warn_if_unlike
from .gallery_index import GalleryIndex, open_index, tidy_index
from .gallery_indexing import GalleryIndexing
from .index_header import read_header
from .index_memory import strip_lines
from .retriever import Retriever, load_retriever
from .sides import SIDES, Side


def index_gallery(
    run: str | Path,
    output: str | Path,
    *,
    overwrite: bool = False,
    scene: str | None = None,
    dataset: str | None = None,
    labels: str | None = None,
    scene_variable: str | None = None,
    axes: str | None = None,
    shape: Sequence[int] | None = None,
    nodata: float | None = None,
    unlabelled: float | None = None,
    warp_labels: bool = False,
    drawing: DrawnOptions | None = None,
    resample: bool = False,
    side: str = "second",
    step: int = 1,
    memory_limit: float = DEFAULT_MEMORY_LIMIT,
    device: str = "auto",
    threads: int | None = None,
    observer: Observer | None = None,
) -> GalleryIndex:
    """Make every pixel of a gallery searchable with a finished retrieval run.

    A call that was cut off leaves `<output>.partial`; the same call goes on from there.

    Args:
        run: folder of the run.
        output: folder to make.
        overwrite: whether it may take the place of another index.
        scene: file of the gallery: a cube, or a picture (PNG, JPEG, TIFF) without spectra.
        dataset: registered scene instead of a file.
        labels: label map of the file's scene, shown beside matches.
        scene_variable: the cube's variable, where the file holds several arrays.
        axes: order of its axes where the file does not say, see `data.readers.open_cube`.
        shape: lines and samples of a matrix of spectra.
        nodata: the value that marks missing pixels.
        unlabelled: the value of unlabelled pixels in the label map; None: 0.
        warp_labels: bring labels on another grid to the scene's, nearest neighbour.
        drawing: how drawn labels are read.
        resample: make the bands that the run learnt of those of another sensor.
        side: first, second or the name of a modality of the run: how the gallery is seen.
        step: only every so manieth line and sample becomes an item.
        memory_limit: bytes for the whole process; on CUDA without what the driver takes.
        device: auto, cpu, cuda or cuda:N.
        threads: CPU threads; None takes the processors this process may use.
        observer: reports progress.

    Raises:
        RunError: the run is unfinished or of another task.
        InputFileError: the gallery cannot be read as this modality, or holds no data.
        ShapeError: the gallery has other bands.
        ConfigError: the memory limit is too low, or an option makes no sense.
        OutputError: the output exists already or cannot be written.
        Stopped: Ctrl-C; the same call goes on.
    """
    observer, threads = observer or Observer(), threads or available_threads()
    where = resolve_device(device)
    output = Path(output)
    with computing(where, threads, deterministic=True):
        retriever = finished_retriever(run, where)
        seen: Side = "first" if side == "first" else "second"
        if side not in SIDES:
            seen = retriever.side(side)
        with open_gallery(
            retriever.modality(seen),
            scene=scene,
            dataset=dataset,
            labels=labels,
            variable=scene_variable,
            axes=axes,
            shape=shape,
            nodata=nodata,
            unlabelled=unlabelled,
            warp_labels=warp_labels,
            drawing=drawing,
            resample=resample,
            observer=observer,
        ) as gallery:
            height = strip_lines(gallery, retriever, seen, step, memory_limit)
            unverified = (*report_unverified([run], observer), *gallery.unverified)
            job = GalleryIndexing(
                Path(run), retriever, seen, gallery, step, height, observer, unverified
            )
            identity = job.identity(where, threads, scene_variable)
            identity |= {"resample": True} if resample else {}
            if _finished(output, identity, overwrite):
                observer.message(f"{output} is finished already; nothing to do")
                return open_index(output)
            warn_if_unlike(gallery, retriever.modality(seen), observer)
            with unfinished_output(output, identity) as unfinished:
                # Another process may have finished since.
                if not _finished(output, identity, overwrite):
                    job.carry_out(unfinished, output, identity, overwrite=overwrite)
    return open_index(output)


def finished_retriever(run: str | Path, device: torch.device) -> Retriever:
    """The retriever of a finished run.

    Raises:
        RunError: the run is unfinished, damaged or of another task.
    """
    opened = open_run(run)
    require_task(opened, RETRIEVAL)
    require_finished(opened)
    return load_retriever(opened.path / MODEL, device)


def _finished(output: Path, identity: dict[str, Any], overwrite: bool) -> bool:
    """Whether the same call has made the index before.

    Raises:
        OutputError: something else is there.
    """
    if not output.exists() or (output.is_dir() and not any(output.iterdir())):
        return False
    try:
        if read_header(output).identity == identity:
            # A kill may have come between the folder's renaming and this.
            tidy_index(output)
            return True
    except InputFileError:
        raise OutputError(output, "exists already and is no index", "a new name") from None
    refuse_existing([output], overwrite=overwrite)
    return False
