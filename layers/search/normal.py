"""How a name or a question becomes words, for the index and the query alike: tables, and little around them.

A word has two faces. Its *form* is what it is in its own script, without what people leave out or confuse: case,
accents, vowel signs, tatweel, letter variants, articles. Its *sound* is a key of consonants that is the same in
French, in Arabic and in Arabic written with Latin letters and digits: ``Aïn Chock``, ``عين الشق`` and ``3in cho9`` all
sound ``an xk``. Vowels count at the beginning only, as an ``a``, because Arabic does not write them.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

#: Goes up with every change of a table or rule, so that what is stored is made anew.
VERSION = "9"

#: Marks that are not heard: accents, vowel signs, directions and joiners.
_SILENT = (
    "\u0300-\u036f\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u0640"
    "\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff"
)
_APOSTROPHES = "'\u2019\u2018\u02bc\u02bf\u02be`\u00b4"
#: A word, with what stands behind an apostrophe; the code of a district (``06.141.01.31``) is one, as are initials.
TOKEN = re.compile(
    r"\d{2,3}(?:\.\d{1,3}){2,}(?!\w)|[^\W\d_](?:\.[^\W\d_])+(?!\w)|"
    f"(?:[^\\W_]|[{_SILENT}])+(?:[{_APOSTROPHES}](?:[^\\W_]|[{_SILENT}])+)*"
)
_MARKS = re.compile(f"[{_SILENT}]")
_INITIAL = re.compile(r"(?<=[^\W\d_])\.")
_ARABIC = re.compile("[\u0600-\u06ff]")
#: Letters that are written one for another.
_LETTERS = str.maketrans(
    {
        **dict.fromkeys("أإآٱ", "ا"), "ة": "ه", "ى": "ي", "ی": "ي", "ئ": "ي", "ؤ": "و", "ء": None, "ک": "ك", "گ": "ك",
        "ڭ": "ك", "ڨ": "ك", "چ": "ج", "ڤ": "ف", "ڥ": "ف", "پ": "ب", "œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d",
    }
)  # fmt: skip
#: What stands before an Arabic word and is written together with it, and how many letters must remain.
_ARABIC_ARTICLES = {"وال": 3, "بال": 3, "لل": 3, "ال": 2}
#: Words that carry nothing.
_DROPPED = frozenset(
    "a al au aux d dal de des du el en et l la las le les of s the ul un une ال في و".split()  # noqa: SIM905
)
#: Articles before an apostrophe.
_ELIDED = frozenset({"l", "d", "qu", "el", "al"})
#: Words that a question may have although the name has not, but that are a part of many a name; by their form.
OFTEN_NAMED = frozenset("avenue boulevard hay rue street حي زنقه شارع".split())  # noqa: SIM905
#: Words that say what somebody is looking for, but no place is called so; by their form.
ASKING = frozenset(
    "garde maintenant me moi near nearby nearest night now nuit open ouvert ouverte ouvertes ouverts plus proche "  # noqa: SIM905
    "proches اقرب الان حراسه قريب قريبه ليل ليلا ليليه مداومه مفتوح مفتوحه".split()
)
#: Words that are left out of a name, or stand beside it: what else a question may have although the name has not.
_LEFT_OUT = OFTEN_NAMED | frozenset(
    "arret arrondissement casa casablanca line ligne maroc morocco public publics publique publiques quartier "  # noqa: SIM905
    "station stop بيضاء بيضا دار محطه مغرب مقاطعه خط عمومي عموميه".split()
)
#: All words that a question may have although the name has not; by their form.
OPTIONAL = _LEFT_OUT | ASKING
#: Numbers as words, by their form.
_NUMBERS = {
    word: str(number)
    for number, words in enumerate(
        [
            "1er ier 1ere premier premiere اول", "ii deux deuxieme second 2e 2eme tani thani attani ettani ثاني",
            "iii trois troisieme 3e 3eme talit ثالث", "iv quatre quatrieme 4e 4eme رابع",
            "v cinq cinquieme 5e 5eme khamis khames lkhamis خامس", "vi six sixieme 6e 6eme sadis سادس", "vii sept سابع",
            "viii huit ثامن", "ix neuf تاسع", "dix عاشر", "onze",
        ],
        1,
    )
    for word in words.split()
}  # fmt: skip
#: Other spellings and short forms of one word, by their form.
_SAME = {
    word: words.split()[0]
    for words in (
        "tramway tram trame tramouai", "طرامواي طرام ترام ترامواي طراموي", "باصواي باسواي", "ibn ben bin bnou bn ibnou",
        "ابن بن", "boulevard bd bld blvd boul", "avenue av ave", "moulay my mly", "saint st", "faculte fac",
        "universite univ", "hay hayy 7ay", "arrondissement arrond arr", "hopital hospital hop", "pharmacie pharmacy",
        "clinique clinic", "bibliotheque library", "mosquee mosque", "ecole school", "mohammed med mohd",
        "place pl", "gare railway", "consulat consulate", "marche market", "jardin garden gardens", "parc park",
        "stade stadium", "musee museum", "theatre theater", "poste post", "pompiers fire", "عبد عبدال",
        "amerique americain americaine usa us", "امريكيه امريكا", "espagne espagnol espagnole spain spanish espana",
        "italie italien italienne italy italian italia", "allemagne allemand allemande german aleman alemania",
        "russie russe russian ruso rusia", "grece grec grecque greek grecia griego",
        "eglise church iglesia", "pediatrique pediatrie pediatre enfant enfants",
    )
    for word in words.split()
}  # fmt: skip

#: Two words that are one.
_APART = {("bus", "way"): "busway", ("tram", "way"): "tramway", ("باص", "واي"): "باصواي", ("طرام", "واي"): "طرامواي"}
#: All spellings of a form but itself: the index knows them as other ways to write it, so that they may be begun.
SPELLINGS: dict[str, list[str]] = {}
for _spelling, _form in {**_NUMBERS, **_SAME}.items():
    if _spelling != _form:
        SPELLINGS.setdefault(_form, []).append(_spelling)

#: Sounds of Latin letters, longest first; vowels tell what ``c`` and ``g`` are.
_LATIN = [
    ("sch", "x"), ("tch", "x"), ("ch", "x"), ("sh", "x"), ("kh", "q"), ("gh", "k"), ("ph", "f"), ("th", "t"),
    ("dh", "d"), ("dj", "j"), ("qu", "k"), ("ck", "k"), ("gue", "ke"), ("gui", "ki"), ("ce", "se"), ("ci", "si"),
    ("cy", "si"), ("ge", "je"), ("gi", "ji"), ("gy", "ji"), ("x", "ks"), ("2", "a"), ("3", "a"), ("5", "q"), ("6", "t"),
    ("7", "h"), ("8", "k"), ("9", "k"), ("c", "k"), ("g", "k"), ("q", "k"), ("v", "f"), ("p", "b"),
]  # fmt: skip
_LATIN_SOUNDS = dict(_LATIN)
_LATIN_PARTS = re.compile("|".join(part for part, _ in _LATIN) + "|.")
#: Sounds of Arabic letters.
_ARABIC_SOUNDS = str.maketrans(
    {
        **dict.fromkeys("اويع", "a"), **dict.fromkeys("تثط", "t"), **dict.fromkeys("دذضظ", "d"),
        **dict.fromkeys("سص", "s"), **dict.fromkeys("كقغ", "k"), "ب": "b", "ج": "j", "ح": "h", "ه": "h", "خ": "q",
        "ر": "r", "ز": "z", "ش": "x", "ف": "f", "ل": "l", "م": "m", "ن": "n",
    }
)  # fmt: skip
#: Vowels that Arabic writes, as the Latin letters that they may be.
_WRITTEN = {"ا": "[ae]", "و": "[ouw]", "ي": "[eiy]"}
_VOWELS = "[aeiouwy]*"
#: Vowels that glide into each other, which Arabic writes: ``ia`` with a ya, ``oua`` with a waw.
_NO_GLIDE = "(?![aeiouwy]*([iy][aou]|[uw][aei]))"
#: Digits that are no letters of Arabic in Latin ones, or nothing else.
_NO_LETTER = re.compile("[014]|^[0-9]+$")
#: Singulars of Arabic plurals that are other words than these, by their form: what people ask for by the kind.
_BROKEN = {
    "مدارس": "مدرسه", "حدايق": "حديقه", "اسواق": "سوق", "مساجد": "مسجد", "ملاعب": "ملعب", "متاحف": "متحف",
    "مسارح": "مسرح", "محاكم": "محكمه", "كنايس": "كنيسه", "مسابح": "مسبح", "مراكز": "مركز", "معاهد": "معهد",
    "مقابر": "مقبره", "مكاتب": "مكتب", "شوارع": "شارع", "احيا": "حي", "ابواب": "باب", "مصالح": "مصلحه",
    "جوامع": "جامع", "مواقف": "موقف", "خزاين": "خزانه", "مناطق": "منطقه",
}  # fmt: skip
#: Ends of plurals, and of their singulars.
_PLURALS = (("s", ""), ("aux", "al"), ("x", ""), ("ات", "ه"), ("ات", ""))
#: The Arabic article before a sun letter, as it is heard: ``Ennassim``, ``Achouhada``.
_SUN = re.compile(r"^[ae](?=(?:([tdrzsnx])\1)|x[aeiou])")
#: What an elision leaves before a word where its apostrophe is not typed: ``dain``, ``loasis``.
_JOINED_ELISION = re.compile("[dl](h?[aeiouy][a-z]{2,})")
#: Feminine ending of Arabic in Latin letters before another word, ``sa7at sraghna``; a long one may await it yet.
_CONSTRUCT = re.compile("([a-z0-9]+[ae])t")
_LONG = 8
#: Beginnings of what stands before an Arabic word.
_ARTICLES_BEGUN = {"ا", "ب", "ل", "لل", "وا", "وال", "با", "بال"}
#: Beginnings of words that carry nothing, which are none of these yet.
_DROPPED_BEGUN = {"e", "u", "ف"}
#: What may be left of a word behind its article while it is typed.
_BEGUN = re.compile("(?:[وب]?ال|لل)(.{1,2})")
#: Letters of an Arabic word that is short without its article.
_SHORT = 3
#: Letters of a word that are kept, and of one that may be misspelt by a letter; longer ones are compared by trigrams.
_LONGEST, _LONGEST_MISSPELT = 60, 12


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a text: its form, where in the text it stands (``start``, ``end``, in characters), and what was typed.

    ``typed`` is the form before numbers and short forms became what they stand for: ``med`` may be the beginning of
    another word than ``mohammed``.
    """

    form: str
    start: int
    end: int
    typed: str


