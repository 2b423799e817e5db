"""Weights of denoisers by name or file, ours or public ones, ready for use."""

from __future__ import annotations

from pathlib import Path

import torch

from ...engine.finite import note_file
from ...errors import InputFileError
from ...models.checkpoint_import import import_checkpoint
from ...models.dncnn import DnCNN
from ...models.folding import activate_in_place, fold_batch_norms
from ...models.stored_model import read_header
from ...runs.folder import MODEL
from ...user_files import is_there, require_regular
from ...weights import DEFAULT_WEIGHTS, shipped_names, shipped_weights
from .denoiser import Denoiser, DenoiserHeader, load_denoiser

# The authors of DnCNN give 17 layers to networks for one σ and 20 to those for all up to 55.
_BLIND_DEPTH = 20
_BLIND_SIGMA = (0.0, 55.0)


def load_weights(weights: str | Path | None, device: torch.device) -> Denoiser:
    """A denoiser in evaluation mode with its batch norms folded.

    Args:
        weights: a name among the shipped ones, a file of ours, a public checkpoint (see
            `import_checkpoint`), or the folder of a finished run; None for the default.
        device: where it computes.

    Raises:
        UnknownNameError: no such name, and no such file.
        InputFileError: the file holds something else.
    """
    path = find_weights(str(weights) if weights is not None else DEFAULT_WEIGHTS)
    if path.suffix == ".safetensors" and _is_ours(path):
        loaded = load_denoiser(path, torch.device("cpu"))
        header, network = loaded.header, fold_batch_norms(loaded.network)
    else:
        network = import_checkpoint(path)
        header = _imported_header(network, path)
    note_file(network, path)
    activate_in_place(network)
    network = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return Denoiser(header, network)


def find_weights(weights: str) -> Path:
    """The file of a shipped name, of a finished run's folder, or the file itself.

    Raises:
        UnknownNameError: no such name, and no such file.
        InputFileError: no such file.
    """
    path = Path(weights)
    there = is_there(path)
    if there and path.is_dir() and (path / MODEL).is_file():
        return path / MODEL
    bare = not path.suffix and path.name == weights
    if weights in shipped_names() or (bare and not there):
        return shipped_weights(weights)
    require_regular(path, "a file of weights")
    return path


def _is_ours(path: Path) -> bool:
    fields = read_header(path, "safetensors weights", "", kind=InputFileError)
    return str(fields.get("format")).startswith("hsi_suite")


def _imported_header(network: torch.nn.Module, path: Path) -> DenoiserHeader:
    convolutions = [m for m in network.modules() if isinstance(m, torch.nn.Conv2d)]
    depth, width = len(convolutions), convolutions[0].out_channels
    plain = isinstance(network, DnCNN)
    options = {"depth": depth, "width": width, **({"norm": None} if plain else {})}
    return DenoiserHeader(
        model="dncnn" if plain else "fdncnn",
        options=options,
        in_channels=convolutions[-1].out_channels,
        noise="gaussian",
        sigma=None if plain and depth < _BLIND_DEPTH else _BLIND_SIGMA,
        dataset=path.name,
    )
