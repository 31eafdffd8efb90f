"""Tables with fields of other packages. A package that is not installed has none."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.db import models


@dataclass(frozen=True)
class Case:
    """A table whose column is of a class of field of a package.

    Attributes:
        package: the name of the package on the index.
        label: what the documentation calls the field.
        model: the table.
        rows: what to put into it.
        columns: the fields that its view shows.
        is_found: whether rows are found by a value; what is encrypted is not.
    """

    package: str
    label: str
    model: Any
    rows: Sequence[dict[str, Any]]
    columns: Sequence[str]
    is_found: bool = True


CASES: list[Case] = []
#: The packages that are not installed, which have no cases.
ABSENT: list[str] = []


def _case(
    package: str,
    path: str,
    make: Callable[[Any], dict[str, Any]],
    *values: Any,
    beside: Sequence[str] = (),
    label: str = "",
    is_found: bool = True,
) -> None:
    """Add the table of a field, if its package is installed.

    Args:
        package: the name of the package.
        path: the path of the field's class.
        make: a function that is called with the class, and returns the fields of the table.
        values: those of the field ``value``; {} leaves it out.
        beside: further columns that the view shows.
        label: the name of the field; that of the class by default.
        is_found: whether rows are found by a value.
    """
    module, _, name = path.rpartition(".")
    if not find_spec(path.partition(".")[0]):
        ABSENT.append(package)
        return
    label = label or name
    word = "".join(filter(str.isalnum, label)) + package.replace("-", "").title()
    fields = make(getattr(import_module(module), name))
    meta = type("Meta", (), {"app_label": "fields"})
    model = type(word, (models.Model,), {"__module__": __name__, "Meta": meta, **fields})
    rows = [value if isinstance(value, dict) else {"value": value} for value in values]
    columns = ["pk", *([] if fields["value"].primary_key else ["value"]), *beside]
    CASES.append(Case(package, label, model, rows, columns, is_found))


def _plain(**arguments: Any) -> Callable[[Any], dict[str, Any]]:
    return lambda field: {"value": field(**arguments)}


_HASHID = "django-hashid-field"
for _name in ("HashidAutoField", "BigHashidAutoField"):
    _case(_HASHID, f"hashid_field.{_name}", _plain(primary_key=True, salt="own", min_length=9), {}, {})
for _name in ("HashidField", "BigHashidField"):
    _case(_HASHID, f"hashid_field.{_name}", _plain(alphabet="0123456789abcdef", null=True), 7, 2**20, None)

_MONEY = "django-money"
_AMOUNT = _plain(max_digits=9, decimal_places=2, default_currency="EUR")
_case(_MONEY, "djmoney.models.fields.MoneyField", _AMOUNT, 1.5, 0, beside=["value_currency"])
_case(_MONEY, "djmoney.models.fields.MoneyField", _AMOUNT, 1.5, 0, label="MoneyField without its currency")
_case(_MONEY, "djmoney.models.fields.CurrencyField", _plain(default="EUR"), "USD", "EUR")

_case(
    "django-phonenumber-field",
    "phonenumber_field.modelfields.PhoneNumberField",
    _plain(region="GB", blank=True),
    "+442083661177",
    "",
)
_COUNTRY = "django_countries.fields.CountryField"
_case("django-countries", _COUNTRY, _plain(null=True), "NZ", None)
_case(
    "django-countries",
    _COUNTRY,
    _plain(multiple=True, max_length=99),
    ["NZ", "GB"],
    label="CountryField(multiple)",
)

_FERNET = "django-fernet-encrypted-fields"
for _name, *_values in (
    ("EncryptedCharField", "secret"),
    ("EncryptedTextField", "secret"),
    ("EncryptedEmailField", "ann@example.com"),
    ("EncryptedIntegerField", 7, -1),
    ("EncryptedFloatField", 0.5),
    ("EncryptedBooleanField", True),
    ("EncryptedDateField", dt.date(2024, 2, 29)),
    ("EncryptedDateTimeField", dt.datetime(2024, 2, 29, tzinfo=dt.timezone.utc)),
    ("EncryptedJSONField", ["a", 1]),
):
    _arguments = {"max_length": 200} if "Char" in _name else {}
    _case(_FERNET, f"encrypted_fields.fields.{_name}", _plain(**_arguments), *_values, is_found=False)

_UTILS = "django-model-utils"
_case(_UTILS, "model_utils.fields.UrlsafeTokenField", _plain(max_length=20), "token")
_case(_UTILS, "model_utils.fields.AutoLastModifiedField", _plain(), {})
_case(
    _UTILS, "model_utils.fields.SplitField", _plain(), "a\n\n<!-- split -->\n\nb", beside=["_value_excerpt"]
)
_case("django-timezone-field", "timezone_field.TimeZoneField", _plain(), zoneinfo.ZoneInfo("Europe/London"))
_case("django-colorfield", "colorfield.fields.ColorField", _plain(default="#FF0000"), "#00FF00")
