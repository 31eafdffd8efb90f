"""What a relation is that a view reads, or that hangs on a view, in words."""

from __future__ import annotations

from collections.abc import Mapping

from django.apps import apps
from django.utils.safestring import SafeString
from django.utils.translation import gettext, pgettext
from django.utils.translation import gettext_lazy as _

from orm_views_core.database.relation_kinds import KnownRelation, RelationKind
from orm_views_core.names import ViewName, parse_db_table

from .wording import with_names

#: The kinds of relations that are views.
VIEWS = frozenset({RelationKind.VIEW, RelationKind.MATERIALISED_VIEW})
_KINDS = {
    RelationKind.TABLE: _("table"),
    RelationKind.PARTITIONED: _("partitioned table"),
    RelationKind.FOREIGN: _("foreign table"),
    RelationKind.VIEW: _("plain view, not registered here"),
    RelationKind.MATERIALISED_VIEW: _("materialised view, not registered here"),
}


def what_it_is(
    name: ViewName, relation: KnownRelation | None, models: Mapping[ViewName, str]
) -> SafeString | str:
    """Return what a relation is, and the model that has it: “table of lending.Loan”.

    Args:
        name: its name.
        relation: what the catalogs say of it; None if it is not known.
        models: as :func:`models_by_table` returns them.
    """
    if relation is None:
        return gettext("not registered here")
    word = str(_KINDS[relation.kind])
    model = models.get(name)
    if model is None and relation.is_found:
        model = models.get(ViewName("", name.name))
    if model is None:
        return word
    return with_names(
        pgettext("a table and its model", "%(kind)s of %(model)s"), kind=SafeString(word), model=model
    )


def models_by_table() -> dict[ViewName, str]:
    """Return the labels of the models, by their tables, whose schema is "" if the model names none."""
    return {
        parse_db_table(model._meta.db_table): model._meta.label
        for model in apps.get_models(include_auto_created=True)
        if not model._meta.proxy
    }
