"""Real clients of Mesos, unmodified, in environments of their own, against a real cluster over HTTP (make clients).

    environments.py      makes the environments, once: python -m tests.clients.environments
    programs/            what runs in them: takes orders as lines of JSON, tells of every callback by one
    running.py           starts a program, orders, and waits for what it tells
    operating.py         the operator's side, by urllib
    test_*.py            one file for each client

They need packages of others, so nothing collects them but `make clients`.
"""
