"""What the sides of a denoising are given: photographs, networks, the product's path."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from skimage import data
from skimage.color import rgb2gray
from torch import nn

from hsi_suite.data.images import load_images
from hsi_suite.data.photographs import PhotographHeader
from hsi_suite.data.public.download import data_folder
from hsi_suite.engine.allocation import keep_large_blocks
from hsi_suite.engine.devices import computing
from hsi_suite.errors import DatasetNotFoundError
from hsi_suite.memory import DEFAULT_MEMORY_LIMIT
from hsi_suite.models.building import build_denoiser
from hsi_suite.tasks.denoising.denoiser import Denoiser, DenoiserHeader
from hsi_suite.tasks.denoising.evaluation import with_noise
from hsi_suite.tasks.denoising.image_restoration import Restoration, known_noise, restore
from hsi_suite.tasks.denoising.image_tiling import plan_tiles
from hsi_suite.tasks.denoising.photographs.image_jobs import ImageJob
from hsi_suite.tasks.denoising.weights import load_weights
from hsi_suite.weights import CAMERA_WEIGHTS, COLOUR_WEIGHTS, DEFAULT_WEIGHTS, JPEG_WEIGHTS

from . import usual_denoising
from .workload import Workload

Image = NDArray[np.float32]
Method = Callable[[Image], Image]

SIGMA = 25.0
LEVELS = 255.0
#: Public weights for σ 25, with the batch norms worked in and with them as they were trained.
MERGED, UNMERGED = "kair_dncnn_25.pth", "saoyan_dncnn_s_25.pth"
# The last layer's share of what it would give at random: noise of the size that is there.
_SMALL = 0.1


def noisy_photograph(side: int) -> Image:
    """A photograph of scikit-image's in some size and with noise, 0 to 1."""
    noisy: Image = with_noise(_sized(_sample("camera"), side), 0, sigma=SIGMA)[0, 0]
    return noisy


def colour_photograph(workload: Workload) -> Image:
    """A colour photograph with noise, of half the side of the grey one."""
    noisy = with_noise(_sized(data.astronaut(), workload.photograph // 2), 0, sigma=SIGMA)[0]
    return np.ascontiguousarray(np.moveaxis(noisy, 0, 2))


def _sized(image: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Cut off, or continued as in a mirror."""
    pads = [(0, max(0, side - size)) for size in image.shape[:2]]
    rest = [(0, 0)] * (image.ndim - 2)
    return np.pad(image, pads + rest, "symmetric")[:side, :side]


def photographs(workload: Workload) -> tuple[str, list[NDArray[np.uint8]]]:
    """What methods are scored on: Set12 where it is at hand, else samples of scikit-image."""
    count = workload.scored_images
    try:
        found = load_images("set12")
        name, images = found.name, list(found.images)
    except DatasetNotFoundError:
        name = "samples of scikit-image"
        images = [*map(_sample, ("camera", "coins", "astronaut", "coffee", "chelsea"))]
    images = images[:count]
    return f"{len(images)} images of {name}", images


def checkpoint(name: str) -> Path | None:
    """A public checkpoint of DnCNN-17, where it is at hand."""
    folder = data_folder()
    return None if folder is None else next(folder.rglob(name), None)


def plain_network() -> usual_denoising.PlainDnCNN:
    """DnCNN-17 with its batch norms; public weights where they are at hand, else random ones."""
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        network = usual_denoising.PlainDnCNN()
    path = checkpoint(UNMERGED)
    if path is None:
        _calibrate(network)
        return network.eval()
    stored = torch.load(path, map_location="cpu", weights_only=True)
    state = {name.replace("module.dncnn", "layers"): value for name, value in stored.items()}
    # These weights have no biases.
    zeros = {name: torch.zeros_like(value) for name, value in network.state_dict().items()}
    network.load_state_dict(zeros | state)
    return network.eval()


def _calibrate(network: usual_denoising.PlainDnCNN) -> None:
    """Give batch norms the statistics of a photograph, and the output the size of noise."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None
    noisy = noisy_photograph(96)
    last = network.layers[-1]
    assert isinstance(last, nn.Conv2d) and last.bias is not None
    with torch.no_grad():
        network.train()(torch.from_numpy(noisy)[None, None])
        last.weight.mul_(_SMALL)
        last.bias.mul_(_SMALL)


def suite_denoiser(weights: str, device: str) -> Denoiser:
    """As `hsi denoise` loads it: a shipped one, the checkpoint, or the plain network's."""
    where = torch.device(device)
    shipped = {
        "default": DEFAULT_WEIGHTS,
        "colour": COLOUR_WEIGHTS,
        "camera": CAMERA_WEIGHTS,
        "jpeg": JPEG_WEIGHTS,
    }
    if weights in shipped:
        return load_weights(shipped[weights], where)
    if weights == "checkpoint":
        return load_weights(checkpoint(MERGED), where)
    header = DenoiserHeader("dncnn", {"depth": 17}, 1, "gaussian", (SIGMA, SIGMA), "none")
    network = build_denoiser("dncnn", in_channels=1, options=header.options, generator=None)
    theirs = plain_network().state_dict().values()
    network.load_state_dict(dict(zip(network.state_dict(), theirs, strict=True)))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "dncnn.safetensors"
        Denoiser(header, network).save(path)
        return load_weights(path, where)


def product_path(denoiser: Denoiser, precision: str, workload: Workload) -> Method:
    """The way of `hsi denoise` from noisy pixels to clean ones."""
    keep_large_blocks()
    how = Restoration(precision=precision)
    device, dtype = torch.device(workload.device), np.dtype(np.float32)

    def run(noisy: Image) -> Image:
        lines, columns = noisy.shape[:2]
        channels = 1 if noisy.ndim == 2 else noisy.shape[2]
        header = PhotographHeader(lines, columns, channels, dtype, False)
        job = ImageJob(Path("photograph"), Path("result"), header)
        with computing(device, workload.threads, deterministic=True):
            tiling = plan_tiles(
                denoiser, job, tile=None, memory_limit=DEFAULT_MEMORY_LIMIT, copies=2.0, how=how
            )
            sigmas = known_noise(SIGMA / LEVELS, denoiser, noisy)
            clean: Image = restore(denoiser, noisy, 1.0, sigmas, tiling, how, dtype=dtype)
        return clean

    return run


def _sample(name: str) -> NDArray[np.uint8]:
    """One of scikit-image's photographs, in grey."""
    image: NDArray[np.uint8] = getattr(data, name)()
    return image if image.ndim == 2 else np.rint(rgb2gray(image) * LEVELS).astype(np.uint8)
