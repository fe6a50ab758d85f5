"""How work is done: in parallel, with progress, in little memory, exactly once. Knows no platform."""
