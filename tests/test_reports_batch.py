"""The report of a batch: what it says, that it is safe, whole, small and the same each time."""

import base64
import hashlib
import json
import re

import numpy as np
import pytest
from batch_samples import (
    Sample,
    group,
    hostile_batch,
    make_batch,
    make_denoising_batch,
    make_retrieval_batch,
)
from test_reports_html import Page

from hsi_suite.atomic import write_json
from hsi_suite.runs.batches.report import write_batch_report

SAME_FILES = ("report.html", "report.md", "table.tex")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "smoke_0123abcd"
    sample = Sample(vary=True, failures={"svm on meadows, seed 9": "the process was killed"})
    make_batch(path, sample)
    write_batch_report(path)
    return path


@pytest.fixture(scope="module")
def source(folder):
    return (folder / "report.html").read_text("utf-8")


def text_of(source):
    return " ".join("".join(Page(source).text).split())


def test_the_page_holds_everything_in_the_order_of_reading(source):
    text = text_of(source)
    order = [
        "who is better?",
        "hybridsn leads in both settings; the lead over every other model is significant in 1 of",
        "At a glance",
        "Results",
        "Is one better than the other?",
        "Leakage audit",
        "Where the spread comes from",
        "Classes",
        "Learning curves",
        "Maps of the runs together",
        "Confusions",
        "the process was killed",
        "cost.csv",
        "Environment",
        "hsi batch smoke_0123abcd/batch.yaml",
    ]
    places = [text.index(words) for words in order]
    assert places == sorted(places)


def test_the_verdict_gives_means_intervals_and_what_position_alone_scores(folder):
    summary = json.loads((folder / "summary.json").read_text())
    entry = summary["groups"][0]["test"]["overall_accuracy"]
    text = text_of((folder / "report.html").read_text())
    low, high = entry["interval"]["low"], entry["interval"]["high"]
    assert f"95 % interval {100 * low:.2f} … {100 * high:.2f}, 5 runs" in text
    assert f"{100 * entry['mean']:.2f} ± {100 * entry['std']:.2f}" in text
    position = summary["groups"][0]["baselines"]["position"]["overall_accuracy"]["mean"]
    assert f"Position alone, without spectra: {100 * position:.2f} %." in text
    assert "This random split measures mostly memory." in text
    assert "99.96" in text
    assert "The runs cannot tell whether it is also better than cnn1d" in text


def test_published_figures_stand_beside_those_of_the_same_protocol(tmp_path):
    sample = Sample(models={"hybridsn": (0.99, 0.7)}, dataset="indian_pines", runs=2)
    make_batch(tmp_path / "b", sample)
    write_batch_report(tmp_path / "b")
    text = text_of((tmp_path / "b" / "report.html").read_text())
    assert "indian_pines, random split: published scores" in text
    assert "99.75 ± 0.10" in text
    assert "Roy et al." in text
    assert "indian_pines, disjoint split: no published scores" in text


def test_the_page_runs_one_hashed_script_and_loads_nothing(source):
    page = Page(source)
    assert page.open == []
    policy = next(a["content"] for a in page.of("meta") if "http-equiv" in a)
    scripts = re.findall(r"<script>(.*?)</script>", source, re.DOTALL)
    styles = re.findall(r"<style>(.*?)</style>", source, re.DOTALL)
    assert len(scripts) == len(page.of("script")) == 1
    for text in (*scripts, *styles):
        assert base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() in policy
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert not {"iframe", "link", "object", "form", "a"} & {tag for tag, _ in page.tags}
    for _, attributes in page.tags:
        assert not any(name.startswith("on") or name == "style" for name in attributes)
    images = [a["src"] for a in page.of("img")] + [a["srcset"] for a in page.of("source")]
    assert images
    assert all(uri.startswith("data:image/") for uri in images)


def test_every_figure_has_its_table_and_all_can_be_read_by_machines(source):
    page = Page(source)
    assert page.of("html")[0]["lang"] == "en"
    assert all(attributes["alt"] for attributes in page.of("img"))
    assert all(attributes.get("scope") in ("row", "col") for attributes in page.of("th"))
    assert len(page.of("table")) == len(page.of("caption"))
    figures = re.findall(r"<figure.*?</figure>", source, re.DOTALL)
    assert len(figures) >= 8
    assert all("<details>" in figure and "<table" in figure for figure in figures)
    css = "".join(re.findall(r"<style>(.*?)</style>", source, re.DOTALL))
    assert "prefers-color-scheme: dark" in css
    assert "@media print" in css


def test_equal_batches_have_equal_reports_whatever_they_cost(tmp_path, folder):
    again = tmp_path / "elsewhere" / "smoke_0123abcd"
    sample = Sample(
        vary=True, host="other", failures={"svm on meadows, seed 9": "the process was killed"}
    )
    make_batch(again, sample)
    write_batch_report(again)
    for name in SAME_FILES:
        assert (again / name).read_bytes() == (folder / name).read_bytes()
    costs = (again / "cost.csv").read_text()
    assert costs != (folder / "cost.csv").read_text()
    assert costs.splitlines()[0] == "run,epochs,host,training_seconds"
    assert "2,other,3.25" in costs


def test_markdown_says_what_the_page_says(folder, source):
    text = text_of(source)
    markdown = (folder / "report.md").read_text()
    for line in markdown.splitlines():
        if line.startswith("## "):
            assert line[3:] in text
    for words in ("99.96", "hybridsn leads in both settings", "the process was killed"):
        assert words in markdown
    rows = [line for line in markdown.splitlines() if line.startswith("| ")]
    assert len(rows) > 100


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    return hostile_batch(tmp_path_factory.mktemp("hostile") / "batch_0123abcd")


