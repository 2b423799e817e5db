"""`hsi evaluate`."""

from __future__ import annotations

from typing import Any

import click

from .terminal import announce, names_of
from .values import NUMBER, device_option, parse_bytes

_EXAMPLES = """\b
Examples:
  hsi evaluate runs/MY_RUN
  hsi evaluate runs/indian-pines_hybridsn_disjoint_s*
  hsi evaluate --weights dncnn_25.pth --data set12 --sigma 15,25,50
  hsi evaluate --weights camera_denoiser --pairs PolyU_cameras/
  hsi evaluate --weights dncnn3.pth --data classic5 --jpeg 10,20,30,40
"""
# Clean images where none are named.
_IMAGES = "set12"


def _numbers(
    context: click.Context, parameter: click.Parameter, value: str | None
) -> list[float] | None:
    """A callback: finite numbers with commas between them."""
    if value is None:
        return None
    return [NUMBER.convert(part, parameter, context) for part in value.split(",")]


def _refuse_beside(pairs: str | None, iso: list[float] | None, others: dict[str, Any]) -> None:
    """Photographs are scored in a call of their own; only simulated ones take clean images."""
    from ..errors import ConfigError

    if pairs is not None and iso is not None:
        raise ConfigError("--iso", "given with --pairs", "one of the two")
    for option, value in others.items():
        if value is not None and (option != "--data" or pairs is not None):
            named = "--iso" if pairs is None else "--pairs"
            raise ConfigError(option, f"given with {named}", "a call of its own")


def _require_weights(
    weights: str,
    pairs: str | None,
    iso: list[float] | None,
    sigma: list[float] | None,
    others: dict[str, Any],
) -> None:
    """Refuse weights or images that are not there, and options that mean nothing together."""
    from ..data.photograph_pairs import pairs_in
    from ..errors import ConfigError
    from ..tasks.denoising.score_levels import (
        check_factors,
        check_images,
        check_isos,
        check_qualities,
        check_sigmas,
    )
    from ..tasks.denoising.weight_files import find_weights

    photographs = pairs is not None or iso is not None
    if photographs:
        _refuse_beside(pairs, iso, others)
    if sigma is not None and (others["--jpeg"] or others["--upsample"]) and not photographs:
        raise ConfigError("--sigma", "given with --jpeg or --upsample", "a call of its own")
    check_sigmas(sigma or [])
    check_qualities(others["--jpeg"] or [])
    check_factors(others["--upsample"] or [])
    if iso is not None:
        check_isos(iso)
    find_weights(weights)
    if pairs is not None:
        pairs_in(pairs)
    else:
        check_images(others["--data"] or _IMAGES)


def _require_runs(runs: tuple[str, ...], others: dict[str, Any], *, dropout_at_test: bool) -> None:
    """Refuse what is no finished run, and options of weights."""
    from ..errors import ConfigError
    from ..runs.evaluation import check_runs

    for option, value in others.items():
        if value is not None:
            raise ConfigError(option, "given with a run", "--weights", "a run knows its own")
    if dropout_at_test and len(runs) > 1:
        raise ConfigError("--dropout-at-test", f"given with {len(runs)} runs", "one run")
    check_runs(runs, dropout_at_test=dropout_at_test)


def _told(
    runs: tuple[str, ...],
    weights: str | None,
    pairs: str | None,
    data: str | None,
    device: str | None,
) -> str:
    """What is scored, on what and where."""
    if weights is not None:
        return f"{weights} on {pairs or data or _IMAGES}, device {device or 'auto'}"
    return f"{names_of(runs, 'runs together')}, device {device or 'as it was trained on'}"


