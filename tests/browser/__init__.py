"""The page of a run in a real browser: `make browser`. Not part of `make test`, as it needs Chromium."""
