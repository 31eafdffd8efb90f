"""What must hold whatever happens: long random histories, killed and raced syncs, readers that never notice.

A quick share of it runs with the suite. `make soak` runs all of it, and says how much that was and with which
seeds.
"""
