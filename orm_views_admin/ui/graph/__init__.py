"""The dependency graph as a picture: a layout in layers from left to right, and its SVG."""
