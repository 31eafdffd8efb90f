"""What happened, for whoever wants to record or announce it. Sent after the transaction has succeeded."""

from django.dispatch import Signal

#: Sent once for each database. Arguments: ``database`` (an alias), ``result`` (a ``SyncResult``).
views_synced = Signal()

#: Sent once for each view. Arguments: ``database`` (an alias), ``result`` (a ``RefreshResult``).
view_refreshed = Signal()
