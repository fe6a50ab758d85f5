"""The platform's protocol on SQLite and a folder: for tests and first steps."""
