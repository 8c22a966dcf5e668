"""A test with the `sim` fixture that is run again and again as one item: explored, replayed, told as one outcome.

wishes      what markers and options ask of a test
protocol    the test is run again, with fresh fixtures
exploring   ... with simulations that the harness makes: many seeds, a script that was kept
corpus      the folder in which failing scripts are kept
told        what is said about a failure, and the command that repeats it

It is loaded when a test asks for one of these things (mesolite/pytest_plugin.py).
"""
