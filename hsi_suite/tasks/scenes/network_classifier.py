"""A classifier of scenes whose classes come from a network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ...data.patches import WindowSampler
from ...engine.devices import seeded
from ...engine.observer import Observer
from ...engine.precision import forward_in
from ...models.calibration import log_probabilities
from ...models.dropout import dropout_layers
from .answer_filtering import filtered_rows
from .classifier import Classifier, Computation
from .orientation_averaging import scene_probabilities


@dataclass
class NetworkClassifier(Classifier):
    """See `Classifier`.

    Attributes:
        network: in eval mode when it is used, on its device.
    """

    network: nn.Module

    @property
    def device(self) -> torch.device:
        """See `Classifier`."""
        return next(self.network.parameters()).device

    @property
    def has_dropout(self) -> bool:
        """See `Classifier`."""
        return bool(dropout_layers(self.network))

    @property
    def parameter_count(self) -> int | None:
        """See `Classifier`."""
        return sum(p.numel() for p in self.network.parameters() if p.requires_grad)

    def rows(
        self,
        reduced: WindowSampler,
        wanted: NDArray[np.bool_],
        how: Computation,
        observer: Observer,
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.floating]]]:
        """See `Classifier`.

        With a filter they are averaged over its window, see `LikenessFilter`.
        """
        kept, number = self.header.likeness_filter, len(self.header.labels)
        if kept is None:
            yield from self._single_rows(reduced, wanted, how, observer)
            return

        def answers(
            asked: NDArray[np.bool_],
        ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.floating]]]:
            return self._single_rows(reduced, asked, how, Observer())

        yield from filtered_rows(kept, reduced, wanted, number, answers, observer)

    def _single_rows(
        self,
        reduced: WindowSampler,
        wanted: NDArray[np.bool_],
        how: Computation,
        observer: Observer,
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.floating]]]:
        """Probabilities of the wanted pixels, as the network gives them."""
        chosen = torch.from_numpy(wanted)
        with self._computing(how), torch.inference_mode():
            for places, rows in scene_probabilities(
                self.network, reduced, chosen, how.batch_size, self.header.orientations, observer
            ):
                yield places.cpu().numpy(), rows.cpu().numpy()

    @property
    def has_probabilities(self) -> bool:
        """See `Classifier`."""
        return True

    def scores_of(self, rows: NDArray[np.floating]) -> NDArray[np.float64]:
        """See `Classifier`."""
        return log_probabilities(rows)

    def uncalibrated(self, rows: NDArray[np.floating]) -> NDArray[np.float32]:
        """See `Classifier`."""
        return rows.astype(np.float32, copy=False)

    def tensors(self) -> dict[str, Tensor]:
        """See `Classifier`."""
        return {
            f"model.{name}": value.detach().cpu().contiguous()
            for name, value in self.network.state_dict().items()
        }

    @contextmanager
    def _computing(self, how: Computation) -> Iterator[None]:
        """Have the network compute with a precision, and with dropout if there is a seed for it.

        Dropout layers alone are then as in training: batch norms keep the statistics they learnt.
        """
        self.network.eval()
        if how.dropout_seed is not None:
            for layer in dropout_layers(self.network):
                layer.train()
        with (
            seeded(how.dropout_seed or 0, self.device),
            forward_in(how.precision, self.device),
        ):
            yield
        self.network.eval()
