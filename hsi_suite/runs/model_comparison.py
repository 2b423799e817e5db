"""`hsi models compare`: what networks cost for one input, and what their finished runs reached."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..atomic import keeping, make_folder, write_json, write_text
from ..backbones.stages import STAGE_KEYS, StageStyle
from ..checksums import hash_file
from ..errors import ConfigError
from ..models.description import describe_model
from ..models.network_file import checksum_of, is_network_file, parts_of, shown_name
from ..registry import listed
from ..reports.complexity import complexity_figure, complexity_page, stages_figure
from ..reports.drawing import save_png, to_svg
from ..reports.html import html_page
from ..reports.languages.speaking import speaking
from .compared_networks import check_comparison, parted
from .finished_runs import finished_runs
from .folder import Run
from .scores import headline, run_scores, variant
from .tasks import task_named

_FILES = ("complexity.png", "complexity.svg", "stages.png", "stages.svg", "index.html",
          "comparison.json")  # fmt: skip


@dataclass(frozen=True)
class NetworksCompared:
    """Networks beside each other.

    Attributes:
        networks: of each its name, input, parameters, multiply_adds, memory, stages, and score
            (the mean of its runs, None without) with the number of runs.
        metric: the score; None without runs.
        notes: what has to be known beside them, in sentences.
    """

    networks: list[dict[str, Any]]
    metric: str | None
    notes: list[str]


def compare_networks(
    names: Sequence[str],
    *,
    shape: tuple[int, ...] | None = None,
    runs: str | Path | None = None,
    dataset: str | None = None,
) -> NetworksCompared:
    """Describe networks, and find what finished runs of them reached.

    Args:
        names: of networks, each perhaps with settings of its options behind, as in
            "hybridsn block=residual" or "hybridsn block={name: resnext, groups: 4}".
        shape: of one input of all; None for that of each network's usual instance.
        runs: a folder of finished runs; None for costs alone. Classifiers that have runs there,
            of images or of principal components, are described as they were trained.
        dataset: of the runs that count; None where all are of one.

    Raises:
        ConfigError: no such network or option; runs of several data sets, or of none of these
            networks.
        RunError: the folder holds no finished run.
    """
    check_comparison(names, shape, runs, dataset)
    wanted = [(name, *parted(name)) for name in names]
    found = {} if runs is None else _matching(wanted, runs, dataset)
    metric = _one_metric(found)
    networks = [
        _entry(name, model, options, shape, found.get(name, []), metric)
        for name, model, options in wanted
    ]
    return NetworksCompared(networks, metric, _notes(networks, metric))


def write_comparison(found: NetworksCompared, folder: str | Path, *, overwrite: bool) -> list[Path]:
    """Write the pictures, the page and the numbers of a comparison into a folder.

    Raises:
        OutputError: the place cannot be written.
        ExistingOutputError: one of the files is there already.
    """
    place = Path(folder)
    paths = [place / name for name in _FILES]
    with keeping(paths, overwrite=overwrite, together=True):
        make_folder(place)
        drawings = (complexity_figure(found.networks, found.metric), stages_figure(found.networks))
        for number, drawing in enumerate(drawings):
            save_png(drawing, paths[2 * number], 200)
            write_text(paths[2 * number + 1], to_svg(drawing))
        with speaking("comparison of networks"):
            page = html_page(complexity_page(found.networks, found.metric, found.notes))
        write_text(paths[4], page)
        write_json(paths[5], asdict(found))
    return paths


def _matching(
    wanted: Sequence[tuple[str, str, Mapping[str, Any]]], folder: str | Path, dataset: str | None
) -> dict[str, list[Run]]:
    """The runs of each network, all on one data set and variant."""
    finished, _ = finished_runs(folder)
    found = {
        name: [
            run for run in finished
            if _is_of(run, model) and _has(run, options)
            and dataset in (None, run.metrics["dataset"])
        ]
        for name, model, options in wanted
    }  # fmt: skip
    places = {
        ", ".join(filter(None, (run.metrics["dataset"], variant(run.metrics))))
        for runs in found.values()
        for run in runs
    }
    if not places:
        sought = listed([model for _, model, _ in wanted])
        where = f" on {dataset}" if dataset else ""
        raise ConfigError("--runs", f"{folder} has no run of these networks{where}", sought)
    if len(places) > 1:
        raise ConfigError("--runs", f"runs of {listed(places)}", "one data set and kind of split",
                          "name it with --dataset, or a folder of such runs alone")  # fmt: skip
    return found


def _is_of(run: Run, model: str) -> bool:
    """Whether a run is of this network; of a file, with the same content as the run's copy."""
    if run.metrics["model"] != shown_name(model):
        return False
    if not is_network_file(model):
        return True
    copy = run.path / parts_of(model)[0].name
    return copy.is_file() and hash_file(copy) == checksum_of(model)


def _has(run: Run, options: Mapping[str, Any]) -> bool:
    """Whether a run's options are these where they are said, and its stages those in any case."""
    own = _options(run)
    if is_network_file(run.config["model"]["name"]):
        # What it calls a block or a scale is its own.
        return all(own.get(key) == value for key, value in options.items())
    said = {key: value for key, value in options.items() if key not in STAGE_KEYS}
    alike = _style(own) == _style(options) and own.get("stages") == options.get("stages")
    return alike and all(own.get(key) == value for key, value in said.items())


def _options(run: Run) -> Mapping[str, Any]:
    found: Mapping[str, Any] = run.config["model"].get("options") or {}
    return found


def _style(options: Mapping[str, Any]) -> tuple[Any, ...]:
    style = StageStyle(**{key: options.get(key) for key in STAGE_KEYS})
    return (*style.named(), style.scale, style.norm, style.activation)


def _seen(run: Run) -> tuple[tuple[int, ...], dict[str, Any]] | None:
    """The shape of an input of a run's network and what it was built with; None where unknown."""
    images = task_named(run.metrics["task"]).seen_images(run)
    if images is None:
        return None
    channels, side = images
    return (channels, side, side), {**_options(run), "num_classes": len(run.metrics["classes"])}


def _one_metric(found: Mapping[str, Sequence[Run]]) -> str | None:
    metrics = [headline(run.metrics)[0] for runs in found.values() for run in runs]
    return metrics[0] if metrics else None


def _entry(
    name: str,
    model: str,
    options: Mapping[str, Any],
    shape: tuple[int, ...] | None,
    runs: Sequence[Run],
    metric: str | None,
) -> dict[str, Any]:
    seen = _seen(runs[0]) if runs else None
    described = describe_model(model, *(seen or (shape, options)))
    network = described.network
    scores = [run_scores(run.metrics).get(metric or "") for run in runs]
    known = [score for score in scores if score is not None]
    return {
        "name": name,
        "input": list(described.input),
        "parameters": network.parameters,
        "multiply_adds": network.multiply_adds,
        "memory": network.memory,
        "stages": [
            asdict(stage) for stage in network.stages
            if stage.memory or stage.parameters or stage.multiply_adds
        ],
        "runs": len(runs),
        "score": statistics.mean(known) if known else None,
    }  # fmt: skip


def _notes(networks: Sequence[Mapping[str, Any]], metric: str | None) -> list[str]:
    notes = []
    without = [each["name"] for each in networks if each["score"] is None]
    if metric is not None and without:
        notes.append(f"No run of {', '.join(without)} was found: no dot is drawn.")
    inputs = {tuple(each["input"]) for each in networks}
    if len(inputs) > 1:
        notes.append("The networks see inputs of different sizes: costs are those of each.")
    return notes
