import django_orm_views.views
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("museum", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="TicketLines",
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
                "db_table": '"views"."ticketlines"',
                "managed": False,
            },
            bases=(django_orm_views.views.PostgresViewFromQueryset, models.Model),
        ),
    ]
