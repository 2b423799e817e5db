"""Denoising: DnCNN-17 ours against the usual way, and what methods give for their time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from torch import nn

from hsi_suite.metrics.restoration import peak_signal_noise_ratio
from hsi_suite.restoration.classical import non_local_means, wavelet_shrinkage
from hsi_suite.tasks.denoising.denoiser import Denoiser
from hsi_suite.tasks.denoising.evaluation import with_noise

from . import usual_denoising
from .denoising_case import (
    LEVELS,
    MERGED,
    SIGMA,
    UNMERGED,
    Image,
    Method,
    checkpoint,
    colour_photograph,
    noisy_photograph,
    photographs,
    plain_network,
    product_path,
    suite_denoiser,
)
from .group import Group, Say, Table, Timing, Work, job_table
from .interleaving import Side, compare
from .measuring import on_meta, operations, stopwatch
from .workload import Workload

SPEED = (
    Side("DnCNN-17, usual way", "denoising:usual_denoising_way", usual=True),
    Side("DnCNN-17, hsi_suite", "denoising:suite_denoising", settings=("dncnn", "fp32")),
    Side(
        "DnCNN-17, hsi_suite, bf16",
        "denoising:suite_denoising",
        settings=("dncnn", "bf16"),
        precision="bfloat16",
    ),
    Side("shipped default", "denoising:suite_denoising", settings=("default", "fp32")),
    Side(
        "shipped default, bf16",
        "denoising:suite_denoising",
        settings=("default", "bf16"),
        precision="bfloat16",
    ),
)

COLOUR = (
    Side("DnCNN-17, usual way", "denoising:usual_denoising_way", usual=True, settings=("colour",)),
    *(
        Side(
            name if precision == "fp32" else f"{name}, {precision}",
            "denoising:suite_denoising",
            settings=(weights, precision, "colour"),
            precision="float32" if precision == "fp32" else "bfloat16",
        )
        for name, weights in (
            ("shipped default", "default"),
            ("colour_denoiser", "colour"),
            ("camera_denoiser", "camera"),
            ("jpeg_denoiser", "jpeg"),
        )
        for precision in ("fp32", "bf16")
    ),
)


def compare_speed(workload: Workload, say: Say) -> Table:
    """Seconds for a photograph and peak memory, each side."""
    side = workload.photograph
    return compare(
        f"A grey photograph of {side} × {side} pixels, seconds",
        "The usual way runs the network as it was trained, batch norms and all, in the default "
        "memory format on the whole image with malloc's own settings. hsi_suite takes the path "
        "of `hsi denoise`: norms folded into the convolutions, channels last, tiles within the "
        "memory limit of 2 GB, large blocks kept. Reading and writing files is not timed."
        + ("" if checkpoint(UNMERGED) else " The weights of DnCNN-17 are random."),
        SPEED,
        ("seconds", "ratios", "megapixels", "memory", "rate", "agreement"),
        workload,
        say,
    )


def compare_colour(workload: Workload, say: Say) -> Table:
    """The same of a colour photograph, by the networks that ship."""
    side = colour_photograph(workload).shape[0]
    return compare(
        f"A colour photograph of {side} × {side} pixels, seconds",
        "The usual way and the shipped default, both of one channel, run three times; "
        "the others take all three at once. Their results are not alike, and not meant to.",
        COLOUR,
        ("seconds", "ratios", "megapixels", "memory", "rate"),
        workload,
        say,
    )


def compare_methods(workload: Workload, say: Say) -> Table:
    """What each method gains on photographs, and what it costs."""
    names, _ = photographs(workload)
    return compare(
        f"What denoising gives for its time: {names}, σ {SIGMA:g}",
        "Mean PSNR over the images, noise of image k with seed k, not clipped, σ known. CPU "
        "seconds are those of all threads for all images; the gain is that over the noisy images."
        + ("" if checkpoint(MERGED) else f" No DnCNN-17: {MERGED} is not on this machine."),
        method_sides(),
        ("seconds", "psnr", "cpu", "gain", "memory"),
        workload,
        say,
    )


def method_sides() -> list[Side]:
    """The methods that this machine has what they need for."""
    job = "denoising:scored"
    sides = [Side("wavelet (BayesShrink)", job, settings=("wavelet",))]
    sides.append(Side("non-local means", job, settings=("nlm",)))
    networks = [("shipped default", "default")]
    if checkpoint(MERGED) is not None:
        networks.insert(0, ("DnCNN-17", "checkpoint"))
    for name, weights in networks:
        sides.append(Side(name, job, settings=(weights, "fp32")))
        sides.append(Side(f"{name}, bf16", job, settings=(weights, "bf16"), precision="bfloat16"))
    return sides


def usual_denoising_way(workload: Workload, settings: Sequence[str]) -> Work:
    """The plain network on the whole photograph, on each channel of a colour one."""
    noisy = _photograph(workload, settings)
    network = plain_network().to(workload.device)
    count = _network_operations(network, 1, noisy.shape[:2])

    def work(*, brief: bool) -> Timing:
        image = _part(noisy, brief)
        planes = [image] if image.ndim == 2 else list(np.moveaxis(image, 2, 0).copy())
        with stopwatch(workload.device) as watch:
            clean = [usual_denoising.denoise(network, each, workload.device) for each in planes]
        whole = clean[0] if image.ndim == 2 else np.stack(clean, 2)
        return _timing(watch.seconds, whole, count * len(planes))

    return work


def suite_denoising(workload: Workload, settings: Sequence[str]) -> Work:
    """`hsi denoise`'s own path from the pixels in memory to the clean ones."""
    weights, precision, *rest = settings
    noisy = _photograph(workload, rest)
    denoiser = suite_denoiser(weights, workload.device)
    method = product_path(denoiser, precision, workload)
    channels = 1 if noisy.ndim == 2 else noisy.shape[2]
    runs = channels // denoiser.header.in_channels

    def work(*, brief: bool) -> Timing:
        image = _part(noisy, brief)
        with stopwatch(workload.device) as watch:
            clean = method(image)
        count = runs * _network_operations(denoiser.network, _inputs(denoiser), clean.shape[:2])
        timing = _timing(watch.seconds, clean, count)
        return timing if weights == "dncnn" else replace(timing, output=None)

    return work


