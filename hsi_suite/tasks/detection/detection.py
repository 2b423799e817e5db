"""`hsi detect`: a cube's score map, read by strips, with a threshold and scores against a truth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...atomic import keeping, refuse_existing
from ...data.drawn_geometry import SceneGrid
from ...data.drawn_labels import drawn_mask
from ...data.formats.drawn_features import DrawnOptions
from ...data.formats.drawn_formats import recognise_drawn
from ...data.formats.envi_writer import header_and_values
from ...data.formats.label_files import read_labels
from ...data.label_alignment import align_labels
from ...data.missing_data import band_list
from ...data.readers import CubeFile
from ...data.writers import LAYER_ENDINGS, write_layers
from ...engine.observer import Observer
from ...errors import ConfigError, InputFileError, OutputError
from ...memory import (
    BARE_PROGRAM_BYTES,
    DEFAULT_MEMORY_LIMIT,
    PLAIN_PROGRAM_BYTES,
    check_limit,
)
from ...user_files import resolved
from .detectors import Background, Detector, detector
from .targets import Target

ENDINGS = (*LAYER_ENDINGS, ".png")
# A strip as it is read, turned, in the bands that are used, in double precision (measured: 2.6).
_COPIES = 4
# Of a strip in double precision; larger ones are slower, as they leave the processor's caches.
_MOST_STRIP_BYTES = 32e6
# Of a pixel, once there are scores: these, those with data, what is ranked or written of them
# (measured: 21); the same where they are drawn, or ranked against a truth (measured: 85 and 90).
_SCORED_BYTES, _DRAWN_BYTES = 28.0, 100.0


@dataclass(frozen=True)
class Detection:
    """What a detection came to.

    Attributes:
        written: the files, the score map first.
        pixels: with data.
        threshold: scores from here on are detections; None where no false-alarm rate was asked for.
        detections: how many there are; None without a threshold.
        truth: "targets" and "background" (pixels), "auc", and where a rate was asked for
            "detection_rate" and "false_alarm_rate" at the threshold; None without a truth.
        remarks: a line each.
    """

    written: list[Path]
    pixels: int
    threshold: float | None
    detections: int | None
    truth: dict[str, float] | None
    remarks: tuple[str, ...]


def detect(
    file: CubeFile,
    output: str | Path,
    method: str,
    target: Target | None,
    *,
    false_alarm_rate: float | None = None,
    truth: str | Path | None = None,
    memory_limit: float = DEFAULT_MEMORY_LIMIT,
    overwrite: bool = False,
    observer: Observer | None = None,
) -> Detection:
    """Score every pixel of a cube, and write the map.

    Bands that do not vary or that the target was not measured in are left out. The scene is read
    by strips; its scores are held, and written, in double precision: cosines near 1, as of spectra
    on a common offset, are one number in single precision, and no ranking is left.

    Args:
        file: the scene, open.
        output: .tif, .hdr or .npy for the scores (NaN where there are no data), .png for a picture.
        method: see `detectors.detector`.
        target: what is looked for; None for anomalies.
        false_alarm_rate: share of the background that may score above the threshold; without a
            truth all pixels count as background.
        truth: a label map of the scene's size, not 0 at targets, or targets as drawn points, lines
            or polygons.
        memory_limit: bytes for the whole process.
        overwrite: whether the results may take the places of finished files.
        observer: reports progress.

    Raises:
        ConfigError: an argument is wrong, or the memory limit too low.
        InputFileError: the truth does not fit the scene.
        OutputError: a result exists or cannot be written.
    """
    observer, path = observer or Observer(), _checked(Path(output), file, truth)
    if false_alarm_rate is not None and not 0 < false_alarm_rate < 1:
        raise ConfigError("--false-alarms", f"{false_alarm_rate:g}", "between 0 and 1")
    roc = path.with_name(f"{path.stem}_roc.png")
    files = header_and_values(path)
    files += [roc] if truth is not None else []
    refuse_existing(files, overwrite=overwrite)
    targets = None if truth is None else _truth(Path(truth), file)
    draws = truth is not None or path.suffix.lower() == ".png"
    strips = _Strips(file, memory_limit, draws)
    strips.choose_bands(target)
    background = Background.of(strips.spectra, len(strips.bands))
    wanted = None if target is None else target.values[strips.bands]
    scores = strips.score(detector(method, background, wanted), observer)
    valid = np.isfinite(scores)
    known = scores[valid]
    remarks = strips.remarks(background)
    marked = None if targets is None else targets[valid]
    threshold = None
    if false_alarm_rate is not None:
        alone = known if marked is None else known[~marked]
        threshold = float(np.quantile(alone, 1 - false_alarm_rate))
    judged = None if marked is None else _judged(known, marked, threshold)
    what = method if target is None else f"{method}, {target.name}"
    written = [path] if marked is None else [path, roc]
    with keeping(files, overwrite=overwrite, together=True):
        if path.suffix.lower() == ".png":
            # Most calls draw nothing, and do without what draws.
            from .score_figures import draw_scores

            draw_scores(path, scores, what, threshold)
        else:
            write_layers(path, scores[..., None], [what], file.georeference, double=True)
        if marked is not None:
            from .score_figures import draw_roc

            draw_roc(roc, known, marked, what)
    found = None if threshold is None else int((known >= threshold).sum())
    return Detection(written, len(known), threshold, found, judged, remarks)


class _Strips:
    """The spectra of a scene, strip by strip, in the bands that are used."""

    def __init__(self, file: CubeFile, memory_limit: float, draws: bool) -> None:
        lines, samples, count = file.shape
        pixels, program = lines * samples, PLAIN_PROGRAM_BYTES if draws else BARE_PROGRAM_BYTES
        a_line = samples * count * 8.0 * _COPIES
        # Scores alone while strips are read; what is made of them comes when these are gone.
        kept = BARE_PROGRAM_BYTES + 8.0 * pixels + file.reading_bytes(1)
        afterwards = program + (_DRAWN_BYTES if draws else _SCORED_BYTES) * pixels
        check_limit(memory_limit, max(kept + a_line, afterwards), "this scene")
        most = min(_MOST_STRIP_BYTES * _COPIES, memory_limit - kept)
        self.height = max(1, int(most // a_line))
        self.file, self.bands = file, np.arange(count)

    def choose_bands(self, target: Target | None) -> None:
        """Keep bands that vary and that the target was measured in.

        Raises:
            ConfigError: the target has another number of bands.
            InputFileError: fewer than two bands are left.
        """
        count = self.file.shape[2]
        low, high = np.full(count, np.inf), np.full(count, -np.inf)
        for spectra in self.spectra():
            low = np.minimum(low, spectra.min(0, initial=np.inf))
            high = np.maximum(high, spectra.max(0, initial=-np.inf))
            del spectra
        used = high > low
        if target is not None:
            if len(target.values) != count:
                raise ConfigError(
                    "--target", f"{len(target.values)} values", f"{count}, one a band"
                )
            used &= np.isfinite(target.values)
        if used.sum() < 2:
            raise InputFileError(
                self.file.path, f"{int(used.sum())} bands that vary", "two or more"
            )
        self.bands = np.flatnonzero(used)

    def _read(self) -> Iterator[tuple[int, NDArray[np.float64], NDArray[np.bool_]]]:
        for first in range(0, self.file.shape[0], self.height):
            yield first, *self._strip(first)

    def _strip(self, first: int) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """The values of some lines, and which of their pixels hold data."""
        cube = self.file.read(first, min(first + self.height, self.file.shape[0]))
        valid = self.file.valid(cube, first)
        values = cube[..., self.bands].astype(np.float64, copy=False)
        good = np.ones(values.shape[:2], bool) if valid is None else valid.copy()
        good[~np.isfinite(values).all(2)] = False
        return values, good

    def spectra(self) -> Iterator[NDArray[np.float64]]:
        """Those with data, N × bands."""
        for _, values, good in self._read():
            yield values.reshape(-1, values.shape[2]) if good.all() else values[good]
            # Before the next are read: else two strips would be held at once.
            del values, good

    def score(self, score_of: Detector, observer: Observer) -> NDArray[np.float64]:
        """Lines × samples; NaN where there are no data."""
        scores = np.full(self.file.shape[:2], np.nan)
        observer.begin("scoring", scores.size)
        for first, values, good in self._read():
            if good.any():
                scores[first : first + len(values)][good] = score_of(values[good])
            observer.advance(good.size)
            del values, good
        observer.end()
        return scores

    def remarks(self, background: Background) -> tuple[str, ...]:
        """What a user has to know of the bands."""
        count, used = self.file.shape[2], set(map(int, self.bands))
        numbers = [self.file.band_numbers[band] for band in range(count) if band not in used]
        notes = []
        if numbers:
            notes.append(
                f"{len(numbers)} of {count} bands left out ({band_list(numbers)}): they do not "
                "vary, or the target was not measured in them"
            )
        if background.ridge:
            notes.append(
                "the bands depend on each other: a millionth of their mean variance was added"
            )
        return tuple(notes)


def _truth(path: Path, file: CubeFile) -> NDArray[np.bool_]:
    size = (file.shape[0], file.shape[1])
    if recognise_drawn(path) is not None:
        return drawn_mask([path], SceneGrid(size, file.georeference), DrawnOptions())
    given, place = read_labels(path), file.georeference
    labels = align_labels(path, given, place, size, warp=None, remedy="crop it").labels
    mask: NDArray[np.bool_] = labels != 0
    return mask


def _judged(
    scores: NDArray[np.float64], marked: NDArray[np.bool_], threshold: float | None
) -> dict[str, float]:
    """The area under the ROC, and both rates at the threshold."""
    # Half a second to load.
    from sklearn.metrics import roc_auc_score

    if marked.all() or not marked.any():
        raise ConfigError("--truth", "targets everywhere or nowhere", "targets and background")
    found = {
        "targets": int(marked.sum()),
        "background": int((~marked).sum()),
        "auc": float(roc_auc_score(marked, scores)),
    }
    if threshold is not None:
        found["detection_rate"] = float((scores[marked] >= threshold).mean())
        found["false_alarm_rate"] = float((scores[~marked] >= threshold).mean())
    return found


def _checked(path: Path, file: CubeFile, truth: str | Path | None) -> Path:
    if path.suffix.lower() not in ENDINGS:
        raise OutputError(path, f"the ending {path.suffix!r}", f"one of {', '.join(ENDINGS)}")
    written = {resolved(each) for each in header_and_values(path)}
    if {resolved(each) for each in file.files} & written:
        raise OutputError(path, "would replace the scene", "another name: no input is overwritten")
    if truth is not None and resolved(Path(truth)) in written:
        raise OutputError(path, "would replace the truth", "another name: no input is overwritten")
    return path