def is_arabic(form: str) -> bool:
    """Tell whether a form is in Arabic letters."""
    return bool(_ARABIC.search(form))


def fold(text: str) -> str:
    """Return a text in one case, without marks, its letter variants as one letter."""
    # Compatibility first: ligatures and presentation forms are letters. Its decomposition would part hamza from alif,
    # which is what we want.
    decomposed = unicodedata.normalize("NFKD", text.translate(_LETTERS)).casefold().translate(_LETTERS)
    return _MARKS.sub("", unicodedata.normalize("NFKD", decomposed)).translate(_LETTERS)


def _digits(form: str) -> str:
    return "".join(str(unicodedata.digit(letter, 0)) if letter.isdigit() else letter for letter in form)


@lru_cache(maxsize=100_000)
def _forms(token: str) -> tuple[tuple[str, str], ...]:
    """Return the forms of a token, each with what was typed: one as a rule, two for ``T1`` and ``20août``."""
    pieces = [_digits(fold(piece)) for piece in re.split(f"[{_APOSTROPHES}]", token)]
    while len(pieces) > 1 and pieces[0] in _ELIDED:
        pieces = pieces[1:]
    form = _INITIAL.sub("", "".join(pieces))
    # The article's alif has no hamza: that of ``ألفة`` is the word's own.
    if is_arabic(form) and token[0] not in "أإآ":
        for article, least in _ARABIC_ARTICLES.items():
            if form.startswith(article) and len(form) - len(article) >= least:
                form = form.removeprefix(article)
                break
    typed, form = form, _NUMBERS.get(form, _SAME.get(form, form))
    # A digit is a letter in Arabic written with Latin letters, but not behind one or two consonants, nor are two.
    parts = re.fullmatch(r"([b-df-hj-np-tv-z]{1,2})([0-9]{1,4})|([0-9]{2,4}|[014])([a-z]{2,})", form)
    if parts:
        return tuple((_NUMBERS.get(part, part), part) for part in parts.groups() if part)
    return ((form, typed),) if form else ()


