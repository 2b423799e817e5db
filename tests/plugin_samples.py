"""A package of somebody else, installed in a folder: the snippets of docs/how_to/extending.md."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

PAGE = Path(__file__).parent.parent / "docs" / "how_to" / "extending.md"
_DRIVER = """
import sys
from hsi_suite.cli import main
for words in sys.argv[1:]:
    sys.argv = ["hsi", *words.split("\\x1f")]
    print("\\x1e", end="", flush=True)
    try:
        main()
    except SystemExit as end:
        print(f"\\nexit {end.code}", flush=True)
"""


def snippets():
    """The Python files of the page, by what they hold."""
    blocks = re.findall(r"```python\n# mine\.py: (.+?)\n(.*?)```", PAGE.read_text("utf-8"), re.S)
    return {title.split()[-1]: source for title, source in blocks}


def entry_points():
    """What the page says in pyproject.toml: names and objects by group."""
    text = re.search(r"```toml\n(.*?)```", PAGE.read_text("utf-8"), re.S)[1]
    return tomllib.loads(text)["project"]["entry-points"]


def install(folder, module, source, points):
    """Install a package of one module; returns the two files that its author has written.

    Args:
        folder: where packages are looked for.
        module: its name.
        source: the module.
        points: objects of the module by group and name.
    """
    file = folder / f"{module}.py"
    file.write_text(source)
    told = folder / f"{module}-1.0.dist-info"
    told.mkdir()
    (told / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
    lines = [
        line
        for group, names in points.items()
        for line in (f"[{group}]", *(f"{name} = {module}:{what}" for name, what in names.items()))
    ]
    (told / "entry_points.txt").write_text("\n".join(lines) + "\n")
    return [file, told / "entry_points.txt"]


def run_hsi(folder, cache, commands, packages):
    """Run commands one after the other in one new process; gives what each printed, by its name.

    Args:
        folder: where they run.
        cache: of the user.
        commands: lists of words by name.
        packages: where packages are looked for.
    """
    given = ["\x1f".join(map(str, words)) for words in commands.values()]
    done = subprocess.run(
        [sys.executable, "-P", "-c", _DRIVER, *given], cwd=folder, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=True,
        env={**os.environ, "HSI_CACHE_DIR": str(cache), "PYTHONPATH": str(packages)},
    )  # fmt: skip
    return dict(zip(commands, done.stdout.split("\x1e")[1:], strict=True))
