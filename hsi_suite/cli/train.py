"""`hsi train`."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .terminal import announce
from .values import (
    Word,
    array_options,
    band_options,
    device_option,
    drawn_label_options,
    language_option,
    parse_bytes,
    require_language,
    unlabelled_option,
    warp_labels_option,
)

if TYPE_CHECKING:
    from ..engine.distributed import Team
    from ..engine.observer import Observer
    from ..runs.batches.files import Batch
    from ..runs.folder import Run
    from ..runs.task import Config

_TYPED = click.core.ParameterSource.COMMANDLINE
_EXAMPLES = """\b
Examples:
  hsi train --dataset synthetic
  hsi train --dataset indian_pines --split disjoint --baselines svm,forest
  hsi train --dataset indian_pines --model svm --split spatial_folds
  hsi train --scene cube.hdr --labels gt.mat --model auto
  hsi train --scene cube.hdr --labels gt.mat --set model.window=15
  hsi train --scene prisma.hdr --labels gt.tif --drop-water
  hsi train --scene large.hdr --labels gt.npy --memory-limit 4G
  hsi train --scene a.tif --labels a.gpkg --scene b.tif --labels b.gpkg \\
    --test-scene b
  hsi train --dataset cifar10 --model mobilenet_v2
  hsi train --config image_classification/folder --set data.folder=classes/
  hsi train --config denoising/default_denoiser
  torchrun --standalone --nproc_per_node 2 -m hsi_suite.cli train \\
    --dataset salinas
