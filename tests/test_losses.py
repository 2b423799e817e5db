import math

import pytest
import torch

from hsi_suite.errors import ShapeError
from hsi_suite.losses import discrimination_loss, invariance_loss, label_loss, row_norms


def test_label_loss_by_hand():
    first = torch.tensor([[1.0, 0.0], [3.0, 5.0]])
    second = torch.tensor([[1.0, 2.0], [0.0, 1.0]])
    targets = torch.tensor([[1, 0], [0, 1]])
    # Rows of first − targets have norms 0 and 5, of second − targets 2 and 0.
    assert label_loss(first, second, targets) == pytest.approx(2.5 + 1.0)


def test_discrimination_loss_equals_plain_sums():
    generator = torch.Generator().manual_seed(0)
    u, v = (torch.randn(5, 3, generator=generator, dtype=torch.float64) for _ in range(2))
    targets = torch.tensor([[1, 0, 0], [1, 2, 0], [0, 1, 0], [0, 0, 1], [0, 0, 3]])
    total = 0.0
    for left, right in ((u, u), (u, v), (v, v)):
        for i in range(5):
            for j in range(5):
                theta = float(left[i] @ right[j] / left[i].norm() / right[j].norm()) / 2
                alike = bool(((targets[i] > 0) & (targets[j] > 0)).any())
                total += (math.log(1 + math.exp(theta)) - alike * theta) / 25
    assert float(discrimination_loss(u, v, targets)) == pytest.approx(total, abs=1e-12)


def test_invariance_loss_is_the_mean_distance():
    first = torch.tensor([[3.0, 0.0], [1.0, 1.0]])
    second = torch.tensor([[0.0, 4.0], [1.0, 1.0]])
    assert invariance_loss(first, second) == pytest.approx(2.5)


def test_equal_representations_have_a_finite_gradient():
    first = torch.tensor([[1.0, 2.0], [0.0, 3.0]], requires_grad=True)
    second = torch.tensor([[1.0, 2.0], [4.0, 0.0]], requires_grad=True)
    invariance_loss(first, second).backward()
    assert torch.equal(first.grad[0], torch.zeros(2))
    torch.testing.assert_close(first.grad[1], torch.tensor([-0.4, 0.3]))
    torch.testing.assert_close(second.grad, -first.grad)
    zero = torch.zeros(2, 3, requires_grad=True)
    row_norms(zero).sum().backward()
    assert torch.equal(zero.grad, torch.zeros(2, 3))


def test_gradients_are_right():
    generator = torch.Generator().manual_seed(1)
    u, v = (
        torch.randn(4, 3, generator=generator, dtype=torch.float64, requires_grad=True)
        for _ in range(2)
    )
    targets = torch.eye(3, dtype=torch.float64)[[0, 1, 1, 2]]
    assert torch.autograd.gradcheck(lambda a, b: discrimination_loss(a, b, targets), (u, v))
    assert torch.autograd.gradcheck(lambda a, b: label_loss(a, b, targets), (u, v))
    assert torch.autograd.gradcheck(invariance_loss, (u, v))


def test_shapes_must_agree():
    with pytest.raises(ShapeError):
        invariance_loss(torch.zeros(3, 2), torch.zeros(4, 2))
    with pytest.raises(ShapeError):
        label_loss(torch.zeros(3, 2), torch.zeros(3, 2), torch.zeros(3, 4))
    with pytest.raises(ShapeError):
        discrimination_loss(torch.zeros(3, 2), torch.zeros(3, 2), torch.zeros(4, 2))
