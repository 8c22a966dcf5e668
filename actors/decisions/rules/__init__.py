"""Leaves below the cores: pure answers to one question each. They import nouns, never a core.

allocator, shares, refusals      who is offered what, whose turn it is, who has refused what
fairness                         dominant shares, and clients kept in their order
candidates, grid                 which agents the allocator's next run visits; when runs at whole intervals are due
detector                     the client's side of an election
ping_batches, removal_limiter        who is pinged together, and how fast agents are given up
drain, reclaim                   when a drain or a reclaim is over, and what holds it up
inverse_offers                   which agents are looked at for inverse offers, and who does not want to be asked
maintenance                      the schedule as a lookup by machine, and which changes of it are valid
registry                         what a durable change does to the registry
validation                       may this task be launched, may this framework subscribe
callback_queue, driver_requests  user code is called one callback at a time; what its calls turn into
executor_registration            an executor's side of its agent
work_outcome                     what the end of a command says about its task
"""
