"""A version as data: read it, take a part of it, split it, and write it in formats that training tools read."""
