"""The catalogue of export formats. A new one is a module with an EXPORTER, named here."""

from annotations.errors import Refused
from annotations.exporters import csv_long, csv_rows, jsonl
from annotations.exporters.base import Exporter

FORMATS: dict[str, Exporter] = {
    exporter.name: exporter for exporter in (csv_rows.EXPORTER, csv_long.EXPORTER, jsonl.EXPORTER)
}


def exporter_for(name: str) -> Exporter:
    if name not in FORMATS:
        raise Refused(
            f"Expected one of the formats {', '.join(FORMATS)}, got “{name}”.",
            code="unsupported_format",
            formats=list(FORMATS),
        )
    return FORMATS[name]
