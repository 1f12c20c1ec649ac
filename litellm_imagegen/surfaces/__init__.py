"""Results in an endpoint's shape, as plain dicts. One file an endpoint; none imports another."""
