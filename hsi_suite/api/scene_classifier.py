"""Classification of scenes as a scikit-learn estimator over arrays."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, overload

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from torch import nn

from ..arguments import check_types, checked, checked_names
from ..data.band_matching import match_bands, require_same_bands
from ..data.data_arrays import as_labels
from ..data.pixel_spectra import PixelSpectra
from ..data.scene import Scene
from ..data.scene_stack import StackedScene
from ..data.splits import Split
from ..engine.devices import computing, resolve_device
from ..errors import ConfigError, RunError, SplitError
from ..models.registry import entered
from ..runs.folder import FOLD, MODEL, MODEL_ENDING
from ..runs.machine import available_threads
from ..runs.precisions import require_precisions
from ..schemas.classification import ClassificationConfig
from ..tasks.scenes.calibrating import calibrate, check_calibration
from ..tasks.scenes.choosing import choose
from ..tasks.scenes.classifier import Classifier
from ..tasks.scenes.classifier_loading import load_classifier
from ..tasks.scenes.configuration import classification_config, resolve
from ..tasks.scenes.fitting import fit as fit_classifier
from ..tasks.scenes.fitting import untrained
from ..tasks.scenes.held_out import Keeping
from ..unread_keys import refuse_unread_settings
from .arguments import RunLike, Settings, folder_of, settings_texts
from .arrays import Cube, as_cube, as_weights
from .fitted import check_fitted, plain_interrupts
from .labelled_arrays import all_pixels, learnt_part, prepared_scene, scene_of, stacked_scene
from .progress import bars
from .several_scenes import are_several
from .splits import check_split

_ARRAYS = "arrays in memory"


class SceneClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Gives every pixel of a cube a class, by any network or classical model of the suite.

    `fit` takes a whole cube and its label map, not rows: what sees a window needs the pixels
    around. Equal seeds, threads and machine give equal bits, those of `hsi train`.

    Args:
        model: a name of `hsi models list`, "auto" (spatial folds of the training pixels choose,
            docs/how_to/choosing.md), FILE.py:Class, or a class: an `nn.Module` that takes
            in_channels, num_classes and window.
        window: side of the square of pixels around the classified one; None: the model's usual.
        epochs: passes over the training pixels; None: the model's usual.
        config: name or path of a configuration to begin with; None: the model's own.
        settings: further keys, {"train.optimizer.learning_rate": 1e-4}.
        seed: of everything drawn at random.
        device: auto, cpu, cuda or cuda:N.
        threads: CPU threads; None takes the processors this process may use.
        verbose: 0 shows no progress bar, 2 also says how it is trained.

    Attributes:
        classes_: the label values it knows, rising.
        n_features_in_: bands of the cubes it takes.
        history_: a row of figures for each epoch.
        choice_: of model "auto" the chosen candidate and what each scored, as "choices" of
            metrics.json has it; None else.

    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> labels = np.repeat([[3, 0, 7]], 9, 0).repeat(5, 1)
    >>> cube = labels[..., None] + rng.normal(0, 0.1, (9, 15, 12))
    >>> model = SceneClassifier("svm", settings={"reduction.components": 4}).fit(cube, labels)
    >>> model.predict(cube)[4, [0, 14]].tolist(), model.score(cube, labels)
    ([3, 7], 1.0)
    """

    @checked_names
    def __init__(
        self,
        model: str | type[nn.Module] = "hybridsn",
        *,
        window: int | None = None,
        epochs: int | None = None,
        config: str | os.PathLike[str] | None = None,
        settings: Settings = (),
        seed: int = 0,
        device: str = "auto",
        threads: int | None = None,
        verbose: bool | int = 1,
    ) -> None:
        self.model = model
        self.window = window
        self.epochs = epochs
        self.config = config
        self.settings = settings
        self.seed = seed
        self.device = device
        self.threads = threads
        self.verbose = verbose

    @checked
    def fit(
        self,
        cube: ArrayLike | Scene | Sequence[ArrayLike | Scene],
        labels: ArrayLike | Sequence[ArrayLike],
        *,
        split: Split | None = None,
    ) -> SceneClassifier:
        """Learn from labelled pixels of a cube, or of several.

        Args:
            cube: lines × samples × bands, NumPy or `xarray.DataArray`, or a `Scene`; pixels with
                values that are not finite count as missing. Or a list of them, of any sizes with
                the same bands: no window reaches from one into another.
            labels: lines × samples, 0 = unlabelled, classes are whole numbers from 1 on; of
                several cubes a list, in which a number stands for the same class.
            split: of `hsi_suite.splits`: its training pixels are learnt from, its validation
                pixels select the epoch where the configuration says so; None learns from all.
                Of a single cube alone.

        Raises:
            ShapeError: the arrays do not fit each other, or hold impossible values.
            SplitError: the split is of other labels, or there is a single class.
            ConfigError: a parameter is wrong.
        """
        check_types(type(self).__init__, self.get_params())
        config = resolve(self._configuration())
        require_precisions(config)
        if are_several(cube):
            if split is not None:
                raise ConfigError("split", "given beside several cubes", "none: all labels train")
            scene: Scene | StackedScene = stacked_scene(cube, labels, config)
        else:
            scene = scene_of(cube, labels, _ARRAYS)
        truth = scene.labels
        assert truth is not None
        split = all_pixels(truth) if split is None else learnt_part(split, truth)
        with (
            plain_interrupts(),
            computing(torch.device(config.device), config.threads or 1, config.deterministic),
        ):
            prepared = prepared_scene(scene, truth, split, config)
            progress = bars(self.verbose)
            self.choice_ = None
            if config.auto is not None:
                choice = choose(config, prepared, progress)
                config, prepared, self.choice_ = choice.config, choice.prepared, choice.facts
            check_calibration(config, prepared)
            classifier = untrained(config, prepared)
            training = fit_classifier(classifier, config, prepared, None, progress)
            calibrate(classifier, config, prepared, keeping=Keeping(progress))
        self._settle(classifier)
        self.history_ = training.history
        return self

    @overload
    def predict(self, cube: NDArray[Any]) -> NDArray[np.integer]: ...
    @overload
    def predict(self, cube: Any) -> Any: ...
    @checked
    def predict(self, cube: Any) -> Any:
        """The label map of a cube: lines × samples, 0 where data are missing.

        Its bands are those learnt, or hold them: of a `Scene` or `DataArray` they are found by
        wavelength, or by number as in the training scene's file.

        Args:
            cube: lines × samples × bands; of a `DataArray` the map is one too.

        Raises:
            NotFittedError: `fit` comes first.
            ShapeError: the cube has other bands.
        """
        given = self._taken(cube)
        classifier = self.classifier_
        with self._computing():
            reduced = classifier.reduced(
                PixelSpectra(given.values), given.valid, given.values.shape[:2]
            )
            good = np.ones(given.values.shape[:2], bool) if given.valid is None else given.valid
            classes = classifier.class_map(reduced, good, observer=bars(self.verbose))
        return given.like(classifier.labels_of(classes))

    @checked
    def predict_proba(self, cube: ArrayLike | Scene) -> NDArray[np.float32]:
        """Class probabilities, lines × samples × classes in the order of `classes_`.

        NaN where data are missing. Models of single spectra are calibrated on blocks of the
        training pixels that their fit left out, networks on the validation pixels of the split,
        see `train.calibration` and docs/explanations/probabilities.md. Without a calibration a
        support vector machine and the spectral angle give their one class 1.

        Args:
            cube: lines × samples × bands.

        Raises:
            NotFittedError: `fit` comes first.
            ShapeError: the cube has other bands.
        """
        given = self._taken(cube)
        with self._computing():
            return self.classifier_.probabilities(
                given.values, given.valid, observer=bars(self.verbose)
            )

    @checked
    def score(
        self,
        cube: ArrayLike | Scene,
        labels: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        split: Split | None = None,
    ) -> float:
        """Overall accuracy, 0 to 1, on the test pixels of a split, or on all labelled pixels.

        Args:
            cube: lines × samples × bands.
            labels: lines × samples, 0 = unlabelled.
            sample_weight: of each pixel, lines × samples; None counts them alike.
            split: whose test pixels count; without one pixels that were learnt from count too.

        Raises:
            NotFittedError: `fit` comes first.
            ShapeError: the arrays do not fit each other or the classifier.
            SplitError: the split is of other labels, or has no test pixels.
        """
        given = self._taken(cube)
        truth = as_labels(labels, given.values.shape[:2])
        pixels = np.flatnonzero(truth) if split is None else check_split(split, truth).test
        if not len(pixels):
            raise SplitError("split", "no test pixels", "at least one")
        found = np.asarray(self.predict(cube)).reshape(-1)[pixels]
        right = found == truth.reshape(-1)[pixels]
        weights = None
        if sample_weight is not None:
            weights = as_weights(sample_weight, truth.shape).reshape(-1)[pixels]
        return float(np.average(right, weights=weights))

    @checked
    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the fitted classifier as one safetensors file.

        Raises:
            OutputError: the place cannot be written.
        """
        check_fitted(self)
        self.classifier_.save(Path(path))

    @classmethod
    @checked
    def load(
        cls, path: RunLike, *, device: str = "auto", threads: int | None = None
    ) -> SceneClassifier:
        """A classifier that `save` wrote, or that of a finished run.

        Args:
            path: the file, or the run or its folder.
            device: auto, cpu, cuda or cuda:N.
            threads: CPU threads; None takes the processors this process may use.

        Raises:
            RunError: the file is missing, damaged or no classifier.
        """
        where, number = resolve_device(device), threads or available_threads()
        place = folder_of(path)
        if (fold := place / f"{FOLD.format(1)}{MODEL_ENDING}").is_file():
            found = "a run of spatial folds, each with a model"
            raise RunError(place, found, "one model", f"load that of one fold, such as {fold}")
        place = place / MODEL if place.is_dir() else place
        classifier = load_classifier(place, torch.device(where), number)
        header = classifier.header
        loaded = cls(header.model, window=header.window, device=device, threads=threads)
        loaded._settle(classifier)
        return loaded

    def _configuration(self) -> ClassificationConfig:
        window = () if self.window is None else (f"model.window={self.window}",)
        settings = settings_texts(self.settings)
        made = classification_config(
            config=None if self.config is None else os.fspath(self.config),
            model=entered(self.model) if isinstance(self.model, type) else self.model,
            scene=_ARRAYS,
            labels=_ARRAYS,
            epochs=self.epochs,
            seed=self.seed,
            device=self.device,
            threads=self.threads,
            settings=[*window, *settings],
        )
        refuse_unread_settings(made, settings)
        return made

    def _settle(self, classifier: Classifier) -> None:
        self.classifier_ = classifier
        self.classes_ = np.array(classifier.header.labels)
        self.n_features_in_ = classifier.header.bands

    def _taken(self, cube: Any) -> Cube:
        check_fitted(self)
        given, learnt = as_cube(cube), self.classifier_.header.known_bands
        match = match_bands(given.known_bands, learnt)
        if match is not None:
            bars(self.verbose).message(f"cube: {match.remark}")
            return given.with_bands(match.bands)
        self.classifier_.check_bands(given.values.shape[2])
        require_same_bands("cube", given.known_bands, learnt)
        return given

    def _computing(self) -> Any:
        return computing(self.classifier_.device, self.threads or available_threads(), True)
