"""DSCMR and the encoders it is built from."""

import pytest
import torch
from torch import nn

from hsi_suite.errors import ConfigError, ShapeError
from hsi_suite.models.building import build_retriever
from hsi_suite.models.dscmr import DSCMR
from hsi_suite.models.encoders import ENCODERS, build_encoder

SPECTRA = ("mlp", "conv_1d", "inception_1d", "residual_1d")
PATCHES = ("mlp", "conv_2d", "residual_2d", "se_residual_2d", "inception_2d")


def parameters(module):
    return sum(p.numel() for p in module.parameters())


def test_dscmr_has_the_published_layers():
    model = DSCMR((4096,), (300,), 20)
    layers = {name: m for name, m in model.named_modules() if isinstance(m, nn.Linear)}
    assert {name: (m.in_features, m.out_features) for name, m in layers.items()} == {
        "first.1": (4096, 2048),
        "second.1": (300, 2048),
        "shared": (2048, 1024),
        "labels": (1024, 20),
    }
    assert all(m.bias is not None for m in layers.values())
    assert sum(isinstance(m, nn.ReLU) for m in model.modules()) == 2
    assert parameters(model) == 11_125_780


def test_the_last_layer_is_shared():
    model = DSCMR((8,), (8,), 3, hidden=16, embedding=4)
    model.second.load_state_dict(model.first.state_dict())
    items = torch.randn(5, 8)
    with torch.no_grad():
        assert torch.equal(model.embed_first(items), model.embed_second(items))
        both = model(torch.cat([items, items], 1))
        assert torch.equal(both[:, 0], both[:, 1])
        assert torch.equal(both[:, 0], model.labels(model.embed_first(items)))


@pytest.mark.parametrize(
    ("name", "shape"),
    [*((name, (37,)) for name in SPECTRA), *((name, (2, 9, 9)) for name in PATCHES)],
)
@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_encoders_end_in_one_row_an_item(name, shape, dropout):
    encoder = build_encoder(name, shape, 24, dropout)
    rows = encoder(torch.randn(4, *shape))
    assert rows.shape == (4, 24) and (rows >= 0).all()
    assert any(isinstance(m, nn.Dropout) for m in encoder) == bool(dropout)
    rows.sum().backward()
    assert all(p.grad is not None for p in encoder.parameters())


@pytest.mark.parametrize("name", ["residual_2d", "se_residual_2d", "inception_2d"])
def test_patches_of_any_side_will_do(name):
    for side in (1, 2, 3, 5, 12):
        assert build_encoder(name, (3, side, side), 8, 0.0)(torch.zeros(2, 3, side, side)).shape


def test_items_of_another_kind_are_refused():
    assert set(ENCODERS) == {*SPECTRA, *PATCHES}
    with pytest.raises(ShapeError, match="spectra or features"):
        build_encoder("residual_1d", (3, 5, 5), 8, 0.0)
    with pytest.raises(ShapeError, match="patches"):
        build_encoder("residual_2d", (30,), 8, 0.0)
    with pytest.raises(ShapeError, match="at least 16"):
        build_encoder("inception_1d", (15,), 8, 0.0)
    with pytest.raises(ConfigError, match="Did you mean residual_1d"):
        build_encoder("residual1d", (30,), 8, 0.0)
    sizes = {"first_shape": (20,), "second_shape": (20,), "num_classes": 3, "generator": None}
    with pytest.raises(ConfigError, match=r"options\.hidden: -1; expected a whole number"):
        build_retriever("dscmr", options={"hidden": -1}, **sizes)
    with pytest.raises(ConfigError, match="unknown option of dscmr"):
        build_retriever("dscmr", options={"width": 8}, **sizes)
