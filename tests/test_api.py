"""The front door for Python: estimators and functions over arrays, as a researcher uses them."""

import inspect
import warnings

import numpy as np
import pytest
import torch
from scenes_samples import small_cube, write_scene
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from torch import nn

import hsi_suite as hsi
from hsi_suite.errors import ConfigError, HsiSuiteError, ShapeError, SplitError
from hsi_suite.runs.folder import MODEL

pytestmark = pytest.mark.stand_in_pictures

SMALL = ("train.calibration=none",)


class Mine(nn.Module):
    """A network of one's own."""

    def __init__(self, in_channels, num_classes, window):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(in_channels, 8, 3), nn.ReLU())
        self.head = nn.Linear(8, num_classes)

    def forward(self, windows):
        return self.head(self.body(windows).mean((2, 3)))


@pytest.fixture(scope="module")
def scene():
    """A cube and labels whose values do not begin at 1."""
    cube, labels = small_cube()
    return cube, np.array([0, 2, 5, 9], np.uint8)[labels]


def test_three_classifiers_side_by_side_as_a_researcher_writes_it(scene, capsys):
    cube, labels = scene
    # From here: their own cube and labels as arrays, a guarded split, three methods, one table.
    split = hsi.splits.disjoint(labels, guard=2, train=0.5)
    print(hsi.audit(labels, split, window=5))
    ours = hsi.SceneClassifier("hybridsn_separable", window=9, epochs=1,
                               settings=["reduction.components=13"])  # fmt: skip
    mine = hsi.SceneClassifier(Mine, window=5, epochs=1, settings=["reduction.components=13"])
    scores = {
        name: [model.fit(cube, labels, split=split).score(cube, labels, split=split)]
        for name, model in (("hybridsn", ours), ("mine", mine))
    }
    spectra, classes = cube.reshape(-1, cube.shape[2]), labels.reshape(-1)
    svm = make_pipeline(StandardScaler(), SVC()).fit(spectra[split.train], classes[split.train])
    scores["svm"] = [svm.score(spectra[split.test], classes[split.test])]
    print(hsi.compare(scores))
    found = ours.predict(cube)
    # To here.
    text = capsys.readouterr().out
    assert "nearest neighbour on the position alone" in text and "can tell nothing" in text
    assert found.shape == labels.shape and set(np.unique(found)) <= {2, 5, 9}
    assert split.guard == 2 and scores["svm"][0] > 0.9


def test_an_image_and_a_cube_are_denoised_in_two_lines(scene):
    rng = np.random.default_rng(0)
    image = np.clip(100 + rng.normal(0, 20, (40, 48)), 0, 255).astype(np.uint8)
    clean, cube = hsi.denoise(image, sigma=20), hsi.denoise(scene[0].astype(np.float32))
    assert clean.dtype == np.uint8 and clean.std() < image.std() / 3
    assert cube.dtype == np.float32 and cube.shape == scene[0].shape


def test_it_is_what_the_command_line_trains(scene, tmp_path):
    files = write_scene(tmp_path)
    cube, labels = np.load(files["scene"]), np.load(files["labels"])
    run = hsi.train(**files, model="svm", settings=[*SMALL, "threads=1"], output=tmp_path / "runs")
    split = hsi.splits.random(labels, train=0.3)
    model = hsi.SceneClassifier("svm", settings=SMALL, threads=1).fit(cube, labels, split=split)
    accuracy = run.metrics["test"]["overall_accuracy"]
    assert model.score(cube, labels, split=split) == pytest.approx(accuracy, abs=1e-12)
    assert np.array_equal(model.predict(cube), run.label_map)
    loaded = hsi.SceneClassifier.load(run.path / MODEL)
    assert np.array_equal(loaded.predict(cube), run.label_map)


def test_scikit_learns_ways(scene, tmp_path):
    cube, labels = scene
    model = hsi.SceneClassifier("cnn1d", epochs=1, settings=["threads=1"])
    with pytest.raises(NotFittedError):
        model.predict(cube)
    assert clone(model).get_params()["epochs"] == 1 and "cnn1d" in repr(model)
    assert model.set_params(epochs=2) is model and "SceneClassifier" in model._repr_html_()
    model.fit(cube, labels)
    assert model.classes_.tolist() == [2, 5, 9] and model.n_features_in_ == 18
    shares = model.predict_proba(cube)
    assert shares.shape == (*labels.shape, 3) and np.allclose(shares.sum(2), 1)
    assert np.array_equal(model.classes_[shares.argmax(2)], model.predict(cube))
    model.save(tmp_path / "model.safetensors")
    again = hsi.SceneClassifier.load(tmp_path / "model.safetensors")
    assert np.array_equal(again.predict(cube), model.predict(cube))
    assert again.classes_.tolist() == [2, 5, 9]
    same = clone(model).fit(cube, labels)
    assert torch.equal(same.classifier_.network.head.weight, model.classifier_.network.head.weight)


