"""The packages that projects come from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

ROWS = """
INSERT INTO museum_visitor (email, town) VALUES ('ada@example.com', 'York'), ('ben@example.com', 'Leeds');
INSERT INTO museum_ticket (visitor_id, day, price)
    VALUES (1, '2026-05-02', 12), (1, '2026-05-20', 8), (2, '2026-06-01', 15);
"""
#: A ticket that the materialised view has not got: rows that are computed again would have it.
ROWS_AFTER = """
INSERT INTO museum_ticket (visitor_id, day, price) VALUES (2, '2026-06-02', 9);
"""


@dataclass(frozen=True)
class Package:
    """A package, and what its sample does with it.

    Args:
        name: its name on the package index.
        module: what projects import.
        requirements: what is installed before the move.
        creates: the commands that create its views, once the tables are there and have rows.
        materialised: the materialised view of its sample, with its schema.
        view: a plain view of its sample.
        model: a view of its sample that is read through the ORM.
    """

    name: str
    module: str
    requirements: tuple[str, ...]
    creates: tuple[str, ...]
    materialised: str
    view: str
    model: str

    @property
    def guide(self) -> Path:
        """The page that tells how a project is moved over."""
        return ROOT / "docs" / "moving" / f"from-{self.name}.md"

    @property
    def sample(self) -> Path:
        """Its files, which go into the museum's project."""
        return Path(__file__).with_name("samples") / self.name


PACKAGES = (
    Package(
        "django-orm-views",
        "django_orm_views",
        ("django-orm-views==2.0.3", "django~=4.2.0", "psycopg2-binary"),
        (
            "python manage.py sync_views --grant-select-permissions-to-user moving_analysts",
            'python manage.py shell -c "from museum.postgres_views import refresh; refresh()"',
        ),
        "views.museum_towntakings",
        "views.towns",
        "TicketLines",
    ),
    Package(
        "django-pgviews-redux",
        "django_pgviews",
        ("django-pgviews-redux==1.3.0", "django~=5.2.0", "psycopg2-binary"),
        ("python manage.py sync_pgviews --force", "python manage.py refresh_pgviews --concurrently"),
        "public.museum_towntakings",
        "public.museum_visitortown",
        "TicketTown",
    ),
    Package(
        "django-db-views",
        "django_db_views",
        ("django-db-views==0.1.14", "django~=5.2.0", "psycopg2-binary"),
        ('python manage.py shell -c "import museum.models as m; m.TownTakings.refresh(concurrently=True)"',),
        "public.town_takings",
        "public.tickets_by_town",
        "TicketTown",
    ),
)
