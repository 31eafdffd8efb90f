"""Arguments that several commands share."""

from __future__ import annotations

from django.core.management.base import CommandParser
from django.db import connections


def add_views_argument(parser: CommandParser) -> None:
    """Add the argument for any number of views, by name or label."""
    parser.add_argument(
        "views",
        nargs="*",
        metavar="VIEW",
        help="loan_book, views.loan_book or lending.LoanBook; all when none.",
    )


def add_database_argument(parser: CommandParser, verb: str) -> None:
    """Add the option for one of the aliases in DATABASES. ``verb`` begins its help."""
    parser.add_argument("--database", choices=sorted(connections), help=f"{verb} this database only.")


def add_grant_argument(parser: CommandParser) -> None:
    """Add the option for further roles to grant SELECT to."""
    parser.add_argument(
        "--grant-select-permissions-to-user",
        action="append",
        dest="grant_select_to",
        metavar="ROLE",
        help="Grant SELECT on all views that are not hidden to this role too. May be repeated.",
    )
