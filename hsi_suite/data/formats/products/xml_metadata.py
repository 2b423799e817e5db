"""Metadata of products in XML files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from ....errors import InputFileError
from ....guard import parsing
from ....user_files import read_bytes

_WHAT = "the metadata of a product in XML"
# A document type could make a small file expand without end.
_DOCUMENT_TYPE = re.compile(rb"<!(DOCTYPE|ENTITY)", re.IGNORECASE)


@dataclass(frozen=True)
class XmlMetadata:
    """An XML file, its names without their namespaces.

    Attributes:
        path: the file.
        root: its outermost element.
    """

    path: Path
    root: ElementTree.Element

    @classmethod
    def read(cls, path: Path) -> XmlMetadata:
        """Read a file.

        Raises:
            InputFileError: it is no XML, or declares a document type.
        """
        content = read_bytes(path, _WHAT)
        if _DOCUMENT_TYPE.search(content):
            raise InputFileError(path, "declares a document type", _WHAT + " without one")
        with parsing(path, _WHAT):
            root = ElementTree.fromstring(content)
        for element in root.iter():
            if isinstance(element.tag, str):
                element.tag = element.tag.rpartition("}")[2]
        return cls(path, root)

    def text(self, *places: str) -> str:
        """The text at the first place that has any; "" where none has."""
        for place in places:
            text = (self.root.findtext(place) or "").strip()
            if text:
                return text
        return ""

    def numbers(self, elements: Sequence[ElementTree.Element], tag: str) -> NDArray[np.float64]:
        """A number of each element.

        Raises:
            InputFileError: one has none.
        """
        values = []
        for place, element in enumerate(elements, 1):
            text = (element.findtext(tag) or "").strip()
            try:
                values.append(float(text))
            except ValueError:
                raise InputFileError(
                    self.path, f"{tag} of band {place} is {text[:40]!r}", "a number"
                ) from None
        return np.array(values)
