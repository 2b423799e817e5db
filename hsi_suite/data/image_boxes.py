"""Boxes cut out of images on the device and brought to the size that a network sees.

Every view of an image, be it the whole, a random crop or one of the crops of a test, is a box in
pixels of the image. Images stay as they are stored, in uint8 and of any sizes.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..transfer import to_device
from .labelled_images import LabelledImages

Boxes = NDArray[np.float64]
INTERPOLATIONS = ("nearest", "bilinear", "bicubic")
# Of the cubic kernel, as torch and OpenCV have it (Keys, 1981, equation 4 with a = -3/4).
_CUBIC = -0.75


class BoxSampler:
    """Cuts boxes out of images, by bilinear interpolation unless said otherwise, a batch at a time.

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
        self,
        images: NDArray[np.int64],
        boxes: Boxes,
        mirrored: NDArray[np.bool_],
        interpolations: NDArray[np.str_] | None = None,
    ) -> tuple[Tensor, Tensor | None]:
        """The views of N boxes.

        Args:
            images: index of the image of each box, N.
            boxes: top, left, height and width of each in pixels, N × 4; may be fractions, and
                reach beyond the image.
            mirrored: whether left and right change places, N.
            interpolations: of `INTERPOLATIONS`, N; None for bilinear.

        Returns:
            Values of 0 to 1, N × channels × size × size; and where they lie inside the image,
            N × 1 × size × size, None if all do. Outside they mean nothing.
        """
        rows = self._places(boxes[:, 0], boxes[:, 2])
        columns = self._places(boxes[:, 1], boxes[:, 3])
        columns[mirrored] = columns[mirrored, ::-1]
        lines, samples = (self.shapes[images, axis][:, None] for axis in (0, 1))
        starts = to_device(self._offsets[torch.from_numpy(images)], self.device)[:, None, None]
        width = to_device(torch.from_numpy(samples), self.device)[..., None]

        def values(line: Tensor, sample: Tensor, which: slice | Tensor) -> Tensor:
            places = starts[which] + line[:, :, None] * width[which] + sample[:, None, :]
            return self._pixels[places].float()

        if interpolations is None:
            view = self._bilinear(rows, columns, lines, samples, partial(values, which=slice(None)))
        else:
            view = torch.empty(len(images), self.size, self.size, self.channels, device=self.device)
            for kind in np.unique(interpolations):
                chosen = np.flatnonzero(interpolations == kind)
                some = to_device(torch.from_numpy(chosen), self.device)
                read = partial(values, which=some)
                if kind == "bilinear":
                    parts = (rows[chosen], columns[chosen], lines[chosen], samples[chosen])
                    view[some] = self._bilinear(*parts, read)
                else:
                    turned = boxes[chosen], mirrored[chosen]
                    view[some] = self._by_taps(str(kind), *turned, images[chosen], read)
        inside = _inside(rows, lines)[:, :, None] & _inside(columns, samples)[:, None, :]
        view = (view / 255).permute(0, 3, 1, 2).contiguous()
        if inside.all():
            return view, None
        return view, to_device(torch.from_numpy(inside[:, None]), self.device)

    def _bilinear(
        self,
        rows: Boxes,
        columns: Boxes,
        lines: NDArray[np.int64],
        samples: NDArray[np.int64],
        values: Callable[[Tensor, Tensor], Tensor],
    ) -> Tensor:
        """Views of levels 0 to 255, N × size × size × channels."""
        low, high, down = self._neighbours(rows, lines)
        left, right, across = self._neighbours(columns, samples)
        view = values(low, left)
        if across is not None:
            view = torch.lerp(view, values(low, right), across[:, None, :, None])
        if down is not None:
            below = values(high, left)
            if across is not None:
                below = torch.lerp(below, values(high, right), across[:, None, :, None])
            view = torch.lerp(view, below, down[:, :, None, None])
        return view

    def _by_taps(
        self,
        kind: str,
        boxes: Boxes,
        mirrored: NDArray[np.bool_],
        images: NDArray[np.int64],
        values: Callable[[Tensor, Tensor], Tensor],
    ) -> Tensor:
        """The same as weighted sums of the nearest pixel, or of four along each axis."""
        view: Tensor | None = None
        down = self._taps(kind, boxes[:, 0], boxes[:, 2], self.shapes[images, 0])
        across = self._taps(kind, boxes[:, 1], boxes[:, 3], self.shapes[images, 1], mirrored)
        for line, below in down:
            for sample, beside in across:
                part = values(line, sample) * (below[:, :, None, None] * beside[:, None, :, None])
                view = part if view is None else view + part
        assert view is not None
        # The cubic kernel has negative parts.
        return view.clamp(0, 255)

    def _taps(
        self,
        kind: str,
        start: NDArray[np.float64],
        extent: NDArray[np.float64],
        lengths: NDArray[np.int64],
        mirrored: NDArray[np.bool_] | None = None,
    ) -> list[tuple[Tensor, Tensor]]:
        """The pixels that count at each place along one axis, each with its weight."""
        places = self._centres(start, extent)
        if mirrored is not None:
            places[mirrored] = places[mirrored, ::-1]
        if kind == "nearest":
            taps = [(np.floor(places + 0.5), np.ones_like(places))]
        else:
            floor = np.floor(places)
            taps = [(floor + k, _cubic(np.abs(places - floor - k))) for k in (-1, 0, 1, 2)]
        first, last = np.floor(start), np.ceil(start + np.maximum(extent - 1, 0))
        found = []
        for pixels, weights in taps:
            inside = np.clip(
                np.clip(pixels, first[:, None], last[:, None]), 0, lengths[:, None] - 1
            )
            both = (inside.astype(np.int64), weights.astype(np.float32))
            index, weight = (to_device(torch.from_numpy(each), self.device) for each in both)
            found.append((index, weight))
        return found

    def _centres(self, start: NDArray[np.float64], extent: NDArray[np.float64]) -> Boxes:
        """Where the centres of the view's pixels fall along one axis of the image, N × size."""
        steps = (np.arange(self.size) + 0.5) / self.size
        return np.asarray(start[:, None] + extent[:, None] * steps - 0.5)

    def _places(self, start: NDArray[np.float64], extent: NDArray[np.float64]) -> Boxes:
        """Where the view's pixels lie along one axis of the image, N × size."""
        places = self._centres(start, extent)
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
        first, second = (to_device(torch.from_numpy(each), self.device) for each in (low, high))
        if not share.any():
            return first, second, None
        return first, second, to_device(torch.from_numpy(share.astype(np.float32)), self.device)


def _cubic(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """The kernel of bicubic interpolation at distances below 2."""
    d, a = distance, _CUBIC
    near = ((a + 2) * d - (a + 3)) * d * d + 1
    far = ((a * d - 5 * a) * d + 8 * a) * d - 4 * a
    return np.where(d <= 1, near, far)


def _inside(places: Boxes, lengths: NDArray[np.int64]) -> NDArray[np.bool_]:
    return (places >= -0.5) & (places <= lengths - 0.5)
