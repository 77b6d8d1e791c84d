"""Who did what, kept for ever. Three rings: services record, Postgres refuses what was not recorded, nothing is changed."""
