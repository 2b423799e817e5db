import torch

from hsi_suite.models.building import build_denoiser
from hsi_suite.models.dncnn import FDnCNN
from hsi_suite.tasks.denoising.denoiser import Denoiser, DenoiserHeader

UNET = {"channels": [6, 8], "blocks": 1}


def small_unet(sigma=(0.0, 55.0), **options):
    """An untrained U-Net of a few channels, which changes an image a little."""
    generator = torch.Generator().manual_seed(0)
    options = {**UNET, **options}
    network = build_denoiser("residual_unet", in_channels=1, options=options, generator=generator)
    header = DenoiserHeader("residual_unet", options, 1, "gaussian", sigma, "none")
    return Denoiser(header, network.eval())


def colour_unet(name):
    """The same for colour, in two passes: guided_unet or refined_unet."""
    generator = torch.Generator().manual_seed(0)
    network = build_denoiser(name, in_channels=3, options=UNET, generator=generator)
    header = DenoiserHeader(name, UNET, 3, "gaussian", (0.0, 55.0), "none")
    return Denoiser(header, network.eval())


def box_filter(in_channels=1):
    """A network that means each pixel with its eight neighbours; the border gets darker."""
    network = FDnCNN(in_channels, depth=2, width=in_channels).eval()
    for parameter in network.parameters():
        parameter.data.zero_()
    first, last = (layer.conv for layer in network.layers)
    for channel in range(in_channels):
        # A little is added, so that the activation lets noise below zero pass.
        first.weight.data[channel, channel, 1, 1] = 1
        last.weight.data[channel, channel] = 1 / 9
    first.bias.data.fill_(0.3)
    last.bias.data.fill_(-0.3)
    options = {"depth": 2, "width": in_channels}
    header = DenoiserHeader("fdncnn", options, in_channels, "gaussian", (0.0, 55.0), "none")
    return Denoiser(header, network)
