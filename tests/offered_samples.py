"""Packages that are not there, and what they offer by entry points."""

from contextlib import contextmanager

import pytest


class Point:
    """An entry point; what it offers cannot be imported where that is None."""

    def __init__(self, name, thing):
        self.name, self.value, self.thing = name, f"{name}_package:THING", thing

    def load(self):
        return self.thing or 1 / 0


@contextmanager
def offering(module, registry):
    """Gives a function that takes entry points; the registry is as before afterwards.

    Args:
        module: with the function that loads what others offer.
        registry: where it is entered.
    """
    before = dict(registry._entries)
    with pytest.MonkeyPatch.context() as patch:

        def offer(*points):
            patch.setattr("hsi_suite.registry.entry_points", lambda group: points)
            module._load_others.cache_clear()

        yield offer
    registry._entries.clear()
    registry._entries.update(before)
    module._load_others.cache_clear()