def test_missing_pixels_stay_missing(scene):
    cube, labels = scene[0].astype(np.float64), scene[1].copy()
    cube[3, 4, 7] = np.nan
    model = hsi.SceneClassifier("svm", settings=SMALL)
    if labels[3, 4]:
        with pytest.raises(ShapeError, match="not finite at labelled pixels"):
            model.fit(cube, labels)
    labels[3, 4] = 0
    model.fit(cube, labels)
    assert model.predict(cube)[3, 4] == 0 and (model.predict(cube) == 0).sum() == 1
    assert np.isnan(model.predict_proba(cube)[3, 4]).all()


def test_data_arrays_come_back_with_their_coordinates(scene):
    xarray = pytest.importorskip("xarray")
    cube, labels = scene
    array = xarray.DataArray(
        np.moveaxis(cube, 2, 0), dims=("band", "y", "x"),
        coords={"y": np.arange(30) * 10.0, "x": np.arange(28) * 10.0,
                "wavelength": ("band", np.linspace(400, 2400, 18))},
    )  # fmt: skip
    model = hsi.SceneClassifier("svm", settings=SMALL).fit(array, labels)
    found = model.predict(array)
    assert found.dims == ("y", "x") and found.coords["y"].values[3] == 30.0
    assert model.classifier_.header.wavelengths[0] == 400
    assert np.array_equal(found.values, model.predict(cube))
    clean = hsi.denoise(array.astype("float32"))
    assert clean.dims == ("y", "x", "band") and "wavelength" in clean.coords
    with pytest.raises(ShapeError, match="dimensions a, b, c; expected y, x and band"):
        model.predict(xarray.DataArray(cube, dims=("a", "b", "c")))


@pytest.mark.parametrize(
    ("cube", "labels", "message"),
    [
        (np.zeros((4, 5)), np.ones((4, 5), int), "lines × samples × bands"),
        (np.zeros((4, 5, 0)), np.ones((4, 5), int), "lines × samples × bands"),
        (np.array([["a"]]), np.ones((1, 1), int), "values of type"),
        ([[1, 2], [3]], np.ones((1, 1), int), "different lengths"),
        (np.zeros((4, 5, 3)), np.ones((5, 4), int), r"labels: shape \(5, 4\)"),
        (np.zeros((4, 5, 3)), np.full((4, 5), 0.5), "no whole numbers"),
        (np.zeros((4, 5, 3)), np.full((4, 5), np.nan), "no whole numbers"),
        (np.zeros((4, 5, 3)), np.full((4, 5), -1), "values from -1"),
        (np.zeros((4, 5, 3)), np.full((4, 5), 70_000), "values from 70000"),
        (np.zeros((4, 5, 3)), np.zeros((4, 5), int), "no labelled pixel"),
        (np.zeros((4, 5, 3)), np.ones((4, 5), int), "a single class"),
        (np.zeros((4, 5, 3), complex), np.ones((4, 5), int), "values of type complex"),
    ],
)
def test_wrong_arrays_get_one_clear_line(cube, labels, message):
    with pytest.raises(HsiSuiteError, match=message) as caught:
        hsi.SceneClassifier("svm").fit(cube, labels)
    assert "\n" not in str(caught.value)


def test_wrong_parameters_get_one_clear_line(scene):
    for parameters, message in (
        ({"model": "hybridsm"}, "hybridsn"),
        ({"model": "svm", "window": 4}, r"model\.window"),
        ({"model": "cnn1d", "epochs": 0}, "epochs"),
        ({"model": "ssrn", "window": 99}, "a window of 99|window: 99"),
        ({"model": nn.Linear, "settings": ["reduction.components=5"]}, "takes no in_channels"),
    ):
        with pytest.raises(HsiSuiteError, match=message):
            hsi.SceneClassifier(**{"settings": SMALL, **parameters}).fit(*scene)
    other = scene[0][:, :, :9]
    model = hsi.SceneClassifier("svm", settings=SMALL).fit(*scene)
    with pytest.raises(ShapeError, match="9 bands; expected 18 bands"):
        model.predict(other)


