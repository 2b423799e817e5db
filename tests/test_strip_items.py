import numpy as np
import pytest
from query_samples import sample_scene

from hsi_suite.data.item_source import ItemSource
from hsi_suite.data.modalities import ModalityOptions, scene_modality
from hsi_suite.data.scene import Scene
from hsi_suite.data.strip_items import StripItems
from hsi_suite.errors import InputFileError, ShapeError
from hsi_suite.tasks.retrieval.gallery import scene_gallery


def modality(kind, scene, window=5):
    options = ModalityOptions(window=window, components=2, companion="height")
    return scene_modality(kind, scene, np.arange(100), options)


def with_height(scene):
    height = np.add.outer(np.arange(scene.lines), np.sin(np.arange(scene.samples)))
    return Scene(
        scene.name, scene.cube, wavelengths=scene.wavelengths, companions={"height": height}
    )


@pytest.mark.parametrize("kind", ["spectrum", "rgb", "panchromatic", "companion", "pca"])
@pytest.mark.parametrize("height", [1, 4, 24])
def test_strips_give_the_items_of_the_whole_scene(kind, height):
    scene = with_height(sample_scene())
    seen = modality(kind, scene)
    whole = ItemSource(seen, scene).items(np.arange(scene.lines * scene.samples))
    items = StripItems(seen, scene_gallery(scene))
    parts = []
    for first in range(0, scene.lines, height):
        last = min(first + height, scene.lines)
        lines, samples = np.indices((last - first, scene.samples)).reshape(2, -1)
        parts.append(items.strip(first, last).items(lines, samples))
    assert np.allclose(np.concatenate(parts), whole, rtol=1e-6, atol=1e-6)


def test_missing_pixels_take_the_mean_of_the_scene_in_every_strip():
    scene = sample_scene()
    valid = np.ones((scene.lines, scene.samples), bool)
    valid[3, 5] = valid[20, 8] = False
    scene = Scene(scene.name, scene.cube, wavelengths=scene.wavelengths, valid=valid)
    seen = modality("rgb", scene)
    whole = ItemSource(seen, scene)
    strip = StripItems(seen, scene_gallery(scene)).strip(2, 6)
    assert not strip.good[strip.inner][1, 5]
    here = strip.items(np.array([2]), np.array([6]))
    assert np.allclose(here, whole.items(np.array([4 * scene.samples + 6])), atol=1e-5)


def test_other_bands_and_scenes_without_data_are_refused():
    scene = sample_scene()
    seen = modality("spectrum", scene)
    with pytest.raises(ShapeError, match="4 bands; expected the 13 bands learnt from"):
        StripItems(seen, scene_gallery(Scene("other", scene.cube[..., :4])))
    picture = modality("rgb", scene)
    with pytest.raises(InputFileError, match="4 bands without wavelengths"):
        StripItems(picture, scene_gallery(Scene("other", scene.cube[..., :4])))
    empty = Scene("empty", scene.cube[..., :3], valid=np.zeros((24, 27), bool))
    with pytest.raises(InputFileError, match="no pixel with data"):
        StripItems(picture, scene_gallery(empty))


def test_levels_of_a_large_scene_come_from_a_sample(monkeypatch):
    monkeypatch.setattr("hsi_suite.data.strip_items._SAMPLED_PIXELS", 150)
    scene = sample_scene()
    seen = modality("rgb", scene)
    lines, samples = np.indices((scene.lines, scene.samples)).reshape(2, -1)
    items = StripItems(seen, scene_gallery(scene)).strip(0, scene.lines).items(lines, samples)
    whole = ItemSource(seen, scene).items(np.arange(len(lines)))
    assert np.abs(items - whole).max() < 0.1
