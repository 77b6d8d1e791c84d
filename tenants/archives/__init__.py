"""One hospital out of the platform and in again: its archive, restoring it, and deleting who has left.

`contents` says what a hospital's schema holds as text that is the same wherever it lies, `manifest` what an archive says
of itself, `packing` reads and writes the file. `exporting`, `restoring`, `swapping` and `deleting` are the services.
"""
