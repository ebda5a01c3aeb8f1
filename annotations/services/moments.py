"""A project as of one moment, for what is frozen or exported: its rows, and what holds for all of them."""

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import chain

from django.db import connection

from annotations.exporters.base import ExportRow, Facts, Needs, VocabularyTag
from annotations.exporters.frozen import Freezer
from annotations.models import Project
from annotations.selectors import export_rows
from annotations.selectors.export_rows import Filter
from annotations.selectors.one_moment import one_moment
from annotations.services.read_ahead import read_ahead


class Moment:
    """`chunks` come once, by ascending sha256 of the image; the vocabulary is known after the last of them."""

    chunks: Iterator[Iterable[ExportRow]]
    vocabulary: Sequence[VocabularyTag]
    vocabulary_version: int
    implies_no: bool

    def facts(self, freezer: Freezer) -> Facts:
        """Of the rows that the freezer was given."""
        return freezer.facts(self.vocabulary, self.vocabulary_version, implies_no=self.implies_no)


@contextmanager
def of(project: Project, wanted: Filter, needs: Needs) -> Iterator[Moment]:
    """The project as of now. Rows are read while the last are worked with, on a connection of their own.

    So the caller's may write meanwhile. Within a transaction they are read on the caller's: no other sees its rows.
    """
    moment = Moment()
    rows = _read(moment, project, wanted, needs)
    with closing(rows if connection.in_atomic_block else read_ahead(rows)) as coming:
        first = next(coming, ())  # from here on the moment knows its version
        moment.chunks = chain([first], coming)
        yield moment


def _read(
    moment: Moment, project: Project, wanted: Filter, needs: Needs
) -> Generator[Iterable[ExportRow], None, None]:
    with one_moment():
        now = Project.objects.get(pk=project.pk)
        moment.vocabulary_version = now.vocabulary_version
        moment.implies_no = now.unmarked == Project.Unmarked.NO
        yield from export_rows.chunks(project, wanted, needs)
        moment.vocabulary = export_rows.vocabulary(project)
