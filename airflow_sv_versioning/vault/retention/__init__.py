"""Which versions of a project a vault goes on keeping, by which rules, and why."""
