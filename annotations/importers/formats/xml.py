"""XML documents larger than memory, by defusedxml: the elements of one name, one by one."""

from collections.abc import Iterator
from typing import BinaryIO
from xml.etree import ElementTree as Tree

from defusedxml import ElementTree as SafeTree
from defusedxml.common import DefusedXmlException

from annotations.importers.base import StagedFile
from annotations.importers.formats.base import Sent

XML_ERRORS = (Tree.ParseError, DefusedXmlException, UnicodeError, ValueError, LookupError)
_MAX_DEPTH = 100


def root(sent: Sent, file: StagedFile) -> str:
    """The name of the outermost element; empty where the file is no XML."""
    try:
        with sent.opened(file) as stream:
            _, first = next(iter(SafeTree.iterparse(stream, events=("start",))))
            return str(first.tag)
    except (*XML_ERRORS, StopIteration):
        return ""


def elements(stream: BinaryIO, name: str) -> Iterator[Tree.Element]:
    """Each element of this name. What lies outside of them is forgotten as it comes.

    Raises one of XML_ERRORS where the document breaks off, after what came before.
    """
    depth = within = 0
    parents: list[Tree.Element] = []
    for event, element in SafeTree.iterparse(stream, events=("start", "end")):
        if event == "start":
            depth += 1
            if depth > _MAX_DEPTH:
                raise ValueError(f"more than {_MAX_DEPTH} elements in one another")
            within += element.tag == name
            parents.append(element)
            continue
        depth -= 1
        parents.pop()
        if element.tag == name:
            within -= 1
            if not within:
                yield element
        if not within:
            element.clear()
            if parents:
                parents[-1].remove(element)
