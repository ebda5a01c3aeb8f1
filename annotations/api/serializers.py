"""Shapes of request bodies: DRF checks types and ranges here; rules live in the services."""

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from annotations.models import Review
from annotations.models.image import CAPTION_MAX_CHARS

# Texts in JSON may carry a NUL, which PostgreSQL cannot store; CharField refuses it.


@extend_schema_field({"oneOf": [{"type": "integer"}, {"type": "string"}]})
class TagWord(serializers.Field):
    """A tag in a body: its id (integer), or its name or an alias (string)."""

    def to_internal_value(self, data: object) -> int | str:
        if isinstance(data, bool) or not isinstance(data, int | str):
            raise serializers.ValidationError("A tag is its id (a number) or its name (a string).")
        if isinstance(data, int) and not 0 < data < 2**63:
            raise serializers.ValidationError("A tag's id is a positive number.")
        if isinstance(data, str) and ("\x00" in data or len(data) > 400):
            raise serializers.ValidationError("A tag's name has at most 400 characters and no NUL.")
        return data

    def to_representation(self, value: int | str) -> int | str:
        return value


class ActBody(serializers.Serializer):
    """What its address says whole needs no body; with a `client_id` it can be sent again."""

    client_id = serializers.UUIDField(required=False)


class TagAnswerBody(serializers.Serializer):
    """A person's yes or no to one tag of one image, by their ids."""

    client_id = serializers.UUIDField(required=False)
    image = serializers.IntegerField(min_value=1, max_value=2**63 - 1)
    tag = serializers.IntegerField(min_value=1, max_value=2**63 - 1)
    answer = serializers.ChoiceField(["yes", "no"])


class ProjectBody(serializers.Serializer):
    client_id = serializers.UUIDField(required=False)
    name = serializers.CharField(max_length=200, required=False)
    description = serializers.CharField(required=False, allow_blank=True, max_length=20_000)
    instructions = serializers.CharField(required=False, allow_blank=True, max_length=100_000)
    reviews_per_image = serializers.IntegerField(required=False, min_value=1, max_value=20)
    extractor = serializers.CharField(required=False, max_length=200)
    holdout_percent = serializers.IntegerField(required=False, min_value=0, max_value=50)
    caption_language = serializers.CharField(required=False, max_length=10)
    unmarked = serializers.ChoiceField(required=False, choices=["no", "unknown"])
    keep_gps = serializers.BooleanField(required=False)


class MemberBody(ActBody):
    user = serializers.CharField(max_length=150)
    role = serializers.CharField(max_length=10)


class TagBody(serializers.Serializer):
    client_id = serializers.UUIDField(required=False)
    name = serializers.CharField(max_length=400)
    aliases = serializers.ListField(
        child=serializers.CharField(max_length=400), required=False, max_length=200
    )
    parent = TagWord(required=False, allow_null=True)
    hotkey = serializers.CharField(required=False, allow_null=True, max_length=5)
    description = serializers.CharField(required=False, allow_blank=True, max_length=20_000)


class TagChanges(TagBody):
    name = serializers.CharField(max_length=400, required=False)
    colour = serializers.CharField(required=False, allow_blank=True, max_length=20)


class MergeBody(ActBody):
    """`keep_words`: the tag's name and aliases become aliases of the other one."""

    into = TagWord()
    keep_words = serializers.BooleanField(default=True)


class SplitBody(ActBody):
    into = serializers.ListField(child=serializers.CharField(max_length=400), max_length=1_000)


class ProposalDecision(serializers.Serializer):
    client_id = serializers.UUIDField(required=False)


class ProposalAdoption(ProposalDecision):
    """Neither: what is proposed is done. `name`: a tag of that name. `alias_of`: another word for that tag."""

    name = serializers.CharField(max_length=400, required=False)
    alias_of = TagWord(required=False)


class ImageChanges(serializers.Serializer):
    revision = serializers.IntegerField(min_value=0)
    caption = serializers.CharField(required=False, allow_blank=True, max_length=CAPTION_MAX_CHARS)
    metadata = serializers.DictField(required=False)


class NextBody(serializers.Serializer):
    count = serializers.IntegerField(min_value=1, max_value=20, default=1)
    mode = serializers.ChoiceField(choices=["mixed", "uncertain", "random", "score"], default="mixed")
    tag = TagWord(required=False, allow_null=True, default=None)
    have = serializers.ListField(child=serializers.UUIDField(), required=False, max_length=200)
    without = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**63 - 1), required=False, max_length=1_000
    )


class LeasesBody(serializers.Serializer):
    leases = serializers.ListField(child=serializers.UUIDField(), max_length=200)
    refresh = serializers.BooleanField(default=False)


class ReviewBody(serializers.Serializer):
    client_id = serializers.UUIDField(required=False, allow_null=True, default=None)
    image = serializers.IntegerField(min_value=1, max_value=2**63 - 1)
    lease = serializers.CharField(max_length=64)
    revision = serializers.IntegerField(min_value=0, max_value=2**31 - 1)
    tags = serializers.ListField(child=TagWord(), required=False, default=list, max_length=2_000)
    rejected = serializers.ListField(child=TagWord(), required=False, default=list, max_length=2_000)
    outcome = serializers.ChoiceField(choices=Review.Outcome.values, default=Review.Outcome.REVIEWED)
    seconds = serializers.FloatField(
        required=False, allow_null=True, default=None, min_value=0, max_value=86_400
    )
    keystrokes = serializers.IntegerField(
        required=False, allow_null=True, default=None, min_value=0, max_value=1_000_000
    )
    picture_ms = serializers.IntegerField(
        required=False, allow_null=True, default=None, min_value=0, max_value=3_600_000
    )
    create_missing = serializers.BooleanField(default=False)


class VerifyBody(serializers.Serializer):
    client_id = serializers.UUIDField(required=False)
    tag = TagWord()
    yes = serializers.ListField(child=serializers.IntegerField(min_value=1), required=False, max_length=1_000)
    no = serializers.ListField(child=serializers.IntegerField(min_value=1), required=False, max_length=1_000)
    seconds = serializers.FloatField(required=False, allow_null=True, min_value=0, max_value=86_400)
    model_number = serializers.IntegerField(required=False, allow_null=True, min_value=0, max_value=2**31 - 1)


class BulkBody(serializers.Serializer):
    """`filter` takes the parameters of the list, `ids` the images themselves; `count` is what the caller confirmed."""

    client_id = serializers.UUIDField(required=False)
    filter = serializers.DictField(required=False, allow_null=True, default=None)
    ids = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**63 - 1),
        required=False,
        allow_null=True,
        default=None,
    )
    add = serializers.ListField(child=TagWord(), required=False, default=list, max_length=100)
    remove = serializers.ListField(child=TagWord(), required=False, default=list, max_length=100)
    queue = serializers.BooleanField(default=False)
    delete = serializers.BooleanField(default=False)
    count = serializers.IntegerField(required=False, allow_null=True, default=None, min_value=0)
