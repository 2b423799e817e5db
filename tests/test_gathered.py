"""The connected layer over neighbourhoods, line by line, against neighbourhoods written out."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from hsi_suite import matrix_products as products
from hsi_suite.engine.gathered import gathered_linear, suits_lines

WIDTH, LINES, SIDE, DEPTH, OUTPUTS = 11, 9, 5, 6, 7


def given(rows=20):
    generator = torch.Generator().manual_seed(0)
    table = torch.randn(LINES * WIDTH, DEPTH, generator=generator)
    line = torch.randint(LINES - SIDE + 1, (rows,), generator=generator)
    sample = torch.randint(WIDTH - SIDE + 1, (rows,), generator=generator)
    torch.manual_seed(1)
    layer = nn.Linear(SIDE * SIDE * DEPTH, OUTPUTS)
    return layer, table.requires_grad_(), line * WIDTH + sample


def written_out(layer, table, corners):
    reach = torch.arange(SIDE)
    places = corners[:, None] + (reach[:, None] * WIDTH + reach).flatten()
    return functional.linear(table[places].transpose(1, 2).flatten(1), layer.weight, layer.bias)


def gradients(outputs, layer, table):
    pull = torch.linspace(-1, 1, outputs.numel()).reshape(outputs.shape)
    wanted = [each for each in (table, layer.weight, layer.bias) if each is not None]
    return torch.autograd.grad((outputs.float() * pull).sum(), wanted)


@pytest.mark.parametrize("bias", [True, False])
def test_lines_give_what_whole_neighbourhoods_give(bias):
    layer, table, corners = given()
    layer.bias = layer.bias if bias else None
    found = gathered_linear(layer, table, corners, WIDTH, SIDE)
    expected = written_out(layer.double(), table.double(), corners)
    torch.testing.assert_close(found.double(), expected, rtol=1e-6, atol=1e-6)
    right = gradients(expected, layer, table)
    layer = layer.float()
    found = gathered_linear(layer, table, corners, WIDTH, SIDE)
    for mine, its in zip(gradients(found, layer, table), right, strict=True):
        torch.testing.assert_close(mine.double(), its.double(), rtol=1e-5, atol=1e-6)


def test_without_the_library_of_convolutions_it_is_the_same(monkeypatch):
    layer, table, corners = given()
    own = gradients(gathered_linear(layer, table, corners, WIDTH, SIDE), layer, table)
    monkeypatch.setattr(products, "onednn", lambda: None)
    others = gradients(gathered_linear(layer, table, corners, WIDTH, SIDE), layer, table)
    for mine, its in zip(own, others, strict=True):
        torch.testing.assert_close(mine, its, rtol=1e-5, atol=1e-6)


def test_the_same_bits_twice():
    layer, table, corners = given()
    first, second = (
        gradients(gathered_linear(layer, table, corners, WIDTH, SIDE), layer, table)
        for _ in range(2)
    )
    assert all(map(torch.equal, first, second))


def test_others_write_their_neighbourhoods_out():
    _, table, corners = given()
    assert suits_lines(table, corners)
    assert not suits_lines(table, corners[:15])
    assert not suits_lines(table.double(), corners)
    assert not suits_lines(table.to("meta"), corners)
    with torch.autocast("cpu", torch.bfloat16):
        assert not suits_lines(table, corners)
    with torch.no_grad():
        assert not suits_lines(table, corners)
    seen = []
    torch.func.vmap(lambda one: seen.append(suits_lines(table, corners)) or one)(corners[None])
    assert seen == [False]