def words(text: str) -> list[Word]:
    """Return the words of a text in its order; articles only where there is nothing else."""
    found = _all_words(text)
    return [word for word in found if word.form not in _DROPPED] or found


def asked_words(text: str) -> tuple[list[Word], bool]:
    """Return the words of a question, and whether the last of them may be no word yet.

    That is an article at the end, or the beginning of one, which may become another word. Behind a single word it is
    left out, as that word alone would hardly be met among all that begins so.
    """
    found = _all_words(text)
    kept = [word for word in found if word.form not in _DROPPED]
    if not kept:
        return found, False
    if kept[-1] is not found[-1]:
        # A whole Arabic article begins no word of its own.
        more = len(kept) > 1 and len(found[-1].form) <= 2 and found[-1].form != "ال"
        return ([*kept, found[-1]], True) if more else (kept, False)
    if len(kept) > 1 and kept[-1].form in _DROPPED_BEGUN:
        return kept, True
    if len(kept) > 1 and kept[-1].form in _ARTICLES_BEGUN:
        return (kept, True) if len(kept) > 2 and len(kept[-1].form) <= 2 else (kept[:-1], False)
    return kept, False


def _all_words(text: str) -> list[Word]:
    found: list[Word] = []
    for match in TOKEN.finditer(text):
        for form, typed in _forms(match[0]):
            one = _APART.get((found[-1].typed, typed)) if found else None
            start = found.pop().start if one else match.start()
            whole = _SAME.get(one, one) if one else form
            found.append(Word(whole[:_LONGEST], start, match.end(), (one or typed)[:_LONGEST]))
    return found


