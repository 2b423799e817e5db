"""Wrong values of every key: one line that names the key and what was expected, before torch."""

import math

import numpy as np
import pytest
from refusals import refusal

from hsi_suite.config import dotted_keys, validate
from hsi_suite.data.pair_files import read_pairs
from hsi_suite.data.splits import check_guard
from hsi_suite.errors import ConfigError, InputFileError, SplitError
from hsi_suite.models.known_sizes import SMALL_STEMS, require_sizes
from hsi_suite.schemas.batch import BatchConfig
from hsi_suite.schemas.classification import ClassificationConfig
from hsi_suite.schemas.denoising import CameraConfig, DenoisingConfig
from hsi_suite.schemas.image_classification import ImageClassificationConfig
from hsi_suite.schemas.retrieval import RetrievalConfig
from hsi_suite.schemas.scene_data import OF_FILES, SceneConfig
from hsi_suite.tasks.retrieval.configuration import retrieval_config
from hsi_suite.tasks.retrieval.preparation import pairs_of_arrays
from hsi_suite.tasks.scenes.configuration import classification_config

BASES = {
    ClassificationConfig: {"data": {"dataset": "synthetic"}},
    RetrievalConfig: {"data": {"dataset": "synthetic"}},
    ImageClassificationConfig: {"data": {"dataset": "digits"}},
    DenoisingConfig: {
        "data": {"folder": "pictures", "colour": "rgb"},
        "noise": {"kind": "camera", "camera": {}, "artefacts": {"white": 0.3}},
    },
}
KEYS = [(schema, key) for schema in BASES for key in dotted_keys(schema)]
WRONG = (
    "", "nothing", -1, 0.5, 1e300, -1e300, math.nan, math.inf, True, None,
    [], [1], [2, 1], [1e300, 1e300], [1, 2, 3], [""], [math.nan, 1.0], {"a": 1}, 10**30,
)  # fmt: skip
# As pydantic writes for programmers.
FOR_PROGRAMMERS = ("should have", "Input should", "valid ", "after validation", "type=")


def with_value(schema, key, value):
    """The tree of a configuration with one key more."""
    tree = {name: dict(section) for name, section in BASES[schema].items()}
    *above, last = key.split(".")
    place = tree
    for name in above:
        place[name] = dict(place.get(name) or {})
        place = place[name]
    place[last] = value
    return tree


@pytest.mark.parametrize(("schema", "key"), KEYS)
def test_what_is_wrong_with_a_key_is_said_in_one_line(schema, key):
    for value in WRONG:
        tree = with_value(schema, key, value)
        found = refusal(lambda tree=tree: validate(schema, tree, "mine.yaml"))
        if found is None:
            # Bands are text, whatever YAML takes them for, and judged as such.
            assert key == "data.bands" or not (isinstance(value, float) and math.isinf(value))
            assert value != "", "an empty text"
            continue
        kind, line = found
        assert kind is ConfigError and "\n" not in line and "; expected " in line
        assert not any(words in line for words in FOR_PROGRAMMERS), line


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("jobs", "many", "jobs: 'many'; expected a whole number, without quotes or 'auto'"),
        ("numerics", ["mps"], "numerics.0: 'mps'; expected a whole number, without quotes or cpu,"),
        ("name", "a/b", "name: 'a/b'; expected letters, digits, '.', '_' and '-', a letter or"),
        ("vary", ["all", "splits"], "'augment' or 'data'. Did you mean split?"),
        ("configs", 3, "configs: 3; expected a list"),
    ],
)
def test_what_is_wrong_with_a_batch_is_said_in_plain_words(key, value, said):
    kind, line = refusal(lambda: validate(BatchConfig, {"runs": 2, key: value}, "mine.yaml"))
    assert kind is ConfigError and said in line


@pytest.mark.parametrize("key", OF_FILES)
def test_keys_of_files_are_refused_beside_a_data_set(key):
    value = {"shape": "[72, 72]", "axes": "y,x,band"}.get(key, "1")
    if SceneConfig.model_fields[key].annotation is bool:
        value = "true"
    elif "str" in str(SceneConfig.model_fields[key].annotation) and key != "axes":
        value = "mine"
    setting = f"data.{key}={value}"
    for configured in (
        lambda: classification_config(dataset="synthetic", settings=[setting]),
        lambda: retrieval_config(
            config="retrieval/synthetic_spectrum_rgb", settings=["data.seed=null", setting]
        ),
        lambda: retrieval_config(config="retrieval/features", settings=[setting]),
    ):
        kind, line = refusal(configured)
        assert kind is ConfigError and line.startswith(f"data.{key}: ")
        assert line.endswith("expected data.scene beside it. Leave it out")


def test_a_data_set_that_is_named_takes_the_files_of_a_configuration_away(tmp_path):
    (tmp_path / "mine.yaml").write_text(
        "data: {scene: a.npy, labels: b.npy, axes: 'y,x,band', nodata: 0.0, warp_labels: true}\n"
    )
    found = classification_config(config=str(tmp_path / "mine.yaml"), dataset="synthetic")
    defaults = SceneConfig.model_fields
    assert found.data.dataset == "synthetic" and found.data.scene is None
    assert all(getattr(found.data, key) == defaults[key].default for key in OF_FILES)


def test_a_seed_of_files_is_refused():
    def configured():
        classification_config(scene="a.npy", labels="b.npy", settings=["data.seed=3"], model="lda")

    assert "data.seed: 3 with files of your own; expected a synthetic" in refusal(configured)[1]


def test_no_camera_is_without_bounds():
    for name in CameraConfig.model_fields:
        huge = [1e8, 1e8] if isinstance(getattr(CameraConfig(), name), list) else 1e8
        tree = with_value(DenoisingConfig, f"noise.camera.{name}", huge)
        assert refusal(lambda tree=tree: validate(DenoisingConfig, tree, "mine.yaml")), name


