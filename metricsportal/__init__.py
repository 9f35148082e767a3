"""The project: settings, routes, task queue. Pure values shared by the apps live in `metricsportal.lib`."""
