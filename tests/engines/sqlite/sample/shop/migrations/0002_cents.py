from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0001_initial")]
    operations = [
        migrations.AlterField("order", "total", models.DecimalField(max_digits=8, decimal_places=2)),
        migrations.AlterField("customer", "city", models.CharField(max_length=60)),
        migrations.AddField("order", "details", models.JSONField(default=dict)),
    ]