def test_a_guard_wider_than_the_scene_is_refused():
    check_guard(8, 10, 4)
    assert refusal(lambda: check_guard(9, 10, 4))[0] is SplitError
    wide = ["split.guard=71", "model.window=1"]
    for kind in ("disjoint", "polygons", "spatial_folds"):
        settings = [f"split.kind={kind}", *wide]
        found = refusal(
            lambda settings=settings: classification_config(
                dataset="synthetic", model="lda", settings=settings
            )
        )
        assert found[1].startswith("split.guard: 71 pixels in a scene of 72 × 72; expected at most")


@pytest.mark.parametrize("name", SMALL_STEMS)
def test_least_windows_of_classic_networks_are_known(name):
    import torch

    from hsi_suite.models.building import build_model

    def built(window):
        with torch.device("meta"):
            build_model(
                name, in_channels=3, num_classes=3, window=window, options={}, generator=None
            )

    for window in (SMALL_STEMS[name], SMALL_STEMS[name] - 1):
        known = refusal(lambda w=window: require_sizes(name, {}, w, None))
        assert known == refusal(lambda w=window: built(w))
    require_sizes(name, {"stem": "imagenet"}, 1, None)


@pytest.mark.parametrize(
    ("words", "said"),
    {
        ("train", "--output", ""): "hsi train: Option '--output': an empty text; leave it out",
        ("retrieve", "query", "gallery", "--pixel="): "hsi retrieve query: Option '--pixel': an",
        ("detect", "a.npy", "--truth", " "): "hsi detect: Option '--truth': an empty text",
        ("data", "info", ""): "hsi data info: An empty text among the arguments; expected a name",
    }.items(),
)  # fmt: skip
def test_words_that_a_script_left_empty_are_refused(hsi, words, said):
    status, out, err = hsi(*words)
    assert (status, out) == (2, "") and err.startswith(f"error: {said}")
    assert err.count("\n") == 1


def test_no_baselines_may_be_an_empty_text(hsi):
    err = hsi("train", "--dataset", "synthetic", "--baselines", "", "--model", "nothing")[2]
    assert "unknown model 'nothing'" in err


def test_more_runs_than_a_batch_has_are_refused(hsi):
    status, _, err = hsi("train", "--dataset", "synthetic", "--runs", str(10**12))
    assert status == 2 and err.endswith(f"error: --runs: {10**12}; expected at most 100000\n")


def test_a_folder_that_is_gone_is_said(hsi, tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    status, _, err = hsi("train", "--dataset", "synthetic")
    assert status == 2 and "the folder that hsi was called in: is no longer there" in err


def test_spectra_beyond_single_precision_are_refused_by_models_of_single_spectra():
    import hsi_suite

    generator = np.random.default_rng(0)
    cube = generator.random((10, 10, 6)).astype(np.float32)
    settings = {"train.calibration": "none"}
    model = hsi_suite.SceneClassifier("lda", settings=settings, verbose=0)
    model.fit(cube, np.arange(100).reshape(10, 10) % 3)
    kind, line = refusal(lambda: model.predict(cube * np.float32(3e38)))
    assert kind is InputFileError and "too large for single precision" in line


def test_empty_texts_are_refused_in_python_too(tmp_path, monkeypatch):
    import hsi_suite

    monkeypatch.chdir(tmp_path)
    for call in (hsi_suite.replay, hsi_suite.evaluate, hsi_suite.Retriever.load, hsi_suite.batch):
        kind, line = refusal(lambda call=call: call(""))
        assert kind is ConfigError and ": an empty text; expected " in line
    found = refusal(lambda: hsi_suite.train(dataset="synthetic", output=" "))
    assert found[1].startswith("output: an empty text; expected ")


def test_huge_whole_numbers_and_tensors_with_gradients_are_refused_in_one_line():
    import torch

    import hsi_suite

    image = np.zeros((8, 8), np.float32)
    for value, said in ((10**30, "strength: 1e+30; expected 0 to 1"), (2, "strength: 2;")):
        found = refusal(lambda value=value: hsi_suite.denoise(image, 5, strength=value))
        assert found[1].startswith(said)
    found = refusal(lambda: hsi_suite.denoise(image, 10**400))
    assert found[0] is ConfigError and found[1].startswith("sigma: ")
    scores = torch.ones(3, requires_grad=True)
    found = refusal(lambda: hsi_suite.compare({"a": scores, "b": [0.1, 0.2]}))
    assert "expected a figure of each run" in found[1]


@pytest.mark.parametrize(
    ("setting", "said"),
    {
        "train=0.999999": "split.train: 0.999999, which leaves none of 12 pairs to test",
        "train=0.000001": "split.train, split.validation: 1e-06 and 0.1, which leave ",
        "validation=0.999999": "split.train, split.validation: 0.8 and 0.999999, which leave 1 of",
        "validation=0.000001": "split.validation: 1e-06, which leaves none of 12 pairs to select",
    }.items(),
)
def test_shares_that_leave_a_part_without_pairs_are_refused(tmp_path, setting, said):
    generator = np.random.default_rng(0)
    file = tmp_path / "pairs.npz"
    labels = np.arange(12) % 2
    np.savez(file, first=generator.random((12, 4)), second=generator.random((12, 3)), labels=labels)
    config = retrieval_config(
        config="retrieval/features", settings=[f"data.files={file}", f"split.{setting}"]
    )
    found = refusal(lambda: pairs_of_arrays(config, ("a", "b"), read_pairs(file)))
    assert found[0] is SplitError and found[1].startswith(said)