def test_splits_of_masks_and_their_audit(scene):
    labels = scene[1]
    left = np.zeros(labels.shape, bool)
    left[:, :14] = True
    split = hsi.splits.masks(labels, left, ~left)
    by_masks = hsi.audit(labels, left, ~left, window=5)
    assert by_masks == hsi.audit(labels, split, window=5)
    assert by_masks.leakage.min_distance == 1
    # One by one: the class of the nearest training pixel.
    side, test = (np.argwhere((labels > 0) & mask) for mask in (left, ~left))
    nearest = side[((test[:, None] - side[None]) ** 2).sum(2).argmin(1)]
    right = labels[tuple(nearest.T)] == labels[tuple(test.T)]
    assert by_masks.position_accuracy == right.mean()
    # By hand: of the test pixels those within two samples of the border lie in a 5 × 5 window.
    inside = (labels[:, 14:16] > 0).sum() / (labels[:, 14:] > 0).sum()
    assert by_masks.leakage.test_inside_training_window == pytest.approx(inside)
    with pytest.raises(SplitError, match="pixels in two parts"):
        hsi.splits.masks(labels, left, left)
    with pytest.raises(SplitError, match="test: no labelled pixel"):
        hsi.splits.masks(labels, left, np.zeros_like(left))
    with pytest.raises(ShapeError, match="train: shape"):
        hsi.splits.masks(labels, left.T, ~left)
    with pytest.raises(SplitError, match=r"of .* pixels; expected"):
        hsi.SceneClassifier("svm").fit(scene[0][:20], labels[:20], split=split)


def test_figures_of_label_arrays():
    truth, found = np.array([[3, 3, 0], [7, 7, 7]]), np.array([[3, 7, 3], [7, 7, 9]])
    assert hsi.metrics.overall_accuracy(truth, found) == 3 / 5
    assert hsi.metrics.average_accuracy(truth, found) == pytest.approx((1 / 2 + 2 / 3) / 2)
    by_class = hsi.metrics.class_scores(truth, found)["per_class"]
    assert [row["name"] for row in by_class] == ["3", "7", "9"]
    for wrong in (found[:1], found.astype(float)):
        with pytest.raises(ShapeError):
            hsi.metrics.overall_accuracy(truth, wrong)
    with pytest.raises(ShapeError, match="nothing labelled"):
        hsi.metrics.cohen_kappa(np.zeros(3, int), np.ones(3, int))


def test_networks_by_name_are_plain_modules():
    net = hsi.models.create("hybridsn_separable", in_channels=13, num_classes=4, window=9, seed=1)
    same = hsi.models.create("hybridsn_separable", in_channels=13, num_classes=4, window=9, seed=1)
    pairs = zip(net.parameters(), same.parameters(), strict=True)
    assert all(torch.equal(*pair) for pair in pairs)
    assert "hybridsn" in hsi.models.names("classification")
    with pytest.raises(ConfigError, match="no num_classes and no window"):
        hsi.models.create("hybridsn", in_channels=13)
    assert hsi.blocks.BLOCKS is not None


def test_denoising_refuses_what_it_cannot_know():
    with pytest.raises(ShapeError, match=r"numbers from 0 to 300.*white"):
        hsi.denoise(np.linspace(0, 300, 1024).reshape(32, 32), sigma=20)
    for array, message in (
        (np.zeros((9, 9), complex), "complex"),
        (np.full((9, 9), np.nan), "not finite"),
        (np.zeros(5), "lines × samples × bands"),
    ):
        with pytest.raises(ShapeError, match=message):
            hsi.denoise(array, sigma=20)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        white = hsi.denoise(np.full((32, 32, 3), 300.0), sigma=20, white=400)
    assert white.shape == (32, 32, 3)


@pytest.mark.parametrize("name", hsi.__all__)
def test_every_public_name_says_what_it_is(name):
    thing = getattr(hsi, name)
    assert len(inspect.getdoc(thing)) > 20
    if inspect.isfunction(thing):
        assert not any(
            parameter.annotation is inspect.Parameter.empty
            for parameter in inspect.signature(thing).parameters.values()
        )
