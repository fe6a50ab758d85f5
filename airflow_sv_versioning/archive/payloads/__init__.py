"""What lies in an archive: one module or folder a format."""
