"""What the desk, the doctor and the patients themselves say about a patient."""

from patients.forms.details import Clinical, Details, OwnDetails, Registration, present
from patients.forms.merging import Merge
from patients.forms.steps import Blocking, Step

__all__ = ["Blocking", "Clinical", "Details", "Merge", "OwnDetails", "Registration", "Step", "present"]
