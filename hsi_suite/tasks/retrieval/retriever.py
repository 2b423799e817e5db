"""A trained common space of two modalities as one object and one file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...alike_rows import alike
from ...data.item_source import ItemSource
from ...data.modalities import Items, Modality, modality_from, unit_rows
from ...data.scene import Scene
from ...engine.device_memory import InHalves
from ...engine.finite import check_finite, note_file, output_of
from ...errors import RunError
from ...guard import parsing
from ...models.building import build_retriever
from ...models.dscmr import DSCMR
from ...models.stored_header import header_from
from ...models.stored_model import require_fitting
from ...runs.model_file import read_model_file, write_model_file
from ...transfer import to_device
from .sides import SIDES, Side, require_name

Rows = NDArray[np.float32]

_FORMAT = "hsi_suite retriever 1"
_BATCH = 1024


@dataclass(frozen=True)
class RetrieverHeader:
    """What a retriever is, beside its numbers and its modalities.

    Attributes:
        model: registered name.
        options: further arguments of the model.
        names: of the two modalities, as in directions and reports.
        class_names: the classes it learnt, in the order of its label predictions.
        labels: their values in the scene's label map; empty where there is no scene.
        dataset: what it was trained on.
        synthetic: whether that was generated.
        label_share: share of the predicted labels in the similarity, 0 to 1; the rest is the
            common representation's.
        sharpness: factor of label predictions before their softmax.
        thresholds: by direction, the similarity to the best item that 95 % of the validation's
            queries, which are of known classes, reach; a query below it may be of none of them.
    """

    model: str
    options: dict[str, Any]
    names: tuple[str, str]
    class_names: tuple[str, ...]
    labels: tuple[int, ...]
    dataset: str
    synthetic: bool
    label_share: float = 0.0
    sharpness: float = 1.0
    thresholds: Mapping[str, float] | None = None

    @property
    def directions(self) -> tuple[str, str]:
        """From the first modality to the second, and back: spectrum_to_rgb, rgb_to_spectrum."""
        first, second = self.names
        return f"{first}_to_{second}", f"{second}_to_{first}"


@dataclass
class Retriever:
    """Items of either modality in, rows of one common space out.

    Attributes:
        header: see `RetrieverHeader`.
        first: the first modality.
        second: the second.
        network: on its device.
    """

    header: RetrieverHeader
    first: Modality
    second: Modality
    network: DSCMR

    @property
    def embedding_size(self) -> int:
        """Length of a row."""
        return self.network.shared.out_features + (
            len(self.header.class_names) if self.header.label_share else 0
        )

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return next(self.network.parameters()).device

    def modality(self, side: Side) -> Modality:
        """The modality of a side."""
        return self.first if side == "first" else self.second

    def side(self, name: str) -> Side:
        """The side of the modality of this name.

        Raises:
            ConfigError: neither has it.
        """
        require_name(name, self.header.names)
        return SIDES[self.header.names.index(name)]

    def source(self, scene: Scene, side: Side) -> ItemSource:
        """Items of a scene, for many calls: `source.items(pixels)`."""
        return ItemSource(self.modality(side), scene)

    def embed_first(self, items: Items) -> Rows:
        """Rows of items of the first modality; see `embed`."""
        return self.embed(items, "first")

    def embed_second(self, items: Items) -> Rows:
        """Rows of items of the second modality; see `embed`."""
        return self.embed(items, "second")

    def embed(self, items: Items, side: Side) -> Rows:
        """Items as rows of length 1, N × embedding_size; their dot product is the similarity.

        On processors equal items have equal rows, wherever they stand.

        Args:
            items: N × the shape of the side's modality, in its own units.
            side: whose items they are.

        Raises:
            ShapeError: the items have another shape.
            NotFiniteError: the network gives values that are no numbers.
        """
        compute = partial(self._embedded, side=side)
        return self._in_batches(compute, items, side, self.embedding_size)

    def posteriors(self, items: Items, side: Side) -> Rows:
        """Predicted probabilities of the classes, N × classes; arguments as of `embed`."""

        def compute(some: Tensor) -> Rows:
            with torch.inference_mode():
                labels = self.network.labels(self._common(to_device(some, self.device), side))
            return np.asarray(self._softmax(labels).cpu().numpy())

        return self._in_batches(compute, items, side, len(self.header.class_names))

    def _in_batches(
        self, compute: Callable[[Tensor], Rows], items: Items, side: Side, columns: int
    ) -> Rows:
        """Rows of items, batch by batch, smaller ones where memory does not hold them."""
        prepare = self.modality(side).prepare
        within_memory = InHalves(compute, join=np.concatenate)
        rows = [np.empty((0, columns), np.float32)]
        for start in range(0, len(items), _BATCH):
            some = torch.from_numpy(prepare(items[start : start + _BATCH]))
            rows.append(alike(within_memory, some))
        return np.concatenate(rows)

    def save(self, path: Path) -> None:
        """Write everything to one safetensors file."""
        tensors = {
            f"network.{name}": value.contiguous()
            for name, value in self.network.state_dict().items()
        }
        for side in SIDES:
            for name, array in self.modality(side).arrays().items():
                tensors[f"{side}.{name}"] = torch.from_numpy(np.ascontiguousarray(array))
        fields = asdict(self.header) | {side: self.modality(side).to_dict() for side in SIDES}
        write_model_file(path, tensors, {"format": _FORMAT, **fields})

    def _common(self, items: Tensor, side: Side) -> Tensor:
        embed = getattr(self.network, f"embed_{side}")
        common: Tensor = embed(items)
        return check_finite(common, self._whose)

    def _softmax(self, labels: Tensor) -> Tensor:
        return (check_finite(labels, self._whose).float() * self.header.sharpness).softmax(1)

    @property
    def _whose(self) -> str:
        return output_of(self.network, self.header.model)

    def _embedded(self, items: Tensor, side: Side) -> Rows:
        share = self.header.label_share
        with torch.inference_mode():
            common = self._common(to_device(items, self.device), side)
            rows = unit_rows(common.float().cpu().numpy())
            if not share:
                return rows
            # Roots of probabilities have length 1; their product is Bhattacharyya's coefficient.
            labels = self._softmax(self.network.labels(common)).sqrt().cpu().numpy()
        return np.concatenate([rows * (1 - share) ** 0.5, labels * share**0.5], 1, dtype=np.float32)


def untrained_retriever(
    header: RetrieverHeader,
    first: Modality,
    second: Modality,
    device: torch.device,
    generator: torch.Generator | None,
) -> Retriever:
    """The retriever that a header describes, with weights drawn from `generator`.

    Raises:
        ConfigError: no such network, or an option it cannot take.
        ShapeError: an encoder is for items of another kind.
    """
    network = build_retriever(
        header.model,
        first_shape=first.shape,
        second_shape=second.shape,
        num_classes=len(header.class_names),
        options=header.options,
        generator=generator,
    )
    assert isinstance(network, DSCMR)
    return Retriever(header, first, second, network.to(device))


def load_retriever(path: Path, device: torch.device) -> Retriever:
    """The retriever that `Retriever.save` wrote, in eval mode.

    Raises:
        RunError: the file is missing, damaged or holds something else.
    """
    fields, tensors = read_model_file(path, _FORMAT, "a retriever of this project")
    with parsing(
        path, "an undamaged file", kind=RunError, found="its header and weights do not fit"
    ):
        sides = [modality_from(fields.pop(side), _part(tensors, side)) for side in SIDES]
        header = header_from(RetrieverHeader, fields)
        prefix = "network."
        weights = {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
        meta = partial(untrained_retriever, header, sides[0], sides[1], torch.device("meta"), None)
        require_fitting(lambda: meta().network, header.options, weights)
        retriever = untrained_retriever(header, sides[0], sides[1], device, None)
        retriever.network.load_state_dict(weights)
    retriever.network.eval()
    note_file(retriever.network, path)
    return retriever


def _part(tensors: Mapping[str, Tensor], side: str) -> dict[str, NDArray[Any]]:
    prefix = f"{side}."
    return {k.removeprefix(prefix): v.numpy() for k, v in tensors.items() if k.startswith(prefix)}
