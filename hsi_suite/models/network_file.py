"""Networks of the user's own: a class in a Python file, named FILE.py:Class.

The file is a program and is run to get the class, so only files that this user has named are
run. Training with one notes its SHA-256; a run that somebody else made, whose file was never named
here, is refused with the way to allow it.
"""

from __future__ import annotations

import importlib.util
import os
import re
import sys
import warnings
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from ..atomic import write_text
from ..cache import cache_folder
from ..checksums import hash_file
from ..commands import command
from ..errors import ConfigError, OutputError, RunError
from ..user_files import is_there, require_regular

if TYPE_CHECKING:
    from torch import nn

_NAMED = re.compile(r"(.+\.py):([^\W\d]\w*)")
_MODULE = "hsi_suite_network_"
_TRUSTED = "trusted_networks.txt"
_trusted_here: set[str] = set()


def is_network_file(name: object) -> bool:
    """Whether a model's name is that of a class in a file."""
    return isinstance(name, str) and _NAMED.fullmatch(name) is not None


def parts_of(name: str) -> tuple[Path, str]:
    """The file and the class of such a name."""
    found = _NAMED.fullmatch(name)
    assert found is not None
    return Path(found[1]), found[2]


def shown_name(name: str) -> str:
    """A model's name in folders and tables: `mine.Net` of PATH/mine.py:Net, others as they are."""
    if not is_network_file(name):
        return name
    path, class_name = parts_of(name)
    return f"{path.stem}.{class_name}"


def portable_name(name: str) -> str:
    """The same wherever the file lies: `mine.py:Net`."""
    path, class_name = parts_of(name)
    return f"{path.name}:{class_name}"


def absolute_name(name: str) -> str:
    """The name with the file's path in full, so that a run can be continued from anywhere.

    Raises:
        ConfigError: there is no such file.
    """
    path, class_name = parts_of(name)
    if not is_there(path):
        raise ConfigError("--model", f"no file {path}", "FILE.py:Class, a network of yours")
    require_regular(path, "FILE.py:Class, a network of yours", kind=ConfigError)
    return f"{path.absolute()}:{class_name}"


def checksum_of(name: str) -> str:
    """SHA-256 of the file.

    Raises:
        RunError: it is not there.
    """
    path, class_name = parts_of(name)
    expected = f"the file of the network {class_name}"
    require_regular(path, expected, "bring it back", kind=RunError)
    return hash_file(path)


def trust(path: str | Path) -> str:
    """Note that this user named the file of a network; its SHA-256.

    Raises:
        InputFileError: it cannot be read.
    """
    digest = hash_file(Path(path))
    if digest in _trusted():
        return digest
    _trusted_here.add(digest)
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_text(folder / _TRUSTED, "".join(f"{each}\n" for each in sorted(_trusted())))
    except (OSError, OutputError) as error:
        warnings.warn(f"{folder}: cannot note the network's file ({error})", stacklevel=2)
    return digest


def _trusted() -> set[str]:
    try:
        lines = (cache_folder() / _TRUSTED).read_text("ascii").split()
    except (OSError, ValueError):
        lines = []
    return _trusted_here | set(lines)


def network_class(name: str) -> type[nn.Module]:
    """The class, after its file was run.

    Raises:
        RunError: the file is missing, or nobody has named it here.
        ConfigError: it cannot be run, or holds no such network.
    """
    from torch import nn

    path, class_name = parts_of(name)
    digest = checksum_of(name)
    if digest not in _trusted():
        raise RunError(
            path,
            "a program that was never named here",
            "the file of a network that this user trains",
            f"read it; if it is sound, allow it with: {command('models', 'trust', path)}",
        )
    found: Any = getattr(_module(path, digest), class_name, None)
    if not (isinstance(found, type) and issubclass(found, nn.Module)):
        raise ConfigError("--model", f"{path} has no network {class_name}", "a torch nn.Module")
    return found


def _module(path: Path, digest: str) -> ModuleType:
    own = f"{_MODULE}{digest[:16]}"
    if own in sys.modules:
        return sys.modules[own]
    spec = importlib.util.spec_from_file_location(own, os.fspath(path))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[own] = module
    try:
        spec.loader.exec_module(module)
    except BaseException as error:
        del sys.modules[own]
        if isinstance(error, Exception | SystemExit):
            found = f"cannot be run ({type(error).__name__}: {str(error).partition(chr(10))[0]})"
            raise ConfigError(str(path), found, "a Python file with a network") from error
        raise
    return module
