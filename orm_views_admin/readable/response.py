"""A response of Django's admin whose template reads a view within limits."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from django.db import DatabaseError
from django.template.response import TemplateResponse

from orm_views_core.exceptions import OrmViewsError

#: The errors of rows that cannot be read.
UNREADABLE = (OrmViewsError, DatabaseError)


class LimitedResponse(TemplateResponse):
    """A response of Django's admin that is rendered within the limits of a ``ReadableViewAdmin``.

    The template may read the view as well, for the links of a date hierarchy for example. It is rendered
    after the view function has returned, so that a subclass may change the context.
    """

    # What Django leaves out when it pickles a rendered response for the cache.
    rendering_attrs = [*TemplateResponse.rendering_attrs, "_limits", "_explain"]  # noqa: RUF012 - as in Django

    def __init__(
        self,
        response: TemplateResponse,
        limits: Callable[[], AbstractContextManager[None]],
        explain: Callable[[Exception], TemplateResponse],
    ) -> None:
        super().__init__(response._request, response.template_name, response.context_data)
        # Headers, cookies, and the callbacks that Django's decorators run after rendering.
        vars(self).update(vars(response))
        self._limits, self._explain = limits, explain

    @property
    def rendered_content(self) -> str:
        try:
            with self._limits():
                return super().rendered_content
        except UNREADABLE as error:
            return self._explain(error).rendered_content
