"""Folders of batches as `hsi batch` leaves them, made without training anything."""

import csv
import io
from dataclasses import dataclass, field

import numpy as np
import yaml
from metrics_samples import part, sample_metrics

from hsi_suite.atomic import write_json, write_text
from hsi_suite.config import load_tree, merge
from hsi_suite.metrics.comparisons import compare_paired, holm
from hsi_suite.metrics.measures import measure
from hsi_suite.metrics.statistics import describe
from hsi_suite.metrics.variance import variance_shares
from hsi_suite.runs.batches.files import read_run, read_summary
from hsi_suite.runs.batches.report import gather, write_batch_report
from hsi_suite.runs.scores import baseline_scores, headline, run_scores, variant

NAMES = ("Corn", "Woods", "Wheat", "Stone-Steel-Towers", "Grass-pasture")
HOSTILE = (
    "<script>alert(1)</script>",
    "</script><img src=x onerror=alert(2)>",
    '"><img onerror="alert(3)" src=x>',
    r"\input{/etc/passwd} $x^2$ 50% a_b & #1 ~ [opt]",
    "a | b `c` **d** [link](http://example.org) www.example.org",
    "bell\x07 line\nbreak \x1b[31m right\u202eleft",
    "long " * 2000,
    "{{ 7 * 7 }}{% raise %}",
)
# A model's accuracy on a random and on a disjoint split.
ACCURACIES = {"hybridsn": (0.985, 0.71), "svm": (0.83, 0.66), "cnn1d": (0.84, 0.70)}


@dataclass
class Sample:
    """What the runs of a made batch are like; one field changed makes another case."""

    names: tuple = NAMES
    models: dict = field(default_factory=lambda: dict(ACCURACIES))
    dataset: str = "meadows"
    kinds: tuple = ("random", "disjoint")
    runs: int = 5
    epochs: int = 12
    shape: tuple = (40, 60)
    failures: dict = field(default_factory=dict)
    vary: bool = False
    host: str = "host-a"
    question: str = "How much do the scores of three models vary over 5 runs, and who is better?"


def description(values):
    return describe(values, level=0.95).to_dict()


def summed(rows):
    names = dict.fromkeys(name for row in rows for name in row)
    return {
        name: describe([row.get(name) for row in rows], ceiling=measure(name).ceiling).to_dict()
        for name in names
    }


def classification_run(sample, model, kind, seed):
    """Metrics of one run: its own luck on the split and of its own."""
    base = sample.models[model][("random", "disjoint").index(kind)]
    generator = np.random.default_rng([seed, len(model), kind == "random"])
    shared = np.random.default_rng([seed, 77]).normal(0, 0.006)
    accuracy = float(np.clip(base + shared + generator.normal(0, 0.004), 0, 1))
    metrics = sample_metrics(kind, names=sample.names, accuracy=accuracy, position=0.97)
    metrics["test"] = part(sample.names, 400, accuracy, seed=seed)
    position = 0.975 if kind == "random" else 0.41
    metrics["baselines"] = {
        "position": part(sample.names, 400, position, seed=100 + seed),
        "forest": part(sample.names, 400, base - 0.15, seed=200 + seed),
    }
    return metrics | {"model": model, "dataset": sample.dataset, "seed": seed, "synthetic": False}


def learning(seed, epochs):
    generator = np.random.default_rng([seed, 5, epochs])
    return [
        {
            "epoch": k,
            "learning_rate": 0.001,
            "train_loss": float(1.6 / k + abs(generator.normal(0, 0.05))),
            "train_accuracy": float(min(1, 0.5 + 0.5 * (1 - 1 / k) + generator.normal(0, 0.01))),
        }
        for k in range(1, epochs + 1)
    ]


