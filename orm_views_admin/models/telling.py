"""What the sentences of a record were made of, stored beside them, so that pages can translate them.

The texts are in English: for searches, for files, and for a release that knows other sentences.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.db import models
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from orm_views_core.sentences import Json, Sentence, from_json, to_json
from orm_views_core.spelling import spelling_on

#: How JSON writes NUL, which PostgreSQL's JSON cannot have.
_NUL = "\\u0000"


class Telling(models.Model):
    """A record with sentences."""

    sentences = models.JSONField(
        _("sentences"),
        null=True,
        blank=True,
        help_text=_("What the sentences were made of, by field, so that they can be translated."),
    )

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.keep_sentences()
        super().save(*args, **kwargs)

    def keep_sentences(self) -> None:
        """Keep what the sentences among the fields are made of. Saving does it; creating in bulk does not."""
        if found := made_of(vars(self)):
            self.sentences = {**(self.sentences or {}), **found}

    def said(self, name: str) -> Sentence:
        """Return the text of a field as a sentence; as it was stored, if nothing more is known of it.

        Args:
            name: the name of the field.
        """
        return from_json((self.sentences or {}).get(name), getattr(self, name))


def made_of(facts: Mapping[str, object]) -> dict[str, Json]:
    """Return what the sentences among some facts are made of, by the name of the fact."""
    found = {name: to_json(value) for name, value in facts.items() if isinstance(value, Sentence) and value}
    return {name: data for name, data in found.items() if _can_be_stored(data)}


def beside_others(found: Mapping[str, Json], alias: str) -> Any:
    """Return what an update of ``sentences`` sets, so that those of other fields stay.

    Args:
        found: what the new sentences are made of.
        alias: the database.
    """
    if spelling_on(alias).abilities.staging:
        stored = Coalesce("sentences", models.Value({}, models.JSONField()))
        new = models.Value(found, models.JSONField())
        return models.Func(stored, new, template="(%(expressions)s)", arg_joiner=" || ")
    parts: list[Any] = [models.Func(models.F("sentences"), models.Value("{}"), function="COALESCE")]
    for name, data in found.items():
        as_json = models.Func(models.Value(json.dumps(data)), models.Value("$"), function="JSON_EXTRACT")
        parts += [models.Value(f"$.{name}"), as_json]
    return models.Func(*parts, function="JSON_SET", output_field=models.JSONField())


def _can_be_stored(data: Json) -> bool:
    """Return whether PostgreSQL takes a value as JSON: a name may have a lone surrogate."""
    try:
        return _NUL not in json.dumps(data, ensure_ascii=False).encode().decode()
    except UnicodeEncodeError:
        return False
