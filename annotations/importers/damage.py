"""What is said of documents that break off and of elements that are not what the format has there."""

from annotations.importers.base import ItemError


def broken_off(name: str, error: Exception) -> ItemError:
    lines = str(error.args[0] if error.args else error).splitlines() or [type(error).__name__]
    said = lines[0].removeprefix("b'").split("\\n")[0][:200]
    return ItemError(
        name,
        "damaged_document",
        f"It cannot be read to its end ({said}). What came before was taken. Write the file again.",
    )


def unparsed(error: Exception) -> str:
    """What a text is that was to be JSON and cannot be parsed."""
    if isinstance(error, RecursionError):
        return "lists or objects in one another without end"
    return f"text that does not parse ({error})"


def not_an_object(item: str, value: object, *, is_part: bool = False) -> ItemError:
    return ItemError(item, "bad_element", f"Expected an object, got {type(value).__name__}.", is_part)