def test_hostile_names_are_text_in_the_page(hostile):
    source = (hostile / "report.html").read_text("utf-8")
    page = Page(source)
    assert page.open == []
    assert len(page.of("script")) == 1
    assert not any(a.get("src", "data:").startswith("x") for a in page.of("img"))
    assert not any(n.startswith("on") for _, attributes in page.tags for n in attributes)
    text = "".join(page.text)
    assert "<script>alert(1)</script>" in text
    assert "{{ 7 * 7 }}" in text
    assert not {"\x07", "\x1b", "\u202e"} & set(source)
    assert len(source) < 3_000_000


@pytest.mark.parametrize("make", [make_denoising_batch, make_retrieval_batch])
def test_batches_of_other_tasks_leave_out_what_they_have_not(tmp_path, make):
    write_batch_report(make(tmp_path / "batch"))
    text = text_of((tmp_path / "batch" / "report.html").read_text())
    for words in ("Results", "Learning curves", "Cost", "Environment"):
        assert words in text
    for words in ("Maps of the runs", "Confusions", "Leakage audit", "Classes", "position only"):
        assert words not in text
    expected = "29.91 dB" if make is make_denoising_batch else "84.00 %"
    assert expected in text
    if make is make_retrieval_batch:
        assert "regressions: 87.00 %. It does better, by 3.00 points." in text


def test_a_batch_on_images_has_classes_but_no_maps(tmp_path):
    sample = Sample(runs=2, models={"svm": (0.9, 0.9)}, kinds=("random",))
    make_batch(tmp_path / "b", sample)
    for path in (tmp_path / "b").glob("*/map.npy"):
        path.unlink()
    for path in (tmp_path / "b").glob("*/metrics.json"):
        metrics = json.loads(path.read_text()) | {"task": "image_classification", "baselines": {}}
        del metrics["leakage"]
        write_json(path, metrics | {"split": {"kind": "given"}})
    summary = json.loads((tmp_path / "b" / "summary.json").read_text())
    for entry in summary["groups"]:
        entry |= {"task": "image_classification", "variant": "given", "leakage": None}
        entry["baselines"] = {}
    write_json(tmp_path / "b" / "summary.json", summary)
    write_batch_report(tmp_path / "b")
    text = text_of((tmp_path / "b" / "report.html").read_text())
    assert "Classes" in text
    assert "Confusions" in text
    assert "Maps of the runs" not in text
    assert "Leakage" not in text


def test_one_run_of_each_group_says_that_it_says_nothing(tmp_path):
    make_batch(tmp_path / "b", Sample(runs=1, models={"hybridsn": (0.9, 0.6)}))
    remarks = write_batch_report(tmp_path / "b")
    assert remarks[0].text.startswith("One run each: nothing can be said")
    text = text_of((tmp_path / "b" / "report.html").read_text())
    assert "The run's map." in text
    assert "nan" not in text.lower()
    assert "inf" not in text.lower().replace("information", "")


def test_identical_runs_have_intervals_without_width(tmp_path):
    folder = tmp_path / "b"
    make_batch(folder, Sample(runs=3, models={"hybridsn": (0.9, 0.6)}, kinds=("random",)))
    paths = sorted(folder.glob("*/metrics.json"))
    first = json.loads(paths[0].read_text())
    members = [first | {"seed": seed} for seed in range(3)]
    for path, metrics in zip(paths, members, strict=True):
        write_json(path, metrics)
    summary = json.loads((folder / "summary.json").read_text())
    names = [path.parent.name for path in paths]
    summary["groups"] = [group(summary["groups"][0]["name"], members, names)]
    write_json(folder / "summary.json", summary)
    write_batch_report(folder)
    text = text_of((folder / "report.html").read_text())
    assert "nan" not in text.lower()
    assert "all 3 runs gave the same value" in text


def test_a_large_batch_stays_small(tmp_path):
    names = tuple(f"a class with quite a long name, {k}" for k in range(16))
    sample = Sample(
        names=names, runs=30, shape=(145, 145), epochs=100, models={"hybridsn": (0.98, 0.7)},
        kinds=("random",),
    )  # fmt: skip
    make_batch(tmp_path / "b", sample)
    noise = np.random.default_rng(0)
    for path in (tmp_path / "b").glob("*/map.npy"):
        np.save(path, noise.integers(1, 32, (145, 145)))
    write_batch_report(tmp_path / "b")
    assert (tmp_path / "b" / "report.html").stat().st_size < 1_500_000


def test_many_groups_get_a_bounded_number_of_maps(tmp_path):
    models = {f"model{k}": (0.5 + k / 50, 0.5) for k in range(9)}
    sample = Sample(models=models, runs=1, kinds=("random",), shape=(400, 600), epochs=3)
    make_batch(tmp_path / "b", sample)
    noise = np.random.default_rng(0)
    for path in (tmp_path / "b").glob("*/map.npy"):
        np.save(path, noise.integers(1, 10, (400, 600)))
    write_batch_report(tmp_path / "b")
    source = (tmp_path / "b" / "report.html").read_text()
    assert len(source) < 3_000_000
    assert "Maps of 7 groups are shown, to keep the page small; those of the other 2" in source


def test_environments_that_differ_are_told(tmp_path):
    folder = make_batch(
        tmp_path / "b", Sample(runs=2, models={"hybridsn": (0.9, 0.6)}, kinds=("random",))
    )
    path = sorted(folder.glob("*/environment.json"))[0]
    write_json(path, json.loads(path.read_text()) | {"threads": 4})
    write_batch_report(folder)
    text = text_of((folder / "report.html").read_text())
    assert "Not the same for all runs" in text
    assert "4 (1); 1 (1)" in text
