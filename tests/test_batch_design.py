"""What a batch consists of: seeds, sources of chance varied alone, other thread counts."""

from pathlib import Path

import pytest
import yaml
from fake_cuda import fake_devices

from hsi_suite.config import validate
from hsi_suite.errors import ConfigError
from hsi_suite.pipelines import reproducibility
from hsi_suite.runs.batches.design import expand
from hsi_suite.runs.batches.plan import Plan
from hsi_suite.runs.chance import absent
from hsi_suite.runs.launch import configure
from hsi_suite.schemas.batch import BatchConfig
from hsi_suite.seeding import STREAMS, derive_seed

SCENE = {"datasets": ["synthetic"], "models": ["hybridsn"], "runs": 3, "threads": 1}


def design(beside=None, **keys):
    return expand(validate(BatchConfig, {"task": "batch", **keys}, "a test"), beside)


def streams(config):
    return {name: config.streams.seed(name) for name in STREAMS}


def test_plain_repetition_is_the_grid_with_one_run_for_each_seed():
    found = design(datasets=["synthetic"], models=["forest", "svm"], seeds=[4, 2], threads=1)
    assert [member.what for member in found.members] == [
        f"{model} on synthetic, random split, seed {seed}"
        for model in ("forest", "svm")
        for seed in (4, 2)
    ]
    assert [member.config.seeds.base for member in found.members] == [4, 2, 4, 2]
    assert {member.source for member in found.members} == {"all"}


@pytest.mark.parametrize(
    ("keys", "identity"),
    [
        (
            {
                "datasets": ["synthetic"],
                "models": ["hybridsn", "forest"],
                "splits": ["random"],
                "runs": 2,
                "set": {"threads": 1, "train": {"epochs": 1}},
            },
            "40e5e91e",
        ),
        ({"datasets": ["synthetic"], "seeds": [4, 2]}, "4c847512"),
    ],
)
def test_plain_batches_keep_the_folders_they_had_before_there_was_more(keys, identity):
    assert design(**keys).identity == identity


def test_the_folder_stays_when_a_batch_grows_or_varies_more():
    first = design(**SCENE)
    assert design(**SCENE | {"runs": 5}).identity == first.identity
    assert design(**SCENE, vary=["all", "init", "split"]).identity == first.identity
    assert design(**SCENE, numerics=[2], jobs=4, level=0.9).identity == first.identity
    assert design(**SCENE | {"threads": 2}).identity != first.identity


def test_each_source_alone_takes_new_streams_at_every_anchor_and_keeps_them_as_a_batch_grows():
    sources = ["split", "init", "order", "dropout"]
    found = design(**SCENE, vary=["all", *sources], anchors=2)
    (cell,) = found.cells
    assert list(found.anchors) == [0, 1]
    assert list(cell.sources) == sources
    # Three runs of all, and for each source at each anchor two beside the anchor's own.
    assert len(found.members) == 3 + len(sources) * 2 * 2
    of_seed = {member.seed: streams(member.config) for member in cell.plain}
    larger = {
        member.what for member in design(**SCENE | {"runs": 5}, vary=["all", *sources]).members
    }
    assert {member.what for member in found.members} <= larger
    for source, anchors in cell.sources.items():
        assert len(anchors) == 2
        drawn = [each[source] for each in of_seed.values()]
        for anchor, members in enumerate(anchors):
            assert members[0] is cell.plain[anchor] and len(members) == 3
            for member in members[1:]:
                own = streams(member.config)
                drawn.append(own.pop(source))
                assert own == {k: v for k, v in of_seed[anchor].items() if k != source}
                assert member.config.data.seed is None
        assert len(set(drawn)) == len(drawn) == 3 + 2 * 2


