"""Programs that use mesolite as anybody would, and what demo.py shows them on."""
