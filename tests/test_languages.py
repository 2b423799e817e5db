"""Pages in other languages: whole, with the same numbers, and English ones as they were."""

import ast
import re
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from batch_samples import Sample, make_batch, make_denoising_batch, report_of
from matplotlib.figure import Figure as Drawing
from matplotlib.text import Text
from metrics_samples import NAMES, sample_metrics
from said_lines import beyond_first
from scenes_samples import write_scene
from task_samples import TASKS, finished_runs
from test_reports_html import report as classification_source

import hsi_suite as hsi_api
from hsi_suite.errors import ConfigError, Note
from hsi_suite.reports import fonts
from hsi_suite.reports.batches.sections import batch_document
from hsi_suite.reports.content import enumerate_names
from hsi_suite.reports.denoising.page import DenoisingReport, denoising_page
from hsi_suite.reports.document import (
    Cell,
    Column,
    Document,
    Listing,
    Paragraph,
    Remark,
    Remarks,
    Section,
    Table,
)
from hsi_suite.reports.drawing import to_png
from hsi_suite.reports.fonts import LATIN
from hsi_suite.reports.html import html_page
from hsi_suite.reports.languages import documents, figures
from hsi_suite.reports.languages import speaking as speaking_module
from hsi_suite.reports.languages.catalogue import Catalogue, catalogue, said
from hsi_suite.reports.languages.documents import Translator
from hsi_suite.reports.languages.speaking import VARIABLE, speaking, wanted, wanting
from hsi_suite.reports.maps import map_figure
from hsi_suite.reports.markdown import markdown
from hsi_suite.reports.retrieval.query_page import RetrievalQueryReport, retrieval_query_page
from hsi_suite.reports.verdict import verdict
from hsi_suite.restoration.damage import Damage
from hsi_suite.runs import launch
from hsi_suite.runs.folder import Run
from hsi_suite.runs.model_comparison import compare_networks, write_comparison
from hsi_suite.runs.report import write_reports
from hsi_suite.tasks.denoising.cubes.cube_report import added_noise_text, damage_rows

# Figures are translated before they are drawn.
pytestmark = pytest.mark.stand_in_pictures

LIBRARY = Path(__file__).resolve().parent.parent / "hsi_suite"
CHINESE = re.compile("[\u4e00-\u9fff]")
WORDS = re.compile(r"[A-Za-z]{2,}")
PLACE = re.compile(r"\{\w+[#*;,]?\}")


