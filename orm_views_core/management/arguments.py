"""Arguments that several commands take, with one meaning."""

from __future__ import annotations

from django.core.management.base import CommandParser
from django.db import connections


def add_views_argument(parser: CommandParser) -> None:
    """Take any number of views, by name or label."""
    parser.add_argument(
        "views",
        nargs="*",
        metavar="VIEW",
        help="loan_book, views.loan_book or lending.LoanBook; all when none.",
    )


def add_database_argument(parser: CommandParser, verb: str) -> None:
    """Take one of the aliases in DATABASES."""
    parser.add_argument("--database", choices=sorted(connections), help=f"{verb} this database only.")
