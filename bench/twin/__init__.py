"""A site of three pages on RHMS's own tables, to be served in three ways that keep hospitals apart, or do not."""
