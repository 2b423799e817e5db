"""Tables of what is registered: models, blocks, data sets, formats, kinds of noise, measures."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Any, get_args

from configuration_pages import attributes_of
from markdown_text import code, escaped, table

from hsi_suite.cli.denoise import denoise
from hsi_suite.data import noise as noises
from hsi_suite.data.formats.drawn_formats import DrawnFormat
from hsi_suite.data.formats.file_format import FileFormat
from hsi_suite.data.formats.other_formats import other_formats
from hsi_suite.data.formats.products.hdf5_registry import HDF5_PRODUCTS
from hsi_suite.data.formats.products.registry import ENVI_PRODUCTS, XML_PRODUCTS
from hsi_suite.data.noise_cases import WORDS
from hsi_suite.data.photograph_endings import HEIC_ENDINGS, PHOTOGRAPH_ENDINGS, RAW_ENDINGS
from hsi_suite.data.public.image_inventory import list_image_sets, list_labelled_images
from hsi_suite.data.public.inventory import list_datasets
from hsi_suite.metrics.measures import all_measures
from hsi_suite.models.listing import list_blocks, list_models
from hsi_suite.schemas.denoising import NoiseConfig


def networks() -> str:
    """Every network with its task and the parameters of its usual instance."""
    return _models("network", ("`--model`", "task", "parameters", "what it is"))


def classical_models() -> str:
    """Every model that is fitted at once, or chooses one."""
    return _models("classical", ("`--model`", "task", "what it is"))


def _models(kind: str, heads: tuple[str, ...]) -> str:
    rows = []
    for each in list_models():
        network = each["parameters"] is not None
        if network is not (kind == "network"):
            continue
        count = [f"{each['parameters']:,}"] if network else []
        rows.append((code(each["name"]), each["task"], *count, escaped(each["summary"])))
    return table(heads, rows, right=(2,) if kind == "network" else ())


def blocks() -> str:
    """Every building block with what it presets."""
    rows = [
        (code(each["name"]), escaped(each["summary"]), _settings(each["preset"]))
        for each in list_blocks()
    ]
    return table(("block", "what it is", "preset"), rows)


def _settings(preset: dict[str, Any]) -> str:
    return ", ".join(code(f"{key}={value}") for key, value in preset.items())


def scenes() -> str:
    """Every scene that can be had by its name."""
    rows = [
        (
            code(each["name"]),
            escaped(each["title"]),
            " × ".join(map(str, each["shape"])),
            each["classes"],
            "embedded" if each["place"] == "embedded" else "none" if "trust" in each else "known",
        )
        for each in list_datasets()
    ]
    heads = ("`--dataset`", "scene", "lines × samples × bands", "classes", "checksum")
    return table(heads, rows, right=(3,))


def image_sets() -> str:
    """Every set of photographs that denoisers are trained or scored on."""
    rows = [(code(e["name"]), escaped(e["title"]), e["images"]) for e in list_image_sets()]
    return table(("set", "photographs", "images"), rows, right=(2,))


def labelled_images() -> str:
    """Every set of labelled images."""
    rows = [
        (code(e["name"]), escaped(e["title"]), e["images"], e["classes"])
        for e in list_labelled_images()
    ]
    return table(("`--dataset`", "images of classes", "images", "classes"), rows, right=(2, 3))


def formats() -> str:
    """What is read, by kind: cubes and label maps, products, drawn labels, photographs."""
    products = [
        inspect.getmodule(opens).__doc__.splitlines()[0].rstrip(".")
        for opens in (*ENVI_PRODUCTS, *HDF5_PRODUCTS, *XML_PRODUCTS)
    ]
    kinds = {
        "cubes, label maps, splits": [str(each) for each in FileFormat],
        "formats of other packages": [each.name for each in other_formats()],
        "products": products,
        "drawn labels": [str(each) for each in DrawnFormat],
        "photographs": [e for e in PHOTOGRAPH_ENDINGS if e not in (*HEIC_ENDINGS, *RAW_ENDINGS)],
        "photographs, with the extra `photos`": (*HEIC_ENDINGS, *RAW_ENDINGS),
    }
    rows = [(kind, _names(kind, names)) for kind, names in kinds.items() if names]
    return table(("of what", "formats"), rows)


def _names(kind: str, names: Iterable[str]) -> str:
    if kind.startswith("photographs"):
        return ", ".join(map(code, names))
    return "; ".join(map(escaped, names))


def noise_kinds() -> str:
    """What networks learn to take, and what trials add to clean cubes."""
    learnt = [
        (code(f"noise.kind={name}"), "training", escaped(said))
        for name, said in _learnt_kinds().items()
    ]
    added = [
        (code(f"--add-kind {name}"), "trials on cubes", escaped(said))
        for name, said in _added_kinds().items()
    ]
    return table(("how it is asked for", "for", "what it is"), [*learnt, *added])


def _learnt_kinds() -> dict[str, str]:
    """Each kind with what stands between its brackets, or nothing where its name says it."""
    said = attributes_of(NoiseConfig)["kind"]
    kinds = get_args(NoiseConfig.model_fields["kind"].annotation)
    return {kind: _in_brackets(said, kind) for kind in kinds}


def _in_brackets(said: str, name: str) -> str:
    rest = said.partition(f"{name} (")[2]
    return rest.partition(")")[0] or said.partition(f"{name}: ")[2].rstrip(".") or name


def _added_kinds() -> dict[str, str]:
    makers = {
        "gaussian": noises.add_gaussian,
        "bands": noises.add_band_noise,
        "stripes": noises.add_stripes,
        "dead-lines": noises.add_dead_lines,
        "impulses": noises.add_impulses,
    }
    said = {name: inspect.getdoc(make).splitlines()[0] for name, make in makers.items()} | WORDS
    option = next(each for each in denoise.params if each.name == "add_kind")
    return {name: said[name] for name in option.type.choices}


def measures() -> str:
    """Every score as metrics.json calls it: title, unit, limits, direction."""
    rows = [
        (
            code(each.name),
            escaped(each.title),
            each.unit or "–",
            f"{_limit(each.floor, '−∞')} to {_limit(each.ceiling, '∞')}",
            "more" if each.higher_is_better else "less",
        )
        for each in all_measures()
    ]
    heads = ("key in metrics.json", "title", "written in", "stored as", "better is")
    return table(heads, rows)


def _limit(value: float | None, none: str) -> str:
    return none if value is None else f"{value:g}".replace("-", "−")
