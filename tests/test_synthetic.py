from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import label as connected_components
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from hsi_suite.data.synthesis.parcels import draw_parcels
from hsi_suite.data.synthesis.radiance import (
    digital_numbers,
    illumination,
    noise_deviation,
    smooth_noise,
    sunlight,
)
from hsi_suite.data.synthesis.spectra import PARAMETERS, Ground, reflectance
from hsi_suite.data.synthetic import draw_ground, generate_scene, usable_channels
from hsi_suite.data.synthetic_recipes import SYNTHETIC_RECIPES, CoverClass, SyntheticRecipe
from hsi_suite.errors import ConfigError, UnknownNameError

pytestmark = pytest.mark.stand_in_pictures

NM = np.arange(400.0, 2500.0, 2.0)


@pytest.fixture(scope="module")
def small():
    return generate_scene("synthetic")


@pytest.fixture(scope="module")
def large():
    return generate_scene("synthetic_large")


def spectrum(**state):
    return reflectance(Ground(**state).vector()[:, None], NM)[0]


def at(values, nm, wavelengths=NM):
    return values[..., int(np.abs(wavelengths - nm).argmin())]


# --- the scenes ---------------------------------------------------------------------------------


def test_a_seed_gives_the_same_bits_and_another_seed_another_scene(small):
    again = generate_scene(SYNTHETIC_RECIPES["synthetic"])
    assert np.array_equal(small.cube, again.cube)
    assert np.array_equal(small.labels, again.labels)
    assert small.checksums == again.checksums
    other = generate_scene("synthetic", seed=2)
    assert not np.array_equal(small.cube, other.cube)
    assert not np.array_equal(small.labels, other.labels)
    assert small.checksums != other.checksums


def test_the_state_of_numpys_global_generator_plays_no_part(small):
    np.random.seed(0)
    before = np.random.get_state()[1].copy()
    assert np.array_equal(generate_scene().cube, small.cube)
    assert np.array_equal(np.random.get_state()[1], before)


@pytest.mark.parametrize(
    ("name", "shape", "classes", "labelled"),
    [("synthetic", (72, 72, 100), 8, 3000), ("synthetic_large", (145, 145, 200), 16, 10249)],
)
def test_size_and_description(name, shape, classes, labelled, request):
    scene = request.getfixturevalue("small" if name == "synthetic" else "large")
    assert scene.name == name
    assert scene.synthetic
    assert scene.cube.shape == shape
    assert scene.cube.dtype == np.uint16
    assert len(scene.class_names) == len(set(scene.class_names)) == classes
    assert np.count_nonzero(scene.labels) == labelled
    assert len(scene.wavelengths) == shape[2]
    assert list(scene.checksums) == ["synthetic cube"]
    red, green, blue = scene.wavelengths[list(scene.false_colour)]
    assert red > green > blue


@pytest.mark.parametrize("seed", [None, 2, 3])
@pytest.mark.parametrize("name", sorted(SYNTHETIC_RECIPES))
def test_every_class_has_the_pixels_of_its_recipe(name, seed):
    scene = generate_scene(name, seed)
    recipe = SYNTHETIC_RECIPES[name]
    counts = np.bincount(scene.labels.ravel(), minlength=len(recipe.classes) + 1)
    assert counts[1:].tolist() == [each.pixels for each in recipe.classes]
    assert counts[1:].min() >= 20
    # Strips and whole fields without labels.
    assert 0.35 < counts[0] / scene.labels.size < 0.65


def test_the_smallest_scene_is_as_hard_and_as_full_as_the_small_one(small):
    scene = generate_scene("synthetic_small")
    assert scene.cube.shape == (60, 60, 100)
    assert scene.class_names == small.class_names
    assert (scene.labels > 0).mean() == pytest.approx((small.labels > 0).mean(), abs=0.002)
    spectra, labels = scene.cube[scene.labels > 0].astype(float), scene.labels[scene.labels > 0]
    train, test, train_labels, test_labels = train_test_split(
        spectra, labels, train_size=0.3, stratify=labels, random_state=0
    )
    svm = make_pipeline(StandardScaler(), SVC(C=1000.0, gamma=1e-4))
    assert 0.82 <= svm.fit(train, train_labels).score(test, test_labels) <= 0.87


def test_the_large_scene_is_as_unequal_as_indian_pines(large):
    counts = np.bincount(large.labels.ravel())[1:]
    assert counts.min() == 22
    assert counts.max() == 2450


