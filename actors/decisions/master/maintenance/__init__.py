"""Machines are taken down and brought up by a schedule: the rule, the flow, what is enforced."""
