"""Denoisers of colour photographs in two passes."""

from __future__ import annotations

from torch import Tensor

from ..errors import ConfigError
from .residual_unet import ResidualUNet

COLOURS = 3


class TwoPasses:
    """What a network has whose second part sees what the first one has made of the image.

    A large image goes through one part after the other, each in tiles that overlap by what that
    part sees (`pass_radius`): for both at once they would have to overlap by `receptive_radius`.

    Attributes:
        kept: planes that the first pass makes.
        multiple: as of `DenoisingNetwork`, and so is `receptive_radius`, of both passes.
        pass_radius: how far a pixel sees in each pass; None where it sees the whole image.
    """

    kept: int
    multiple: int
    pass_radius: int | None
    receptive_radius: int | None

    def first_pass(self, x: Tensor) -> Tensor:
        """What the second pass needs of the input: N × kept × H × W."""
        raise NotImplementedError

    def second_pass(self, x: Tensor, first: Tensor) -> Tensor:
        """The clean image, of the input and what the first pass has made of it."""
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        """The clean image in `x`.

        Raises:
            ShapeError: no pixels.
        """
        return self.second_pass(x, self.first_pass(x))

    def see_as(self, part: ResidualUNet) -> None:
        """Note how far both parts see, which are of one body."""
        self.multiple = part.multiple
        self.pass_radius = radius = part.receptive_radius
        # Both see whole cells, and what a pixel's own cell adds counts once.
        self.receptive_radius = None if radius is None else 2 * radius - (self.multiple - 1)


def require_colour(name: str, in_channels: int) -> None:
    """Refuse another number of channels than that of colour.

    Raises:
        ConfigError: it is another.
    """
    if in_channels != COLOURS:
        raise ConfigError(
            "model.name",
            f"{name} for images of {in_channels} channel{'s' * (in_channels != 1)}",
            f"images in colour ({COLOURS})",
            "set data.colour=rgb, or model.name=residual_unet",
        )
