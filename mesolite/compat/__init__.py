"""Libraries whose schedulers and executors run here unchanged: `mesolite.compat.pymesos`."""
