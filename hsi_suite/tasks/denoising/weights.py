"""Weights of denoisers by name or file, ours or public ones, ready for use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from ...backbones.denoising_network import DenoisingNetwork
from ...engine.finite import note_file
from ...errors import InputFileError
from ...models.checkpoint_import import PublicNetwork, import_checkpoint
from ...models.dncnn import DnCNN, FDnCNN
from ...models.drunet import DRUNet
from ...models.ffdnet import FFDNet
from ...models.folding import activate_in_place, fold_batch_norms
from ...models.ircnn import IRCNN
from ...models.stored_model import read_header
from ...weights import DEFAULT_WEIGHTS
from .denoiser import Denoiser, DenoiserHeader, load_denoiser
from .weight_files import find_weights

# The authors of DnCNN give 17 layers to networks for one σ and 20 to those for all up to 55.
_BLIND_DEPTH = 20
_BLIND_SIGMA = (0.0, 55.0)
# The σ that the authors of FDnCNN and FFDNet, and of DRUNet, trained them for.
_FLEXIBLE_SIGMA = (0.0, 75.0)
_DRUNET_SIGMA = (0.0, 50.0)
# In names of files, letters and digits alone.
_DNCNN_3 = "dncnn3"
# Their DRUNets for JPEG have the layers of those for noise, and take another map.
_DEBLOCKING = "deblocking"


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
    network: DenoisingNetwork
    if path.suffix == ".safetensors" and _is_ours(path):
        loaded = load_denoiser(path, torch.device("cpu"))
        header, network = loaded.header, fold_batch_norms(loaded.network)
    else:
        imported = _import(path)
        header, network = _imported_header(imported, path), imported
    note_file(network, path)
    activate_in_place(network)
    network = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return Denoiser(header, network)


def _is_ours(path: Path) -> bool:
    fields = read_header(path, "safetensors weights", "", kind=InputFileError)
    return str(fields.get("format")).startswith("hsi_suite")


def _import(path: Path) -> PublicNetwork:
    network = import_checkpoint(path)
    if isinstance(network, DRUNet) and _DEBLOCKING in path.stem.lower():
        raise InputFileError(
            path,
            "is a DRUNet for JPEG, whose map is of the quality and not of σ",
            "one for noise",
            "take drunet_gray.pth or drunet_color.pth, or rename the file if it is one",
        )
    return network


def _imported_header(network: PublicNetwork, path: Path) -> DenoiserHeader:
    model, options, sigma = _facts(network)
    return DenoiserHeader(
        model=model,
        options=options,
        in_channels=network.in_channels,
        noise="mixture" if _is_dncnn_3(network, path) else "gaussian",
        sigma=sigma,
        dataset=path.name,
    )


def _is_dncnn_3(network: PublicNetwork, path: Path) -> bool:
    """DnCNN-3 has the arrays of a grey DnCNN-B: only the file's name tells them apart."""
    known = isinstance(network, DnCNN) and len(network.layers) >= _BLIND_DEPTH
    letters = "".join(filter(str.isalnum, path.stem.lower()))
    return known and network.in_channels == 1 and _DNCNN_3 in letters


def _facts(network: PublicNetwork) -> tuple[str, dict[str, Any], tuple[float, float] | None]:
    """A network's registered name, its options, and the σ it was trained for."""
    if isinstance(network, DRUNet):
        options = {"channels": list(network.channels), "blocks": network.blocks}
        return "drunet", options, _DRUNET_SIGMA
    if isinstance(network, IRCNN):
        options = {"width": network.width, "norm": None, "networks": len(network.networks)}
        # One network alone is for a σ that no file tells.
        sigma = (0.0, network.highest_sigma) if network.takes_noise_map else None
        return "ircnn", options, sigma
    depth = len(network.layers)
    options = {"depth": depth, "width": network.width}
    if isinstance(network, FFDNet):
        return "ffdnet", options, _FLEXIBLE_SIGMA
    if isinstance(network, FDnCNN):
        return "fdncnn", options, _FLEXIBLE_SIGMA
    return "dncnn", {**options, "norm": None}, None if depth < _BLIND_DEPTH else _BLIND_SIGMA
