import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from metrics_samples import NAMES, sample_metrics

from hsi_suite.reports.drawing import to_png
from hsi_suite.reports.html import html_page
from hsi_suite.reports.maps import map_figure
from hsi_suite.runs.pages import PageFacts, again_section
from hsi_suite.tasks.scenes.configuration import classification_config
from hsi_suite.tasks.scenes.page import classification_page

HOSTILE = (
    "<script>alert(1)</script>",
    '" onload="alert(2)',
    "{{ 7 * 7 }}{% raise %}",
    "--></style><img src=x onerror=alert(3)>",
)


class Page(HTMLParser):
    """Tags, attributes and text of a page."""

    def __init__(self, source):
        super().__init__()
        self.tags, self.open, self.text = [], [], []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "img", "source"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)

    def of(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


def report(names=NAMES, **changes):
    labels = np.arange(300).reshape(15, 20) % len(names) + 1
    figure = map_figure(
        labels, labels, np.zeros((15, 20, 3), np.uint8), names, title="map", synthetic=False
    )
    fields = {
        "metrics": sample_metrics(names=names, seed=5),
        "history": [{"epoch": e, "train_loss": 1 / e} for e in range(1, 4)],
        "environment": {"python": "3.11.2", "packages": {"torch": "2.13.0"}, "code": None},
        "config": classification_config(dataset="synthetic", seed=5),
        "folder": "runs/a",
        "cost": {"training_seconds": 12.5, "epoch_seconds": [0.5] * 100},
        "scene_maps": [("", to_png(figure))],
        "published": (),
    } | changes
    run = SimpleNamespace(path=Path(fields["folder"]), environment=fields["environment"])
    facts = PageFacts(run, fields["config"], fields["metrics"], fields["history"], fields["cost"])
    page = classification_page(
        facts.metrics, facts.history, fields["scene_maps"], fields["published"]
    )
    return html_page(replace(page, sections=[*page.sections, again_section(facts)]))


@pytest.fixture(scope="module")
def source():
    return report()


def test_the_page_is_whole_and_in_order(source):
    page = Page(source)
    assert page.open == []
    text = "".join(page.text)
    order = [
        "measures mostly memory",
        "Accuracies",
        "Map",
        "Classes",
        "Confusion matrix",
        "Learning curves",
        "Split and leakage audit",
        "hsi train --config runs/a/config.yaml",
        "Seeds of the random streams",
        "What the run ran on",
        "Configuration",
        "Cost of the run",
    ]
    places = [text.index(words) for words in order]
    assert places == sorted(places)
    for value in ("dataset: synthetic", "derived from the base", "packages: torch", "5,122,176"):
        assert value in text
    assert "100 values, 0.5 … 0.5" in text
    assert "The model is that of epoch 3." in text


def test_the_page_loads_and_runs_nothing(source):
    page = Page(source)
    assert not {"script", "iframe", "link", "object", "form", "a"} & {t for t, _ in page.tags}
    for _, attributes in page.tags:
        assert not any(name.startswith("on") or name == "style" for name in attributes)
    images = [a["src"] for a in page.of("img")] + [a["srcset"] for a in page.of("source")]
    assert images
    assert all(uri.startswith("data:image/") for uri in images)


def test_the_security_policy_allows_this_style_only(source):
    style = re.search(r"<style>(.*?)</style>", source, re.DOTALL).group(1)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = next(a["content"] for a in Page(source).of("meta") if "http-equiv" in a)
    assert f"style-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "prefers-color-scheme: dark" in style
    assert "@media print" in style


def test_tables_and_images_can_be_read_by_machines(source):
    page = Page(source)
    assert all(attributes["alt"] for attributes in page.of("img"))
    assert all("scope" in attributes for attributes in page.of("th"))
    assert len(page.of("table")) == len(page.of("caption"))
    assert len(page.of("figure")) == len(page.of("figcaption")) == 4


def test_hostile_names_are_text():
    metrics = sample_metrics(names=HOSTILE, dataset=HOSTILE[0], model=HOSTILE[3], seed=5)
    metrics["split"] |= {"dropped": {HOSTILE[0]: HOSTILE[1]}, "lost": {HOSTILE[3]: 4}}
    source = report(
        names=HOSTILE,
        metrics=metrics,
        config=classification_config(dataset="synthetic").model_copy(update={"task": HOSTILE[0]}),
        folder=HOSTILE[0],
        environment={HOSTILE[0]: HOSTILE[1]},
        published=[{"method": HOSTILE[0], "setting": HOSTILE[2], "source": HOSTILE[1]}],
    )
    page = Page(source)
    assert page.open == []
    assert "script" not in {tag for tag, _ in page.tags}
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    text = "".join(page.text)
    assert all(name in text for name in HOSTILE)


def test_a_classical_model_has_no_curves_and_a_run_may_lack_a_map():
    metrics = sample_metrics(parameters=0, seed=5)
    del metrics["train"], metrics["baselines"]
    source = report(metrics=metrics, history=[], scene_maps=[])
    text = "".join(Page(source).text)
    assert "Learning curves" not in text
    assert "<h2>Map</h2>" not in source
    assert "parameters" not in text
    assert "recall of" not in text


def test_published_figures_stand_beside_the_runs():
    entry = {
        "method": "HybridSN",
        "setting": "30 % random",
        "source": "Roy et al. 2020",
        "overall_accuracy": 0.9975,
        "overall_accuracy_std": 0.001,
        "cohen_kappa": 0.9971,
    }
    text = "".join(Page(report(published=[entry])).text)
    assert "Roy et al. 2020" in text
    # A line may break before the sign alone.
    assert "99.75 ±\N{NO-BREAK SPACE}0.10" in text
    assert "99.71" in text


def test_equal_runs_give_equal_pages_of_bounded_size(source):
    assert report() == source
    many = tuple(f"a class with a long name, {k}" for k in range(60))
    noise = np.random.default_rng(0).integers(0, 256, (610, 340, 3), dtype=np.uint8)
    labels = np.arange(610 * 340).reshape(610, 340) // 50 % 60 + 1
    picture = to_png(map_figure(labels, labels, noise, many, title="t", synthetic=False))
    page = report(
        names=many,
        metrics=sample_metrics(names=many, accuracy=0.5, seed=5),
        scene_maps=[("", picture)],
    )
    assert len(page) < 3_000_000
