"""Several scenes at once: which belong together, how they are divided, what no window sees."""

import json
from dataclasses import replace

import drawn_samples as drawn
import numpy as np
import pytest
import shapely
import torch

import hsi_suite
from hsi_suite.data.formats.envi_writer import write_envi as write_file
from hsi_suite.data.formats.tiff_writer import write_layers_tiff
from hsi_suite.data.joined_classes import SceneClasses, join_classes
from hsi_suite.data.leakage import FAR, audit, nearest_training_distance
from hsi_suite.data.pixel_spectra import PixelSpectra
from hsi_suite.data.readers import open_scene, read_labels, read_scene
from hsi_suite.data.reduction import fit_pca
from hsi_suite.data.scene import Georeference, Scene
from hsi_suite.data.scene_list import NamedScene, named_scenes
from hsi_suite.data.scene_overlap import shared_ground
from hsi_suite.data.scene_split import SceneParts, scene_split
from hsi_suite.data.scene_stack import lines_of, pixels_to_fit, stack_scenes
from hsi_suite.data.splits import PARTS
from hsi_suite.engine.observer import Observer
from hsi_suite.errors import ConfigError, HsiSuiteError, InputFileError, SplitError, Stopped
from hsi_suite.pipelines.classification import resolve
from hsi_suite.reports.split_level import LEAKS, PARTLY, run_level
from hsi_suite.runs.identity import run_identity
from hsi_suite.runs.training import resume, train
from hsi_suite.schemas.classification import ClassificationConfig
from hsi_suite.tasks.scenes.classifier_loading import load_classifier
from hsi_suite.tasks.scenes.configuration import classification_config
from hsi_suite.tasks.scenes.preparation import prepare
from hsi_suite.tasks.scenes.scene_domain import unlike_scenes
from hsi_suite.tasks.scenes.training_memory import MemoryLimit
from hsi_suite.tasks.shared.opening import scene_lines

pytestmark = pytest.mark.stand_in_pictures

SIZES = {"a": (22, 18), "b": (17, 24), "c": (20, 13)}
BANDS, WINDOW = 16, 9
SMALL = [f"model.window={WINDOW}", "reduction.components=13", "train.epochs=1", "threads=1"]
SVM = ["threads=1"]


def place(number):
    return Georeference("EPSG:32633", (30.0, 0.0, 364095.0 + 9000 * number, 0.0, -30.0, 5809965.0))


