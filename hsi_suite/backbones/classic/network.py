"""What the classic image networks have in common: stages, a head, side heads in training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from torch import Tensor, nn

from ...errors import ConfigError, ShapeError

Stem = Literal["imagenet", "small"]


class AuxiliaryLogits(NamedTuple):
    """What a network with auxiliary heads gives in training.

    Attributes:
        logits: (N, num_classes) of the network's end.
        auxiliary: the same of its auxiliary heads, in the order of the network. Their losses
            count with a weight that is the training's matter; the papers' is 0.3.
    """

    logits: Tensor
    auxiliary: tuple[Tensor, ...]


class ClassicNetwork(nn.Module):
    """Named stages in a row and a head over what comes out.

    Shapes: (N, in_channels, H, W), H and W at least `smallest`, to (N, num_classes) logits; in
    training, with auxiliary heads, to `AuxiliaryLogits`.

    Args:
        name: of the network, for messages.
        stages: the stages by name, in order.
        head: from the last stage's output to logits.
        in_channels: channels of the images.
        smallest: pixels the images must have on either side.
        stem: how the network begins, see the factories.
        auxiliary: heads by the name of the stage whose output they see; absent in evaluation.
        smallest_in_training: as `smallest`, in training with auxiliary heads; None: the same.
    """

    def __init__(
        self,
        name: str,
        stages: Mapping[str, nn.Module],
        head: nn.Module,
        *,
        in_channels: int,
        smallest: int,
        stem: Stem,
        auxiliary: Mapping[str, nn.Module] | None = None,
        smallest_in_training: int | None = None,
    ) -> None:
        super().__init__()
        self.name = name
        self.in_channels = in_channels
        self.stem = stem
        self.smallest = smallest
        self.smallest_in_training = smallest_in_training or smallest
        self.features = nn.Sequential()
        for stage, module in stages.items():
            self.features.add_module(stage, module)
        self.head = head
        self.auxiliary = nn.ModuleDict(auxiliary) if auxiliary else None

    def forward(self, images: Tensor) -> Tensor | AuxiliaryLogits:
        """Logits of images; see the class.

        Raises:
            ShapeError: the images have other channels, or too few pixels.
        """
        self._check(images)
        if self.auxiliary is None or not self.training:
            logits: Tensor = self.head(self.features(images))
            return logits
        x, sides = images, []
        for stage, module in self.features.named_children():
            x = module(x)
            if stage in self.auxiliary:
                sides.append(self.auxiliary[stage](x))
        return AuxiliaryLogits(self.head(x), tuple(sides))

    def _check(self, images: Tensor) -> None:
        if images.ndim != 4 or images.shape[1] != self.in_channels:
            found = f"an input of shape {tuple(images.shape)}"
            raise ShapeError(self.name, found, f"(N, {self.in_channels}, H, W)")
        needed = self.smallest_in_training if self.training else self.smallest
        if min(images.shape[2:]) >= needed:
            return
        found = f"images of {images.shape[2]}×{images.shape[3]} pixels"
        remedies = ["take larger images"]
        if self.stem == "imagenet":
            remedies.append("the stem for small ones (stem=small)")
        if min(images.shape[2:]) >= self.smallest:
            remedies.append("no auxiliary heads (auxiliary=False)")
        raise ShapeError(self.name, found, f"at least {needed}×{needed}", " or ".join(remedies))


def is_small(stem: Stem) -> bool:
    """Whether a network begins as those for images of about 32×32 do.

    Raises:
        ConfigError: `stem` is neither `imagenet` nor `small`.
    """
    if stem not in ("imagenet", "small"):
        raise ConfigError("stem", repr(stem), "imagenet or small")
    return stem == "small"


def scaled(channels: int, width: float, multiple: int = 1) -> int:
    """`channels` times `width`, as the nearest multiple that is not zero.

    Raises:
        ConfigError: `width` is not above 0.

    Example:
        >>> scaled(64, 0.5), scaled(24, 0.1, multiple=8)
        (32, 8)
    """
    if not width > 0:
        raise ConfigError("width", str(width), "a factor above 0")
    return max(1, round(channels * width / multiple)) * multiple
