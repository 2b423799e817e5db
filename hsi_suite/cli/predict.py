"""`hsi predict` and `hsi evaluate`."""

from __future__ import annotations

import click

_EXAMPLES = """\b
Example:
  hsi predict runs/MY_RUN --scene cube.tif -o map.tif --probabilities
"""


@click.command(epilog=_EXAMPLES)
@click.argument("runs", metavar="RUN...", nargs=-1, required=True)
@click.option("--scene", metavar="FILE", required=True, help="The cube to classify.")
@click.option("--scene-variable", metavar="NAME", help="The cube's name inside its file.")
@click.option("--nodata", type=float, help="The value that marks missing pixels.")
@click.option("-o", "--output", metavar="OUT", required=True, help="map.tif, .hdr, .npy or .png")
@click.option("--probabilities", is_flag=True, help="Also write every class's probability.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N.")
@click.option("--threads", type=click.IntRange(1, 1024), help="CPU threads.")
def predict(
    runs: tuple[str, ...],
    scene: str,
    scene_variable: str | None,
    nodata: float | None,
    output: str,
    probabilities: bool,
    device: str,
    threads: int | None,
) -> None:
    """Classify a scene with one run, or with the mean of several.

    Several runs also write where they disagree.
    """
    from ..pipelines.prediction import predict as predict_scene
    from .progress import TerminalObserver

    prediction = predict_scene(
        runs,
        output,
        scene=scene,
        scene_variable=scene_variable,
        nodata=nodata,
        probabilities=probabilities,
        device=device,
        threads=threads,
        observer=TerminalObserver(),
    )
    for path in prediction.written:
        click.echo(path)


_EVALUATE_EXAMPLES = """\b
Examples:
  hsi evaluate runs/MY_RUN
  hsi evaluate --weights dncnn_25.pth --data set12 --sigma 15,25,50
"""


@click.command(epilog=_EVALUATE_EXAMPLES)
@click.argument("run", metavar="[RUN]", required=False)
@click.option("--dropout-at-test", is_flag=True, help="Show what leaving dropout on would do.")
@click.option("--weights", metavar="FILE|NAME", help="Score a denoiser's weights instead.")
@click.option("--data", metavar="FOLDER|SET", help="Clean images for it: a folder, set12, bsd68.")
@click.option("--sigma", metavar="LIST", help="Noise to score it at, 0 to 255: 15,25,50.")
@click.option("--device", default="auto", show_default=True, help="Of --weights.")
@click.option("--threads", type=click.IntRange(1, 1024), help="CPU threads, of --weights.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def evaluate(
    run: str | None,
    dropout_at_test: bool,
    weights: str | None,
    data: str | None,
    sigma: str | None,
    device: str,
    threads: int | None,
    as_json: bool,
) -> None:
    """Compute a run's figures again from its saved model, or score a denoiser's weights."""
    from ..errors import ConfigError
    from .output import print_denoiser_scores, print_evaluation
    from .progress import TerminalObserver

    if (run is None) == (weights is None):
        found = "neither a run nor --weights" if run is None else "a run beside --weights"
        raise ConfigError("hsi evaluate", found, "one of the two")
    if weights is not None:
        from ..pipelines.denoiser_scores import evaluate_weights

        scores = evaluate_weights(
            weights,
            data or "set12",
            sigmas=_numbers(sigma or "15,25,50"),
            device=device,
            threads=threads,
            observer=TerminalObserver(),
        )
        print_denoiser_scores(scores, as_json)
        return
    if data is not None or sigma is not None:
        raise ConfigError("--data, --sigma", "given with a run", "--weights", "a run knows its own")
    from ..pipelines.prediction import evaluate as evaluate_run

    assert run is not None
    result = evaluate_run(run, dropout_at_test=dropout_at_test, observer=TerminalObserver())
    print_evaluation(result, as_json)


def _numbers(text: str) -> list[float]:
    from ..errors import ConfigError

    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise ConfigError("--sigma", f"{text!r}", "numbers such as 15,25,50") from None
