"""Who may see and do what: staff of every kind, views of every kind, and all pages.

``rules.py`` says what is right. What one may not see is on no page: neither names nor values of rows.
The suite tries a sample. With ``ATTACKS`` set, everything is tried.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import product
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.auth import get_user_model
from django.core.files.base import ContentFile
from django.db import transaction
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from orm_views_admin.files.request import ExportRequest, ExportResult
from orm_views_admin.files.storage import export_storage
from orm_views_admin.models import Run
from orm_views_core.database.rows import Cell, digest
from tests.admin.browse import LIST, hidden_fields, key
from tests.admin.histories import make_run
from tests.admin.histories import path_of as path_of_run
from tests.admin.rights import world
from tests.admin.rights.rules import ROWS, VERBS, View, Who, can, can_read_in_admin
from tests.admin.rights.world import ANALYSTS, OPERATORS, VIEWS, logged_in, row_of, words_of
from tests.conftest import ATTACK, WHOLE

pytestmark = pytest.mark.django_db(databases=["default", "warehouse"])

_EACH = [(), *((verb,) for verb in VERBS), *(("view", verb) for verb in VERBS[1:])]
_MORE = [
    ("view", "preview", "preview_hidden"),
    ("view", "preview", "export"),
    ("view", "preview", "preview_hidden", "export"),
    ("view", "refresh", "cancel", "sync"),
    tuple(VERBS),
]
#: Those with few permissions see too little for groups to matter.
PEOPLE = [
    *(Who(verbs) for verbs in _EACH),
    *(
        Who(verbs, groups, is_more, sees_accesses=is_more, has_hook=is_more)
        for verbs, groups, is_more in product(
            [("view",), *_MORE], [(), ANALYSTS, (*ANALYSTS, *OPERATORS)], (False, True)
        )
    ),
    Who(tuple(VERBS), OPERATORS, django=True, sees_accesses=True),
    Who((), is_superuser=True),
    Who((), is_superuser=True, has_hook=True),
]
#: One who may not see the secret view, one for whom more is forbidden, and a superuser of whom that is true.
SAMPLE = [
    Who(tuple(VERBS), django=True, sees_accesses=True),
    Who(("view", "preview", "export"), (*ANALYSTS, *OPERATORS), django=True, has_hook=True),
    Who((), is_superuser=True, has_hook=True),
]
#: The pages about one view: the action that each needs, and whether it shows rows.
PAGES = {
    "detail": "view",
    "changes": "view",
    "change": "view",
    "count": "view",
    "preview": "preview",
    "cell": "preview",
    "export": "export",
}
#: What is answered to those who may, if it is not a page: the view is gone, or no class declares it.
ANSWERS = {
    ("detail", "zq_dropped"): 302,
    ("count", "zq_dropped"): 404,
    ("preview", "zq_dropped"): 404,
    ("cell", "zq_dropped"): 404,
    ("export", "zq_dropped"): 404,
}


@pytest.fixture(autouse=True)
def views(registered, execute):
    world.build(registered, execute)


@pytest.fixture(autouse=True)
def kept(settings, tmp_path):
    """The files of exports."""
    backend = "django.core.files.storage.FileSystemStorage"
    storage = {"BACKEND": backend, "OPTIONS": {"location": str(tmp_path)}}
    settings.STORAGES = {**settings.STORAGES, "orm_views_exports": storage}


def path_of(page: str, view: View) -> str:
    """Return the address of a page about a view; "" if there is no such page."""
    parts: dict[str, Any] = {"database": view.database, "schema": "views", "name": view.name}
    if page == "change":
        parts["pk"] = VIEWS.index(view) + 1
    try:
        path = reverse(f"orm_views_admin:{page}", kwargs=parts)
    except NoReverseMatch:
        return ""
    if page != "cell":
        return path
    column, text = words_of(view)[-2], row_of(view)
    if view is world.READABLE:
        column, text = "status", "active"
    return f"{path}?{urlencode({'column': column, 'row': 1, 'digest': digest(Cell(text, len(text)))})}"


class Table:
    """The cells: what was tried, and what is wrong.

    Attributes:
        views: the views whose pages are tried.
    """

    def __init__(self, client: Any, who: Who, views: Sequence[View] = VIEWS) -> None:
        self.client, self.who, self.views = client, who, views
        self.count, self.wrong = 0, []

    def is_(self, right: object, about: str, found: object = "") -> None:
        self.count += 1
        if not right:
            self.wrong.append(f"{self.who}: {about} {found}".strip())

    def body(self, path: str, **data: Any) -> tuple[int, str]:
        response = self.client.get(path, data)
        raw = b"".join(response.streaming_content) if response.streaming else response.content
        text = raw.decode(errors="replace")
        self.shows_nothing_else(path, text, path + "?" + "&".join(map(str, data.values())))
        return response.status_code, text

    def shows_nothing_else(self, about: str, text: str, said: str) -> None:
        """Look for what this user may not see; what the request itself says does not count."""
        text = re.sub(r"</?(?:wbr|bdi)\b[^>]*>", "", text)
        for view in VIEWS:
            if not can(self.who, "view", view):
                # The readable view is a model of Django's too, which has pages of its own.
                found = [word for word in words_of(view) if word in text and word not in said]
                self.is_(not found, f"{about} names", found)
            if not can(self.who, "preview", view):
                self.is_(row_of(view) not in text, f"{about} shows a row of", view.name)

    def status(self, path: str, needed: str, view: View, answer: int = 200, **data: Any) -> str:
        """Look at a page about a view."""
        code, text = self.body(path, **data)
        right = answer
        if not can(self.who, needed):
            right = 403
        elif not can(self.who, "view", view):
            right = 404
        elif not can(self.who, needed, view):
            right = 403
        self.is_(code == right, f"{path} answers {code} instead of {right}", re.sub(r"\s+", " ", text)[:0])
        return text if code == right == 200 else ""


def pages_of_views(table: Table) -> None:
    for view, (page, needed) in product(table.views, PAGES.items()):
        if not (path := path_of(page, view)):
            continue
        answer = ANSWERS.get((page, view.name), 302 if page == "export" else 200)
        text = table.status(path, needed, view, answer)
        if text and needed in ROWS and page != "export" and view.has_rows and page == "preview":
            table.is_(row_of(view) in text, f"{path} has no row of", view.name)


def lists(table: Table) -> None:
    """What is about several views names those that may be seen, and no others."""
    may_view = can(table.who, "view")
    for view in table.views:
        seen = can(table.who, "view", view)
        name = words_of(view)[0]
        code, text = table.body(LIST, q=words_of(view)[-1])
        table.is_(code == (200 if may_view else 403), f"search answers {code}")
        listed = f"/view/{view.database}/views/{view.name}/" in text
        table.is_(listed == (seen and view is not world.DROPPED), f"search finds {name}: {listed}")
        # What names a view in a search finds others that hang on it.
        for words in () if seen else (name, f"views.{name}", f"{name}.{words_of(view)[-2]}"):
            table.body(LIST, q=words)
        for path in (f"{LIST}runs/", f"{LIST}runs/export/json/"):
            code, text = table.body(path, view=key(view.name, database=view.database))
            table.is_(code == (200 if may_view else 403), f"{path} answers {code}")
            found = f"views.{view.name} failed" in text
            table.is_(found == seen, f"{path} has runs of {name}: {found}")
        code, text = table.body(f"{LIST}graph/", view=key(view.name, database=view.database), tables="on")
        there = seen and view is not world.DROPPED
        right = (200 if there else 404) if may_view else 403
        table.is_(code == right, f"graph of {name} answers {code} instead of {right}")
    for path in (
        LIST,
        f"{LIST}graph/",
        f"{LIST}runs/",
        f"{LIST}runs/export/csv/",
        f"{LIST}runs/export/json/",
    ):
        code, text = table.body(path)
        table.is_(code == (200 if may_view else 403), f"{path} answers {code}")
        for view in VIEWS if may_view else ():
            if can(table.who, "view", view) and view is not world.DROPPED and path != f"{LIST}graph/":
                table.is_(view.name in text, f"{path} lacks {view.name}")
    table.body(f"{LIST}graph/", tables="on", database="warehouse")
    table.body(f"{LIST}graph/", tables="on")
    count = sum(can(table.who, "view", view) for view in VIEWS if view is not world.DROPPED)
    if may_view:
        code, text = table.body(LIST)
        table.is_(f"{count} views" in text or count < 2, f"the list does not count {count}")
    table.body("/admin/")


def runs_of_views(table: Table) -> None:
    for run in Run.objects.all():
        view = next((view for view in VIEWS if (view.name, view.database) == (run.name, run.database)), None)
        if view is not None and view not in table.views:
            continue
        for page in ("", "state/"):
            path = f"{LIST}runs/{run.request}/{page}"
            if view is not None:
                text = table.status(path, "view", view)
            else:
                code, text = table.body(path)
                table.is_(code == (200 if can(table.who, "view") else 403), f"{path} answers {code}")
            if text and view is not None and run.state == Run.State.FAILED:
                shown = row_of(view) in text
                right = can(table.who, "preview", view)
                table.is_(shown == right, f"the error of {view.name} is whole: {shown}")


def files(table: Table) -> None:
    """The file of an export is sent to who made it, while the right to export lasts, and to superusers."""
    zoe = get_user_model().objects.get(username="zoe")
    for view, is_own, personal in product(table.views, (True, False), ((), (words_of(table.views[0])[-2],))):
        with transaction.atomic():
            result = ExportResult(personal=personal).as_options()
            run = make_run(
                view.name,
                database=view.database,
                kind=Run.Kind.EXPORT,
                user=zoe if is_own else None,
                file=export_storage().save("rows.csv", ContentFile(row_of(view))),
                options={**ExportRequest("csv").as_options(), "result": result},
            )
            right = 200
            if not can(table.who, "export"):
                right = 403
            elif not can(table.who, "view", view):
                right = 404
            elif (
                not (is_own or table.who.is_superuser)
                or not can(table.who, "export", view)
                or (personal and not can(table.who, "view_personal", view))
            ):
                right = 403
            code, text = table.body(path_of_run(run, "file/"))
            about = f"the file of {view.name}, own: {is_own}, personal: {bool(personal)}"
            table.is_(code == right, f"{about} answers {code} instead of {right}")
            table.is_((text == row_of(view)) == (right == 200), f"{about} is sent or not")
            transaction.set_rollback(True)


def accesses(table: Table) -> None:
    """Who has read rows is told of the views that may be seen."""
    who = table.who
    allowed = can(who, "view") and (who.sees_accesses or who.is_superuser)
    for path in (f"{LIST}accesses/", f"{LIST}accesses/export/json/"):
        code, text = table.body(path)
        table.is_(code == (200 if allowed else 403), f"{path} answers {code}")
        for view in VIEWS if allowed else ():
            table.is_((view.name in text) == can(who, "view", view), f"{path} has {view.name} or not")
        for view in table.views:
            code, _text = table.body(path, view=key(view.name, database=view.database))
            right = (200 if can(who, "view", view) else 404) if allowed else 403
            table.is_(code == right, f"{path} about {view.name} answers {code} instead of {right}")


def rows_in_the_admin(table: Table) -> None:
    who, view = table.who, world.READABLE
    may_read = can_read_in_admin(who, view)
    code, text = table.body("/admin/lending/activeloans/")
    table.is_(code == (200 if may_read else 403), f"the rows in the admin answer {code}")
    if code == 200:
        table.is_("7.3" in text or row_of(view) in text, "the rows in the admin are not there")


def posts(table: Table) -> None:
    """What is sent does something for those who may, and nothing for others."""
    who = table.who
    for view in table.views:
        address = key(view.name, database=view.database)
        with transaction.atomic(), transaction.atomic("warehouse"):
            response = table.client.post(f"{LIST}refresh/", {"view": address, "confirm": "yes"})
            started = response.status_code == 302 and "/runs/" in response.headers["Location"]
            right = can(who, "refresh", view) and view.is_materialised and view.there
            table.is_(started == right, f"refresh of {view.name} starts: {started}")
            transaction.set_rollback(True)
            transaction.set_rollback(True, "warehouse")
        with transaction.atomic():
            response = table.client.post(path_of("export", view), {"format": "csv"})
            right_code = 302
            if not can(who, "export"):
                right_code = 403
            elif not can(who, "view", view):
                right_code = 404
            elif not can(who, "export", view):
                right_code = 403
            elif view is world.DROPPED:
                right_code = 404
            table.is_(response.status_code == right_code, f"export {view.name}: {response.status_code}")
            started = response.status_code == 302 and "/runs/" in response.headers["Location"]
            table.is_(started == (right_code == 302 and view.has_rows), f"export {view.name}: {started}")
            transaction.set_rollback(True)
        with transaction.atomic():
            run = Run.objects.get(name=view.name, database=view.database, state=Run.State.QUEUED)
            response = table.client.post(f"{LIST}runs/{run.pk}/cancel/")
            right_code = 302
            if not can(who, "view"):  # whoever may see runs may cancel an export of one's own
                right_code = 403
            elif not can(who, "view", view):
                right_code = 404
            elif not can(who, "cancel", view):
                right_code = 403
            table.is_(response.status_code == right_code, f"cancel {view.name}: {response.status_code}")
            run.refresh_from_db()
            table.is_(run.is_active == (right_code != 302), f"cancelled {view.name}: {not run.is_active}")
            transaction.set_rollback(True)


def plans(table: Table, fields: dict[str, Any]) -> None:
    who = table.who
    code, text = table.body(f"{LIST}refresh/")
    table.is_(code == (200 if can(who, "refresh") else 403), f"refresh answers {code}")
    for view in VIEWS:
        if can(who, "refresh"):
            listed = view.is_materialised and view.there and can(who, "refresh", view)
            there = f'value="{key(view.name)}"' in text or f"/view/default/views/{view.name}/" in text
            table.is_(listed == there, f"the page of refreshes lists {view.name}: {there}")
    code, text = table.body(f"{LIST}sync/")
    table.is_(code == (200 if can(who, "sync") else 403), f"sync answers {code}")
    right = all(can(who, "sync", view) for view in (world.NEW, world.ORPHAN))
    table.is_(('name="confirm"' in text) == right, f"the plan can be confirmed: {not right}")
    code, text = table.body(f"{LIST}sync/compare/")
    table.is_(code == (200 if can(who, "sync") else 403), f"the comparison answers {code}")
    for view in table.views:
        table.status(f"{LIST}sync/compare/?view={key(view.name, database=view.database)}", "sync", view)
        table.body(f"{LIST}sync/", view=key(view.name, database=view.database))
        table.body(f"{LIST}refresh/", view=key(view.name, database=view.database))
    with transaction.atomic():
        response = table.client.post(f"{LIST}sync/", {**fields, "confirm": "yes"})
        table.is_(response.status_code == (302 if right else 403), f"a sync answers {response.status_code}")
        table.is_(Run.objects.filter(kind="sync").count() == 1 + right, "a sync was started or not")
        table.shows_nothing_else("sync", response.content.decode(), str(fields))
        transaction.set_rollback(True)


#: So many people are tried by one test, with the same views.
_AT_ONCE = 6


def people() -> list[list[tuple[Who, Sequence[View]]]]:
    """Return whom to try, each with the views whose pages are looked at; of the sample, with two of them."""
    others = [view for view in VIEWS if view is not world.SECRET]
    if not WHOLE:
        return [[(who, [world.SECRET, others[2 * n]]) for n, who in enumerate(SAMPLE)]]
    return [[(who, VIEWS) for who in PEOPLE[n : n + _AT_ONCE]] for n in range(0, len(PEOPLE), _AT_ONCE)]


@pytest.mark.parametrize("tried", people(), ids=lambda tried: f"{tried[0][0]} and {len(tried) - 1} others")
def test_everybody_sees_and_does_what_is_right_and_nothing_else(admin_client, record_property, tried):
    page = admin_client.get(f"{LIST}sync/").content.decode()
    fields = {**hidden_fields(page), "default-drop-0": "views.zq_orphan"}
    count, wrong = 0, []
    parts = (pages_of_views, lists, runs_of_views, files, accesses, rows_in_the_admin, posts)
    for who, looked_at in tried:
        Run.objects.filter(state=Run.State.QUEUED).update(queued_at=timezone.now())
        with logged_in(who) as client:
            table = Table(client, who, looked_at)
            for part in parts:
                part(table)
            plans(table, fields)
        count, wrong = count + table.count, wrong + table.wrong
    told = f"{count} cells of who may see what, {len(tried)} people, {len(wrong)} wrong"
    record_property(ATTACK, told)
    print(told)
    assert not wrong, "\n".join(wrong)
