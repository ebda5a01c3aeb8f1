"""ImageNet text lists: a line an image with the numbers of its tags."""

from annotations.exporters import names, recounts
from annotations.exporters.base import Dataset, Exporter, ExportRow, Files, Group
from annotations.exporters.pieces import gathered


def files(dataset: Dataset) -> Files:
    yield "synsets.txt", gathered(f"{name}\n".encode() for name in dataset.tag_names())
    numbers = dataset.tag_numbers()
    for split in dataset.facts.split_names:
        yield f"{split}.txt", gathered(_line(row, numbers) for row in dataset.of_split(split))


def _line(row: ExportRow, numbers: dict[str, int]) -> bytes:
    """A name with spaces stands in quotes, its ending behind them: that is how readers tell where it stops."""
    stem = names.stem(row.file)
    ending = row.file[len(stem) :]
    file = f'"{stem}"{ending}' if any(letter.isspace() for letter in stem) else row.file
    return " ".join([file, *(str(numbers[tag]) for tag in row.yes)]).encode() + b"\n"


EXPORTER = Exporter(
    name="imagenet-txt",
    title="ImageNet text lists",
    group=Group.TRAINING,
    suits="Plain lists of files and numbers.",
    losses=(
        "No's, disputed tags, captions, metadata and who decided are not written.",
        "An image that nobody has reviewed looks like one to which nothing applies: export only reviewed images "
        "to tell them apart.",
        "The holdout is the list test.txt.",
    ),
    files=files,
    recount=lambda written: recounts.lines("train.txt")(written) + recounts.lines("test.txt")(written),
)
