"""Made-up doctors' time, patients and visits. Every day has visits, whatever the day on which the demo is started."""

from dataclasses import dataclass, field
from datetime import date

from accounts.models import Relation, Sex
from core.visits import VisitKind


@dataclass(frozen=True)
class DemoPractice:
    """What a doctor says of themselves, asks, and when they can be booked. `hours` are (weekdays, from, to)."""

    bio: str
    languages: list[str]
    fee: int
    video: int | None = None
    chat: int | None = None
    slot_minutes: int = 20
    room: str = ""
    hours: list[tuple[str, str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class DemoPatient:
    """Somebody the desk has registered, without an account."""

    name: str
    born: date
    sex: Sex
    phone: str
    allergies: list[str] | None = None


@dataclass(frozen=True)
class DemoVisit:
    """A visit of `patient` (a name of PATIENTS, or "Asha", or "Ishaan", her son) `days` from today."""

    doctor: str
    patient: str
    days: int
    time: str
    reason: str = ""
    kind: VisitKind = VisitKind.IN_PERSON
    # What becomes of one that is not over yet; those of the past are completed, `missed` ones missed.
    state: str = ""


ALL_WEEK, WORKDAYS, SHORT_WEEK = "0123456", "012345", "01234"

PRACTICES = {
    "rao@cedar.example": DemoPractice(
        bio="I look after hearts: chest pain, breathlessness, rhythm, and life after an angioplasty. Bring earlier ECGs "
        "and the list of your medicines. I explain until you have understood.",
        languages=["en", "hi", "mr", "te"],
        fee=900,
        video=700,
        room="Room 3",
        hours=[(ALL_WEEK, "09:00", "13:00"), (ALL_WEEK, "16:00", "20:00")],
    ),
    "shalini@cedar.example": DemoPractice(
        bio="Fever that does not go, diabetes, thyroid, blood pressure, and everything you are not sure where to take.",
        languages=["en", "hi", "mr"],
        fee=600,
        video=450,
        chat=300,
        slot_minutes=15,
        room="Room 1",
        hours=[(ALL_WEEK, "08:00", "12:30"), (WORKDAYS, "17:00", "20:00")],
    ),
    "rustom@cedar.example": DemoPractice(
        bio="Knees and hips that hurt, and when an operation helps and when it does not.",
        languages=["en", "hi", "gu", "mr"],
        fee=1000,
        slot_minutes=30,
        room="Room 5",
        hours=[("024", "10:00", "13:00"), ("135", "15:00", "18:30")],
    ),
    "meher@cedar.example": DemoPractice(
        bio="Skin, hair and nails, from acne to moles that have changed.",
        languages=["en", "hi", "gu"],
        fee=750,
        video=600,
        room="Room 2",
        hours=[(SHORT_WEEK, "10:00", "14:00")],
    ),
    "aditya@cedar.example": DemoPractice(
        bio="Children from the first day on: vaccination, growth, cough and fever. Siblings are welcome.",
        languages=["en", "hi", "mr", "kn"],
        fee=650,
        video=500,
        room="Room 4",
        hours=[(WORKDAYS, "09:00", "12:00"), (SHORT_WEEK, "16:00", "19:00")],
    ),
    "anjali@lotus.example": DemoPractice(
        bio="Pregnancies that need a closer look. You will know the plan, and the plan behind it.",
        languages=["en", "kn", "hi", "kok"],
        fee=1100,
        video=800,
        slot_minutes=30,
        room="Room A",
        hours=[(WORKDAYS, "09:30", "13:30"), ("14", "15:00", "17:30")],
    ),
    "roshni@lotus.example": DemoPractice(
        bio="Women’s health at every age: periods, pain, PCOS, contraception, menopause.",
        languages=["en", "kn", "ta", "ml"],
        fee=800,
        video=650,
        room="Room B",
        hours=[(WORKDAYS, "10:00", "16:00")],
    ),
    "farhan@lotus.example": DemoPractice(
        bio="Check-ups, vaccination and sudden illness of children. I like questions.",
        languages=["en", "kn", "ur", "hi"],
        fee=700,
        video=500,
        chat=350,
        slot_minutes=15,
        room="Room C",
        hours=[(WORKDAYS, "09:00", "12:00"), (SHORT_WEEK, "14:00", "17:00")],
    ),
}

SON = ("Ishaan Patel", date(2018, 3, 9), Sex.MALE, Relation.CHILD)

PATIENTS = {
    "cedar": [
        DemoPatient("Ravi Kulkarni", date(1961, 7, 2), Sex.MALE, "+919822012345", ["Penicillin"]),
        DemoPatient("Sunita Pawar", date(1984, 11, 23), Sex.FEMALE, "+919822023456", []),
        DemoPatient("Mohammed Shaikh", date(1975, 1, 30), Sex.MALE, "+919822034567"),
        DemoPatient("Lata Deshmukh", date(1952, 5, 14), Sex.FEMALE, "+919822045678", ["Sulfa drugs", "Peanuts"]),
        DemoPatient("Joseph D’Souza", date(1990, 9, 8), Sex.MALE, "+919822056789"),
        DemoPatient("Priya Nair", date(1996, 12, 1), Sex.FEMALE, "+919822067890", []),
        DemoPatient("Vitthal More", date(1948, 2, 19), Sex.MALE, "+919822078901", ["Aspirin"]),
        DemoPatient("Kavita Joshi", date(1979, 6, 27), Sex.FEMALE, "+919822089012"),
        DemoPatient("Arjun Reddy", date(2001, 10, 11), Sex.MALE, "+919822090123"),
        # The same person, entered twice: something to merge.
        DemoPatient("Sunita Pawaar", date(1984, 11, 23), Sex.FEMALE, "+919822023456"),
    ],
    "lotus": [
        DemoPatient("Deepa Gowda", date(1993, 4, 17), Sex.FEMALE, "+919845011111", []),
        DemoPatient("Fathima Begum", date(1989, 8, 5), Sex.FEMALE, "+919845022222"),
        DemoPatient("Nandini Rao", date(1998, 1, 21), Sex.FEMALE, "+919845033333"),
    ],
}

VISITS = {
    "cedar": [
        DemoVisit("rao@cedar.example", "Asha", -12, "10:20", "Palpitations at night"),
        DemoVisit("shalini@cedar.example", "Ravi Kulkarni", -9, "08:30", "Sugar check"),
        DemoVisit("shalini@cedar.example", "Ishaan", -6, "09:15", "Cough"),
        DemoVisit("rao@cedar.example", "Vitthal More", -3, "11:00", "After angioplasty", state="missed"),
        DemoVisit("rao@cedar.example", "Lata Deshmukh", -2, "09:40", "Swollen feet"),
        DemoVisit("rao@cedar.example", "Ravi Kulkarni", 0, "09:00", "Blood pressure"),
        DemoVisit("rao@cedar.example", "Sunita Pawar", 0, "09:20", "Palpitations"),
        DemoVisit("rao@cedar.example", "Mohammed Shaikh", 0, "10:00", "Chest pain on stairs"),
        DemoVisit("rao@cedar.example", "Lata Deshmukh", 0, "11:20", "ECG result"),
        DemoVisit("rao@cedar.example", "Joseph D’Souza", 0, "12:00", "Second opinion", kind=VisitKind.VIDEO),
        DemoVisit("rao@cedar.example", "Vitthal More", 0, "16:20", "After angioplasty"),
        DemoVisit("rao@cedar.example", "Kavita Joshi", 0, "17:00", "Breathless"),
        DemoVisit("rao@cedar.example", "Arjun Reddy", 0, "18:20", "Before a marathon"),
        DemoVisit("rao@cedar.example", "Priya Nair", 0, "19:20", "Family history"),
        DemoVisit("shalini@cedar.example", "Priya Nair", 0, "08:15", "Thyroid"),
        DemoVisit("shalini@cedar.example", "Joseph D’Souza", 0, "09:30", "Fever"),
        DemoVisit("shalini@cedar.example", "Kavita Joshi", 0, "11:00", "Tired all day"),
        DemoVisit("rao@cedar.example", "Asha", 2, "10:40", "Control after three weeks"),
        DemoVisit("rao@cedar.example", "Sunita Pawar", 1, "09:00", "Holter result"),
        DemoVisit("rao@cedar.example", "Ravi Kulkarni", 1, "10:20", "Blood pressure", state="cancelled"),
        DemoVisit("shalini@cedar.example", "Lata Deshmukh", 1, "08:45", "Vaccination"),
        DemoVisit("shalini@cedar.example", "Arjun Reddy", 3, "10:00", "Rash"),
        DemoVisit("rao@cedar.example", "Mohammed Shaikh", 4, "16:40", "Stress test"),
    ],
    "lotus": [
        DemoVisit("roshni@lotus.example", "Deepa Gowda", 1, "10:20"),
        DemoVisit("anjali@lotus.example", "Fathima Begum", 2, "10:00"),
        DemoVisit("farhan@lotus.example", "Ishaan", 3, "09:30", "Vaccination"),
    ],
}

# Who walked in today, to which doctor; the first is with the doctor now.
WALK_INS = {
    "cedar": [
        ("shalini@cedar.example", "Arjun Reddy", "Cut on the hand"),
        ("shalini@cedar.example", "Vitthal More", "Dizzy since the morning"),
        ("shalini@cedar.example", "Mohammed Shaikh", "Fever"),
    ]
}
# What the hospitals keep of the fee, in percent: for cancelling on the last day, and for not coming.
LATE, MISSED = 50, 100