def test_values_are_those_of_an_airborne_sensor(large):
    assert large.cube.max() < 16000
    assert (large.cube == 0).mean() < 0.001
    assert len(np.unique(large.cube)) > 2000


def test_vegetation_shows_the_red_edge_and_ploughed_soil_does_much_less(large):
    mean = {
        name: large.cube[large.labels == k].mean(axis=0)
        for k, name in enumerate(large.class_names, start=1)
    }

    def edge(name):
        return at(mean[name], 800, large.wavelengths) / at(mean[name], 670, large.wavelengths)

    assert edge("Deciduous woods") > 3
    assert edge("Meadow, tall grass") > 2
    assert edge("Deciduous woods") > edge("Soya, ploughed") > edge("Gravel and concrete")
    assert edge("Gravel and concrete") < 1.2


@pytest.mark.parametrize(("name", "splits"), [("synthetic", 3), ("synthetic_large", 1)])
def test_the_recipes_keep_the_difficulty_they_were_frozen_with(name, splits, request):
    scene = request.getfixturevalue("small" if name == "synthetic" else "large")
    spectra, labels = scene.cube[scene.labels > 0].astype(float), scene.labels[scene.labels > 0]
    accuracies = []
    for state in range(splits):
        train, test, train_labels, test_labels = train_test_split(
            spectra, labels, train_size=0.3, stratify=labels, random_state=state
        )
        svm = make_pipeline(StandardScaler(), SVC(C=1000.0, gamma=1e-4))
        accuracies.append(svm.fit(train, train_labels).score(test, test_labels))
    assert 0.83 <= np.mean(accuracies) <= 0.87


@pytest.mark.parametrize(
    ("name", "brightness", "places"),
    [("synthetic", 1081.767, 29551861), ("synthetic_large", 1092.372, 720214287)],
)
def test_the_default_scenes_are_the_ones_that_were_measured(name, brightness, places, request):
    # Not the checksum: exp and tanh may round differently on another processor.
    scene = request.getfixturevalue("small" if name == "synthetic" else "large")
    assert scene.cube.mean() == pytest.approx(brightness, abs=0.01)
    assert int((scene.labels.ravel() * np.arange(scene.labels.size)).sum()) == places


def test_position_alone_tells_the_class_on_a_random_split(large):
    places, labels = np.argwhere(large.labels > 0), large.labels[large.labels > 0]
    train, test, train_labels, test_labels = train_test_split(
        places, labels, train_size=0.3, stratify=labels, random_state=0
    )
    nearest = KNeighborsClassifier(1).fit(train, train_labels)
    assert nearest.score(test, test_labels) > 0.97


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(UnknownNameError, match="Did you mean synthetic_large"):
        generate_scene("synthetic_lrage")


# --- the ground ---------------------------------------------------------------------------------


def plain_recipe(variability, classes=None):
    classes = classes or (
        CoverClass("wood", 120, Ground(green=0.9), natural=True),
        CoverClass("field", 300, Ground(green=0.3, dry=0.2)),
        CoverClass("stubble", 200, Ground(dry=0.6)),
    )
    return SyntheticRecipe("plain", (48, 40), 2, 90.0, 10.0, variability, classes, 5)


def layout(recipe, seed=0):
    return draw_parcels(
        recipe.shape,
        [each.pixels for each in recipe.classes],
        [each.natural for each in recipe.classes],
        recipe.parcel_area,
        np.deg2rad(recipe.slant),
        np.random.default_rng(seed),
    )


def test_without_variability_each_class_is_its_mean():
    recipe = plain_recipe(0.0)
    parcels = layout(recipe)
    ground = draw_ground(recipe, parcels, np.random.default_rng(1))
    for label, each in enumerate(recipe.classes, start=1):
        pixels = ground[:, parcels.labels == label]
        assert np.array_equal(pixels, np.repeat(each.ground.vector()[:, None], each.pixels, axis=1))


def test_fields_of_a_class_differ_and_so_do_pixels_of_a_field():
    recipe = SYNTHETIC_RECIPES["synthetic_large"]
    parcels = layout(recipe, 3)
    ground = draw_ground(recipe, parcels, np.random.default_rng(1))
    green = ground[PARAMETERS.index("green")]
    soya = 1 + [each.name for each in recipe.classes].index("Soya, reduced till")
    fields = np.unique(parcels.parcels[parcels.labels == soya])
    means = [green[parcels.parcels == field].mean() for field in fields]
    inside = np.mean([green[parcels.parcels == field].std() for field in fields])
    assert len(fields) >= 3
    # 0.012 from field to field and 0.06 from pixel to pixel, times the recipe's variability;
    # the pixels' shared part adds to the former.
    assert 0.01 < np.std(means) < 0.03
    assert inside == pytest.approx(0.06 * recipe.variability, rel=0.15)


