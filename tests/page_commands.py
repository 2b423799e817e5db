"""The commands of a page, read from it and carried out as a reader would.

`python -m tests.page_commands docs/tutorials/*.md` carries out whole pages and renews the pictures
they show: behind a picture, `<!-- from FILE -->` names the file of the page's commands that it is,
`FILE.html#2` the second picture of a page.
"""

from __future__ import annotations

import base64
import io
import os
import re
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

_BLOCK = re.compile(r"^```(bash|python)\n(.*?)^```", re.DOTALL | re.MULTILINE)
_PICTURE = re.compile(r"!\[[^\]]*\]\(([^)]+)\)\s*<!-- from (\S+) -->")
# Wide enough for the column of a page, and few enough bytes for a repository.
_WIDTH, _COLOURS = 1000, 256


def blocks(text: str) -> Iterator[tuple[str, str]]:
    """The blocks that a reader carries out: their language, bash or python, and their text."""
    for found in _BLOCK.finditer(text):
        yield found[1], found[2]


def command_lines(code: str) -> Iterator[list[str]]:
    """The commands of a block as words; comments are left out, lines that go on are joined."""
    for line in code.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        if words:
            yield words


def expanded(words: list[str]) -> list[str]:
    """The words with `*` expanded as a shell does; each has to name exactly one file."""
    given = []
    for word in words:
        found = sorted(map(str, Path().glob(word))) if "*" in word else [word]
        assert len(found) == 1, f"{word}: {found or 'no file'}"
        given += found
    return given


def added_words(words: list[str], smaller: Mapping[str, str]) -> list[str]:
    """What is added to a command, by the start of its line; nothing where it stands nowhere."""
    line = shlex.join(words)
    return next((more for start, more in smaller.items() if line.startswith(start)), "").split()


def run_page(page: Path, folder: Path, smaller: Mapping[str, str] = MappingProxyType({})) -> None:
    """Carry out the commands of a page, in their order, in a folder.

    Args:
        page: of Markdown.
        folder: where its files go.
        smaller: words to add to commands, by their start, so that they take less time.

    Raises:
        AssertionError: a command of another program, or a pattern of not exactly one file.
        Exception: whatever a command raises.
    """
    from hsi_suite.cli import cli

    names: dict[str, object] = {"__name__": "page"}
    before = Path.cwd()
    os.chdir(folder)
    try:
        for language, code in blocks(page.read_text("utf-8")):
            if language == "python":
                exec(compile(code, str(page), "exec"), names)
                continue
            for words in command_lines(code):
                assert words[0] == "hsi", f"{page.name}: {words[0]} is not hsi"
                more = added_words(words, smaller)
                cli.main(expanded([*words[1:], *more]), prog_name="hsi", standalone_mode=False)
    finally:
        os.chdir(before)


def pictures(page: Path) -> Iterator[tuple[Path, str]]:
    """The pictures of a page that its commands make, with the file that each is taken from."""
    for target, source in _PICTURE.findall(page.read_text("utf-8")):
        yield page.parent / target, source


def picture_bytes(folder: Path, source: str) -> bytes:
    """The picture that a page's commands have left in `folder`, PNG or SVG.

    Raises:
        AssertionError: there is none, or more than one file of that name.
    """
    name, _, number = source.partition("#")
    found = sorted(folder.glob(name))
    assert len(found) == 1, f"{name}: {found or 'no file'}"
    if not number:
        return found[0].read_bytes()
    image = r'src="data:image/(?:png|svg\+xml);base64,([^"]+)"'
    embedded = re.findall(image, found[0].read_text("utf-8"))
    assert len(embedded) >= int(number), f"{source}: {len(embedded)} pictures"
    return base64.b64decode(embedded[int(number) - 1])


def renew_pictures(page: Path, folder: Path) -> None:
    """Put the pictures that the commands have left in `folder` where the page shows them."""
    from PIL import Image

    for target, source in pictures(page):
        content = picture_bytes(folder, source)
        if target.suffix == ".svg":
            target.write_bytes(content)
        else:
            with Image.open(io.BytesIO(content)) as drawn:
                picture = drawn.convert("RGB")
            picture.thumbnail((_WIDTH, picture.height))
            picture.quantize(_COLOURS).save(target, optimize=True)
        print(f"{target} ({target.stat().st_size // 1024} kB)")


def main() -> None:
    for name in sys.argv[1:]:
        folder = Path(tempfile.mkdtemp(prefix="page_"))
        run_page(Path(name).resolve(), folder)
        renew_pictures(Path(name).resolve(), folder)
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
