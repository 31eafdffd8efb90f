"""Conversion of times. Those of core are aware; with ``USE_TZ = False``, those of model fields are naive."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.utils import timezone


def to_field(moment: dt.datetime) -> dt.datetime:
    """Return a time of core as model fields store it."""
    return moment if settings.USE_TZ else timezone.make_naive(moment, timezone.get_default_timezone())


def from_field(moment: dt.datetime) -> dt.datetime:
    """Return a time of a model field as an aware one."""
    if timezone.is_aware(moment):
        return moment
    return timezone.make_aware(moment, timezone.get_default_timezone())


def in_utc(moment: dt.datetime) -> dt.datetime:
    """Return a time of a model field in UTC."""
    return from_field(moment).astimezone(dt.timezone.utc)


def ago(age: dt.timedelta) -> dt.datetime | None:
    """Return the time that is so long ago, for a model field; None for an age that nothing has."""
    try:
        return timezone.now() - age
    except OverflowError:  # with timedelta.max, for example
        return None
