"""One address, one file: a download with a progress bar and a plain word for what went wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ...errors import OutputError

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_CONNECT_SECONDS = 10
_SILENCE_SECONDS = 30
_CHUNK_BYTES = 1 << 18

Say = Callable[[str], None]


def fetch(url: str, path: Path, say: Say, silent_hosts: set[str]) -> str:
    """Write what `url` gives to `path`.

    Args:
        url: an http or https address.
        path: the file to write; after a failure its content means nothing.
        say: reports the download's start.
        silent_hosts: hosts that did not answer; not asked again, and added to.

    Returns:
        "" or what went wrong, to be read after the address.

    Raises:
        OutputError: `path` cannot be written.
    """
    import pooch
    import requests

    host = urlsplit(url).netloc
    if host in silent_hosts:
        return "was not asked, its host being silent"
    say(f"downloading {url}")
    with _progress_bar(Path(urlsplit(url).path).name) as bar:
        download = pooch.HTTPDownloader(
            progressbar=bar, chunk_size=_CHUNK_BYTES, timeout=(_CONNECT_SECONDS, _SILENCE_SECONDS)
        )
        try:
            download(url, str(path), None)
        except requests.HTTPError as error:
            # A response of 404 is false: ask for None.
            return (
                f"answered {'an error' if error.response is None else error.response.status_code}"
            )
        except (requests.ConnectionError, requests.Timeout):
            silent_hosts.add(host)
            return "did not answer"
        except requests.RequestException as error:
            return f"broke off ({type(error).__name__})"
        except OSError as error:
            raise OutputError(
                path, f"cannot be written ({error.strerror})", "free space"
            ) from error
    return _not_data(path)


def _not_data(path: Path) -> str:
    # Servers answer 200 with a page that says "not found". Where no checksum is known nothing
    # else would distinguish it from data.
    with path.open("rb") as stream:
        start = stream.read(256)
    if not start:
        return "gave an empty file"
    return "gave a web page" if start.lstrip()[:1] == b"<" else ""


@contextmanager
def _progress_bar(name: str) -> Iterator[_Bar]:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as p:
        yield _Bar(p, p.add_task(name, total=None))


class _Bar:
    """What pooch asks of a progress bar, drawn by rich."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress = progress
        self._task = task

    @property
    def total(self) -> float | None:
        return self._progress.tasks[0].total

    @total.setter
    def total(self, size: float) -> None:
        self._progress.update(self._task, total=size or None)

    def update(self, size: int) -> None:
        self._progress.advance(self._task, size)

    def reset(self) -> None:
        self._progress.update(self._task, completed=0)

    def close(self) -> None:
        self._progress.stop_task(self._task)