def values(name, bands=BANDS, seed=0):
    """Cube and labels, of which one line is unlabelled."""
    lines, samples = SIZES[name]
    shift = list(SIZES).index(name)
    labels = (np.arange(lines)[:, None] // 4 + np.arange(samples) // 5 + shift) % 3 + 1
    spectra = np.random.default_rng(seed).uniform(500, 3000, (4, bands))
    noise = np.random.default_rng([seed, shift]).normal(0, 60, (lines, samples, bands))
    cube = (spectra[labels] + noise).astype(np.float32)
    labels[lines // 2] = 0
    return cube, labels.astype(np.uint8)


def write(folder, name, bands=BANDS, labels=True, **keys):
    cube, truth = values(name, bands, **keys)
    number = list(SIZES).index(name)
    write_layers_tiff(
        folder / f"{name}.tif", cube, [f"b{n}" for n in range(bands)], place(number), None
    )
    if labels:
        np.save(folder / f"{name}_labels.npy", truth)
    return folder / f"{name}.tif", folder / f"{name}_labels.npy"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    there = tmp_path_factory.mktemp("scenes")
    for name in SIZES:
        write(there, name)
    return there


@pytest.fixture(scope="module")
def files(folder):
    return {
        "scene": [str(folder / f"{name}.tif") for name in SIZES],
        "labels": [str(folder / f"{name}_labels.npy") for name in SIZES],
    }


@pytest.fixture(scope="module")
def run(files, tmp_path_factory):
    output = tmp_path_factory.mktemp("runs")
    return hsi_suite.train(
        **files, test_scenes=["b"], settings=SMALL, output=output, verbose=0, seed=3,
        baselines=["svm"],
    )  # fmt: skip


def stacked(gap=WINDOW // 2, names=SIZES):
    scenes = [Scene(name, *values(name), ("x", "y", "z")) for name in names]
    return scenes, stack_scenes(scenes, gap, ("x", "y", "z"))


def parts(scene):
    return SceneParts([part.name for part in scene.parts], lines_of(scene))


class Heard(Observer):
    """Keeps what is said."""

    def __init__(self):
        self.said = []

    def message(self, text):
        self.said.append(text)


def prepared(*settings, scene, model="svm", **options):
    """What a run would be trained on, and what was said."""
    settings = ["reduction.components=2", "threads=1", *settings]
    config = resolve(classification_config(scene=scene, model=model, settings=settings, **options))
    heard = Heard()
    return prepare(config, heard), heard.said


def refused(hsi, *arguments):
    """The one line that a command ends with."""
    status, _, err = hsi(*map(str, arguments))
    assert status == 2 and err.count("error: ") == 1 and err.strip().count("\n") <= 3, err
    return " ".join(err.split())


# --- One stack of scenes -----------------------------------------------------------------------


@pytest.mark.parametrize("window", [1, 3, 7, 13])
def test_no_window_sees_a_pixel_of_another_scene(window):
    """By brute force: every window of the stack against the window in the padded scene alone."""
    scenes, stack = stacked(gap=max(1, window // 2))
    reduction = fit_pca(PixelSpectra(stack.cube).of(np.flatnonzero(stack.valid)), 4, True)

    def sampler(scene):
        from hsi_suite.data.patches import scene_sampler

        cube = PixelSpectra(scene.cube)[:].reshape(scene.lines, scene.samples, BANDS)
        reduced = reduction.apply(cube)
        reduced[~stack.valid if scene is stack else np.zeros(cube.shape[:2], bool)] = 0
        return scene_sampler(reduced, window, torch.device("cpu"))

    together = sampler(stack)
    for scene, part in zip(scenes, stack.parts, strict=True):
        own = np.arange(scene.lines * scene.samples)
        lines, samples = np.divmod(own, scene.samples)
        there = (lines + part.first_line) * stack.samples + samples
        found = together.gather(torch.from_numpy(there))
        assert torch.equal(found, sampler(scene).gather(torch.from_numpy(own)))


@pytest.mark.parametrize("gap", [1, 4])
def test_a_stack_holds_every_scene_and_nothing_else(gap):
    scenes, stack = stacked(gap)
    cube = stack.cube.read()
    for scene, part in zip(scenes, stack.parts, strict=True):
        np.testing.assert_array_equal(cube[part.place], scene.cube)
        np.testing.assert_array_equal(stack.labels[part.place], scene.labels)
        assert stack.valid[part.place].all()
    assert stack.valid.sum() == sum(scene.lines * scene.samples for scene in scenes)
    assert not cube[~stack.valid].any() and not stack.labels[~stack.valid].any()
    for first in range(0, stack.lines, 5):
        last = min(first + 9, stack.lines)
        np.testing.assert_array_equal(stack.cube.read(first, last), cube[first:last])


def test_drawn_features_of_scenes_stay_apart():
    scenes, _ = stacked()
    drawn_ones = [
        replace(scene, label_features=np.where(scene.labels > 0, scene.labels, 0).astype(np.int32))
        for scene in scenes[:2]
    ]
    stack = stack_scenes([*drawn_ones, scenes[2]], 3, ("x", "y", "z"))
    sets = [set(np.unique(stack.label_features[part.place])) - {0} for part in stack.parts]
    assert sets == [{1, 2, 3}, {4, 5, 6}, set()]


def test_a_stack_predicts_what_each_scene_alone_gives(run, files):
    """Maps of the run are of the stack; `hsi predict` sees each file by itself."""
    for name, file in zip(SIZES, files["scene"], strict=True):
        alone = hsi_suite.predict(run, file, verbose=0)
        row = next(each for each in run.metrics["scenes"] if each["name"] == name)
        assert alone.labels.shape == (row["lines"], row["samples"])
        together = read_labels(run.path / "maps" / f"{name}.tif").labels
        np.testing.assert_array_equal(alone.labels, together)


def test_logits_of_a_stack_are_those_of_its_scenes(run):
    classifier = load_classifier(run.path / "model.safetensors", torch.device("cpu"), 1)
    scenes, stack = stacked()
    both = classifier.probabilities(stack.cube.read(), stack.valid)
    for scene, part in zip(scenes, stack.parts, strict=True):
        alone = classifier.probabilities(scene.cube, None)
        np.testing.assert_allclose(both[part.place], alone, atol=2e-6)
    assert np.isnan(both[~stack.valid]).all()


def test_held_out_scenes_say_nothing_of_the_reduction():
    scenes, stack = stacked()
    split = scene_split(
        stack.labels, parts(stack), test_scenes=["b"], generator=np.random.default_rng(0)
    )
    chosen = pixels_to_fit(stack, split)
    assert not chosen[stack.parts[1].place].any()
    kept = [scene.lines * scene.samples for scene in (scenes[0], scenes[2])]
    assert chosen.sum() == sum(kept)
    pooled = replace(split, kind="random")
    assert pixels_to_fit(stack, pooled) is stack.valid


def test_the_model_does_not_depend_on_what_the_test_scene_holds(files, folder, tmp_path, run):
    """Other values in the held-out scene, the same weights and reduction to the last bit."""
    write(tmp_path, "b", seed=8)
    scenes = [files["scene"][0], str(tmp_path / "b.tif"), files["scene"][2]]
    other = hsi_suite.train(
        scenes, files["labels"], test_scenes=["b"], settings=SMALL, output=tmp_path / "runs",
        verbose=0, seed=3, baselines=["svm"],
    )  # fmt: skip
    assert other.path.name != run.path.name
    weights = [
        load_classifier(each.path / "model.safetensors", torch.device("cpu"), 1)
        for each in (run, other)
    ]
    one, two = (each.tensors() | vars(each.reduction) for each in weights)
    assert all(np.array_equal(one[name], two[name]) for name in one)
    assert weights[0].header.domain == weights[1].header.domain


# --- The split by scenes -----------------------------------------------------------------------


def test_named_scenes_test_and_all_others_train():
    _, stack = stacked()
    split = scene_split(
        stack.labels, parts(stack), test_scenes=["c"], generator=np.random.default_rng(0)
    )
    for part, names in (("train", "ab"), ("test", "c")):
        pixels = getattr(split, part)
        inside = [p for p in stack.parts if p.mine(pixels, stack.samples).any()]
        assert [p.name for p in inside] == list(names)
        assert len(pixels) == sum((values(name)[1] > 0).sum() for name in names)
    assert not len(split.validation) and split.kind == "scenes"


@pytest.mark.parametrize("seed", range(5))
def test_a_scene_is_never_divided_between_training_and_test(seed):
    rng = np.random.default_rng(seed)
    count = int(rng.integers(2, 9))
    lines = [(n * 6, n * 6 + 5) for n in range(count)]
    labels = np.zeros((6 * count, 9), np.int32)
    for first, last in lines:
        labels[first:last] = rng.integers(0, 4, (5, 9))
    where = SceneParts([f"s{n}" for n in range(count)], lines)
    split = scene_split(
        labels, where, train=0.6, validation=0.3, rare_classes="drop", generator=rng
    )
    of = {part: set((getattr(split, part) // 9 // 6).tolist()) for part in PARTS}
    assert not (of["train"] | of["validation"]) & of["test"] and of["train"] and of["test"]
    pixels = np.concatenate([getattr(split, part) for part in PARTS])
    assert len(np.unique(pixels)) == len(pixels) == np.isin(labels, split.classes).sum()
    # Whole scenes select, or blocks of the training scenes.
    training = len(of["train"] | of["validation"])
    whole = np.floor(0.3 * training + 0.5)
    if not of["train"] & of["validation"]:
        assert len(of["validation"]) == whole and len(of["train"]) >= 2


def test_drawn_test_scenes_leave_every_class_on_both_sides():
    labels = np.zeros((24, 6), np.int32)
    lines = [(n * 6, n * 6 + 5) for n in range(4)]
    for (first, last), classes in zip(lines, ((1, 2), (1, 3), (2, 3), (1, 2)), strict=True):
        labels[first:last, :3], labels[first:last, 3:] = classes
    where = SceneParts(list("pqrs"), lines)
    for seed in range(6):
        split = scene_split(labels, where, train=0.5, generator=np.random.default_rng(seed))
        assert split.classes == (1, 2, 3) and not split.train_only
        assert set(labels.ravel()[split.train]) == set(labels.ravel()[split.test]) == {1, 2, 3}


def test_classes_that_one_side_alone_has_are_said():
    labels = np.zeros((17, 6), np.int32)
    lines = [(0, 5), (6, 11), (12, 17)]
    for (first, last), classes in zip(lines, ((1, 2), (1, 3), (1, 4)), strict=True):
        labels[first:last, :3], labels[first:last, 3:] = classes
    where = SceneParts(list("pqr"), lines)
    options = {"test_scenes": ["r"], "generator": np.random.default_rng(0)}
    split = scene_split(labels, where, **options)
    assert split.dropped == {4: "only in r, no training scene"}
    assert split.train_only == {2: "only in p, no test scene", 3: "only in q, no test scene"}
    assert split.classes == (1, 2, 3)
    with pytest.raises(SplitError, match="class 4: only in r, no training scene"):
        scene_split(labels, where, rare_classes="error", **options)
    with pytest.raises(SplitError, match="1 classes are left"):
        scene_split(labels, where, rare_classes="drop", **options)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"test_scenes": ["p", "q", "r"]}, "no scene is left for training"),
        ({"test_scenes": ["x"]}, "no scene is called 'x'; expected one of p, q, r"),
        ({"train": 3}, "3 training scenes of 3"),
        ({"train": 0.0}, "split.train"),
    ],
)
def test_splits_that_cannot_be_are_refused(options, words):
    labels = np.tile(np.array([[1, 2]], np.int32), (17, 3))
    where = SceneParts(list("pqr"), [(0, 5), (6, 11), (12, 17)])
    with pytest.raises(SplitError, match=words):
        scene_split(labels, where, generator=np.random.default_rng(0), **options)


def test_distances_end_at_the_border_of_a_scene():
    _, stack = stacked()
    split = scene_split(
        stack.labels, parts(stack), test_scenes=["c"], generator=np.random.default_rng(0)
    )
    assert (nearest_training_distance(split, lines_of(stack)) == FAR).all()
    found = audit(split, window=WINDOW, scenes=lines_of(stack))
    assert found.in_other_scenes == 1 and found.median_distance is None
    assert found.windows_overlapping == 0 and json.dumps(found.to_dict(), allow_nan=False)
    # Without its scenes a stack would look as if neighbours had been learnt.
    assert audit(split, window=WINDOW).windows_overlapping > 0


# --- Runs --------------------------------------------------------------------------------------


def overlapping(folder, moved, named="b", change=lambda cube: cube):
    """Scene a, and what lies some lines and samples further, as arrays of one file each."""
    cube, truth = values("a")
    lines, samples = moved
    for name, at, part in (("a", (0, 0), cube), (named, moved, change(cube))):
        shifted = Georeference(
            "EPSG:32633", (30.0, 0.0, 364095.0 + 30 * at[1], 0.0, -30.0, 5809965.0 - 30 * at[0])
        )
        rows, columns = slice(lines if at[0] else 0, None), slice(samples if at[1] else 0, None)
        write_layers_tiff(
            folder / f"{name}.tif", part[rows, columns], [f"b{n}" for n in range(BANDS)], shifted,
            None,
        )  # fmt: skip
        np.save(folder / f"{name}_labels.npy", truth[rows, columns])
    return str(folder)


def test_held_out_scenes_that_were_seen_are_found(tmp_path):
    """A tile that overlaps, the same place on another day, and a copy without coordinates."""
    noisy = np.random.default_rng(5)
    kinds = {
        "overlap": ((5, 3), lambda cube: cube, True, True),
        "another day": ((5, 3), lambda cube: cube + noisy.normal(0, 5, cube.shape), True, False),
        "apart": ((900, 900), lambda cube: cube + 1, False, False),
    }
    for kind, (moved, change, ground, same) in kinds.items():
        there = tmp_path / kind
        there.mkdir()
        if kind == "apart":
            for name in "ab":
                write(there, name)
            scene = str(there)
        else:
            scene = overlapping(
                there, moved, change=lambda cube, c=change: c(cube).astype(np.float32)
            )
        found, _ = prepared(scene=scene, test_scenes=["b"])
        leakage = found.leakage.to_dict()
        # By brute force: every test pixel of b is a labelled pixel of a.
        assert leakage.get("on_training_ground") == (1.0 if ground else None), kind
        assert leakage.get("identical_spectra") == (1.0 if same else None), kind
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in "ab":
        np.save(copy / f"{name}.npy", values("a")[0])
        np.save(copy / f"{name}_labels.npy", values("a")[1])
    run = hsi_suite.train(
        scene=str(copy), model="svm", settings=SVM, test_scenes=["b"], output=tmp_path, verbose=0
    )
    assert run.metrics["leakage"]["identical_spectra"] == 1
    page = (run.path / "report.html").read_text()
    assert run_level(run.metrics)[0] == LEAKS
    seen = {"window": 1, "test_inside_training_window": 0, "on_training_ground": 0.5}
    assert run_level(run.metrics | {"leakage": seen})[0] == PARTLY
    assert "position tells nothing" not in page and "the very spectrum of a training pixel" in page


def in_halves(stack, labelled, generator):
    """A split of pixels in the order given: the first half trains, the second one tests."""
    half = len(labelled) // 2
    return replace(
        scene_split(
            stack.labels, parts(stack), train=1, validation=0, generator=generator,
            rare_classes="drop", test_scenes=(), validation_scenes=(), block=1,
        ),
        train=np.sort(labelled[:half]), test=np.sort(labelled[half:]),
    )  # fmt: skip


def test_ground_is_counted_pixel_by_pixel():
    """Against loops over all pixels, with grids that are turned and of other sizes."""
    generator = np.random.default_rng(0)
    for trial in range(3):
        turn = 0.1 * trial
        georeferences = (
            Georeference("EPSG:32633", (30.0, 0.0, 1000.0, 0.0, -30.0, 2000.0)),
            Georeference("EPSG:32633", (20.0, turn * 20, 1103.7, turn * 20, -20.0, 1897.1)),
            Georeference("EPSG:4326", (30.0, 0.0, 1000.0, 0.0, -30.0, 2000.0)),
        )
        scenes = [
            replace(Scene(name, *values(name), ("x", "y", "z")), georeference=each)
            for name, each in zip("abc", georeferences, strict=True)
        ]
        stack = stack_scenes(scenes, 2, ("x", "y", "z"))
        labelled = np.flatnonzero(stack.labels)
        generator.shuffle(labelled)
        split = in_halves(stack, labelled, generator)

        def corners(pixel, stack=stack):
            line, sample = divmod(int(pixel), stack.samples)
            part = next(p for p in stack.parts if 0 <= line - p.first_line < p.lines)
            a, b, c, d, e, f = part.georeference.transform
            x, y = sample, line - part.first_line
            at = [(x + i, y + j) for i, j in ((0, 0), (1, 0), (1, 1), (0, 1), (0.5, 0.5))]
            placed = [(a * i + b * j + c, d * i + e * j + f) for i, j in at]
            return part, shapely.Polygon(placed[:4]), shapely.Point(placed[4])

        known = [corners(pixel)[:2] for pixel in split.train]
        tree = shapely.STRtree([polygon for _, polygon in known])
        expected = 0
        for pixel in split.test:
            part, _, centre = corners(pixel)
            met = [known[index][0] for index in tree.query(centre, "intersects")]
            expected += any(
                other is not part and other.georeference.crs == part.georeference.crs
                for other in met
            )
        assert expected > 0
        assert shared_ground(stack, [split]) == pytest.approx(expected / len(split.test))


def test_ground_is_counted_between_reference_systems():
    warp = pytest.importorskip("rasterio.warp")
    generator = np.random.default_rng(1)
    [x], [y] = warp.transform("EPSG:32633", "EPSG:4326", [500_060.0], [5_800_000.0])
    georeferences = (
        Georeference("EPSG:32633", (30.0, 0.0, 500_000.0, 0.0, -30.0, 5_800_100.0)),
        Georeference("EPSG:4326", (3e-4, 0.0, x, 0.0, -2e-4, y)),
        # Places without an image in the other systems are nowhere.
        Georeference("EPSG:4326", (3e-4, 0.0, 15.0, 0.0, -2e-4, 500.0)),
    )
    scenes = [
        replace(Scene(name, *values(name), ("x", "y", "z")), georeference=each)
        for name, each in zip("abc", georeferences, strict=True)
    ]
    stack = stack_scenes(scenes, 2, ("x", "y", "z"))
    labelled = generator.permutation(np.flatnonzero(stack.labels))
    split = in_halves(stack, labelled, generator)

    def place(pixel, *corners):
        line, sample = divmod(int(pixel), stack.samples)
        part = next(p for p in stack.parts if 0 <= line - p.first_line < p.lines)
        a, _, c, _, e, f = part.georeference.transform
        line -= part.first_line
        return part, [(a * (sample + i) + c, e * (line + j) + f) for i, j in corners]

    known = {name: [] for name in "abc"}
    for pixel in split.train:
        part, [low, high] = place(pixel, (0, 1), (1, 0))
        known[part.name].append((*low, *high))
    expected = 0
    for pixel in split.test:
        part, [(x, y)] = place(pixel, (0.5, 0.5))
        others = {"a": "b", "b": "a"}.get(part.name)
        if others is None:
            continue
        systems = {each.name: each.georeference.crs for each in stack.parts}
        [x], [y] = warp.transform(systems[part.name], systems[others], [x], [y])
        expected += any(w <= x < e and s < y <= n for w, s, e, n in known[others])
    assert expected > 10
    assert shared_ground(stack, [split]) == pytest.approx(expected / len(split.test))


def test_scenes_in_other_units_are_told(tmp_path, files):
    """Training scenes against the first of them, a held-out one against all."""
    cube, _ = values("b")
    np.save(tmp_path / "b.npy", cube / 1e4)
    scene = [files["scene"][0], str(tmp_path / "b.npy"), files["scene"][2]]

    def opening(**options):
        found, _ = prepared(scene=scene, labels=files["labels"], **options)
        return unlike_scenes(found)

    held, pooled = opening(test_scenes=["b"]), opening(split="random")
    assert len(held) == 1 and held[0].startswith("b: ") and "training scenes" in held[0]
    assert len(pooled) == 1 and "those of a: " in pooled[0] and "1/10,000" in pooled[0]
    found, _ = prepared(**files, test_scenes=["b"])
    assert unlike_scenes(found) == []
    run = hsi_suite.train(
        scene, files["labels"], model="svm", settings=SVM, test_scenes=["b"],
        output=tmp_path / "runs", verbose=0,
    )  # fmt: skip
    assert run.metrics["scenes_unlike"] == held
    assert held[0].split(";")[0] in (run.path / "report.html").read_text()
    assert f"warning: {held[0]}" in (run.path / "log.txt").read_text()


def test_a_run_tells_what_each_scene_was_for(run):
    rows = {row["name"]: row for row in run.metrics["scenes"]}
    assert list(rows) == list(SIZES)
    assert rows["b"]["train"] == 0 and rows["a"]["test"] == rows["c"]["test"] == 0
    assert rows["b"]["test_scores"]["num_pixels"] == run.metrics["test"]["num_pixels"]
    assert rows["b"]["test_scores"]["overall_accuracy"] == run.metrics["test"]["overall_accuracy"]
    assert rows["a"]["test_scores"] is None
    assert run.metrics["split"]["layout"] == "training: a, c; test: b"
    page = (run.path / "report.html").read_text()
    for words in ("The test pixels of each scene", "scenes split", "position tells nothing"):
        assert words in page
    assert page.count("data:image/png") >= 3
    truth = values("b")[1]
    commonest = run.metrics["baselines"]["position"]["overall_accuracy"]
    learnt = np.concatenate([values(name)[1].ravel() for name in "ac"])
    label = np.bincount(learnt)[1:].argmax() + 1
    assert commonest == pytest.approx((truth == label).sum() / (truth > 0).sum())


def test_maps_lie_where_their_scenes_lie(run):
    for number, name in enumerate(SIZES):
        written = read_scene(run.path / "maps" / f"{name}.hdr")
        assert written.georeference.transform == place(number).transform
        assert (written.lines, written.samples) == SIZES[name]
        assert (run.path / "maps" / f"{name}.png").is_file()
    assert run.label_map.shape[1] == max(samples for _, samples in SIZES.values())


def test_a_run_is_evaluated_and_replayed(run):
    assert hsi_suite.evaluate(run, verbose=0).equal
    assert hsi_suite.replay(run, verbose=0).status == 0


class StopAtOnce(Observer):
    """Interrupts after the first epoch."""

    def epoch(self, row, seconds):
        raise KeyboardInterrupt


def test_an_interrupted_run_goes_on(run, files, tmp_path):
    settings = [*SMALL, "train.checkpoint_seconds=0"]
    config = classification_config(
        **files, test_scenes=["b"], settings=settings, seed=3, baselines=["svm"]
    )
    with pytest.raises(Stopped):
        train(config, tmp_path, StopAtOnce())
    (folder,) = tmp_path.iterdir()
    assert folder.name == run.path.name and not (folder / "metrics.json").exists()
    assert resume(folder).metrics == run.metrics


def test_the_same_run_read_by_lines(run, files, tmp_path, monkeypatch):
    seen = []

    def by_lines(self, opened, shape, config):
        seen.append(shape)
        return False

    monkeypatch.setattr(MemoryLimit, "holds_stack", by_lines)
    again = hsi_suite.train(
        **files, test_scenes=["b"], settings=SMALL, output=tmp_path, verbose=0, seed=3,
        baselines=["svm"],
    )  # fmt: skip
    lines = sum(lines for lines, _ in SIZES.values()) + 2 * (WINDOW // 2)
    assert seen == [(lines, 24, BANDS)]
    assert again.path.name == run.path.name
    assert again.metrics == run.metrics
    model = "model.safetensors"
    assert (again.path / model).read_bytes() == (run.path / model).read_bytes()


def test_memory_counts_all_scenes(files):
    config = classification_config(model="svm", settings=SVM, **files)
    opened = [open_scene(path).cube for path in files["scene"]]
    shape = (100_000, 2_000, BANDS)
    with pytest.raises(ConfigError, match="--memory-limit"):
        MemoryLimit(3e8, True).holds_stack(opened, shape, config)
    for each in opened:
        each.close()


@pytest.mark.parametrize("kind", ["random", "disjoint", "polygons"])
def test_other_splits_pool_the_scenes(kind, files):
    """Each kind divides all scenes at once; a guard reaches no other scene."""
    settings = [
        "split.train=0.5",
        *(["split.guard=2", "split.layout=stripes"] if kind == "disjoint" else []),
    ]
    found, _ = prepared(*settings, split=kind, **files)
    assert found.split.kind == kind
    on_sides = {
        part: [
            p.mine(getattr(found.split, part), found.scene.samples).any() for p in found.scene.parts
        ]
        for part in ("train", "test")
    }
    assert sum(on_sides["train"]) >= 2 and any(on_sides["test"])
    assert 0 <= found.leakage.in_other_scenes < 1
    found.close()


def test_order_and_names_make_another_run_and_paths_do_not(files, folder, tmp_path):
    def identity(scene, labels):
        found, _ = prepared(scene=scene, labels=labels, test_scenes=["b"])
        config = resolve(classification_config(scene=scene, labels=labels, test_scenes=["b"]))
        return run_identity(config.model_dump(mode="json"), found.checksums)

    first = identity(files["scene"], files["labels"])
    for each in folder.glob("*.*"):
        (tmp_path / each.name).write_bytes(each.read_bytes())
    moved = {key: [str(tmp_path / path.split("/")[-1]) for path in files[key]] for key in files}
    assert identity(moved["scene"], moved["labels"]) == first
    assert identity(files["scene"][::-1], files["labels"][::-1]) != first


def test_arrays_from_python_are_scenes(tmp_path):
    pairs = [values(name) for name in SIZES]
    run = hsi_suite.train(
        [cube for cube, _ in pairs], [labels for _, labels in pairs], test_scenes=["scene2"],
        model="svm", settings=SVM, output=tmp_path, verbose=0, class_names=["x", "y", "z"],
    )  # fmt: skip
    assert [row["name"] for row in run.metrics["scenes"]] == ["scene1", "scene2", "scene3"]
    assert run.metrics["scenes"][1]["train"] == 0
    assert [each["name"] for each in run.metrics["classes"]] == ["x", "y", "z"]
    assert hsi_suite.evaluate(run, verbose=0).equal


def test_the_estimator_learns_from_several_cubes():
    pairs = [values(name) for name in SIZES]
    model = hsi_suite.SceneClassifier("svm", verbose=0)
    model.fit([cube for cube, _ in pairs[:2]], [labels for _, labels in pairs[:2]])
    assert model.score(*pairs[2]) > 0.95
    with pytest.raises(ConfigError, match="1 for 2 cubes"):
        model.fit([cube for cube, _ in pairs[:2]], [pairs[0][1]])


# --- Which scenes are meant --------------------------------------------------------------------


def test_a_folder_names_scenes_and_their_labels(folder, tmp_path):
    expected = [(f"{name}.tif", f"{name}_labels.npy") for name in SIZES]
    found = named_scenes([str(folder)], [])
    assert [(x.scene.split("/")[-1], x.labels.split("/")[-1]) for x in found] == expected
    scenes, labels = tmp_path / "scenes", tmp_path / "truth"
    scenes.mkdir()
    labels.mkdir()
    for name in SIZES:
        write(scenes, name, labels=False)
        np.save(labels / f"{name}.npy", values(name)[1])
    found = named_scenes([str(scenes)], [str(labels)])
    assert [x.labels for x in found] == [str(labels / f"{name}.npy") for name in SIZES]
    labels.rename(scenes / "labels")
    assert len(named_scenes([str(scenes)], [])) == 3


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: (f / "c_labels.npy").unlink(), "c.tif: has no labels"),
        (lambda f: (f / "c_gt.npy").write_bytes(b"x"), "c.tif: has 2 labels (c_gt.npy, c_labels"),
        (lambda f: (f / "c.tif").unlink(), "c_labels.npy: belongs to no scene"),
        (lambda f: [p.unlink() for p in f.glob("?.tif")], "holds no scene"),
        (lambda f: (f / "c.npy").write_bytes(b"x"), "both called c"),
    ],
)
def test_a_folder_that_leaves_it_open_is_refused(hsi, change, words, folder, tmp_path):
    for path in folder.glob("*.*"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    change(tmp_path)
    assert words in refused(hsi, "train", "--scene", tmp_path, "--split", "scenes")


TABLE = "scene,labels,name,role\na.tif,a_labels.npy,north,train\n"


def test_a_table_names_scenes_roles_and_names(folder):
    table = folder / "scenes.csv"
    table.write_text(TABLE + "b.tif,b_labels.npy,south,validation\nc.tif,c_labels.npy,west,test\n")
    found, _ = prepared(scene=str(table))
    assert found.split.layout == "training: north; validation: south; test: west"
    assert len(found.split.validation) == (values("b")[1] > 0).sum()
    config = resolve(classification_config(scene=str(table), split="random"))
    (line,) = scene_lines(config, replace(found.split, kind="random"))
    assert "--split scenes does" in line
    table.unlink()


@pytest.mark.parametrize(
    "text",
    [
        "sep=;\r\nscene;labels;role\r\na.tif;a_labels.npy;train\r\nb.tif;b_labels.npy;test\r\n",
        "SEP=,\nscene,labels,role\na.tif,a_labels.npy,train\nb.tif,b_labels.npy,test\n",
        "\ufeffscene,labels,role\na.tif,a_labels.npy,train\nb.tif,b_labels.npy,test\n",
        '"scene","labels","role"\n"a.tif","a_labels.npy","train"\n"b.tif","b_labels.npy","test"\n',
        "scene\tlabels\trole\na.tif\ta_labels.npy\tTrain\nb.tif\tb_labels.npy\tTEST\n",
        "scene,labels,role,\na.tif,a_labels.npy,train,\nb.tif,b_labels.npy,test,\n,,,\n",
        ",,\n# mine\n scene, labels ,role\na.tif,a_labels.npy,train\n\nb.tif,b_labels.npy,test\n",
    ],
)
def test_tables_as_spreadsheets_and_people_write_them(text, tmp_path):
    table = tmp_path / "table.csv"
    table.write_text(text, newline="")
    assert named_scenes([str(table)], []) == [
        NamedScene(f"{tmp_path}/{n}.tif", f"{tmp_path}/{n}_labels.npy", None, role)
        for n, role in (("a", "train"), ("b", "test"))
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("scene,label\na.tif,x\n", "the columns scene, label"),
        ("scene,labels\n", "no row below its header"),
        ("", "holds no row"),
        ("scene,labels\na.tif\n", "row 2 has 1 columns"),
        ("scene,labels\n,x\n", "row 2 has no scene"),
        ("scene,labels,scene\na.tif,x,b.tif\n", "a column twice"),
        ("scene,labels,role\na.tif,a_labels.npy,testing\n", "the role 'testing'"),
        ("scene,labels,role\na.tif,x,test\nb.tif,y,\n", "b.tif has no role"),
        ("scene,labels\na.tif,x\na.tif,x\n", "is given twice"),
        (TABLE + "b.tif,b_labels.npy,NORTH,test\n", "both called NORTH"),
        (TABLE + "b.tif,b_labels.npy,south,train\n", "no scene has the role test"),
    ],
)
def test_tables_that_are_none_are_refused(hsi, text, words, folder, tmp_path):
    for path in folder.glob("[ab]*.*"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    table = tmp_path / "table.csv"
    table.write_text(text)
    assert words in refused(hsi, "train", "--scene", table)


def test_what_does_not_fit_together_is_one_line(hsi, folder, files, tmp_path):
    a, b, c = files["scene"]
    la, lb, _ = files["labels"]
    two = ["train", "--scene", a, "--labels", la, "--scene", b, "--labels", lb]
    assert "2 label files for 3 scenes" in refused(hsi, *two, "--scene", c)
    assert "2 label files for one scene" in refused(
        hsi, "train", "--scene", a, "--labels", la, "--labels", lb
    )
    assert "no scene is called 'd'" in refused(hsi, *two, "--test-scene", "d")
    assert "has two" in refused(hsi, *two, "--test-scene", "a", "--validation-scene", "a")
    assert "no scene is left for training" in refused(
        hsi, *two, "--test-scene", "a", "--validation-scene", "b", "--model", "svm", "--threads", 1
    )
    one = ["train", "--scene", a, "--labels", la]
    assert "scenes, with a single scene" in refused(hsi, *one, "--split", "scenes")
    assert "several scenes with data.resample" in refused(hsi, *one, "--resample")
    assert "this is a folder; expected a file" in refused(
        hsi, "train", "--scene", folder, "--labels", la
    )
    assert "beside other scenes" in refused(hsi, *two, "--scene", folder, "--labels", la)
    assert "split.kind=scenes" in refused(hsi, *two, "--split", "random", "--test-scene", "a")
    assert "a file, with 2 scenes" in refused(hsi, *two, "--split-file", la)
    assert "preprocess.denoise" in refused(hsi, *two, "--set", "preprocess.denoise=true")
    assert "a window of 21 in the scene a of 22 × 18 pixels" in refused(
        hsi, *two, "--set", "model.window=21"
    )
    other, labels = write(tmp_path, "b")
    again = ["--scene", other, "--labels", labels]
    assert "are both called b" in refused(hsi, *two, *again)
    assert "is given twice" in refused(hsi, *two, "--scene", a, "--labels", la)


# --- Bands -------------------------------------------------------------------------------------


def spectra_at(name, wavelengths):
    """A cube whose spectra are linear in the wavelength."""
    cube, _ = values(name)
    return cube[..., :1] + np.asarray(wavelengths, np.float32) * cube[..., 1:2] / 1000


def write_envi(folder, name, wavelengths, bbl=None, gain=None):
    fields = {
        "wavelength units": "Nanometers",
        "wavelength": tuple(f"{each:.9g}" for each in wavelengths),
    }
    cube = spectra_at(name, wavelengths)
    if bbl is not None:
        fields["bbl"] = tuple(map(str, bbl))
    if gain is not None:
        fields["reflectance scale factor"] = f"{gain:g}"
        cube = cube * np.float32(gain / 10_000)
    write_file(folder / f"{name}.hdr", cube, fields, None)
    np.save(folder / f"{name}_labels.npy", values(name)[1])


USUAL = np.linspace(450, 900, 12)


def of_folder(folder, *settings, **options):
    return prepared(*settings, scene=str(folder), test_scenes=["c"], **options)


def test_bad_bands_of_any_scene_are_left_out_of_all(tmp_path):
    for name, bad in {"a": [3], "b": [3, 7], "c": []}.items():
        write_envi(tmp_path, name, USUAL, [int(n not in bad) for n in range(12)])
    found, said = of_folder(tmp_path)
    assert found.scene.selection.to_dict() == {
        "used": 10,
        "of": 12,
        "left_out": [{"reason": "marked as bad", "bands": 2, "places": "4 (573 nm), 8 (736 nm)"}],
    }
    assert any("a.hdr marks 4; b.hdr marks 4, 8; c.hdr marks none" in text for text in said)
    every, _ = of_folder(tmp_path, bands="all")
    assert every.scene.selection is None and every.scene.bands == 12
    some, _ = of_folder(tmp_path, bands="450-700nm")
    assert some.scene.selection.bands == (0, 1, 2, 4, 5, 6)
    # What a header marks later makes no other choice.
    config = resolve(classification_config(scene=str(tmp_path), test_scenes=["c"]))
    assert config.data.bands == "bands 1-3,5-7,9-12"


def test_scenes_of_other_bands_are_refused_or_resampled(tmp_path):
    write_envi(tmp_path, "a", USUAL)
    write_envi(tmp_path, "b", np.linspace(440, 910, 15))
    write_envi(tmp_path, "c", USUAL + 60)
    with pytest.raises(HsiSuiteError, match=r"b.hdr: 15 bands.*--resample"):
        of_folder(tmp_path)
    write_envi(tmp_path, "b", np.linspace(440, 2000, 15))
    with pytest.raises(HsiSuiteError, match=r"b.hdr: 15 bands.*those of a.hdr.*--resample"):
        of_folder(tmp_path)
    write_envi(tmp_path, "b", USUAL)
    with pytest.raises(HsiSuiteError, match=r"c.hdr: bands up to 60 nm away.*--resample"):
        of_folder(tmp_path)
    write_envi(tmp_path, "b", np.linspace(440, 910, 15))
    write_envi(tmp_path, "c", np.linspace(430, 920, 14))
    found, said = of_folder(tmp_path, resample=True)
    np.testing.assert_allclose(found.scene.wavelengths, USUAL, atol=0.01)
    assert sum("resampled from" in text for text in said) == 2
    # The spectra are linear in the wavelength, so nothing is lost.
    cube = found.scene.cube.read()
    for name, part in zip(SIZES, found.scene.parts, strict=True):
        np.testing.assert_allclose(cube[part.place], spectra_at(name, USUAL), rtol=1e-5)


def test_declared_scales_are_brought_together(tmp_path):
    for name, gain in (("a", 10_000), ("b", 100), ("c", 1)):
        write_envi(tmp_path, name, USUAL, gain=gain)
    found, said = of_folder(tmp_path)
    cube = found.scene.cube.read()
    for name, part in zip(SIZES, found.scene.parts, strict=True):
        np.testing.assert_allclose(cube[part.place], spectra_at(name, USUAL), rtol=1e-5)
    assert sum("brought to the scale of a.hdr" in text for text in said) == 2


# --- Classes -----------------------------------------------------------------------------------


def test_classes_are_joined_by_name_or_else_by_number():
    one, two = np.array([[1, 2, 0]]), np.array([[1, 2, 3]])
    named = join_classes(
        [SceneClasses("a", one, ("corn", "soy")), SceneClasses("b", two, ("soy", "oats", "corn"))]
    )
    assert named.names == ("corn", "soy", "oats")
    assert [each.tolist() for each in named.labels] == [[[1, 2, 0]], [[2, 3, 1]]]
    assert any("a has no pixel of oats" in text for text in named.remarks)
    numbers = [f"class {n}" for n in range(1, 4)]
    plain = join_classes(
        [SceneClasses("a", one, tuple(numbers[:2])), SceneClasses("b", two, tuple(numbers))]
    )
    assert [each.tolist() for each in plain.labels] == [one.tolist(), two.tolist()]
    with pytest.raises(InputFileError, match=r"numbers without names.*--class-names"):
        join_classes(
            [SceneClasses("a", one, ("corn", "soy")), SceneClasses("b", two, tuple(numbers))]
        )
    with pytest.raises(InputFileError, match="two of its classes are called 'soy'"):
        join_classes(
            [SceneClasses("a", one, ("soy", "soy")), SceneClasses("b", one, ("soy", "oats"))]
        )
    alike = join_classes(
        [SceneClasses("a", one, ("corn", "soy")), SceneClasses("b", one, ("Corn", "soy"))]
    )
    assert any("'corn' and 'Corn' count as two" in text for text in alike.remarks)


def test_drawn_labels_of_scenes_go_by_their_names(tmp_path):
    """Of each scene other classes come first in the alphabet; of the last there is a new one."""
    classes = {"a": ("meadow", "roof"), "b": ("asphalt", "meadow"), "c": ("meadow", "asphalt")}
    for number, name in enumerate(SIZES):
        write(tmp_path, name, labels=False)
        shapes = [shapely.box(1, 1, 6, 14), shapely.box(7, 1, 12, 14)]
        placed = [drawn.at(shape, place(number)) for shape in shapes]
        drawn.write_drawn(tmp_path / f"{name}_labels.gpkg", placed, {"class": list(classes[name])})
    found, _ = prepared(scene=str(tmp_path), test_scenes=["c"])
    assert found.class_names == ["meadow", "roof", "asphalt"]
    assert found.split.train_only == {2: "only in a, no test scene"}
    assert found.split.counts(found.labels)[1]["test"] == 65


def test_one_scene_of_a_table_is_the_run_it_always_was(folder, tmp_path):
    table = folder / "one.csv"
    table.write_text("scene,labels\na.tif,a_labels.npy\n")
    options = {"model": "svm", "settings": SVM, "output": tmp_path, "verbose": 0}
    alone = hsi_suite.train(folder / "a.tif", folder / "a_labels.npy", **options)
    assert hsi_suite.train(table, **options).path == alone.path
    assert "scenes" not in alone.metrics and "in_other_scenes" not in alone.metrics["leakage"]
    table.unlink()


def test_configurations_name_scenes_and_are_checked():
    entry = NamedScene("x.tif", "y.tif")
    assert entry.called == "x"
    scenes = [{"scene": f"{name}.tif", "labels": "y.tif"} for name in ("x", "z")]
    config = classification_config(tree={"data": {"scenes": scenes}})
    assert isinstance(config, ClassificationConfig) and len(config.data.scenes) == 2
    with pytest.raises(ConfigError, match="are both called x"):
        classification_config(tree={"data": {"scenes": scenes[:1] * 2}})
    with pytest.raises(ConfigError, match=r"as a list in data\.scenes"):
        classification_config(tree={"data": {"scene": "scenes.csv"}})
    with pytest.raises(ConfigError, match="labels of several scenes"):
        classification_config(
            tree={"data": {"scenes": [{"scene": "x", "labels": "y"}] * 2, "labels": "z"}}
        )
