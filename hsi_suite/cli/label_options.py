"""Options of every command that takes a label map."""

from __future__ import annotations

import click

from .values import NUMBER_OR_NAN

unlabelled_option = click.option(
    "--unlabelled",
    type=NUMBER_OR_NAN,
    metavar="VALUE",
    help="The value of unlabelled pixels, 0 if not given; with another, 0 is a class.",
)
warp_labels_option = click.option(
    "--warp-labels",
    is_flag=True,
    default=None,
    help="Bring labels on another grid or in other coordinates to the scene's (nearest neighbour).",
)
