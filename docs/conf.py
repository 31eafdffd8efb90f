"""The documentation site: ``make docs`` builds it with Sphinx, from Markdown and docstrings.

Nothing here needs a database or the network. Docstrings are read with Django set up, and no view is synced.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.domains.python import PyObject
from sphinx.environment import BuildEnvironment
from sphinx.ext.napoleon.docstring import GoogleDocstring

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import orm_views_core  # noqa: E402 (found where sys.path has just been told to look)

settings.configure(
    INSTALLED_APPS=[
        "django.contrib.admin",
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.messages",
        "django.contrib.sessions",
        "django_tables2",
        "orm_views_core",
        "orm_views_admin",
    ],
    # An address at which no server is asked: importing the packages queries nothing.
    DATABASES={"default": {"ENGINE": "django.db.backends.postgresql", "NAME": "documentation"}},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    USE_TZ=True,
)
django.setup()

project = "django-orm-views-admin"
author = f"the authors of {project}"
release = version = orm_views_core.__version__
language = "en"
smartquotes = False  # "" is an empty text of Python

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
nitpicky = True
nitpick_ignore_regex = [
    # Names of Django and Python: their own sites would have to be asked for an inventory.
    ("py:.*", r"(django|collections|datetime|decimal|enum|functools|pathlib|typing|uuid)\..*"),
    # Types of signatures that are not public: docs/reference/api/index.md says what that means.
    ("py:class", r"orm_views_(core|admin)\..*"),
    # The same, where a module imports them for type checkers only.
    ("py:class", r"Cell|Differences|InstalledView|Sentence|ViewDefinition"),
]

# Markdown. Every heading has an anchor like that of a code host, and links to anchors are checked.
myst_heading_anchors = 4
myst_enable_extensions = ["attrs_inline", "colon_fence", "deflist"]

# Docstrings: Args, Returns, Raises and Attributes as this package writes them; types stand in signatures.
napoleon_numpy_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True
napoleon_attr_annotations = False
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
autodoc_class_signature = "mixed"
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88

# Files of the checkout that are pages too, as links in them name them.
ROOT_PAGES = {
    "README.md": "../index.md",
    "CHANGELOG.md": "changelog.md",
    "CODE_OF_CONDUCT.md": "code-of-conduct.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security-policy.md",
}

html_theme = "furo"
html_title = project
html_static_path = ["_static"]
templates_path = ["_templates"]
html_css_files = ["site.css"]
html_js_files = [("site.js", {"defer": "defer"})]
html_favicon = "_static/favicon.svg"
html_copy_source = False
html_show_copyright = False
html_show_sphinx = False
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"


def resolve_public_name(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, content: nodes.TextElement
) -> nodes.reference | None:
    """Lead a name of a signature, which has the module of the code, to the public name on the site."""
    if node.get("refdomain") != "py" or not node["reftarget"].startswith("orm_views_"):
        return None
    domain: Any = env.get_domain("py")
    name = node["reftarget"].rpartition(".")[2]
    found = [(full, entry) for full, entry in domain.objects.items() if full.rpartition(".")[2] == name]
    if len(found) != 1:
        return None
    ((full, entry),) = found
    target = app.builder.get_relative_uri(node.get("refdoc", env.docname), entry.docname)
    return nodes.reference("", "", content, internal=True, refuri=f"{target}#{entry.node_id}", reftitle=full)


def lead_to_pages(app: Sphinx, path: Path, page: str, text: list[str]) -> None:
    """Lead links between the files of the checkout to the pages that include these."""
    for name, target in ROOT_PAGES.items():
        text[0] = text[0].replace(f"]({name}", f"]({target}")


def write_factories(
    app: Sphinx,
    what: str,
    name: str,
    thing: object,
    options: object,
    signature: str | None,
    returns: str | None,
) -> tuple[str | None, str | None]:
    """Write the default of a field with a factory as Python, or Sphinx cannot read the signature."""
    return (signature.replace("<factory>", "...") if signature else signature), returns


def attribute_docstring(docstring: GoogleDocstring) -> list[str]:
    """Return the docstring of an attribute as it is. Napoleon takes words before a colon for a type."""
    return docstring._consume_to_end()


def setup(app: Sphinx) -> None:
    """Connect what Sphinx has no setting for."""
    app.connect("missing-reference", resolve_public_name)
    app.connect("include-read", lead_to_pages)
    app.connect("autodoc-process-signature", write_factories)
    GoogleDocstring._parse_attribute_docstring = attribute_docstring
    for field in PyObject.doc_field_types:
        if field.name == "variable":
            field.label = "Attributes"
