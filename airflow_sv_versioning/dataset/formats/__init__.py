"""What a version is exported as."""
