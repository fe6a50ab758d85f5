"""A version as data: read it, take a part of it, split it, write it in formats that training reads."""
