import typing

import pytest
from pydantic import ValidationError

from hsi_suite.config import (
    Section,
    apply_settings,
    config_names,
    dump_yaml,
    load_tree,
    merge,
    parse_yaml,
    validate,
)
from hsi_suite.errors import ConfigError
from hsi_suite.schemas.batch import BatchConfig
from hsi_suite.schemas.classification import ClassificationConfig
from hsi_suite.schemas.denoising import DenoisingConfig
from hsi_suite.schemas.image_classification import ImageClassificationConfig
from hsi_suite.schemas.retrieval import RetrievalConfig

TREE = {"data": {"dataset": "synthetic"}}


def read(**extra):
    return validate(ClassificationConfig, merge(TREE, extra), "test.yaml")


def test_scientific_notation_is_a_number():
    assert parse_yaml("[1e-3, 1.5e2, -2E+3, 1_0e1]", "x") == [1e-3, 150.0, -2000.0, 100.0]
    assert parse_yaml("[e1, 1e, 0x1e]", "x") == ["e1", "1e", 30]


@pytest.mark.parametrize(
    "text", ["a: [", "a: 1\na: 2", "\t- a", "a: *nothing", "!!python/object:os.x {}"]
)
def test_bad_yaml_is_one_line_with_its_place(text):
    with pytest.raises(ConfigError, match=r"test\.yaml") as caught:
        parse_yaml(text, "test.yaml")
    assert "\n" not in str(caught.value)


def test_all_shipped_configurations_are_valid():
    from hsi_suite.runs.batches.design import expand
    from hsi_suite.schemas.batch import BatchConfig
    from hsi_suite.tasks.scenes.configuration import classification_config

    names = config_names()
    assert "classification/hybridsn_indian_pines" in names
    for name in names:
        tree = load_tree(name)
        if tree["task"] == "classification":
            dataset = None if "data" in tree else "synthetic"
            classification_config(config=name, dataset=dataset)
        elif tree["task"] == "batch":
            expand(validate(BatchConfig, tree, name))


def test_settings_reach_any_depth_and_are_yaml():
    tree = apply_settings(
        TREE, ["train.optimizer.learning_rate=1e-2", "evaluation.baselines=[svm]"]
    )
    config = validate(ClassificationConfig, tree, "x")
    assert config.train.optimizer.learning_rate == 0.01
    assert config.evaluation.baselines == ["svm"]


@pytest.mark.parametrize("setting", ["epochs", "=3", "a..b=1", ".a=1"])
def test_a_malformed_setting_is_refused(setting):
    with pytest.raises(ConfigError, match="--set"):
        apply_settings(TREE, [setting])


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ({"trian": {}}, "trian: unknown key.*Did you mean train"),
        (
            {"train": {"optimizer": {"lerning_rate": 1.0}}},
            "Did you mean train.optimizer.learning_rate",
        ),
        ({"train": {"epochs": -1}}, "train.epochs: -1; expected greater than or equal to 1"),
        ({"train": {"epochs": 2.5}}, "train.epochs: 2.5"),
        ({"train": {"epochs": "many"}}, "train.epochs: 'many'"),
        ({"train": {"optimizer": {"learning_rate": float("nan")}}}, "learning_rate: nan"),
        ({"reduction": {"components": 0}}, "reduction.components: 0"),
        ({"model": {"window": 12}}, "odd model.window"),
        ({"split": {"train": 1.5}}, "split.train: 1.5"),
        ({"split": {"kind": "file"}}, "split.file together"),
        ({"data": {"scene": "a.mat"}}, "either a data set"),
        ({"data": None}, "data: None"),
        ({"seeds": {"base": -1}}, "seeds.base: -1"),
        ({"model": {"options": {"dropout": [float("nan")]}}}, "options: .*; expected finite"),
        ({"data": {"dataset": "x", "nodata": float("inf")}}, "data.nodata: inf; .* or .nan"),
        ({"data": []}, r"data: \[\]; expected keys and their values"),
        ({"data": {"dataset": 3}}, "data.dataset: 3; expected text"),
        ({"deterministic": "yes"}, "deterministic: 'yes'; expected true or false"),
        ({"evaluation": {"baselines": "svm"}}, "baselines: 'svm'; expected a list"),
        ({"train": {"selection": "best"}}, "split.validation above 0"),
    ],
)
def test_a_wrong_key_or_value_is_named(extra, message):
    with pytest.raises(ConfigError, match=message) as caught:
        read(**extra)
    assert "\n" not in str(caught.value)


