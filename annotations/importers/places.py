"""Pictures that are elsewhere: what a row or an item names by an address, as a file that the worker fetches."""

from annotations.importers import addresses
from annotations.importers.base import ItemError, StagedFile, Words


def address(url: str, words: Words, *, item: str, name: str = "") -> StagedFile | ItemError:
    """The picture at an address, under the name that was sent with it; or why it is never asked for."""
    try:
        return addresses.staged(url, name=name, words=words)
    except addresses.AddressError as error:
        return ItemError(item, error.code, error.message)
