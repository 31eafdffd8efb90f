"""Each workflow of the pages, with JavaScript and without."""
