"""Who works in the demo's hospitals, who would like to, and a patient."""

from dataclasses import dataclass

from accounts.permissions import Role


@dataclass(frozen=True)
class DemoStaff:
    """A colleague. `state` is active, invited or deactivated."""

    name: str
    email: str
    role: Role
    state: str = "active"


@dataclass(frozen=True)
class DemoDoctor:
    """A doctor, and what the hospital decided: approved, pending, more_asked or rejected. `answer` is what it wrote."""

    name: str
    email: str
    department: str
    specialization: str
    qualifications: str
    licence_number: str
    experience_years: int
    decision: str = "approved"
    answer: str = ""


PATIENT = ("Asha Patel", "asha@example.com")

STAFF: dict[str, list[DemoStaff]] = {
    "cedar": [
        DemoStaff("Meena Kulkarni", "meena@cedar.example", Role.FRONT_DESK),
        DemoStaff("Farid Shaikh", "farid@cedar.example", Role.PHARMACIST),
        DemoStaff("Bina Mehta", "bina@cedar.example", Role.BILLING_CLERK),
        DemoStaff("Sister Joseph Mathew", "joseph@cedar.example", Role.NURSE),
        DemoStaff("Tara Iyer", "tara@cedar.example", Role.CONTENT_MANAGER),
        DemoStaff("Vikram Joshi", "vikram@cedar.example", Role.PHARMACY_MANAGER),
        DemoStaff("Sunil Pawar", "sunil@cedar.example", Role.FRONT_DESK, state="deactivated"),
        DemoStaff("Leela Nair", "leela@cedar.example", Role.NURSE, state="invited"),
        # One sign-in, another role: Kiran runs Lotus and keeps Cedar's books.
        DemoStaff("Kiran Das", "kiran@lotus.example", Role.BILLING_CLERK, state="invited"),
    ],
    "lotus": [
        DemoStaff("Devika Gowda", "devika@lotus.example", Role.FRONT_DESK),
        DemoStaff("Imran Khan", "imran@lotus.example", Role.PHARMACIST),
    ],
}

DOCTORS: dict[str, list[DemoDoctor]] = {
    "cedar": [
        DemoDoctor(
            "Anil Rao",
            "rao@cedar.example",
            "Cardiology",
            "Interventional cardiology",
            "MBBS, MD (Medicine), DM (Cardiology)",
            "MMC/2004/11873",
            19,
        ),
        DemoDoctor(
            "Shalini Deshpande",
            "shalini@cedar.example",
            "General medicine",
            "Internal medicine",
            "MBBS, MD (Medicine)",
            "MMC/2011/40218",
            12,
        ),
        DemoDoctor(
            "Rustom Irani",
            "rustom@cedar.example",
            "Orthopaedics",
            "Joint replacement",
            "MBBS, MS (Orthopaedics)",
            "MMC/1998/07755",
            25,
        ),
        DemoDoctor(
            "Meher Contractor",
            "meher@cedar.example",
            "Dermatology",
            "Dermatology",
            "MBBS, MD (Dermatology)",
            "MMC/2012/44301",
            11,
        ),
        DemoDoctor(
            "Aditya Kamat",
            "aditya@cedar.example",
            "Paediatrics",
            "Paediatrics",
            "MBBS, MD (Paediatrics)",
            "MMC/2014/58822",
            9,
        ),
        DemoDoctor(
            "Gauri Bhosale",
            "gauri@cedar.example",
            "Paediatrics",
            "Neonatal care",
            "MBBS, DCH",
            "MMC/2019/91002",
            5,
            decision="pending",
        ),
        DemoDoctor(
            "Omkar Salunkhe",
            "omkar@cedar.example",
            "Dermatology",
            "Dermatology",
            "MBBS, MD (Dermatology)",
            "MMC/2015/66120",
            8,
            decision="pending",
        ),
        DemoDoctor(
            "Nazneen Merchant",
            "nazneen@cedar.example",
            "Ear, nose and throat",
            "Otology",
            "MBBS, MS (ENT)",
            "MMC/2013/51877",
            10,
            decision="more_asked",
            answer="Your licence is readable only in half. Please send both sides.",
        ),
        DemoDoctor(
            "Prakash Lele",
            "prakash@cedar.example",
            "Cardiology",
            "Cardiology",
            "BHMS",
            "MCH/2009/31144",
            14,
            decision="rejected",
            answer="The licence is of the council of homoeopathy; this post asks for the medical council's.",
        ),
    ],
    "lotus": [
        DemoDoctor(
            "Anjali Hegde",
            "anjali@lotus.example",
            "Obstetrics",
            "High-risk pregnancy",
            "MBBS, MS (Obstetrics and Gynaecology)",
            "KMC/2006/22914",
            17,
        ),
        DemoDoctor(
            "Roshni Menon",
            "roshni@lotus.example",
            "Gynaecology",
            "Gynaecology",
            "MBBS, MS (Obstetrics and Gynaecology)",
            "KMC/2009/31560",
            14,
        ),
        DemoDoctor(
            "Farhan Ahmed",
            "farhan@lotus.example",
            "Paediatrics",
            "Paediatrics",
            "MBBS, MD (Paediatrics)",
            "KMC/2013/45118",
            10,
        ),
        DemoDoctor(
            "Suresh Bhat",
            "suresh@lotus.example",
            "Neonatology",
            "Neonatology",
            "MBBS, MD (Paediatrics), DM (Neonatology)",
            "KMC/2010/38207",
            13,
            decision="pending",
        ),
    ],
}

# The people whose sign-ins `make run` prints beside the admins', by subdomain: who they are, by e-mail address.
PRINTED = {
    "cedar": {
        "rao@cedar.example": "a doctor",
        "meena@cedar.example": "the front desk",
        "bina@cedar.example": "the billing clerk",
        "gauri@cedar.example": "a doctor who awaits approval",
    }
}
