"""`hsi report`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click

from .terminal import announce, names_of, say
from .values import Word, language_option, require_language

_EXAMPLES = """\b
Examples:
  hsi report runs/smoke_1a2b3c4d
  hsi report runs/indian_pines_hybridsn_random_s0_1a2b3c4d
  hsi report runs/smoke_1a2b3c4d --language zh
  hsi report runs/smoke_1a2b3c4d --figures pdf
  hsi report runs/smoke_1a2b3c4d --figures svg --width 88mm -o paper/figures
"""
_MILLIMETRES = {"mm": 1.0, "cm": 10.0, "in": 25.4}


class Millimetres(click.ParamType[float]):
    """A length with its unit: 88mm, 8.8cm, 3.5in."""

    name = "length"

    def convert(
        self, value: Any, parameter: click.Parameter | None, context: click.Context | None
    ) -> float:
        """`value` in mm.

        Raises:
            click.BadParameter: it is no length.
        """
        found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(mm|cm|in)\s*", str(value))
        if found is None:
            self.fail(f"{value!r} is no length with its unit, as 88mm, 18cm or 3.5in",
                      parameter, context)  # fmt: skip
        return float(found[1]) * _MILLIMETRES[found[2]]


@click.command(epilog=_EXAMPLES)
@click.argument("folder", metavar="RUN|BATCH")
@language_option
@click.option(
    "--figures",
    type=Word(["pdf", "svg", "png"]),
    help="Write each figure as a file for a paper instead of the report.",
)
@click.option(
    "-o", "--output", metavar="FOLDER", help="Of --figures.  [default: figures in RUN|BATCH]"
)
@click.option(
    "--width",
    type=Millimetres(),
    metavar="LENGTH",
    help="Of every figure: 88mm, 18cm, 3.5in.  [default: one column of 88 mm or two of 180 mm, "
    "as it needs]",
)
@click.option("--overwrite", is_flag=True, help="Let figures take the places of finished files.")
@click.option("--json", "as_json", is_flag=True, help="Print the verdict and the files as JSON.")
def report(
    folder: str,
    figures: str | None,
    output: str | None,
    width: float | None,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Write the report of a finished run or batch again from its folder.

    Of a batch: report.html (one file, works offline), report.md, table.tex for a paper and
    cost.csv. `hsi batch` writes them too when it ends.

    With --figures: the figures of its page, and of a classified scene false colour, ground truth,
    map, errors and split, alone and together, with coordinates, scale bar and north where the scene
    has them; for these the scene is read again. Text stays text, pixels stay sharp, equal runs give
    equal files; captions.txt says what each shows. Their words are English.
    """
    from ..runs.reportable import finished_run, task_in

    # Before what draws is loaded.
    named = names_of((folder,), "folders")
    if figures is not None:
        _refuse_other_languages()
        _check_figures(output, width)
        finished_run(Path(folder))
        announce("report", f"the figures of {named} as {figures.upper()}")
        _write_figures(folder, figures, output, width, overwrite=overwrite, as_json=as_json)
        return
    for name, given in (("--output", output), ("--width", width), ("--overwrite", overwrite)):
        if given:
            raise click.UsageError(f"{name} is for --figures pdf, svg or png.")
    finished_run(Path(folder))
    require_language(task_in(folder))
    announce("report", f"{named}, written again from what lies in its folder")
    from ..reports.document import Remarks
    from ..reports.terminal import print_blocks
    from ..runs.report import write_reports
    from .output import print_json

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


def _check_figures(output: str | None, width: float | None) -> None:
    """Refuse a width that there is not, and a folder that cannot be made."""
    from ..atomic import refuse_file_above
    from ..reports.paper.widths import check_width

    if width is not None:
        check_width(width)
    if output is not None:
        refuse_file_above(Path(output))


def _refuse_other_languages() -> None:
    from ..reports.languages.speaking import ENGLISH, wanted

    source = click.get_current_context().get_parameter_source("language")
    if source == click.core.ParameterSource.COMMANDLINE and wanted() != ENGLISH:
        raise click.UsageError("--language is for pages; figures are in English.")


def _write_figures(
    folder: str,
    kind: str,
    output: str | None,
    width: float | None,
    *,
    overwrite: bool,
    as_json: bool,
) -> None:
    from ..api.progress import TerminalObserver
    from ..runs.figures import write_figures
    from .output import print_json

    written = write_figures(
        folder, kind, output, width=width, overwrite=overwrite, observer=TerminalObserver()
    )
    if as_json:
        print_json(
            {
                "files": [
                    {
                        "path": str(each.path),
                        "width_mm": round(each.width, 1),
                        "height_mm": round(each.height, 1),
                        "caption": each.caption,
                    }
                    for each in written
                ]
            }
        )
        return
    for each in written:
        say(f"{each.width:4.0f} × {each.height:3.0f} mm  {each.path}")
