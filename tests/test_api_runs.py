"""Runs from Python: arrays in, typed results out, and errors of ours for what is misspelt."""

import inspect
import pickle
import re
import sys
import types
import typing

import numpy as np
import pytest
from inline_jobs import use_inline_jobs
from scenes_samples import small_cube, write_scene, write_yaml

import hsi_suite as hsi
from hsi_suite.api.progress import NotebookObserver, bars, job_progress, progress
from hsi_suite.engine.observer import Observer
from hsi_suite.errors import ConfigError, HsiSuiteError, ShapeError
from hsi_suite.metrics.measures import measure

pytestmark = pytest.mark.stand_in_pictures

# Each calibration fits five models more: test_pipeline_calibration.py shows what comes of them.
SMALL = {"threads": 1, "train.calibration": "none"}
CALLS = [hsi.train, hsi.evaluate, hsi.predict, hsi.batch, hsi.replay, hsi.compare, hsi.denoise,
         hsi.audit, hsi.splits.random, hsi.splits.disjoint, hsi.splits.masks, hsi.splits.read,
         hsi.read_scene, hsi.load_dataset, hsi.open_run, hsi.SceneClassifier, hsi.Retriever,
         hsi.Denoiser, hsi.models.create, hsi.models.register, hsi.models.names,
         hsi.models.describe]  # fmt: skip


@pytest.fixture(scope="module")
def scene():
    cube, labels = small_cube()
    return hsi.Scene(
        "my scene",
        cube,
        labels.astype(np.uint8),
        ("a", "b", "c"),
        wavelengths=np.linspace(400, 2400, 18),
    )


@pytest.fixture(scope="module")
def run(scene, tmp_path_factory):
    return hsi.train(
        scene, model="lda", settings=SMALL, output=tmp_path_factory.mktemp("runs"), verbose=0
    )


def test_arrays_train_what_files_do(tmp_path):
    files = write_scene(tmp_path)
    cube, labels = np.load(files["scene"]), np.load(files["labels"])
    options = {"model": "lda", "settings": SMALL, "output": tmp_path / "runs", "verbose": 0}
    by_files, by_arrays = hsi.train(**files, **options), hsi.train(cube, labels, **options)
    assert by_files.metrics["test"] == by_arrays.metrics["test"]
    assert np.array_equal(by_files.label_map, by_arrays.label_map)
    # What was in memory can be evaluated and done again from the folder alone.
    assert hsi.evaluate(by_arrays, verbose=0).equal
    assert hsi.replay(by_arrays, verbose=0).identical == 1
    assert hsi.train(cube.copy(order="F"), labels, **options).path == by_arrays.path
    assert len(list((tmp_path / "runs" / ".arrays").iterdir())) == 1


def test_a_scene_keeps_names_wavelengths_and_gaps(scene, run, tmp_path):
    assert [row["name"] for row in run.metrics["classes"]] == ["a", "b", "c"]
    assert run.path.name.startswith("my-scene_lda")
    model = hsi.SceneClassifier.load(run)
    assert model.classifier_.header.wavelengths[0] == 400
    valid = np.ones(scene.labels.shape, bool)
    valid[15] = False  # the line without labels
    holed = hsi.Scene("h", scene.cube, scene.labels, scene.class_names, valid=valid)
    found = hsi.train(holed, model="lda", settings=SMALL, output=tmp_path, verbose=0).label_map
    assert (found[15] == 0).all() and (np.delete(found, 15, 0) > 0).all()


def test_a_split_of_arrays_is_that_of_the_run(scene, tmp_path):
    split = hsi.splits.disjoint(scene.labels, guard=1, train=0.5)
    options = {"model": "lda", "settings": SMALL, "output": tmp_path, "verbose": 0}
    run = hsi.train(scene, split=split, **options)
    classifier = hsi.SceneClassifier("lda", settings=SMALL).fit(
        scene.cube, scene.labels, split=split
    )
    accuracy = classifier.score(scene.cube, scene.labels, split=split)
    assert run.metrics["test"]["overall_accuracy"] == pytest.approx(accuracy, abs=1e-12)
    assert run.metrics["split"]["test"] == len(split.test)


