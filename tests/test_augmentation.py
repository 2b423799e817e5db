"""Windows turned, brightened and made noisy; probabilities averaged over their orientations."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from scenes_samples import SMALL, write_scene
from test_dense import CPU, StopAfter, network, same, sampler

import hsi_suite as hsi
from hsi_suite.cli.predict import predict as predict_command
from hsi_suite.data.augmentation import WindowAugmentation
from hsi_suite.data.orientations import ORIENTATIONS, orientations_of, turn, turned_places
from hsi_suite.data.patches import WindowSampler
from hsi_suite.data.reduction import Reduction, fit_pca
from hsi_suite.engine.distributed import Team
from hsi_suite.engine.observer import Observer
from hsi_suite.engine.trainer import Trainer
from hsi_suite.errors import ConfigError, RunError, Stopped
from hsi_suite.runs.evaluation import evaluate
from hsi_suite.runs.folder import MODEL
from hsi_suite.runs.identity import run_identity
from hsi_suite.schemas.classification import ClassificationConfig
from hsi_suite.schemas.training import TrainingConfig
from hsi_suite.seeding import SeedStreams
from hsi_suite.tasks.scenes.classifier import Header
from hsi_suite.tasks.scenes.classifier_loading import load_classifier
from hsi_suite.tasks.scenes.network_classifier import NetworkClassifier
from hsi_suite.tasks.scenes.orientation_averaging import scene_probabilities
from hsi_suite.tasks.scenes.task import PixelClassification

pytestmark = pytest.mark.stand_in_pictures


def by_hand(square, orientation):
    """An orientation of (…, side, side) as its bits say it, with NumPy."""
    if orientation & 4:
        square = np.swapaxes(square, -1, -2)
    if orientation & 2:
        square = square[..., ::-1, :]
    return square[..., ::-1] if orientation & 1 else square


# --- orientations -------------------------------------------------------------------------------


def test_orientations_of_a_square_by_hand():
    square = torch.tensor([[1, 2], [3, 4]])
    got = [turn(square, k).tolist() for k in range(ORIENTATIONS)]
    assert got == [
        [[1, 2], [3, 4]], [[2, 1], [4, 3]], [[3, 4], [1, 2]], [[4, 3], [2, 1]],
        [[1, 3], [2, 4]], [[3, 1], [4, 2]], [[2, 4], [1, 3]], [[4, 2], [3, 1]],
    ]  # fmt: skip


def test_quarter_turns_are_numpys_and_flips_mirror_an_axis_or_both():
    square = np.arange(25).reshape(5, 5)
    turns = {tuple(np.rot90(square, k).ravel()) for k in range(4)}
    mirrored = {tuple(np.flip(square, axes).ravel()) for axes in ((), 0, 1, (0, 1))}
    both = {tuple(np.rot90(image, k).ravel()) for image in (square, square.T) for k in range(4)}

    def reached(**keys):
        given = torch.from_numpy(square)
        return {tuple(turn(given, k).flatten().tolist()) for k in orientations_of(**keys)}

    assert reached(flips=False, rotations=True) == turns
    assert reached(flips=True, rotations=False) == mirrored
    assert reached(flips=True, rotations=True) == both
    assert len(both) == ORIENTATIONS
    assert orientations_of(flips=False, rotations=False) == (0,)


def test_turned_places_say_where_each_place_comes_from():
    square = torch.randn(7, 7)
    for k, places in enumerate(turned_places(7)):
        assert torch.equal(square.flatten()[places].reshape(7, 7), turn(square, k))


@pytest.mark.parametrize("window", [1, 5])
def test_each_window_is_turned_by_itself(window):
    windows = sampler(9, 12, window=window, components=3)
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 9 * 12, (40,), generator=generator)
    orientations = torch.randint(0, ORIENTATIONS, (40,), generator=generator)
    got = windows.gather(pixels, orientations)
    for plain, turned, k in zip(windows.gather(pixels), got, orientations.tolist(), strict=True):
        assert np.array_equal(turned.numpy(), by_hand(plain.numpy(), k))


@hypothesis_settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_windows_of_turned_lines_are_turned_windows_of_the_scene(data):
    lines, samples = data.draw(st.integers(1, 12)), data.draw(st.integers(1, 12))
    start = data.draw(st.integers(0, lines - 1))
    stop = data.draw(st.integers(start + 1, lines))
    orientation = data.draw(st.integers(0, 7))
    windows = sampler(lines, samples, window=data.draw(st.sampled_from([1, 3, 7])), components=2)
    part = windows.turned(orientation, slice(start, stop))
    pixels = torch.arange(lines * samples).reshape(lines, samples)[start:stop]
    where = turn(pixels, orientation)
    got = part.gather(torch.arange(where.numel()))
    expected = windows.gather(where.flatten()).numpy()
    assert np.array_equal(got.numpy(), by_hand(expected, orientation))


# --- augmentation -------------------------------------------------------------------------------


def augmentation(components=3, **keys):
    keys = {"flips": False, "rotations": False, "gain": 0.0, "noise": 0.0, **keys}
    return WindowAugmentation(**keys, origin=torch.linspace(-1, 2, components))


ALL = {"flips": True, "rotations": True, "gain": 0.3, "noise": 0.1}


def drawn(change, windows, count=64, seed=1, epoch=2, step=3):
    pixels = torch.arange(count) % (9 * 12)
    changes = change.draw(count, windows, SeedStreams(seed), epoch, step)
    return pixels, changes, change.windows(windows, pixels, changes)


def test_windows_equal_those_of_a_slow_twin():
    windows = sampler(9, 12, window=5, components=3)
    pixels, (orientations, gains, noise), got = drawn(augmentation(**ALL), windows)
    origin = np.linspace(-1, 2, 3)
    for row, pixel in enumerate(pixels.tolist()):
        window = by_hand(windows.gather(torch.tensor([pixel]))[0].numpy(), int(orientations[row]))
        for component in range(3):
            # The light acts on spectra from which the mean has not been taken yet.
            expected = (1 + float(gains[row])) * (window[component] + origin[component])
            expected += noise[row, component].numpy() - origin[component]
            np.testing.assert_allclose(got[row, component].numpy(), expected, rtol=0, atol=1e-5)


def test_a_gain_is_that_of_the_spectra_before_their_reduction():
    rng = np.random.default_rng(0)
    cube = rng.uniform(500, 3000, (6, 7, 10)) @ rng.uniform(0, 1, (10, 10))
    reduction = fit_pca(cube.reshape(-1, 10), 4, whiten=True)

    def windows_of(spectra):
        planes = torch.from_numpy(reduction.apply(spectra)).permute(2, 0, 1)
        return WindowSampler(planes, 3)

    change = WindowAugmentation.of(reduction, flips=False, rotations=False, gain=0.5, noise=0.0)
    inner = torch.tensor([8, 16, 24, 29])
    gains = torch.tensor([-0.5, 0.1, 0.25, 0.5])
    got = change.windows(windows_of(cube), inner, (torch.zeros(4, dtype=torch.int64), gains))
    for pixel, gain, window in zip(inner, gains, got, strict=True):
        expected = windows_of(cube * (1 + float(gain))).gather(pixel[None])[0]
        torch.testing.assert_close(window, expected, rtol=0, atol=2e-4)


def test_draws_are_a_function_of_seed_epoch_and_step():
    windows = sampler(9, 12, window=5, components=3)
    change = augmentation(**ALL)
    torch.manual_seed(1)
    _, _, first = drawn(change, windows)
    torch.manual_seed(2)
    _, _, again = drawn(change, windows)
    assert torch.equal(first, again)
    for other in ({"seed": 2}, {"epoch": 1}, {"step": 4}):
        assert not torch.equal(first, drawn(change, windows, **other)[2])


def test_draws_spread_as_they_should():
    windows = sampler(9, 12, window=5, components=3)
    change = augmentation(**ALL)
    orientations, gains, noise = change.draw(4000, windows, SeedStreams(0), 0, 0)
    counts = torch.bincount(orientations, minlength=8)
    assert counts.min() > 420 and counts.max() < 580
    assert float(gains.abs().max()) <= 0.3
    assert float(gains.mean()) == pytest.approx(0, abs=0.01)
    assert float(gains.std()) == pytest.approx(0.3 / 3**0.5, rel=0.05)
    assert float(noise.std()) == pytest.approx(0.1, rel=0.01)
    assert noise.shape == (4000, 3, 5, 5)
    assert len(augmentation(flips=True).draw(3, windows, SeedStreams(0), 0, 0)) == 2


def test_without_changes_windows_stay_as_they_are():
    windows = sampler(9, 12, window=5, components=3)
    pixels, _, got = drawn(augmentation(), windows)
    assert torch.equal(got, windows.gather(pixels))


def task(**keys):
    windows = sampler(20, 18)
    generator = torch.Generator().manual_seed(5)
    pixels = torch.randperm(360, generator=generator)
    classes = torch.randint(0, 4, (360,), generator=generator)
    change = augmentation(components=13, **keys)
    return PixelClassification(
        windows, classes, pixels[:80], pixels[80:90], 24, 32, SeedStreams(5), augmentation=change
    )


def train(checkpoint=None, observer=None, keys=ALL):
    model = network()
    trainer = Trainer(
        model, task(**keys), TrainingConfig(epochs=3), SeedStreams(5), CPU, checkpoint, observer
    )
    return model, trainer.fit()


@pytest.mark.parametrize("steps", [1, 4, 6])
def test_augmented_training_stopped_and_resumed_is_unbroken(tmp_path, steps):
    whole, expected = train()
    path = tmp_path / "checkpoint.pt"
    with pytest.raises(Stopped):
        train(path, StopAfter(steps))
    resumed, result = train(path)
    assert result.history == expected.history
    assert same(whole, resumed)
    plain, _ = train(keys={})
    assert not same(whole, plain)


def test_shares_of_a_team_add_up_to_the_batch_of_one_process():
    job, model = task(**ALL), network(dropout=0.0).train()
    batch = job.batch(0, 0)
    whole, figures, items = job.loss(model, batch)
    parts = [Team(rank, 3).loss(job, model, batch) for rank in range(3)]
    torch.testing.assert_close(sum(loss for loss, _, _ in parts), whole, rtol=0, atol=1e-6)
    assert sum(int(part["accuracy"]) for _, part, _ in parts) == int(figures["accuracy"])
    assert items == 24


# --- averaging over orientations ----------------------------------------------------------------


def mean_by_windows(model, windows, wanted):
    """The slow twin: each window turned by itself, one orientation after the other."""
    total = 0
    with torch.no_grad():
        for orientation in range(ORIENTATIONS):
            plain = windows.gather(wanted.flatten().nonzero().squeeze(1)).numpy()
            turned = torch.from_numpy(by_hand(plain, orientation).copy())
            total = total + torch.cat([model(part) for part in turned.split(50)]).softmax(1)
    return total / ORIENTATIONS


class Corner(torch.nn.Module):
    """Sees the whole window in a way of its own, so that it goes by windows."""

    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(13 * 121, 4)

    def forward(self, windows):
        return self.layer(windows.flatten(1))


@pytest.mark.parametrize("name", ["hybridsn", "hybridsn_se", "ssrn", "by windows"])
@pytest.mark.parametrize("lines", [4, 100])
def test_turned_scenes_give_the_mean_over_turned_windows(name, lines, monkeypatch):
    monkeypatch.setattr(
        "hsi_suite.tasks.scenes.orientation_averaging.lines_at_a_time", lambda *size: lines
    )
    model = Corner().eval() if name == "by windows" else network(name=name)
    windows = sampler(15, 12)
    wanted = torch.rand(15, 12, generator=torch.Generator().manual_seed(1)) < 0.5
    wanted[4:8] = False
    heard = []
    observer = Observer()
    observer.advance = lambda steps=1, **figures: heard.append(steps)
    with torch.inference_mode():
        parts = list(scene_probabilities(model, windows, wanted, 50, 8, observer))
    pixels = torch.cat([places for places, _ in parts])
    assert torch.equal(pixels, wanted.flatten().nonzero().squeeze(1))
    got = torch.cat([rows for _, rows in parts])
    torch.testing.assert_close(got, mean_by_windows(model, windows, wanted), rtol=0, atol=2e-6)
    assert sum(heard) == int(wanted.sum())


def test_a_mean_over_orientations_does_not_change_when_the_scene_is_turned():
    model, windows = network(), sampler(14, 11)
    wanted = torch.ones(14, 11, dtype=torch.bool)

    def probabilities(given, chosen):
        with torch.inference_mode():
            rows = [
                rows for _, rows in scene_probabilities(model, given, chosen, 64, 8, Observer())
            ]
        return torch.cat(rows).reshape(*chosen.shape, -1).permute(2, 0, 1)

    plain = probabilities(windows, wanted)
    turned = probabilities(windows.turned(6, slice(0, 14)), turn(wanted, 6))
    torch.testing.assert_close(turned, turn(plain, 6), rtol=0, atol=2e-6)


def classifier(orientations, window=11):
    keys = {"in_channels": 13, "num_classes": 4}
    reduction = Reduction(np.zeros(13), np.eye(13), np.ones(13) / 13)
    header = Header(
        "hybridsn", {}, window, [1, 2, 3, 4], list("abcd"), keys["in_channels"], None, "x", True,
        orientations=orientations,
    )  # fmt: skip
    return NetworkClassifier(header, reduction, network(window=window))


def test_a_saved_classifier_keeps_its_orientations(tmp_path):
    classifier(8).save(tmp_path / "model.safetensors")
    loaded = load_classifier(tmp_path / "model.safetensors", CPU)
    assert loaded.header.orientations == 8
    cube = np.random.default_rng(0).normal(size=(13, 12, 13))
    plain = replace(loaded, header=replace(loaded.header, orientations=1))
    averaged = loaded.probabilities(cube, None)
    assert np.abs(averaged - plain.probabilities(cube, None)).max() > 1e-4
    turned = np.ascontiguousarray(np.rot90(cube))
    np.testing.assert_allclose(
        loaded.probabilities(turned, None), np.rot90(averaged), rtol=0, atol=2e-6
    )


def test_a_header_with_impossible_orientations_is_refused(tmp_path):
    classifier(5).save(tmp_path / "model.safetensors")
    with pytest.raises(RunError, match="5 orientations"):
        load_classifier(tmp_path / "model.safetensors", CPU)


# --- runs ---------------------------------------------------------------------------------------


AUGMENTED = [
    *SMALL,
    "train.augmentation={flips: true, rotations: true, gain: 0.05, noise: 0.05}",
    "evaluation.orientations=8",
]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("augmented")
    scene = write_scene(folder)
    run = hsi.train(**scene, settings=AUGMENTED, output=folder / "runs")
    return run, scene, folder


def test_a_run_averages_wherever_it_classifies(trained):
    run, scene, folder = trained
    assert run.config["train"]["strategy"] == "patch"
    assert load_classifier(run.path / MODEL, CPU).header.orientations == 8
    assert evaluate(run.path)["equal"]
    prediction = hsi.predict([run.path], output=folder / "map.npy", scene=scene["scene"])
    assert np.array_equal(prediction.labels, run.label_map)


def test_predict_averages_when_it_is_asked_to(trained):
    _, scene, folder = trained
    run = hsi.train(**scene, settings=SMALL, output=folder / "runs")
    plain, averaged, turned = folder / "plain.npy", folder / "mean.npy", folder / "turned.npy"
    cube = np.load(scene["scene"])
    np.save(folder / "rot.npy", np.rot90(cube))

    def predict(target, file, *options):
        arguments = [str(run.path), "--scene", str(file), "-o", str(target), "--probabilities"]
        result = CliRunner().invoke(
            predict_command, [*arguments, "--threads", "1", *options], catch_exceptions=False
        )
        assert result.exit_code == 0
        return np.load(target.with_name(f"{target.stem}_probabilities.npy"))

    rows = predict(averaged, scene["scene"], "--test-time-averaging")
    assert np.abs(rows - predict(plain, scene["scene"])).max() > 1e-4
    again = predict(turned, folder / "rot.npy", "--test-time-averaging")
    np.testing.assert_allclose(again, np.rot90(rows), rtol=0, atol=1e-5)


def test_single_pixels_have_nothing_to_average(trained, tmp_path):
    _, scene, _ = trained
    run = hsi.train(**scene, model="lda", settings=["threads=1"], output=tmp_path)
    with pytest.raises(ConfigError, match="see single pixels"):
        hsi.predict(
            [run.path],
            output=tmp_path / "map.npy",
            scene=scene["scene"],
            test_time_averaging=True,
        )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["train.augmentation.flips=true", "train.strategy=dense"], "each window is changed by"),
        (["train.augmentation.rotations=true", "model.window=1"], "one pixel has no orientation"),
        (["evaluation.orientations=8", "model.window=1"], "no evaluation.orientations with"),
        (["evaluation.orientations=4"], "evaluation.orientations"),
        (["train.augmentation.gain=1"], "train.augmentation.gain"),
        (["train.augmentation.noise=-1"], "train.augmentation.noise"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(trained, tmp_path, settings, message):
    _, scene, _ = trained
    with pytest.raises(ConfigError, match=message):
        hsi.train(**scene, settings=[*SMALL, *settings], output=tmp_path)
    assert not list(Path(tmp_path).iterdir())


def test_a_model_that_is_fitted_at_once_learns_from_changed_copies(trained, tmp_path):
    _, scene, _ = trained
    keys = ["threads=1", "train.augmentation={gain: 0.1, fields: 0.5, copies: 4}"]
    run = hsi.train(**scene, model="lda", settings=keys, output=tmp_path)
    plain = hsi.train(**scene, model="lda", settings=["threads=1"], output=tmp_path)
    learnt, spectra = (load_classifier(each.path / MODEL, CPU).spectra for each in (run, plain))
    assert len(learnt) == 4 * len(spectra)
    moves = learnt.reshape(4, *spectra.shape) - spectra
    assert (np.abs(moves).max((1, 2)) > 0.1).all()
    assert evaluate(run.path)["equal"]
    again = hsi.train(**scene, model="lda", settings=[*keys, "seeds.augment=9"], output=tmp_path)
    assert not np.array_equal(load_classifier(again.path / MODEL, CPU).spectra, learnt)


def test_a_network_learns_from_other_fields(trained, tmp_path):
    _, scene, _ = trained
    keys = [*SMALL, "train.augmentation.fields=0.5"]
    run = hsi.train(**scene, settings=keys, output=tmp_path)
    plain = hsi.train(**scene, settings=[*SMALL, "train.strategy=patch"], output=tmp_path)
    one, other = (load_classifier(each.path / MODEL, CPU).tensors() for each in (run, plain))
    assert not all(torch.equal(one[name], other[name]) for name in one)
    assert evaluate(run.path)["equal"]


@pytest.mark.parametrize("key", ["flips=true", "others.band_dropout.share=0.2"])
def test_single_spectra_are_not_turned(trained, tmp_path, key):
    _, scene, _ = trained
    with pytest.raises(ConfigError, match=r"train\.augmentation\."):
        hsi.train(
            **scene, model="svm", settings=[f"train.augmentation.{key}"], output=tmp_path / "no"
        )
    assert not (tmp_path / "no").exists()


def test_runs_from_before_keep_their_identity():
    config = ClassificationConfig(data={"dataset": "synthetic"}).model_dump(mode="json")
    before = json.loads(json.dumps(config))
    before["train"].pop("augmentation")
    before["evaluation"].pop("orientations")
    assert run_identity(config, {}) == run_identity(before, {})
    for section, key, value in (
        ("train", "augmentation", {**config["train"]["augmentation"], "flips": True}),
        ("evaluation", "orientations", 8),
    ):
        changed = json.loads(json.dumps(config))
        changed[section][key] = value
        assert run_identity(changed, {}) != run_identity(config, {})
