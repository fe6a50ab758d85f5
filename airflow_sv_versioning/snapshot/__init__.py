"""A project as tables on disk: the inner form of a version."""