def _bare(form: str) -> str:
    # The letter of feminine endings, which is not heard, has been made one with an h.
    return form[:-1] if form.endswith("ه") and len(form) > 2 else form


def _latin(form: str) -> str:
    return _SUN.sub("", "".join(_LATIN_SOUNDS.get(part, part) for part in _LATIN_PARTS.findall(form)))


@lru_cache(maxsize=100_000)
def sound(form: str) -> str:
    """Return the sound of a form; empty for numbers, and for what has digits that are no letters."""
    if _NO_LETTER.search(form):
        return ""
    said = _bare(form).translate(_ARABIC_SOUNDS) if is_arabic(form) else _latin(form)
    said = re.sub(r"[^a-z]", "", re.sub(r"[aeiouyw]", "a", said))
    said = re.sub(r"(.)\1+", r"\1", said)
    return said[:1] + said[1:].replace("a", "")


@lru_cache(maxsize=100_000)
def heard(form: str) -> str:
    """Return the sound of a form with its vowels; of an Arabic one a pattern of what it is in Latin letters.

    Arabic writes some vowels, which the Latin word must have; it may have any others beside them.
    """
    if _NO_LETTER.search(form):
        return ""
    if not is_arabic(form):
        return re.sub(r"(.)\1+", r"\1", re.sub(r"[^a-z]", "", _latin(form)))
    bare = _bare(form)
    parts = [""]
    for at, letter in enumerate(bare):
        # The first one may be any vowel; this letter is heard as many ways as it is written.
        if letter in _WRITTEN and at:
            # What French has at the end is not heard.
            parts.append("[iy]" if letter == "ي" and at == len(form) - 1 else _WRITTEN[letter])
        elif letter not in _WRITTEN and letter != "ع":
            said = re.sub("[^a-z]", "", letter.translate(_ARABIC_SOUNDS))
            if said and said != parts[-1].removesuffix(_NO_GLIDE):
                parts.append(said + ("" if re.match("ع|[اع]*[يو]", bare[at + 1 :]) else _NO_GLIDE))
    # Vowels at the end are written, but for what French has there.
    end = _VOWELS if _bare(form) != form or form[-1] in _WRITTEN or form[-1] == "ع" else "(e|es)?"
    return f"^{_VOWELS.join(parts)}{end}$"


