"""Operators drain and deactivate agents: the rule, the flow, what it has done."""
