"""`manage.py serve`: Django's development server, which ends its greeting with where to go and as whom."""

from django.contrib.staticfiles.management.commands import runserver


class Command(runserver.Command):
    help = "Serves the demonstration."

    def on_bind(self, server_port: int) -> None:
        super().on_bind(server_port)
        host = "127.0.0.1" if self.addr == "0.0.0.0" else self.addr  # an address to listen at, not to go to
        self.stdout.write(
            f"\nThe views are at http://{host}:{server_port}/admin/orm-views/\n"
            "Log in as admin / admin, or as viewer / viewer, who may only look."
        )
