"""The roles of the demonstration, as docs/explanation/security.md describes them."""

from __future__ import annotations

#: Owns the database, its tables and its views. `migrate` and `sync_views` connect as this role.
OWNER = "lender_owner"
#: Serves the pages. It reads views, works with the tables, and may set the owner's role for a sync.
WEB = "lender_web"
#: Reads views, and has TEMP and a schema of its own, `desk`.
ANALYST = "lender_analyst"

#: The embedded server asks for no password.
PASSWORD = "demonstration"

# Roles belong to the whole server: another database of it may have them already.
_CREATE = """
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN
        CREATE ROLE {role} {options};
    END IF;
END $$;
"""

IN_SERVER = (
    "".join(
        _CREATE.format(role=role, options=options)
        for role, options in (
            (OWNER, f"LOGIN PASSWORD '{PASSWORD}'"),
            (WEB, f"LOGIN NOINHERIT PASSWORD '{PASSWORD}'"),
            (ANALYST, f"LOGIN PASSWORD '{PASSWORD}'"),
            ("analyst", "NOLOGIN"),
            ("risk_team", "NOLOGIN"),
        )
    )
    + f"GRANT {OWNER} TO {WEB}; GRANT analyst TO {ANALYST}; GRANT {OWNER} TO CURRENT_USER;"
)

IN_DATABASE = f"""
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT CREATE ON SCHEMA public TO {OWNER};
ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} GRANT USAGE ON SCHEMAS TO {WEB};
ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} GRANT SELECT ON TABLES TO {WEB};
ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} IN SCHEMA public GRANT INSERT, UPDATE, DELETE ON TABLES TO {WEB};
ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} IN SCHEMA public GRANT USAGE ON SEQUENCES TO {WEB};
CREATE SCHEMA IF NOT EXISTS desk AUTHORIZATION {ANALYST};
"""

#: Tables that an earlier version of the demonstration made as another role.
FOREIGN_TABLES = f"""
SELECT count(*) FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relowner <> '{OWNER}'::regrole
"""
