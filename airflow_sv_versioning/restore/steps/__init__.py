"""What a restore writes, in the order of the steps, a project type each."""
