import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Customer",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("email", models.EmailField(max_length=254, unique=True)),
                ("first_name", models.CharField(max_length=60)),
                ("last_name", models.CharField(max_length=60)),
                ("date_of_birth", models.DateField()),
                ("city", models.CharField(help_text="Town of the postal address.", max_length=60)),
                ("registered_on", models.DateField(help_text="Day the account was opened.")),
            ],
        ),
        migrations.CreateModel(
            name="Product",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "code",
                    models.CharField(
                        help_text="Short code, as it stands in contracts.", max_length=12, unique=True
                    ),
                ),
                ("name", models.CharField(max_length=60)),
                (
                    "purpose",
                    models.CharField(
                        choices=[
                            ("personal", "Personal"),
                            ("car", "Car"),
                            ("home", "Home improvement"),
                            ("study", "Study"),
                            ("business", "Small business"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "annual_rate",
                    models.DecimalField(
                        decimal_places=2, help_text="List rate, in per cent a year.", max_digits=5
                    ),
                ),
                (
                    "on_sale",
                    models.BooleanField(default=True, help_text="Whether new loans can be taken out."),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Loan",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "principal",
                    models.DecimalField(decimal_places=2, help_text="Amount lent, in pounds.", max_digits=10),
                ),
                (
                    "annual_rate",
                    models.DecimalField(
                        decimal_places=2, help_text="Agreed rate, in per cent a year.", max_digits=5
                    ),
                ),
                ("term_months", models.PositiveSmallIntegerField(help_text="Number of monthly instalments.")),
                (
                    "channel",
                    models.CharField(
                        choices=[("web", "Web site"), ("broker", "Broker"), ("phone", "Telephone")],
                        max_length=12,
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("active", "Active"),
                            ("late", "In arrears"),
                            ("settled", "Settled"),
                            ("written_off", "Written off"),
                        ],
                        max_length=12,
                    ),
                ),
                ("opened_on", models.DateField(db_index=True, help_text="Day the money was paid out.")),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="loans",
                        to="lending.customer",
                    ),
                ),
                (
                    "product",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="loans",
                        to="lending.product",
                    ),
                ),
            ],
        ),
    ]
