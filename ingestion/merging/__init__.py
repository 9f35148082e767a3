"""Names of traffic that become another one: what it would do, and the requests that follow."""
