"""HTTP in and out: one module a resource, no behaviour."""
