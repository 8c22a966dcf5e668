"""What to do, and nothing else: given an event and the time, each core answers with effects to be carried out.

    contract    Core; the events that are not messages; the effects       settings    every timing and limit by name
    master/     the leader's decisions, by noun                           agent/      an agent's decisions, by noun
    elector     who leads                                                 registrar   what outlives a master
    scheduler   a scheduler's driver                                    driver_calls  what user code asks for
    executor, command_executor   what runs tasks
    rules/      leaves below the cores: each answers one question about nouns

Rule: no clock, no randomness, no threads, no files, no Pykka; nothing iterates over a set.
"""
