"""What may happen to a file: bytes flipped, cut, put in; numbers and values replaced."""

import io
import json
import re
import struct
import zipfile
import zlib

EXTREMES = (0, 1, 2, 7, 255, 32767, 65535, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**64 - 1)
VALUES = (
    None, True, False, 0, 1, -1, 3, 2**31, 2**63, 10**30, 10**400, 0.5, -0.0, 1e308, float("nan"),
    float("inf"), "", "A" * 3000, "a\nb", "\x1b]0;title\x07", "\udcff", "../../etc/passwd",
    "1e999", "\u202eevil", [], {}, [[]], [1], ["a"], {"": 0}, {"a": {"b": 1}}, [None] * 50,
)  # fmt: skip
WORDS = (
    b"", b"nan", b"inf", b"-1", b"0", b"1e400", b"9" * 400, b"99999999999", b"true", b"null", b"~",
    b"{", b"}", b"[", b"]", b'"', b"\x00", b"\xff\xfe", b"\x1b[2J", b"=cmd", b",", b"\r", b"\n\n",
    b"<script>", b"!!python/object:os.system", b"&a *a", b"[" * 3000, b"{a: " * 300, b"- " * 500,
)  # fmt: skip


def mutate(content, name, draw):
    """One mutation of a file's content; by its name also inside its structure.

    Args:
        content: bytes.
        name: of the file.
        draw: a `random.Random`.
    """
    inside = _STRUCTURED.get(name.rpartition(".")[2])
    if inside is not None and draw.random() < 0.6:
        changed = inside(content, draw)
        if changed is not None:
            return changed
    for _ in range(draw.choice((1, 1, 1, 2, 4))):
        content = draw.choice(_BYTEWISE)(content, draw)
    return content


def _place(content, draw):
    # Heads tell more than values do.
    limit = len(content) if draw.random() < 0.4 else min(len(content), 600)
    return draw.randrange(limit) if limit else 0


def _flip(content, draw):
    changed = bytearray(content)
    for _ in range(draw.choice((1, 2, 3, 8))):
        if changed:
            changed[_place(content, draw)] = draw.randrange(256)
    return bytes(changed)


def _cut(content, draw):
    return content[: draw.randrange(len(content) + 1)]


def _drop(content, draw):
    start = _place(content, draw)
    return content[:start] + content[start + draw.choice((1, 2, 4, 8, 64, 500)) :]


def _put_in(content, draw):
    start = _place(content, draw)
    return content[:start] + draw.randbytes(draw.choice((1, 4, 8, 64))) + content[start:]


def _repeat(content, draw):
    start = _place(content, draw)
    piece = content[start : start + draw.choice((1, 4, 16, 200))]
    return content[:start] + piece * draw.choice((1, 2, 100)) + content[start:]


def _extreme(content, draw):
    size, order = draw.choice("BHIQ"), draw.choice("<>")
    number = draw.choice(EXTREMES) % 2 ** (8 * struct.calcsize(order + size))
    start = _place(content, draw)
    packed = struct.pack(order + size, number)
    return content[:start] + packed + content[start + len(packed) :]


def _digits(content, draw):
    runs = list(re.finditer(rb"\d+", content[:20_000]))
    if not runs:
        return _flip(content, draw)
    found = draw.choice(runs)
    return content[: found.start()] + draw.choice(WORDS) + content[found.end() :]


def _words(content, draw):
    start = _place(content, draw)
    return content[:start] + draw.choice(WORDS) + content[start + draw.choice((0, 0, 1, 5)) :]


_BYTEWISE = (_flip, _flip, _cut, _drop, _put_in, _repeat, _extreme, _extreme, _digits, _words)


def mutate_tree(tree, draw):
    """A tree of JSON with one value, key or item changed."""
    places = []

    def walk(node):
        for key in list(node) if isinstance(node, dict) else range(len(node)):
            places.append((node, key))
            if isinstance(node[key], dict | list):
                walk(node[key])

    if not isinstance(tree, dict | list):
        return draw.choice(VALUES)
    walk(tree)
    if not places:
        return draw.choice(VALUES)
    node, key = draw.choice(places)
    what = draw.random()
    if what < 0.15:
        del node[key]
    elif what < 0.25 and isinstance(node, dict):
        node[str(draw.choice(VALUES))[:40]] = node.pop(key)
    elif what < 0.3 and isinstance(node, list):
        node.insert(key, node[key])
    elif what < 0.35:
        for _ in range(draw.choice((70, 900, 5000))):
            node[key] = _Deep(node[key])
            break
    else:
        node[key] = draw.choice(VALUES)
    return tree


class _Deep:
    """Stands for nested lists that Python's own encoder could not follow."""

    def __init__(self, inner):
        self.inner = inner


def _dump(tree, draw):
    depth = draw.choice((70, 900, 50_000))

    def text(value):
        if isinstance(value, _Deep):
            return "[" * depth + "]" * depth
        if isinstance(value, dict):
            return "{" + ", ".join(f"{json.dumps(k)}: {text(v)}" for k, v in value.items()) + "}"
        if isinstance(value, list):
            return "[" + ", ".join(map(text, value)) + "]"
        if isinstance(value, int) and abs(value) > 10**300:
            return "1" + "0" * 5000
        return json.dumps(value)

    return text(tree).encode()


def _json(content, draw):
    try:
        tree = json.loads(content)
    except ValueError:
        return None
    return _dump(mutate_tree(tree, draw), draw)


def _yaml(content, draw):
    import yaml

    try:
        tree = yaml.safe_load(content)
    except yaml.YAMLError:
        return None
    return _dump(mutate_tree(tree, draw), draw)


def _safetensors(content, draw):
    """A changed header, or a changed header of ours inside it, with the right length before it."""
    (length,) = struct.unpack("<Q", content[:8])
    head, values = json.loads(content[8 : 8 + length]), content[8 + length :]
    ours = head.get("__metadata__", {}).get("header")
    if ours is not None and draw.random() < 0.8:
        changed = _dump(mutate_tree(json.loads(ours), draw), draw).decode()
        head["__metadata__"]["header"] = changed
        text = json.dumps(head).encode()
    else:
        text = _dump(mutate_tree(head, draw), draw)
    if draw.random() < 0.1:
        # Weights that are no numbers.
        values = b"\xff" * 64 + values[64:]
    return struct.pack("<Q", len(text)) + text + values


def _zip(content, draw):
    """A changed member of an archive whose checksums are right."""
    if not content.startswith(b"PK"):
        return None
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = draw.choice(sorted(members))
    if draw.random() < 0.1:
        del members[name]
    else:
        # The head of an array is followed by JSON where a split tells about itself.
        members[name] = mutate(members[name], "", draw)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", draw.choice((0, 8))) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def _png(content, draw):
    """A changed chunk with the right checksum."""
    chunks, place = [], 8
    while place + 8 <= len(content):
        (size,) = struct.unpack(">I", content[place : place + 4])
        chunks.append([content[place + 4 : place + 8], content[place + 8 : place + 8 + size]])
        place += 12 + size
    chosen = draw.choice(chunks)
    chosen[1] = draw.choice(_BYTEWISE)(chosen[1], draw)
    out = content[:8]
    for kind, data in chunks:
        out += struct.pack(">I", len(data)) + kind + data
        out += struct.pack(">I", zlib.crc32(kind + data))
    return out


_STRUCTURED = {
    "json": _json, "yaml": _yaml, "safetensors": _safetensors, "npz": _zip, "pth": _zip,
    "png": _png,
}  # fmt: skip
