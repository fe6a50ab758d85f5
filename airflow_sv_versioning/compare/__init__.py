"""Two snapshots held against each other."""
