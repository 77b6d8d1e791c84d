"""Bringing all hospitals to the schema that a release needs: `planning` what, `upgrading` one, `running` all of them."""
