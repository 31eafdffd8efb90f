"""Signals of syncs and refreshes, for receivers that record, announce or follow them.

The signals are sent in the thread that called ``sync_views()``, ``refresh_views()`` or
``refresh_materialized_view()``. They are sent outside of the transactions in which these functions work, so
what a receiver writes is committed at once. If the caller has a transaction open, everything is done inside
that transaction instead.

A receiver that raises stops nothing: the signals are sent with ``send_robust``, which logs the error to
``django.dispatch`` (https://docs.djangoproject.com/en/stable/topics/signals/#sending-signals). Inside a
caller's transaction this is true for errors that Python raises. An SQL error aborts that transaction, as it
always does. A sync or a refresh goes on only when all receivers have returned, so keep receivers short.

Every signal has ``database``, an alias, and ``request``, a ``uuid.UUID``. Each call of one of these functions
has a ``request`` of its own. One call refreshes a view at most once, so ``request``, ``database`` and the
view's name identify a refresh.

Example:
    >>> from django.dispatch import receiver
    >>> from orm_views_core.refresh import refresh_views
    >>> from orm_views_core.signals import view_refreshed
    >>> @receiver(view_refreshed)
    ... def announce(database, result, **kwargs):
    ...     print(f"{result.name} in {database} has new rows")
    >>> results = refresh_views(["loan_book"])
    views.loan_book in default has new rows
"""

from django.dispatch import Signal

#: A sync of one database begins. Nothing has been read or locked yet. The sender is ``sync_views``.
#: Arguments: ``database``, ``request``, ``started`` (an aware ``datetime``).
views_sync_started = Signal()

#: A sync of one database has been committed. The sender is ``sync_views``.
#: Arguments: those of ``views_sync_started``, and ``result`` (a ``SyncResult``). It is sent for an empty plan
#: too.
views_synced = Signal()

#: A sync of one database has failed, and has changed nothing there, unless ``committed`` says what. The error
#: is raised afterwards.
#: Arguments: those of ``views_sync_started``; ``error`` (an exception; it is no ``OrmViewsError`` if the sync
#: was interrupted or the code has a bug); ``seconds`` until then; ``plan``, which is None if the error came
#: before there was a plan; and ``committed``. That is None, except when ``migrate_views`` could not build the
#: materialised views that it had left: then it is the ``SyncResult`` of what was committed before.
views_sync_failed = Signal()

#: A refresh of one view begins. Its backend is known, and it has not waited for any lock. The sender of this
#: and of the following signals is ``refresh_views``.
#: Arguments: ``database``, ``request``, ``start`` (a ``RefreshStart``, which has the backend's ``pid``).
#: When a lock could not be had, the refresh is tried again, and a connection pooler may give it another
#: backend. The signal is then sent again, with the same ``request`` and the new ``pid``.
view_refresh_started = Signal()

#: A refresh waits: for another refresh of the same view, or for locks. Sent whenever what it waits for
#: changes.
#: Arguments: those of ``view_refresh_started``, and ``waiting_for``: the sessions that are in the way, in
#: words. Of their queries it has only the kind.
view_refresh_waiting = Signal()

#: A view has been refreshed, and that is committed. If ``result.joined``, another session has refreshed it.
#: Arguments: ``database``, ``request``, ``result`` (a ``RefreshResult`` whose ``ok`` is True).
view_refreshed = Signal()

#: A view has not been refreshed. Either its refresh failed: PostgreSQL refused, somebody cancelled it, or a
#: lock could not be had. Or it was skipped, because a view that it reads failed. ``result.outcome`` tells
#: which. No ``view_refresh_started`` is sent for a view that was skipped, or that failed before its backend
#: was known: the view is not there, or the database does not answer.
#: Arguments: ``database``, ``request``, ``result`` (a ``RefreshResult`` whose ``error`` says why).
view_refresh_failed = Signal()

__all__ = [
    "view_refresh_failed",
    "view_refresh_started",
    "view_refresh_waiting",
    "view_refreshed",
    "views_sync_failed",
    "views_sync_started",
    "views_synced",
]
