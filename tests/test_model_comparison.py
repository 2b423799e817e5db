"""`hsi models compare`: costs as described, scores as the runs have them, pictures and a page."""

import json
from statistics import mean

import pytest
from click.testing import CliRunner

from hsi_suite.cli.models import models
from hsi_suite.errors import ConfigError, HsiSuiteError
from hsi_suite.models.description import describe_model
from hsi_suite.models.network_file import trust
from hsi_suite.runs import model_comparison
from hsi_suite.runs.compared_networks import parted
from hsi_suite.runs.model_comparison import compare_networks, write_comparison


class FakeRun:
    """A finished run, as far as it is asked."""

    def __init__(self, model, accuracy, dataset="synthetic", **options):
        self.metrics = {
            "task": "classification", "dataset": dataset, "model": model, "window": 11,
            "classes": [{}, {}, {}], "split": {"kind": "random"},
            "test": {"overall_accuracy": accuracy},
        }  # fmt: skip
        self.config = {
            "model": {"name": model, "options": options},
            "reduction": {"method": "pca", "components": 15},
        }


@pytest.fixture
def runs(monkeypatch):
    found = [
        FakeRun("hybridsn", 0.5), FakeRun("hybridsn", 0.7, block="plain", attention="none"),
        FakeRun("hybridsn", 0.9, block="residual"), FakeRun("ssrn", 0.8),
        FakeRun("hybridsn", 0.1, dataset="pavia_university"),
    ]  # fmt: skip
    monkeypatch.setattr(model_comparison, "finished_runs", lambda folder: (found, []))
    monkeypatch.setattr(model_comparison, "run_scores", lambda metrics: metrics["test"])
    monkeypatch.setattr(model_comparison, "headline", lambda metrics: ["overall_accuracy"])
    monkeypatch.setattr(model_comparison, "variant", lambda metrics: metrics["split"]["kind"])
    return found


def test_costs_are_those_of_the_descriptions():
    names = ["hybridsn", "hybridsn block=residual scale=0.2", "dncnn depth=5"]
    found = compare_networks(names)
    options = [{}, {"block": "residual", "scale": 0.2}, {"depth": 5}]
    for name, each, given in zip(names, found.networks, options, strict=True):
        network = describe_model(name.split()[0], None, given).network
        assert (each["parameters"], each["multiply_adds"], each["memory"]) == (
            network.parameters, network.multiply_adds, network.memory,
        )  # fmt: skip
        for key in ("parameters", "multiply_adds", "memory"):
            assert sum(stage[key] for stage in each["stages"]) == each[key]
    assert found.metric is None and {each["score"] for each in found.networks} == {None}
    assert found.notes == ["The networks see inputs of different sizes: costs are those of each."]


