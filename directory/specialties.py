"""Medical specialties: how doctors name them, and the words patients use instead. Nothing here knows the database.

"heart", "dil" and "chest pain" all lead to cardiology. A word that means no specialty is looked for as it stands: it
may be a doctor, a hospital, a department or a city.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

_WORD = re.compile(r"[^\W_]+")
_LONGEST_PHRASE = 4


@dataclass(frozen=True, eq=False)
class Specialty:
    """A field of medicine. `titles` is what doctors call it and themselves, `words` what patients say."""

    slug: str
    name: str | Promise
    titles: str
    words: str = ""


# In `titles` and `words`, phrases are divided by commas.
SPECIALTIES = (
    Specialty(
        "general-medicine",
        _("General medicine"),
        "general medicine, general physician, internal medicine, internist, family medicine, family physician, "
        "general practitioner, general practice, gp, physician, mbbs",
        "fever, bukhar, cold, cough, khansi, flu, weakness, kamzori, infection, checkup, check up, viral, tired, fatigue, "
        "headache, sir dard, body pain, sugar, blood pressure, bp, high bp, dengue, malaria, typhoid",
    ),
    Specialty(
        "cardiology",
        _("Cardiology"),
        "cardiology, cardiologist, interventional cardiology, interventional cardiologist, cardiac sciences, cardiac",
        "heart, dil, hriday, chest pain, seene mein dard, palpitations, heart attack, angina, cholesterol, "
        "blood pressure, bp, high bp, ecg, angioplasty, heart failure, murmur",
    ),
    Specialty(
        "cardiac-surgery",
        _("Heart surgery"),
        "cardiac surgery, cardiothoracic surgery, cardiothoracic surgeon, cardiac surgeon, ctvs, cvts, heart surgery, "
        "heart surgeon",
        "bypass, valve replacement, open heart",
    ),
    Specialty(
        "dermatology",
        _("Dermatology"),
        "dermatology, dermatologist, dermatovenereology, skin specialist, trichologist, cosmetology",
        "skin, twacha, chamdi, acne, pimples, pimple, rash, eczema, psoriasis, hair, hair loss, hair fall, baal, dandruff, "
        "itching, khujli, fungal, ringworm, daad, vitiligo, mole, warts, allergy",
    ),
    Specialty(
        "paediatrics",
        _("Paediatrics"),
        "paediatrics, pediatrics, paediatrician, pediatrician, paediatric, pediatric, child specialist, neonatology, "
        "neonatologist, child health",
        "child, children, kids, kid, baby, babies, infant, newborn, bachcha, bachche, bacha, bachon, shishu, vaccination, "
        "vaccine, immunisation, immunization, growth",
    ),
    Specialty(
        "gynaecology",
        _("Gynaecology and obstetrics"),
        "gynaecology, gynecology, gynaecologist, gynecologist, obstetrics, obstetrician, obgyn, ob gyn, gynae",
        "women, woman, lady, ladies, mahila, stri, pregnancy, pregnant, garbh, garbhavastha, delivery, periods, period, "
        "mahwari, menstrual, pcos, pcod, menopause, uterus, cervical, white discharge, maternity",
    ),
    Specialty(
        "fertility",
        _("Fertility"),
        "fertility, infertility, reproductive medicine, ivf, andrology, andrologist",
        "conceive, sperm, test tube baby, egg freezing, banjhpan",
    ),
    Specialty(
        "orthopaedics",
        _("Orthopaedics"),
        "orthopaedics, orthopedics, orthopaedic, orthopedic, orthopaedician, orthopedician, orthopaedist, orthopedist, "
        "joint replacement, ortho, sports medicine",
        "bone, bones, haddi, joint, joints, jod, knee, ghutna, ghutne, hip, shoulder, kandha, back pain, kamar, kamar dard, "
        "fracture, sprain, moch, ligament, arthritis, slipped disc, heel pain, sports injury, plaster, elbow, ankle",
    ),
    Specialty(
        "spine-surgery",
        _("Spine"),
        "spine surgery, spine surgeon, spine",
        "spinal, back pain, slipped disc, sciatica, reedh, neck pain, scoliosis",
    ),
    Specialty(
        "ophthalmology",
        _("Eye care"),
        "ophthalmology, ophthalmologist, eye care, eye surgeon, optometry, optometrist, retina specialist",
        "eye, eyes, aankh, aankhen, ankh, netra, nazar, vision, sight, cataract, motiyabind, glaucoma, retina, glasses, "
        "chashma, lasik, red eye, squint",
    ),
    Specialty(
        "ent",
        _("Ear, nose and throat"),
        "ent, otorhinolaryngology, otorhinolaryngologist, otolaryngology, otolaryngologist, ear nose throat, "
        "ear nose and throat",
        "ear, ears, kaan, nose, naak, throat, gala, gale, sinus, sinusitis, tonsil, tonsils, hearing, vertigo, chakkar, "
        "snoring, kharrate, voice, ear pain, sore throat, nosebleed",
    ),
    Specialty(
        "dentistry",
        _("Dentistry"),
        "dentistry, dentist, dental, dental surgeon, orthodontics, orthodontist, endodontics, endodontist, periodontics, "
        "periodontist, oral surgery, maxillofacial, prosthodontics, prosthodontist",
        "tooth, teeth, toothache, daant, dant, danth, gum, gums, masude, braces, root canal, cavity, implant, wisdom tooth, "
        "jaw, denture",
    ),
    Specialty(
        "neurology",
        _("Neurology"),
        "neurology, neurologist, neurophysiology, epileptologist, stroke medicine",
        "brain, dimag, dimaag, nerve, nerves, nas, migraine, headache, sir dard, stroke, lakwa, paralysis, epilepsy, mirgi, "
        "seizure, seizures, fits, parkinson, tremor, memory, dementia, alzheimer, numbness, dizziness, vertigo, chakkar",
    ),
    Specialty(
        "neurosurgery",
        _("Neurosurgery"),
        "neurosurgery, neurosurgeon, neuro surgery, neuro surgeon",
        "brain tumour, brain tumor, brain surgery, head injury, spinal",
    ),
    Specialty(
        "psychiatry",
        _("Psychiatry"),
        "psychiatry, psychiatrist, mental health, de addiction, deaddiction",
        "depression, anxiety, stress, tanav, mind, mann, mental, sleep, insomnia, neend, addiction, nasha, alcohol, adhd, "
        "panic, ocd, bipolar, schizophrenia, sad, suicidal",
    ),
    Specialty(
        "psychology",
        _("Psychology and counselling"),
        "psychology, psychologist, clinical psychology, clinical psychologist, counselling, counseling, counsellor, "
        "counselor, psychotherapy, psychotherapist, therapist",
        "depression, anxiety, stress, tanav, therapy, marriage, couple, autism, grief, anger, talk",
    ),
    Specialty(
        "gastroenterology",
        _("Gastroenterology"),
        "gastroenterology, gastroenterologist, hepatology, hepatologist, gastro, digestive health",
        "stomach, pet, pet dard, stomach pain, stomach ache, abdomen, abdominal pain, digestion, gas, acidity, liver, jigar, "
        "jaundice, piliya, constipation, kabz, diarrhoea, diarrhea, dast, loose motion, ulcer, vomiting, ulti, nausea, "
        "endoscopy, colonoscopy, ibs, bowel, hepatitis, fatty liver, reflux, heartburn",
    ),
    Specialty(
        "general-surgery",
        _("General surgery"),
        "general surgery, general surgeon, laparoscopic surgery, laparoscopic surgeon, surgeon, surgery, "
        "gastrointestinal surgery, bariatric surgery",
        "operation, hernia, appendix, appendicitis, gallbladder, gallstone, gallstones, pathri, piles, bawaseer, fistula, "
        "lump, abscess, thyroid surgery, weight loss surgery",
    ),
    Specialty(
        "proctology",
        _("Proctology"),
        "proctology, proctologist, colorectal surgery, colorectal surgeon",
        "piles, bawaseer, fissure, fistula, haemorrhoids, hemorrhoids, bhagandar",
    ),
    Specialty(
        "endocrinology",
        _("Endocrinology and diabetes"),
        "endocrinology, endocrinologist, diabetology, diabetologist",
        "diabetes, diabetic, sugar, madhumeh, thyroid, hormone, hormones, obesity, weight, motapa, pcos, insulin, growth",
    ),
    Specialty(
        "nephrology",
        _("Nephrology"),
        "nephrology, nephrologist, renal sciences, renal medicine",
        "kidney, kidneys, gurda, gurde, dialysis, creatinine, renal, kidney failure, swelling, sujan",
    ),
    Specialty(
        "urology",
        _("Urology"),
        "urology, urologist, uro oncology",
        "urine, peshab, bladder, prostate, kidney stone, kidney stones, stone, pathri, uti, urinary, circumcision, "
        "vasectomy, burning urine",
    ),
    Specialty(
        "sexual-health",
        _("Sexual health"),
        "sexology, sexologist, sexual health, sexual medicine, venereology, venereologist",
        "sex, erectile, impotence, std, sti, gupt rog, premature ejaculation",
    ),
    Specialty(
        "pulmonology",
        _("Lungs and chest"),
        "pulmonology, pulmonologist, respiratory medicine, chest physician, chest medicine, pulmonary medicine, "
        "tuberculosis and chest",
        "lung, lungs, phephde, phephda, breathing, breathless, saans, saas, asthma, dama, cough, khansi, tb, tuberculosis, "
        "copd, pneumonia, bronchitis, wheezing, chest pain, sleep apnea, sleep apnoea, smoking",
    ),
    Specialty(
        "oncology",
        _("Oncology"),
        "oncology, oncologist, medical oncology, surgical oncology, surgical oncologist, cancer care, radiation oncology",
        "cancer, tumour, tumor, chemotherapy, chemo, karkrog, lymphoma, breast lump, radiotherapy",
    ),
    Specialty(
        "haematology",
        _("Haematology"),
        "haematology, hematology, haematologist, hematologist, haemato oncology",
        "blood, khoon, anaemia, anemia, haemophilia, hemophilia, platelets, thalassaemia, thalassemia, leukaemia, leukemia, "
        "bone marrow, sickle cell, clot",
    ),
    Specialty(
        "rheumatology",
        _("Rheumatology"),
        "rheumatology, rheumatologist, clinical immunology",
        "arthritis, gathiya, gout, lupus, joint pain, jodo ka dard, autoimmune, uric acid, stiffness, ankylosing",
    ),
    Specialty(
        "allergy",
        _("Allergy and immunology"),
        "allergy, allergist, immunology, immunologist, allergology",
        "allergies, allergic, sneezing, chheenk, hay fever, food allergy, dust allergy, hives",
    ),
    Specialty(
        "infectious-diseases",
        _("Infectious diseases"),
        "infectious diseases, infectious disease, tropical medicine",
        "infection, hiv, aids, dengue, malaria, typhoid, covid, tuberculosis, travel vaccine, fever, bukhar",
    ),
    Specialty(
        "physiotherapy",
        _("Physiotherapy"),
        "physiotherapy, physiotherapist, physical therapy, rehabilitation, physical medicine, physiatrist, "
        "occupational therapy",
        "physio, exercise, stiff neck, frozen shoulder, back pain, kamar dard, neck pain, posture, sports injury",
    ),
    Specialty(
        "nutrition",
        _("Diet and nutrition"),
        "nutrition, nutritionist, dietetics, dietitian, dietician",
        "diet, food, weight, weight loss, motapa, obesity, poshan, gain weight",
    ),
    Specialty(
        "plastic-surgery",
        _("Plastic surgery"),
        "plastic surgery, plastic surgeon, cosmetic surgery, cosmetic surgeon, aesthetic surgery, burns",
        "burn, jalna, scar, nose job, rhinoplasty, liposuction, hair transplant, cleft lip, reconstruction",
    ),
    Specialty(
        "vascular-surgery",
        _("Vascular surgery"),
        "vascular surgery, vascular surgeon, phlebology",
        "varicose veins, veins, varicose, diabetic foot, dvt, clot, leg swelling",
    ),
    Specialty(
        "pain-medicine",
        _("Pain medicine"),
        "pain medicine, pain management, pain physician, pain specialist, palliative care, palliative medicine",
        "chronic pain, pain, dard, sciatica, nerve pain",
    ),
    Specialty(
        "anaesthesiology",
        _("Anaesthesia"),
        "anaesthesiology, anesthesiology, anaesthesiologist, anesthesiologist, anaesthesia, anesthesia, anaesthetist",
    ),
    Specialty(
        "radiology",
        _("Radiology"),
        "radiology, radiologist, interventional radiology, radiodiagnosis, sonologist, sonology",
        "x ray, xray, ultrasound, sonography, mri, ct scan, scan",
    ),
    Specialty(
        "pathology",
        _("Pathology"),
        "pathology, pathologist, microbiology, microbiologist, laboratory medicine",
        "blood test, biopsy, lab test, urine test",
    ),
    Specialty(
        "emergency-medicine",
        _("Emergency medicine"),
        "emergency medicine, emergency physician, critical care, intensivist, intensive care, trauma care",
        "accident, poisoning, icu",
    ),
    Specialty(
        "geriatrics",
        _("Care of older people"),
        "geriatrics, geriatrician, geriatric medicine, elderly care",
        "elderly, old age, buzurg, senior citizen, falls, memory, dementia",
    ),
    Specialty(
        "speech-therapy",
        _("Speech and hearing"),
        "speech therapy, speech therapist, audiology, audiologist, speech language pathology",
        "stammering, haklana, speech, hearing, hearing aid, deaf, swallowing",
    ),
    Specialty(
        "podiatry",
        _("Foot care"),
        "podiatry, podiatrist, foot care",
        "foot, feet, pao, heel pain, corns, ingrown nail, diabetic foot, flat foot",
    ),
    Specialty(
        "genetics",
        _("Genetics"),
        "genetics, medical genetics, geneticist, genetic counsellor, genetic counselling",
        "inherited, down syndrome, thalassaemia, thalassemia",
    ),
    Specialty(
        "ayurveda",
        _("Ayurveda"),
        "ayurveda, ayurvedic, ayurvedic medicine, bams, panchakarma, vaidya",
        "herbal, jadi buti, massage",
    ),
    Specialty(
        "homoeopathy",
        _("Homoeopathy"),
        "homoeopathy, homeopathy, homoeopath, homeopath, homoeopathic, homeopathic, bhms",
    ),
)
BY_SLUG = {specialty.slug: specialty for specialty in SPECIALTIES}
POPULAR = tuple(
    BY_SLUG[slug]
    for slug in (
        "general-medicine",
        "paediatrics",
        "gynaecology",
        "dermatology",
        "cardiology",
        "orthopaedics",
        "ophthalmology",
        "ent",
        "dentistry",
        "psychiatry",
    )
)


def words_of(text: str) -> list[str]:
    """The words of a text as they are stored and looked for: no capitals, no punctuation."""
    return _WORD.findall(text.casefold())


def of_specialization(text: str) -> list[Specialty]:
    """The specialties a doctor's own description names: "Interventional cardiologist" is cardiology."""
    return _named(words_of(text), _titles())


