"""The base class of the two pages that show what will be done with the selected views, and start it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from orm_views_admin.models import Run
from orm_views_admin.pages.runs.run import follow

from .base import Page
from .selection import FROM_LIST, Selection

#: The name of the button that starts what the page shows.
CONFIRM = "confirm"


class ConfirmationPage(Page):
    """GET, and POST from the list, show what will be done. POST with ``confirm`` starts it.

    Attributes:
        nothing_selected: the warning if no views were selected in the list.
    """

    nothing_selected: ClassVar[object]

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.show(Selection.from_request(request.GET))

    def post(self, request: HttpRequest) -> HttpResponse:
        selection = Selection.from_request(request.POST)
        if FROM_LIST in request.POST and not selection.addresses:
            messages.warning(request, str(self.nothing_selected))
            return HttpResponseRedirect(self.url("list"))
        return self.start(selection) if CONFIRM in request.POST else self.show(selection)

    def show(self, selection: Selection) -> HttpResponse:
        """Return the page that shows what will be done."""
        raise NotImplementedError

    def start(self, selection: Selection) -> HttpResponse:
        """Start it, and redirect to the page of its runs."""
        raise NotImplementedError

    def redirect_to(self, runs: Iterable[Run]) -> HttpResponse:
        """Redirect to the page of some runs."""
        return HttpResponseRedirect(follow(self.site, [run.request for run in runs]))
