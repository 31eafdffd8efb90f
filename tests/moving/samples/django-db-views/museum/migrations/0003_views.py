import django_db_views.migration_functions
import django_db_views.operations
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("museum", "0002_models_of_views"),
    ]

    operations = [
        django_db_views.operations.ViewRunPython(
            code=django_db_views.migration_functions.ForwardViewMigration(
                "SELECT ticket.id, ticket.day, ticket.price, visitor.town\n        FROM museum_ticket ticket JOIN museum_visitor visitor ON visitor.id = ticket.visitor_id",
                "tickets_by_town",
                engine="django.db.backends.postgresql",
            ),
            reverse_code=django_db_views.migration_functions.BackwardViewMigration(
                "", "tickets_by_town", engine="django.db.backends.postgresql"
            ),
            atomic=False,
        ),
        django_db_views.operations.ViewRunPython(
            code=django_db_views.migration_functions.ForwardViewMigration(
                "SELECT day, max(price) AS takings FROM museum_ticket GROUP BY day",
                "day_takings",
                engine="django.db.backends.postgresql",
            ),
            reverse_code=django_db_views.migration_functions.BackwardViewMigration(
                "", "day_takings", engine="django.db.backends.postgresql"
            ),
            atomic=False,
        ),
        django_db_views.operations.ViewRunPython(
            code=django_db_views.migration_functions.ForwardMaterializedViewMigration(
                "SELECT town, count(*) AS tickets, sum(price) AS takings FROM tickets_by_town GROUP BY town",
                "town_takings",
                engine="django.db.backends.postgresql",
            ),
            reverse_code=django_db_views.migration_functions.BackwardMaterializedViewMigration(
                "", "town_takings", engine="django.db.backends.postgresql"
            ),
            atomic=False,
        ),
        django_db_views.operations.ViewRunPython(
            code=django_db_views.migration_functions.ForwardMaterializedViewMigration(
                "SELECT town, count(*) AS tickets, sum(price) AS takings FROM tickets_by_town GROUP BY town",
                "town_takings",
                engine="django.db.backends.sqlite3",
            ),
            reverse_code=django_db_views.migration_functions.BackwardMaterializedViewMigration(
                "", "town_takings", engine="django.db.backends.sqlite3"
            ),
            atomic=False,
        ),
    ]
