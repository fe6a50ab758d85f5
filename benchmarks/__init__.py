"""How fast we are, beside the official SDK: ``make bench``."""
