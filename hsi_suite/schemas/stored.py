"""What files of ours have to hold before anything is made of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from ..errors import RunError


class Stored(BaseModel):
    """What has to be there, of its type; what else is there is not looked at."""

    model_config = ConfigDict(strict=True, extra="ignore")


def check_stored(
    kind: type[Stored], tree: Any, path: Path, remedy: str, *, whole: bool = True
) -> None:
    """Compare the content of a file with what it has to hold.

    Args:
        kind: what it has to hold.
        tree: the content.
        path: the file, for the error.
        remedy: what the user can do.
        whole: whether everything has to be there.

    Raises:
        RunError: something is missing or of another type; names the first.
    """
    try:
        kind.model_validate(tree)
    except ValidationError as error:
        errors = error.errors(include_url=False, include_input=False)
        wrong = [each for each in errors if whole or each["type"] != "missing"]
        if not wrong:
            return
        first = wrong[0]
        place = ".".join(map(str, first["loc"])) or "the whole"
        found = f"{place}: {first['msg'][:1].lower()}{first['msg'][1:]}"
        raise RunError(path, found, "what this version writes", remedy) from error
