"""What is said of the views of a definer whom we do not trust, on engines that have definers. Pure."""

from __future__ import annotations

from orm_views_core.sentences import Sentence, says

from .relations import InstalledView

#: What to do about such a view.
LET_TRUST = says(
    "Drop it, so that a sync creates it. Or name its definer in ORM_VIEWS['TRUSTED_OWNERS'], if what that "
    "user defines may stand for our views."
)


def why_foreign(view: InstalledView) -> Sentence:
    """Return why nothing of a view is believed or changed, a sentence."""
    return says(
        "Its definer is %(owner)r, a user who is not trusted, so its sync state is not believed and no sync "
        "changes it.",
        owner=view.owner,
    )
