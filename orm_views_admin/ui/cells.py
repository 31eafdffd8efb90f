"""The values of a preview as HTML: NULL and empty strings are marked, long values are cut."""

from __future__ import annotations

import datetime as dt
import decimal
import json
from typing import Any

from django.utils import formats, timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

#: The characters of a value that are shown at once. The rest is unfolded by a click.
SHORT = 80
#: The characters of a value that are sent at all.
WHOLE = 20_000
_NUMBERS = {"smallint", "integer", "bigint", "numeric", "real", "double precision", "money"}


def render_value(value: Any, type_name: str) -> str:
    """Return a value as text or HTML.

    Args:
        value: the value as psycopg returned it.
        type_name: the column's type, as PostgreSQL writes it.
    """
    if value is None:
        return _mark("NULL")
    if type_name in {"json", "jsonb"} or isinstance(value, (list, tuple, dict)):
        return _long(_json(value))
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, decimal.Decimal, float)):
        # The project's USE_THOUSAND_SEPARATOR decides about separators: identifiers are numbers too.
        return str(formats.localize(value, use_l10n=True))
    if isinstance(value, dt.datetime):
        local = _local(value)
        text = f"{formats.date_format(local, 'SHORT_DATE_FORMAT')} {local:%H:%M:%S}"
        return format_html(
            '<time datetime="{}" title="{}">{}</time>', value.isoformat(), value.isoformat(" "), text
        )
    if isinstance(value, dt.date):
        text = formats.date_format(value, "SHORT_DATE_FORMAT")
        return format_html('<time datetime="{}">{}</time>', value.isoformat(), text)
    if isinstance(value, (bytes, memoryview)):
        data = bytes(value)
        size = ngettext("%(n)s byte", "%(n)s bytes", len(data)) % {"n": len(data)}
        return _long(f"{size}: {data[:WHOLE].hex(' ')}")
    text = str(value)
    return _long(text) if text else _mark(_("empty text"))


def render_mask() -> SafeString:
    """Return what is shown in the place of a value that was not read, because it is personal."""
    return _mark(_("masked"))


def _mark(word: str) -> SafeString:
    """Return a word that describes a value, so marked that it cannot be taken for the value."""
    return format_html('<span class="ov-null">{}</span>', word)


def is_number(type_name: str) -> bool:
    """Return whether the values of a type are numbers, which are aligned on the right."""
    return type_name.partition("(")[0] in _NUMBERS


def _local(value: dt.datetime) -> dt.datetime:
    try:
        return timezone.localtime(value) if timezone.is_aware(value) else value
    except OverflowError:  # psycopg returns Python's first and last datetime for infinity
        return value


def _json(value: Any) -> str:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return str(value)
    return json.dumps(value, default=str, ensure_ascii=False, indent=2)


def _long(text: str) -> str:
    """Return a text; if it is long, its beginning, which unfolds the rest."""
    one_line = " ".join(text.split())
    if len(one_line) <= SHORT:
        keeps_lines = "\n" in text.strip() and text[:1] not in "{["
        return format_html("<pre>{}</pre>", text) if keeps_lines else one_line
    rest = "" if len(text) <= WHOLE else "\n" + _("… and %(n)s characters more") % {"n": len(text) - WHOLE}
    return format_html(
        '<details class="ov-long"><summary>{}…</summary><pre>{}{}</pre></details>',
        one_line[: SHORT - 10],
        text[:WHOLE],
        rest,
    )
