"""Imports go downwards only, and inside a layer they form no circle."""

import ast
import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LAYERS = [
    {
        "errors",
        "cublas",
        "arguments",
        "registry",
        "seeding",
        "atomic",
        "links",
        "commands",
        "map_endings",
        "output_places",
        "json_text",
        "scratch",
        "memory",
        "printable",
        "matrix_products",
        "alike_rows",
        "option_values",
        "shown",
        "user_files",
        "guard",
        "process_wide",
        "cache",
        "checksums",
    },
    {
        "config",
        "unread_keys",
        "environment",
        "palette",
        "backbones",
        "metrics",
        "losses",
        "operation_count",
        "kept_blocks",
        "transfer",
        "schemas",
        "weights",
        "configs",
    },
    {"models", "data", "restoration"},
    {"engine", "reports"},
    {"runs"},
    {"tasks"},
    {"pipelines"},
    {"api"},
    {"cli"},
]
LEVEL = {room: level for level, rooms in enumerate(LAYERS) for room in rooms}


def modules():
    """Every module of the library as (dotted name inside the package, path)."""
    package = ROOT / "hsi_suite"
    for folder, _, names in os.walk(package, followlinks=True):
        for path in sorted(Path(folder) / name for name in names if name.endswith(".py")):
            yield path.relative_to(package).with_suffix("").parts, path


def imported(parts, path):
    """The library's modules that a module imports, as parts; also imports inside functions."""
    yield from named(parts, ast.walk(ast.parse(path.read_text())))


def named(parts, nodes):
    """The library's modules that import statements of a module name, as parts."""
    package = parts[:-1]
    for node in nodes:
        if isinstance(node, ast.ImportFrom):
            if node.level:
                base = package[: len(package) - node.level + 1]
                yield (*base, *(node.module.split(".") if node.module else ()))
                if not node.module:
                    yield from ((*base, alias.name) for alias in node.names)
            elif node.module and node.module.split(".")[0] == "hsi_suite":
                yield tuple(node.module.split(".")[1:])
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "hsi_suite":
                    yield tuple(alias.name.split(".")[1:])


MODULES = [(parts, path) for parts, path in modules() if parts != ("__init__",)]


def test_every_room_has_a_layer():
    assert {parts[0] for parts, _ in MODULES} <= set(LEVEL)


@pytest.mark.parametrize("parts, path", MODULES, ids=[".".join(parts) for parts, _ in MODULES])
def test_imports_go_downwards(parts, path):
    for target in imported(parts, path):
        if not target:
            continue
        assert LEVEL[target[0]] <= LEVEL[parts[0]], f"{'.'.join(parts)} imports {'.'.join(target)}"


def test_engine_and_reports_know_neither_models_nor_data():
    for parts, path in MODULES:
        if parts[0] in {"engine", "reports"}:
            assert not {t[0] for t in imported(parts, path) if t} & {
                "models",
                "data",
                "restoration",
            }


def test_models_do_not_know_configurations():
    for parts, path in MODULES:
        if parts[0] in {"models", "backbones"}:
            assert not {t[0] for t in imported(parts, path) if t} & {"config", "schemas"}


def room(parts):
    """A room: a folder, or a module beside folders; inside tasks and pipelines one level deeper."""
    return parts[:2] if parts[0] in {"tasks", "pipelines"} else parts[:1]


def test_rooms_form_no_circle():
    needs: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
    for parts, path in MODULES:
        here = room(parts)
        needs.setdefault(here, set()).update(
            room(t) for t in imported(parts, path) if t and room(t) != here
        )
    needs = {here: {t for t in wanted if t in needs} for here, wanted in needs.items()}
    done: set[tuple[str, ...]] = set()
    while needs:
        free = {here for here, wanted in needs.items() if wanted <= done}
        assert free, f"a circle among {sorted(needs)}"
        done |= free
        needs = {here: wanted for here, wanted in needs.items() if here not in free}


@pytest.mark.parametrize(
    "pipeline", ["classification", "image_classification", "denoising", "retrieval"]
)
def test_a_training_does_without_what_is_needed_after_it(pipeline):
    """Memory that an import takes stays taken: 60 MB of statistics, 40 of what draws, and so on."""
    files = dict(MODULES)
    files |= {parts[:-1]: path for parts, path in MODULES if parts[-1] == "__init__"}
    waiting, seen, others = [("pipelines", pipeline)], set(), {}
    while waiting:
        here = waiting.pop()
        if here in seen or here not in files:
            continue
        seen.add(here)
        statements = ast.parse(files[here].read_text()).body
        for node in statements:
            if isinstance(node, ast.Import):
                others |= {alias.name: here for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                others |= {node.module: here}
                others |= {f"{node.module}.{alias.name}": here for alias in node.names}
        waiting += named(
            files[here].relative_to(ROOT / "hsi_suite").with_suffix("").parts, statements
        )
    assert ("data", "readers") in seen and "torch" in others
    heavy = ("scipy.spatial", "scipy.sparse.", "scipy.linalg", "scipy.stats", "scipy.io", "sklearn")
    heavy += ("matplotlib",) if pipeline == "denoising" else ("matplotlib", "h5py")
    small = {"scipy.sparse.coo_array", "scipy.sparse.csr_array"}
    assert not {n: by for n, by in others.items() if n.startswith(heavy) and n not in small}
