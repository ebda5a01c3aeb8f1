"""Keywords and description in an XMP packet: read, and written into one that keeps everything else it holds.

Adobe XMP specification, part 1: `dc:subject` is a bag of keywords, `dc:description` a text in several languages.
Parsed by defusedxml, since packets come from strangers.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as Tree

from defusedxml import ElementTree as SafeTree
from defusedxml.common import DefusedXmlException

_X, _RDF = "adobe:ns:meta/", "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_DC, _XML = "http://purl.org/dc/elements/1.1/", "http://www.w3.org/XML/1998/namespace"
_SUBJECT, _DESCRIPTION = f"{{{_DC}}}subject", f"{{{_DC}}}description"
# So that a packet keeps the prefixes that people and lenient readers know.
_PREFIXES = {
    "x": _X,
    "rdf": _RDF,
    "dc": _DC,
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "xmpMM": "http://ns.adobe.com/xap/1.0/mm/",
    "xmpRights": "http://ns.adobe.com/xap/1.0/rights/",
    "xmpNote": "http://ns.adobe.com/xmp/note/",
    "stEvt": "http://ns.adobe.com/xap/1.0/sType/ResourceEvent#",
    "stRef": "http://ns.adobe.com/xap/1.0/sType/ResourceRef#",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "exif": "http://ns.adobe.com/exif/1.0/",
    "tiff": "http://ns.adobe.com/tiff/1.0/",
    "aux": "http://ns.adobe.com/exif/1.0/aux/",
    "crs": "http://ns.adobe.com/camera-raw-settings/1.0/",
    "lr": "http://ns.adobe.com/lightroom/1.0/",
    "Iptc4xmpCore": "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/",
    "hdrgm": "http://ns.adobe.com/hdr-gain-map/1.0/",
}
for _prefix, _uri in _PREFIXES.items():
    Tree.register_namespace(_prefix, _uri)

_HEADER = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
_TRAILER = '\n<?xpacket end="w"?>'
# What XML 1.0 cannot hold, not even escaped.
_UNWRITABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

XMP_ERRORS = (Tree.ParseError, DefusedXmlException, UnicodeError, ValueError, LookupError)


@dataclass(frozen=True)
class Said:
    """What a file says of its picture. An empty caption is none."""

    caption: str = ""
    tags: tuple[str, ...] = ()


def read(packet: bytes) -> Said:
    """The keywords and the default description. Raises one of XMP_ERRORS for what is no packet.

    >>> read(written(None, caption="A dog.", tags=["dog", "grass, wet"]))
    Said(caption='A dog.', tags=('dog', 'grass, wet'))
    """
    descriptions = list(_descriptions(_parsed(packet)))
    tags = [text for one in descriptions for text in _items(one.find(_SUBJECT))]
    captions = [text for one in descriptions if (text := _default(one.find(_DESCRIPTION)))]
    plain = [one.get(_DESCRIPTION, "").strip() for one in descriptions]
    return Said(next(filter(None, (*captions, *plain)), ""), tuple(dict.fromkeys(tags)))


def written(packet: bytes | None, *, caption: str, tags: Sequence[str]) -> bytes:
    """A packet with these keywords and this description instead of its own; one that does not parse is made anew."""
    root = _root_of(packet)
    rdf = next(root.iter(f"{{{_RDF}}}RDF"))
    for one in _descriptions(root):
        one.attrib.pop(_DESCRIPTION, None)
        for name in (_SUBJECT, _DESCRIPTION):
            for child in one.findall(name):
                one.remove(child)
    target = next(_descriptions(root), None)
    if target is None:
        target = Tree.SubElement(rdf, f"{{{_RDF}}}Description", {f"{{{_RDF}}}about": ""})
    if tags:
        bag = Tree.SubElement(Tree.SubElement(target, _SUBJECT), f"{{{_RDF}}}Bag")
        for tag in tags:
            Tree.SubElement(bag, f"{{{_RDF}}}li").text = _writable(tag)
    if caption:
        texts = Tree.SubElement(Tree.SubElement(target, _DESCRIPTION), f"{{{_RDF}}}Alt")
        item = Tree.SubElement(texts, f"{{{_RDF}}}li", {f"{{{_XML}}}lang": "x-default"})
        item.text = _writable(caption)
    return f"{_HEADER}{Tree.tostring(root, encoding='unicode')}{_TRAILER}".encode()


def _root_of(packet: bytes | None) -> Tree.Element:
    if packet is not None:
        try:
            root = _parsed(packet)
        except XMP_ERRORS:
            root = None
        if root is not None and next(root.iter(f"{{{_RDF}}}RDF"), None) is not None:
            return root
    root = Tree.Element(f"{{{_X}}}xmpmeta")
    Tree.SubElement(root, f"{{{_RDF}}}RDF")
    return root


def _parsed(packet: bytes) -> Tree.Element:
    root = SafeTree.fromstring(packet.strip(b"\0 \t\r\n"))
    if not isinstance(root, Tree.Element):
        raise ValueError("Expected an XMP packet, got no XML.")
    return root


def _descriptions(root: Tree.Element) -> Iterator[Tree.Element]:
    """Those that speak of the picture itself, not of a part of it."""
    for rdf in root.iter(f"{{{_RDF}}}RDF"):
        yield from rdf.findall(f"{{{_RDF}}}Description")


def _items(holder: Tree.Element | None) -> list[str]:
    """The texts of a bag; of a holder without one its own."""
    if holder is None:
        return []
    texts = [item.text or "" for item in holder.iter(f"{{{_RDF}}}li")] or [holder.text or ""]
    return [text.strip() for text in texts if text.strip()]


def _default(holder: Tree.Element | None) -> str:
    """The text in the default language, else the first."""
    if holder is None:
        return ""
    items = list(holder.iter(f"{{{_RDF}}}li"))
    chosen = [item for item in items if item.get(f"{{{_XML}}}lang") == "x-default"] or items
    return ((chosen[0] if chosen else holder).text or "").strip()


def _writable(text: str) -> str:
    return _UNWRITABLE.sub("", text)
