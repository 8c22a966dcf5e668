"""The messages that clients of Mesos v1 send, as data: facts of its protocol files, for all that comes in.

Each message is a constant with the name it has there: TaskInfo is TASK_INFO in tasks.py. What is used in one place only
stands there. Names with the prefix x_mesolite_ are our own (HT-51).
"""
