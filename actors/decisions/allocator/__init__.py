"""The allocator: who is offered what, and when (core.md OF-1 to OF-53)."""