def _photograph(workload: Workload, settings: Sequence[str]) -> Image:
    if "colour" in settings:
        return colour_photograph(workload)
    return noisy_photograph(workload.photograph)


def scored(workload: Workload, settings: Sequence[str]) -> Work:
    """A method on all photographs, one after the other."""
    _, images = photographs(workload)
    pairs = [
        (image.astype(np.float32) / np.float32(LEVELS), with_noise(image, seed, sigma=SIGMA)[0, 0])
        for seed, image in enumerate(images)
    ]
    method = _method(workload, settings)

    def work(*, brief: bool) -> Timing:
        chosen = pairs[:1] if brief else pairs
        with stopwatch(workload.device) as watch:
            restored = [method(noisy) for _, noisy in chosen]
        before = [peak_signal_noise_ratio(clean, noisy) for clean, noisy in chosen]
        after = [
            peak_signal_noise_ratio(clean, image)
            for (clean, _), image in zip(chosen, restored, strict=True)
        ]
        pixels = sum(image.size for image in restored)
        figures = {
            "psnr": float(np.mean(after)),
            "gain": float(np.mean(after) - np.mean(before)),
            "cpu_seconds": watch.cpu_seconds,
        }
        return Timing(watch.seconds, watch.seconds, pixels, pixels, 0.0, figures)

    return work


def _method(workload: Workload, settings: Sequence[str]) -> Method:
    classical = {"wavelet": wavelet_shrinkage, "nlm": non_local_means}
    if settings[0] in classical:
        return partial(classical[settings[0]], sigma=SIGMA / LEVELS)
    denoiser = suite_denoiser(settings[0], workload.device)
    return product_path(denoiser, settings[1], workload)


def _part(image: Image, brief: bool) -> Image:
    """A quarter of the image to warm up with, or all of it."""
    half = image.shape[0] // 2
    return np.ascontiguousarray(image[:half, :half]) if brief else image


def _inputs(denoiser: Denoiser) -> int:
    return denoiser.header.in_channels + bool(denoiser.network.takes_noise_map)


def _network_operations(network: nn.Module, channels: int, shape: tuple[int, ...]) -> float:
    return operations(on_meta(network), 1, channels, *shape)


def _timing(seconds: float, clean: Image, count: float) -> Timing:
    pixels = clean.shape[0] * clean.shape[1]
    return Timing(seconds, seconds, pixels, pixels, count, output=clean)


GROUP = Group(
    title="Denoising",
    parts=(compare_speed, compare_colour, compare_methods),
    jobs=job_table(usual_denoising_way, suite_denoising, scored),
    memory=3e9,
)
