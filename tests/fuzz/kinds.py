"""Every kind of files that is read."""

from .file_kinds import file_kinds
from .run_kinds import run_kinds


def all_kinds():
    """All of them, in an order that stays."""
    return [*file_kinds(), *run_kinds()]
