"""Values of a preview as people read them: NULL unlike an empty string, JSON laid out, long ones cut."""

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

SHORT = 80
#: More than this of one value is not sent at all.
WHOLE = 20_000


def render_value(value: Any, type_name: str) -> Any:
    """Return a value as text or HTML.

    Args:
        value: what the driver gave.
        type_name: the column's type, as PostgreSQL writes it.
    """
    if value is None:
        return _mark("NULL")
    if type_name in {"json", "jsonb"}:
        return _long(_json(value))
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple, dict)):
        return _long(json.dumps(value, default=str, ensure_ascii=False, indent=2))
    if isinstance(value, (int, decimal.Decimal, float)):
        return _number(value)
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
        return _bytes(bytes(value))
    text = str(value)
    return _long(text) if text else _mark(_("empty text"))


def _mark(word: str) -> SafeString:
    """Return a word that stands for a value and is none."""
    return format_html('<span class="ov-null">{}</span>', word)


def is_number(type_name: str) -> bool:
    """Say whether a column's values stand on the right."""
    return type_name.partition("(")[0] in {
        "smallint",
        "integer",
        "bigint",
        "numeric",
        "real",
        "double precision",
        "money",
    }


def _local(value: dt.datetime) -> dt.datetime:
    try:
        return timezone.localtime(value) if timezone.is_aware(value) else value
    except OverflowError:  # drivers give the first and last moments that Python has for the infinities
        return value


def _number(value: int | decimal.Decimal | float) -> str:
    # Whether thousands are set apart is left to the project: identifiers are numbers too.
    return str(formats.localize(value, use_l10n=True))


def _json(value: Any) -> str:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return str(value)
    return json.dumps(value, default=str, ensure_ascii=False, indent=2)


def _bytes(value: bytes) -> Any:
    size = ngettext("%(n)s byte", "%(n)s bytes", len(value)) % {"n": len(value)}
    return _long(f"{size}: {value[:WHOLE].hex(' ')}")


def _long(text: str) -> Any:
    one_line = " ".join(text.split())
    if len(one_line) <= SHORT:
        return (
            one_line if "\n" not in text.strip() or text[:1] in "{[" else format_html("<pre>{}</pre>", text)
        )
    rest = "" if len(text) <= WHOLE else "\n" + _("… and %(n)s characters more") % {"n": len(text) - WHOLE}
    return format_html(
        '<details class="ov-long"><summary>{}…</summary><pre>{}{}</pre></details>',
        one_line[: SHORT - 10],
        text[:WHOLE],
        rest,
    )
