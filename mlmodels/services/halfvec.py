"""Stored vectors in pgvector's binary form of halfvec: dimensions and an unused field, two bytes each, then halves."""

import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
from django.db import connection
from numpy.typing import NDArray
from psycopg import Cursor

_HALF = np.dtype(">f2")
_HEADER = struct.Struct(">hh")
# Looked up, since NumPy takes long over the smallest of numbers, and most class probabilities are such.
_FLOAT_OF = np.arange(1 << 16, dtype=np.uint16).view(_HALF).astype(np.float32)


def encoded(vector: NDArray[np.float32]) -> bytes:
    """One vector in that form.

    >>> decoded([encoded(np.array([0.5, -1.0], dtype=np.float32))], 2).tolist()
    [[0.5, -1.0]]
    """
    return _HEADER.pack(len(vector), 0) + vector.astype(_HALF).tobytes()


def zeros(dimensions: int) -> bytes:
    """A vector of zeros in that form, for `decoded` among others."""
    return bytes(_HEADER.size + _HALF.itemsize * dimensions)


def decoded(vectors: Sequence[bytes], dimensions: int) -> NDArray[np.float32]:
    """N vectors of D dimensions as float32 [N, D]."""
    header = _HEADER.size // _HALF.itemsize
    halves = np.frombuffer(b"".join(vectors), dtype=np.uint16).reshape(len(vectors), header + dimensions)
    return _FLOAT_OF[halves[:, header:]]


def rows(query: str, parameters: list[Any]) -> list[tuple[Any, ...]]:
    """Rows in the protocol's binary form, without which bytes travel as twice as many hexadecimal digits."""
    connection.ensure_connection()
    with Cursor(connection.connection) as cursor:
        return cursor.execute(query, parameters, binary=True).fetchall()