@pytest.fixture
def chinese():
    with wanting("zh"), speaking("batch"):
        yield catalogue("zh")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A finished run of each task."""
    return finished_runs(tmp_path_factory.mktemp("runs"))


@pytest.fixture
def left(monkeypatch):
    """What translators of the test have left in English."""
    found = {}
    whole = Translator.document

    def document(self, original):
        result = whole(self, original)
        found.update(self.left)
        return result

    monkeypatch.setattr(Translator, "document", document)
    return found


def entries():
    for path in sorted((LIBRARY / "reports" / "languages" / "zh").glob("*.toml")):
        yield from tomllib.loads(path.read_text("utf-8")).items()


def test_every_entry_keeps_what_differs_and_is_there_once():
    found = list(entries())
    assert len(found) > 500
    assert len(found) == len(dict(found))
    for key, value in found:
        places = {each.strip("{}#*;,") for each in PLACE.findall(key)}
        given = set(re.findall(r"\{(\w+)\}", value))
        # What a sentence says twice, such as a model's name, may stand once.
        assert given <= places, key
        assert value and not re.search(r"[{}]", re.sub(r"\{\w+\}", "", value)), key
        numbers = {each.strip("{}#") for each in PLACE.findall(key) if each.endswith("#}")}
        assert numbers <= given or re.search(r"the (sentence|class)", key), key


def test_the_catalogue_fills_numbers_names_and_phrases():
    texts = Catalogue(
        {
            "{n#} of {m#} runs": "{m} 中的 {n}",
            "On {name}: {what*}.": "{name}：{what}。",
            "random split": "随机划分",
            "By rule: {all;}.": "按规则：{all}。",
            "Sources {list,}.": "因素 {list}。",
            "init": "初值",
        }
    )
    assert texts.translate("3 of 1,205 runs") == "1,205 中的 3"
    assert texts.translate("On a b, c: random split.") == "a b, c：随机划分。"
    assert texts.translate("On x: unknown words.") is None
    assert texts.translate("By rule: random split; init.") == "按规则：随机划分；初值。"
    assert texts.translate("Sources init、mine 和 init.") == "因素 初值、mine 和 初值。"
    assert texts.translate("By rule: init. On x: init.") == "按规则：初值。x：初值。"
    assert texts.translate("By rule: init. Something else.") is None
    assert texts.translate("98.5 ± 0.3 %") == "98.5 ± 0.3 %"
    # What stands for a name never swallows a sentence.
    assert (
        Catalogue({"Score: {score}.": "得分：{score}。"}).translate("Score: 3. More words.") is None
    )


def english_left(texts, names=()):
    """Of what was left in English, that which is no name (patterns of them) and no number."""
    name = re.compile("|".join([*names, r"[\w.+-]*[0-9_][\w.+-]*", r"Linux.*", r"\d+ .*"]))
    return [text for text in texts if WORDS.search(text) and not name.fullmatch(text)]


def test_a_classification_has_nothing_left_in_english(left, tmp_path):
    with wanting("zh"):
        run = launch.train(
            **write_scene(tmp_path), model="lda", baselines=["gaussian"],
            settings=["threads=1", "split.guard=1"], split="disjoint", output=tmp_path / "runs",
        )  # fmt: skip
    page = (run.path / "report.html").read_text("utf-8")
    assert '<html lang="zh">' in page and "结论" in page and "总体精度" in page
    names = ["lda", "gaussian", "cpu", "AVX2", "AVX512", "DEFAULT"]
    classes = [f"{each['label']} {each['name']}" for each in run.metrics["classes"]]
    environment = [str(value) for value in (run.cost["host"] or {}).values()]
    rest = english_left(left, [*names, *map(re.escape, [*classes, *environment])])
    assert not rest
    english = write_reports(run.path)
    page = (run.path / "report.html").read_text("utf-8")
    assert '<html lang="en">' in page and not CHINESE.search(page)
    assert not any(CHINESE.search(remark.text) for remark in english.verdict)


def mixed(page):
    """Chinese texts of a page in which words of English sentences stand."""
    page = re.sub(r"(?s)<(style|script|svg|pre).*?</\1>", "", page)
    texts = [text.strip() for text in re.sub("<[^>]+>", "\n", page).splitlines()]
    assert any(map(CHINESE.search, texts))
    english = re.compile(r"\b(and|or|on|of|the|with|training|loss)\b")
    return [text for text in texts if CHINESE.search(text) and english.search(text)]


@pytest.mark.parametrize("task", TASKS)
def test_a_run_of_every_task_has_nothing_left_in_english(left, finished, task):
    run = Run(finished[task])
    with wanting("zh"):
        verdict = write_reports(run.path).verdict
    assert all(CHINESE.search(remark.text) for remark in verdict)
    page = (run.path / "report.html").read_text("utf-8")
    assert mixed(page) == []
    names = ["cpu", "AVX2", "AVX512", "DEFAULT", "bright", "dark", "(mlp|inception).*"]
    names += map(re.escape, [run.metrics["model"], *map(str, run.cost["host"].values())])
    names += [rf"(\d+ )?{re.escape(entry['name'])}" for entry in run.metrics.get("classes", ())]
    assert english_left(left, names) == []
    write_reports(run.path)
    assert not CHINESE.search((run.path / "report.html").read_text("utf-8"))


def test_a_language_is_no_part_of_a_run(tmp_path):
    files = write_scene(tmp_path)
    runs = []
    for language in ("en", "zh"):
        with wanting(language):
            runs.append(
                launch.train(
                    **files, model="lda", settings=["threads=1"], output=tmp_path / language
                )
            )
    assert runs[0].path.name == runs[1].path.name
    for name in ("metrics.json", "config.yaml", "map.png"):
        first, second = ((run.path / name).read_bytes() for run in runs)
        assert first == second
    write_reports(runs[1].path)
    first, second = ((run.path / "report.html").read_text("utf-8") for run in runs)
    # Times and places aside.
    assert re.sub(r"(?s)<h2>To do it again.*", "", first) == re.sub(
        r"(?s)<h2>To do it again.*", "", second
    )


@pytest.mark.parametrize(
    "sample",
    [Sample(vary=True, failures={"svm on meadows, seed 9": "killed"}, runs=3), Sample(runs=1)],
)
def test_a_batch_has_nothing_left_in_english(left, chinese, tmp_path, sample):
    make_batch(tmp_path / "batch", sample)
    document = batch_document(report_of(tmp_path / "batch"))
    page = html_page(document)
    assert '<html lang="zh">' in page and "仅凭位置" in page
    names = [
        *sample.names,
        *sample.models,
        "batch",
        "meadows.mat",
        "(?:ab)+",
        "killed",
        "hybridsn.",
        "svm.",
        "cnn1d.",
    ]
    rest = english_left(left, [*names, "Linux", "python", re.escape(sample.question)])
    assert [text for text in rest if text != sample.question and not _made_up(text)] == []
    text = markdown(document)
    assert "**注意：**" in text and "**Note:**" not in text


def _made_up(text):
    """What the samples hold and no real batch does."""
    return text.endswith(": see the numbers.") or " − " in text


def test_scores_of_denoisers_in_a_batch_are_told(left, chinese, tmp_path):
    make_denoising_batch(tmp_path / "batch")
    html_page(batch_document(report_of(tmp_path / "batch")))
    prose = [text for text in left if re.search(r"[a-z]{2,} [a-z]{2,} [a-z]{2,}", text)]
    assert prose == [report_of(tmp_path / "batch").summary["question"]]


@pytest.mark.parametrize("kind", ["random", "disjoint"])
@pytest.mark.parametrize("accuracy", [0.3, 0.8, 0.98, 1.0])
def test_verdicts_are_told_whole(chinese, kind, accuracy):
    for position in (0.1, 0.79, 0.985, 1.0):
        metrics = sample_metrics(kind=kind, accuracy=accuracy, position=position)
        metrics["split"] |= {"dropped": {"Oats": "few"}, "lost": {"Corn": 3}}
        metrics["test"] |= {"absent": [NAMES[0]], "never_predicted": [NAMES[1], NAMES[2]]}
        metrics["unverified"] = ["a.mat"]
        metrics["diverged"] = {"first_loss": 1.5, "last_loss": 1e9}
        metrics["denoising"] = {"weights": "w", "rank": 4, "relative_noise": 0.1}
        for remark in verdict(metrics):
            found = chinese.translate(remark.text)
            assert found is not None, remark.text
            numbers = re.findall(r"\d[\d.,]*\d|\d", remark.text)
            assert sorted(numbers) == sorted(re.findall(r"\d[\d.,]*\d|\d", found)), found


# Pages without a run.


def audited(seed):
    """Audits of a small scene, with a map that is right near training and much that is odd."""
    rng = np.random.default_rng(seed)
    labels = np.kron(rng.integers(1, 4, (4, 4)), np.ones((5, 5), int))
    labels[0, 0], labels[19, 19] = 4, 5
    train = np.zeros(labels.shape, bool)
    train[:, :9] = True
    answers = np.where(rng.random(labels.shape) < 0.3, rng.integers(0, 7, labels.shape), labels)
    tested = ~train
    if seed:
        tested[3, 3] = True  # a pixel of both
        train[19, 19] = True
    cube = rng.normal(size=(*labels.shape, 3))
    cube[5, 15] = cube[5, 5]
    return hsi_api.audit(labels, train, tested, predictions=answers, window=5, cube=cube)


@pytest.mark.parametrize("seed", [0, 1])
def test_an_audit_has_nothing_left_in_english(left, tmp_path, seed):
    found = audited(seed)
    with wanting("zh"):
        page = found.save(tmp_path / "audit.html")[0].read_text("utf-8")
    assert '<html lang="zh">' in page and CHINESE.search(page) and mixed(page) == []
    assert english_left(left) == []
    assert not CHINESE.search((tmp_path / "audit.json").read_text("utf-8"))
    found.save(tmp_path / "english.html")
    assert not CHINESE.search((tmp_path / "english.html").read_text("utf-8"))


def test_a_denoised_cube_has_nothing_left_in_english(left):
    values = np.random.default_rng(0).random((6, 5, 3))
    damage = Damage(np.ones((6, 5), bool), (1, 4), np.zeros((6, 9), bool), np.zeros((5, 9), bool))
    with wanting("zh"), speaking("denoised cube"):
        rows = [*damage_rows(replace(damage, marked=(1,)), 12, True)]
        rows += damage_rows(damage, 0, False)
    rows += [
        ("stuck values", "4 in 2 bands, replaced"),
        ("stripes, columns of single bands", "3, up to 12.5, taken off"),
        ("pixels with rare signals, put back",
         "9 of 30; so many are hardly rare: is the noise stronger than σ says?"),
        ("single odd values, left as they are",
         "5; so few may be lines of one band; --repair removes them"),
    ]  # fmt: skip
    report = DenoisingReport(
        title="a.npy, denoised", lead="6 × 5 × 3 (lines × samples × bands), uint16, NPY",
        before=values, after=values, bands=(3, 2, 1), sigma=np.array([1.0, np.nan, 2.0]),
        wavelengths=None, damage=rows, method=[("planes", "band by band")],
        scores={"noisy": {"peak": 9.0}, "denoised": {"peak": 9.0}},
        remarks=[added_noise_text("case3", 5, 0), *(f"{k}: {v}." for k, v in rows if v != "none")],
    )  # fmt: skip
    with wanting("zh"), speaking("denoised cube"):
        page = html_page(denoising_page(report))
    assert mixed(page) == [] and english_left(left) == []


def test_a_search_has_nothing_left_in_english(left):
    remarks = [
        "the best similarity, 0.123, is below 0.456, which 95 % of the validation's queries of "
        "known classes reach: either the gallery holds nothing like the query, or the run has "
        "never learnt anything like it",
        "labels of the 9 best matches: 3 Soil, 2 Tree and 4 other labels",
        "wavelengths in µm, as the file says", "values in percent, as they reach 98.5",
        "multiplied by 10000: the spectra learnt from are taken for reflectance times 10000, as "
        "they reach 2.1e+03 on average; --scale says otherwise",
        "3 of 9 bands were not measured: nothing is extrapolated, they take the mean of the "
        "spectra learnt from at the level of this one",
    ]  # fmt: skip
    report = RetrievalQueryReport(
        title="Search: line 3, sample 4 of jasper in jasper",
        lead="1,000 pixels searched · best similarity 0.9912 · run runs/a",
        remarks=[Remark(f"{text[0].upper()}{text[1:]}.") for text in remarks],
        score_map=Drawing(), sheet=Drawing(), spectra=None, spectra_words="", space=Drawing(),
        space_words="90 of the gallery's 1,000 rows on their two main axes, which show 84 % of "
        "their variance: near in this picture is not always near in the common space.",
        matches=Table("", [Column("rank"), Column("similarity"), Column("label")], []),
        query=[("modality", "3")], gallery=[("items", "1,000, every 2. line and sample")],
        command="hsi",
    )  # fmt: skip
    with wanting("zh"), speaking("search"):
        page = html_page(retrieval_query_page(report))
    assert mixed(page) == [] and english_left(left, ["runs/a", "run runs/a"]) == []


def test_compared_networks_have_nothing_left_in_english(left, tmp_path):
    found = compare_networks(["cnn1d", "dncnn depth=3"])
    with wanting("zh"):
        write_comparison(found, tmp_path / "a", overwrite=False)
    page = (tmp_path / "a" / "index.html").read_text("utf-8")
    assert mixed(page) == [] and "网络比较" in page
    stages = [stage["name"] for each in found.networks for stage in each["stages"]]
    assert english_left(left, [*map(re.escape, stages), "cnn1d.*", "dncnn.*"]) == []


@pytest.mark.parametrize("given", ["audit", "denoise", "query", "compare"])
def test_a_language_without_a_page_is_refused(hsi, tmp_path, given):
    np.save(tmp_path / "a.npy", np.ones((4, 4, 3), np.float32))
    words = {
        "audit": ["audit", "a.npy", "--split", "b.npy"],
        "denoise": ["denoise", str(tmp_path / "a.npy"), "-o", str(tmp_path / "b.npy")],
        "query": ["retrieve", "query", "idx", "--pixel", "1,1"],
        "compare": ["models", "compare", "cnn1d"],
    }[given]
    status, _, err = hsi(*words, "--language", "zh")
    assert (status, err.count("\n")) == (2, 1) and "--language: given without a page" in err


# Signs that no font has.


@pytest.mark.usefixtures("drawn_pictures")
@pytest.mark.parametrize("font", [None, LATIN])
def test_without_a_font_figures_have_numbers_of_classes_and_one_line_says_so(monkeypatch, font):
    monkeypatch.setattr(fonts, "chinese_font", lambda: font)
    for each in (fonts._signs, fonts._say_numbers):
        each.cache_clear()
    labels = np.array([[1, 2], [3, 0]])
    with pytest.warns(Note, match="Noto Sans CJK SC") as said_lines:
        figure = map_figure(
            labels, labels, np.zeros((2, 2, 3), np.uint8), ["玉米", "Oats", "大豆"], title="a",
            synthetic=False,
        )  # fmt: skip
        to_png(figure)
    assert len(said_lines) == 1
    texts = {text.get_text() for text in figure.findobj(Text)}
    assert {"class 1", "Oats", "class 3"} <= texts
    fonts._signs.cache_clear()


# What writes the pages that are translated.
PAGES = [
    "classification", "verdict", "content", "folds", "probabilities", "confusions", "areas",
    "bands", "choices", "guards", "searches", "split_level", "pictures", "figures",
    "probability_figures",
]  # fmt: skip
CONTENTS = [
    "images/content", "denoising/content", "retrieval/content", "retrieval/figures",
    "auditing/content", "auditing/verdict", "auditing/figures", "auditing/page", "denoising/page",
    "retrieval/query_page", "retrieval/query_figures", "retrieval/score_map",
]  # fmt: skip
BESIDE = [
    "denoising/cubes/cube_report", "retrieval/query", "retrieval/query_items",
    "retrieval/query_output",
]  # fmt: skip
NOTES = ["verdicts", "comparison_notes", "statistics", "variance", "group_comparisons"]
SOURCES = [
    *(LIBRARY / "reports" / f"{name}.py" for name in PAGES),
    *sorted((LIBRARY / "reports" / "batches").glob("*.py")),
    *(LIBRARY / "tasks" / f"{task}" / "page.py" for task in ("scenes", "images", "denoising")),
    LIBRARY / "tasks" / "retrieval" / "page.py",
    *(LIBRARY / "reports" / f"{kind}.py" for kind in CONTENTS),
    LIBRARY / "tasks" / "scenes" / "class_areas.py",
    LIBRARY / "runs" / "pages.py",
    LIBRARY / "runs" / "model_comparison.py",
    LIBRARY / "reports" / "complexity.py",
    *(LIBRARY / "tasks" / f"{name}.py" for name in BESIDE),
    *(LIBRARY / "metrics" / f"{name}.py" for name in NOTES),
]
# Functions that write for the terminal alone.
TERMINAL = {
    "classification_blocks", "image_blocks", "retrieval_blocks", "denoiser_scores_blocks",
    "artefact_scores_blocks", "photograph_scores_blocks", "_least",
}  # fmt: skip
# Of charts, papers, files and the audit of others.
ELSEWHERE = {
    "svg+xml", "what hsi drew", "upper left", "lower left", "outside right center",
    "outside lower center", "outside upper right", "outside right upper", "offset points",
    "comparison of networks", "none given", "is a file", " pixels searched · best similarity ",
    "dense matrix", "batch.yaml", "chi-square",
}  # fmt: skip


def pieces(path):
    """Every piece of a sentence in a module that is neither documentation nor an error."""
    tree = ast.parse(path.read_text("utf-8"))
    apart = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        error = isinstance(node, ast.Call) and getattr(node.func, "id", "").endswith("Error")
        if error or getattr(node, "name", "") in TERMINAL:
            apart |= {id(each) for each in ast.walk(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in apart:
            for piece in re.split(r"(?<=[.?!]) ", node.value):
                if len(WORDS.findall(piece)) > 1 and re.search("[A-Za-z] ", piece.strip()):
                    yield piece


# In the folder of the pages of batches, but no part of a page.
NO_PAGE = ("terminal_tables", "paper_table")
OF_PAGES = [path for path in SOURCES if path.stem not in NO_PAGE]


@pytest.mark.parametrize("path", OF_PAGES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_no_sentence_of_a_page_is_missing_in_the_catalogue(path):
    """Branches that no sample reaches, too."""
    known = [PLACE.sub("\0", key).lower() for key, _ in entries()]
    missing = [
        piece
        for piece in pieces(path)
        if not any(piece.strip(" .,;:·").lower() in key for key in known)
        and piece not in ELSEWHERE
        and not piece.startswith(("A split leaks where", "It is disjoint where none", "2014, Rem"))
    ]
    assert missing == []


def test_names_and_listings_stay_and_what_is_missing_is_said(chinese, monkeypatch):
    monkeypatch.setattr(documents, "has_font", lambda: True)
    heads = (Column("class", number=False), Column("pixels"))
    table = Table("The runs one by one.", heads, [[Cell("test", colour="#ff0000"), 3]])
    said_first = [Remarks([Remark("Nobody translated this sentence.", warning=True)]), table]
    document = Document("Runs", "mine · 2 runs", [Section("Map", [*said_first])])
    done = Translator(chinese).document(document)
    assert (done.title, done.lead) == ("运行", "mine · 2 次运行")
    remarks, translated, note = done.sections[0].blocks
    assert remarks.remarks[0] == Remark("Nobody translated this sentence.", warning=True)
    assert translated.rows[0][0].text == "test"
    assert [column.head for column in translated.columns] == ["类别", "像素数"]
    assert note == Paragraph("有 1 处文字没有译文，保留英文。", "soft")
    listing = Document("Runs", "", [Section("", [Listing("The commands.", "hsi train")])])
    assert Translator(chinese).document(listing).sections[0].blocks == [
        Listing("命令。", "hsi train")
    ]


def test_without_a_font_figures_stay_english_and_the_page_says_so(left, monkeypatch):
    monkeypatch.setattr(figures, "chinese_font", lambda: None)
    with wanting("zh"), speaking("classification"):
        page = classification_source()
    assert "图中的文字为英文：本机没有安装中文字体" in page


def test_figures_are_translated_where_a_font_is(chinese, monkeypatch):
    monkeypatch.setattr(figures, "chinese_font", lambda: "DejaVu Sans")
    figure = Drawing()
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], label="position alone")
    axes.set(xlabel="predicted", title="mine")
    axes.set_yticks([0, 1], ["all together", "Corn"])
    axes.legend()
    figures.translate_figure(figure)
    assert axes.get_xlabel() == "判定" and axes.get_title() == "mine"
    assert [each.get_text() for each in axes.get_yticklabels()] == ["全部一起", "Corn"]
    assert axes.get_legend().get_texts()[0].get_text() == "仅凭位置"
    assert axes.xaxis.label.get_fontfamily() == ["DejaVu Sans", "DejaVu Sans"]


def test_nothing_is_spoken_but_english_unless_asked(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    assert (wanted(), said("runs"), enumerate_names(["a", "b", "c"])) == (
        "en", "runs", "a, b and c",
    )  # fmt: skip
    with wanting("zh"), speaking("classification"):
        assert (said("runs"), enumerate_names(["a", "b", "c"])) == ("运行数", "a、b 和 c")
    with wanting("zh"), speaking("something else"):
        assert said("runs") == "runs"
    monkeypatch.setenv(VARIABLE, "fr")
    with pytest.raises(ConfigError, match="HSI_LANGUAGE"):
        wanted()


def test_the_command_line_says_which_pages_there_are(hsi, tmp_path, monkeypatch):
    make_batch(tmp_path / "batch", Sample(runs=1, models={"svm": (0.8, 0.7)}))
    status, out, err = hsi("report", tmp_path / "batch", "--language", "zh")
    assert (status, beyond_first(err)) == (0, []) and CHINESE.search(out)
    assert '<html lang="zh">' in (tmp_path / "batch" / "report.html").read_text("utf-8")
    status, out, _ = hsi("report", tmp_path / "batch")
    assert status == 0 and not CHINESE.search(out)
    assert '<html lang="en">' in (tmp_path / "batch" / "report.html").read_text("utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(speaking_module, "TRANSLATED", ("batch",))
    given = ("train", "--dataset", "digits", "--output", tmp_path / "runs")
    status, _, err = hsi(*given, "--language", "zh")
    assert (status, err.count("\n")) == (2, 1)
    assert "--language: zh for a page of image classification; expected one of batch" in err
    assert not (tmp_path / "runs").exists()
    status, _, err = hsi("report", tmp_path / "batch", "--language", "fr")
    assert status == 2 and "en" in err
    monkeypatch.setenv(VARIABLE, "fr")
    status, _, err = hsi("report", tmp_path / "batch")
    assert (status, err.count("\n")) == (2, 1) and VARIABLE in err
