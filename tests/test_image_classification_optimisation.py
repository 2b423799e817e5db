import pytest
import torch
from torch import nn

from hsi_suite.engine.optimisation import build_optimizer, learning_rate
from hsi_suite.runs.identity import run_identity
from hsi_suite.schemas.training import OptimizerConfig, ScheduleConfig


@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("decay, epsilon", [(0.9, 1.0), (0.99, 1e-3)])
def test_rmsprop_by_its_formula(momentum, decay, epsilon):
    generator = torch.Generator().manual_seed(0)
    weight = nn.Parameter(torch.randn(5, generator=generator, dtype=torch.float64))
    config = OptimizerConfig(
        name="rmsprop", learning_rate=0.045, momentum=momentum, decay=decay, epsilon=epsilon,
        weight_decay=0.01,
    )  # fmt: skip
    optimizer = build_optimizer([weight], config)
    w, square, speed = weight.detach().clone(), torch.zeros(5), torch.zeros(5)
    for _ in range(20):
        gradient = torch.randn(5, generator=generator, dtype=torch.float64)
        weight.grad = gradient.clone()
        optimizer.step()
        gradient = gradient + 0.01 * w
        square = decay * square + (1 - decay) * gradient**2
        speed = momentum * speed + gradient / (square.sqrt() + epsilon)
        w = w - 0.045 * speed
        torch.testing.assert_close(weight.detach(), w)


def test_rmsprop_stands_at_inception_v3s_values():
    group = build_optimizer([nn.Parameter(torch.zeros(1))], OptimizerConfig(name="rmsprop"))
    assert isinstance(group, torch.optim.RMSprop)
    assert (group.defaults["alpha"], group.defaults["eps"]) == (0.9, 1.0)


def test_googlenets_rate_falls_by_4_percent_every_8_epochs():
    optimizer = OptimizerConfig(name="sgd", learning_rate=0.01)
    schedule = ScheduleConfig(name="step", factor=0.96, every=8)
    rates = [learning_rate(optimizer, schedule, 10 * epoch, 10, 100) for epoch in range(24)]
    expected = [0.01] * 8 + [0.0096] * 8 + [0.01 * 0.96**2] * 8
    assert rates == pytest.approx(expected)


def test_new_keys_leave_the_identities_of_earlier_runs_and_batches_alone():
    tree = {
        "task": "classification",
        "seeds": {"base": 0},
        "train": {"epochs": 3, "optimizer": {"name": "adam", "learning_rate": 0.001}},
    }
    # As they were before the keys came.
    assert run_identity(tree, {"a": "1"}) == "0147a158"
    assert run_identity({"members": [tree]}, {}) == "46dec170"
    optimizer = tree["train"]["optimizer"] | {"decay": 0.9, "epsilon": 1.0}
    later = tree | {"train": tree["train"] | {"optimizer": optimizer}}
    assert run_identity(later, {"a": "1"}) == "0147a158"
    assert run_identity({"members": [later]}, {}) == "46dec170"
    for changed in ({"decay": 0.99}, {"epsilon": 1e-3}):
        other = later | {"train": later["train"] | {"optimizer": optimizer | changed}}
        assert run_identity(other, {"a": "1"}) != "0147a158"
