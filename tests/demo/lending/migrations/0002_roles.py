"""The roles that analysts are members of, which `ORM_VIEWS` and the views grant to."""

from django.db import migrations

# Roles belong to the whole server: another database of it, or a migration running beside this one, may have
# made them already. Nothing takes them away again, for the same reason. A role that may create none is
# refused even where there is one of that name.
CREATE_ROLE = """
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN
        CREATE ROLE {role} NOLOGIN;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("lending", "0001_initial")]

    operations = [
        migrations.RunSQL(CREATE_ROLE.format(role=role), migrations.RunSQL.noop)
        for role in ("analyst", "risk_team")
    ]
