"""What grows with the number of views: importing them, pages, commands and memory.

The views are those of a project that is written into a temporary folder. Each measurement is a process of its
own with that project.
"""
