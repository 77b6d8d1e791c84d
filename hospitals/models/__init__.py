"""What every hospital has, in its own schema. Users are referred to without a database constraint (see docs/adr)."""

from hospitals.models.departments import Department
from hospitals.models.doctors import Doctor, DoctorDocument, Doctors, bookable
from hospitals.models.settings import BookingPolicy, Settings
from hospitals.models.staff import STAFF_STATES, Invitation, Staff, StaffMembers

__all__ = [
    "STAFF_STATES",
    "BookingPolicy",
    "Department",
    "Doctor",
    "DoctorDocument",
    "Doctors",
    "Invitation",
    "Settings",
    "Staff",
    "StaffMembers",
    "bookable",
]
