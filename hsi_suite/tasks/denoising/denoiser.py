"""A trained denoiser as one object and one file."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ...backbones.denoising_network import DenoisingNetwork
from ...engine.finite import check_finite, note_file, output_of
from ...errors import RunError, ShapeError
from ...guard import parsing
from ...models.building import build_denoiser
from ...models.stored_header import header_from
from ...models.stored_model import require_fitting
from ...models.two_passes import TwoPasses
from ...runs.model_file import read_model_file, write_model_file
from ...schemas.denoising import WITHOUT_SIGMA

_FORMAT = "hsi_suite denoiser 1"


@dataclass(frozen=True)
class DenoiserHeader:
    """What a denoiser is, beside its numbers.

    Attributes:
        model: registered name.
        options: further arguments of the model.
        in_channels: 1 for grey, 3 for RGB.
        noise: kind of noise it was trained on.
        sigma: lowest and highest σ it was trained on, on the scale 0 to 255; None of kinds without
            one, and where a public checkpoint for one σ does not say for which.
        dataset: the images it was trained on.
    """

    model: str
    options: dict[str, Any]
    in_channels: int
    noise: str
    sigma: tuple[float, float] | None
    dataset: str


@dataclass
class Denoiser:
    """Noisy images and their σ in, clean images out.

    Attributes:
        header: see `DenoiserHeader`.
        network: on its device.
    """

    header: DenoiserHeader
    network: DenoisingNetwork

    def __call__(self, noisy: Tensor, sigma: float | Tensor) -> Tensor:
        """The clean images, N × C × H × W, in the units of the noisy ones.

        Args:
            noisy: N × C × H × W; on the scale 0 to 1 for networks without a σ map.
            sigma: standard deviation of the noise in the units of `noisy`; a number, or a map
                that broadcasts to N × 1 × H × W. Networks without a σ map do not look at it.

        Raises:
            ShapeError: the images have other channels than the network learnt.
            NotFiniteError: the network gives values that are no numbers.
        """
        return self._checked(run_network(self.network, noisy, sigma, self.header.in_channels))

    def first_pass(self, noisy: Tensor, sigma: float | Tensor) -> Tensor:
        """Of a network in two passes the first, see `TwoPasses`; arguments and errors as above."""
        seen = network_input(self.network, noisy, sigma, self.header.in_channels)
        return self._checked(self._two_passes().first_pass(seen))

    def second_pass(self, noisy: Tensor, sigma: float | Tensor, first: Tensor) -> Tensor:
        """And the second, of what the first has made: N × kept × H × W."""
        seen = network_input(self.network, noisy, sigma, self.header.in_channels)
        return self._checked(self._two_passes().second_pass(seen, first))

    def _two_passes(self) -> TwoPasses:
        assert isinstance(self.network, TwoPasses)
        return self.network

    def _checked(self, values: Tensor) -> Tensor:
        return check_finite(values, output_of(self.network, self.header.model))

    def save(self, path: Path) -> None:
        """Write everything to one safetensors file."""
        tensors = {name: value.contiguous() for name, value in self.network.state_dict().items()}
        write_model_file(path, tensors, {"format": _FORMAT, **asdict(self.header)})


def run_network(
    network: nn.Module, noisy: Tensor, sigma: float | Tensor, in_channels: int
) -> Tensor:
    """Call a network with the inputs it takes; see `Denoiser.__call__`."""
    clean: Tensor = network(network_input(network, noisy, sigma, in_channels))
    return clean


def network_input(
    network: nn.Module, noisy: Tensor, sigma: float | Tensor, in_channels: int
) -> Tensor:
    """The inputs that a network takes; see `Denoiser.__call__`."""
    if noisy.ndim != 4 or noisy.shape[1] != in_channels:
        raise ShapeError("image", f"shape {tuple(noisy.shape)}", f"N × {in_channels} × H × W")
    if network.takes_noise_map:
        level = torch.as_tensor(sigma, dtype=noisy.dtype, device=noisy.device)
        level = level.expand(noisy.shape[0], 1, *noisy.shape[2:])
        noisy = torch.cat([noisy, level], 1)
    return noisy.contiguous(memory_format=torch.channels_last)


def untrained_denoiser(
    header: DenoiserHeader, device: torch.device, generator: torch.Generator | None
) -> Denoiser:
    """The denoiser that a header describes, with weights drawn from `generator`.

    Raises:
        ConfigError: no such network, or an option it cannot take.
    """
    network = build_denoiser(
        header.model,
        in_channels=header.in_channels,
        options=header.options,
        generator=generator,
    )
    network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return Denoiser(header, network.to(device))


def load_denoiser(path: Path, device: torch.device) -> Denoiser:
    """The denoiser that `Denoiser.save` wrote, in eval mode.

    Raises:
        RunError: the file is missing, damaged or holds something else.
    """
    fields, tensors = read_model_file(
        path, _FORMAT, "a denoiser of this project", "fetch or train it again"
    )
    with parsing(
        path, "an undamaged file", kind=RunError, found="its header and weights do not fit"
    ):
        header = header_from(DenoiserHeader, fields)
        meta = partial(untrained_denoiser, header, torch.device("meta"), None)
        require_fitting(lambda: meta().network, header.options, tensors)
        denoiser = untrained_denoiser(header, device, None)
        told = denoiser.network.takes_noise_map
        if header.sigma is None and header.noise not in WITHOUT_SIGMA and told:
            raise ValueError("no sigma")
        denoiser.network.load_state_dict(tensors)
    denoiser.network.eval()
    note_file(denoiser.network, path)
    return denoiser
