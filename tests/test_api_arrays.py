"""Arrays as they come: odd ones are taken as plain ones, wrong ones get one clear line of ours."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from retrieval_samples import gaussian_views
from sklearn.utils.estimator_checks import check_estimator

import hsi_suite as hsi
from hsi_suite.errors import HsiSuiteError, ShapeError

pytestmark = pytest.mark.stand_in_pictures

SMALL = {"threads": 1, "model.options": {}}
LINES, SAMPLES, BANDS = 9, 8, 5


@pytest.fixture(scope="module")
def plain():
    rng = np.random.default_rng(0)
    labels = np.repeat([[3, 0, 7, 200]], LINES, 0).repeat(2, 1)
    cube = rng.normal(100, 3, (LINES, SAMPLES, BANDS)).round() + 20 * (labels[..., None] % 5)
    return cube, labels


@pytest.fixture(scope="module")
def fitted(plain):
    return hsi.SceneClassifier("lda", settings=SMALL).fit(*plain)


@pytest.fixture(scope="module")
def retriever():
    first, second, classes = gaussian_views(60)
    settings = {"train.selection": "last", "split.validation": 0, "threads": 1}
    return hsi.Retriever(epochs=1, settings=settings).fit(first, second, classes)


CUBE, LABELS = (
    np.ones((LINES, SAMPLES, BANDS)),
    np.ones((LINES, SAMPLES), int) + np.eye(9, 8, dtype=int),
)
MASK = LABELS > 1
WRONG = {
    "objects": np.full((LINES, SAMPLES), None),
    "texts": np.full((LINES, SAMPLES), "a"),
    "complex": np.full((LINES, SAMPLES), 1j),
    "dates": np.full((LINES, SAMPLES), "2020-01-01", "datetime64[D]"),
    "a scalar": np.float64(3),
    "nothing": np.zeros((0, 0)),
    "none": None,
    "ragged": [[1, 2], [3]],
    "one row": np.arange(SAMPLES),
    "four dimensions": np.ones((2, 2, 2, 2, 2)),
    "with gradient": torch.ones((LINES, SAMPLES), requires_grad=True),
    "records": np.zeros((LINES, SAMPLES), [("a", int)]),
}
WRONG_LABELS = WRONG | {
    "negative": LABELS - 3,
    "halves": LABELS / 2,
    "nan": np.where(MASK, np.nan, 1),
    "inf": np.where(MASK, np.inf, 1),
    "too large": LABELS * 70_000,
    "unlabelled": LABELS * 0,
    "a cube": CUBE,
}
CALLS = {
    "fit": lambda m, r, a: m.fit(a, LABELS),
    "predict": lambda m, r, a: m.predict(a),
    "predict_proba": lambda m, r, a: m.predict_proba(a),
    "score": lambda m, r, a: m.score(a, LABELS),
    "train": lambda m, r, a: hsi.train(_not_none(a), LABELS, output="never"),
    "Scene predict": lambda m, r, a: hsi.predict("never", _not_none(a)),
    "transform": lambda m, r, a: r.transform(a),
    "kneighbors": lambda m, r, a: r.kneighbors(np.ones((2, 40)), a),
    "Retriever.fit": lambda m, r, a: hsi.Retriever().fit(a, np.ones((9, 2)), np.arange(9) % 2),
    "Retriever.scores": lambda m, r, a: r.scores(a, np.ones((9, 25)), np.arange(9) % 2),
}
LABEL_CALLS = {
    "fit": lambda m, r, a: m.fit(CUBE, a),
    "score": lambda m, r, a: m.score(CUBE, a),
    "train": lambda m, r, a: hsi.train(CUBE, _not_none(a), output="never"),
    "audit": lambda m, r, a: hsi.audit(a, MASK, ~MASK),
    "splits.random": lambda m, r, a: hsi.splits.random(a),
    "splits.disjoint": lambda m, r, a: hsi.splits.disjoint(a, guard=1),
    "splits.polygons": lambda m, r, a: hsi.splits.polygons(a, guard=1),
    "splits.masks": lambda m, r, a: hsi.splits.masks(a, MASK, ~MASK),
}
IMAGE_CALLS = {
    "denoise": lambda m, r, a: hsi.denoise(a, sigma=20),
    "estimate_sigma": lambda m, r, a: hsi.Denoiser().estimate_sigma(a),
}


def _not_none(array):
    """None of a function that may do without stands for something else."""
    return b"x" if array is None else array


def _refused(call, fitted, retriever, array):
    with pytest.raises(HsiSuiteError) as caught:
        call(fitted, retriever, array)
    line = str(caught.value)
    assert "\n" not in line and caught.value.found
    return line


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("kind", WRONG)
def test_wrong_items_and_cubes(fitted, retriever, call, kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    _refused(CALLS[call], fitted, retriever, WRONG[kind])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("call", LABEL_CALLS)
@pytest.mark.parametrize("kind", WRONG_LABELS)
def test_wrong_labels(fitted, retriever, call, kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    _refused(LABEL_CALLS[call], fitted, retriever, WRONG_LABELS[kind])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", sorted({*WRONG} - {"with gradient"}))
def test_wrong_images(fitted, retriever, kind):
    for call in IMAGE_CALLS.values():
        _refused(call, fitted, retriever, WRONG[kind])


def test_wrong_masks_and_weights(plain):
    cube, labels = plain
    for mask in (MASK.T, MASK[:4], MASK.astype(str), MASK.astype(complex), None, [[1], [1, 0]]):
        _refused(lambda m, r, a: hsi.splits.masks(labels, a, ~MASK), None, None, _not_none(mask))
    model = hsi.SceneClassifier("lda", settings=SMALL).fit(cube, labels)
    for weights in (MASK.T * 1.0, -np.ones(labels.shape), np.full(labels.shape, np.nan), "a"):
        _refused(lambda m, r, a: m.score(cube, labels, a), model, None, weights)


ODD = {
    "uint16": lambda a: a.astype(np.uint16),
    "int64": lambda a: a.astype(np.int64),
    "float16": lambda a: a.astype(np.float16),
    "big-endian": lambda a: a.astype(">f8"),
    "big-endian whole": lambda a: a.astype(">i2"),
    "long double": lambda a: a.astype(np.longdouble),
    "Fortran order": np.asfortranarray,
    "a view": lambda a: np.repeat(a, 2, 1)[:, ::2],
    "backwards": lambda a: a[::-1][::-1],
    "masked nowhere": np.ma.masked_array,
    "a list": lambda a: a.tolist(),
    "a tensor": lambda a: torch.from_numpy(a.copy()),
}


@pytest.mark.parametrize("kind", ODD)
def test_odd_arrays_are_taken_as_plain_ones(plain, fitted, kind):
    cube, labels = (ODD[kind](each) for each in plain)
    expected = fitted.predict(plain[0])
    assert np.array_equal(fitted.predict(cube), expected)
    assert fitted.score(cube, labels) == fitted.score(*plain)
    again = hsi.SceneClassifier("lda", settings=SMALL).fit(cube, labels)
    assert np.array_equal(again.predict(plain[0]), expected)
    assert again.classes_.tolist() == [3, 7, 200]


@pytest.mark.parametrize("mode", ["P", "LA", "RGBA", "CMYK", "YCbCr", "1"])
def test_pictures_whose_numbers_are_no_colours_are_refused(mode):
    picture = Image.new("RGB", (32, 32)).convert(mode)
    with pytest.raises(
        ShapeError, match=rf"of mode {mode}; expected grey or RGB\. Give image\.conv"
    ):
        hsi.denoise(picture, sigma=20)
    assert hsi.denoise(Image.new("RGB", (32, 32)), sigma=20).shape == (32, 32, 3)


def test_the_name_of_a_file_is_no_array():
    for name in ("a.png", Path("a.png")):
        with pytest.raises(ShapeError, match=r"the name 'a\.png'.*Read the file first"):
            hsi.denoise(name)


def test_half_precision_is_given_back():
    image = np.full((32, 32), 0.5, np.float16)
    assert hsi.denoise(image, sigma=20).dtype == np.float16


def test_numbers_of_twelve_bits_are_asked_about_and_options_are_arguments():
    image = np.random.default_rng(0).integers(0, 4096, (32, 32), "u2")
    with pytest.warns(UserWarning, match=r"reach .*; white names another, such as 4095") as found:
        hsi.denoise(image, sigma=20)
    assert {Path(each.filename).name for each in found} == {"test_api_arrays.py"}
    with pytest.warns(UserWarning, match="left as it is; noise camera"):
        hsi.denoise(np.full((32, 32), 90, np.uint8))


def test_what_nobody_may_write_to_is_left_alone(plain, fitted):
    cube, labels = (each.copy() for each in plain)
    for each in (cube, labels):
        each.setflags(write=False)
    assert np.array_equal(fitted.predict(cube), fitted.predict(plain[0]))
    fitted.score(cube, labels)
    image = np.full((32, 32), 100, np.uint8)
    image.setflags(write=False)
    hsi.denoise(image, sigma=20)


def test_masked_values_are_missing(plain, fitted):
    cube = np.ma.masked_array(plain[0].astype(np.int32), mask=False)
    cube[2, 3, 1] = np.ma.masked
    found = fitted.predict(cube)
    assert found[2, 3] == 0 and (found == 0).sum() == 1
    labels = np.ma.masked_array(plain[1], mask=plain[1] == 7)
    model = hsi.SceneClassifier("lda", settings=SMALL).fit(plain[0], labels)
    assert model.classes_.tolist() == [3, 200]


def test_labels_of_data_arrays_are_turned_by_their_names(plain, fitted):
    xarray = pytest.importorskip("xarray")
    cube = xarray.DataArray(plain[0].transpose(1, 2, 0), dims=("x", "band", "y"))
    labels = xarray.DataArray(plain[1].T, dims=("x", "y"))
    assert fitted.score(cube, labels) == fitted.score(*plain)
    assert hsi.splits.random(labels).shape == plain[1].shape
    with pytest.raises(HsiSuiteError, match="dimensions a, b"):
        fitted.score(cube, labels.rename(x="a", y="b"))


# Checks of scikit-learn hand over a table of samples and wait for what an estimator of tables
# says: one of whole scenes refuses the table before all else, unless these are refused earlier.
TABLE = "expected lines × samples × bands"
EARLIER = {
    "check_complex_data": "expected whole or real numbers",
    "check_dtype_object": "expected whole or real numbers",
    "check_estimator_sparse_tag": "expected whole or real numbers",
    "check_estimator_sparse_array": "expected whole or real numbers",
    "check_estimator_sparse_matrix": "expected whole or real numbers",
    "check_classifiers_one_label_sample_weights": "no parameter 'sample_weight'",
}


def test_scikit_learns_own_checks():
    found = check_estimator(hsi.SceneClassifier("lda", settings=SMALL), on_fail=None, on_skip=None)
    passed = {each["check_name"] for each in found if each["status"] == "passed"}
    assert passed >= {
        "check_estimator_cloneable", "check_no_attributes_set_in_init",
        "check_get_params_invariance",
        "check_set_params", "check_estimator_repr", "check_parameters_default_constructible",
        "check_estimators_unfitted", "check_mixin_order", "check_valid_tag_types",
    }  # fmt: skip
    for each in found:
        if each["status"] == "failed":
            raised, name = each["exception"], each["check_name"]
            ours = raised if isinstance(raised, HsiSuiteError) else raised.__cause__
            assert isinstance(ours, HsiSuiteError), (name, raised)
            assert EARLIER.get(name, TABLE) in str(ours), (name, ours)
