"""The whole public face, called with what nobody should give it: `make fuzz`, and a small round in `make test`.

face      what there is to call, found by looking at the public names
poison    values of the wrong sort
run       calls, and what must hold afterwards: leader, agents and a bystander live and work
"""
