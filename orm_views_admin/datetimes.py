"""Times as fields keep them. Core's have a zone; with ``USE_TZ = False`` fields take none and give none."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.utils import timezone


def to_field(moment: dt.datetime) -> dt.datetime:
    """Return a time of core's for a field of a model."""
    return moment if settings.USE_TZ else timezone.make_naive(moment, timezone.get_default_timezone())


def from_field(moment: dt.datetime) -> dt.datetime:
    """Return a field's time with its zone."""
    if timezone.is_aware(moment):
        return moment
    return timezone.make_aware(moment, timezone.get_default_timezone())