@pytest.mark.parametrize(
    ("said", "options"),
    [
        ("block={name: resnext, groups: 4} attention=se",
         {"block": {"name": "resnext", "groups": 4}, "attention": "se"}),
        ("attention={name: se, gate: {name: elu, alpha: 2}}  scale=0.2 block='residual'",
         {"attention": {"name": "se", "gate": {"name": "elu", "alpha": 2}}, "scale": 0.2,
          "block": "residual"}),
        ("stages.3d_1.norm={name: 'a b=c' , eps: 1}",
         {"stages": {"3d_1": {"norm": {"name": "a b=c", "eps": 1}}}}),
        ("channels=[8, 8] blocks=1", {"channels": [8, 8], "blocks": 1}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("model", ["hybridsn", "o'neil's files/a=b/own net.py:Net"])
def test_values_behind_a_name_may_hold_spaces(model, said, options):
    assert parted(f" {model} {said} ") == (model, options)


def test_a_block_with_options_is_described_and_found_among_the_runs(runs):
    grouped = "hybridsn block={name: resnext, groups: 4}"
    runs.append(FakeRun("hybridsn", 0.6, block={"groups": 4, "name": "resnext"}))
    names = [grouped, "hybridsn block={name: residual}"]
    found = compare_networks(names, runs="runs", dataset="synthetic")
    assert [each["score"] for each in found.networks] == [0.6, 0.9]
    style = {"block": {"name": "resnext", "groups": 4}}
    assert (
        found.networks[0]["parameters"]
        == describe_model("hybridsn", (15, 11, 11), {"num_classes": 3, **style}).network.parameters
    )
    with pytest.raises(ConfigError, match="block"):
        compare_networks(["hybridsn block={name: resnext, groups: 4"])


def test_scores_are_the_means_of_the_runs_with_the_same_stages(runs):
    names = ["hybridsn", "hybridsn block=residual", "hybridsn attention=se", "ssrn"]
    found = compare_networks(names, runs="runs", dataset="synthetic")
    assert [each["score"] for each in found.networks] == [mean([0.5, 0.7]), 0.9, None, 0.8]
    assert [each["runs"] for each in found.networks] == [2, 1, 0, 1]
    # As they were trained: 15 components, window 11, 3 classes.
    assert found.networks[0]["input"] == found.networks[3]["input"] == [15, 11, 11]
    trained = describe_model("hybridsn", (15, 11, 11), {"num_classes": 3}).network
    assert found.networks[0]["multiply_adds"] == trained.multiply_adds
    assert any("hybridsn attention=se was found" in note for note in found.notes)


def test_what_cannot_be_compared(runs):
    with pytest.raises(ConfigError, match=r"pavia_university, random.*--dataset"):
        compare_networks(["hybridsn"], runs="runs")
    with pytest.raises(ConfigError, match="no run of these networks on salinas"):
        compare_networks(["hybridsn"], runs="runs", dataset="salinas")
    with pytest.raises(ConfigError, match="--dataset"):
        compare_networks(["hybridsn"], dataset="synthetic")
    with pytest.raises(ConfigError, match="--input"):
        compare_networks(["hybridsn"], runs="runs", shape=(15, 11, 11))
    with pytest.raises(HsiSuiteError, match="unknown name 'hybridns'"):
        compare_networks(["hybridns"])
    for nothing in ("", "  "):
        with pytest.raises(ConfigError, match="NAME"):
            compare_networks([nothing])
    with pytest.raises(ConfigError, match="twice"):
        compare_networks(["ssrn", "ssrn"])


def test_pictures_and_page_are_written_and_kept(runs, tmp_path):
    found = compare_networks(["hybridsn", "ssrn"], runs="r", dataset="synthetic")
    paths = write_comparison(found, tmp_path / "out", overwrite=False)
    assert set(paths) == set((tmp_path / "out").iterdir()) and len(paths) == 6
    page = (tmp_path / "out" / "index.html").read_text("utf-8")
    assert "hybridsn" in page and "60.00" in page
    assert json.loads((tmp_path / "out" / "comparison.json").read_text())["metric"]
    before = [path.read_bytes() for path in paths]
    with pytest.raises(HsiSuiteError, match=r"exist|there"):
        write_comparison(found, tmp_path / "out", overwrite=False)
    write_comparison(found, tmp_path / "out", overwrite=True)
    assert [path.read_bytes() for path in paths] == before  # equal inputs, equal files


def test_the_command_prints_a_line_for_each(tmp_path):
    arguments = ["compare", "ssrn", "cnn1d", "--json"]
    result = CliRunner().invoke(models, arguments, catch_exceptions=False)
    networks = json.loads(result.stdout)["networks"]
    assert [each["parameters"] for each in networks] == [363_848, 72_196]
    text = CliRunner().invoke(models, arguments[:-1], catch_exceptions=False).stdout
    assert "363,848" in text and "72,196" in text and "different sizes" in text


def test_runs_of_a_network_of_ones_own_are_those_of_the_same_file(tmp_path, runs):
    source = (
        "from torch import nn\n\n\nclass Net(nn.Module):\n"
        "    def __init__(self, in_channels, num_classes, window, scale=2.0, block='own'):\n"
        "        super().__init__()\n"
        "        self.layers = nn.Sequential(\n"
        "            nn.Flatten(), nn.Linear(in_channels * window**2, num_classes)\n        )\n\n"
        "    def forward(self, windows):\n        return self.layers(windows)\n"
    )
    file = tmp_path / "my nets" / "mine.py"
    file.parent.mkdir()
    file.write_text(source)
    trust(file)
    for number, content in enumerate((source, source + "# another\n")):
        run = FakeRun("mine.Net", (0.4, 0.6)[number], scale=2.5)
        run.config["model"]["name"] = "/somewhere/else/mine.py:Net"
        run.path = tmp_path / str(number)
        run.path.mkdir()
        (run.path / "mine.py").write_text(content)
        runs.append(run)
    found = compare_networks([f"{file}:Net", f"{file}:Net scale=3"], runs="r", dataset="synthetic")
    assert [each["score"] for each in found.networks] == [0.4, None]
    assert found.networks[0]["parameters"] == 15 * 11 * 11 * 3 + 3
