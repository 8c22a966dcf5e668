"""What to do, and nothing else: given an event and the time, each core answers with effects to be carried out.

    contract    Core; the events that are not messages; the effects       settings      every timing and limit by name
    master/     the leader's decisions                                    agent/        an agent's decisions, by noun
    elector     who leads                                                 registrar     what outlives a master
    scheduler/  a scheduler's driver                                      executor/     a user's executor; a command's
    operator    puts calls before the leader                              driver_calls  what user code asks for
    allocator/  who is offered what, and when                             detector      the client's side of an election
    callback_queue  user code is called one callback at a time            interval      when it runs at intervals
    moves       states and tables of their moves
    rules/      leaves below the cores: each answers one question about nouns

Rule: no clock, no randomness, no threads, no files, no Pykka; nothing iterates over a set.
"""
