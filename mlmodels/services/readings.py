"""What was read in captions, kept beside the images: a caption is read once, however often its image is scored.

A reading holds for one caption, one vocabulary and one reader; anything else finds none and is read anew.
"""

import hashlib
import json
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.db import connection

from annotations.selectors import arrays
from annotations.selectors.model_inputs import ImageInput
from mlmodels.services.languages import Language
from mlmodels.services.mentions import Said, of_reading

_KEY_BYTES = 16
_FORM = "lines"
"""Of what is stored: a reading in another form counts as none."""


def read(images: Sequence[ImageInput], language: Language, *, keep: bool = False) -> tuple[Said, ...]:
    """The readings of these images' captions in order; new ones are kept for the next time if asked for."""
    reader = _reader_key(language)
    keys = [_key(reader, image.caption) for image in images]
    kept = _kept([image.image_id for image in images])
    texts = {
        n: kept[image.image_id][1]
        for n, image in enumerate(images)
        if kept.get(image.image_id, ("", ""))[0] == keys[n]
    }
    known = dict(zip(texts, _decoded(list(texts.values())), strict=True))
    missing = [n for n in range(len(images)) if n not in known]
    fresh = language.read([images[n].caption for n in missing])
    known |= zip(missing, map(of_reading, fresh), strict=True)
    if keep and missing:
        _keep([(images[n].image_id, keys[n], _encoded(known[n])) for n in missing])
    return tuple(known[n] for n in range(len(images)))


def _kept(image_ids: list[int]) -> dict[int, tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT image_id, key, reading FROM mlmodels_captionreading WHERE image_id = ANY(%s::bigint[])",
            [arrays.literal(image_ids)],
        )
        return {image_id: (key, reading) for image_id, key, reading in cursor.fetchall()}


def _keep(rows: list[tuple[int, str, str]]) -> None:
    """Store these; images that are gone meanwhile are left out. In one order, so that two writers never block."""
    ids, keys, readings = zip(*sorted(rows), strict=True)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO mlmodels_captionreading (image_id, key, reading)
            SELECT v.image_id, v.key, v.reading
            FROM unnest(%s::bigint[], %s::text[], %s::text[]) AS v(image_id, key, reading)
            JOIN annotations_image i ON i.id = v.image_id
            ORDER BY v.image_id
            ON CONFLICT (image_id) DO UPDATE SET key = EXCLUDED.key, reading = EXCLUDED.reading
            """,
            [list(ids), list(keys), list(readings)],
        )


def _key(reader: bytes, caption: str) -> str:
    text = caption.encode(errors="surrogatepass")
    return hashlib.blake2b(text, digest_size=_KEY_BYTES, key=reader).hexdigest()


@lru_cache(maxsize=4)
def _reader_key(language: Language) -> bytes:
    """Changes with the vocabulary, the pipeline and the code that reads."""
    meta = language.reader.meta
    parts = (
        language.terms,
        settings.SPACY_MODEL,
        meta["lang"],
        meta["name"],
        meta["version"],
        _code(),
        _FORM,
    )
    return hashlib.blake2b(repr(parts).encode(), digest_size=32).digest()


@lru_cache(maxsize=1)
def _code() -> str:
    import mlmodels.core.language.reader as reader

    folder = Path(reader.__file__).parent
    digest = hashlib.blake2b(digest_size=16)
    for path in sorted([*folder.glob("*.py"), *(folder.parent / "data").glob("*")]):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def _encoded(said: Said) -> str:
    """Lines of JSON, which writes even NUL in characters that a database can hold; evidence follows as it is."""
    first = json.dumps([said.tag_ids, said.scores, said.negated, said.terms])
    return "\n".join([first, *said.evidence])


def _decoded(texts: Sequence[str]) -> list[Said]:
    """Of many at once."""
    lines = [text.split("\n") for text in texts]
    found = json.loads(f"[{','.join([first for first, *_ in lines])}]")
    return [
        Said(tag_ids, scores, evidence, negated, tuple(terms))
        for (tag_ids, scores, negated, terms), (_, *evidence) in zip(found, lines, strict=True)
    ]
