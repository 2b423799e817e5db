"""What `hsi predict` writes for a GIS beside the plain map."""

import numpy as np
import pytest
import torch
from scenes_samples import SMALL, small_cube, write_scene

import hsi_suite as hsi
from hsi_suite.data.readers import open_cube
from hsi_suite.data.scene import Georeference
from hsi_suite.data.writers import write_layers
from hsi_suite.errors import ConfigError
from hsi_suite.tasks.scenes import prediction
from hsi_suite.tasks.scenes.classifier_loading import load_classifier
from hsi_suite.tasks.scenes.uncertainty import uncertainty_layers

GEO = Georeference("EPSG:32616", (20.0, 0.0, 500000.0, 0.0, -20.0, 4480000.0))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("maps")


@pytest.fixture(scope="module")
def runs(folder):
    scene = write_scene(folder)
    return [
        hsi.train(**scene, settings=SMALL, seed=seed, output=folder / "runs").path
        for seed in (0, 1)
    ]


@pytest.fixture(scope="module")
def holed(folder):
    """The small scene as a GeoTIFF with missing pixels."""
    cube = small_cube()[0].astype(np.float32)
    cube[12:19, 20:] = np.nan
    write_layers(folder / "holed.tif", cube, [f"b{k}" for k in range(18)], GEO, nodata=-9999.0)
    return str(folder / "holed.tif")


def predict(runs, output, scene, **options):
    return hsi.predict(runs, output=output, scene=scene, threads=1, **options)


def test_uncertainty_of_known_probabilities():
    rows = [[1, 0, 0], [0.5, 0.5, 0], [0.2, 0.7, 0.1], [np.nan] * 3, [1 / 3] * 3]
    got = uncertainty_layers(np.array([rows], np.float32))[0]
    some = -(0.2 * np.log(0.2) + 0.7 * np.log(0.7) + 0.1 * np.log(0.1)) / np.log(3)
    expected = [
        [1, 1, 0], [0.5, 0, np.log(2) / np.log(3)], [0.7, 0.5, some], [np.nan] * 3, [1 / 3, 0, 1],
    ]  # fmt: skip
    np.testing.assert_allclose(got, expected, atol=1e-6)
    one = uncertainty_layers(np.array([[[1.0], [np.nan]]], np.float32))[0]
    np.testing.assert_array_equal(one, [[1, 1, 0], [np.nan] * 3])


@pytest.mark.parametrize("ending", [".tif", ".hdr", ".npy"])
def test_uncertainty_is_written_by_strips_with_names_and_place(
    runs, holed, monkeypatch, tmp_path, ending
):
    whole = predict(runs[:1], tmp_path / f"a{ending}", holed, uncertainty=True)
    assert [path.name for path in whole.written] == [f"a{ending}", f"a_uncertainty{ending}"]
    monkeypatch.setattr(prediction, "strip_lines", lambda *arguments: 7)
    strips = predict(runs[:1], tmp_path / f"b{ending}", holed, uncertainty=True)
    np.testing.assert_allclose(strips.uncertainty, whole.uncertainty, rtol=0, atol=1e-4)
    with open_cube(holed) as file:
        cube = file.read()
    valid = ~(cube == -9999).any(2)
    classifier = load_classifier(runs[0] / "model.safetensors", torch.device("cpu"))
    rows = classifier.probabilities(cube, valid)
    ordered = np.sort(rows, axis=2)
    np.testing.assert_allclose(whole.uncertainty[..., 0], ordered[..., -1], atol=1e-5)
    margin = ordered[..., -1] - ordered[..., -2]
    np.testing.assert_allclose(whole.uncertainty[..., 1], margin, atol=1e-5)
    assert np.array_equal(np.isnan(whole.uncertainty[..., 2]), ~valid)
    if ending != ".npy":
        with open_cube(whole.written[1]) as file:
            assert file.band_names == ("largest probability", "margin", "normalised entropy")
            assert file.georeference.transform == GEO.transform


def test_uncertainty_of_several_runs_and_in_memory(runs, holed, tmp_path):
    got = predict(runs, tmp_path / "m.npy", holed, uncertainty=True, probabilities=True)
    assert [path.stem for path in got.written] == [
        "m", "m_probabilities", "m_uncertainty", "m_disagreement",
    ]  # fmt: skip
    expected = uncertainty_layers(got.probabilities)
    np.testing.assert_array_equal(got.uncertainty, expected)
    held = predict(runs, None, holed, uncertainty=True)
    np.testing.assert_array_equal(held.uncertainty, expected)
    assert held.probabilities is None
    assert predict(runs, None, holed).uncertainty is None


def test_classes_alone_give_no_uncertainty(folder, tmp_path):
    scene = {"scene": str(folder / "cube.npy"), "labels": str(folder / "labels.npy")}
    run = hsi.train(**scene, model="svm", settings=["threads=1"], output=tmp_path / "runs")
    with pytest.raises(ConfigError, match="--uncertainty: a support vector machine gives classes"):
        predict([run.path], tmp_path / "m.tif", scene["scene"], uncertainty=True)
    assert not list(tmp_path.glob("m*"))
