"""How doctors join a hospital: they apply and are reviewed, or the hospital invites them, one or a whole list."""
