"""Boxes cut out of images on the device and brought to the size that a network sees.

Every view of an image, be it the whole, a random crop or one of the crops of a test, is a box in
pixels of the image. Images stay as they are stored, in uint8 and of any sizes.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .labelled_images import LabelledImages

Boxes = NDArray[np.float64]


class BoxSampler:
    """Cuts boxes out of images by bilinear interpolation, a batch at a time.

    A pixel's value counts for its centre; beyond the border of a box its last pixels go on, so
    that the result is that of cropping first and resizing then. A box that is larger than its
    view is not antialiased: images should be stored not much larger than they are seen.

    Args:
        images: are kept on the device.
        size: side of the square views in pixels.
        device: where the views come out.
    """

    def __init__(self, images: LabelledImages, size: int, device: torch.device) -> None:
        self.size = size
        self.device = device
        self.shapes = images.shapes
        self._pixels = torch.from_numpy(images.pixels).to(device)
        self._offsets = torch.from_numpy(images.offsets)

    @property
    def channels(self) -> int:
        """Channels of the views."""
        return self._pixels.shape[1]

    def cut(
        self, images: NDArray[np.int64], boxes: Boxes, mirrored: NDArray[np.bool_]
    ) -> tuple[Tensor, Tensor | None]:
        """The views of N boxes.

        Args:
            images: index of the image of each box, N.
            boxes: top, left, height and width of each in pixels, N × 4; may be fractions, and
                reach beyond the image.
            mirrored: whether left and right change places, N.

        Returns:
            Values of 0 to 1, N × channels × size × size; and where they lie inside the image,
            N × 1 × size × size, None if all do. Outside they mean nothing.
        """
        rows = self._places(boxes[:, 0], boxes[:, 2])
        columns = self._places(boxes[:, 1], boxes[:, 3])
        columns[mirrored] = columns[mirrored, ::-1]
        lines, samples = (self.shapes[images, axis][:, None] for axis in (0, 1))
        starts = self._offsets[torch.from_numpy(images)].to(self.device)[:, None, None]
        width = torch.from_numpy(samples).to(self.device)[..., None]
        low, high, down = self._neighbours(rows, lines)
        left, right, across = self._neighbours(columns, samples)

        def values(line: Tensor, sample: Tensor) -> Tensor:
            return self._pixels[starts + line[:, :, None] * width + sample[:, None, :]].float()

        view = values(low, left)
        if across is not None:
            view = torch.lerp(view, values(low, right), across[:, None, :, None])
        if down is not None:
            below = values(high, left)
            if across is not None:
                below = torch.lerp(below, values(high, right), across[:, None, :, None])
            view = torch.lerp(view, below, down[:, :, None, None])
        inside = _inside(rows, lines)[:, :, None] & _inside(columns, samples)[:, None, :]
        view = (view / 255).permute(0, 3, 1, 2).contiguous()
        return view, None if inside.all() else torch.from_numpy(inside[:, None]).to(self.device)

    def _places(self, start: NDArray[np.float64], extent: NDArray[np.float64]) -> Boxes:
        """Where the view's pixels lie along one axis of the image, N × size."""
        steps = (np.arange(self.size) + 0.5) / self.size
        places = start[:, None] + extent[:, None] * steps - 0.5
        last = start + np.maximum(extent - 1, 0)
        return np.clip(places, start[:, None], last[:, None])

    def _neighbours(
        self, places: Boxes, lengths: NDArray[np.int64]
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """The pixels before and after each place, and the share of the second; None for none."""
        floor = np.floor(places)
        share = places - floor
        low = np.clip(floor, 0, lengths - 1).astype(np.int64)
        high = np.clip(floor + 1, 0, lengths - 1).astype(np.int64)
        first, second = (torch.from_numpy(each).to(self.device) for each in (low, high))
        if not share.any():
            return first, second, None
        return first, second, torch.from_numpy(share.astype(np.float32)).to(self.device)


def _inside(places: Boxes, lengths: NDArray[np.int64]) -> NDArray[np.bool_]:
    return (places >= -0.5) & (places <= lengths - 0.5)
