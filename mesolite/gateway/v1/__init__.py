"""The JSON of Mesos v1: what comes in is read leniently, what goes out is strict (docs/spec/http.md section 2).

    schema/       the messages that clients send, as data
    lenient.py    bytes become plain dicts that fit a message of the schema, or an error that names the field
    scalars.py    the single values in them
    framing.py    plain values become JSON, and records of a stream

All of it is made of functions that know no actor and no socket.
"""
