"""`predict FOLDER --project P`: tags pictures that are not in the project, as a table or as keywords in files.

Ends with 0 if every picture was tagged, with 3 if some could not be, with 1 if nothing could be done.
"""

import sys
from argparse import ArgumentParser
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from tqdm import tqdm

from annotations.errors import BadInput, DomainError, Refused
from annotations.services import keyword_files, picture_folders, storage, tag_tables
from annotations.services.accounts import find_project
from annotations.services.keyword_files import Place
from annotations.services.picture_folders import PictureFolder
from annotations.services.tag_tables import Source, TagRow, TagTable
from mlmodels.management.versioned import VersionCommand
from mlmodels.models import ModelVersion
from mlmodels.services import folder_tagging
from mlmodels.services.folder_tagging import TaggedFile

LIMIT_DEFAULT = 20
SOME_FAILED, STOPPED = 3, 130


class Command(VersionCommand):
    help = "Tag a folder of pictures that are not in the project: a CSV of scores, or keywords in files."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, help="pictures, and those in the folders below it")
        parser.add_argument("--project", required=True, help="the project's id or its exact name")
        self.add_version(parser)
        parser.add_argument(
            "--out", type=Path, metavar="FILE", help="the CSV; what it has already is not done again"
        )
        scores = parser.add_mutually_exclusive_group()
        scores.add_argument(
            "--limit",
            type=_at_least_one,
            default=LIMIT_DEFAULT,
            help="best tags a picture in the CSV (default: 20)",
        )
        scores.add_argument("--all-scores", action="store_true", help="every tag of every picture in the CSV")
        parser.add_argument(
            "--write-keywords",
            choices=[place.value for place in Place],
            help="the offered tags: into copies below --to, into .xmp files (beside the pictures, or below --to), "
            "or into the originals themselves",
        )
        parser.add_argument(
            "--to", type=Path, metavar="FOLDER", help="where copies or .xmp files go, in the same folders"
        )
        parser.add_argument("--captions", type=Path, help="CSV (columns name, caption) or JSON of captions")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            version = self.find_version(find_project(options["project"]), options["version"])
            failed, done = self._tag(version, options)
        except DomainError as error:
            raise CommandError(error.message) from error
        except OSError as error:
            said = "The disk is full" if storage.is_full(error) else f"{error.strerror} ({error.filename})"
            raise CommandError(f"{said}. What is written is whole: run it again and it goes on.") from error
        except KeyboardInterrupt:
            raise CommandError(
                "Stopped. What is written is whole: run it again and it goes on.", returncode=STOPPED
            ) from None
        self.stderr.write(f"version {version.number}: {done:,} pictures tagged")
        if failed:
            raise CommandError(f"{failed:,} pictures were not tagged, see above.", returncode=SOME_FAILED)

    def _tag(self, version: ModelVersion, options: dict[str, Any]) -> tuple[int, int]:
        """How many pictures could not be tagged, and how many were."""
        place, to = _place(options)
        pictures = picture_folders.look(options["folder"], but_not=to)
        captions = self._captions(pictures, options["captions"])
        for error in pictures.problems:
            self.stderr.write(f"{error.item}: {error.message}")
        failed, done = len(pictures.problems), 0
        source = Source(version.number, version.project_id)
        with ExitStack() as open_files:
            table = None
            if options["out"]:
                table = open_files.enter_context(TagTable(options["out"], source=source))
            left = self._left(pictures, table, place, to)
            if not left:
                return failed, done
            tagger = folder_tagging.ready(version)
            to_screen = table is None and place is None
            if to_screen:
                self.stdout.write(",".join(tag_tables.HEADER))
            limit = 0 if options["all_scores"] else options["limit"]
            found = folder_tagging.tag(tagger, left, pictures.path, captions, limit=limit)
            for one in tqdm(found, total=len(left), unit="picture", disable=None, file=sys.stderr):
                problem = one.problem or self._keywords(one, pictures, place, to, captions)
                if problem:
                    failed += 1
                    self.stderr.write(f"{one.name}: {problem}")
                    continue
                done += 1
                rows = [TagRow(score.name, score.score, score.offered) for score in one.scores]
                if table is not None and one.name not in table.done:
                    table.add(one.name, rows)
                elif to_screen:
                    lines = tag_tables.lines(one.name, rows, source=source)
                    self.stdout.write(lines.decode().replace("\r\n", "\n"), ending="")
        return failed, done

    def _left(
        self, pictures: PictureFolder, table: TagTable | None, place: Place | None, to: Path | None
    ) -> list[str]:
        """What the table lacks, and what it has whose keywords may not be written."""
        if table is None:
            return list(pictures.names)
        left = [
            name for name in pictures.names if name not in table.done or _may_lack_keywords(name, place, to)
        ]
        if len(left) < len(pictures.names):
            self.stderr.write(f"{len(pictures.names) - len(left):,} pictures are in {table.path} already")
        return left

    def _captions(self, pictures: PictureFolder, file: Path | None) -> Mapping[str, str]:
        if file is None:
            return {}
        found, told = picture_folders.captions_of(pictures, file)
        for error in told:
            self.stderr.write(f"{error.item}: {error.message}")
        return found

    def _keywords(
        self,
        one: TaggedFile,
        pictures: PictureFolder,
        place: Place | None,
        to: Path | None,
        captions: Mapping[str, str],
    ) -> str:
        """Write them, if that was asked for; why it could not be done, or nothing."""
        if place is None:
            return ""
        picture = pictures.path(one.name)
        target = to / one.name if to else picture
        try:
            keyword_files.write(place, picture, target, tags=one.offered, caption=captions.get(one.name, ""))
        except Refused as error:
            return error.message
        except OSError as error:
            if storage.is_full(error):
                raise
            return f"Its keywords cannot be written ({error.strerror})."
        return ""


def _place(options: dict[str, Any]) -> tuple[Place | None, Path | None]:
    """Where keywords go. Raises BadInput where the two options do not fit each other."""
    word, to = options["write_keywords"], options["to"]
    place = Place(word) if word else None
    if place is Place.COPIES and to is None:
        raise BadInput("--write-keywords copies: name the folder for the copies with --to.")
    if to is not None and (place is None or place is Place.ORIGINALS):
        raise BadInput("--to says where copies or .xmp files go: use it with --write-keywords of these.")
    folder = options["folder"]
    if to is not None and folder.resolve().is_relative_to(to.resolve()):
        raise BadInput("--to: name a folder that the pictures are not in.")
    return place, to


def _may_lack_keywords(name: str, place: Place | None, to: Path | None) -> bool:
    """A copy has them if it is there; of other files only what the version says of them tells."""
    if place is Place.COPIES and to is not None:
        return not (to / name).exists()
    return place is not None


def _at_least_one(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number
