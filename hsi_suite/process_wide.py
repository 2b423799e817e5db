"""What a thread changes for the whole process, and how it is put back with other threads about.

Two threads that each keep, set and restore a setting can leave behind what the first of them had
set. What the computations set is kept apart by `engine.devices.computing`; this is for the rest.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager


def while_used(
    setting: Callable[[], AbstractContextManager[None]],
) -> Callable[[], AbstractContextManager[None]]:
    """A setting that the first thread to need it sets, and the last one to leave restores.

    Args:
        setting: sets the same for everybody, and restores what was before it.
    """
    guard, inside, users = threading.Lock(), ExitStack(), 0

    @contextmanager
    def used() -> Iterator[None]:
        nonlocal users
        with guard:
            if not users:
                inside.enter_context(setting())
            users += 1
        try:
            yield
        finally:
            with guard:
                users -= 1
                if not users:
                    inside.close()

    used.__doc__ = setting.__doc__
    return used


_FILTERS = threading.RLock()


@contextmanager
def own_filters() -> Iterator[None]:
    """Filters of warnings that may be changed in the block, by one thread at a time.

    Of two threads that change them at once the last to leave would put back what the first has set.
    """
    with _FILTERS, warnings.catch_warnings():
        yield


@contextmanager
def ignoring(*kinds: type[Warning], message: str = "") -> Iterator[None]:
    """Keep warnings off the user's terminal, where this is the main thread.

    Python's filters are one list for all threads. Another thread leaves them alone, and lets
    libraries warn, instead of putting back what a third one has set.

    Args:
        kinds: of the warnings; none: all.
        message: how they begin, as a regular expression.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    with warnings.catch_warnings():
        for kind in kinds or (Warning,):
            warnings.filterwarnings("ignore", message, kind)
        yield
