"""Every kind of files that is read."""

from .cube_kinds import cube_kinds
from .label_kinds import label_kinds
from .model_kinds import model_kinds
from .picture_kinds import picture_kinds
from .retrieval_kinds import retrieval_kinds
from .run_kinds import run_kinds


def all_kinds():
    """All of them, in an order that stays."""
    return [
        *cube_kinds(), *label_kinds(), *picture_kinds(), *model_kinds(), *retrieval_kinds(),
        *run_kinds(),
    ]  # fmt: skip
