"""Staff with chosen permissions, and everything that they can read in the pages."""

from __future__ import annotations

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from orm_views_admin.models import Run
from tests.admin.browse import LIST, url

#: Those who have all permissions but the one to see rows.
ALL_BUT_PREVIEW = ("view", "export", "refresh", "cancel", "sync")
#: Those who have all permissions but the one to see personal data. The demonstration marks some.
ALL_BUT_PERSONAL = (*ALL_BUT_PREVIEW, "preview")
#: Those who may see rows with personal data, and therefore what errors quote.
SEES_ROWS = ("view", "preview", "view_personal")


def log_in(*verbs: str, models: tuple[str, ...] = ()) -> Client:
    """Log in a member of staff with some permissions, also to view some models; without any, a superuser."""
    user = get_user_model().objects.create_user(
        f"staff-{'-'.join((*verbs, *models))}", is_staff=True, is_superuser=not verbs
    )
    names = [*(f"{verb}_registeredview" for verb in verbs), *(f"view_{model}" for model in models)]
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    client = Client()
    client.force_login(user)
    return client


def pages(*views: str) -> list[str]:
    """Return the addresses of all pages and files, those about some views and about all runs among them."""
    paths = ["/admin/", LIST, f"{LIST}?status=attention", f"{LIST}sync/", f"{LIST}refresh/", f"{LIST}runs/"]
    paths += [f"{LIST}runs/export/{form}/" for form in ("csv", "json")]
    paths += [url(page, view) for view in views for page in ("detail", "count", "preview")]
    for request in dict.fromkeys(Run.objects.values_list("request", flat=True)):
        paths += [reverse(f"orm_views_admin:{name}", args=[request]) for name in ("run", "run_state")]
    return paths


def walk(client: Client, paths: list[str]) -> dict[str, str]:
    """Return what a user gets at some addresses, headers and messages included; "" for what is forbidden."""
    texts = {}
    for path in paths:
        response = client.get(path, follow=True)
        assert response.status_code in {200, 403}, path
        body = response.getvalue() if response.streaming else response.content
        texts[path] = body.decode() + str(response.headers) if response.status_code == 200 else ""
    return texts


def finding(secret: str, texts: dict[str, str]) -> list[str]:
    """Return the addresses at which a secret is read."""
    return [path for path, text in texts.items() if secret in text]
