import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("lending", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Instalment",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveSmallIntegerField(help_text="Counts from 1 within the loan.")),
                ("due_on", models.DateField()),
                (
                    "amount",
                    models.DecimalField(
                        decimal_places=2, help_text="Principal and interest, in pounds.", max_digits=10
                    ),
                ),
                (
                    "loan",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="instalments",
                        to="lending.loan",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Repayment",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("paid_on", models.DateField(help_text="Day the money arrived.")),
                ("amount", models.DecimalField(decimal_places=2, help_text="In pounds.", max_digits=10)),
                (
                    "method",
                    models.CharField(
                        choices=[
                            ("direct_debit", "Direct debit"),
                            ("card", "Card"),
                            ("transfer", "Bank transfer"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "instalment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="repayments",
                        to="payments.instalment",
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="instalment",
            constraint=models.UniqueConstraint(fields=("loan", "number"), name="instalment_of_loan"),
        ),
    ]
