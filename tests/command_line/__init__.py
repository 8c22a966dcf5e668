"""The command `mesolite`: mostly called in this process, and a few times as anybody calls it."""
