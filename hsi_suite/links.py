"""Symbolic links that a user names as the place of a result."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from .errors import OutputError
from .user_files import resolved


def followed(path: Path) -> Path:
    """The place that a link leads to, where an editor would write; any other path as it is.

    A link in a folder that everybody may write to, such as /tmp, is followed only if this user or
    the folder's owner has made it, as Linux itself does it (`fs.protected_symlinks`): others could
    point it to any file of this user.

    Args:
        path: of a file, which need not be there.

    Raises:
        OutputError: the link leads round in a circle or to where no file can be, or was made by
            somebody else.
    """
    if not path.is_symlink():
        return path
    place = resolved(path)
    if place.is_symlink():
        raise OutputError(path, "is a link that leads round in a circle", "a file, or a free name")
    if not place.parent.is_dir():
        raise OutputError(path, f"leads to {place}, whose folder is not there", "a link to a file")
    owner, folder = path.lstat().st_uid, path.parent.stat()
    shared = stat.S_ISVTX | stat.S_IWOTH
    if folder.st_mode & shared == shared and owner not in (os.geteuid(), folder.st_uid):
        raise OutputError(path, "is another user's link in a shared folder", "a file of your own")
    return place