def scene_map(sample, seed):
    """Stripes of classes whose borders shift from run to run."""
    lines, samples = sample.shape
    generator = np.random.default_rng(seed)
    shift = generator.integers(-2, 3, lines)
    columns = np.arange(samples)[None, :] + shift[:, None]
    labels = 2 * (columns * len(sample.names) // (samples + 5)).clip(0, len(sample.names) - 1) + 1
    labels[:2, :3] = 0
    return labels.astype(np.int64)


def make_run(folder, name, metrics, *, config, history=(), labels=None, host="host-a"):
    """A run's folder."""
    run = folder / name
    run.mkdir(parents=True)
    write_text(run / "config.yaml", yaml.safe_dump(config, sort_keys=False, allow_unicode=True))
    write_json(
        run / "environment.json",
        {"python": "3.11.2", "packages": {"torch": "2.13.0"}, "threads": 1, "code": None,
         "data": {"meadows.mat": "ab" * 32}, "identity": "0123abcd"},
    )  # fmt: skip
    cost = {"training_seconds": 3.25, "epoch_seconds": [0.5, 0.75], "host": host}
    write_json(run / "cost.json", cost)
    if history:
        buffer = io.StringIO()
        writer = csv.DictWriter(buffer, list(history[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(history)
        write_text(run / "history.csv", buffer.getvalue())
    if labels is not None:
        np.save(run / "map.npy", labels)
    write_json(run / "metrics.json", metrics)


def group(name, members, runs):
    """A group of the summary."""
    first = members[0]
    baselines = {key for metrics in members for key in metrics.get("baselines", {})}
    return {
        "name": name,
        "task": first["task"],
        "dataset": first["dataset"],
        "model": first["model"],
        "variant": variant(first),
        "synthetic": bool(first.get("synthetic", False)),
        "seeds": [metrics["seed"] for metrics in members],
        "n": len(members),
        "runs": runs,
        "test": summed([run_scores(metrics) for metrics in members]),
        "baselines": {
            key: summed([baseline_scores(metrics)[key] for metrics in members])
            for key in sorted(baselines)
        },
        "headline": headline(first),
        "leakage": {
            key: value for key, value in first["leakage"].items() if isinstance(value, int | float)
        }
        if first.get("leakage")
        else None,
    }


def compared(groups, values):
    """Every pair of groups of one data set and variant, as the summary has them."""
    pairs = [
        (a, b)
        for i, a in enumerate(groups)
        for b in groups[i + 1 :]
        if (a["dataset"], a["variant"]) == (b["dataset"], b["variant"])
    ]
    found = [
        compare_paired(values[a["name"]], values[b["name"]], counts=(500, 2000)) for a, b in pairs
    ]
    adjusted = holm([comparison.t_test.p for comparison in found])
    return [
        {
            "dataset": a["dataset"],
            "variant": a["variant"],
            "metric": a["headline"][0],
            "first": a["name"],
            "second": b["name"],
            **comparison.to_dict(),
            "holm_p": p,
            "verdict": f"{a['name']} against {b['name']}: see the numbers.",
        }
        for (a, b), comparison, p in zip(pairs, found, adjusted, strict=True)
    ]


def make_batch(folder, sample=None):
    """A batch of classifications; returns its folder."""
    sample = sample or Sample()
    groups, values = [], {}
    for kind in sample.kinds:
        for number, model in enumerate(sample.models):
            runs, members = [], []
            for seed in range(sample.runs):
                metrics = classification_run(sample, model, kind, seed)
                run = f"meadows_m{number}_{kind}_s{seed}_0123abcd"
                config = merge(
                    load_tree("classification/hybridsn"),
                    {
                        "data": {"dataset": "synthetic"},
                        "split": {"kind": kind},
                        "seeds": {"base": seed},
                    },
                )
                history = learning(seed, sample.epochs) if number != 1 else ()
                labels = scene_map(sample, 10 * seed + number)
                make_run(
                    folder,
                    run,
                    metrics,
                    config=config,
                    history=history,
                    labels=labels,
                    host=sample.host,
                )
                runs.append(run)
                members.append(metrics)
            name = f"{model} on {sample.dataset}, {kind} split"
            groups.append(group(name, members, runs))
            values[name] = [metrics["test"]["overall_accuracy"] for metrics in members]
    summary = {
        "task": "batch",
        "name": folder.name,
        "question": sample.question,
        "level": 0.95,
        "failures": sample.failures,
        "groups": groups,
        "comparisons": compared(groups, values) if sample.runs > 1 else [],
        "variance": [variance_entry(groups[0])] if sample.vary else [],
    }
    write_json(folder / "summary.json", summary)
    write_text(
        folder / "batch.yaml", yaml.safe_dump({"task": "batch", "runs": sample.runs, "jobs": 2})
    )
    return folder


def variance_entry(group):
    """Shares of variance as the summary has them."""
    generator = np.random.default_rng(3)

    def accuracies(deviation):
        return list(0.95 + generator.normal(0, deviation, 6))

    sources = {"split": 0.008, "init": 0.004, "order": 0.003, "dropout": 0.001}
    shares = variance_shares(
        {name: [accuracies(std), accuracies(std)] for name, std in sources.items()},
        accuracies(0.01),
        ceiling=1.0,
    )
    return {
        "name": group["name"],
        "dataset": group["dataset"],
        "model": group["model"],
        "variant": group["variant"],
        "metric": "overall_accuracy",
        "anchors": [0, 1],
        **shares.to_dict(),
    }


DENOISING = {"task": "denoising", "data": {"images": "train400"}}


def make_denoising_batch(folder, runs=3):
    """A batch of denoisers: no classes, no maps."""
    members, names = [], []
    for seed in range(runs):
        psnr = {"15": 32.1, "25": 29.9, "50": 26.7}
        metrics = {
            "task": "denoising", "dataset": "Train400", "model": "dncnn", "seed": seed, "epoch": 3,
            "parameters": 1234, "noise": {"kind": "gaussian", "sigma": [0.0, 55.0]},
            "train_images": 380, "validation_images": 20, "colour": "grey", "steps": 1200,
            "multiply_adds_per_pixel": 1189.0,
            "validation": {
                sigma: {"peak_signal_noise_ratio": value + 0.01 * seed,
                        "structural_similarity": 0.9 + 0.001 * seed}
                for sigma, value in psnr.items()
            },
        }  # fmt: skip
        name = f"Train400_dncnn_gaussian-0-55_s{seed}_0123abcd"
        make_run(
            folder,
            name,
            metrics,
            config=DENOISING | {"seeds": {"base": seed}},
            history=learning(seed, 3),
        )
        members.append(metrics)
        names.append(name)
    return _alone(folder, group("dncnn on Train400, gaussian 0-55 noise", members, names))


RETRIEVAL = {"task": "retrieval", "data": {"dataset": "jasper_ridge"}}


def make_retrieval_batch(folder, runs=3):
    """A batch of retrieval: mean average precision in both directions."""
    members, names = [], []
    for seed in range(runs):

        def row(value):
            return {
                way: {"mean_average_precision": value, "precision_at_10": value}
                for way in ("spectrum_to_rgb", "rgb_to_spectrum")
            }

        ways = ["spectrum_to_rgb", "rgb_to_spectrum"]
        curve = {"recall": [0.0, 1.0], "precision": [0.9, 0.4]}
        counts = {"train": 1000, "validation": 100, "test": 900}
        metrics = {
            "task": "retrieval", "dataset": "jasper_ridge", "model": "dscmr", "seed": seed,
            "pair": ["spectrum", "rgb"], "directions": ways, "encoders": ["spectral", "patch"],
            "window": 11, "loss": {"label": "distance", "discrimination": 0.001, "invariance": 0.1},
            "parameters": 4321, "embedding_size": 64, "epoch": 3, "label_share": 0.0,
            "sharpness": 1.0, "thresholds": {}, "multi_label": False, "leakage": None,
            "classes": [{"label": 1, "name": "tree", **counts}], "not_applicable": {},
            "split": {"kind": "disjoint", "guard": 11, "extra_first": 0, "extra_second": 0}
            | counts,
            "synthetic": False, "curves": dict.fromkeys(ways, curve),
            "test": row(0.83 + 0.01 * seed),
            "baselines": {"cca": row(0.63), "class_posterior": row(0.87), "chance": row(0.3)},
        }  # fmt: skip
        name = f"jasper_dscmr_s{seed}_0123abcd"
        make_run(
            folder,
            name,
            metrics,
            config=RETRIEVAL | {"seeds": {"base": seed}},
            history=learning(seed, 3),
        )
        members.append(metrics)
        names.append(name)
    return _alone(folder, group("dscmr on jasper_ridge, disjoint split", members, names))


def _alone(folder, one):
    write_json(
        folder / "summary.json",
        {"task": "batch", "name": folder.name, "question": f"How much does {one['model']} vary?",
         "level": 0.95, "failures": {}, "groups": [one], "comparisons": [], "variance": []},
    )  # fmt: skip
    return folder


def report_of(folder):
    """What a report is made of, without drawing it."""
    summary = read_summary(folder)
    runs = {name: read_run(folder, name) for entry in summary["groups"] for name in entry["runs"]}
    return gather(summary, runs, "", "")


def hostile_batch(folder):
    sample = Sample(
        names=HOSTILE,
        models={HOSTILE[0]: (0.9, 0.6), HOSTILE[3]: (0.7, 0.5)},
        dataset=HOSTILE[2],
        runs=2,
        question=HOSTILE[1],
        failures={HOSTILE[1]: HOSTILE[0], HOSTILE[4]: HOSTILE[6]},
    )
    make_batch(folder, sample)
    write_batch_report(folder)
    return folder
