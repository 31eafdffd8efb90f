"""Translated words for exports: their progress, what their files lack, and what they were asked for."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from orm_views_admin.datetimes import from_field
from orm_views_admin.disclosure import may_see_request
from orm_views_admin.files.formats import format_of, suffix_of
from orm_views_admin.files.kept import is_kept
from orm_views_admin.files.request import ExportRequest, ExportResult
from orm_views_admin.files.xlsx import LONGEST
from orm_views_admin.models import Run
from orm_views_admin.models.accesses import in_words
from orm_views_admin.ui import wording
from orm_views_core.sentences import translate


def format_word(run: Run) -> str:
    """Return the name of the format of an export."""
    form = format_of(run)
    return form.word if form else str(run.options.get("format", ""))


def share(run: Run) -> tuple[int, int] | None:
    """Return how many rows of how many are written; None if that is not known."""
    estimate = run.options.get("estimate")
    if run.kind != Run.Kind.EXPORT or not estimate or not run.rows_after or run.rows_after >= estimate:
        return None
    return run.rows_after, estimate


def rows(run: Run) -> str:
    """Return how many rows an export has, or has so far."""
    if run.rows_after is None:
        return ""
    written = wording.number(run.rows_after)
    if not run.is_active:
        return written
    if known := share(run):
        about = {"rows": written, "all": wording.number(known[1]), "percent": 100 * known[0] // known[1]}
        return _("%(rows)s of about %(all)s (%(percent)s %%)") % about
    return _("%(rows)s so far") % {"rows": written}


def summary(run: Run) -> str:
    """Return what is to be said of the file of an export, in sentences; "" for nothing."""
    result, sentences = ExportResult.of(run), []
    if result.has_more:
        sentences.append(
            _("The file has only the first %(rows)s rows: there are more.")
            % {"rows": wording.number(run.rows_after or 0)}
        )
    if result.masked:
        words = ngettext(
            "A column with personal data is left out: %(columns)s.",
            "Columns with personal data are left out: %(columns)s.",
            len(result.masked),
        )
        sentences.append(words % {"columns": wording.listed(result.masked)})
    if result.cut:
        words = ngettext(
            "A text is cut and says so: a cell of XLSX has at most %(most)s characters.",
            "%(count)s texts are cut and say so: a cell of XLSX has at most %(most)s characters.",
            result.cut,
        )
        sentences.append(words % {"count": wording.number(result.cut), "most": wording.number(LONGEST)})
    if result.as_text:
        words = ngettext(
            "A column is text, because a value of it is none of the type in Parquet: %(columns)s.",
            "Columns are text, because a value of theirs is none of the type in Parquet: %(columns)s.",
            len(result.as_text),
        )
        sentences.append(words % {"columns": wording.listed(result.as_text)})
    if run.state == Run.State.SUCCEEDED and not is_kept(run):
        sentences.append(_("The file is no longer kept."))
    return " ".join(sentences)


def file_name(run: Run) -> str:
    """Return the name that the file of an export has when it is saved."""
    name = "".join(each if each.isalnum() or each in "._-" else "_" for each in run.name)
    return f"{name}-{from_field(run.queued_at):%Y-%m-%d}.{suffix_of(run)}"


def may_download(user: Any, run: Run) -> bool:
    """Return whether an export is a user's own, and its file is there."""
    return is_kept(run) and (user.is_superuser or run.user_id == user.pk)


def texts(user: Any, run: Run) -> dict[str, str]:
    """Return the texts of an export's page that other runs do not have, as a user may read them."""
    if run.kind != Run.Kind.EXPORT:
        return {}
    request = ExportRequest.of(run)
    asked = translate(in_words(request.conditions, request.about)) or _("all rows")
    file = f"{file_name(run)} ({wording.size(run.size_after)})" if may_download(user, run) else ""
    return {
        "format": format_word(run),
        "asked": asked if may_see_request(user, run) else "",
        "file": file,
    }
