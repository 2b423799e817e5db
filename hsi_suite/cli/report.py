"""`hsi report`."""

from __future__ import annotations

import click

from .terminal import say
from .values import language_option, require_language

_EXAMPLES = """\b
Examples:
  hsi report runs/smoke_1a2b3c4d
  hsi report runs/indian_pines_hybridsn_random_s0_1a2b3c4d
  hsi report runs/smoke_1a2b3c4d --language zh
"""


@click.command(epilog=_EXAMPLES)
@click.argument("folder", metavar="RUN|BATCH")
@language_option("a classification of scenes or a batch")
@click.option("--json", "as_json", is_flag=True, help="Print the verdict and the files as JSON.")
def report(folder: str, as_json: bool) -> None:
    """Write the report of a finished run or batch again from its folder.

    Of a batch: report.html (one file, works offline), report.md, table.tex for a paper and
    cost.csv. `hsi batch` writes them too when it ends.
    """
    from ..reports.document import Remarks
    from ..reports.terminal import print_blocks
    from ..runs.report import task_in, write_reports
    from .output import print_json

    require_language(task_in(folder))
    written = write_reports(folder)
    if as_json:
        print_json(
            {
                "files": [str(path) for path in written.files],
                "verdict": [
                    {"text": remark.text, "warning": remark.warning} for remark in written.verdict
                ],
            }
        )
        return
    print_blocks([Remarks(written.verdict)])
    say()
    for path in written.files:
        say(f"{path.suffix[1:]:7} {path}")
