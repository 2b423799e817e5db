import numpy as np
import pytest
from sklearn.ensemble import GradientBoostingClassifier

from hsi_suite.restoration.boosted_trees import from_scikit_learn, read_trees, write_trees
from hsi_suite.restoration.noise_kind import CODED_FIT, WHITE_FIT


def fitted(depth=3, count=20):
    rng = np.random.default_rng(0)
    numbers = rng.normal(size=(400, 5))
    noisy = numbers[:, 0] * numbers[:, 1] + 0.3 * rng.normal(size=400) > 0
    weights = np.where(noisy, 2.0, 1.0)
    model = GradientBoostingClassifier(
        n_estimators=count, max_depth=depth, min_samples_leaf=25, random_state=0
    )
    return model.fit(numbers, noisy, sample_weight=weights), rng.normal(size=(200, 5))


@pytest.mark.parametrize("depth", [1, 4])
def test_chances_are_those_of_scikit_learn(depth, tmp_path):
    model, numbers = fitted(depth)
    expected = model.predict_proba(numbers)[:, 1]
    assert np.ptp(expected) > (0.1 if depth == 1 else 0.5)
    trees = from_scikit_learn(model)
    assert [trees.chance(row) for row in numbers] == pytest.approx(expected, abs=1e-9)
    write_trees(tmp_path / "fits.npz", {"a": trees, "b": from_scikit_learn(fitted(2, 3)[0])})
    stored = read_trees(tmp_path / "fits.npz", "a")
    assert [stored.chance(row) for row in numbers] == pytest.approx(expected, abs=1e-5)


def test_branches_that_end_early_are_found():
    model, _ = fitted(4)
    sizes = {tree[0].tree_.n_leaves for tree in model.estimators_}
    assert min(sizes) < 16  # some branches do
    assert len(from_scikit_learn(model).leaves) == 20


def test_the_package_ships_a_fit_for_each_kind_of_picture():
    from importlib import resources

    with resources.as_file(resources.files("hsi_suite.restoration") / "noise_kinds.npz") as path:
        counts = {"colour": 120, "grey": 120, "colour_jpeg": 130, "grey_jpeg": 130}
        for name, count in (counts | {WHITE_FIT: 120, CODED_FIT: 123}).items():
            trees = read_trees(path, name)
            assert trees.features.max() < count and 0 < trees.chance(np.zeros(count)) < 1
