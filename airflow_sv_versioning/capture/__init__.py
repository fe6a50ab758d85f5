"""A project read into a snapshot."""
