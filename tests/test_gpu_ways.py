"""On a GPU, pretended here, work goes by the ways that are meant for it, to the same numbers."""

from types import SimpleNamespace

import pytest
import torch
from pretended_gpu import CUDA, pretended_gpu

from hsi_suite.backbones.pooling import MaxPool3d
from hsi_suite.backbones.volume_stack import suits_stack
from hsi_suite.engine import sliding
from hsi_suite.engine.dense import strip_logits
from hsi_suite.engine.fourier import FourierCorrelation
from hsi_suite.engine.optimisation import _in_parts
from hsi_suite.matrix_products import product
from hsi_suite.models.building import build_model
from hsi_suite.tasks.scenes.training_memory import _step_bytes

pytestmark = pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")


@pytest.fixture
def gpu(monkeypatch):
    with pretended_gpu(monkeypatch) as operations:
        yield operations


def test_the_layouts_of_processors_are_left_to_them(gpu):
    here = torch.zeros(2, 13, 100, 100)
    assert suits_stack(here) and not suits_stack(here.to(CUDA))
    whole = torch.zeros(2**19)
    assert len(_in_parts([whole])[0]) == 2 and len(_in_parts([whole.to(CUDA)])[0]) == 1


def test_products_are_those_of_the_device(gpu):
    left, right = torch.rand(20, 30), torch.rand(40, 30)
    found = product(left.to(CUDA), right.to(CUDA))
    assert found.is_cuda
    torch.testing.assert_close(found.cpu(), product(left, right))


def test_maxima_of_volumes_are_taken_by_planes(gpu):
    volume = torch.rand(1, 2, 4, 6, 6, requires_grad=True)
    here, there = MaxPool3d(2)(volume), MaxPool3d(2)(volume.to(CUDA))
    assert here.grad_fn.name().startswith("MaxPool3D")
    assert not there.grad_fn.name().startswith("MaxPool3D")
    assert torch.equal(here, there.cpu())


# Few pixels go by their neighbourhoods, many by Fourier transforms; each has a way of its own.
@pytest.mark.parametrize(("lines", "transformed"), [(1, 0), (40, 2)])
def test_strips_of_a_scene_are_those_of_a_processor(gpu, monkeypatch, lines, transformed):
    used, correlate = [], FourierCorrelation.__call__
    monkeypatch.setattr(sliding, "_LEAST_PRODUCTS", 0)
    monkeypatch.setattr(
        FourierCorrelation, "__call__", lambda own, given: used.append(own) or correlate(own, given)
    )
    network = build_model(
        "hybridsn", in_channels=13, num_classes=3, window=19, options={},
        generator=torch.Generator().manual_seed(0),
    ).eval()  # fmt: skip
    padded, wanted = torch.rand(13, 58, 58), torch.zeros(40, 40, dtype=torch.bool)
    wanted[:lines] = True
    with torch.inference_mode():
        (here,) = (logits for _, logits in strip_logits(network, padded, wanted))
        (there,) = (logits for _, logits in strip_logits(network.to(CUDA), padded.to(CUDA), wanted))
    assert there.is_cuda and not here.is_cuda
    assert len(used) == transformed
    chosen = wanted[: len(here)]
    torch.testing.assert_close(there.cpu()[chosen], here[chosen], rtol=1e-4, atol=1e-5)


def test_what_a_step_takes_of_a_gpu_is_none_of_the_hosts_memory(gpu):
    classifier = SimpleNamespace(network=torch.nn.Linear(2, 2).to(CUDA))
    assert _step_bytes(classifier, None, 9, 9, 9, dense=True) == 0.0
