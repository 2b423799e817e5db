"""The floor of a guard: how position alone does at each, and what each leaves."""

import json
import shutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scenes_samples import small_cube
from scipy.io import loadmat

import hsi_suite as hsi
from hsi_suite.data import position_curve as module
from hsi_suite.data.partition_problem import can_be_divided
from hsi_suite.data.position_curve import GuardRow, PositionCurve, position_curve
from hsi_suite.metrics.position import NEAR_CHANCE, position_skill
from hsi_suite.reports.classification import heading
from hsi_suite.runs.report import write_reports
from hsi_suite.runs.run_differences import compare_metrics
from hsi_suite.tasks.scenes.configuration import classification_config, resolve
from hsi_suite.tasks.scenes.preparation import with_guard

pytestmark = pytest.mark.stand_in_pictures


def parcels(lines, samples, num_classes, seed, edge=4):
    """Blocky parcels with unlabelled gaps."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, num_classes + 1, (-(-lines // edge), -(-samples // edge)))
    return np.kron(coarse, np.ones((edge, edge), int))[:lines, :samples]


def by_hand(labels, guard):
    """What a row holds, pixel by pixel, of the classes that can be divided."""
    classes = [c for c in np.unique(labels) if c and can_be_divided(labels, c, guard)]
    known = np.where(np.isin(labels, classes), labels, 0)
    places, own = np.argwhere(known > 0), known[known > 0]
    commonest = np.bincount(own).argmax()
    hits = left = 0
    for place, label in zip(places, own, strict=True):
        away = np.abs(places - place)
        beyond = away.max(1) > guard
        left += bool((beyond & (own == label)).any())
        squares = (away**2).sum(1)
        answer = commonest
        if beyond.any():
            # Of equally near ones the first class.
            answer = own[beyond & (squares == squares[beyond].min())].min()
        hits += answer == label
    return len(classes), left, hits / len(own), (own == commonest).mean()


@settings(max_examples=6, deadline=None)
@given(st.integers(12, 20), st.integers(12, 20), st.integers(2, 4), st.integers(0, 10**6))
def test_every_row_is_what_brute_force_finds(lines, samples, num_classes, seed):
    labels = parcels(lines, samples, num_classes, seed)
    rows = position_curve(labels).rows
    assert [row.guard for row in rows] == list(range(len(rows)))
    for row in rows:
        classes, left, accuracy, commonest = by_hand(labels, row.guard)
        assert (row.classes, row.pixels) == (classes, left)
        assert row.overall_accuracy == pytest.approx(accuracy)
        assert row.commonest == pytest.approx(commonest)


def test_the_floor_is_the_first_guard_near_chance():
    curve = position_curve(parcels(60, 60, 4, 3))
    skills = {row.guard: row.skill for row in curve.rows}
    assert curve.reached and 0 < curve.floor < 20
    assert skills[curve.floor] < NEAR_CHANCE
    assert all(skills[guard] >= NEAR_CHANCE for guard in skills if guard < curve.floor)


def test_where_nothing_gets_near_chance_the_least_score_counts(monkeypatch):
    monkeypatch.setattr(module, "NEAR_CHANCE", -2.0)
    labels = np.where(np.arange(40)[:, None] < 20, 1, 2) * np.ones((1, 30), int)
    curve = position_curve(labels)
    assert not curve.reached
    least = min(row.skill for row in curve.rows)
    assert curve.floor == next(row.guard for row in curve.rows if row.skill == least)
    assert position_curve(np.zeros((5, 5), int)).floor == 0


def test_classes_drawn_at_random_need_no_guard():
    labels = np.random.default_rng(0).integers(1, 4, (40, 40))
    assert position_curve(labels).floor == 0


def test_nothing_is_told_across_scenes():
    one, other = parcels(20, 20, 3, 1), parcels(20, 20, 3, 2)
    stacked = np.concatenate([one, np.zeros((1, 20), int), other])
    apart = position_curve(stacked, [(0, 20), (21, 41)]).rows
    # Each pixel finds its nearest one in its own scene, or none.
    for row in apart[:6]:
        kept = [c for c in (1, 2, 3) if can_be_divided(stacked, c, row.guard)]
        hits = total = 0
        for scene in (one, other):
            own = np.where(np.isin(scene, kept), scene, 0)
            places, labels = np.argwhere(own > 0), own[own > 0]
            commonest = np.bincount(stacked[np.isin(stacked, kept)]).argmax()
            for place, label in zip(places, labels, strict=True):
                away = np.abs(places - place)
                beyond = away.max(1) > row.guard
                squares = (away**2).sum(1)
                answer = commonest
                if beyond.any():
                    answer = labels[beyond & (squares == squares[beyond].min())].min()
                hits += answer == label
                total += 1
        assert row.overall_accuracy == pytest.approx(hits / total)


def test_large_maps_are_thinned_and_their_scores_are_of_whole_steps(monkeypatch):
    labels = parcels(120, 120, 4, 5, edge=12)
    whole = {row.guard: row for row in position_curve(labels).rows}
    monkeypatch.setattr(module, "_KNOWN", 3000)
    thin = position_curve(labels)
    assert thin.step == 2
    assert all(row.guard % 2 == 1 for row in thin.rows)
    for row in thin.rows[:8]:
        assert (row.pixels, row.classes) == (whole[row.guard].pixels, whole[row.guard].classes)
        assert row.overall_accuracy == pytest.approx(whole[row.guard].overall_accuracy, abs=0.06)


def test_indian_pines_needs_15_pixels(data_dir):
    labels = loadmat(data_dir / "scenes" / "Indian_pines_gt.mat")["indian_pines_gt"]
    curve = position_curve(labels.astype(int))
    assert curve.floor == 15
    first = curve.rows[0]
    assert first.overall_accuracy > 0.99 and (first.pixels, first.classes) == (10249, 16)


@pytest.fixture(scope="module")
def scene():
    """Parcels of 4 pixels, whose floor is above the radius of a single spectrum."""
    cube, _ = small_cube(36, 36)
    return cube, parcels(36, 36, 3, 4)


@pytest.fixture(scope="module")
def run(scene, tmp_path_factory):
    """On a disjoint split whose guard nobody chose."""
    return trained(scene, tmp_path_factory.mktemp("runs"))


def trained(scene, folder, kind="disjoint", **more):
    keys = {"model": "lda", "split": kind, "output": folder, "verbose": 0, **more}
    return hsi.train(*scene, **keys)


@pytest.mark.parametrize("kind", ["polygons", "spatial_folds"])
def test_every_split_with_a_guard_has_the_floor(scene, tmp_path, kind):
    run = trained(scene, tmp_path, kind)
    assert run.metrics["split"]["guard"] == run.metrics["guard_curve"]["floor"] > 0


def test_a_guard_that_nobody_chose_is_the_floor(scene, run):
    floor = position_curve(scene[1]).floor
    assert floor > 0
    assert run.metrics["split"]["guard"] == run.config["split"]["guard"] == floor
    curve = run.metrics["guard_curve"]
    assert curve["floor"] == floor and curve["near_chance"]
    assert {"guard", "overall_accuracy", "commonest", "pixels", "classes"} == set(curve["rows"][0])
    assert f"split.guard: {floor} pixels" in (run.path / "log.txt").read_text()
    page = (run.path / "report.html").read_text()
    assert f"The floor of this scene is {floor} pixels" in page
    # The number says the same as none: one run.
    same = trained(scene, run.path.parent, settings=[f"split.guard={floor}"])
    assert run.path == same.path


@pytest.mark.parametrize(
    ("window", "given", "guard"), [(1, None, 4), (7, "auto", 4), (13, None, 6), (5, 2, 2)]
)
def test_the_window_asks_for_its_radius_and_a_user_for_less(window, given, guard):
    row = GuardRow(4, 0.3, 0.25, 100, 3)
    settings = [f"model.window={window}"] + ([] if given is None else [f"split.guard={given}"])
    config = resolve(
        classification_config(
            dataset="synthetic", model="resnet_18", split="disjoint", settings=settings
        )
    )
    assert with_guard(config, PositionCurve((row,), 1)).split.guard == guard


def test_a_split_is_called_disjoint_where_the_audit_agrees(scene, run, tmp_path):
    for each in (trained(scene, tmp_path, settings=["split.guard=0"]), run):
        position = each.metrics["baselines"]["position"]["overall_accuracy"]
        supports = [entry["support"] for entry in each.metrics["test"]["per_class"]]
        skill = position_skill(position, max(supports) / sum(supports))
        audited = hsi.audit(scene[1], str(each.path)).level
        agrees = audited == "disjoint"
        assert agrees == (skill < NEAR_CHANCE)
        assert ("disjoint split" in heading(each.metrics)) == agrees
        text = " ".join((each.path / "report.html").read_text().split())
        assert ("this split is disjoint" in text) == agrees
        if not agrees:
            assert f"By the audit&#39;s rule this split is {audited}" in text or (
                "By the audit&#39;s rule this split leaks" in text
            )
    assert agrees


def test_runs_from_before_the_curve_open_and_replay(run, tmp_path):
    new, run = run, hsi.Run(tmp_path / run.path.name)
    shutil.copytree(new.path, run.path)
    path = run.path / "metrics.json"
    old = json.loads(path.read_text())
    del old["guard_curve"]
    path.write_text(json.dumps(old))
    write_reports(run.path)
    assert "The floor of this scene" not in (run.path / "report.html").read_text()
    assert hsi.evaluate(run.path, verbose=0).equal
    assert hsi.replay(run.path, verbose=0).status == 0
    assert compare_metrics(hsi.Run(run.path), new).identical


def test_what_is_no_guard_is_refused(scene, tmp_path):
    with pytest.raises(hsi.HsiSuiteError, match=r"split\.guard"):
        trained(scene, tmp_path, settings=["split.guard=wide"])
