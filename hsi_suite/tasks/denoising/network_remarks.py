"""What a user should know of how a network takes the noise of an image."""

from __future__ import annotations

from collections.abc import Sequence

from ...models.ircnn import IRCNN
from .denoiser import Denoiser
from .image_restoration import Pixels, restores_luma

_LEVELS = 255.0
# On the scale 0 to 255: what rounding makes of a σ is not worth a word.
_ROUNDING = 0.05


def network_remarks(denoiser: Denoiser, image: Pixels, sigmas: Sequence[float]) -> tuple[str, ...]:
    """Which of several networks is used on what, and whether the noise is stronger than it learnt.

    Args:
        denoiser: with its network.
        image: lines × samples (× 3).
        sigmas: of each plane that the network sees, on the scale 0 to 1.
    """
    network, trained = denoiser.network, denoiser.header.sigma
    if restores_luma(denoiser, image):
        return ("luma is restored, as the network learnt; colour stays as it is",)
    if not network.takes_noise_map:
        return ()
    remarks = []
    if isinstance(network, IRCNN):
        chosen = dict.fromkeys(network.choice_text(sigma) for sigma in sigmas)
        remarks.append(f"denoised by {'; '.join(chosen)}")
    highest = max(sigmas) * _LEVELS
    if trained is not None and highest > trained[1] + _ROUNDING:
        remarks.append(
            f"the noise, σ {highest:.1f}, is stronger than the σ up to {trained[1]:g} that "
            "the weights were trained for"
        )
    return tuple(remarks)
