"""Starts the launcher: `python -I -S __main__.py HOST_PID NAME [MAX_FILE_SIZE]` (program.py).

Its modules have the names by which everybody else imports them. Of the packages above them it makes empty ones: their
own code would load all of Mesolite, and that takes longer than most commands.
"""

import os
import sys

if __name__ == "__main__":
    package = ""
    for name in ("mesolite", "actors", "containerizer", "launcher"):
        package = f"{package}.{name}".lstrip(".")
        sys.modules[package] = type(sys)(package)
        sys.modules[package].__path__ = [os.path.dirname(__file__)]

    from mesolite.actors.containerizer.launcher.program import main

    main(int(sys.argv[1]), sys.argv[2], *map(int, sys.argv[3:]))
