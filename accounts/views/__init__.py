"""Pages about oneself: the same on every host, in the brand of the host that was asked."""
