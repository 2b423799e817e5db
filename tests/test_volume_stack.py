"""The convolutions of a training in a processor's layout, against the layers one by one."""

import copy

import pytest
import torch
from torch import nn

from hsi_suite import models
from hsi_suite.backbones import placed_convolution, volume_stack
from hsi_suite.backbones.conv import ConvNormAct
from hsi_suite.backbones.volume_stack import stackable, suits_stack


def network(components=15, name="hybridsn", **options):
    torch.manual_seed(0)
    return models.create(
        name, in_channels=components, num_classes=3, window=9, dropout=0.0, **options
    )


def cubes(components=15, count=2, lines=12, samples=11, **how):
    generator = torch.Generator().manual_seed(1)
    return torch.randn(count, components, lines, samples, generator=generator, **how)


@pytest.fixture
def small(monkeypatch):
    """Let cubes of any size go by the stack."""
    monkeypatch.setattr(volume_stack, "_LEAST_PLACES", 1)


def by_layers(model, given):
    volume = model.spectral_spatial(given.unsqueeze(1))
    return model.spatial(volume.flatten(1, 2))


def gradients(model, features):
    model.zero_grad()
    torch.manual_seed(2)
    (features.float() * torch.randn(features.shape)).sum().backward()
    layers = [*model.spectral_spatial.parameters(), *model.spatial.parameters()]
    return [parameter.grad.clone() for parameter in layers]


def far(found, expected):
    return float(((found - expected).norm() / expected.norm()).detach())


# An even and an odd number of components before the layer of few channels; a single one at the end.
@pytest.mark.parametrize("components", [13, 14, 15, 30])
def test_the_stack_gives_what_its_layers_give(components, small):
    model, given = network(components), cubes(components)
    exact = copy.deepcopy(model).double()
    expected = by_layers(exact, given.double())
    features = model.features(given)
    assert features.grad_fn.name() == "_StackBackward"
    torch.testing.assert_close(features.double(), expected, rtol=1e-5, atol=1e-6)
    pairs = zip(gradients(model, features), gradients(exact, expected), strict=True)
    assert max(far(found.double(), right) for found, right in pairs) < 2e-6


def test_autocast_reaches_into_the_stack(small):
    model, given = network(), cubes()
    expected = by_layers(model, given)
    right = gradients(model, expected)
    with torch.autocast("cpu", torch.bfloat16):
        features = model.features(given)
        plain = by_layers(model, given)
    assert features.dtype == plain.dtype == torch.bfloat16
    assert far(features.float(), expected) < 1.2 * far(plain.float(), expected) < 0.02
    found = gradients(model, features)
    for mine, its, exact in zip(found, gradients(model, plain), right, strict=True):
        assert mine.dtype == torch.float32
        assert far(mine, exact) < 1.5 * far(its, exact) + 0.005


def test_the_stack_gives_the_same_bits_twice(small):
    model, given = network(), cubes()
    first, second = (gradients(model, model.features(given)) for _ in range(2))
    assert all(torch.equal(one, other) for one, other in zip(first, second, strict=True))


def test_what_needs_no_gradient_gets_none(small):
    model = network().requires_grad_(False)
    model.spectral_spatial[1].conv.weight.requires_grad_(True)
    model.features(cubes()).sum().backward()
    have = [name for name, each in model.named_parameters() if each.grad is not None]
    assert have == ["spectral_spatial.1.conv.weight"]


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_maps_get_what_trainings_get(mode, kind, small):
    model, given = network(), cubes()
    with torch.autocast("cpu", kind, enabled=kind != torch.float32):
        expected = model.features(given)
        with mode():
            found = model.features(given)
    assert torch.equal(found, expected.detach()) and found.grad_fn is None


def test_activations_are_released_once(small):
    model = network()
    loss = model.features(cubes()).sum()
    loss.backward(retain_graph=True)
    with pytest.raises(RuntimeError, match="released"):
        loss.backward()


def test_others_go_by_their_layers(small):
    model, given = network(), cubes()
    kept = given.clone()
    for other in (cubes(count=1), given.double(), given.clone().requires_grad_(), given.to("meta")):
        assert not suits_stack(other)
    seen = []
    torch.func.vmap(lambda one: seen.append(suits_stack(one)) or one)(given[None])
    assert suits_stack(given) and seen == [False] and torch.equal(kept, given)
    assert stackable(model.spectral_spatial, model.spatial)
    for changed in (
        {"block": "residual"},
        {"norm": "batch"},
        {"activation": "leaky_relu"},
        {"stages": {"2d": {"attention": "se"}}},
    ):
        other = network(**changed)
        assert not stackable(other.spectral_spatial, other.spatial), changed


def test_small_cubes_go_by_their_layers():
    assert not suits_stack(cubes(lines=100, samples=59))
    assert suits_stack(cubes(lines=100, samples=60))


def test_layers_that_are_looked_at_are_called(small):
    model, seen = network(), []
    hook = model.spatial[0].conv.register_forward_hook(lambda *call: seen.append(1))
    model.features(cubes())
    assert seen == [1]
    hook.remove()
    model.features(cubes())
    assert seen == [1]
    # The stages themselves, and hooks of every module.
    for watch in (
        model.spectral_spatial.register_forward_hook,
        model.spatial.register_forward_pre_hook,
        model.spatial.register_full_backward_hook,
        torch.nn.modules.module.register_module_forward_hook,
    ):
        hook = watch(lambda *call: seen.append(2))
        model.features(cubes()).sum().backward()
        assert seen.pop() == 2, watch
        hook.remove()
        del seen[1:]
    model.features(cubes())
    assert seen == [1]
    model.spectral_spatial[2].conv = nn.utils.parametrizations.weight_norm(
        model.spectral_spatial[2].conv
    )
    assert not stackable(model.spectral_spatial, model.spatial)
    model.features(cubes()).sum().backward()


def test_pairs_of_components_have_the_gradient_of_single_ones():
    generator = torch.Generator().manual_seed(3)
    weight = torch.randn(6, 4, 3, 5, 3, generator=generator)
    given = torch.zeros(2, 4, 7, 8, 6, requires_grad=True)
    gradient = torch.randn(2, 6, 5, 4, 4, generator=generator)
    torch.nn.functional.conv3d(given, weight).backward(gradient)
    found = placed_convolution._towards_pairs(gradient, weight)
    torch.testing.assert_close(found, given.grad, rtol=1e-5, atol=1e-4)


def test_two_layers_are_a_stack_too(small):
    torch.manual_seed(0)
    model = network()
    volumes = model.spectral_spatial[:2]
    image = ConvNormAct(16 * 5, 4, 3, dim=2, padding="valid", norm=None)
    images = nn.Sequential(image)
    assert stackable(volumes, images)
    parameters = [*volumes.parameters(), *images.parameters()]
    expected = images(volumes(cubes().unsqueeze(1)).flatten(1, 2))
    right = torch.autograd.grad(expected.square().sum(), parameters)
    features = volume_stack.stack_features(cubes(), volumes, images)
    torch.testing.assert_close(features, expected, rtol=1e-4, atol=1e-5)
    found = torch.autograd.grad(features.square().sum(), parameters)
    assert max(map(far, found, right)) < 1e-5
