"""Runs whose networks are trained at once with those of other seeds."""

import pytest
import torch
from retrieval_samples import write_pairs

from hsi_suite.engine.distributed import ALONE
from hsi_suite.engine.observer import Observer
from hsi_suite.errors import ConfigError, RunError, Stopped
from hsi_suite.pipelines import reproducibility
from hsi_suite.runs import launch
from hsi_suite.runs.batches.design import expand
from hsi_suite.runs.batches.plan import Plan
from hsi_suite.runs.cost import judged_cost
from hsi_suite.runs.folder import CHECKPOINT, TOGETHER, Run
from hsi_suite.runs.joint_training import train_together
from hsi_suite.runs.life import begun
from hsi_suite.runs.replay import _environment_differences
from hsi_suite.runs.tasks import check_together, task_named
from hsi_suite.schemas.batch import BatchConfig

SMALL = {
    "model": {"options": {"hidden": 16, "embedding": 8, "dropout": 0.2}},
    "train": {"epochs": 2},
    "threads": 1,
}


def configured(path, seed):
    settings = [f"data.files={path}", "model.options.hidden=16", "model.options.embedding=8",
                "model.options.dropout=0.2", "train.epochs=2", "evaluation.cutoffs=[1]",
                "threads=1", f"seeds.base={seed}"]  # fmt: skip
    return launch.configure(config="retrieval/features", settings=settings)


def fitted(config, output):
    """The run of a configuration up to the end of its training, and what came out."""
    task = task_named(config.task)
    with (
        task.prepare(task.resolve(config), Observer(), ALONE, None) as job,
        begun(job, output, None, Observer()) as (run, log),
    ):
        trainer = job.trainer(run, log)
        return run, trainer.fit(), trainer.model.state_dict()


def test_a_run_goes_on_as_if_trained_alone(tmp_path):
    path = write_pairs(tmp_path / "pairs.npz", number=60)
    configs = [configured(path, seed) for seed in (3, 4)]
    train_together(configs, tmp_path / "joint")
    folders = sorted((tmp_path / "joint").iterdir())
    assert [(folder / CHECKPOINT).exists() for folder in folders] == [True, True]
    assert not any((folder / TOGETHER).exists() for folder in folders)
    joint, training, weights = fitted(configs[1], tmp_path / "joint")
    alone, expected, others = fitted(configs[1], tmp_path / "alone")
    assert joint.path.name == alone.path.name
    assert training.epoch == expected.epoch
    for row, other in zip(training.history, expected.history, strict=True):
        # Rounding can let an item change places with the next in a ranking.
        assert row == pytest.approx(other, rel=1e-5, abs=0.02)
        assert row["train_loss"] == pytest.approx(other["train_loss"], rel=1e-5)
    for name, value in weights.items():
        torch.testing.assert_close(value, others[name], rtol=1e-4, atol=1e-5)
    assert judged_cost(1.0, training, 0.0, 0.0)["trained_together"] == 2
    assert "trained_together" not in judged_cost(1.0, expected, 0.0, 0.0)
    assert joint.environment["together"] == 2
    assert "together: 2 then, 1 now" in _environment_differences(joint, None)
    assert not any("together" in line for line in _environment_differences(alone, None))
    # What is finished, or has only to be finished, is left as it is.
    before = (folders[0] / CHECKPOINT).read_bytes()
    train_together(configs, tmp_path / "joint")
    assert (folders[0] / CHECKPOINT).read_bytes() == before
    # Where its checkpoint is gone, it is trained alone and says so.
    (folders[1] / CHECKPOINT).unlink()
    again, training, _ = fitted(configs[1], tmp_path / "joint")
    assert (again.path, training.together) == (joint.path, 1)
    assert "together" not in again.environment


def test_a_seed_without_data_is_left_to_itself(tmp_path):
    path = write_pairs(tmp_path / "pairs.npz", number=60)
    configs = [configured(path, seed) for seed in (3, 4, 5)]
    lost = configs[1].data.model_copy(update={"files": str(tmp_path / "lost.npz")})
    configs[1] = configs[1].model_copy(update={"data": lost})
    said = []
    listening = Observer()
    listening.message = said.append
    train_together(configs, tmp_path / "runs", listening)
    found = {folder.name.split("_")[3]: folder for folder in (tmp_path / "runs").iterdir()}
    assert sorted(found) == ["s3", "s5"]
    assert all((folder / CHECKPOINT).exists() for folder in found.values())
    assert Run(found["s3"]).environment["together"] == 2
    assert len(said) == 1 and said[0].startswith("seed 4: ") and "lost.npz" in said[0]


def test_a_stopped_training_goes_on_with_the_same_seeds(tmp_path, monkeypatch):
    path = write_pairs(tmp_path / "pairs.npz", number=60)
    configs = [configured(path, seed) for seed in (3, 4)]
    pending = iter([False, True])

    class Stop:
        @property
        def pending(self):
            return next(pending, True)

    with monkeypatch.context() as patched:
        patched.setattr("hsi_suite.engine.joint.StopRequest", Stop)
        patched.setattr("hsi_suite.engine.observer.StopRequest", Stop)
        with pytest.raises(Stopped):
            train_together(configs, tmp_path / "runs")
    folders = sorted((tmp_path / "runs").iterdir())
    assert [(folder / TOGETHER).exists() for folder in folders] == [True, False]
    assert not any(Run(folder).finished for folder in folders)

    class Listening(Observer):
        said = ""

        def message(self, text):
            self.said += text

    with pytest.raises(RunError, match=r"of other seeds at once.*Give --together the number"):
        train_together([*configs, configured(path, 5)], tmp_path / "runs")
    listening = Listening()
    train_together(configs, tmp_path / "runs", listening)
    assert "continuing 2 trainings" in listening.said
    assert [(folder / CHECKPOINT).exists() for folder in folders] == [True, True]


def test_seeds_are_grouped_whatever_is_finished(tmp_path):
    batch = BatchConfig(
        name="b", configs=["retrieval/synthetic_spectrum_rgb"], runs=5, together=2, set=SMALL
    )
    plan = Plan(tmp_path, batch, expand(batch), {})
    words = [member.what for member in plan.design.members]

    def groups(finished):
        jobs = reproducibility._joint_jobs(plan, tmp_path, finished)
        return [[each["seeds"]["base"] for each in job.order["configs"]] for job in jobs]

    assert groups(()) == [[0, 1], [2, 3]]
    assert groups(words[1:2]) == [[2, 3]]
    alone = batch.model_copy(update={"together": 1})
    assert reproducibility._joint_jobs(Plan(tmp_path, alone, plan.design, {}), tmp_path, ()) == []


def test_other_tasks_are_refused_before_anything_begins(tmp_path):
    config = launch.configure(dataset="synthetic", model="cnn1d")
    with pytest.raises(ConfigError, match="several seeds of classification; expected retrieval"):
        check_together(task_named(config.task))
    (tmp_path / "b.yaml").write_text("task: batch\ndatasets: [synthetic]\nmodels: [lda]\nruns: 2\n")
    with pytest.raises(ConfigError, match="together"):
        reproducibility.run_batch(str(tmp_path / "b.yaml"), tmp_path / "runs", together=2)
    assert not (tmp_path / "runs").exists()