def test_a_new_seed_is_none_of_the_base_seeds():
    (cell,) = design(
        datasets=["synthetic"], seeds=[1_000_001, 4, 5], vary=["all", "init"], threads=1
    ).cells
    seeds = [[m.varied_seed for m in members[1:]] for members in cell.sources["init"]]
    assert seeds == [[1_000_002, 1_000_003], [2_000_001, 2_000_002]]


def test_data_is_the_seed_of_the_scene_or_the_noise_of_a_denoiser():
    (cell,) = design(**SCENE, vary=["all", "data"]).cells
    scenes = [member.config.data.seed for member in cell.plain]
    assert scenes == [derive_seed(seed, "data") for seed in range(3)]
    for anchor, members in enumerate(cell.sources["data"]):
        new = [derive_seed(1_000_000 * (anchor + 1) + each, "data") for each in (1, 2)]
        assert [member.config.data.seed for member in members] == [scenes[anchor], *new]
        assert all(streams(m.config) == streams(cell.plain[anchor].config) for m in members)
    (cell,) = design(configs=["smoke/denoising"], runs=2, vary=["all", "data"], threads=1).cells
    (_, other), _ = cell.sources["data"]
    first, _ = (streams(member.config) for member in cell.plain)
    assert streams(other.config) == {**first, "noise": derive_seed(1_000_001, "noise")}


def test_a_source_that_does_not_exist_is_noted_where_others_have_it_and_else_refused():
    both = {"datasets": ["synthetic"], "models": ["hybridsn", "forest"], "runs": 2}
    network, forest = design(**both, vary=["all", "dropout"]).cells
    assert "dropout" in network.sources and not network.missing
    assert forest.missing == {"dropout": "forest is not trained step by step"}
    assert not forest.sources
    for keys, source in (
        (SCENE | {"models": ["forest"]}, "dropout"),
        (SCENE | {"models": ["svm"], "set": {"model": {"options": {"C": 1, "gamma": 1}}}}, "init"),
        (SCENE | {"set": {"model": {"options": {"dropout": 0.0}}}}, "dropout"),
        (SCENE | {"datasets": ["jasper_ridge"]}, "data"),
        (SCENE, "augment"),
        ({"configs": ["smoke/denoising"], "runs": 2}, "dropout"),
        ({"configs": ["image_classification/digits"], "runs": 2}, "data"),
    ):
        with pytest.raises(ConfigError, match=f"vary: {source}: ") as caught:
            design(**keys, vary=["all", source])
        assert "\n" not in str(caught.value)


def test_sources_of_images_and_denoisers_exist_where_something_is_drawn():
    images = configure(config="image_classification/digits", settings=["augment.flip=true"])
    assert absent(images, "augment") is None
    plain = configure(config="image_classification/digits", settings=["augment={crop: centre}"])
    assert absent(plain, "split") is None
    denoiser = configure(config="smoke/denoising")
    assert [absent(denoiser, name) for name in ("split", "init", "order", "data")] == [None] * 4
    validated = configure(config="smoke/denoising", settings=["data.validation=0"])
    assert absent(validated, "split") == "no validation images are set apart"
    scene = configure(dataset="synthetic", model="hybridsn_se")
    assert absent(scene, "dropout") is None
    windows = configure(dataset="synthetic", settings=["train.augmentation.flips=true"])
    assert absent(windows, "augment") is None


def test_numerics_repeat_every_run_with_other_threads():
    found = design(**SCENE, numerics=[1, 2])
    (cell,) = found.cells
    assert list(cell.numerics) == ["2 threads"]
    for member, plain in zip(cell.numerics["2 threads"], cell.plain, strict=True):
        assert member.config == plain.config.model_copy(update={"threads": 2})
    assert len(found.members) == 6


def test_threads_and_device_are_decided_once_for_the_batch():
    found = design(**SCENE | {"threads": None})
    assert found.resolved.threads >= 1
    assert {member.config.threads for member in found.members} == {found.resolved.threads}
    assert "auto" not in {member.config.device for member in found.members}
    elsewhere = {"threads": 7, "device": "cpu"}
    found = design(**SCENE | {"threads": None}, resolved=elsewhere)
    assert {member.config.threads for member in found.members} == {7}
    assert found.identity == design(**SCENE | {"threads": None}).identity