def misspelt(form: str) -> list[str]:
    """Return a form with each of its letters left out in turn, and whole; none for short words and numbers.

    Two words that have one of these in common differ by a letter: one too many, one too few, another one, or two that
    have changed places. Of two Arabic letters the word that had three may be left.
    """
    if len(form) == 2 and is_arabic(form):
        return [form]
    if not 3 <= len(form) <= _LONGEST_MISSPELT or form.isdigit():
        return []
    return sorted({form, *(form[:at] + form[at + 1 :] for at in range(len(form)))})


def _swapped(form: str) -> list[str]:
    return [form[: at - 1] + form[at] + form[at - 1] + form[at + 1 :] for at in range(1, len(form))]


#: What may be left of words that carry nothing, or of optional ones, where a letter is not typed, or behind the next.
_LEFT_OF_DROPPED = frozenset(
    left for word in _DROPPED for left in [*misspelt(word), word[:1], word[1:], *_swapped(word)] if left
) - {"th"}
_LEFT_OF_OPTIONAL = frozenset(
    left
    for word in {*_LEFT_OUT, "بالدار"}
    if len(word) > 5 - is_arabic(word)
    for left in misspelt(word)
    if left != word
)


def article_rest(form: str) -> bool:
    """Tell whether a word may be what is left of an article, or of another word that carries nothing."""
    return form in _LEFT_OF_DROPPED and form not in OPTIONAL


def spare(form: str, last: bool) -> bool:
    """Tell whether a question may do without a word: an optional one, a mistyped one of these, or an article's rest.

    The ``last`` word may be unfinished, and is no rest.
    """
    return form in OPTIONAL or form in _LEFT_OF_OPTIONAL or (form in _LEFT_OF_DROPPED and not last)


def elided(form: str) -> str:
    """Return a form without an elision whose apostrophe is left out (``dain``); nothing where there may be none."""
    found = _JOINED_ELISION.fullmatch(form)
    return found[1] if found else ""


def variants(word: Word, last: bool = False) -> list[str]:
    """Return the form of a question's word, and the others that it may stand for.

    Those are what was typed, the word without the article that people write together with it (``lfida``, ``elfida``),
    without an elision whose apostrophe is left out (``dain``), without the t of the Arabic construct, and its singular.
    The ``last`` word may be unfinished: of an Arabic one with its article a letter may be all that is there.
    """
    form = word.form
    others: list[str] = []
    article = re.fullmatch(r"(?:[ae]l|l)([b-df-hj-km-np-tv-z0-9][a-z0-9]{3,})", form)
    if article:
        others.append(article[1])
    if bare := elided(form):
        others.append(bare)
    construct = _CONSTRUCT.fullmatch(form)
    if construct and (not last or len(form) >= _LONG or re.search("[0-9]", form)):
        others.append(construct[1])
    if last and is_arabic(form):
        begun = _BEGUN.fullmatch(form)
        others += [begun[1]] if begun else []
    if form in _BROKEN:
        others.append(_BROKEN[form])
    if is_arabic(form) and len(form) <= _SHORT:
        # Its article may have been the word's own letters, without their hamza.
        others.append("ال" + form)
    if len(form) >= 5:
        others += [form.removesuffix(end) + single for end, single in _PLURALS if form.endswith(end)]
    return list(dict.fromkeys([form, word.typed, *(_SAME.get(other, other) for other in others)]))
