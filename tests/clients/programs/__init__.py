"""Programs for the clients' own environments: they import a client and the standard library, nothing of Mesolite."""
