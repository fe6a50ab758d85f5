"""Archives as versions in Team Files: which one somebody means, where it lies, and how it is fetched."""
