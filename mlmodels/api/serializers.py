"""Shapes of request bodies: DRF checks types and ranges here; rules live in the services."""

from rest_framework import serializers

CAPTION_MAX_CHARS = 200_000
LIMIT_MAX = 10_000


class RunBody(serializers.Serializer):
    client_id = serializers.UUIDField(required=False)
    kind = serializers.ChoiceField(choices=["head", "finetune"], default="head")
    extractor = serializers.CharField(required=False, allow_null=True, default=None, max_length=200)
    options = serializers.DictField(required=False, default=dict)


class PolicyBody(serializers.Serializer):
    every_reviews = serializers.IntegerField(required=False, min_value=1, max_value=100_000)
    at_most_every_seconds = serializers.FloatField(required=False, min_value=0, max_value=604_800)
    after_quiet_seconds = serializers.FloatField(required=False, min_value=0, max_value=604_800)
    finetune_every_reviews = serializers.IntegerField(required=False, min_value=0, max_value=1_000_000)
    finetune_cron = serializers.CharField(required=False, allow_null=True, allow_blank=True, max_length=100)
    paused = serializers.BooleanField(required=False)


class AskingBody(serializers.Serializer):
    uncertain = serializers.IntegerField(required=False, min_value=0, max_value=90)
    diverse = serializers.IntegerField(required=False, min_value=0, max_value=90)
    rare = serializers.IntegerField(required=False, min_value=0, max_value=90)
    disagreement = serializers.IntegerField(required=False, min_value=0, max_value=90)


class PredictBody(serializers.Serializer):
    image = serializers.FileField(required=False, allow_empty_file=True)
    caption = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=CAPTION_MAX_CHARS, trim_whitespace=False
    )
    limit = serializers.IntegerField(required=False, default=20, min_value=0, max_value=LIMIT_MAX)
