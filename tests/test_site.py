"""The documentation site: built strictly, complete, without a broken link or a foreign request."""

import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import get_args
from urllib.parse import unquote, urlsplit

import click
import pytest

import hsi_suite
from hsi_suite.cli import cli
from hsi_suite.config import config_names, dotted_keys
from hsi_suite.data.catalogue import dataset_names
from hsi_suite.data.formats.drawn_formats import DrawnFormat
from hsi_suite.data.formats.file_format import FileFormat
from hsi_suite.data.labelled_images import IMAGE_CLASSES
from hsi_suite.metrics.measures import MEASURES
from hsi_suite.models.listing import list_blocks, list_models
from hsi_suite.runs.tasks import task_named, task_names
from hsi_suite.schemas.batch import BatchConfig
from hsi_suite.schemas.denoising import NoiseConfig

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "docs" / "_ext"))

pytest.importorskip("sphinx", reason="the pages are built by the extra docs")


def build(target, *options, source=ROOT):
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-c", source / "docs"]
    return subprocess.run(
        [*command, *options, source, target], capture_output=True, text=True, timeout=600
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder of the built pages; the build takes about 15 seconds of one core."""
    target = tmp_path_factory.mktemp("site")
    done = build(target)
    assert done.returncode == 0 and not done.stderr, done.stderr[-4000:]
    return target


class Page(HTMLParser):
    """The links, resources, places and text of a built page."""

    def __init__(self, path):
        super().__init__()
        self.links, self.resources, self.places, self.texts = [], [], set(), []
        self.feed(path.read_text("utf-8"))
        self.text = " ".join(self.texts)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.places |= {given[key] for key in ("id", "name") if given.get(key)}
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        if tag != "a":
            self.resources += [given[key] for key in ("src", "href", "srcset") if given.get(key)]

    def handle_data(self, data):
        self.texts.append(data)


@pytest.fixture(scope="module")
def pages(site):
    return {path: Page(path) for path in site.rglob("*.html")}


def text_of(pages, name):
    return next(page.text for path, page in pages.items() if path.match(f"docs/{name}.html"))


@pytest.mark.slow
def test_every_page_is_built(pages, site):
    written = {
        path.relative_to(ROOT).with_suffix(".html")
        for path in (
            *ROOT.glob("*.md"),
            *ROOT.glob("docs/**/*.md"),
            *ROOT.glob("docs/notebooks/*.ipynb"),
            *ROOT.glob("hsi_suite/weights/*.md"),
        )
        if "_build" not in path.parts
    }
    assert written <= {path.relative_to(site) for path in pages}


@pytest.mark.slow
def test_every_link_leads_somewhere(pages, site):
    broken = []
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme in {"http", "https", "mailto"}:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.is_file():
                broken.append(f"{path.relative_to(site)}: {link}")
            elif parts.fragment and target.suffix == ".html":
                known = pages[target].places
                if unquote(parts.fragment) not in known:
                    broken.append(f"{path.relative_to(site)}: {link}")
            # A page that is no page of the site would be offered as a file.
            if target.suffix == ".md":
                broken.append(f"{path.relative_to(site)}: {link} is no page")
    assert not broken


@pytest.mark.slow
def test_nothing_is_asked_of_another_machine(pages, site):
    foreign = {
        f"{path.relative_to(site)}: {resource}"
        for path, page in pages.items()
        for resource in page.resources
        if urlsplit(resource).scheme not in {"", "data"} or resource.startswith("//")
    }
    assert not foreign
    for style in site.rglob("*.css"):
        found = re.findall(r"(?:url\(|@import)\s*['\"]?(https?:|//)", style.read_text("utf-8"))
        assert not found, style


@pytest.mark.slow
def test_everything_registered_is_named(pages):
    models, data = text_of(pages, "reference/models"), text_of(pages, "reference/data")
    names = {*(each["name"] for each in list_models()), *(each["name"] for each in list_blocks())}
    assert not {name for name in names if name not in models}
    kinds = get_args(NoiseConfig.model_fields["kind"].annotation)
    named = (*dataset_names(), *IMAGE_CLASSES, *map(str, FileFormat), *map(str, DrawnFormat))
    named += tuple(f"noise.kind={kind}" for kind in kinds)
    assert not {name for name in named if name not in data}
    assert not set(MEASURES) - words(text_of(pages, "reference/glossary"))


@pytest.mark.slow
def test_every_configuration_and_key_is_named_and_explained(pages):
    text = text_of(pages, "reference/configurations")
    assert not {name for name in config_names() if name not in text}
    schemas = (BatchConfig, *(task_named(name).schema for name in task_names()))
    assert not {key for schema in schemas for key in dotted_keys(schema) if key not in words(text)}
    from configuration_pages import every_key

    silent = {key for schema in schemas for key, _, said in every_key(schema) if not said}
    assert not silent


@pytest.mark.slow
def test_every_command_option_and_public_name_is_there(pages, site):
    text, known = text_of(pages, "reference/commands"), words(text_of(pages, "reference/commands"))
    from command_pages import every_command

    for called, command in every_command(cli):
        assert " ".join(called) in text
        if not isinstance(command, click.Group):
            options = {name for each in command.params for name in each.opts if name[:2] == "--"}
            assert options <= known, called
    api = next(page for path, page in pages.items() if path.match("reference/api.html"))
    modules = {"splits", "metrics", "models", "blocks"}
    wanted = {f"hsi_suite.{name}" for name in hsi_suite.__all__ if name not in modules}
    for module in modules:
        names = set(getattr(hsi_suite, module).__all__) - set(hsi_suite.__all__)
        wanted |= {f"hsi_suite.{module}.{name}" for name in names}
    assert not wanted - api.places


def words(text):
    return set(re.findall(r"[\w.-]*\w", text))


@pytest.mark.slow
def test_strict_is_strict(tmp_path):
    """A link that leads nowhere, and a page that asks for what nobody makes, stop the build."""
    source = tmp_path / "source"
    (source / "docs").mkdir(parents=True)
    (source / "benchmarks").mkdir()
    (source / "hsi_suite").mkdir()
    for name in ("conf.py", "_ext", "_static"):
        place = ROOT / "docs" / name
        copy = shutil.copytree if place.is_dir() else shutil.copy
        copy(place, source / "docs" / name)
    page = source / "docs" / "index.md"
    page.write_text("# Page\n\n[a](nowhere.md)\n\n[b](#no-heading)\n")
    done = build(tmp_path / "built", source=source)
    assert done.returncode != 0
    assert "nowhere.md" in done.stderr and "no-heading" in done.stderr
    from generated_pages import filled

    with pytest.raises(KeyError, match="nothing"):
        filled("<!-- generated: nothing -->")


def test_help_and_docstrings_become_markdown_that_shows_them():
    from command_pages import _text
    from markdown_text import escaped, table

    assert escaped("a_b | `a_b` <c>") == r"a\_b \| `a_b` \<c\>"
    assert _text("One\ntwo.\n\n\b\nhsi a\nhsi b") == "One two.\n\n```text\nhsi a\nhsi b\n```"
    assert table(("a", "b"), [(1, "x\ny")], right=(0,)).splitlines()[1:] == [
        "| ---: | --- |",
        "| 1 | x y |",
    ]


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    # Skips where selenium is not installed; the tests above are worth running then.
    from browser_samples import started_browser

    yield from started_browser(tmp_path_factory)


@pytest.mark.slow
def test_from_disk_it_is_quiet_narrow_enough_and_found_by_search(browser, site):
    from selenium.webdriver.support.ui import WebDriverWait
    from test_report_browser import requests

    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": 400, "height": 800, "deviceScaleFactor": 1, "mobile": False},
    )
    for name in ("docs/index", "docs/reference/models", "README", "docs/explanations/splits"):
        browser.get((site / f"{name}.html").as_uri())
        wide = "return document.documentElement.scrollWidth"
        assert browser.execute_script(wide) <= 400, name
        broken = "return [...document.images].filter(i => !i.complete || !i.naturalWidth).length"
        assert browser.execute_script(broken) == 0, name
    browser.get(f"{(site / 'search.html').as_uri()}?q=leakage")
    found = "return document.querySelectorAll('#search-results li a').length"
    WebDriverWait(browser, 60).until(lambda _: browser.execute_script(found) > 2)
    assert browser.get_log("browser") == []
    asked = {urlsplit(url).scheme for url in requests(browser)}
    # The browser's own first page may still be loading.
    assert {scheme for scheme in asked if not scheme.startswith("chrome")} <= {"file", "data"}
