"""Our own exports come back as tables."""

import pytest

from annotations import tasks
from annotations.models import Decision, Image, ImportJob, OutsideSuggestion
from annotations.selectors import truth
from annotations.services import exports, projects, storage
from tests.annotations import files
from tests.annotations.import_tables.said import tags_of
from tests.factories import make_images, make_tags, review_next


class TestOurOwnExports:
    """What we write comes back: into the same project nothing changes, into another one it is all there."""

    AWKWARD = ("=1+1", "a,b", 'quo"te', "pi|pe", "back\\slash", "🐕", "שלום", "@home")

    @pytest.fixture
    def reviewed(self, cast):
        """Two reviewed images, one with nothing on it, and one that got answers to single tags."""
        make_tags(cast.project, *self.AWKWARD, "cat", "dog")
        images = make_images(cast.project, 4, caption="=caption")
        for index, image in enumerate(images):
            storage.put(image.storage_key, files.picture(index))
        for yes, rejected in (((*self.AWKWARD, "dog"), ("cat",)), ((), ())):
            review_next(cast, cast.annotator, yes=yes, rejected=rejected)
        waiting = Image.objects.filter(state="pending").order_by("pk")[0]
        for tag, value in (("dog", "yes"), ("cat", "no")):
            Decision.objects.create(
                project=cast.project,
                image=waiting,
                tag=cast.project.tags.get(name=tag),
                user=cast.reviewer,
                value=value,
                scope=Decision.Scope.TAG,
            )
        return cast.project

    @staticmethod
    def written(project, format):
        job = exports.start(project, actor=None, format=format)
        tasks.run_export(job.pk)
        job.refresh_from_db()
        return storage.read(job.file_key)

    @staticmethod
    def said(project):
        """Of each image, by its name: state, explicit yes and no, and whether the rest is an implied no."""
        names = dict(project.tags.values_list("pk", "name"))
        images = {image.pk: image for image in project.images.all()}
        return {
            images[pk].name: (
                images[pk].state,
                sorted(names[tag] for tag in one.yes),
                sorted(names[tag] for tag in one.no),
                bool(one.implied_no),
            )
            for pk, one in truth.verdicts(project, list(images)).items()
        }

    @pytest.mark.parametrize("format", ["csv-long", "jsonl"])
    def test_they_come_back_into_another_project(self, cast, reviewed, client_of, format):
        elsewhere = projects.create(cast.admin, name="A copy")
        make_images(elsewhere, 4)
        data = self.written(reviewed, format)
        # The copy's pictures are others: their rows find them by name alone.
        for image in Image.objects.filter(project=reviewed):
            data = data.replace(image.sha256.encode(), b"")
        body = files.form({"manifest": (f"export.{'csv' if format == 'csv-long' else 'jsonl'}", data)})
        address = f"/api/v1/projects/{elsewhere.pk}/imports/"
        job_id = client_of(cast.admin).post(address, body, content_type=files.FORM).json()["id"]
        tasks.run_import(job_id)
        job = ImportJob.objects.get(pk=job_id)
        assert (job.errors, job.result["updated"]) == ([], 4)
        expected = self.said(reviewed)
        assert {state for state, *_ in expected.values()} == {"reviewed", "pending"}
        assert self.said(elsewhere) == expected
        captions = set(Image.objects.filter(project=elsewhere).values_list("caption", flat=True))
        assert captions == {"=caption"}
        # The version that a person answered to is none that suggests.
        assert not OutsideSuggestion.objects.exists()

    @pytest.mark.parametrize("format", ["csv", "csv-long", "jsonl"])
    def test_into_the_same_project_they_change_nothing_that_was_said(self, cast, reviewed, landed, format):
        before = self.said(reviewed)
        job = landed(
            self.written(reviewed, format), name=f"export.{format[:3]}" if "csv" in format else "export.jsonl"
        )
        assert job.errors == []
        assert self.said(reviewed) == before
        again = landed(
            self.written(reviewed, format), name=f"export.{format[:3]}" if "csv" in format else "export.jsonl"
        )
        assert again.result == {"added": 0, "updated": 0, "duplicates": 4, "refused": 0}

    def test_an_explicit_no_blocks_the_suggestion(self, cast, landed):
        (image,) = make_images(cast.project, 1)
        make_tags(cast.project, "cat")
        landed(f"name,tag,verdict\n{image.name},cat,no\n".encode())
        assert truth.explicit_no([image.pk]) == {
            image.pk: set(cast.project.tags.values_list("pk", flat=True))
        }

    def test_a_verdict_that_has_changed_replaces_the_imported_one(self, cast, landed):
        (image,) = make_images(cast.project, 1)
        for verdict, decisions in (("yes", 1), ("no", 2), ("no", 2), ("yes", 3)):
            landed(f"name,tag,verdict\n{image.name},cat,{verdict}\n".encode())
            assert Decision.objects.count() == decisions
            assert tags_of(cast, image) == ((["cat"], []) if verdict == "yes" else ([], ["cat"]))
