"""Which functions read files, told from the source, and which of them a call enters.

No list is kept by hand: whatever opens a file, or calls a library's parser, is found in the syntax
trees of all modules. Only functions that read nothing of a user's are named, with the reason.
"""

import ast
import os
import sys
from contextlib import contextmanager
from pathlib import Path

import hsi_suite

_PACKAGE = Path(hsi_suite.__file__).parent
# Names of calls that read; after a dot whatever stands before it, else only after these modules.
_CALLS = {
    "reading", "parsing", "parse_json", "parse_yaml", "TiffFile", "safe_open", "loadmat", "whosmat",
    "load_file", "ZipFile", "read_array", "read_text", "read_bytes", "read_json", "fromfile",
    "memmap", "DictReader", "read_array_header_1_0", "read_array_header_2_0", "open",
}  # fmt: skip
_CALLS_OF = {
    ("np", "load"), ("torch", "load"), ("json", "loads"), ("json", "load"), ("yaml", "load"),
    ("yaml", "safe_load"), ("h5py", "File"), ("csv", "reader"), ("pickle", "load"),
    ("pickle", "loads"),
}  # fmt: skip
# Functions that read nothing that a user could have damaged, and why.
NOT_OF_USERS = {
    "hsi_suite/atomic.py:_claim": "makes an empty file, reads none",
    "hsi_suite/cli/__init__.py:_open_closed_streams": "opens /dev/null",
    "hsi_suite/cli/__init__.py:_write_no_more": "opens /dev/null",
    "hsi_suite/config.py:_shipped_tree": "a file of the package",
    "hsi_suite/data/artefacts.py:through_jpeg": "what it has just written, in memory",
    "hsi_suite/data/formats/cog_writer.py:_check_whole": "what it has just written",
    "hsi_suite/data/formats/cog_writer.py:make_cog": "what it has just written",
    "hsi_suite/data/formats/geotiff_tags.py:_crs_tags_by_rasterio": "what it has just written",
    "hsi_suite/data/formats/netcdf_writer.py:write_netcdf": "writes a file, reads none",
    "hsi_suite/data/formats/other_formats.py:open_other": "hands a file to another package",
    "hsi_suite/data/formats/reading_guard.py:muted_errors": "opens /dev/null",
    "hsi_suite/data/public/transfer.py:_not_data": "a download, before its checksum is told",
    "hsi_suite/data/scene_arrays.py:_checksums": "an array in memory: see test_scene_arrays.py",
    "hsi_suite/data/scene_arrays.py:_selection": "an array in memory: see test_scene_arrays.py",
    "hsi_suite/engine/device_names.py:driver_version": "the system's own figures",
    "hsi_suite/engine/observer.py:_leave_a_lost_terminal": "opens /dev/null",
    "hsi_suite/engine/worker_loop.py:_listen": "the parent process",
    "hsi_suite/engine/worker_process.py:WorkerProcess.read": "a child process",
    "hsi_suite/memory.py:_address_space": "the system's own figures",
    "hsi_suite/memory.py:_available": "the system's own figures",
    "hsi_suite/models/network_file.py:_trusted": "a list of the suite's own in the cache",
    "hsi_suite/reports/languages/catalogue.py:catalogue": "a file of the package",
    "hsi_suite/restoration/boosted_trees.py:read_trees": "a file of the package",
    "hsi_suite/runs/energy.py:_Package.look": "counters of the system",
    "hsi_suite/runs/energy.py:_packages": "counters of the system",
    "hsi_suite/runs/figures.py:_has_text": "compares captions with what it would write",
    "hsi_suite/runs/identity.py:_keys_of": "a file of the package",
    "hsi_suite/runs/life.py:_assist": "another process of the run",
    "hsi_suite/scratch.py:_remove_ownerless": "opens a lock",
}


def reader_functions():
    """Every function that reads files, as MODULE:QUALIFIED_NAME, with the line it begins in."""
    found = {}
    for folder, _, names in os.walk(_PACKAGE, followlinks=True):
        for path in sorted(Path(folder) / name for name in names if name.endswith(".py")):
            place = f"{_PACKAGE.name}/{path.relative_to(_PACKAGE).as_posix()}"
            tree = ast.parse(path.read_text("utf-8"))
            for qualified, node in _functions(tree, ""):
                if any(_reads(call) for call in _own_calls(node)):
                    found[f"{place}:{qualified}"] = node.lineno
    return found


@contextmanager
def entered(into):
    """Note the functions of the package that are entered inside the block, named as above."""
    root, known = f"{_PACKAGE}/", {}

    def note(frame, event, _):
        if event != "call":
            return
        code = frame.f_code
        if code not in known:
            known[code] = None
            if code.co_filename.startswith(root):
                qualified = code.co_qualname.replace("<locals>.", "")
                place = code.co_filename[len(root) :]
                known[code] = f"{_PACKAGE.name}/{place}:{qualified}"
                into.add(known[code])

    sys.setprofile(note)
    try:
        yield
    finally:
        sys.setprofile(None)


def _functions(node, above):
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef):
            yield from _functions(child, f"{above}{child.name}.")
        elif isinstance(child, ast.FunctionDef):
            yield above + child.name, child
            yield from _functions(child, f"{above}{child.name}.")


def _own_calls(function):
    """Calls of a function, without those of functions inside it."""
    waiting = list(ast.iter_child_nodes(function))
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef):
            continue
        if isinstance(node, ast.Call):
            yield node
        waiting += ast.iter_child_nodes(node)


def _reads(call):
    function = call.func
    if isinstance(function, ast.Name):
        name, owner = function.id, ""
    elif isinstance(function, ast.Attribute):
        name = function.attr
        owner = function.value.id if isinstance(function.value, ast.Name) else "?"
    else:
        return False
    if (owner, name) in _CALLS_OF:
        return True
    return name in _CALLS and not (name == "open" and _writes(call))


def _writes(call):
    given = [*call.args[:2], *(k.value for k in call.keywords if k.arg == "mode")]
    modes = [a.value for a in given if isinstance(a, ast.Constant) and isinstance(a.value, str)]
    return any(set(mode) & set("wax+") and len(mode) < 4 for mode in modes)
