"""What happens, for whoever wants to record, announce or follow it.

Each is sent in the thread that called ``sync_views()``, ``refresh_views()`` or
``refresh_materialized_view()``, and outside of the transactions in which those work: what a receiver writes
is committed at once. Only where the caller has a transaction open itself is all of it done inside that one.

A receiver that raises stops nothing: they are sent with ``send_robust``, which logs the error to
``django.dispatch`` (https://docs.djangoproject.com/en/stable/topics/signals/#sending-signals). Inside a
caller's transaction that holds for what Python raises; an SQL error aborts that transaction, as anywhere.
A receiver that waits keeps what comes next waiting; so keep it short.

Every signal has ``database``, an alias, and ``request``, a ``uuid.UUID`` that is one for each call of one of
these functions. A call refreshes a view once, so ``request``, ``database`` and the view's name tell what
belongs together.
"""

from django.dispatch import Signal

#: A sync of one database begins; nothing has been read or locked yet. The sender is ``sync_views``.
#: Arguments: ``database``, ``request``, ``started`` (an aware ``datetime``).
views_sync_started = Signal()

#: A sync of one database has been committed. The sender is ``sync_views``.
#: Arguments: those of ``views_sync_started``, and ``result`` (a ``SyncResult``; an empty plan is one too).
views_synced = Signal()

#: A sync of one database has failed, and that database is as it was. The error is raised afterwards.
#: Arguments: those of ``views_sync_started``; ``error`` (an exception; no ``OrmViewsError`` if it was
#: interrupted or is a mistake in the code); ``seconds`` until then; and ``plan``, or None where it did not
#: get that far.
views_sync_failed = Signal()

#: A refresh of one view begins: its backend is known, and no lock has been waited for. The sender of this and
#: the following is ``refresh_views``.
#: Arguments: ``database``, ``request``, ``start`` (a ``RefreshStart``, which has the backend's ``pid``).
#: A try after a lock could not be had may be given another backend by a pooler. It is then sent again, with
#: the same ``request`` and the new ``pid``.
view_refresh_started = Signal()

#: A refresh waits: for another refresh of the same view, or for locks. Sent whenever what it waits for
#: changes.
#: Arguments: those of ``view_refresh_started``, and ``waiting_for``, in words: the pids and queries in the
#: way.
view_refresh_waiting = Signal()

#: A view has been refreshed and that is committed, by us or, if ``result.joined``, by somebody else.
#: Arguments: ``database``, ``request``, ``result`` (a ``RefreshResult`` whose ``ok`` is True).
view_refreshed = Signal()

#: A view has not been refreshed: PostgreSQL refused, or somebody cancelled it, or a lock could not be had; or
#: it was skipped because what it reads failed, as ``result.outcome`` tells. No ``view_refresh_started`` was
#: sent of what was skipped, nor of what failed before its backend was known: a view that is not there, a
#: database that does not answer. Arguments: ``database``, ``request``, ``result`` (a ``RefreshResult`` whose
#: ``error`` says why).
view_refresh_failed = Signal()
