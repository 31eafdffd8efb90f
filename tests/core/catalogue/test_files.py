"""A catalogue is written over an earlier one, and over nothing else."""

from __future__ import annotations

import resource
import signal
from pathlib import Path

import pytest

from orm_views_core.catalogue.files import mark, write_files
from orm_views_core.exceptions import CatalogueError


def text(path, content="content"):
    return f'"{mark(path)}"\n{content}\n'


def site(*paths, content="content"):
    return {path: text(path, content) for path in ("catalogue.json", "index.html", *paths)}


def found_in(directory):
    """All files of a directory with their contents, hidden ones too."""
    files = (file for file in directory.rglob("*") if file.is_file())
    return {file.relative_to(directory).as_posix(): file.read_text() for file in files}


def test_a_directory_that_is_missing_is_created_with_those_above_it(tmp_path):
    files = site("views/a.html", "tables/t.html")
    written = write_files(tmp_path / "not" / "yet", files)
    assert found_in(tmp_path / "not" / "yet") == files
    assert written.changed == written.files == tuple(files)
    assert written.removed == ()


@pytest.mark.parametrize("there", [[], [".git", ".gitkeep"]])
def test_an_empty_directory_is_taken_even_one_with_hidden_files(tmp_path, there):
    for name in there:
        (tmp_path / name).write_text("hidden")
    write_files(tmp_path, site())
    assert found_in(tmp_path) == {**site(), **dict.fromkeys(there, "hidden")}


def test_a_directory_with_anything_else_in_it_is_refused_and_stays_as_it_is(tmp_path):
    for name in "abcd":
        (tmp_path / name).write_text("mine")
    with pytest.raises(CatalogueError, match=r"has other files \(a, b, c, …\) and no catalogue\. Name a new"):
        write_files(tmp_path, site())
    assert found_in(tmp_path) == dict.fromkeys("abcd", "mine")


def test_a_json_file_of_the_same_name_makes_no_catalogue(tmp_path):
    (tmp_path / "catalogue.json").write_text('{"products": []}')
    with pytest.raises(CatalogueError, match="no catalogue"):
        write_files(tmp_path, site())


def test_what_is_the_same_is_left_alone_and_what_is_gone_is_removed(tmp_path):
    write_files(tmp_path, site("views/a.html", "views/b.html", "tables/t.html"))
    kept = (tmp_path / "views" / "a.html").stat().st_ino
    new = {**site("views/a.html", "views/c.html"), "index.html": text("index.html", "new")}
    written = write_files(tmp_path, new)
    assert found_in(tmp_path) == new
    assert (written.changed, written.removed) == (
        ("index.html", "views/c.html"),
        ("views/b.html", "tables/t.html"),
    )
    assert (tmp_path / "views" / "a.html").stat().st_ino == kept


def test_what_somebody_else_has_put_beside_the_pages_stays(tmp_path):
    write_files(tmp_path, site("views/a.html"))
    others = {
        "CNAME": "example.org",
        "views/notes.html": "<p>mine</p>",
        "views/copy.html": text("views/a.html"),  # a copy says that it is another file
        "views/picture.png": "picture",
        "tables/deep/er.html": text("tables/deep/er.html"),
    }
    for path, content in others.items():
        (tmp_path / path).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / path).write_text(content)
    assert write_files(tmp_path, site()).removed == ("views/a.html",)
    assert found_in(tmp_path) == {**site(), **others}


def test_a_file_that_is_not_of_the_catalogue_is_never_replaced(tmp_path):
    write_files(tmp_path, site())
    (tmp_path / "views").mkdir()
    (tmp_path / "views" / "a.html").write_text("mine")
    before = found_in(tmp_path)
    with pytest.raises(CatalogueError, match=r"views/a\.html is not of a catalogue, and would be replaced"):
        write_files(tmp_path, site("views/a.html", content="new"))
    assert found_in(tmp_path) == before


def test_a_link_is_not_followed_where_it_is_not_of_the_catalogue(tmp_path):
    write_files(tmp_path / "site", site())
    (tmp_path / "site" / "views").mkdir()
    (tmp_path / "site" / "views" / "a.html").symlink_to(tmp_path / "elsewhere.html")
    with pytest.raises(CatalogueError, match="Move it away"):
        write_files(tmp_path / "site", site("views/a.html"))
    assert not (tmp_path / "elsewhere.html").exists()


def test_a_directory_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("mine")
    for directory in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(CatalogueError, match=f"cannot be written to {directory}: .*: {tmp_path}/file"):
            write_files(directory, site())
    assert found_in(tmp_path) == {"file": "mine"}


def test_a_directory_that_the_system_does_not_let_us_create_is_an_error_that_says_so():
    with pytest.raises(
        CatalogueError, match="cannot be written to /proc/catalogue: No such file or directory"
    ):
        write_files(Path("/proc/catalogue"), site())


def test_a_folder_whose_place_is_taken_leaves_the_old_catalogue(tmp_path):
    write_files(tmp_path, site())
    (tmp_path / "views").write_text("mine")
    before = found_in(tmp_path)
    with pytest.raises(CatalogueError, match="cannot be written"):
        write_files(tmp_path, site("views/a.html", content="new"))
    assert found_in(tmp_path) == before


def test_a_disk_that_is_full_leaves_the_old_catalogue(tmp_path):
    write_files(tmp_path, site("views/a.html"))
    before = found_in(tmp_path)
    new = site("views/a.html", "views/b.html", content="new")
    new["views/c.html"] = text("views/c.html", "x" * 100_000)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, limits[1]))
    try:
        with pytest.raises(CatalogueError, match=r"cannot be written.*File too large"):
            write_files(tmp_path, new)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert found_in(tmp_path) == before


def test_what_was_interrupted_can_be_repeated(tmp_path):
    write_files(tmp_path, site("views/a.html"))
    for path in ("index.html", "views/a.html"):  # as if it had ended after the first file
        (tmp_path / path).unlink()
    write_files(tmp_path, site("views/a.html"))
    assert found_in(tmp_path) == site("views/a.html")
