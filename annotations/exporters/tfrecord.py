"""TFRecord: a `tf.train.Example` an image, framed with masked checksums, a file a split."""

import struct
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import google_crc32c
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from annotations.exporters.base import Dataset, Exporter, ExportRow, Files, Group, Pictures, Written
from annotations.exporters.pieces import gathered

_LENGTH = struct.Struct("<Q")
_CHECKSUM = struct.Struct("<I")
_MASK_DELTA = 0xA282EAD8
_UINT32 = 0xFFFFFFFF
MAX_RECORD_BYTES = 256 * 2**20
"""A reader holds a record as a whole; a picture may have 100 MB."""
_FIELD = descriptor_pb2.FieldDescriptorProto


def files(dataset: Dataset) -> Files:
    yield "labels.txt", gathered(f"{name}\n".encode() for name in dataset.tag_names())
    numbers = dataset.tag_numbers()
    for split in dataset.facts.split_names:
        rows = dataset.of_split(split)
        yield f"{split}.tfrecord", gathered(framed(_example(row, numbers, dataset)) for row in rows)


def framed(record: bytes) -> bytes:
    """A record as TensorFlow's `record_writer` frames it: length, its checksum, the record, its checksum."""
    length = _LENGTH.pack(len(record))
    return b"".join((length, _masked(length), record, _masked(record)))


def _masked(data: bytes) -> bytes:
    """CRC32C, rotated by 15 bits and shifted by a constant, as the format asks."""
    crc = google_crc32c.value(data)
    return _CHECKSUM.pack((((crc >> 15) | (crc << 17)) + _MASK_DELTA) & _UINT32)


def _example(row: ExportRow, numbers: dict[str, int], dataset: Dataset) -> bytes:
    example = example_class()()
    features = example.features.feature
    if dataset.picture and row.picture_key:
        features["image/encoded"].bytes_list.value.append(dataset.picture(row))
        features["image/format"].bytes_list.value.append(row.file.rpartition(".")[2].lower().encode())
    features["image/class/label"].int64_list.value.extend(numbers[tag] for tag in row.yes)
    features["image/height"].int64_list.value.append(row.height_px)
    features["image/width"].int64_list.value.append(row.width_px)
    for name, words in _words(row).items():
        features[name].bytes_list.value.extend(word.encode() for word in words)
    return example.SerializeToString(deterministic=True)


def _words(row: ExportRow) -> dict[str, Sequence[str]]:
    return {
        "image/filename": [row.file],
        "image/class/text": row.yes,
        "image/class/no": row.no,
        "image/class/disputed": row.disputed,
        "image/caption": [row.caption],
        "image/state": [row.state],
        "image/key/sha256": [row.sha256],
    }


@cache
def example_class() -> Any:
    """The message of TensorFlow's example.proto and feature.proto, in a pool of its own: a process may have both."""
    file = descriptor_pb2.FileDescriptorProto(name="example.proto", package="tensorflow", syntax="proto3")
    for kind, type_ in (
        ("Bytes", _FIELD.TYPE_BYTES),
        ("Float", _FIELD.TYPE_FLOAT),
        ("Int64", _FIELD.TYPE_INT64),
    ):
        _field(file.message_type.add(name=f"{kind}List"), "value", 1, type_, repeated=True)
    feature = file.message_type.add(name="Feature")
    feature.oneof_decl.add(name="kind")
    for number, kind in enumerate(("bytes", "float", "int64"), 1):
        of_list = f".tensorflow.{kind.capitalize()}List"
        _field(feature, f"{kind}_list", number, _FIELD.TYPE_MESSAGE, of=of_list).oneof_index = 0
    features = file.message_type.add(name="Features")
    entry = features.nested_type.add(name="FeatureEntry")
    entry.options.map_entry = True
    _field(entry, "key", 1, _FIELD.TYPE_STRING)
    _field(entry, "value", 2, _FIELD.TYPE_MESSAGE, of=".tensorflow.Feature")
    entries = ".tensorflow.Features.FeatureEntry"
    _field(features, "feature", 1, _FIELD.TYPE_MESSAGE, of=entries, repeated=True)
    example = file.message_type.add(name="Example")
    _field(example, "features", 1, _FIELD.TYPE_MESSAGE, of=".tensorflow.Features")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("tensorflow.Example"))


def _field(message: Any, name: str, number: int, type_: Any, *, of: str = "", repeated: bool = False) -> Any:
    label = _FIELD.LABEL_REPEATED if repeated else _FIELD.LABEL_OPTIONAL
    field = message.field.add(name=name, number=number, type=type_, label=label)
    if of:
        field.type_name = of
    return field


def _recount(written: Written) -> int:
    """Walks the frames and proves every checksum."""
    count = 0
    for name in written.names():
        if name.endswith(".tfrecord"):
            with written.open(name) as stream:
                count += sum(1 for _ in records(stream))
    return count


def records(stream: Any) -> Iterator[bytes]:
    """The records of a file, one by one. Raises ValueError where it is damaged."""
    while length := stream.read(_LENGTH.size):
        if stream.read(_CHECKSUM.size) != _masked(length):
            raise ValueError("a record whose length has another checksum")
        (size,) = _LENGTH.unpack(length)
        if size > MAX_RECORD_BYTES:
            raise ValueError(f"a record of {size:,} bytes, more than {MAX_RECORD_BYTES:,}")
        record = stream.read(size)
        if len(record) < size or stream.read(_CHECKSUM.size) != _masked(record):
            raise ValueError("a record whose checksum does not fit")
        yield record


EXPORTER = Exporter(
    name="tfrecord",
    title="TFRecord",
    group=Group.TRAINING,
    suits="Records that TensorFlow streams.",
    losses=(
        "No's that a finished review implies are not written: image/state says who has been reviewed.",
        "Metadata and who decided are not written. Without images each record holds the picture's name only.",
        "The holdout is the file test.tfrecord.",
    ),
    files=files,
    pictures=Pictures.WITHIN,
    picture_paths=lambda row, options: (),
    recount=_recount,
)
