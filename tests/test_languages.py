"""Pages in other languages: whole, with the same numbers, and English ones as they were."""

import ast
import re
import tomllib
from pathlib import Path

import pytest
from batch_samples import Sample, make_batch, make_denoising_batch, report_of
from matplotlib.figure import Figure as Drawing
from metrics_samples import NAMES, sample_metrics
from scenes_samples import write_scene
from task_samples import TASKS, finished_runs
from test_reports_html import report as classification_source

from hsi_suite.errors import ConfigError
from hsi_suite.reports.batches.sections import batch_document
from hsi_suite.reports.content import enumerate_names
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
from hsi_suite.reports.html import html_page
from hsi_suite.reports.languages import documents, figures
from hsi_suite.reports.languages import speaking as speaking_module
from hsi_suite.reports.languages.catalogue import Catalogue, catalogue, said
from hsi_suite.reports.languages.documents import Translator
from hsi_suite.reports.languages.speaking import VARIABLE, speaking, wanted, wanting
from hsi_suite.reports.markdown import markdown
from hsi_suite.reports.verdict import verdict
from hsi_suite.runs import launch
from hsi_suite.runs.folder import Run
from hsi_suite.runs.report import write_reports

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


# What writes the pages that are translated.
PAGES = [
    "classification", "verdict", "content", "folds", "probabilities", "confusions", "areas",
    "bands", "choices", "guards", "searches", "split_level", "pictures", "figures",
    "probability_figures",
]  # fmt: skip
CONTENTS = ["images/content", "denoising/content", "retrieval/content", "retrieval/figures"]
NOTES = ["verdicts", "comparison_notes", "statistics", "variance", "group_comparisons"]
SOURCES = [
    *(LIBRARY / "reports" / f"{name}.py" for name in PAGES),
    *sorted((LIBRARY / "reports" / "batches").glob("*.py")),
    *(LIBRARY / "tasks" / f"{task}" / "page.py" for task in ("scenes", "images", "denoising")),
    LIBRARY / "tasks" / "retrieval" / "page.py",
    *(LIBRARY / "reports" / f"{kind}.py" for kind in CONTENTS),
    LIBRARY / "tasks" / "scenes" / "class_areas.py",
    LIBRARY / "runs" / "pages.py",
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
    "outside lower center", "dense matrix", "batch.yaml", "chi-square",
    "All others are partly disjoint.",
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


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_no_sentence_of_a_page_is_missing_in_the_catalogue(path):
    """Branches that no sample reaches, too."""
    if path.stem in ("terminal_tables", "paper_table"):
        pytest.skip("not part of a page")
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
    with wanting("zh"), speaking("audit"):
        assert said("runs") == "runs"
    monkeypatch.setenv(VARIABLE, "fr")
    with pytest.raises(ConfigError, match="HSI_LANGUAGE"):
        wanted()


def test_the_command_line_says_which_pages_there_are(hsi, tmp_path, monkeypatch):
    make_batch(tmp_path / "batch", Sample(runs=1, models={"svm": (0.8, 0.7)}))
    status, out, err = hsi("report", tmp_path / "batch", "--language", "zh")
    assert (status, err) == (0, "") and CHINESE.search(out)
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
