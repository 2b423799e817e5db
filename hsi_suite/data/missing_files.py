"""Files and data sets that cannot be had: refused before what reads them is loaded."""

from __future__ import annotations

from pathlib import Path

from ..commands import suggested
from ..errors import InputFileError
from ..user_files import require_there
from .file_list import listed_files


def require_cube(path: Path) -> None:
    """Refuse a cube or picture that is not there; of a data set, say which command writes its file.

    Raises:
        InputFileError: there is neither file nor folder of this name.
    """
    refuse_data_set(path)
    require_there(path)


def require_cube_file(path: Path) -> None:
    """Refuse what is no file of a cube: missing, a data set's name, or a folder.

    Raises:
        InputFileError: says which file of a folder, or which command, may be meant.
    """
    require_cube(path)
    if path.is_dir():
        from .formats.deliveries import refuse_folder

        refuse_folder(path)


def require_files(*given: str | None) -> None:
    """Refuse files of options that are not there; a text may name several with commas between.

    Raises:
        InputFileError: there is neither file nor folder of such a name.
    """
    for text in given:
        for path in () if text is None else listed_files(text):
            require_there(path)


def refuse_data_set(path: Path) -> None:
    """Refuse the name of a data set where a file is asked for.

    Raises:
        InputFileError: it is one, and no file is called so.
    """
    # It imports NumPy, which who names a file that is there need not wait for.
    if path.exists():
        return
    from .catalogue import dataset_names

    if path.name in dataset_names():
        raise InputFileError(
            path,
            "no such file, but the name of a data set",
            "a cube's file",
            f"{suggested('data', 'export', path.name, '-o', 'cube.hdr')} writes one; trainings "
            f"take --dataset {path.name}, Python hsi.load_dataset({path.name!r})",
        )


def require_data_set(name: str) -> None:
    """Refuse a name that is no data set's, and a folder of data files that is none.

    A set whose files are merely not here is downloaded by who loads it.

    Args:
        name: of a scene, of labelled images or of a set of images.

    Raises:
        UnknownNameError: nothing has the name.
        ConfigError: the set has files, and `HSI_DATA_DIR` names no folder.
    """
    from .catalogue import check_dataset_name, public_scenes
    from .labelled_images import IMAGE_CLASSES
    from .public.download import data_folder
    from .public.image_sets import IMAGE_SETS

    if name not in IMAGE_SETS and name not in IMAGE_CLASSES:
        check_dataset_name(name)
    has_files = name in IMAGE_SETS or name in public_scenes()
    if has_files or (name in IMAGE_CLASSES and IMAGE_CLASSES[name].files):
        data_folder()
