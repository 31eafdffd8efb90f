"""What the search of the list finds besides text: the views that hang on tables, on views and on columns."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from orm_views_admin.addresses import ViewAddress
from orm_views_admin.pages.base import UNREADABLE
from orm_views_admin.permissions import unseen, visible
from orm_views_admin.ui import wording
from orm_views_admin.ui.lineage import why_found
from orm_views_core.engines.connections import get_connection
from orm_views_core.lineage import Found, find_hanging
from orm_views_core.lineage.search import find_by_reads
from orm_views_core.names import ViewName
from orm_views_core.spelling import spelling_on
from orm_views_core.status import DatabaseStatus

#: So many names are listed in a sentence.
_MOST = 5


@dataclass
class Hits:
    """What was found.

    Attributes:
        hanging: by view, the texts that name what it hangs on, in lower case, each with the reason.
        sentences: what was found, a sentence for each table, view and column.
        errors: by database, why it could not be searched.
    """

    hanging: Mapping[ViewAddress, Mapping[str, str]] = field(default_factory=dict)
    sentences: Sequence[str] = ()
    errors: Mapping[str, Exception] = field(default_factory=dict)


def search(databases: Iterable[DatabaseStatus], texts: Sequence[str], user: Any) -> Hits:
    """Return the views that hang on what some texts name, in each database that answers.

    The number of queries does not depend on the number of views.

    Args:
        databases: what the list shows.
        texts: the whole search, and its words. These are of interest if the whole is no name.
        user: who searches. What the user may not see is neither found, nor does it count.
    """
    if not texts:
        return Hits()
    hanging: defaultdict[ViewAddress, dict[str, str]] = defaultdict(dict)
    sentences: list[str] = []
    errors: dict[str, Exception] = {}
    for database in databases:
        if database.error is not None:
            continue
        listed = {view.name for view in database.views}
        try:
            hits = _find(database, _spellings(texts))
        except UNREADABLE as error:
            errors[database.database] = error
            continue
        found = {text: _seen(each, database.database, user) for text, each in hits.items()}
        found = {text: several for text, several in found.items() if several}
        if wholes := {text: found[text] for text in _spellings(texts[:1]) if text in found}:
            found = wholes
        for text, each in ((text, each) for text, several in found.items() for each in several):
            for name in each.names:
                hanging[ViewAddress(database.database, name)].setdefault(
                    text.lower(), why_found(each, name, text)
                )
        unique = {(each.relation, each.column): each for several in found.values() for each in several}
        sentences += [_sentence(each, listed) for _key, each in sorted(unique.items())]
    return Hits(dict(hanging), sentences, errors)


def _find(database: DatabaseStatus, texts: Sequence[str]) -> Mapping[str, list[Found]]:
    """Return what hangs on what texts name. Where columns are not followed, these are tables and views."""
    if spelling_on(database.database).abilities.staging:
        return find_hanging(get_connection(database.database), texts)
    reads = {view.name: view.installed.reads for view in database.views if view.name and view.installed}
    return find_by_reads(database.database, reads, texts)


def _seen(found: Iterable[Found], alias: str, user: Any) -> list[Found]:
    """Return what was found without the views that a user may not see."""
    hidden, shown = unseen(user, alias).names, []
    for each in found:
        if each.relation in hidden:
            continue
        seen = {address.name for address in visible(user, [ViewAddress(alias, name) for name in each.reads])}
        reads = {name: frozenset(reads - hidden) for name, reads in each.reads.items() if name in seen}
        views = {name: lineage for name, lineage in each.views.items() if name in seen}
        shown.append(replace(each, reads=reads, views=views))
    return shown


def _spellings(texts: Iterable[str]) -> list[str]:
    """Return texts as they are written, and in lower case, as PostgreSQL reads names without quotes."""
    return [*dict.fromkeys(each for text in texts for each in (text, text.lower()))]


def _sentence(found: Found, listed: Collection[ViewName | None]) -> str:
    """Say how many views hang on something, and which of them the list does not have."""
    count = len(found.names)
    words = ngettext("%(count)s view hangs on %(name)s.", "%(count)s views hang on %(name)s.", count) % {
        "count": wording.number(count),
        "name": f"{found.relation}.{found.column}" if found.column else found.relation,
    }
    others = sorted(name for name in found.names if name not in listed)
    if not others:
        return words
    named = wording.listed(others[:_MOST]) + ("…" if len(others) > _MOST else "")
    return words + " " + _("Not in this list: %(names)s.") % {"names": named}