def test_predictions_stay_in_memory_or_are_written(scene, run, tmp_path):
    found = hsi.predict(run, scene.cube, probabilities=True, verbose=0)
    assert np.array_equal(found.labels, run.label_map) and found.written == ()
    assert found.probabilities.shape == (*scene.labels.shape, 3) and found.disagreement is None
    written = hsi.predict(run, scene, tmp_path / "map.npy", verbose=0)
    assert np.array_equal(np.load(tmp_path / "map.npy"), run.label_map)
    assert np.array_equal(written.labels, found.labels)
    xarray = pytest.importorskip("xarray")
    array = xarray.DataArray(np.moveaxis(scene.cube, 2, 0), dims=("band", "y", "x"))
    assert hsi.predict([run], array, verbose=0).labels.dims == ("y", "x")
    with pytest.raises(ShapeError, match="9 bands"):
        hsi.predict(run, scene.cube[..., :9], verbose=0)


def test_a_batch_of_keys_and_its_comparison(tmp_path, monkeypatch):
    use_inline_jobs(monkeypatch)
    data = write_scene(tmp_path)
    write_yaml(
        tmp_path / "small.yaml",
        {"extends": "classification/lda", "threads": 1, "data": data,
         "reduction": {"components": 5}, "train": {"calibration": "none"}},
    )  # fmt: skip
    keys = {"configs": (tmp_path / "small.yaml",), "runs": np.int64(1)}
    batch = hsi.batch(keys, output=tmp_path, verbose=0)
    assert len(batch.runs) == 1 and not batch.failures and "lda on cube" in repr(batch)
    contest = hsi.compare(batch)
    assert contest.groups[0]["name"] == hsi.compare([batch.runs[0]]).groups[0]["name"]
    assert "lda on cube" in repr(contest)
    with pytest.raises(ConfigError, match=r"^dataset: unknown key.*Did you mean datasets"):
        hsi.batch({"dataset": ["synthetic"]}, output=tmp_path)


def test_results_tell_what_they_are(scene, run):
    split = hsi.splits.random(scene.labels)
    shown = [
        (run, ("Run my-scene_lda", "overall accuracy", measure("overall_accuracy").unit)),
        (scene, ("Scene my scene", "30 × 28 × 18", "400 to 2400 nm")),
        (split, ("Split, random", "train", "pixels")),
        (hsi.audit(scene.labels, split, window=3), ("windows of 3 × 3", "position alone")),
        (hsi.evaluate(run, verbose=0), ("equal to the stored figures", "overall accuracy")),
        (hsi.predict(run, scene, verbose=0), ("Prediction of 3 classes", "pixels")),
        (hsi.replay(run, verbose=0), ("1 of 1 runs identical",)),
        (hsi.compare({"p": [0.9, 0.8], "q": [0.5, 0.6]}), ("1 pair", "overall accuracy")),
    ]
    for thing, words in shown:
        page = thing._repr_html_()
        assert all(word in repr(thing) and word.strip() in page for word in words), repr(thing)
        assert page.count("<table>") == 1
    assert "array(" not in repr(scene)
    assert "<script>" not in hsi.Scene("<script>", scene.cube)._repr_html_()