def _named(words: list[str], phrases: dict[tuple[str, ...], list[Specialty]]) -> list[Specialty]:
    found = [specialty for part in _divide(words, phrases) for specialty in phrases.get(tuple(part), [])]
    return list(dict.fromkeys(found))


def _divide(words: list[str], phrases: Iterable[tuple[str, ...]]) -> list[list[str]]:
    """The words in groups: the longest phrases that are known, and single words between them."""
    known, groups, at = set(phrases), [], 0
    while at < len(words):
        sizes = range(min(_LONGEST_PHRASE, len(words) - at), 1, -1)
        size = next((size for size in sizes if tuple(words[at : at + size]) in known), 1)
        groups.append(words[at : at + size])
        at += size
    return groups


@cache
def _titles() -> dict[tuple[str, ...], list[Specialty]]:
    return _by_phrase((specialty, specialty.titles) for specialty in SPECIALTIES)


@cache
def _all() -> dict[tuple[str, ...], list[Specialty]]:
    return _by_phrase((specialty, f"{specialty.titles}, {specialty.words}") for specialty in SPECIALTIES)


def _by_phrase(lists: Iterable[tuple[Specialty, str]]) -> dict[tuple[str, ...], list[Specialty]]:
    found: dict[tuple[str, ...], list[Specialty]] = {}
    for specialty, phrases in lists:
        for phrase in phrases.split(","):
            if words := tuple(words_of(phrase)):
                found.setdefault(words, []).append(specialty)
    return found


def meanings(words: list[str]) -> list[tuple[list[str], list[Specialty]]]:
    """What a patient's words mean, the longest phrase first: each word or phrase with the specialties it leads to."""
    phrases = _all()
    return [(group, phrases.get(tuple(group), [])) for group in _divide(words, phrases)]


def vocabulary(specialties: Iterable[Specialty]) -> set[str]:
    """Every word by which these specialties are found, for suggesting what somebody meant who mistyped it."""
    return {word for specialty in specialties for word in words_of(f"{specialty.titles} {specialty.words}")}
