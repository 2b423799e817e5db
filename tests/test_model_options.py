"""Options of a model are inherited by those that know them, and can be cleared."""

import pytest
from scenes_samples import write_yaml

from hsi_suite.errors import ConfigError, ShapeError
from hsi_suite.models.classic_classifier import CLASSIC_MODELS
from hsi_suite.models.classical import CLASSICAL
from hsi_suite.models.registry import MODELS
from hsi_suite.runs.launch import configure

HYBRIDSN = "classification/hybridsn_indian_pines"


@pytest.mark.parametrize(
    ("settings", "options"),
    [
        ([], {"dropout": 0.4}),
        (["model.options={}"], {}),
        (["model.options=null"], {}),
        (["model.options.dropout=null"], {}),
        (["model.options={dropout: null}"], {}),
        (["model.options={}", "model.options.dropout=0.1"], {"dropout": 0.1}),
        (["model.options={dropout: 0.2}"], {"dropout": 0.2}),
    ],
)
def test_options_of_a_configuration_can_be_cleared(tmp_path, settings, options):
    assert configure(config=HYBRIDSN, settings=settings).model.options == options
    image = write_yaml(
        tmp_path / "i.yaml",
        {
            "extends": "image_classification/digits",
            "model": {"name": "alexnet", "options": {"dropout": 0.4}},
        },
    )
    assert configure(config=image, settings=settings).model.options == options


@pytest.mark.parametrize("task", ["denoising/default_denoiser", "retrieval/jasper_spectrum_rgb"])
def test_in_every_task(task):
    kept = configure(config=task).model.options
    assert kept and configure(config=task, settings=["model.options={}"]).model.options == {}
    assert configure(config=task, settings=["model.options=null"]).model.options == {}
    first = next(iter(kept))
    cleared = configure(config=task, settings=[f"model.options.{first}=null"]).model.options
    assert cleared == {key: value for key, value in kept.items() if key != first}


def test_an_option_that_may_be_null_is_kept():
    settings = ["model.options.norm=null", "model.options.depth=null"]
    options = configure(config="denoising/dncnn_s_25", settings=settings).model.options
    assert options["norm"] is None and "depth" not in options


def test_a_file_that_extends_another_can_clear_too(tmp_path):
    tree = {"extends": HYBRIDSN, "model": {"options": {"dropout": None}}}
    path = write_yaml(tmp_path / "own.yaml", tree)
    assert configure(config=path).model.options == {}


@pytest.mark.parametrize("model", ["cnn1d", "inception_1d", *CLASSICAL, "ssrn", "resnet_20"])
@pytest.mark.parametrize("named", ["option", "setting"])
def test_another_model_inherits_what_it_knows(model, named):
    how = {"model": model} if named == "option" else {"settings": [f"model.name={model}"]}
    config = configure(config=HYBRIDSN, **how).model
    assert config.name == model
    knows_dropout = model in ("inception_1d", "ssrn", "resnet_20")
    assert config.options == ({"dropout": 0.4} if knows_dropout else {})
    single = model in ("cnn1d", "inception_1d", *CLASSICAL)
    assert config.window == (1 if single else 25)


def test_what_was_asked_for_is_never_dropped():
    settings = ["model.options.dropout=0.1", "model.window=5"]
    config = configure(config=HYBRIDSN, model="ssrn", settings=settings).model
    assert config.options == {"dropout": 0.1} and config.window == 5
    with pytest.raises(ShapeError, match="cnn1d: a window of 5; expected a window of 1"):
        configure(config=HYBRIDSN, model="cnn1d", settings=settings)


def test_the_options_of_the_same_model_stay():
    assert configure(config=HYBRIDSN, model="hybridsn").model.options == {"dropout": 0.4}
    assert set(CLASSIC_MODELS) <= set(MODELS) and not set(CLASSICAL) & set(MODELS)


@pytest.mark.parametrize(
    ("source", "settings", "options"),
    [
        ({"model": "inception_resnet_v2", "dataset": "digits"}, ["scale=0.3"], {"scale": 0.3}),
        ({"model": "googlenet", "dataset": "digits"}, ["norm=lrn"], {"norm": "lrn"}),
        ({"model": "googlenet", "dataset": "synthetic"}, ["norm=lrn"], {"norm": "lrn"}),
        ({"config": "denoising/dncnn_s_25"}, ["block=residual", "depth=5"],
         {"block": "residual", "depth": 5}),
        ({"config": "retrieval/synthetic_spectrum_rgb"}, ["stages.first.attention=se"],
         {"stages": {"first": {"attention": "se"}}, "hidden": 512, "embedding": 256}),
        ({"dataset": "synthetic"}, ["model.name=hybridsn_se", "reduction=8"], None),
        ({"dataset": "synthetic"}, ["stages={2d: {block: inception}}", "dropout=0.1"],
         {"stages": {"2d": {"block": "inception"}}, "dropout": 0.1}),
    ],
)  # fmt: skip
def test_an_option_may_be_set_by_its_name_alone(source, settings, options):
    if options is None:  # a key of the configuration comes before an option of the model
        with pytest.raises(ConfigError, match="reduction"):
            configure(settings=settings, **source)
        return
    assert configure(settings=settings, **source).model.options == options


@pytest.mark.parametrize("setting", ["window=9", "num_classes=3", "scale=0.3", "epochs=4"])
def test_what_is_no_option_of_the_model_is_still_an_unknown_key(setting):
    with pytest.raises(ConfigError, match="unknown key"):
        configure(dataset="synthetic", model="cnn1d", settings=[setting])
