"""How the pages are built: `make docs`, strictly, into docs/_build/html.

The source folder is the root of the repository, so that a page's relative links are the same on
GitHub and in the built pages; only Markdown that belongs to the documentation is taken.
"""

import gc
import sys
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Any

from ipython_pygments_lexers import IPython3Lexer

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "docs" / "_ext"))

# Pages are trees of many small objects, nearly all of which stay: looking through them for
# garbage every 700 of them is a quarter of the time of a build.
gc.set_threshold(100_000)

project = "hsi_suite"
author = "the hsi_suite developers"
version = release = version_of("hsi-suite")
root_doc = "docs/index"
extensions = [
    "generated_pages",
    "myst_nb",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
]

include_patterns = [
    "docs/**",
    "README*.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "benchmarks/RESULTS.md",
    "hsi_suite/weights/*.md",
]
# Everything else at the top level is not even looked into: runs and environments are large.
_TAKEN = {"docs", "benchmarks", "hsi_suite"}
exclude_patterns = [
    "docs/_build",
    "docs/_ext",
    "docs/_static",
    "**/.ipynb_checkpoints",
    *(each.name for each in ROOT.iterdir() if each.is_dir() and each.name not in _TAKEN),
    *(
        f"hsi_suite/{each.name}"
        for each in (ROOT / "hsi_suite").iterdir()
        if each.name != "weights"
    ),
]

# Two hyphens are an option, straight quotes belong to a shell.
smartquotes = False
# Blocks that name no language are commands and what they print.
highlight_language = "text"
myst_enable_extensions = ["deflist", "html_image"]
# Links name headings as GitHub does.
myst_heading_anchors = 4
# Notebooks are carried out by the tests, and shown as they were committed.
nb_execution_mode = "off"

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
# By their names: what they stand for fills lines.
autodoc_type_aliases = {"ArrayLike": "ArrayLike"}
autodoc_default_options = {"members": True}
napoleon_numpy_docstring = False
# Docstrings write names between single backticks.
default_role = "code"
add_module_names = False
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88

html_theme = "furo"
html_title = "hsi_suite"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_copyright = False
html_copy_source = False
html_show_sourcelink = False
# Browsers do not let a page from disk read other files, which the excerpts are taken from.
html_show_search_summary = False
# The text of a line that begins in the shell is not copied with a prompt, for there is none.
copybutton_exclude = ".linenos, .gp"


def setup(app: Any) -> None:
    """Called by Sphinx: cells of notebooks may hold lines for the shell, as `%pip install`."""
    app.add_lexer("python", IPython3Lexer)