@click.command(epilog=_EXAMPLES)
@click.argument("runs", metavar="[RUN...]", nargs=-1)
@click.option("--dropout-at-test", is_flag=True, help="Show what leaving dropout on would do.")
@click.option("--weights", metavar="FILE|NAME", help="Score a denoiser's weights instead.")
@click.option(
    "--data",
    metavar="FOLDER|SET|CONFIG",
    help="Clean images for it: a folder; set12, bsd68; or denoising/default_denoiser, the "
    "validation images of that training.",
)
@click.option(
    "--sigma",
    callback=_numbers,
    metavar="LIST",
    help="Noise to score it at, 0 to 255.  [default: 15,25,50]",
)
@click.option(
    "--jpeg",
    callback=_numbers,
    metavar="LIST",
    help="Score it on JPEGs of these qualities, 1 to 100, instead.",
)
@click.option(
    "--upsample",
    callback=_numbers,
    metavar="LIST",
    help="Score it on images made smaller by these factors, 2 to 8, and larger again.",
)
@click.option(
    "--pairs",
    metavar="FOLDER",
    help="Score it on noisy photographs with clean ones beside them: NAME_real and NAME_mean, "
    "NAME_noisy and NAME_clean, or folders noisy and clean. A name alone is looked "
    "for below HSI_DATA_DIR, too.",
)
@click.option(
    "--align",
    is_flag=True,
    help="Score --pairs a second time, each clean one moved and levelled to its noisy one.",
)
@click.option(
    "--iso",
    callback=_numbers,
    metavar="LIST",
    help="Score it on photographs that a simulated camera takes of --data at these sensitivities.",
)
@device_option("auto, cpu, cuda or cuda:N.  [default: a run's own; auto for --weights]")
@click.option(
    "--threads", type=click.IntRange(1, 1024), metavar="N", help="CPU threads, of --weights."
)
@click.option(
    "--memory-limit",
    callback=parse_bytes,
    metavar="SIZE",
    help="Most memory for runs on a scene of your own, as `hsi train` keeps it.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the scores as JSON.")
def evaluate(
    runs: tuple[str, ...],
    dropout_at_test: bool,
    weights: str | None,
    data: str | None,
    sigma: list[float] | None,
    jpeg: list[float] | None,
    upsample: list[float] | None,
    pairs: str | None,
    align: bool,
    iso: list[float] | None,
    device: str | None,
    threads: int | None,
    memory_limit: float | None,
    as_json: bool,
) -> None:
    """Compute a run's scores again from its saved model, or score a denoiser's weights.

    Several runs on one scene, or on the same images, are scored together, by the mean of their
    probabilities, on what all of them tested: none has learnt from it.
    """
    from ..errors import ConfigError

    if bool(runs) == (weights is not None):
        found = "a run beside --weights" if runs else "neither a run nor --weights"
        raise ConfigError("hsi evaluate", found, "one of the two")
    if memory_limit is not None and not runs:
        raise ConfigError("--memory-limit", "given with --weights", "a run")
    if align and (weights is None or pairs is None):
        missing = "--weights" if weights is None else "--pairs"
        raise ConfigError("--align", f"given without {missing}", "--weights and --pairs beside it")
    given: dict[str, Any] = {"--data": data, "--jpeg": jpeg, "--upsample": upsample}
    if weights is not None:
        if dropout_at_test:
            raise ConfigError("--dropout-at-test", "given with --weights", "a run")
        _require_weights(weights, pairs, iso, sigma, given)
    else:
        given |= {"--sigma": sigma, "--pairs": pairs, "--iso": iso, "--threads": threads}
        _require_runs(runs, given, dropout_at_test=dropout_at_test)
    announce("evaluate", _told(runs, weights, pairs, data, device))
    # What computes takes seconds to load.
    from ..api.progress import TerminalObserver
    from ..engine.allocation import keep_large_blocks
    from .output import print_denoiser_scores, print_evaluation, print_together

    keep_large_blocks()
    if weights is not None:
        chosen: dict[str, Any] = {
            "device": device or "auto",
            "threads": threads,
            "observer": TerminalObserver(),
        }
        if pairs is not None or iso is not None:
            from ..tasks.denoising.pair_scores import evaluate_photographs

            if sigma is not None:
                chosen["sigmas"] = sigma
            scores = evaluate_photographs(
                weights, pairs, data or _IMAGES, iso, aligned=align, **chosen
            )
        elif jpeg is not None or upsample is not None:
            from ..tasks.denoising.artefact_scores import evaluate_artefacts

            chosen |= {"qualities": jpeg or [], "factors": upsample or []}
            scores = evaluate_artefacts(weights, data or _IMAGES, **chosen)
        else:
            from ..tasks.denoising.scores import evaluate_weights

            sigmas = sigma or [15.0, 25.0, 50.0]
            scores = evaluate_weights(weights, data or _IMAGES, sigmas=sigmas, **chosen)
        print_denoiser_scores(scores, as_json)
        return
    if len(runs) > 1:
        from ..runs.evaluation import evaluate_together

        together = evaluate_together(
            runs, memory_limit=memory_limit, device=device, observer=TerminalObserver()
        )
        print_together(together, as_json)
        return
    from ..runs.evaluation import evaluate as evaluate_run

    result = evaluate_run(
        runs[0],
        dropout_at_test=dropout_at_test,
        memory_limit=memory_limit,
        device=device,
        observer=TerminalObserver(),
    )
    print_evaluation(result, as_json)