def test_unevenness_widens_a_class():
    even = plain_recipe(1.0)
    classes = tuple(replace(each, unevenness=3.0) for each in even.classes)
    uneven = plain_recipe(1.0, classes)
    parcels = layout(even)
    spread = [
        draw_ground(recipe, parcels, np.random.default_rng(1))[:, parcels.labels == 2].std()
        for recipe in (even, uneven)
    ]
    assert spread[1] > spread[0]


# --- the layout ---------------------------------------------------------------------------------


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32), slant=st.floats(-40, 40))
def test_any_layout_gives_the_classes_their_pixels_inside_their_cover(seed, slant):
    recipe = replace(plain_recipe(1.0), slant=slant)
    parcels = layout(recipe, seed)
    counts = np.bincount(parcels.labels.ravel(), minlength=4)
    assert counts[1:].tolist() == [120, 300, 200]
    labelled = parcels.labels > 0
    assert np.array_equal(parcels.cover[labelled], parcels.labels[labelled])
    assert (parcels.parcels[labelled] > 0).all()
    for field in range(1, parcels.parcels.max() + 1):
        assert len(np.unique(parcels.cover[parcels.parcels == field])) <= 1


def test_there_are_roads_strips_and_whole_fields_without_labels(large):
    recipe = SYNTHETIC_RECIPES["synthetic_large"]
    parcels = layout(recipe, 1)
    assert (parcels.cover == -1).sum() > 300
    assert (parcels.cover == 0).sum() > 300
    fields = np.unique(parcels.parcels[parcels.parcels > 0])
    unlabelled = [field for field in fields if not parcels.labels[parcels.parcels == field].any()]
    assert len(unlabelled) >= 5
    # Classes of any size lie in several places.
    for label, each in enumerate(recipe.classes, start=1):
        if each.pixels >= 200:
            assert connected_components(large.labels == label)[1] >= 3


@pytest.mark.parametrize(("fields", "wood"), [(1900, 10), (10, 1900)])
def test_classes_larger_than_the_scene_are_refused(fields, wood):
    with pytest.raises(ConfigError, match=r"no room for 1910 labelled pixels on 48 × 40"):
        draw_parcels((48, 40), [fields, wood], [False, True], 90.0, 0.1, np.random.default_rng(0))


# --- the spectra --------------------------------------------------------------------------------


def test_leaves_have_the_red_edge_the_green_peak_and_the_water_bands():
    leaf = spectrum(green=1.0)
    assert at(leaf, 800) > 8 * at(leaf, 670)
    edge = NM[np.gradient(leaf)[NM < 800].argmax()]
    assert 690 < edge < 740
    assert at(leaf, 550) > 2 * at(leaf, 670)
    assert at(leaf, 550) > 2 * at(leaf, 450)
    for centre, shoulder in ((970, 900), (1200, 1080), (1450, 1300), (1940, 1650)):
        assert at(leaf, centre) < at(leaf, shoulder)
    dry = spectrum(green=1.0, leaf_water=0.4)
    assert at(dry, 1450) > 2 * at(leaf, 1450)
    assert at(dry, 800) == pytest.approx(at(leaf, 800), rel=0.01)


def band_depth(values, left, centre, right):
    share = (centre - left) / (right - left)
    continuum = (1 - share) * at(values, left) + share * at(values, right)
    return 1 - at(values, centre) / continuum


def test_clay_iron_and_cellulose_deepen_with_what_causes_them():
    clay = [band_depth(spectrum(clay=c), 2140, 2204, 2266) for c in (0.0, 1.0, 2.0)]
    assert clay[0] == pytest.approx(0, abs=0.01)
    assert clay[2] > 1.7 * clay[1] > 0.15
    iron = [band_depth(spectrum(iron=i), 740, 900, 1100) for i in (0.0, 2.0)]
    assert iron[1] > iron[0] + 0.1
    straw, soil = spectrum(dry=1.0), spectrum(clay=0.0)
    assert band_depth(straw, 2020, 2100, 2210) > 0.08
    assert band_depth(soil, 2020, 2100, 2210) < 0.03


