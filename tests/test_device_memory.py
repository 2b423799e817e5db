"""Work that memory does not hold at once, against the same work where it does."""

import numpy as np
import pytest
import torch
from fake_cuda import fake_devices
from PIL import Image
from query_samples import make_run
from torch import nn

from hsi_suite.engine.dense import strip_logits
from hsi_suite.engine.device_memory import InHalves, TilesInHalves, exhausted
from hsi_suite.engine.devices import computing
from hsi_suite.engine.observer import Observer
from hsi_suite.engine.tiles import Tiling
from hsi_suite.engine.trainer import Trainer
from hsi_suite.errors import DeviceError
from hsi_suite.models.building import build_model
from hsi_suite.tasks.retrieval.retriever import load_retriever

CPU = torch.device("cpu")
SAID = "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 15.78 GiB"


class Said(Observer):
    def __init__(self):
        self.lines = []

    def message(self, text):
        self.lines.append(text)


class Small:
    """A memory that holds so many rows; counts what was asked of it."""

    def __init__(self, rows):
        self.rows, self.calls = rows, []

    def hold(self, rows):
        self.calls.append(rows)
        if rows > self.rows:
            raise torch.OutOfMemoryError(SAID)


def test_which_errors_say_so():
    assert exhausted(torch.OutOfMemoryError(SAID)) and exhausted(MemoryError())
    assert exhausted(RuntimeError("DefaultCPUAllocator: can't allocate memory: 8 bytes"))
    assert exhausted(
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate")
    )
    for said in (
        "cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED",
        "cusolver error: CUSOLVER_STATUS_ALLOC_FAILED, when calling `cusolverDnCreate(handle)`",
        "GET was unable to find an engine to execute this computation",
    ):
        assert exhausted(RuntimeError(said))
    assert not exhausted(RuntimeError("shapes differ")) and not exhausted(ValueError())


@pytest.mark.parametrize("rows", [1, 2, 3, 7, 100])
def test_rows_in_halves(rows):
    memory, said = Small(rows), Said()

    def compute(some):
        memory.hold(len(some))
        return some * 2

    within = InHalves(compute, said)
    values = torch.arange(14.0).reshape(7, 2)
    assert torch.equal(within(values), values * 2)
    failed = [size for size in memory.calls if size > rows]
    assert len(failed) == len(said.lines) and failed == sorted(failed, reverse=True)
    # What did not fit once is not tried again.
    memory.calls.clear()
    assert torch.equal(within(values), values * 2)
    assert max(memory.calls) <= max(rows, 1)


def test_a_single_row_that_does_not_fit_and_other_errors_are_raised():
    within = InHalves(lambda some: Small(0).hold(len(some)))
    with pytest.raises(torch.OutOfMemoryError):
        within(torch.zeros(5, 1))

    def wrong(some):
        raise RuntimeError("shapes differ")

    with pytest.raises(RuntimeError, match="shapes differ"):
        InHalves(wrong)(torch.zeros(5, 1))


def test_no_rows_and_other_kinds_of_results():
    def count(some):
        Small(2).hold(len(some))
        return some.numpy() + 1

    within = InHalves(count, join=np.concatenate)
    np.testing.assert_array_equal(within(torch.arange(5)), np.arange(5) + 1)
    assert InHalves(lambda some: some)(torch.zeros(0, 3)).shape == (0, 3)


def around(image, tiling):
    """The mean of each pixel's 3 × 3, as a network of radius 1 sees it, tile by tile."""

    def compute(tile):
        piece, inner = tiling.surroundings(tile, image.shape)
        padded = np.pad(image[piece], 1)
        views = np.lib.stride_tricks.sliding_window_view(padded, (3, 3))
        return views.mean((2, 3))[inner]

    return compute


@pytest.mark.parametrize("side", [None, 40])
def test_tiles_in_halves_give_the_same_bits(side):
    image = np.random.default_rng(0).random((90, 61))
    tiling, memory = Tiling(side, 1, 2), Small(600)
    whole = around(image, tiling)

    def limited(tile):
        memory.hold((tile[0].stop - tile[0].start) * (tile[1].stop - tile[1].start))
        return whole(tile)

    parts, output, seen = TilesInHalves(tiling, limited), np.zeros_like(image), np.zeros_like(image)
    for tile in tiling.tiles(image.shape):
        for part, values in parts(tile):
            output[part] = values
            seen[part] += 1
    assert (seen == 1).all() and any(size > 600 for size in memory.calls)
    everything = (slice(0, 90), slice(0, 61))
    np.testing.assert_array_equal(output, whole(everything))


def test_a_network_that_sees_the_whole_is_not_cut():
    # Half of it would fit.
    memory = Small(2048)
    parts = TilesInHalves(Tiling(None, 0, 1), lambda tile: memory.hold(tile[0].stop * 64) or 0)
    with pytest.raises(torch.OutOfMemoryError):
        list(parts((slice(0, 64), slice(0, 64))))
    assert memory.calls == [4096]


def test_what_a_failed_call_held_goes_back_to_the_device(monkeypatch):
    given_back, memory = [], Small(4)
    fake_devices(monkeypatch)
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: given_back.append(len(memory.calls)))
    InHalves(lambda some: memory.hold(len(some)) or some)(torch.zeros(9, 1))
    assert memory.calls == [9, 5, 3, 3, 3] and given_back == [1, 2]


def dense_network(name="hybridsn"):
    model = build_model(
        name, in_channels=13, num_classes=3, window=11, options={},
        generator=torch.Generator().manual_seed(0),
    )  # fmt: skip
    return model.eval()


def limit(network, monkeypatch, lines):
    """Let the network's features of more than so many padded lines not fit."""
    memory, features = Small(lines), network.features

    def limited(values):
        memory.hold(2 * values.shape[2])
        return features(values)

    monkeypatch.setattr(network, "features", limited)
    return memory


