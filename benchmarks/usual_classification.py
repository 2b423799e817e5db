"""The usual way to train HybridSN and draw its map, written plainly.

What is done is what the published recipe does (Roy et al., IEEE GRSL 2020, arXiv 1902.06701): cut
the window of every pixel out of the padded scene into one float64 array, drop the unlabelled ones,
divide the rest, train from a `Dataset` through a `DataLoader`, and classify the map one pixel at a
time. The second map, windows in batches, is what careful users do instead.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


class PlainHybridSN(nn.Module):
    """The network of the paper's table I; parameters in the order of hsi_suite's."""

    def __init__(self, components: int, num_classes: int, window: int, dropout: float) -> None:
        super().__init__()
        self.conv1 = nn.Conv3d(1, 8, (7, 3, 3))
        self.conv2 = nn.Conv3d(8, 16, (5, 3, 3))
        self.conv3 = nn.Conv3d(16, 32, (3, 3, 3))
        self.conv4 = nn.Conv2d(32 * (components - 12), 64, (3, 3))
        self.fc1 = nn.Linear(64 * (window - 8) ** 2, 256)
        self.fc2 = nn.Linear(256, 128)
        self.fc3 = nn.Linear(128, num_classes)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 1, components, window, window) to (N, num_classes) logits."""
        x = functional.relu(self.conv1(x))
        x = functional.relu(self.conv2(x))
        x = functional.relu(self.conv3(x))
        x = x.reshape(x.shape[0], -1, x.shape[3], x.shape[4])
        x = functional.relu(self.conv4(x))
        x = x.reshape(x.shape[0], -1)
        x = self.dropout(functional.relu(self.fc1(x)))
        x = self.dropout(functional.relu(self.fc2(x)))
        logits: Tensor = self.fc3(x)
        return logits


class Windows(Dataset[tuple[Tensor, Tensor]]):
    """Windows and classes as tensors."""

    def __init__(self, windows: FloatArray, classes: IntArray) -> None:
        # N × window × window × components to N × 1 × components × window × window.
        self.windows = torch.FloatTensor(windows.transpose(0, 3, 1, 2)[:, None])
        self.classes = torch.LongTensor(classes)

    def __len__(self) -> int:
        return len(self.windows)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        return self.windows[index], self.classes[index]


def pad_with_zeros(scene: FloatArray, margin: int) -> FloatArray:
    padded = np.zeros((scene.shape[0] + 2 * margin, scene.shape[1] + 2 * margin, scene.shape[2]))
    padded[margin : margin + scene.shape[0], margin : margin + scene.shape[1]] = scene
    return padded


def all_windows(
    scene: FloatArray, labels: NDArray[np.integer], window: int
) -> tuple[FloatArray, IntArray]:
    """The windows of all labelled pixels, and their classes from 0 on."""
    lines, samples, components = scene.shape
    padded = pad_with_zeros(scene, window // 2)
    windows = np.zeros((lines * samples, window, window, components))
    values = np.zeros(lines * samples)
    number = 0
    for line in range(lines):
        for sample in range(samples):
            windows[number] = padded[line : line + window, sample : sample + window]
            values[number] = labels[line, sample]
            number += 1
    windows = windows[values > 0]
    values = values[values > 0] - 1
    return windows, values.astype(np.int64)


def train(
    network: nn.Module,
    batches: Iterable[tuple[Tensor, Tensor]],
    optimizer: torch.optim.Optimizer,
    device: str = "cpu",
) -> float:
    """One pass over the batches; the mean of their losses."""
    network.train()
    losses = []
    for windows, classes in batches:
        windows, classes = windows.to(device), classes.to(device)
        optimizer.zero_grad()
        loss = functional.cross_entropy(network(windows), classes)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses.append(loss.item())
    return sum(losses) / len(losses)


def loader(
    windows: FloatArray, classes: IntArray, batch_size: int
) -> DataLoader[tuple[Tensor, Tensor]]:
    return DataLoader(Windows(windows, classes), batch_size=batch_size, shuffle=True)


def map_by_pixels(
    network: nn.Module, scene: FloatArray, window: int, pixels: IntArray, device: str = "cpu"
) -> IntArray:
    """The class index of each of some pixels (flat indices), one forward pass for each."""
    padded = pad_with_zeros(scene, window // 2)
    network.eval()
    found = np.zeros(len(pixels), np.int64)
    with torch.no_grad():
        for number, pixel in enumerate(pixels):
            line, sample = divmod(int(pixel), scene.shape[1])
            cut = padded[line : line + window, sample : sample + window]
            cut = cut.reshape(1, window, window, -1).transpose(0, 3, 1, 2)[:, None]
            found[number] = network(torch.FloatTensor(cut).to(device)).argmax().item()
    return found


def map_by_batches(
    network: nn.Module,
    scene: FloatArray,
    window: int,
    pixels: IntArray,
    batch_size: int,
    device: str = "cpu",
) -> IntArray:
    """The class index of each of some pixels (flat indices), windows stacked to batches."""
    padded = pad_with_zeros(scene, window // 2)
    network.eval()
    found = []
    with torch.no_grad():
        for start in range(0, len(pixels), batch_size):
            cuts = []
            for pixel in pixels[start : start + batch_size]:
                line, sample = divmod(int(pixel), scene.shape[1])
                cuts.append(padded[line : line + window, sample : sample + window])
            batch = torch.FloatTensor(np.stack(cuts).transpose(0, 3, 1, 2)[:, None])
            found.append(network(batch.to(device)).argmax(1).cpu().numpy())
    return np.concatenate(found)
