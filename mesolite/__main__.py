"""`python -m mesolite`: the command `mesolite`, wherever this Python has the package."""

from mesolite.command_line.main import main

if __name__ == "__main__":
    main()
