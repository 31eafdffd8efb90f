"""The files of exports: the formats that rows are written in, and where files are kept."""