"""


@click.command(epilog=_EXAMPLES)
@click.option("--dataset", metavar="NAME", help="A registered data set; see `hsi data list`.")
@click.option(
    "--scene",
    multiple=True,
    metavar="FILE|FOLDER|TABLE",
    help="A cube of your own: ENVI, GeoTIFF, MATLAB, HDF5, NumPy. Again for several; or a folder "
    "of them, or a table: scene,labels[,name,role].",
)
@click.option(
    "--labels",
    multiple=True,
    metavar="FILE[,FILE]",
    help="Its label map, in these formats or PNG, or drawn labels (GeoPackage, GeoJSON, "
    "Shapefile, KML, FlatGeobuf, CSV of x,y,class, ENVI ROI); of several the labels are joined. "
    "Again for each further --scene.",
)
@array_options
@band_options
@click.option("--labels-variable", metavar="NAME", help="The label map's name inside its file.")
@click.option("--class-names", metavar="FILE", help="A text file with one class name per line.")
@unlabelled_option
@warp_labels_option
@drawn_label_options
@click.option(
    "--model",
    metavar="NAME|FILE.py:CLASS",
    help="A model of `hsi models list`, or a network of your own; auto tries those of "
    "auto.candidates on spatial folds of the training pixels and takes one of the best.",
)
@click.option("--config", metavar="NAME|FILE", help="A configuration.")
@click.option(
    "--set",
    "settings",
    metavar="KEY=VALUE",
    multiple=True,
    help="Change one key; an option of the model also by its name alone, as block=residual.",
)
@click.option(
    "--split",
    type=Word(["random", "disjoint", "polygons", "spatial_folds", "scenes", "file"]),
    metavar="KIND",
    help="random (pixels), disjoint (two sides with a guard), polygons (whole ones), spatial_folds "
    "(cross-validation), scenes (whole ones) or file.",
)
@click.option(
    "--test-scene",
    "test_scenes",
    multiple=True,
    metavar="NAME",
    help="Of several scenes one that is held out for the test; again for more.",
)
@click.option(
    "--validation-scene",
    "validation_scenes",
    multiple=True,
    metavar="NAME",
    help="Of several scenes one that selects the epoch; again for more.",
)
@click.option(
    "--resample",
    is_flag=True,
    default=None,
    help="Make the bands of the first training scene out of those of the others.",
)
@click.option(
    "--split-file",
    metavar="FILE|TRAIN,TEST",
    help="A fixed split: masks, label maps or lists of pixels, in one file or one for each part.",
)
@click.option(
    "--epochs", type=click.IntRange(1), metavar="N", help="Passes over the training part."
)
@click.option(
    "--seed", type=click.IntRange(0), metavar="N", help="Seed of everything drawn at random."
)
@click.option(
    "--runs", type=click.IntRange(1), metavar="N", help="Train with N seeds, from --seed on."
)
@click.option(
    "--baselines",
    metavar="LIST",
    help="svm,forest,cnn1d,lda,gaussian,spectral_angle: on the same split.",
)
@device_option()
@click.option(
    "--threads",
    type=click.IntRange(1, 1024),
    metavar="N",
    help="CPU threads; part of a run's identity.",
)
@click.option(
    "--allow-unverified",
    is_flag=True,
    default=None,
    help="Use data whose checksum is wrong or unknown; every product says so.",
)
@click.option(
    "--memory-limit",
    callback=parse_bytes,
    metavar="SIZE",
    help="Most memory the process may take on a scene, such as 800M or 4G: larger cubes are read "
    "by lines, and what cannot be done within it is refused. Estimated, not enforced. Without it "
    "2G decides what is read by lines, and training steps may take more.",
)
@click.option(
    "--output",
    metavar="FOLDER",
    default="runs",
    show_default=True,
    help="Where run folders are made.",
)
@click.option(
    "--resume", metavar="RUN", help="Continue an interrupted run; perhaps with another --device."
)
@language_option
@click.option("--json", "as_json", is_flag=True, help="Print the metrics as JSON.")
def train(
    resume: str | None,
    runs: int | None,
    baselines: str | None,
    memory_limit: float | None,
    as_json: bool,
    output: str,
    **given: Any,
) -> None:
    """Train a classifier of scenes or images, a denoiser or a retriever; evaluate it, report.

    The same command again shows a finished run and goes on with an interrupted one.
    """
    from ..atomic import refuse_file_above
    from ..engine.launched import launched_processes
    from .output import print_batch, print_run

    with _joined() as team:
        first = team is None or team.first
        if resume is not None:
            _refuse_further_options()
            run = _resumed(resume, memory_limit, given["device"], first)
        else:
            config = _configured(baselines, given)
            refuse_file_above(Path(output))
            if runs is not None:
                _refuse_beside_runs(launched_processes(), memory_limit)
                print_batch(_repeated(config, runs, output), as_json)
                return
            require_language(config.task)
            run = _started(config, output, memory_limit, first)
    if first:
        print_run(run, as_json)


def _joined() -> AbstractContextManager[Team | None]:
    """The processes that torchrun has started, which report an error once; None for one alone.

    One alone need not load torch before it says anything.
    """
    from ..engine.launched import launched_processes

    if launched_processes() == 1:
        return nullcontext()
    from ..engine.distributed import together

    return together()


def _configured(baselines: str | None, given: dict[str, Any]) -> Config:
    """The configuration that the options describe, its files looked for."""
    from ..engine.device_names import require_device
    from ..models.known_names import require_model, require_purpose
    from ..models.known_options import require_options
    from ..runs import launch
    from ..runs.announcement import require_files
    from ..runs.precisions import require_precisions
    from ..schemas.choosing import AUTO

    if given["model"] is not None:
        require_model("--model", given["model"], [AUTO])

    given |= {key: _one_or_several(given[key]) for key in ("scene", "labels")}
    given |= {key: list(given[key]) or None for key in ("test_scenes", "validation_scenes")}
    if baselines is not None:
        given["baselines"] = [name.strip() for name in baselines.split(",") if name.strip()]
    config = launch.configure(**given)
    require_model("model.name", config.model.name, [AUTO])
    require_files(config)
    require_purpose(config.model.name, config.task)
    require_options(config.model.name, config.model.options)
    require_device(config.device)
    require_precisions(config)
    return config


# What follows says first what it is about to do: what it then imports takes seconds.


def _started(config: Config, output: str, memory_limit: float | None, first: bool) -> Run:
    from ..runs import launch
    from ..runs.announcement import announcement

    if first:
        announce("train", announcement(config, output))
    return launch.start(config, output, _observer(), memory_limit)


def _resumed(folder: str, memory_limit: float | None, device: str | None, first: bool) -> Run:
    from ..runs import launch
    from ..runs.folder import open_run

    path = open_run(folder).path
    if first:
        announce("train", f"going on with {path}")
    return launch.resume(path, _observer(), memory_limit, device)


def _repeated(config: Config, runs: int, output: str) -> Batch:
    from ..runs.announcement import announcement

    announce("train", announcement(config, output, runs))
    from ..api.batch_progress import TerminalJobObserver
    from ..pipelines.reproducibility import repeat

    return repeat(config, runs, output, TerminalJobObserver())


def _observer() -> Observer:
    from ..api.progress import TerminalObserver
    from ..engine.allocation import keep_large_blocks

    keep_large_blocks()
    return TerminalObserver()


def _refuse_beside_runs(processes: int, memory_limit: float | None) -> None:
    from ..errors import ConfigError

    if processes > 1:
        raise ConfigError("--runs", f"{processes} processes", "one, without torchrun")
    if memory_limit is not None:
        raise ConfigError("--memory-limit", "given with --runs", "one run")


def _one_or_several(values: tuple[str, ...]) -> str | list[str] | None:
    if len(values) < 2:
        return values[0] if values else None
    return list(values)


def _refuse_further_options() -> None:
    from ..errors import ConfigError

    context = click.get_current_context()
    named = {n for n in context.params if context.get_parameter_source(n) == _TYPED}
    if named - {"resume", "as_json", "memory_limit", "device"}:
        raise ConfigError(
            "--resume", "further options beside it", "none: a run keeps its configuration"
        )
