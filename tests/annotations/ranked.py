"""Suggestions of one tag, and the rankings over them, for tests of what is asked by score."""

from annotations.models import RankingAge, SuggestionSet
from annotations.services import rankings


def suggest(cast, images, tag_id, scores):
    SuggestionSet.objects.bulk_create(
        SuggestionSet(
            image=image,
            project=cast.project,
            tag_ids=[tag_id],
            scores=[score],
            offered_ids=[],
            sources=[[]],
        )
        for image, score in zip(images, scores, strict=True)
    )


def rank(project):
    """Build the rankings now, however new the last ones are."""
    RankingAge.objects.all().delete()
    assert rankings.refresh(project.pk)
