"""The command `mesolite`, also `python -m mesolite`: what the harness does, from a terminal.

    main          the command, and what it consists of
    explore, replay, trace, conformance
                  a file for each command
    ending        exit statuses, and how a mistake in the call is told
    places        FILE::NAME and MODULE:NAME, and what is there
    kept          scripts that were kept: of a scenario, or of a test
    progress      the line that says how far it is

Rule: what a command answers goes to standard output, all else to standard error. A mistake in the call is one sentence
and no traceback. The harness is loaded when a command runs, so that `--help` comes at once.
"""
