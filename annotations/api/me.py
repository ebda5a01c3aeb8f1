"""API of what belongs to the caller alone: the keys of the Review page."""

from typing import Any

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotations import review_keys
from annotations.models import User
from annotations.selectors import key_map
from annotations.services import preferences


class KeysBody(serializers.Serializer):
    """`keys`: other keys by command; null brings the usual ones back. What is left out stays as it is."""

    keys = serializers.DictField(
        child=serializers.ListField(
            child=serializers.CharField(max_length=20, trim_whitespace=False), max_length=10
        ),
        required=False,
        allow_null=True,
    )
    single_keys = serializers.BooleanField(required=False)


def keys_json(user: User) -> dict[str, Any]:
    return {
        "commands": review_keys.as_config(),
        "keys": key_map.own(user),
        "single_keys": key_map.are_single_keys_on(user),
    }


class MyKeys(APIView):
    permission_classes = [IsAuthenticated]

    @extend_schema(responses={200: dict})
    def get(self, request: Request) -> Response:
        """The commands of the Review page with their keys, and what the caller has chosen instead."""
        return Response(keys_json(request.user))

    @extend_schema(request=KeysBody, responses={200: dict})
    @transaction.atomic
    def patch(self, request: Request) -> Response:
        """`keys` maps commands to lists of keys, null takes them back; `single_keys` turns single keys on or off."""
        body = KeysBody(data=request.data)
        body.is_valid(raise_exception=True)
        said = body.validated_data
        if "keys" in said and said["keys"] is None:
            preferences.reset_keys(actor=request.user)
        elif "keys" in said:
            preferences.set_keys(actor=request.user, keys=said["keys"])
        if "single_keys" in said:
            preferences.set_single_keys(actor=request.user, are_on=said["single_keys"])
        return Response(keys_json(request.user))
