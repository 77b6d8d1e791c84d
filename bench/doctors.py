"""Very many doctors in the directory, made up."""

import io
import random
from datetime import datetime
from itertools import product
from typing import Any

from audit import services as audit
from audit.models import Action
from core.codes import new_code
from directory import expressions, specialties
from directory.models import SearchWord
from tenants.models import Hospital

HOSPITALS = 300

CITIES = [
    *("Mumbai", "Delhi", "Bengaluru", "Hyderabad", "Chennai", "Kolkata", "Pune", "Ahmedabad", "Jaipur", "Lucknow"),
    *("Surat", "Kanpur", "Nagpur", "Indore", "Thane", "Bhopal", "Patna", "Vadodara", "Ludhiana", "Agra", "Nashik"),
    *("Ranchi", "Kochi", "Mysuru", "Guwahati", "Chandigarh", "Coimbatore", "Madurai", "Jodhpur", "Raipur"),
]
LANGUAGES = ("en", "hi", "mr", "ta", "te", "kn", "bn", "gu", "ml", "pa", "ur", "or", "as", "kok", "tcy")
_BEGINNINGS = (
    "Ra",
    "Vi",
    "Sa",
    "An",
    "Ka",
    "Me",
    "Su",
    "De",
    "Ni",
    "Pri",
    "Ar",
    "Ma",
    "Lak",
    "Go",
    "Bha",
    "Sha",
    "Te",
    "Ya",
)
_MIDDLES = ("ni", "ke", "ja", "mi", "va", "shi", "ri", "ta", "lo", "pu")
_ENDS = ("sh", "ra", "n", "ya", "l", "ma", "t", "i")


def fill(cursor: Any, doctors: int, now: datetime) -> list[str]:
    """Hospitals and doctors that nobody has made up carefully, the same in every run; returns the family names."""
    chance = random.Random(7)
    families = ["".join(parts) for parts in product(_BEGINNINGS, _MIDDLES, _ENDS)]
    given = ["".join(parts) for parts in product(_BEGINNINGS, _ENDS)]
    hospitals = Hospital.objects.bulk_create(
        Hospital(
            schema_name=f"h_{number}",
            name=f"{chance.choice(families)} {chance.choice(['Hospital', 'Clinic', 'Heart Centre', 'Medical Centre'])}",
            registration_number=f"MH/{number}",
            email=f"office{number}@hospital.example",
            phone_number="+919845012345",
            address="12 Lake Road",
            city=city,
            state="MH",
            contact_person="Meera Shah",
            slug=f"hospital-{number}",
            status=Hospital.Status.APPROVED,
        )
        for number, city in enumerate(chance.choices(CITIES, weights=range(len(CITIES), 0, -1), k=HOSPITALS))
    )
    for hospital in hospitals:
        audit.record(action=Action.HOSPITAL_APPROVED, target=hospital, by=None, actor="bench", new=hospital.status)
    rows = [doctor(chance, number, chance.choice(hospitals), given, families) for number in range(doctors)]
    learnt = {word for *_, known, _number in rows for word in known}
    SearchWord.objects.bulk_create((SearchWord(word=word) for word in learnt if len(word) > 2), ignore_conflicts=True)
    cursor.execute(
        "CREATE TEMP TABLE made (hospital_id bigint, code uuid, name text, title text, years int, spoken text[], "
        "fee numeric, video numeric, lowest numeric, photo text, words text, pattern int)"
    )
    lines = ("\t".join(str(value) if value != "" else "\\N" for value in (*row[:-2], row[-1])) for row in rows)
    cursor.copy_expert("COPY made FROM STDIN", io.StringIO("\n".join(lines)))
    cursor.execute("CREATE TEMP TABLE patterns (pattern int, times int[], days int[])")
    cursor.executemany(
        "INSERT INTO patterns VALUES (%s, %s, %s)", [(number, *pattern(chance, now)) for number in range(500)]
    )
    cursor.execute(
        """
        INSERT INTO directory_doctorlisting (hospital_id, code, is_published, name, specialization, department,
            qualifications, experience_years, languages, fee_in_person, fee_video, lowest_fee, photo_thumb, search_text,
            free_times, free_days, notice_minutes, next_free_at, next_in_person_at, next_video_at, first_passes_at, stale_at)
        SELECT hospital_id, code, true, name, title, title, 'MBBS, MD', years, spoken, fee, video, lowest, coalesce(photo, ''),
            words, times, days, 60, to_timestamp(times[1] / 8 * 60.0), to_timestamp(times[1] / 8 * 60.0),
            CASE WHEN video IS NOT NULL THEN to_timestamp(times[1] / 8 * 60.0) END,
            to_timestamp(times[1] / 8 * 60.0) - interval '1 hour', now() + interval '1 day'
        FROM made NATURAL JOIN patterns
        """
    )
    return families


def doctor(chance: random.Random, number: int, hospital: Any, given: list[str], families: list[str]) -> list[Any]:
    """The columns of one doctor, with the words by which they are found before the last."""
    specialty = specialties.SPECIALTIES[common(chance)]
    name = f"{chance.choice(given)} {chance.choice(families)}"
    spoken = ["en", *chance.sample(LANGUAGES, k=2)] if number % 3 else ["en", "hi"]
    fee = chance.randrange(100, 2500, 50)
    video = "" if number % 2 else str(fee - 50)
    title = specialty.titles.split(",")[0]
    words = dict.fromkeys(specialties.words_of(f"{name} {title} {hospital.name} {hospital.city}"))
    marks = [expressions.mark("is", specialty.slug), expressions.mark("in", hospital.city)]
    marks += [expressions.mark("speaks", language) for language in spoken]
    marks += [expressions.mark("offers", kind) for kind in ("in_person", *(["video"] if video else []))]
    photo = "data:image/webp;base64," + "QUJD" * 400 if number % 5 else ""
    columns = [hospital.pk, new_code(), name, title, chance.randrange(2, 40), f"{{{','.join(spoken)}}}", fee, video]
    known = {*words, *specialties.vocabulary([specialty])}
    return [*columns, video or fee, photo, " ".join([*words, *marks]), known, number % 500]


def common(chance: random.Random) -> int:
    """The number of a specialty: few are common."""
    return min(int(chance.expovariate(0.1)), len(specialties.SPECIALTIES) - 1)


def pattern(chance: random.Random, now: datetime) -> tuple[list[int], list[int]]:
    """Two weeks of a doctor of whom some times are taken."""
    if chance.random() < 0.05:
        return [], []
    first = int(now.timestamp()) // 86400
    days = sorted(chance.sample(range(first, first + 14), k=chance.randrange(3, 13)))
    times = [(day * 1440 + 210 + slot * 20) * 8 + 3 for day in days for slot in range(24) if chance.random() < 0.7]
    numbers = [number for number in times if number > (int(now.timestamp()) // 60 + 60) * 8]
    return numbers, sorted({number // 8 // 1440 * 8 + bit for number in numbers for bit in (1, 2)})
