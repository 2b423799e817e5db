"""Blocks of memory that training steps hand on to each other."""

import pytest
import torch

from hsi_suite import kept_blocks, models
from hsi_suite.backbones import volume_stack
from hsi_suite.kept_blocks import give_back, keeping_blocks, take_block


def address(block):
    return block.data_ptr()


def test_a_block_given_back_is_taken_again():
    with keeping_blocks():
        small, large = take_block(5_000), take_block(90_000)
        places = address(small), address(large)
        blocks = [large, small]
        give_back(blocks)
        assert blocks == []
        # The smallest that is large enough.
        assert address(take_block(6_000)) == places[1]
        assert address(take_block(4_000)) == places[0]
        assert len(take_block(100)) == 100
    assert kept_blocks._free == []


def test_blocks_that_are_too_small_make_room():
    with keeping_blocks():
        give_back([take_block(1_000), take_block(2_000)])
        assert len(take_block(3_000)) == 3_000
        assert [len(block) for block in kept_blocks._free] == [1_000]


def test_nothing_is_kept_outside_of_trainings():
    give_back([take_block(1_000)])
    assert kept_blocks._free == []
    with pytest.raises(KeyError), keeping_blocks():
        with keeping_blocks():
            give_back([take_block(1_000)])
        assert len(kept_blocks._free) == 1
        raise KeyError
    assert kept_blocks._free == []


def test_what_lies_in_a_block_changes_nothing(monkeypatch):
    monkeypatch.setattr(volume_stack, "_LEAST_PLACES", 1)
    torch.manual_seed(0)
    model = models.create("hybridsn", in_channels=15, num_classes=3, window=9, dropout=0.0)
    cubes = [torch.randn(2, 15, lines, 11) for lines in (12, 14, 12)]

    def gradients():
        found = []
        for each in cubes:
            model.zero_grad()
            model.features(each).square().sum().backward()
            found += [value.grad.clone() for value in model.spectral_spatial.parameters()]
        return found

    expected = gradients()
    with keeping_blocks():
        blocks = [take_block(2**20) for _ in range(3)]
        for block in blocks:
            block.fill_(255)
        give_back(blocks)
        found = gradients()
        assert len(kept_blocks._free) == 3
    assert all(map(torch.equal, found, expected))
