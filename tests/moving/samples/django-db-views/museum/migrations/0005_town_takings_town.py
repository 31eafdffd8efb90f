from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("museum", "0004_day_takings")]

    operations = [
        migrations.RunSQL(
            "CREATE UNIQUE INDEX town_takings_town ON town_takings (town)",
            "DROP INDEX town_takings_town",
        )
    ]
