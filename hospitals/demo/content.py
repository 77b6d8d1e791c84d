"""Who the demo's hospitals are."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class DemoHospital:
    """A made-up hospital. `decision` is what the superadmin did with it; `departments` are (name, description)."""

    slug: str
    name: str
    number: str
    contact: str
    email: str
    phone: str
    address: str
    city: str
    state: str
    accent: str = ""
    logo: str = ""
    decision: str = "pending"
    reason: str = ""
    has_checked_contact: bool = False
    welcome: str = ""
    opening_hours: str = ""
    departments: list[tuple[str, str]] = field(default_factory=list)


HOSPITALS = [
    DemoHospital(
        slug="cedar",
        name="Cedar Hospital",
        number="MH/PUN/2014/00871",
        contact="Hari Rao",
        email="hari@cedar.example",
        phone="+912066012345",
        address="12 Lake Road, Kothrud",
        city="Pune",
        state="MH",
        accent="#0d6b4f",
        has_checked_contact=True,
        logo="cedar.png",
        decision="approved",
        welcome="A hundred beds beside the lake, and a doctor who has time for you. Walk in, or call us first.",
        opening_hours="Every day, 8:00 to 20:00. Emergency at all hours.",
        departments=[
            ("Cardiology", "Chest pain, breathlessness, blood pressure; ECG, echo and stress test on the same day."),
            ("General medicine", "Fever, diabetes, thyroid, and everything you are not sure where to take."),
            ("Orthopaedics", "Joints, fractures, back pain and sports injuries, with physiotherapy in the house."),
            ("Paediatrics", "Children from the first day on: vaccination, growth, and sudden illness."),
            ("Dermatology", "Skin, hair and nails."),
            ("Ear, nose and throat", "Hearing, sinus and voice; day surgery."),
        ],
    ),
    DemoHospital(
        slug="lotus",
        name="Lotus Women and Children’s Hospital",
        number="KA/BLR/2019/01442",
        contact="Kiran Das",
        email="kiran@lotus.example",
        phone="+918041234567",
        address="48 Residency Road, Shanthala Nagar",
        city="Bengaluru",
        state="KA",
        accent="#a3306b",
        logo="lotus.png",
        decision="approved",
        welcome="Care for mothers and children, from the first scan to the first day at school.",
        opening_hours="Monday to Saturday, 9:00 to 18:00. Labour ward at all hours.",
        departments=[
            ("Obstetrics", "Pregnancy and birth."),
            ("Gynaecology", "Women's health at every age."),
            ("Neonatology", "Intensive care for the newborn, level III."),
            ("Paediatrics", "Check-ups, vaccination and illness."),
        ],
    ),
    DemoHospital(
        slug="banyan",
        name="Banyan Heart Institute",
        number="TN/CHE/2021/00310",
        contact="Lakshmi Iyer",
        email="office@banyan.example",
        phone="+914442345678",
        address="7 Cathedral Road, Gopalapuram",
        city="Chennai",
        state="TN",
        logo="banyan.png",
    ),
    DemoHospital(
        slug="quickcure",
        name="Quick Cure Polyclinic",
        number="DL/2024/77",
        contact="R. Malhotra",
        email="info@quickcure.example",
        phone="+911123456789",
        address="2nd floor, Market Complex",
        city="New Delhi",
        state="DL",
        decision="rejected",
        reason="The registration number is not in the state's register of clinical establishments. "
        "Register again with the number on your certificate.",
    ),
]
