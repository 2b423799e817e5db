"""What a run says of its seconds, energy and memory, and a machine that tells no energy."""

import json

import pytest
from batch_samples import make_denoising_batch

from hsi_suite.runs import cost as module
from hsi_suite.runs.cost import measured_cost, metered, prepared, shown_cost
from hsi_suite.runs.energy import energy_metered
from hsi_suite.runs.report import write_reports


def counter(folder, zone, name, microjoules, largest=262_143_328_850):
    place = folder / zone
    place.mkdir(exist_ok=True)
    for file, value in (
        ("name", name), ("energy_uj", microjoules), ("max_energy_range_uj", largest)
    ):  # fmt: skip
        (place / file).write_text(f"{value}\n")
    return place / "energy_uj"


def test_the_energy_of_all_packages_is_added_and_of_nothing_else(tmp_path):
    first = counter(tmp_path, "intel-rapl:0", "package-0", 1_000_000)
    second = counter(tmp_path, "intel-rapl:1", "package-1", 999_999, largest=999_999)
    within = [
        counter(tmp_path, "intel-rapl:0:0", "core", 0),
        counter(tmp_path, "intel-rapl:2", "psys", 0),
    ]
    with energy_metered(tmp_path) as meter:
        assert meter.joules == 0.0
        for file in within:
            file.write_text("5000000")
        first.write_text("3500000")
        assert meter.joules == pytest.approx(2.5)
        # It was at its largest value and has begun anew since.
        second.write_text("249999")
        assert meter.joules == pytest.approx(2.75, abs=1e-9)
        second.write_text("gone")
        assert meter.joules is None


@pytest.mark.parametrize("lacking", ["energy_uj", "max_energy_range_uj"])
def test_a_machine_that_does_not_tell_all_of_it_tells_none(tmp_path, lacking):
    counter(tmp_path, "intel-rapl:0", "package-0", 1)
    (counter(tmp_path, "intel-rapl:1", "package-1", 1).parent / lacking).unlink()
    for folder in (tmp_path, tmp_path / "nothing"):
        with energy_metered(folder) as meter:
            assert meter.joules is None


def test_energy_that_is_not_told_is_said_to_be_absent(monkeypatch, tmp_path):
    monkeypatch.setattr(module, "energy_metered", lambda: energy_metered(tmp_path))
    with metered():
        before = measured_cost(2.0, [1.0, 1.0])
        prepared()
        rows = dict(shown_cost(measured_cost(2.0, [1.0, 1.0], map_seconds=0.5)))
    assert "preparation_seconds" not in before and before["processor_joules"] is None
    assert rows["processor_joules"] == "not told by this machine"
    assert list(rows)[:4] == [
        "preparation_seconds", "training_seconds", "epoch_seconds", "map_seconds"
    ]  # fmt: skip


def test_runs_of_earlier_versions_say_what_they_know(tmp_path):
    assert shown_cost({"training_seconds": 3.5, "own": 1}) == [
        ("training_seconds", "3.5"), ("own", "1")
    ]  # fmt: skip
    # Their cost.json has no energy and fewer stages.
    make_denoising_batch(tmp_path / "batch")
    run = sorted(path.parent for path in (tmp_path / "batch").glob("*/metrics.json"))[0]
    assert "processor_joules" not in json.loads((run / "cost.json").read_text())
    write_reports(run)
    assert "processor_joules" not in (run / "report.html").read_text()
