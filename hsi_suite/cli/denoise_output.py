"""What `hsi denoise` prints of results."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from .terminal import say

if TYPE_CHECKING:
    from ..api.progress import TerminalObserver
    from ..errors import HsiSuiteError
    from ..tasks.denoising.cubes.cube_file_denoising import DenoisedFile
    from ..tasks.denoising.photographs.denoised_image import DenoisedImage

_Result = TypeVar("_Result")
_MPSNR = "mean_peak_signal_noise_ratio"


def as_finished(
    observer: TerminalObserver, show: Callable[[_Result], None]
) -> Callable[[_Result], None]:
    """Print each result when it is there: a call that is stopped has said what it did."""

    def told(result: _Result) -> None:
        with observer.aside():
            show(result)

    return told


def report_refused(refused: dict[Path, HsiSuiteError], done: int) -> None:
    """A line for each input that was not denoised, and the exit status that says so.

    Results that are there already are no failure of a call that did something: given again after
    a stop, it goes on.
    """
    from ..errors import ExistingOutputError, InputFileError

    if len(refused) == 1 and not done:
        raise next(iter(refused.values()))
    kept = [error for error in refused.values() if isinstance(error, ExistingOutputError)]
    failed = [error for error in refused.values() if error not in kept]
    for error in failed:
        say(f"error: {error}", err=True)
    if kept:
        named = (
            f"from {kept[0].subject} to {kept[-1].subject}" if len(kept) > 1 else kept[0].subject
        )
        say(
            f"kept: {len(kept)} results that exist already, {named}; --overwrite writes them anew",
            err=True,
        )
    if failed or (kept and not done):
        missing = failed or kept
        raise InputFileError(
            "hsi denoise", f"{len(missing)} of {done + len(refused)} files were not denoised"
        )


def print_cube(file: DenoisedFile) -> None:
    """What became of a cube: files, noise, damage and scores."""
    for path in file.written:
        say(path)
    sigma = file.sigma_per_band[file.damage.live_bands]
    say(
        f"  {file.planes_text()}; σ {sigma.min():.4g} to {sigma.max():.4g} in the cube's units, "
        f"{file.seconds:.1f} s"
    )
    for what, value in (*file.damage_rows(), *file.unexplained_rows()):
        if value != "none":
            say(f"  {what}: {value}")
    if hint := file.hint():
        say(f"  {hint}")
    for name, scores in file.scores.items():
        say(f"  {name:8} {_cube_scores(scores)}")
    if file.scores:
        peak = file.scores["noisy"]["peak"]
        say(f"  MPSNR with the whole clean cube's largest value, {peak:.6g}, as peak")
        _warn_if_worse(file.scores["noisy"], file.scores["denoised"], _MPSNR)


def _warn_if_worse(
    before: Mapping[str, float | None], after: Mapping[str, float | None], name: str
) -> None:
    first, second = before.get(name), after.get(name)
    if first is not None and second is not None and second < first:
        say(
            "  warning: farther from the reference than the noisy one: its noise is far below what "
            "was taken out, or no noise of this kind; say it with --sigma",
            err=True,
        )


def _cube_scores(scores: dict[str, float | None]) -> str:
    from ..metrics.measures import measure

    names = (_MPSNR, "mean_structural_similarity", "spectral_angle")
    return ", ".join(
        f"{kind.short or kind.title} {kind.with_unit(scores[kind.name])}"
        for kind in map(measure, names)
        if scores[kind.name] is not None
    )


def print_image(image: DenoisedImage) -> None:
    """What became of a photograph: its file, noise and scores."""
    from ..metrics.measures import measure

    line = str(image.target)
    if image.noise_text:
        line += f"  {image.noise_text}"
    if image.pages > 1:
        line += f", {image.pages} pages"
    say(line)
    if image.choice:
        say(f"  {image.choice}")
    if image.white.remark:
        say(f"  {image.white.remark}")
    if image.before is not None and image.after is not None:
        ratio, similarity = measure("peak_signal_noise_ratio"), measure("structural_similarity")
        for name, scores in (("noisy", image.before), ("denoised", image.after)):
            say(
                f"  {name:8} {ratio.with_unit(scores[ratio.name]):>9}, "
                f"{similarity.title} {similarity.text(scores[similarity.name])}"
            )
        _warn_if_worse(image.before, image.after, ratio.name)
    if image.comparison is not None:
        say(f"  {image.comparison}")
