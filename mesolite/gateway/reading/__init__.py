"""What the endpoints for reading answer, made of snapshots: pure functions (docs/spec/http.md sections 9.1 to 12).

    operator_reads.py   api/v1 of a master         legacy.py, legacy_tasks.py   the plain endpoints of a master
    agent_reads.py      api/v1 of an agent         agent_legacy.py              the plain endpoints of an agent

The others are what these share: `legacy_nouns.py` spells our nouns as the plain endpoints do, with Mesos's old names.
Each gives plain dictionaries; of a v1 call, the body below its name.
"""
