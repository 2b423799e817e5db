"""The report of a batch in a real browser: quiet, offline, sortable, light and dark."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from batch_samples import HOSTILE, Sample, make_batch
from metrics_samples import part, sample_metrics
from test_reports_html import report

from hsi_suite.reports.html import html_page
from hsi_suite.runs.batches.report import write_batch_report
from hsi_suite.runs.pages import PageFacts
from hsi_suite.tasks.images.page import page as image_page

pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
from browser_samples import started_browser
from selenium.webdriver.common.by import By

_LARGEST = 3_000_000


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    yield from started_browser(tmp_path_factory)


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """A report as it is, and one whose every name attacks it."""
    folder = tmp_path_factory.mktemp("reports")
    plain = Sample(runs=3, vary=True, models={"hybridsn": (0.985, 0.7), "svm": (0.83, 0.66)})
    hostile = Sample(
        names=HOSTILE,
        models={HOSTILE[0]: (0.9, 0.6), HOSTILE[2]: (0.7, 0.5)},
        dataset=HOSTILE[2],
        runs=2,
        kinds=("random",),
        question=HOSTILE[1],
        failures={HOSTILE[1]: HOSTILE[2]},
    )
    found = {}
    for name, sample in (("plain", plain), ("hostile", hostile)):
        make_batch(folder / name, sample)
        write_batch_report(folder / name)
        found[name] = folder / name / "report.html"
    return found


def opened(browser, path, scheme="light"):
    media = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": media})
    for log in ("browser", "performance"):
        browser.get_log(log)
    browser.get(Path(path).as_uri())


def requests(browser):
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    sent = [event for event in events if event["method"] == "Network.requestWillBeSent"]
    return [event["params"]["request"]["url"] for event in sent]


@pytest.mark.parametrize("name", ["plain", "hostile"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_opens_from_disk_without_a_word_or_a_request(browser, pages, name, scheme):
    opened(browser, pages[name], scheme)
    assert browser.get_log("browser") == []
    # The browser's own first page may still be loading.
    others = [url for url in requests(browser) if not url.startswith(("data:", "chrome"))]
    assert others == [pages[name].as_uri()]
    broken = "return [...document.images].filter(i => !i.complete || !i.naturalWidth).length"
    assert browser.execute_script(broken) == 0
    assert browser.execute_script("return document.images.length") > 5
    assert pages[name].stat().st_size <= _LARGEST


def test_hostile_names_do_nothing(browser, pages):
    opened(browser, pages["hostile"])
    assert browser.execute_script("return document.scripts.length") == 1
    assert browser.execute_script("return document.querySelectorAll('img[src=x]').length") == 0
    handlers = (
        "return [...document.querySelectorAll('*')].filter(e => e.onerror || e.onload).length"
    )
    assert browser.execute_script(handlers) == 0
    text = browser.find_element(By.TAG_NAME, "body").get_attribute("textContent")
    assert "<script>alert(1)</script>" in text
    assert '"><img onerror="alert(3)" src=x>' in text


def test_light_and_dark_are_two_designs(browser, pages):
    grounds, drawn = [], []
    for scheme in ("light", "dark"):
        opened(browser, pages["plain"], scheme)
        colour = "return getComputedStyle(document.body).backgroundColor"
        grounds.append(browser.execute_script(colour))
        drawn.append(browser.execute_script("return document.images[0].currentSrc"))
    assert grounds == ["rgb(255, 255, 255)", "rgb(13, 17, 23)"]
    assert drawn[0] != drawn[1]


def column(table, number):
    rows = table.find_elements(By.CSS_SELECTOR, "tbody tr")
    return [row.find_elements(By.XPATH, "./*")[number].get_attribute("textContent") for row in rows]


def test_tables_sort_by_their_columns(browser, pages):
    opened(browser, pages["plain"])
    table = browser.find_element(By.CSS_SELECTOR, "table.sortable")
    heads = table.find_elements(By.CSS_SELECTOR, "thead th")
    before = column(table, 0)
    heads[2].find_element(By.TAG_NAME, "button").click()
    means = [float(cell.split(" ±")[0]) for cell in column(table, 2)]
    assert means == sorted(means)
    assert heads[2].get_attribute("aria-sort") == "ascending"
    heads[2].find_element(By.TAG_NAME, "button").click()
    assert [float(cell.split(" ±")[0]) for cell in column(table, 2)] == means[::-1]
    assert heads[2].get_attribute("aria-sort") == "descending"
    heads[0].find_element(By.TAG_NAME, "button").click()
    assert sorted(column(table, 0)) == sorted(before)
    assert heads[2].get_attribute("aria-sort") is None


def test_what_is_undefined_sorts_last_both_ways(browser, pages):
    opened(browser, pages["plain"])
    table = browser.find_element(By.CSS_SELECTOR, "table.sortable")
    head = table.find_elements(By.CSS_SELECTOR, "thead th")[-1]
    assert "–" in column(table, -1)
    for _ in range(2):
        head.find_element(By.TAG_NAME, "button").click()
        assert column(table, -1)[-1] == "–"


def test_without_its_script_the_page_is_whole(browser, pages):
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        opened(browser, pages["plain"])
        assert browser.find_elements(By.TAG_NAME, "button") == []
        assert len(browser.find_elements(By.CSS_SELECTOR, "table.sortable")) > 5
        assert "overall accuracy" in browser.find_element(By.TAG_NAME, "body").text
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def run_pages(folder):
    """Pages of runs with names and figures as long as they come."""
    names = ("Soybean-mintill", "Buildings-Grass-Trees-Drives", "Stone-Steel-Towers", "Corn")
    metrics = sample_metrics(names=names)
    for number, key in enumerate(("forest", "cnn1d"), 3):
        metrics["baselines"][key] = part(names, 40_000, 0.8, seed=number)
    images = {
        "model": "inception_resnet_v2", "dataset": "photographs", "channels": 3, "size": 299,
        "crops": 144, "seed": 1, "parameters": 55_843_464, "epoch": 1,
        "selection": "best",
        "classes": [
            {"label": label, "name": name, "train": 12_345} for label, name in enumerate(names, 1)
        ],
        "split": {"kind": "random", "train": 9, "validation": 5_000, "test": 10_000},
        "validation": part(names, 1_250, 0.7) | {"num_images": 5_000, "top_5_accuracy": 0.99999},
        "test": part(names, 2_500, 0.7) | {"num_images": 10_000, "top_5_accuracy": 0.99999},
    }  # fmt: skip
    run = SimpleNamespace(path=folder, environment={})
    sources = {
        "scene": report(metrics=metrics | {"seed": 5}),
        "images": html_page(image_page(PageFacts(run, None, images, [], {}))),
    }
    for name, source in sources.items():
        (folder / f"{name}.html").write_text(source)
    return {name: folder / f"{name}.html" for name in sources}


# Tables that are cut by the box they scroll in. Those with a column for each class may be.
_CUT = """
document.querySelectorAll('details').forEach(d => d.open = true);
return [...document.querySelectorAll('table:not(.dense):not(.matrix)')]
  .filter(t => t.getBoundingClientRect().width > t.parentElement.clientWidth + 1)
  .map(t => t.caption.textContent);
"""


@pytest.mark.parametrize("width", [360, 700, 1000, 1400])
def test_no_table_is_cut_at_any_width_of_the_window(browser, pages, tmp_path, width):
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        for path in (pages["plain"], *run_pages(tmp_path).values()):
            opened(browser, path)
            assert browser.execute_script(_CUT) == []
            assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@pytest.mark.parametrize("name", ["plain", "hostile"])
@pytest.mark.parametrize("width", [390, 1200])
def test_the_page_fits_the_width_of_its_window(browser, pages, name, width):
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        opened(browser, pages[name])
        browser.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width
        captions = browser.find_elements(By.TAG_NAME, "caption")
        assert max(caption.rect["x"] + caption.rect["width"] for caption in captions) <= width
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_it_prints(browser, pages):
    opened(browser, pages["plain"], "dark")
    sheet = browser.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})
    assert len(sheet["data"]) > 50_000
