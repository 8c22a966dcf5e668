"""The threads runtime: real time; commands are run by actors/containerizer.

runtime     implements the port: actors, storage, links            pool         workers, own threads
clock       fires timers                                            sqlite_store  what is kept, in one file
blocking    callbacks that do not return                            unseen       what was raised and nobody saw
"""