def test_strips_of_a_scene_in_halves(monkeypatch):
    network = dense_network()
    padded = torch.randn(13, 50, 24, generator=torch.Generator().manual_seed(1))
    wanted = torch.ones(40, 14, dtype=torch.bool)
    wanted[18:21] = False
    with torch.inference_mode():
        whole = torch.cat([each for _, each in strip_logits(network, padded, wanted)])
        memory = limit(network, monkeypatch, 26)
        strips = list(strip_logits(network, padded, wanted))
        found = torch.cat([each for _, each in strips])
    assert len(strips) > 2 and max(memory.calls) > 26
    assert [first for first, _ in strips] == sorted({first for first, _ in strips})
    torch.testing.assert_close(found, whole, atol=1e-5, rtol=1e-5)


def test_strips_with_dropout_on_are_not_halved(monkeypatch):
    network = dense_network()
    for layer in network.modules():
        if isinstance(layer, nn.Dropout):
            layer.train()
    limit(network, monkeypatch, 20)
    wanted = torch.ones(40, 14, dtype=torch.bool)
    with pytest.raises(torch.OutOfMemoryError):
        list(strip_logits(network, torch.zeros(13, 50, 24), wanted))


def test_chunks_of_a_gallery_in_halves(tmp_path, monkeypatch):
    retriever = load_retriever(make_run(tmp_path, steps=0) / "model.safetensors", CPU)
    items = np.random.default_rng(0).uniform(0, 10_000, (1500, 13)).astype(np.uint16)
    functions = (retriever.embed, retriever.posteriors)
    whole = [function(items, "first") for function in functions]
    memory, embed = Small(100), retriever.network.embed_first

    def limited(rows):
        memory.hold(len(rows))
        return embed(rows)

    monkeypatch.setattr(retriever.network, "embed_first", limited)
    for function, expected in zip(functions, whole, strict=True):
        memory.calls.clear()
        np.testing.assert_allclose(function(items, "first"), expected, atol=1e-6)
        assert memory.calls[0] == 1024 and sum(size <= 100 for size in memory.calls) >= 15


@pytest.mark.parametrize(
    ("lower", "remedy"),
    [("train.batch_size", "Lower train.batch_size, or close"), ("", "Close other programs")],
)
def test_what_no_smaller_piece_helps_is_one_line(lower, remedy):
    with pytest.raises(DeviceError) as caught, computing(CPU, 1, True, lower):
        raise torch.OutOfMemoryError(SAID)
    line = str(caught.value)
    assert "\n" not in line and line.startswith("cpu: out of memory, at another 2.00 GiB")
    assert remedy in line


@pytest.mark.parametrize(
    ("said", "line"),
    [
        (
            "GET was unable to find an engine to execute this computation",
            "cuDNN found no way to compute a convolution",
        ),
        ("CUDA error: CUDA-capable device(s) is/are busy or unavailable", "is busy: another"),
        ("CUDA error: no kernel image is available for execution on the device", "is of a kind"),
        ("CUDA error: uncorrectable ECC error encountered", "has found a fault"),
        ("CUDA error: the launch timed out and was terminated", "was stopped by"),
    ],
)
def test_what_becomes_of_a_device_is_one_line(said, line):
    with pytest.raises(DeviceError) as caught, computing(CPU, 1, True):
        raise RuntimeError(f"{said}\nCUDA kernel errors might be reported asynchronously")
    assert str(caught.value).startswith(f"cpu: {line}") and "\n" not in str(caught.value)


def test_defects_stay_what_they_are():
    said = "CUDA error: an illegal memory access was encountered"
    with pytest.raises(RuntimeError, match="illegal memory access"), computing(CPU, 1, True):
        raise RuntimeError(said)


def test_a_training_that_does_not_fit_ends_in_one_line(hsi, tmp_path, monkeypatch):
    def full(self):
        raise torch.OutOfMemoryError(SAID)

    monkeypatch.setattr(Trainer, "_run_step", full)
    images = tmp_path / "images"
    images.mkdir()
    for number in range(3):
        Image.fromarray(np.full((40, 40), 40 * number, np.uint8)).save(images / f"{number}.png")
    keys = (f"data.folder={images}", "data.validation=1", "device=cpu")
    words = [word for key in keys for word in ("--set", key)]
    status, _, err = hsi("train", "--config", "smoke/denoising", *words, "--output", tmp_path / "r")
    assert status == 2
    line = err.strip().splitlines()[-1]
    assert line.startswith("error: cpu: out of memory") and "train.patch" in line
    (run,) = (tmp_path / "r").iterdir()
    assert not (run / "metrics.json").exists()


@pytest.mark.cuda
def test_a_real_gpu_without_memory_gives_the_same_in_halves():
    device = torch.device("cuda")
    layer = nn.Linear(1024, 4096).to(device).eval()
    rows = torch.randn(2**16, 1024, device=device)
    with torch.inference_mode():
        whole = layer(rows).sum(1)
        torch.cuda.empty_cache()
        # All at once take 1.07e9 bytes.
        room = torch.cuda.memory_allocated() + 4e8
        total = torch.cuda.get_device_properties(0).total_memory
        torch.cuda.set_per_process_memory_fraction(room / total)
        try:
            within = InHalves(lambda some: layer(some).sum(1))
            found = within(rows)
        finally:
            torch.cuda.set_per_process_memory_fraction(1.0)
    assert within.most is not None and within.most < len(rows)
    # Sums of 4,096 numbers: of fewer rows at a time cuBLAS may add up in another order.
    torch.testing.assert_close(found, whole, rtol=1e-4, atol=1e-3)