def test_configurations_of_any_task_take_the_place_of_a_grid(tmp_path):
    own = {"extends": "smoke/classification", "train": {"epochs": 3}}
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(own))
    names = ["smoke/classification", "own.yaml", "smoke/denoising", "image_classification/digits"]
    found = design(beside=tmp_path, configs=names, runs=1, set={"train": {"batch_size": 8}})
    assert [cell.name for cell in found.cells] == [
        "hybridsn on synthetic, random split (smoke/classification)",
        "hybridsn on synthetic, random split (own)",
        "residual_unet on train400",
        f"{found.cells[3].config.model.name} on digits",
    ]
    assert found.cells[1].config.train.epochs == 3
    assert {cell.config.train.batch_size for cell in found.cells} == {8}


def test_dropout_at_test_is_a_key_of_scenes_alone():
    found = design(**SCENE, dropout_at_test=True)
    assert all(member.config.evaluation.dropout_at_test for member in found.members)
    with pytest.raises(ConfigError, match="only classifiers of scenes"):
        design(configs=["smoke/denoising"], runs=1, dropout_at_test=True)


@pytest.mark.parametrize(
    "change",
    [
        {"configs": ["smoke/denoising"]},
        {"datasets": None},
        {"datasets": None, "models": None},
        {"configs": ["nothing"], "datasets": None, "models": None},
        {"configs": ["batch/smoke"], "datasets": None, "models": None},
        {"vary": ["init"]},
        {"vary": ["all", "weather"]},
        {"vary": ["all", "init"], "runs": 1},
        {"vary": ["all", "init"], "anchors": 4},
        {"vary": ["all", "init"], "set": {"seeds": {"init": 3}}},
        {"vary": ["all", "data"], "set": {"data": {"seed": 3}}},
        {"numerics": [1]},
        {"numerics": [0]},
        {"numerics": ["abacus"]},
        {"set": {"threads": 2}},
        {"set": {"evaluation": {"dropout_at_test": True}}},
        {"level": 1.0},
        {"jobs": 0},
        {"jobs": "many"},
        {"datasets": ["digits"], "models": ["resnet_20"], "splits": ["random"]},
        {"models": ["hybridsn"], "set": {"model": {"options": {"dropout": -1}}}},
        {"models": ["dncnn"]},
    ],
)
def test_what_does_not_fit_together_is_refused_in_one_line(change):
    keys = {key: value for key, value in {**SCENE, **change}.items() if value is not None}
    with pytest.raises(ConfigError) as caught:
        design(**keys)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("device", "numerics", "spread", "at_a_time"),
    [
        ("auto", [], 3, 2),
        ("cuda", [], 3, 2),
        ("cuda:0", [], 0, 1),
        ("cpu", [], 0, 8),
        ("cpu", ["cuda"], 3, 8),
        ("cpu", ["cuda:1"], 0, 8),
    ],
)
def test_runs_that_name_no_device_are_spread(monkeypatch, device, numerics, spread, at_a_time):
    fake_devices(monkeypatch, 2)
    monkeypatch.setattr(reproducibility, "processors", lambda: 8)
    found = design(**SCENE, set={"device": device}, numerics=numerics)
    assert len(found.spread) == spread
    config = BatchConfig(name="b", datasets=["synthetic"], runs=3, jobs="auto")
    plan = Plan(None, config, found, {})
    executor = reproducibility._executor(plan, None, None, None)
    assert executor.processes == at_a_time
    assert executor.devices == (["0", "1"] if spread else [])
    jobs = [reproducibility._job(member, Path("b"), plan) for member in found.members]
    assert sum(job.spread for job in jobs) == spread
    assert all(job.alone for job in jobs if job.spread)
