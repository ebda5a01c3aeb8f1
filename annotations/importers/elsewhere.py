"""Where an item's bytes lie when they are not here yet, and the way to bring them: web addresses and buckets."""

import functools
import threading
from types import TracebackType
from typing import Self

from annotations.importers.buckets import WHOLE_S, Buckets
from annotations.importers.fetching import Fetcher
from annotations.importers.guarded_network import Limits
from annotations.services import storage
from annotations.services.import_items import WaitingItem


def label(item: WaitingItem) -> str:
    """What an item is called in a report: its address, or the name it came by."""
    key = item.staged_key
    if key.startswith(storage.BUCKET_OBJECT):
        return f"s3://{key.removeprefix(storage.BUCKET_OBJECT)}"
    return key.removeprefix(storage.WEB_ADDRESS) if storage.is_elsewhere(key) else item.name


class Elsewhere:
    """Brings bytes into the staging area of one import. Leaving it ends what is still under way."""

    def __init__(self, area: str) -> None:
        self._area = area
        self._stop = threading.Event()
        self._making = threading.Lock()
        self._web = Fetcher(self._stop)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()

    def bring(self, item: WaitingItem) -> str:
        """The key under which an item's bytes lie here. Raises BringError; StoppedError at the end.

        The key tells the item, so that what a worker has brought before it died is not asked for again.
        """
        if not storage.is_elsewhere(item.staged_key):
            return item.staged_key
        key = f"{self._area}/brought/{item.pk}"
        if storage.exists(key):
            return key
        if item.staged_key.startswith(storage.BUCKET_OBJECT):
            limits = Limits(WHOLE_S, self._stop)
            self._buckets().fetch(item.staged_key.removeprefix(storage.BUCKET_OBJECT), key, limits)
        else:
            self._web.fetch(item.staged_key.removeprefix(storage.WEB_ADDRESS), key)
        return key

    def _buckets(self) -> Buckets:
        """One client for all threads; making one is not safe in several at once."""
        with self._making:
            return self._client

    @functools.cached_property
    def _client(self) -> Buckets:
        return Buckets()
