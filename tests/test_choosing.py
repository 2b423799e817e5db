"""`--model auto`: what is tried on folds of the training pixels, and what is then chosen."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from scenes_samples import small_cube
from scipy.stats import t as student
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import hsi_suite as hsi
from hsi_suite.data.scene import Scene
from hsi_suite.data.scene_stack import stack_scenes
from hsi_suite.data.spatial_folds import pixel_folds
from hsi_suite.data.splits import load_split
from hsi_suite.engine.distributed import Team
from hsi_suite.engine.observer import Observer
from hsi_suite.errors import ConfigError, RunError, Stopped
from hsi_suite.metrics.fold_scores import FoldCounts, behind, best_of, first_of
from hsi_suite.models.description import describe_model
from hsi_suite.models.listing import list_models
from hsi_suite.reports.choices import choice_remarks
from hsi_suite.runs.folder import CHOICE
from hsi_suite.runs.identity import run_identity
from hsi_suite.runs.training import resume, train
from hsi_suite.schemas.choosing import AUTO
from hsi_suite.seeding import SeedStreams
from hsi_suite.tasks.scenes import choosing
from hsi_suite.tasks.scenes.configuration import classification_config, resolve

pytestmark = pytest.mark.stand_in_pictures

FOLDS, GUARD = 3, 2
# The last two share a fit.
TRIED = {
    "spectral_angle": ("spectral_angle", 1),
    "lda": ("lda", 1),
    "wide_svm": ("wide_svm", 3),
    "wide_svm model.window=1": ("wide_svm", 1),
}


def auto(*candidates, folds=FOLDS):
    return [f"auto.candidates=[{', '.join(candidates)}]", f"auto.folds={folds}", "threads=1"]


ASK = {"model": "auto", "settings": auto(*TRIED), "verbose": 0}


@pytest.fixture(scope="module")
def scene():
    """Fields, each with spectra of its own, so that neighbours tell more than the class."""
    cube, labels = small_cube(40, 42, bands=10)
    fields = (np.arange(40)[:, None] // 5) * 6 + np.arange(42)[None] // 7
    own = np.random.default_rng(1).normal(0, 900, (fields.max() + 1, 10))
    return (cube + own[fields]).astype(np.float32), labels.astype(np.int64)


@pytest.fixture(scope="module")
def run(scene, tmp_path_factory):
    settings = [*ASK["settings"], f"split.guard={GUARD}", "train.calibration=none"]
    options = {**ASK, "settings": settings, "split": "disjoint"}
    return hsi.train(*scene, **options, output=tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="module")
def split(run):
    return load_split(run.path / "split.npz")


def choice_of(metrics):
    (choice,) = metrics["choices"]
    return choice


def rows_of(choice):
    return {row["name"]: row for row in choice["candidates"]}


def figures(truth, answers):
    """Overall accuracy, average accuracy and their mean."""
    recalls = [(answers[truth == each] == each).mean() for each in np.unique(truth)]
    overall, average = (answers == truth).mean(), np.mean(recalls)
    return np.array([overall, average, (overall + average) / 2])


def brute_force(scene, split):
    """Truth and answers of every candidate on every fold, one fit after the other."""
    cube, labels = scene[0].copy(), scene[1].copy()
    cube.reshape(-1, cube.shape[2])[split.test] = np.nan
    labels.ravel()[split.test] = 0
    folds = pixel_folds(
        split.train, labels.ravel()[split.train] - 1, labels.shape, folds=FOLDS, guard=split.guard,
        rare_classes="train", generator=SeedStreams(0, {}).numpy("init", "choice"),
    )  # fmt: skip
    found = {name: [] for name in TRIED}
    for learnt, tested in folds:
        parts = {"train": np.sort(split.train[learnt]), "test": np.sort(split.train[tested])}
        own = replace(split, kind="file", validation=np.empty(0, np.int64), **parts)
        truth = labels.ravel()[own.test]
        for name, (model, window) in TRIED.items():
            settings = {"train.calibration": "none"}
            one = hsi.SceneClassifier(model, window=window, settings=settings, threads=1, verbose=0)
            answers = one.fit(cube, labels, split=own).predict(cube).ravel()[own.test]
            found[name].append((truth, answers))
            if model == "lda":
                flat = cube.reshape(-1, cube.shape[2]).astype(np.float64)
                lda = LinearDiscriminantAnalysis("lsqr", shrinkage="auto")
                lda = make_pipeline(StandardScaler(), lda)
                lda.fit(flat[own.train], labels.ravel()[own.train])
                assert (lda.predict(flat[own.test]) == answers).mean() > 0.995
    return found


def pooled(folds, without=None):
    kept = [each for number, each in enumerate(folds) if number != without]
    return figures(*(np.concatenate(each) for each in zip(*kept, strict=True)))


def test_brute_force_over_candidates_and_folds_chooses_the_same(run, scene, split):
    choice, found = choice_of(run.metrics), brute_force(scene, split)
    rows = rows_of(choice)
    assert list(rows) == list(TRIED)
    scores = {name: pooled(folds)[2] for name, folds in found.items()}
    best = max(scores, key=scores.get)
    assert choice["best"] == best
    assert choice["guard"] == GUARD and choice["folds"] == FOLDS
    assert choice["pixels"] == sum(len(truth) for truth, _ in found[best])
    for name, folds in found.items():
        row = rows[name]
        own = [row["overall_accuracy"], row["average_accuracy"], row["score"]]
        assert own == pytest.approx(pooled(folds), abs=1e-12)
        assert row["by_fold"] == pytest.approx([figures(*each)[2] for each in folds], abs=1e-12)
        value = scores[best] - scores[name]
        left = [(pooled(found[best], f) - pooled(folds, f))[2] - value for f in range(FOLDS)]
        half = student.ppf(0.975, FOLDS - 1) * np.sqrt((FOLDS - 1) / FOLDS * np.square(left).sum())
        assert row["behind"]["value"] == pytest.approx(value, abs=1e-12)
        if name != best:
            ends = [row["behind"]["low"], row["behind"]["high"]]
            assert ends == pytest.approx([value - half, value + half])
            assert row["behind"]["apart"] == (not ends[0] <= 0 <= ends[1])


def test_the_run_is_that_of_the_chosen_candidate(run, scene, tmp_path):
    name, choice = choice_of(run.metrics)["chosen"], choice_of(run.metrics)
    model, window = TRIED[name]
    settings = [f"model.window={window}", f"split.guard={GUARD}", "train.calibration=none"]
    options = {"settings": [*settings, "threads=1"], "split": "disjoint", "verbose": 0}
    own = hsi.train(*scene, model=model, **options, output=tmp_path)
    assert np.array_equal(own.label_map, run.label_map)
    assert own.metrics["test"] == run.metrics["test"]
    assert own.metrics["leakage"] == run.metrics["leakage"]
    assert (run.metrics["model"], run.metrics["window"]) == ("auto", window)
    page = (run.path / "report.html").read_text()
    assert "How the model was chosen" in page and f"{name} was chosen of 4 candidates" in page
    seconds = json.loads((run.path / "cost.json").read_text())["candidate_seconds"]
    assert set(seconds) == set(TRIED) and min(seconds.values()) > 0
    assert "seconds" not in json.dumps(choice) and not (run.path / CHOICE).exists()


def test_commands_go_on_with_an_auto_run(run, scene):
    assert hsi.evaluate(run).equal
    assert hsi.replay(run).runs[0].identical
    answers = hsi.SceneClassifier.load(run, threads=1).predict(scene[0])
    assert np.array_equal(answers, run.label_map)


def test_no_test_pixel_takes_part(scene, split):
    cube, labels = scene
    # Principal components of the whole scene would see the spectra of test pixels.
    seen = auto(
        "lda", '"gaussian reduction.method=pca reduction.fit_on=scene reduction.components=4"'
    )
    settings = [*seen, "auto.rule=best"]
    changed, other = cube.copy(), labels.copy()
    rng = np.random.default_rng(5)
    changed.reshape(-1, 10)[split.test] = rng.normal(0, 5e4, (len(split.test), 10))
    other.ravel()[split.test] = rng.permutation(labels.ravel()[split.test])
    choices = [
        hsi.SceneClassifier("auto", settings=settings, threads=1, verbose=0)
        .fit(values, truth, split=split)
        .choice_
        for values, truth in ((cube, labels), (changed, labels), (cube, other), (changed, other))
    ]
    assert all(choice == choices[0] for choice in choices[1:])


class Interrupting(Observer):
    """Ctrl-C once two candidates are through."""

    def __init__(self):
        self.through = 0

    def message(self, text):
        self.through += "on the folds" in text
        if self.through == 2:
            raise KeyboardInterrupt


def test_a_killed_choice_goes_on_to_the_same_bits(run, tmp_path, monkeypatch):
    config = classification_config(config=str(run.path / "config.yaml"))
    with pytest.raises(Stopped):
        train(config, tmp_path, Interrupting())
    folder = tmp_path / run.path.name
    assert set(json.loads((folder / CHOICE).read_text())) == {"spectral_angle", "lda"}
    fits = []
    monkeypatch.setattr(choosing, "fit", lambda *given: fits.append(given) or own_fit(*given))
    gone_on = resume(folder)
    assert len(fits) == FOLDS  # the support vector machines, which share one on each fold
    for name in ("metrics.json", "model.safetensors", "map.npy", "config.yaml"):
        assert (folder / name).read_bytes() == (run.path / name).read_bytes()
    assert gone_on.metrics == run.metrics and not (folder / CHOICE).exists()


own_fit = choosing.fit


def test_what_was_tried_before_a_kill_may_be_damaged(tmp_path):
    path = tmp_path / CHOICE
    row = {"hits": [1, 2], "support": [3, 2], "seconds": 0.5}
    path.write_text(json.dumps({"lda": {"0": row}}))
    assert choosing.recorded(path, 2) == {"lda": {"0": row}}
    wrong = [{**row, **each} for each in ({"hits": [4, 0]}, {"hits": [1]}, {"hits": "ab"})]
    texts = [json.dumps({"lda": {"0": each}}) for each in wrong]
    for text in (*texts, "[]", '{"lda": 3}', "{"):
        path.write_text(text)
        with pytest.raises(RunError, match=r"choice\.json"):
            choosing.recorded(path, 2)


def test_each_fold_of_a_cross_validation_chooses_for_itself(scene, tmp_path):
    settings = auto("spectral_angle", "lda", "lda model.window=3", folds=2)
    settings += ["train.calibration=none", "split.folds=3", f"split.guard={GUARD}"]
    options = {**ASK, "settings": settings, "split": "spatial_folds"}
    nested = hsi.train(*scene, **options, output=tmp_path)
    assert len(nested.metrics["choices"]) == 3
    for number, found in enumerate(nested.metrics["choices"], 1):
        fold = load_split(nested.path / f"fold_{number}.npz")
        alone = hsi.SceneClassifier("auto", settings=settings[:3], threads=1, verbose=0)
        assert alone.fit(*scene, split=fold).choice_ == found
    assert not list(tmp_path.glob(f"*/*{CHOICE}"))
    page = (nested.path / "report.html").read_text()
    assert "The model of each of the 3 folds was chosen within its own training pixels" in page
    assert hsi.evaluate(nested).equal


def test_candidates_that_cannot_be_used_are_named(scene, tmp_path):
    settings = [*auto("lda", "spectral_angle"), "train.class_weights=balanced"]
    one = hsi.train(*scene, **{**ASK, "settings": settings}, output=tmp_path)
    choice = choice_of(one.metrics)
    assert choice["chosen"] == "lda"
    assert "to which all classes are equally likely" in rows_of(choice)["spectral_angle"]["why"]
    assert "spectral_angle cannot be used" in (one.path / "log.txt").read_text()
    assert "Could not be used: spectral_angle." in (one.path / "report.html").read_text()
    settings = [*auto("gaussian", "spectral_angle"), "train.class_weights=balanced"]
    with pytest.raises(ConfigError, match="no candidate can be used; gaussian: "):
        hsi.SceneClassifier("auto", settings=settings, verbose=0).fit(*scene)


def test_a_class_in_one_place_is_not_judged(scene):
    cube, labels = scene[0], scene[1].copy()
    labels[20, :6] = 4
    model = hsi.SceneClassifier("auto", settings=auto("lda", "spectral_angle"), verbose=0)
    # A block of six pixels may be divided, and a guard keeps its sides apart.
    apart = replace(hsi.splits.random(labels, train=0.9, seed=0), guard=8)
    assert model.fit(cube, labels, split=apart).choice_["not_judged"] == ["4"]
    assert 4 in model.classes_


def test_training_pixels_in_one_place_are_refused_in_one_line():
    labels = np.zeros((20, 20), np.int64)
    labels[3:5, 3], labels[3:5, 16] = 1, 2
    cube = np.random.default_rng(0).normal(size=(20, 20, 6))
    with pytest.raises(ConfigError, match=r"cannot be divided by place.*Lower auto\.folds"):
        hsi.SceneClassifier("auto", settings=auto("lda", folds=5), verbose=0).fit(cube, labels)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (auto("ldaa"), "auto.candidates: ldaa: unknown candidate 'ldaa'"),
        (auto("lda model.name=nobody"), "unknown candidate 'nobody'"),
        (auto("auto"), "of which auto itself is none"),
        (auto("lda", "lda"), "different candidates; 'lda' is there twice"),
        (auto("lda split.guard=3"), "a key of one of model, reduction, train"),
        (auto("lda model.window=4"), "an odd model.window"),
        (auto("lda model.windw=3"), "unknown key"),
        (auto("mine.py:Net"), "a network in a file"),
        (auto('""'), "names of configurations"),
        (["auto.candidates=[]"], "at least one candidate"),
        ([*auto("lda"), "auto.folds=1"], "greater than or equal to 2"),
        ([*auto("lda"), "auto.score=luck"], "average_accuracy"),
        ([*auto("lda"), "model.window=5"], "a window of each candidate's own"),
        ([*auto("lda"), "model.options.C=3"], "each candidate has its own"),
        ([*auto("lda"), "reduction.components=3"], "each candidate has its own"),
        ([*auto("lda model.window=5"), "split.guard=1"], "or name candidates with smaller windows"),
        (["model.name=lda"], "model.name=auto together with auto.candidates"),
    ],
)
def test_wrong_candidates_are_one_line(settings, words):
    with pytest.raises(ConfigError) as error:
        resolve(classification_config(dataset="synthetic_small", model="auto", settings=settings))
    assert words in str(error.value) and "\n" not in str(error.value)


def test_a_model_selected_by_validation_cannot_be_tried(scene):
    settings = auto("lda", "cnn1d train.selection=best train.epochs=1")
    settings.append("split.validation=0.2")
    choice = hsi.SceneClassifier("auto", settings=settings, verbose=0).fit(*scene).choice_
    assert (
        "have no validation part"
        in rows_of(choice)["cnn1d train.selection=best train.epochs=1"]["why"]
    )


def test_it_is_listed_and_is_no_network():
    assert list_models()[-1]["name"] == AUTO
    with pytest.raises(ConfigError, match="not a model but a choice of one"):
        describe_model(AUTO)


def test_windows_that_reach_over_the_guard_of_the_folds_are_said():
    behind = {"value": 0.0, "low": None, "high": None, "apart": False}
    row = {"name": "a", "score": 0.7, "behind": behind}
    choice = {
        "chosen": "a", "best": "a", "window": 7, "score": "mean", "folds": 5, "guard": 2,
        "made_of": "blocks", "not_judged": [], "candidates": [row],
    }  # fmt: skip
    scores = {"overall_accuracy": 0.7, "average_accuracy": 0.7}
    said = [each.text for each in choice_remarks({"choices": [choice], "test": scores})]
    assert len(said) == 2 and "windows of 7 pixels reach pixels that were learnt" in said[1]
    wider = {**choice, "guard": 3}
    assert len(choice_remarks({"choices": [wider], "test": scores})) == 1


def test_several_processes_are_refused():
    with pytest.raises(ConfigError, match="2 processes of torchrun"):
        choosing.chosen_alone(Team(0, 2))


def test_candidates_are_part_of_a_run_and_kept_whole(run):
    config = classification_config(config=str(run.path / "config.yaml"))
    assert resolve(config).auto == config.auto
    fewer = config.auto.model_copy(update={"candidates": config.auto.candidates[:2]})
    trees = [
        each.model_dump(mode="json") for each in (config, config.model_copy(update={"auto": fewer}))
    ]
    assert run_identity(trees[0], {}) != run_identity(trees[1], {})
    kept = {each.name: each.keys for each in config.auto.candidates}
    assert kept["lda"]["reduction"] == {"method": "standardize", "fit_on": "train"}
    # A shipped file that says something else later does not change what this run tried.
    assert kept["wide_svm"]["train"]["augmentation"] == {"gain": 0.1, "fields": 1.0}


def test_ties_and_the_first_that_is_level():
    support = np.array([[10, 10], [10, 10]])
    counts = {
        "a": FoldCounts(np.array([[8, 8], [4, 4]]), support),
        "b": FoldCounts(np.array([[4, 4], [9, 9]]), support),
        "c": FoldCounts(np.array([[4, 4], [9, 9]]), support),
    }
    assert best_of(counts, "mean") == "b" and first_of(counts, "mean") == "a"
    assert behind(counts["b"], counts["c"], "mean") == {
        "value": 0, "low": None, "high": None, "apart": False
    }  # fmt: skip


def test_folds_of_a_split_by_scenes_are_whole_scenes(scene):
    cube, labels = scene
    parts = [Scene(f"s{number}", cube, labels, class_names=("1", "2", "3")) for number in range(3)]
    stack = stack_scenes(parts, 4, ("1", "2", "3"))
    train = np.flatnonzero(stack.labels)
    train = train[train < (2 * 40 + 4) * 42]  # the last scene tests
    settings = auto("lda", folds=5)
    prepared = SimpleNamespace(
        split=SimpleNamespace(kind="scenes", train=train, guard=0, shape=stack.labels.shape),
        scene=stack,
        classes=stack.labels.ravel() - 1,
    )
    config = resolve(classification_config(dataset="synthetic", model="auto", settings=settings))
    folds = choosing.choice_folds(config, prepared)
    assert folds.words == "whole scenes" and len(folds.parts) == 2
    first = train < 40 * 42
    for (learnt, tested), own in zip(folds.parts, (first, ~first), strict=True):
        assert np.array_equal(tested, np.flatnonzero(own))
        assert np.array_equal(learnt, np.flatnonzero(~own))
