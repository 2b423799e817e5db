"""What names alone tell of where `hsi denoise` writes, before what reads and writes is loaded."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ...atomic import refuse_file_above
from ...data.photograph_endings import PHOTOGRAPH_ENDINGS, WRITTEN_ENDINGS
from ...errors import OutputError
from ...map_endings import CUBE_ENDINGS, check_cube_ending
from ...output_places import check_file
from ...user_files import resolved
from .denoising_options import DenoisingOptions
from .options_of_kinds import CUBE_NAMES, TIFF_NAMES
from .photographs.image_targets import Targets, is_folder

# Values that an ENVI header beside them describes.
_OF_ENVI = ("", ".img", ".dat", ".raw", ".bsq", ".bil", ".bip")


def check_names(inputs: Sequence[str], output: str | None, options: DenoisingOptions) -> None:
    """Refuse outputs that cannot be, whatever the inputs hold.

    Args:
        inputs: of the call.
        output: a file or a folder; None for beside each input.
        options: those of the call.

    Raises:
        OutputError: a name that nothing can be written to, or that of an input.
        ExistingOutputError: a file that is to stay.
        ConfigError: a kind that is not that of the output's name, or a quality of files that have
            none.
    """
    paths = [Path(each) for each in inputs]
    alone = len(paths) == 1 and not paths[0].is_dir()
    endings = {path.suffix.lower() for path in paths}
    pictures = endings <= {*PHOTOGRAPH_ENDINGS} - TIFF_NAMES
    if not alone and output is not None and not is_folder(output):
        raise OutputError(output, "is one file for several inputs", "a folder")
    if pictures:
        Targets(output, alone, (), options.kind, options.quality).check()
    if output is not None:
        _check_output(Path(output), paths, options, pictures=pictures, cubes=endings <= CUBE_NAMES)
    if options.contact_sheet is not None:
        check_sheet_name(Path(options.contact_sheet), paths, overwrite=options.overwrite)


def check_sheet_name(path: Path, others: Sequence[Path], *, overwrite: bool) -> None:
    """Refuse a name that no contact sheet can have.

    Args:
        path: of the sheet.
        others: files of the call that nothing takes the place of.
        overwrite: whether it may take the place of a finished file.

    Raises:
        OutputError: it is no PNG file, or an input or a result.
        ExistingOutputError: it is there, and is to stay.
    """
    if path.suffix.lower() != ".png":
        raise OutputError(path, "is no name of a contact sheet", "a file ending .png")
    if resolved(path) in set(map(resolved, others)):
        raise OutputError(path, "is an input or a result", "a name of its own")
    check_file(path, overwrite=overwrite)


def _check_output(
    output: Path,
    inputs: Sequence[Path],
    options: DenoisingOptions,
    *,
    pictures: bool,
    cubes: bool,
) -> None:
    if is_folder(output):
        refuse_file_above(output)
        return
    if cubes:
        check_cube_ending(output)
    elif output.suffix.lower() not in (*WRITTEN_ENDINGS, *(() if pictures else CUBE_ENDINGS)):
        raise OutputError(
            output, "ends as no image file does", f"one of {', '.join(WRITTEN_ENDINGS)}"
        )
    if pictures and not options.overwrite and resolved(output) in set(map(resolved, inputs)):
        remedy = "choose another, or add --overwrite, which replaces the picture"
        raise OutputError(output, "is an input", "a name of its own", remedy)
    # A photograph may take the place of its input where the user says so.
    kept = [*([] if options.overwrite else inputs)]
    kept += [] if options.reference is None else [Path(options.reference)]
    headers = [path.with_suffix(".hdr") for path in kept if path.suffix.lower() in _OF_ENVI]
    check_file(output, [*kept, *headers], overwrite=options.overwrite)
