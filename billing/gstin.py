"""A GSTIN, the number under which India's tax office knows a business: its form, its state, and its check digit."""

import re

from billing.models.rules import GSTIN
from tenants.states import State

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

# How a GSTIN begins, by the state that gave it. Telangana was split off, so that Andhra Pradesh has had two.
_STATES: dict[str, State] = {
    "01": State.JK, "02": State.HP, "03": State.PB, "04": State.CH, "05": State.UK, "06": State.HR, "07": State.DL,
    "08": State.RJ, "09": State.UP, "10": State.BR, "11": State.SK, "12": State.AR, "13": State.NL, "14": State.MN,
    "15": State.MZ, "16": State.TR, "17": State.ML, "18": State.AS, "19": State.WB, "20": State.JH, "21": State.OD,
    "22": State.CG, "23": State.MP, "24": State.GJ, "25": State.DH, "26": State.DH, "27": State.MH, "28": State.AP,
    "29": State.KA, "30": State.GA, "31": State.LD, "32": State.KL, "33": State.TN, "34": State.PY, "35": State.AN,
    "36": State.TS, "37": State.AP, "38": State.LA,
}  # fmt: skip


def is_real(gstin: str) -> bool:
    """Whether it has the form of a GSTIN and its last character is the one that follows from the others."""
    return re.fullmatch(GSTIN, gstin) is not None and gstin[-1] == _check_digit(gstin[:-1])


def state_of(gstin: str) -> State | None:
    """The state in which it was given; None for numbers no state gives."""
    return _STATES.get(gstin[:2])


def _check_digit(first: str) -> str:
    """The last character: of every second one the double counts, and of each the digits in base 36 are added up."""
    total = 0
    for place, character in enumerate(first):
        tens, ones = divmod(_DIGITS.index(character) * (1 + place % 2), 36)
        total += tens + ones
    return _DIGITS[-total % 36]
