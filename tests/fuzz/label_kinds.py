"""Label maps, class names and splits."""

import drawn_samples as drawn
import file_samples as samples
import numpy as np
import scipy.io
import tifffile
from PIL import Image
from test_damaged_files import LABEL_WRITERS
from test_missing_data import write_raster

from hsi_suite.data.file_description import describe_file
from hsi_suite.data.readers import read_class_names, read_labels, read_scene
from hsi_suite.data.scene_list import read_scene_table
from hsi_suite.data.split_files import file_split
from hsi_suite.data.splits import random_split, save_split

from .cube_kinds import LABELS, PLACE, write_map
from .harness import Kind


def _one_bit(path):
    write_raster(path, (LABELS > 0).astype("u1")[..., None], nbits=1, compress="ccittfax4")


def _palette(path):
    image = Image.fromarray(LABELS).convert("P")
    image.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255])
    image.save(path, format="PNG")


def _envi_names(path):
    samples.write_envi(
        path, LABELS[..., None], "bsq",
        "classes = 4\nclass names = {Unclassified, Grass, mown, Trees, Water, deep}\n"
        "class lookup = {0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255}\n",
    )  # fmt: skip


def _labels():
    written = {
        kind: ("gt", lambda p, w=write: w(p, LABELS)) for kind, write in LABEL_WRITERS.items()
    }
    written |= {
        "tif with names": ("gt.tif", lambda p: write_map(p, LABELS)),
        "tif of one bit": ("gt.tif", _one_bit),
        "png palette": ("gt.png", _palette),
        "envi with names": ("gt.hdr", _envi_names),
        "floats": ("gt.npy", lambda p: np.save(p, LABELS.astype("f4"))),
    }  # fmt: skip
    for kind, (name, write) in written.items():

        def read(folder, name=name):
            read_labels(folder / name)
            describe_file(folder / name)

        yield Kind(f"labels {kind}", lambda f, n=name, w=write: w(f / n), read)


def _parts():
    flat = np.flatnonzero(LABELS)
    train, test = flat[::3], np.setdiff1d(flat, flat[::3])
    masks = []
    for part in (train, test):
        mask = np.zeros(LABELS.size, np.uint8)
        mask[part] = 1
        masks.append(mask.reshape(LABELS.shape))
    return train, test, masks


def _random_split():
    return random_split(LABELS, train=0.4, generator=np.random.default_rng(0))


def _splits():
    train, test, (first, second) = _parts()
    codes = first + 2 * second
    writers = {
        "split.npz": lambda p: save_split(_random_split(), p),
        "lists.npz": lambda p: np.savez(p, train=train, test=test),
        "v5.mat": lambda p: scipy.io.savemat(p, {"TR": first, "TE": second}),
        "v7.mat": lambda p: scipy.io.savemat(p, {"TR": first, "TE": second}, do_compression=True),
        "v73.mat": lambda p: samples.write_matlab73(p, TR=first, TE=second),
        "codes.npy": lambda p: np.save(p, codes),
        "codes.tif": lambda p: tifffile.imwrite(p, codes),
        "codes.png": lambda p: Image.fromarray(codes).save(p),
        "codes.hdr": lambda p: samples.write_envi(p, codes[..., None]),
    }
    for name, write in writers.items():

        def read(folder, name=name):
            file_split(folder / name, LABELS, rare_classes="drop")
            describe_file(folder / name)

        yield Kind(f"split {name}", lambda f, n=name, w=write: w(f / n), read)


def _split_files():
    train, test, (first, second) = _parts()
    pairs = {
        "tif": lambda p, mask, _: write_map(p, mask * LABELS),
        "png": lambda p, mask, _: Image.fromarray(mask).save(p),
        "npz": lambda p, mask, indices: np.savez(p, pixels=indices),
        "mat": lambda p, mask, _: scipy.io.savemat(p, {"mask": mask}),
        "hdr": lambda p, mask, _: samples.write_envi(p, mask[..., None]),
    }
    for ending, write in pairs.items():

        def make(folder, write=write, ending=ending):
            write(folder / f"train.{ending}", first, train)
            write(folder / f"test.{ending}", second, test)

        def read(folder, ending=ending):
            files = f"{folder}/train.{ending},{folder}/test.{ending}"
            file_split(files, LABELS, rare_classes="drop", georeference=PLACE)

        yield Kind(f"split of two files {ending}", make, read)


def _drawn():
    scene = drawn.PLACE
    for kind, (name, _, _) in drawn.FORMATS.items():

        def make(folder, kind=kind):
            drawn.write_scene(folder / "scene.tif", scene)
            drawn.write_format(folder, kind)

        yield Kind(
            f"drawn {kind}", make, _draw(name, labels_field="class"), (f"{name.split('.')[0]}.*",)
        )
    texts = {
        "table.csv": "x,y,class\n364110,5809950,roof\n364150,5809900,tree\n",
        "plain.txt": "364110 5809950 1\n364150 5809900 2\n",
        "wkt.csv": 'wkt,class\n"POINT (364110 5809950)",a\n"POINT (364150 5809900)",b\n',
        "roi.xml": drawn.roi_xml(
            "none", [("a", [[(2, 1), (6, 1), (6, 4)]]), ("b", [[(9, 2), (14, 2), (14, 9)]])]
        ),
        "roi.txt": drawn.roi_text([("a", [(0, 0), (0, 1)]), ("b", [(5, 5), (9, 9)])]),
    }
    for name, text in texts.items():

        def write(folder, name=name, text=text):
            drawn.write_scene(folder / "scene.tif", scene)
            (folder / name).write_text(text)

        options = {"labels_buffer": 60.0} if name == "table.csv" else {}
        yield Kind(f"drawn {name}", write, _draw(name, **options), (name,))


def _draw(name, **options):
    def read(folder):
        describe_file(folder / name)
        read_scene(folder / "scene.tif", labels=folder / name, **options)

    return read


_SCENES = """scene,labels,name,role
a.tif,a.gpkg,north,train
b.tif,"b.gpkg,c.gpkg",south,test
"""


def label_kinds():
    """All kinds of label maps and splits."""
    return [
        *_labels(),
        Kind("class names", lambda f: (f / "names.txt").write_text("a\nb\nc\n"),
             lambda f: read_class_names(f / "names.txt")),
        Kind("table of scenes", lambda f: (f / "scenes.csv").write_text(_SCENES),
             lambda f: read_scene_table(f / "scenes.csv")),
        *_drawn(),
        *_splits(),
        *_split_files(),
    ]  # fmt: skip
