"""Names of traffic before and after it: models registered early, names listed, and names that become another one."""
