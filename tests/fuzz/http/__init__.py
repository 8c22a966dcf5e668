"""Requests that nobody should send, to a simulated cluster that speaks HTTP: `python -m tests.fuzz.http`.

changes   JSON, text, headers and paths with something changed in them
callers   schedulers, executors and an operator, who use in their next call what the last answer has said
run       the requests, and what must hold: each is answered, none with 500, and the cluster lives and schedules
"""
