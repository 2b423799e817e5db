"""Weights, models, checkpoints, and the files of registered data."""

import os
from dataclasses import replace

import numpy as np
import scipy.io
import torch
from denoiser_samples import small_unet
from public_denoisers import drunet_state, ffdnet_state, ircnn_state
from safetensors.torch import save_file
from test_backbones_classic_torchvision import filled
from test_checkpoint_import import dncnn, saoyan_state, unmerged_matconvnet, write_matconvnet

from hsi_suite.atomic import write_json
from hsi_suite.backbones.classic.torchvision_weights import load_torchvision_file
from hsi_suite.cache import CACHE_VARIABLE
from hsi_suite.data.public.public_scene import Layer, labels_from_abundances
from hsi_suite.data.public.public_scenes import PUBLIC_SCENES
from hsi_suite.data.public.verification import (
    RemoteFile,
    inspect_file,
    record_path,
    recorded_digest,
)
from hsi_suite.engine.checkpoint import load_checkpoint, save_checkpoint
from hsi_suite.tasks.denoising.weights import load_weights
from hsi_suite.tasks.images.classifier import (
    ImageHeader,
    load_image_classifier,
    untrained_image_classifier,
)

from .harness import Kind

CPU = torch.device("cpu")


def _weights():
    network = dncnn()
    state = saoyan_state(network)
    folded = {k: v.contiguous() for k, v in state.items()}
    writers = {
        "zip.pth": lambda p: torch.save(state, p),
        "legacy.pth": lambda p: torch.save(state, p, _use_new_zipfile_serialization=False),
        "matconv.mat": lambda p: write_matconvnet(p, unmerged_matconvnet(network)),
        "ffdnet.pth": lambda p: torch.save(ffdnet_state(), p),
        "ircnn.pth": lambda p: torch.save(ircnn_state(networks=3), p),
        "drunet.pth": lambda p: torch.save(drunet_state(widths=(2, 3), blocks=1), p),
        "other.safetensors": lambda p: save_file(folded, p),
        "ours.safetensors": lambda p: small_unet().save(p),
    }
    for name, write in writers.items():
        yield Kind(f"weights {name}", lambda f, n=name, w=write: w(f / n),
                   lambda f, n=name: load_weights(f / n, CPU))  # fmt: skip
    resnet, resnet_state = filled()
    yield Kind("weights torchvision", lambda f: torch.save(resnet_state, f / "resnet.pth"),
               lambda f: load_torchvision_file(resnet, f / "resnet.pth"))  # fmt: skip
    yield Kind("weights torchvision safetensors",
               lambda f: save_file(resnet_state, f / "resnet.safetensors"),
               lambda f: load_torchvision_file(resnet, f / "resnet.safetensors"))  # fmt: skip


def _image_model(folder):
    header = ImageHeader("resnet_20", {}, ["a", "b"], 16, None, [0.5], [0.2], "x")
    generator = torch.Generator().manual_seed(0)
    untrained_image_classifier(header, CPU, generator).save(folder / "model.safetensors")


def _read_record(folder):
    os.environ[CACHE_VARIABLE] = str(folder)
    recorded_digest("a.mat")


def _make_record(folder):
    os.environ[CACHE_VARIABLE] = str(folder)
    write_json(record_path(), {"a.mat": "ab" * 32})


def _make_public_scene(folder):
    """Files as those of registered scenes, but small, and of no published checksum."""
    generator = np.random.default_rng(0)
    arrays = {"cube": generator.integers(0, 9, (5, 6, 7)), "shares": generator.random((5, 6, 3)),
              "height": generator.random((5, 6))}  # fmt: skip
    scipy.io.savemat(folder / "scene.mat", arrays)
    scipy.io.savemat(folder / "gt.mat", {"gt": generator.integers(0, 4, (5, 6))})


def _read_public_scene(folder):
    os.environ[CACHE_VARIABLE] = str(folder)
    scene, labels = RemoteFile("scene.mat", ()), RemoteFile("gt.mat", ())
    public = replace(
        PUBLIC_SCENES["ksc"],
        cube=Layer(scene, "cube", (5, 6, 7)),
        labels=Layer(labels, "gt", (5, 6)),
        companions={"height": Layer(scene, "height", (5, 6))},
    )
    files = {file.name: inspect_file(file, folder / file.name, "cache") for file in public.files}
    public.read(files)
    shares = Layer(scene, "shares", (5, 6), (5, 6, 3), labels_from_abundances)
    replace(public, labels=shares).read(files)


def model_kinds():
    """All kinds of weights and of registered files."""
    state = {"epoch": 3, "weights": {"a": torch.arange(12.0)}, "rows": [{"loss": 0.5}]}
    return [
        *_weights(),
        Kind("model of images", _image_model,
             lambda f: load_image_classifier(f / "model.safetensors", CPU)),
        Kind("checkpoint", lambda f: save_checkpoint(f / "checkpoint.pt", state, "ab"),
             lambda f: load_checkpoint(f / "checkpoint.pt", "ab")),
        Kind("record of checksums", _make_record, _read_record),
        Kind("files of a registered scene", _make_public_scene, _read_public_scene),
    ]  # fmt: skip
