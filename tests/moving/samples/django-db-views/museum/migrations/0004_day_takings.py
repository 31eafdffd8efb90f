import django_db_views.migration_functions
import django_db_views.operations
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("museum", "0003_views"),
    ]

    operations = [
        django_db_views.operations.ViewRunPython(
            code=django_db_views.migration_functions.ForwardViewMigration(
                'SELECT "museum_ticket"."day" AS "day", SUM("museum_ticket"."price") AS "takings" FROM "museum_ticket" GROUP BY 1',
                "day_takings",
                engine="django.db.backends.postgresql",
            ),
            reverse_code=django_db_views.migration_functions.BackwardViewMigration(
                "SELECT day, max(price) AS takings FROM museum_ticket GROUP BY day",
                "day_takings",
                engine="django.db.backends.postgresql",
            ),
            atomic=False,
        ),
    ]
