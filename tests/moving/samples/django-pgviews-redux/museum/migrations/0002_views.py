import django_pgviews.db.migrations.operations
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("museum", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="DearTicket",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("day", models.DateField()),
                ("price", models.DecimalField(decimal_places=2, max_digits=8)),
            ],
            options={
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="TicketTown",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("day", models.DateField()),
                ("price", models.DecimalField(decimal_places=2, max_digits=8)),
                ("town", models.CharField(max_length=60)),
            ],
            options={
                "db_table": "museum_tickets_by_town",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="TownTakings",
            fields=[
                ("town", models.CharField(max_length=60, primary_key=True, serialize=False)),
                ("tickets", models.BigIntegerField()),
                ("takings", models.DecimalField(decimal_places=2, max_digits=12)),
            ],
            options={
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="VisitorTown",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
            ],
            options={
                "managed": False,
            },
        ),
        django_pgviews.db.migrations.operations.RegisterViewOperation(
            name="VisitorTown",
            materialized=False,
            db_name="museum_visitortown",
        ),
        django_pgviews.db.migrations.operations.RegisterViewOperation(
            name="TownTakings",
            materialized=True,
            db_name="museum_towntakings",
        ),
        django_pgviews.db.migrations.operations.RegisterViewOperation(
            name="TicketTown",
            materialized=False,
            db_name="museum_tickets_by_town",
        ),
        django_pgviews.db.migrations.operations.RegisterViewOperation(
            name="DearTicket",
            materialized=False,
            db_name="museum_dearticket",
        ),
    ]
