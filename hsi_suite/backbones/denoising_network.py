"""What every denoiser of images tells of itself."""

from __future__ import annotations

from torch import Tensor, nn


class DenoisingNetwork(nn.Module):
    """A network that takes the noise out of images: N × channels × H × W, for any H and W.

    Attributes:
        takes_noise_map: whether its input has a σ map as one more channel behind the image's.
        multiple: side of its cells; tiles begin at multiples of it.
        receptive_radius: how far a pixel sees, so how much tiles need around them; None where it
            sees the whole image, which then is not cut.
    """

    takes_noise_map: bool
    multiple: int
    receptive_radius: int | None


class OthersNetwork(DenoisingNetwork):
    """A denoiser of somebody's own, which need not tell any of it.

    What it does not tell is taken to be as careful as can be: no σ map, and images are not cut.

    Args:
        network: from images to clean ones; it may have the attributes of `DenoisingNetwork`.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.takes_noise_map = bool(getattr(network, "takes_noise_map", False))
        self.multiple = int(getattr(network, "multiple", 1))
        radius = getattr(network, "receptive_radius", None)
        self.receptive_radius = None if radius is None else int(radius)

    def forward(self, x: Tensor) -> Tensor:
        """The clean image in `x`, as the network has it."""
        clean: Tensor = self.network(x)
        return clean
