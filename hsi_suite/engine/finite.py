"""What a network computes must be numbers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from ..errors import RunError


class NotFiniteError(RunError):
    """A network gave NaN or infinity, or its weights hold some."""


def note_file(network: nn.Module, path: Path) -> None:
    """Note the file that a network's weights are of, for `output_of`."""
    network.weights_file = path  # type: ignore[assignment]


def output_of(network: object, name: str = "the network") -> str:
    """The output of a network in words, and the file of its weights where they are of one."""
    return made_by(network, f"the output of {name}")


def made_by(network: object, what: str) -> str:
    """What a network made, in words, and the file of its weights where they are of one."""
    path = getattr(network, "weights_file", None)
    return what if path is None else f"{path}: {what}"


def check_finite(values: Tensor, what: str) -> Tensor:
    """The values, if all of them are finite.

    Args:
        values: of a network, in any floating-point type.
        what: names them, as "the output of residual_unet".

    Raises:
        NotFiniteError: some are NaN or infinite.
    """
    if not _all_finite(values):
        broken = values.numel() - int(values.isfinite().sum())
        raise NotFiniteError(
            what,
            f"{broken:,} of {values.numel():,} values are not finite",
            "numbers",
            "the weights are damaged or their training diverged: use others, or train again",
        )
    return values


def _all_finite(values: Tensor) -> bool:
    # The extremes of values with a NaN are NaN; nothing of the values' size is made.
    return not values.numel() or bool(torch.stack(torch.aminmax(values.detach())).isfinite().all())


def check_weights(tensors: Mapping[str, Tensor], what: object) -> None:
    """Refuse weights, statistics and whatever else lies beside them that are not finite.

    Args:
        tensors: by name.
        what: the file or network they are of.

    Raises:
        NotFiniteError: one holds NaN or infinity.
    """
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not _all_finite(tensor):
            raise NotFiniteError(
                what,
                f"holds weights that are not finite ({name})",
                "finite weights",
                "use others, or train again",
            )
