import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("museum", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="DayTakings",
            fields=[
                ("day", models.DateField(primary_key=True, serialize=False)),
                ("takings", models.DecimalField(decimal_places=2, max_digits=12)),
            ],
            options={
                "db_table": "day_takings",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="TicketTown",
            fields=[
                (
                    "ticket",
                    models.OneToOneField(
                        db_column="id",
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="museum.ticket",
                    ),
                ),
                ("day", models.DateField()),
                ("price", models.DecimalField(decimal_places=2, max_digits=8)),
                ("town", models.CharField(max_length=60)),
            ],
            options={
                "db_table": "tickets_by_town",
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
                "db_table": "town_takings",
                "managed": False,
            },
        ),
    ]
