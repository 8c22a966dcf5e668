"""A package, so that nothing else called tests is taken for it."""
