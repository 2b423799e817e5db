"""What a user should know of how a network takes the noise of an image."""

from __future__ import annotations

from collections.abc import Sequence

from ....models.ircnn import IRCNN
from ..denoiser import Denoiser
from ..image_restoration import Pixels, restores_luma

#: Where a σ is said to a network that does not look at it.
TAKES_NO_SIGMA = "the weights take no σ; --sigma is not used"
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
    network = denoiser.network
    if restores_luma(denoiser, image):
        return ("luma is restored, as the network learnt; colour stays as it is",)
    if not network.takes_noise_map:
        return ()
    remarks = []
    if isinstance(network, IRCNN):
        chosen = dict.fromkeys(network.choice_text(sigma) for sigma in sigmas)
        remarks.append(f"denoised by {'; '.join(chosen)}")
    return (*remarks, *too_strong(denoiser, sigmas))


def too_strong(denoiser: Denoiser, sigmas: Sequence[float]) -> tuple[str, ...]:
    """A line where the noise is stronger than the network learnt, if it looks at σ.

    Args:
        denoiser: with its network.
        sigmas: of each plane that the network sees, on the scale 0 to 1.
    """
    trained, highest = denoiser.header.sigma, max(sigmas) * _LEVELS
    if not denoiser.network.takes_noise_map or trained is None or highest <= trained[1] + _ROUNDING:
        return ()
    return (
        f"the noise, σ {highest:.1f}, is stronger than the σ up to {trained[1]:g} that the weights "
        "were trained for",
    )
