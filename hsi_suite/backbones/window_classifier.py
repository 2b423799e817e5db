"""What the classifiers of windows have in common: convolutions, then a head over a window."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from torch import Tensor, nn

from .equivariance import breaks_equivariance


class WindowClassifier(nn.Module, ABC):
    """A network whose convolutions may see a whole scene, and whose head sees each window.

    All its layers but the head are part of `features`.

    Attributes:
        HEAD: name of the layers of the head, an `nn.Sequential`.
    """

    HEAD: ClassVar[str] = "head"

    @abstractmethod
    def features(self, cubes: Tensor) -> Tensor:
        """What the head sees of cubes (N, in_channels, h, w), any h and w."""

    def window_equivariant(self, training: bool) -> bool:
        """Whether `features` of a scene hold those of its windows, in training or evaluation."""
        parts = (part for name, part in self.named_children() if name != self.HEAD)
        return not any(breaks_equivariance(part, training) for part in parts)

    def split_head(self) -> tuple[nn.Linear | None, nn.Module]:
        """The fully connected layer over all of a window's features, and the layers after it.

        Where the head begins with something else, None and all of it: it sees each window.
        """
        head = self._head()
        if isinstance(head[0], nn.Flatten) and isinstance(head[1], nn.Linear):
            return head[1], head[2:]
        return None, head

    def forward(self, windows: Tensor) -> Tensor:
        """Logits of windows; see the class for shapes."""
        if windows.ndim == 5:
            windows = windows.squeeze(1)
        logits: Tensor = self._head()(self.features(windows))
        return logits

    def _head(self) -> nn.Sequential:
        head = self.get_submodule(self.HEAD)
        assert isinstance(head, nn.Sequential)
        return head
