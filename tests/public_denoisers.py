"""Checkpoints with the layouts of public denoisers, and what they compute, in plain torch."""

import itertools

import torch
from torch.nn import functional

DILATIONS = (1, 2, 3, 4, 3, 2, 1)


def _draw(shape, generator, bias=False):
    fan = 1 if bias else shape[1] * shape[2] * shape[3]
    return (torch.rand(shape, generator=generator) - 0.5) * 2 * (3 / fan) ** 0.5 * 0.8


def row_state(widths, seed=0):
    """model.0, model.2 …: 3×3 convolutions with biases, of so many channels between them."""
    generator = torch.Generator().manual_seed(seed)
    state = {}
    for number, (fan_in, fan_out) in enumerate(itertools.pairwise(widths)):
        state[f"model.{2 * number}.weight"] = _draw((fan_out, fan_in, 3, 3), generator)
        state[f"model.{2 * number}.bias"] = 0.1 * _draw((fan_out,), generator, bias=True)
    return state


def ffdnet_state(channels=1, depth=5, width=6, seed=0):
    return row_state([4 * channels + 1, *[width] * (depth - 1), 4 * channels], seed)


def ircnn_state(channels=1, width=5, networks=25):
    return {str(k): row_state([channels, *[width] * 6, channels], seed=k) for k in range(networks)}


def drunet_state(channels=1, widths=(4, 6, 8, 10), blocks=2, seed=0):
    generator = torch.Generator().manual_seed(seed)
    state = {"m_head.weight": _draw((widths[0], channels + 1, 3, 3), generator)}

    def level(name, first, width):
        for block in range(first, first + blocks):
            for part in (0, 2):
                key = f"{name}.{block}.res.{part}.weight"
                state[key] = _draw((width, width, 3, 3), generator)

    for k, (fine, coarse) in enumerate(itertools.pairwise(widths), 1):
        level(f"m_down{k}", 0, fine)
        state[f"m_down{k}.{blocks}.weight"] = _draw((coarse, fine, 2, 2), generator)
    level("m_body", 0, widths[-1])
    for k in range(len(widths) - 1, 0, -1):
        state[f"m_up{k}.0.weight"] = _draw((widths[k], widths[k - 1], 2, 2), generator)
        level(f"m_up{k}", 1, widths[k - 1])
    state["m_tail.weight"] = _draw((channels, widths[0], 3, 3), generator)
    return state


def run_row(state, x, dilations=None):
    count = len(state) // 2
    for number in range(count):
        weight, bias = state[f"model.{2 * number}.weight"], state[f"model.{2 * number}.bias"]
        step = dilations[number] if dilations else 1
        x = functional.conv2d(x, weight, bias, padding=step, dilation=step)
        if number < count - 1:
            x = functional.relu(x)
    return x


def run_ffdnet(state, image, sigma):
    """σ on the scale 0 to 1."""
    height, width = image.shape[-2:]
    padded = functional.pad(image, (0, width % 2, 0, height % 2), mode="replicate")
    small = functional.pixel_unshuffle(padded, 2)
    level = torch.full((len(image), 1, *small.shape[-2:]), sigma)
    spread = functional.pixel_shuffle(run_row(state, torch.cat([small, level], 1)), 2)
    return spread[..., :height, :width]


def run_ircnn(states, image, network):
    """The network of this number, counted from 0."""
    return image - run_row(states[str(network)], image, DILATIONS)


def run_drunet(state, image, sigma):
    height, width = image.shape[-2:]
    levels = sum(key.startswith("m_down") and ".res." not in key for key in state)
    blocks = sum(key.startswith("m_body") for key in state) // 2
    cell = 2**levels
    x = torch.cat([image, torch.full_like(image[:, :1], sigma)], 1)
    x = functional.pad(x, (0, -width % cell, 0, -height % cell), mode="replicate")

    def level(x, name, first):
        for block in range(first, first + blocks):
            inner = functional.conv2d(x, state[f"{name}.{block}.res.0.weight"], padding=1)
            inner = functional.relu(inner)
            x = x + functional.conv2d(inner, state[f"{name}.{block}.res.2.weight"], padding=1)
        return x

    kept = [functional.conv2d(x, state["m_head.weight"], padding=1)]
    for k in range(1, levels + 1):
        inner = level(kept[-1], f"m_down{k}", 0)
        kept.append(functional.conv2d(inner, state[f"m_down{k}.{blocks}.weight"], stride=2))
    x = level(kept[-1], "m_body", 0)
    for k in range(levels, 0, -1):
        x = functional.conv_transpose2d(x + kept[k], state[f"m_up{k}.0.weight"], stride=2)
        x = level(x, f"m_up{k}", 1)
    x = functional.conv2d(x + kept[0], state["m_tail.weight"], padding=1)
    return x[..., :height, :width]
