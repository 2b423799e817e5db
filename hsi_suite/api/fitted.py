"""What estimators share: what is said to whoever asks too early, and Ctrl-C while they learn."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from ..errors import HsiSuiteError, Stopped


class UnfittedError(HsiSuiteError, NotFittedError):  # type: ignore[misc]
    """An estimator was asked before it has learnt; scikit-learn's `NotFittedError` too."""


def check_fitted(estimator: Any) -> None:
    """Refuse an estimator that has learnt nothing.

    Raises:
        UnfittedError: it has not.
    """
    try:
        check_is_fitted(estimator)
    except NotFittedError:
        name = type(estimator).__name__
        raise UnfittedError(name, "not fitted yet", f"call fit, or {name}.load") from None


@contextmanager
def plain_interrupts() -> Iterator[None]:
    """Let Ctrl-C be Python's own: without a checkpoint nothing can be gone on with."""
    try:
        yield
    except Stopped:
        raise KeyboardInterrupt from None
