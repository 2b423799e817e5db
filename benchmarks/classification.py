"""Classification: what is compared with what. A new way of training or mapping is one more side."""

from __future__ import annotations

from typing import Any

from .interleaving import Say, Side, interleave
from .workload import Workload

TRAINING = (
    Side("usual way", "usual_training", usual=True),
    Side("hsi_suite, patch", "suite_training", settings=("train.strategy=patch",)),
    Side("hsi_suite, dense", "suite_training", settings=("train.strategy=dense",)),
    Side(
        "hsi_suite, dense, bf16",
        "suite_training",
        settings=("train.strategy=dense", "train.precision=bf16"),
        precision="bfloat16",
    ),
)
MAP = (
    Side("pixel by pixel", "usual_pixel_map", usual=True),
    Side("in batches", "usual_batch_map", usual=True),
    Side("hsi_suite", "suite_map"),
    Side(
        "hsi_suite, bf16",
        "suite_map",
        settings=("evaluation.precision=bf16",),
        precision="bfloat16",
    ),
)


def compare_training(workload: Workload, say: Say) -> dict[str, Any]:
    """Seconds of a training epoch and peak memory, each side."""
    return {
        "title": f"Training, seconds per epoch at batch {workload.batch_size}",
        "note": "The usual way holds all windows in float64 and trains through a DataLoader; "
        "`patch` gathers the windows of each batch; `dense` puts the whole scene through once a "
        "step. Preparing is not timed; peak memory has it.",
        "sides": interleave(TRAINING, workload, say),
    }


def compare_maps(workload: Workload, say: Say) -> dict[str, Any]:
    """Seconds of the map of a whole scene and peak memory, each side."""
    return {
        "title": "Map of the whole scene, seconds",
        "note": "The usual ways: one forward pass for each pixel, and windows stacked to batches "
        f"of {workload.batch_size}. Only hsi_suite's time holds the reduction of the spectra.",
        "sides": interleave(MAP, workload, say),
    }
