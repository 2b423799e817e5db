"""One file for the models of every task: the same checks, whoever reads or writes it."""

import pytest
import torch

from hsi_suite.engine.finite import NotFiniteError
from hsi_suite.errors import OutputError, RunError
from hsi_suite.runs.model_file import read_model_file, write_model_file
from hsi_suite.tasks.denoising.denoiser import load_denoiser
from hsi_suite.tasks.images.classifier import load_image_classifier
from hsi_suite.tasks.retrieval.retriever import load_retriever
from hsi_suite.tasks.scenes.classifier_loading import load_classifier

KINDS = {
    "hsi_suite classifier 1": load_classifier,
    "hsi_suite image classifier 1": load_image_classifier,
    "hsi_suite denoiser 1": load_denoiser,
    "hsi_suite retriever 1": load_retriever,
}
WHOLE = {"weight": torch.arange(6.0).reshape(2, 3), "count": torch.tensor(4)}


@pytest.mark.parametrize("own", KINDS)
def test_every_reader_says_which_kind_it_found(tmp_path, own):
    path = tmp_path / "model.safetensors"
    for other in KINDS.keys() - {own}:
        write_model_file(path, WHOLE, {"format": other})
        with pytest.raises(RunError) as caught:
            KINDS[own](path, torch.device("cpu"))
        assert other in caught.value.found and own in caught.value.expected
    write_model_file(path, WHOLE, {})
    with pytest.raises(RunError, match="no model of ours"):
        KINDS[own](path, torch.device("cpu"))


@pytest.mark.parametrize("own", KINDS)
def test_every_reader_refuses_weights_that_are_no_numbers(tmp_path, own):
    path = tmp_path / "model.safetensors"
    write_model_file(path, {"weight": torch.tensor([1.0, torch.nan])}, {"format": own})
    with pytest.raises(NotFiniteError, match="weight"):
        KINDS[own](path, torch.device("cpu"))


def test_what_was_written_is_read(tmp_path):
    path = tmp_path / "model.safetensors"
    write_model_file(path, WHOLE, {"format": "hsi_suite denoiser 1", "sigma": [0.0, 55.0]})
    header, tensors = read_model_file(path, "hsi_suite denoiser 1", "a denoiser")
    assert header == {"sigma": [0.0, 55.0]}
    assert all(torch.equal(tensors[name], value) for name, value in WHOLE.items())


def test_a_place_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        write_model_file(tmp_path / "file" / "model.safetensors", WHOLE, {})
