"""What differs between the admins of the supported versions of Django, for the templates."""

from __future__ import annotations

import django

#: 6.1 made the breadcrumbs a list, and the object tools a block of their own beside the title.
BREADCRUMBS_ARE_A_LIST = django.VERSION >= (6, 1)
TOOLS_BESIDE_TITLE = django.VERSION >= (6, 1)

CONTEXT = {
    "breadcrumbs_are_a_list": BREADCRUMBS_ARE_A_LIST,
    "tools_beside_title": TOOLS_BESIDE_TITLE,
}
