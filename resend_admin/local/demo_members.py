"""Two thousand made-up members, the same on every machine.

The last four digits of a number tell the sandbox what to do with it; see the
table of magic numbers in the README.
"""

from __future__ import annotations

import csv
import io
import random
from dataclasses import dataclass

SEED = 7
NUMBER = 2_000
MAGIC = {
    "0001": 40,
    "0002": 45,
    "0003": 25,
    "0004": 90,
    "0005": 60,
    "0006": 30,
    "0007": 6,
}
"""How many members have a number with this ending; all others are ordinary."""

HEADER = (
    "external_id",
    "name",
    "phone",
    "email",
    "telegram_chat_id",
    "country",
    "language",
    "tags",
)
# The first digits of mobile numbers, one for each thousand members, the language,
# and how many in a hundred members live there. Seven digits follow.
COUNTRIES = {
    "GH": (("+23324", "+23354", "+23355"), "en", 55),
    "NL": (("+3161", "+3162", "+3163"), "nl", 30),
    "DE": (("+49171", "+49172", "+49173"), "de", 15),
}
FIRST_NAMES = [
    "Abena",
    "Adwoa",
    "Afia",
    "Akosua",
    "Ama",
    "Amara",
    "Anna",
    "Bram",
    "Carla",
    "Daan",
    "David",
    "Dmitri",
    "Efua",
    "Elias",
    "Emma",
    "Esi",
    "Eva",
    "Fatima",
    "Femke",
    "Finn",
    "Hanna",
    "Hugo",
    "Ines",
    "Jan",
    "Jonas",
    "Julia",
    "Kofi",
    "Kojo",
    "Kwame",
    "Kwesi",
    "Lars",
    "Lena",
    "Lotte",
    "Luca",
    "Maria",
    "Milan",
    "Mila",
    "Nana",
    "Noah",
    "Nora",
    "Olga",
    "Pavel",
    "Ruben",
    "Sami",
    "Sara",
    "Sofie",
    "Tess",
    "Thijs",
    "Yaa",
    "Yaw",
    "Yusuf",
    "Zoe",
]
LAST_NAMES = [
    "Addo",
    "Agyeman",
    "Amoah",
    "Ansah",
    "Asante",
    "Bakker",
    "Becker",
    "Boateng",
    "Bos",
    "de-Boer",
    "Dekker",
    "Eriksen",
    "Fischer",
    "Haas",
    "Hansen",
    "Hendriks",
    "Ivanova",
    "Jansen",
    "Janssen",
    "Klein",
    "Koch",
    "Koning",
    "Kumi",
    "Lindqvist",
    "Mensah",
    "Meyer",
    "Mulder",
    "Nkrumah",
    "Okafor",
    "Opoku",
    "Osei",
    "Owusu",
    "Peters",
    "Quaye",
    "Richter",
    "Sarpong",
    "Schmidt",
    "Smit",
    "Tetteh",
    "Vermeer",
    "Visser",
    "de-Vries",
    "Wagner",
    "Weber",
    "Wolf",
]
TAGS = ("newsletter", "donor", "volunteer", "board", "youth")


@dataclass(frozen=True, slots=True)
class Member:
    external_id: str
    name: str
    phone: str
    email: str
    telegram_chat_id: str
    country: str
    language: str
    tags: tuple[str, ...]


def members() -> list[Member]:
    """Return the members. One in seven has no phone and is reached otherwise."""
    chance = random.Random(SEED)  # noqa: S311 - made-up people need no secrecy
    endings = [ending for ending, times in MAGIC.items() for _ in range(times)]
    endings += [""] * (NUMBER - len(endings))
    chance.shuffle(endings)
    return [_member(number, ending, chance) for number, ending in enumerate(endings, 1)]


def _member(number: int, ending: str, chance: random.Random) -> Member:
    country = chance.choices(
        list(COUNTRIES), weights=[values[2] for values in COUNTRIES.values()]
    )[0]
    prefixes, language, _ = COUNTRIES[country]
    thousand, rest = divmod(number, 1_000)
    # The member's number makes every address different from every other one.
    ending = ending or f"{1_000 + chance.randrange(9_000)}"
    name = f"{chance.choice(FIRST_NAMES)} {chance.choice(LAST_NAMES).replace('-', ' ')}"
    road = chance.random()
    has_phone = road < 6 / 7
    local = f"{name.split()[0].lower()}.{number}{ending}"
    return Member(
        external_id=f"M{number:05d}",
        name=name,
        phone=f"{prefixes[thousand]}{rest:03d}{ending}" if has_phone else "",
        email=f"{local}@example.org" if road > 0.5 else "",
        telegram_chat_id=f"7{number:05d}{ending}" if road > 0.93 else "",
        country=country,
        language=language,
        tags=tuple(tag for tag in TAGS if chance.random() < 0.3),
    )


def as_csv(people: list[Member]) -> io.BytesIO:
    """Return the members as the file that a person would upload."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(HEADER)
    for one in people:
        row = [getattr(one, name) for name in HEADER[:-1]]
        writer.writerow([*row, ";".join(one.tags)])
    return io.BytesIO(text.getvalue().encode())
