"""Which agents belong to the cluster: how they come, are watched, leave, and come back."""
