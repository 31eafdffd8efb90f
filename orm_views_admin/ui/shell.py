"""What the admin's base template shows around a page, so that the page itself shows what is missing.

Skins replace the base template. Some show neither object tools nor breadcrumbs where Django does, and some
have a heading without a text. A block of the base template says what it shows, before the page's content is
rendered.
"""

from __future__ import annotations


class Shell:
    """What has been shown of a page so far. Templates call its methods, which return nothing to show.

    Attributes:
        has_title: whether the title is shown as the heading of the page.
        has_tools: whether the links beside the title are shown.
        has_breadcrumbs: whether the way to the page is shown.
        has_styles: whether the admin's own style sheet is linked.
    """

    def __init__(self) -> None:
        self.has_title = self.has_tools = self.has_breadcrumbs = self.has_styles = False

    def shows_title(self) -> str:
        """Note that the title is shown."""
        self.has_title = True
        return ""

    def shows_tools(self) -> str:
        """Note that the tools are shown."""
        self.has_tools = True
        return ""

    def shows_breadcrumbs(self) -> str:
        """Note that the breadcrumbs are shown."""
        self.has_breadcrumbs = True
        return ""

    def shows_styles(self) -> str:
        """Note that the admin's style sheet is linked."""
        self.has_styles = True
        return ""
