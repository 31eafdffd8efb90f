"""How the admin's markup differs between the supported versions of Django; templates get ``CONTEXT``."""

from __future__ import annotations

import django

#: Django 6.1 made the breadcrumbs an ordered list.
CONTEXT = {"breadcrumbs_are_a_list": django.VERSION >= (6, 1)}