def test_wet_soil_is_darker_everywhere():
    assert (spectrum(moisture=0.9) < spectrum(moisture=0.1)).all()


def test_materials_mix_by_area():
    half = spectrum(green=0.5, dry=0.5)
    assert half == pytest.approx((spectrum(green=1.0) + spectrum(dry=1.0)) / 2)
    assert spectrum(green=2.0, dry=2.0) == pytest.approx(half)


@settings(max_examples=30, deadline=None)
@given(values=st.lists(st.floats(-3, 6), min_size=10, max_size=10))
def test_any_state_of_the_ground_has_a_reflectance_between_0_and_1(values):
    seen = reflectance(np.array(values).reshape(10, 1, 1), NM)
    assert seen.shape == (1, 1, len(NM))
    assert (seen > 0).all()
    assert (seen <= 1).all()


# --- light and sensor ---------------------------------------------------------------------------


def test_the_channels_leave_out_the_water_vapour_only():
    kept = usable_channels()
    assert len(kept) == 200
    assert not ((kept > 1350) & (kept < 1420)).any()
    assert not ((kept > 1805) & (kept < 1950)).any()
    assert kept.min() < 370
    assert kept.max() > 2490


def test_the_air_takes_light_where_water_vapour_and_oxygen_absorb():
    light = sunlight(NM)
    assert light.max() <= 1.0
    assert NM[light.argmax()] == pytest.approx(501.5, abs=15)
    assert at(light, 940) < 0.75 * at(light, 880)
    assert at(light, 762) < 0.9 * at(light, 780)
    assert at(light, 1870) < 0.05 * at(light, 1650)


def test_a_black_ground_still_sends_back_blue_scattered_light():
    dark = digital_numbers(np.zeros((1, len(NM))), NM)[0]
    assert at(dark, 450) > 4 * at(dark, 850) > 0


def test_noise_differs_by_band_and_grows_with_the_signal():
    weak, strong = (noise_deviation(np.full(len(NM), level), NM) for level in (100.0, 6000.0))
    assert (strong > weak).all()
    assert at(weak, 400) > 1.5 * at(weak, 1000)
    assert at(weak, 1258) > 1.5 * at(weak, 1000)
    assert strong[0] ** 2 - weak[0] ** 2 == pytest.approx(0.02 * 5900)


def test_the_generated_cube_holds_that_noise():
    recipe = SYNTHETIC_RECIPES["synthetic"]
    wood = (CoverClass("wood", 900, Ground(green=0.9), natural=True),)
    field = (CoverClass("field", 900, Ground(green=0.3)),)
    calm = replace(recipe, variability=0.0, classes=wood + field)
    scene = generate_scene(calm)
    cube = scene.cube.astype(float)
    # Second differences along a line leave noise (variance 6 σ²) and little of the smooth light.
    inner = np.zeros(scene.labels.shape, dtype=bool)
    same = scene.labels == 2
    inner[:, 3:-3] = np.logical_and.reduce([same[:, k : k + 66] for k in range(7)])
    rows = np.apply_along_axis(np.convolve, 1, cube, [1, -2, 1], "same")[inner]
    measured = np.sqrt((rows**2).mean(axis=0) / 6)
    expected = noise_deviation(cube[inner].mean(axis=0), scene.wavelengths)
    assert inner.sum() > 100
    assert np.median(measured / expected) == pytest.approx(1.0, abs=0.1)
    assert measured.max() > 2 * measured.min()


def test_illumination_is_smooth_and_around_one():
    light = illumination((60, 80), np.random.default_rng(0))
    assert light.shape == (60, 80)
    assert light.mean() == pytest.approx(1.0, abs=0.02)
    assert 0.01 < light.std() < 0.08
    assert np.abs(np.diff(light, axis=1)).max() < 0.02


def test_smooth_noise_is_normalised_and_smooth():
    surface = smooth_noise((3, 50, 60), 4.0, np.random.default_rng(0))
    assert surface.mean(axis=(1, 2)) == pytest.approx(np.zeros(3), abs=1e-12)
    assert surface.std(axis=(1, 2)) == pytest.approx(np.ones(3))
    neighbours = np.corrcoef(surface[0, :, :-1].ravel(), surface[0, :, 1:].ravel())[0, 1]
    assert neighbours > 0.95