def numbers_of(schema, above=""):
    """Every place in a configuration that takes a number, with dots between the levels."""
    for name, field in schema.model_fields.items():
        place = f"{above}{name}"
        parts = [field.annotation, *typing.get_args(field.annotation)]
        section = next((p for p in parts if isinstance(p, type) and issubclass(p, Section)), None)
        if section is not None:
            yield from numbers_of(section, f"{place}.")
        elif any(str(kind) in str(field.annotation) for kind in (float, "float", int)):
            yield place


SCHEMAS = (
    ClassificationConfig,
    ImageClassificationConfig,
    DenoisingConfig,
    RetrievalConfig,
    BatchConfig,
)


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: schema.__name__)
@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
def test_no_number_of_a_configuration_is_nan_or_infinite(schema, value):
    """But those that mark missing and unlabelled values: nan switches the marking off."""
    places = list(numbers_of(schema))
    assert len(places) > 3
    for place in places:
        tree = apply_settings({}, [f"{place}=.{value}".replace(".-", "-.")])
        for wrong in (tree, apply_settings({}, [f"{place}=[.{value}, 1.0]".replace(".-", "-.")])):
            with pytest.raises(ValidationError) as caught:
                schema.model_validate(wrong)
            named = {".".join(map(str, error["loc"])) for error in caught.value.errors()}
            marks = place.split(".")[-1] in {"nodata", "unlabelled"} and value == "nan"
            if not (marks and wrong is tree):
                assert any(name.startswith(place) for name in named), place


def test_a_configuration_is_frozen_and_round_trips():
    config = read(train={"epochs": 3})
    with pytest.raises(ValueError, match="frozen"):
        config.threads = 2
    again = validate(ClassificationConfig, parse_yaml(dump_yaml(config), "x"), "x")
    assert again == config


def test_extends_merges_and_a_circle_is_found(tmp_path):
    (tmp_path / "a.yaml").write_text("extends: classification/hybridsn\ntrain: {epochs: 7}\n")
    tree = load_tree(str(tmp_path / "a.yaml"))
    assert tree["train"]["epochs"] == 7
    assert tree["train"]["batch_size"] == 256
    (tmp_path / "b.yaml").write_text("extends: c.yaml\n")
    (tmp_path / "c.yaml").write_text("extends: b.yaml\n")
    with pytest.raises(ConfigError, match="extends itself"):
        load_tree(str(tmp_path / "b.yaml"))


@pytest.mark.parametrize("content", [b"", b"- 1\n", b"\xff\xfe\x00", b"extends: 3\n"])
def test_a_file_that_is_no_configuration_is_refused(tmp_path, content):
    (tmp_path / "a.yaml").write_bytes(content)
    with pytest.raises(ConfigError):
        load_tree(str(tmp_path / "a.yaml"))


def test_an_unknown_configuration_suggests_a_near_name():
    with pytest.raises(ConfigError, match="Did you mean classification/hybridsn_salinas"):
        load_tree("classification/hybridsn_salina")


def test_a_tree_is_ones_own_to_change():
    name = "classification/hybridsn_indian_pines"
    first, second = load_tree(name), load_tree(name)
    assert first == second
    first["train"]["optimizer"] = None
    first["model"].clear()
    assert load_tree(name) == second
