"""The German catalogs have everything that stands in the code, translated, and nothing else."""

from __future__ import annotations

import gettext
import os
import re
import subprocess
import sys

import pytest

from tests.translations.catalogs import (
    PACKAGES,
    ROOT,
    compile_catalog,
    compiled,
    missing_programs,
    path_of,
    read,
    write_compiled,
)

needs_gettext = pytest.mark.skipif(
    bool(missing_programs()) and not os.environ.get("CI"), reason="GNU gettext is not installed."
)


@needs_gettext
def test_nothing_is_missing_and_nothing_is_left_over():
    done = subprocess.run(
        [sys.executable, "-m", "tests.translations", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@needs_gettext
@pytest.mark.parametrize("package", PACKAGES)
def test_what_is_compiled_is_what_is_written(package, tmp_path):
    path = path_of(package)
    compile_catalog(path, tmp_path / "django.mo")
    assert compiled(path.with_suffix(".mo")) == compiled(tmp_path / "django.mo")


@pytest.mark.parametrize("package", PACKAGES)
def test_every_message_is_translated(package):
    """Without GNU gettext, too."""
    messages = read(path_of(package))
    assert len(messages) > 100
    assert [each.words for each in messages if not each.is_translated] == []
    assert [each.words for each in messages if each.misses_placeholders] == []
    entries = compiled(path_of(package).with_suffix(".mo"))
    assert {key[0] if isinstance(key, tuple) else key for key in entries} == {
        "",
        *(f"{each.context}\4{each.words}" if each.context else each.words for each in messages),
    }


@pytest.mark.parametrize("package", PACKAGES)
def test_one_word_stands_for_version(package):
    version = re.compile(r"(?<!\()\bversions?\b", re.IGNORECASE)
    messages = [each for each in read(path_of(package)) if version.search(each.words)]
    assert messages
    assert [each.words for each in messages if "Version" not in " ".join(each.translations)] == []


def test_a_catalog_for_tests_is_read_by_python(tmp_path):
    (message, *_) = (each for each in read(path_of("orm_views_core")) if each.plural)
    write_compiled([(message, ("one", "many"))], tmp_path / "x.mo")
    with (tmp_path / "x.mo").open("rb") as file:
        translations = gettext.GNUTranslations(file)
    assert [translations.ngettext(message.words, message.plural, n) for n in (1, 2)] == ["one", "many"]