def test_what_a_run_says_of_itself_never_fails(tmp_path):
    (tmp_path / "config.yaml").write_text("task: classification\n")
    assert "not finished" in repr(hsi.open_run(tmp_path))
    (tmp_path / "metrics.json").write_text("{")
    assert "metrics.json" in repr(hsi.open_run(tmp_path))


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.__qualname__)
def test_a_misspelt_parameter_is_named_with_the_nearest(call):
    function = call.__init__ if isinstance(call, type) else call
    names = [name for name in inspect.signature(function).parameters if name != "self"]
    assert names
    longest = max(names, key=len)
    wrong = longest[0] + longest[2:]
    if any(p.kind is p.VAR_KEYWORD for p in inspect.signature(call).parameters.values()):
        return
    with pytest.raises(ConfigError, match=rf"no parameter '{wrong}'.*[Dd]id you mean"):
        call(**{wrong: 1})
    with pytest.raises(ConfigError, match="argument"):
        call(*range(40))


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.__qualname__)
def test_values_of_wrong_types_are_errors_of_ours(call):
    function = call.__init__ if isinstance(call, type) else call
    hints = typing.get_type_hints(function)
    needed = {
        name: "x" if str in (hints[name], *typing.get_args(hints[name])) else np.eye(4)
        for name, p in inspect.signature(function).parameters.items()
        if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD and name != "self"
    }
    guard = {"guard": 1} if "guard" in hints else {}
    # As scikit-learn has it, values of an estimator are looked at in `fit`.
    fitted_with = {
        hsi.SceneClassifier: (np.ones((4, 4, 3)), np.eye(4, dtype=int) + 1),
        hsi.Retriever: (np.eye(4), np.eye(4), [0, 0, 1, 1]),
    }

    def made(**given):
        result = call(**given)
        return result.fit(*fitted_with[call]) if call in fitted_with else result

    for name, hint in hints.items():
        if name in ("return", "drawing") or hint is typing.Any or "_SupportsArray" in str(hint):
            continue
        with pytest.raises(ConfigError, match=rf"^{name}: <object .*\(object\); expected"):
            made(**needed | guard | {name: object()})


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda s: hsi.train(s, split="disjiont"), "split: 'disjiont'.*'disjoint'"),
        (lambda s: hsi.train(s, settings={"train.epoch": 3}), "Did you mean train.epochs"),
        (lambda s: hsi.train(s, settings={"seeds.base": {1}}), r"settings: seeds.base: \{1\}"),
        (lambda s: hsi.train(s, settings="seeds.base=1"), "settings: 'seeds.base=1'"),
        (lambda s: hsi.train(s, learning_rate=1), r"settings=\{"),
        (lambda s: hsi.train(s, model="svmm"), "Did you mean svm"),
        (lambda s: hsi.train(s.cube), "labels: none"),
        (lambda s: hsi.train(s.cube, "labels.npy"), "labels: a file beside a scene in memory"),
        (lambda s: hsi.train("cube.npy", s.labels), "labels: an array beside a scene in a file"),
        (lambda s: hsi.train(s, class_names=["a"]), "names of classes: 1 names"),
        (lambda s: hsi.train(s, resume="x"), "resume: scene beside it"),
        (lambda s: hsi.train(s, epochs=True), r"epochs: True \(bool\)"),
        (lambda s: hsi.predict([], s), "runs: none"),
        (lambda s: hsi.compare([]), "scores: no runs"),
        (lambda s: hsi.compare({"a": ["x"], "b": [1]}), "scores of a"),
        (lambda s: hsi.compare({"a": [np.nan], "b": [1]}), "not finite"),
        (lambda s: hsi.audit(s.labels, s.labels > 0), "test: none"),
        (lambda s: hsi.models.names("clasification"), "Did you mean classification"),
        (lambda s: hsi.metrics.overall_accuracy([[1], [1, 2]], [1]), "different lengths"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_said_in_one_line(scene, tmp_path, monkeypatch, call, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(HsiSuiteError, match=message) as caught:
        call(scene)
    assert "\n" not in str(caught.value) and not list(tmp_path.glob("runs/*_*"))


def test_an_unknown_name_suggests_the_nearest():
    with pytest.raises(AttributeError, match="did you mean train"):
        _ = hsi.trian
    with pytest.raises(AttributeError):
        _ = hsi._private


def test_numpys_scalars_and_paths_are_as_good_as_pythons(scene, tmp_path):
    run = hsi.train(
        scene, model="lda", seed=np.int64(0), settings={"split.train": np.float32(0.5)},
        threads=np.int16(1), output=tmp_path, verbose=np.bool_(False), baselines=(),
    )  # fmt: skip
    assert run.metrics["seed"] == 0 and pickle.loads(pickle.dumps(run)) == run


class Page:
    """What IPython displays, kept."""

    def __init__(self, text):
        self.texts = [text]

    def update(self, text):
        self.texts.append(text)


def test_progress_is_drawn_in_notebooks(monkeypatch):
    pages = []

    def display(text, display_id):
        pages.append(Page(text))
        return pages[-1]

    kernel = types.SimpleNamespace(kernel=1)
    ipython = types.SimpleNamespace(get_ipython=lambda: kernel)
    drawing = types.SimpleNamespace(display=display, HTML=str)
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", drawing)
    for observer in (progress(1), job_progress(True), bars(1)):
        assert isinstance(observer, NotebookObserver)
    observer = progress(1)
    observer.begin("<training>", 4)
    observer._drawn = 0
    observer.advance(2)
    observer.epoch({"epoch": 1, "train_loss": 0.5}, 1.0)
    observer.end()
    first, moved, *_, last = pages[-1].texts
    assert "&lt;training&gt; 0 of 4" in first and "value='2' max='4'" in moved and last == ""
    monkeypatch.delitem(sys.modules, "IPython")
    assert type(progress(0)) is Observer and not isinstance(progress(1), NotebookObserver)


def test_estimators_only_draw_and_functions_also_speak(scene, capfd):
    hsi.SceneClassifier("cnn1d", epochs=1, settings={"threads": 1}).fit(scene.cube, scene.labels)
    assert capfd.readouterr() == ("", "")
    talk = hsi.SceneClassifier("cnn1d", epochs=1, settings={"threads": 1}, verbose=2)
    talk.fit(scene.cube, scene.labels)
    assert re.search("training by", capfd.readouterr().err)
