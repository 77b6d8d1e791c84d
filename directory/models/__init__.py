"""What is known across hospitals (public schema): the portal's index, and when a person has a visit anywhere."""

from directory.models.doctors import DoctorListing, DoctorListings, FreeDay, FreeTime, SearchWord, Wanted
from directory.models.hospitals import DepartmentListing, HospitalListing, HospitalListings
from directory.models.taken import TakenTime, TakenTimes

__all__ = [
    "DepartmentListing",
    "DoctorListing",
    "DoctorListings",
    "FreeDay",
    "FreeTime",
    "HospitalListing",
    "HospitalListings",
    "SearchWord",
    "TakenTime",
    "TakenTimes",
    "Wanted",
]
