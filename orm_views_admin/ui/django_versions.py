"""How the admin's markup differs between the supported versions of Django; templates get ``CONTEXT``."""

from __future__ import annotations

import django

#: Django 6.1 made the breadcrumbs an ordered list and moved the object tools to a block beside the title.
_HAS_NEW_MARKUP = django.VERSION >= (6, 1)

CONTEXT = {"breadcrumbs_are_a_list": _HAS_NEW_MARKUP, "tools_beside_title": _HAS_NEW_MARKUP}
