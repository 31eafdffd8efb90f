"""Views of MariaDB. Each statement that changes one commits, so a sync is not atomic."""
