from django.db import migrations, models


def _sentences() -> models.JSONField:
    return models.JSONField(
        blank=True,
        help_text="What the sentences were made of, by field, so that they can be translated.",
        null=True,
        verbose_name="sentences",
    )


class Migration(migrations.Migration):
    dependencies = [("orm_views_admin", "0005_exports")]

    operations = [
        migrations.AddField(model_name="run", name="sentences", field=_sentences()),
        migrations.AddField(model_name="rowaccess", name="sentences", field=_sentences()),
        migrations.AddField(model_name="viewchange", name="sentences", field=_sentences()),
    ]
