"""Options of every command that takes a label map."""

from __future__ import annotations

import click

unlabelled_option = click.option(
    "--unlabelled",
    type=float,
    metavar="VALUE",
    help="The value of unlabelled pixels, 0 if not given; with another, 0 is a class.",
)
warp_labels_option = click.option(
    "--warp-labels",
    is_flag=True,
    default=None,
    help="Bring labels on another grid or in other coordinates to the scene's (nearest neighbour).",
)
