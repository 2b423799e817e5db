"""One gallery embedded strip by strip into files that grow as it goes."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ...atomic import place_folder, write_json
from ...checksums import hash_file
from ...data.scene import Scene
from ...data.strip_items import StripItems, picture_levels, sampled_pixels
from ...engine.allocation import release_free_blocks
from ...engine.observer import Observer
from ...errors import HsiSuiteError, InputFileError, OutputError, Stopped
from ...runs.folder import MODEL
from ...user_files import resolved
from ..shared.unfinished_output import UnfinishedOutput
from .gallery import Gallery
from .gallery_index import (
    EMBEDDINGS,
    LABELS,
    PICTURE,
    POSITIONS,
    SPECTRA,
    tidy_index,
)
from .gallery_pictures import coloured
from .growing_arrays import GrowingArray
from .index_header import FORMAT, IndexHeader
from .index_memory import CHUNK
from .retriever import Retriever
from .search_request import INDEX
from .sides import SIDES, Side

# Fewer bands than these are a picture, whose values say nothing beside its colours.
_LEAST_SPECTRUM = 8


@dataclass
class _Progress:
    """How far an index is."""

    lines: int = 0
    items: int = 0
    missing: int = 0


@dataclass(frozen=True)
class GalleryIndexing:
    """A gallery that is turned into an index.

    Attributes:
        run: folder of the run.
        retriever: the run's.
        side: how the gallery is seen.
        gallery: what is indexed.
        step: every so manieth line and sample is an item.
        height: lines in a strip.
        observer: counts each line.
        unverified: files of the run's and the gallery's data that nobody vouches for.
    """

    run: Path
    retriever: Retriever
    side: Side
    gallery: Gallery
    step: int
    height: int
    observer: Observer
    unverified: tuple[str, ...] = ()

    def identity(self, device: torch.device, threads: int, variable: str | None) -> dict[str, Any]:
        """What the index is made of and how, in JSON's types."""
        identity = {
            "model": hash_file(self.run / MODEL),
            "side": self.side,
            "gallery": self.gallery.identity,
            "variable": variable,
            "step": self.step,
            "lines in a strip": self.height,
            "device": str(device),
            "threads": threads,
            "versions": [version("hsi-suite"), torch.__version__],
        }
        return dict(json.loads(json.dumps(identity)))

    def carry_out(
        self,
        unfinished: UnfinishedOutput,
        output: Path,
        identity: dict[str, Any],
        *,
        overwrite: bool,
    ) -> None:
        """Index what is not done yet and give the folder its place.

        Args:
            unfinished: the output's folder; it is renamed at the end.
            output: where it goes.
            identity: see `identity`.
            overwrite: whether it may take the place of another index.

        Raises:
            HsiSuiteError: the gallery cannot be indexed, or a file not be written.
            Stopped: Ctrl-C; what is done is kept.
        """
        saved = unfinished.progress(self.observer)
        try:
            progress = _Progress() if saved is None else _Progress(**saved)
            arrays = self._arrays(unfinished.folder)
            if saved is None:
                for array in arrays.values():
                    array.start()
            self._embed(unfinished, arrays, progress)
            if not progress.items:
                raise InputFileError(self.gallery.name, "no pixel with data", "at least one")
            self._finish(unfinished, arrays, progress, identity)
            place_folder(unfinished.folder, output, replace=overwrite)
            tidy_index(output)
        except KeyboardInterrupt:
            raise Stopped(
                f"what is done is kept in {unfinished.folder}, and the same command goes on"
            ) from None
        except OSError as error:
            raise OutputError(output, f"cannot be written ({error.strerror})") from error
        except HsiSuiteError as error:
            if not isinstance(error, OutputError):
                unfinished.remove()
            raise

    def _arrays(self, folder: Path) -> dict[str, GrowingArray]:
        _, samples, bands = self.gallery.shape
        arrays = {
            EMBEDDINGS: GrowingArray(folder / EMBEDDINGS, (self.retriever.embedding_size,), "<f4"),
            POSITIONS: GrowingArray(folder / POSITIONS, (2,), "<i4"),
            PICTURE: GrowingArray(folder / PICTURE, (samples, 3), "|u1"),
        }
        if self.gallery.class_names:
            arrays[LABELS] = GrowingArray(folder / LABELS, (), "<u2")
        if bands >= _LEAST_SPECTRUM:
            dtype = self.gallery.read(0, 1).cube.dtype.newbyteorder("<")
            arrays[SPECTRA] = GrowingArray(folder / SPECTRA, (bands,), dtype.str)
        return arrays

    def _embed(
        self, unfinished: UnfinishedOutput, arrays: dict[str, GrowingArray], progress: _Progress
    ) -> None:
        lines = self.gallery.shape[0]
        items = StripItems(self.retriever.modality(self.side), self.gallery)
        levels = picture_levels(sampled_pixels(self.gallery, self._shown))
        if progress.lines:
            self.observer.message(f"going on after {progress.lines:,} of {lines:,} lines")
        self.observer.begin("indexing", lines, progress.lines)
        for first in range(progress.lines, lines, self.height):
            last = min(first + self.height, lines)
            rows, missing = self._strip(items, levels, first, last)
            arrays[PICTURE].write(first, rows.pop(PICTURE))
            for name, values in rows.items():
                arrays[name].write(progress.items, values)
            progress.lines, progress.missing = last, progress.missing + missing
            progress.items += len(rows[POSITIONS])
            unfinished.save(asdict(progress))
            self.observer.advance(last - first)
            release_free_blocks()
        self.observer.end()
        if progress.missing:
            self.observer.message(
                f"{self.gallery.name}: {progress.missing:,} pixels hold no data and are left out"
            )

    def _strip(
        self,
        items: StripItems,
        levels: tuple[NDArray[np.float64], NDArray[np.float64]],
        first: int,
        last: int,
    ) -> tuple[dict[str, NDArray[Any]], int]:
        """What is added to each array, and how many pixels of the grid hold no data."""
        strip = items.strip(first, last)
        scene, good = strip.scene, strip.good[strip.inner]
        grid = np.zeros(good.shape, bool)
        grid[-first % self.step :: self.step, :: self.step] = True
        lines, samples = np.nonzero(grid & good)
        parts = [np.empty((0, self.retriever.embedding_size), np.float32)]
        for start in range(0, len(lines), CHUNK):
            some = slice(start, start + CHUNK)
            parts.append(self.retriever.embed(strip.items(lines[some], samples[some]), self.side))
        embeddings = np.concatenate(parts)
        picture = coloured(self._shown(scene)[strip.inner], levels, good)
        rows: dict[str, NDArray[Any]] = {
            EMBEDDINGS: embeddings,
            POSITIONS: np.stack([lines + first, samples], 1),
            PICTURE: picture,
        }
        if self.gallery.class_names and scene.labels is not None:
            rows[LABELS] = scene.labels[strip.inner][lines, samples]
        if self.gallery.shape[2] >= _LEAST_SPECTRUM:
            rows[SPECTRA] = scene.cube[strip.inner][lines, samples]
        return rows, int((grid & ~good).sum())

    def _shown(self, scene: Scene) -> NDArray[Any]:
        values: NDArray[Any] = scene.cube[..., list(self.gallery.shown)]
        return values

    def _finish(
        self,
        unfinished: UnfinishedOutput,
        arrays: dict[str, GrowingArray],
        progress: _Progress,
        identity: dict[str, Any],
    ) -> None:
        """Make the arrays' headers true and write what the index is, last."""
        lines, samples, bands = self.gallery.shape
        for name, array in arrays.items():
            array.finish(lines if name == PICTURE else progress.items)
        place, centres = self.gallery.georeference, self.gallery.wavelengths
        modality = self.retriever.modality(self.side)
        header = IndexHeader(
            run=str(resolved(self.run)),
            model=identity["model"],
            side=self.side,
            modality=self.retriever.header.names[SIDES.index(self.side)],
            window=modality.window,
            name=self.gallery.name,
            provenance={**self.gallery.provenance, "files": self.gallery.checksums()},
            lines=lines,
            samples=samples,
            bands=bands,
            step=self.step,
            items=progress.items,
            missing=progress.missing,
            dimensions=self.retriever.embedding_size,
            wavelengths=None if centres is None else centres.tolist(),
            georeference=None if place is None else asdict(place),
            class_names=list(self.gallery.class_names),
            synthetic=self.gallery.synthetic or self.retriever.header.synthetic,
            identity=identity,
            versions={"hsi-suite": version("hsi-suite"), "torch": torch.__version__},
            unverified=list(self.unverified),
        )
        write_json(unfinished.folder / INDEX, {"format": FORMAT, **asdict(header)})
