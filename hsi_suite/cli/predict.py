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
@click.option("--threads", type=click.IntRange(1), help="CPU threads.")
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


@click.command()
@click.argument("run", metavar="RUN")
@click.option("--dropout-at-test", is_flag=True, help="Show what leaving dropout on would do.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def evaluate(run: str, dropout_at_test: bool, as_json: bool) -> None:
    """Compute a run's test figures again from its saved model and split."""
    from ..pipelines.prediction import evaluate as evaluate_run
    from .output import print_evaluation
    from .progress import TerminalObserver

    result = evaluate_run(run, dropout_at_test=dropout_at_test, observer=TerminalObserver())
    print_evaluation(result, as_json)
