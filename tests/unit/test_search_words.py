"""How names and questions become words."""

import re
import unicodedata

import hypothesis
import pytest
from hypothesis import strategies as st

from layers.search.find import MAX_TEXT, asked
from layers.search.normal import SPELLINGS, asked_words, heard, misspelt, sound, variants, words


def forms(text):
    return [word.form for word in words(text)]


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("Aïn Chock", "AIN CHOCK"),
        ("Hôpital du 20 Août", "hopital 20 aout"),
        ("Parc de l'Hermitage", "parc hermitage"),
        ("Parc d’Anfa", "parc anfa"),
        ("Ben M'Sick", "ibn msick"),
        ("Mosquée Hassan II", "mosquee hassan 2"),
        ("Place Mohammed V", "pl med 5"),
        ("20août", "20 aout"),
        ("BW1", "bw 1"),
        ("أنفا", "انفا"),
        ("إفريقيا", "افريقيا"),
        ("سباتة", "سباته"),
        ("الحي الحسنى", "حي حسني"),
        ("مُحَمَّد", "محمد"),
        ("محـــمد", "محمد"),
        ("بالدار البيضاء", "الدار البيضاء"),
        ("مسجد الحسن الثاني", "مسجد حسن 2"),
        ("٢ مارس", "2 مارس"),
        ("گراج", "كراج"),
        ("\u202eanfa\u202c", "anfa"),
        ("ﻣﺤﻤﺪ", "محمد"),
    ],
)
def test_spellings_of_one_name_are_the_same_words(text, other):
    assert forms(text) == forms(other) != []


@pytest.mark.parametrize(
    ("heard", "texts"),
    [
        ("an xk", ["Aïn Chock", "Ain Chok", "عين الشق", "3in cho9"]),
        ("h mhmd", ["Hay Mohammadi", "hay mohamadi", "الحي المحمدي", "7ay mo7amadi"]),
        ("h hsn", ["Hay Hassani", "الحي الحسني", "7ay 7assani"]),
        ("sd atmn", ["Sidi Othmane", "Sidi Otmane", "سيدي عثمان", "sidi 3otman"]),
        ("mrf", ["Maârif", "المعاريف", "ma3arif"]),
        ("sd blt", ["Sidi Belyout", "Sidi Blyout", "سيدي بليوط"]),
        ("ald zn", ["Ouled Ziane", "Oulad Ziane", "أولاد زيان", "wlad zian"]),
        ("nsm", ["Ennassim", "النسيم", "nassim"]),
        ("xhd", ["Achouhada", "الشهداء", "chouhada"]),
    ],
)
def test_french_arabic_and_latin_arabic_sound_alike(heard, texts):
    for text in texts:
        assert " ".join(map(sound, forms(text))) == heard, text


def test_every_spelling_is_the_word_that_it_stands_for():
    assert {"ii", "deux", "deuxieme", "ثاني"} <= {*SPELLINGS["2"]}
    for form, spellings in SPELLINGS.items():
        assert forms(form) == [form]
        for spelling in spellings:
            assert forms(spelling) == [form], spelling


@pytest.mark.parametrize(
    ("arabic", "latin", "one"),
    [
        ("أنفا", "anfa", True),
        ("عين", "3in", True),
        ("عين", "inwi", False),
        ("سباتة", "sbata", True),
        ("بليوط", "belyout", True),
        ("بور", "port", False),
        ("بور", "pari", False),
        ("كريت", "qwerty", False),
        ("كريت", "cretes", True),
        ("مارس", "merci", False),
        ("الشق", "chock", True),
        ("جماعة", "jma3a", True),
        ("جماعة", "jumia", False),
        ("نصر", "annasr", True),
        ("نصر", "nouaceur", False),
        ("إفني", "ifni", True),
        ("إفني", "iphone", False),
        ("رياض", "riad", True),
        ("سعاد", "souad", True),
    ],
)
def test_the_vowels_that_arabic_writes_are_heard_in_latin_letters(arabic, latin, one):
    (word,), (other,) = forms(arabic), forms(latin)
    assert bool(re.search(heard(word), heard(other))) is one


def test_words_know_where_they_stand():
    text = "Parc de l'Étang – El Oulfa (بحيرة الأُلفة)"
    parts = [text[word.start : word.end] for word in words(text)]
    assert parts == ["Parc", "l'Étang", "Oulfa", "بحيرة", "الأُلفة"]


def test_articles_are_words_where_there_is_nothing_else():
    assert forms("El") == ["el"]
    assert forms("ال") == ["ال"]


def test_a_word_may_have_its_article_attached_or_be_a_plural():
    assert "fida" in variants(words("lfida")[0])
    assert "pharmacie" in variants(words("pharmacies")[0])
    assert "hopital" in variants(words("hôpitaux")[0])
    assert "صيدليه" in variants(words("صيدليات")[0])
    assert "med" in variants(words("med")[0])


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("dain", "ain"), ("loasis", "oasis"), ("lhermitage", "hermitage"), ("sa7at", "sa7a"), ("koliyat", "koliya"),
        ("مدارس", "مدرسه"), ("حدائق", "حديقه"), ("أسواق", "سوق"),
    ],
)  # fmt: skip
def test_a_word_may_be_another_one_without_what_is_written_with_it(typed, meant):
    assert meant in variants(words(typed)[0])


@pytest.mark.parametrize("typed", ["dar", "rabat", "lai", "consul"])
def test_other_words_keep_their_letters(typed):
    assert variants(words(typed)[0], last=True) == [typed]


@pytest.mark.parametrize(("typed", "meant"), [("الح", "ح"), ("بالد", "د"), ("للف", "ف"), ("الخ", "خ")])
def test_the_last_arabic_word_may_be_hardly_more_than_its_article(typed, meant):
    (word,) = words(typed)
    assert meant in variants(word, last=True)
    assert meant not in variants(word)


@pytest.mark.parametrize(
    ("text", "forms", "open_ended"),
    [
        ("hopital mohamed s", ["hopital", "mohamed", "s"], True),
        ("hay l", ["hay"], False),
        ("l hay", ["hay"], False),
        ("clinique al amal", ["clinique", "amal"], False),
        ("بريد السوق قصر ا", ["بريد", "سوق", "قصر", "ا"], True),
        ("سوق الجملة وال", ["سوق", "جمله"], False),
        ("الحي ال", ["حي"], False),
        ("el", ["el"], False),
        ("college fatima e", ["college", "fatima", "e"], True),
        ("souk e", ["souk", "e"], True),
        ("e", ["e"], False),
        ("المعهد المتخصص ف", ["معهد", "متخصص", "ف"], True),
    ],
)
def test_an_article_at_the_end_may_be_a_word_that_is_begun(text, forms, open_ended):
    found, open_end = asked_words(text)
    assert ([word.form for word in found], open_end) == (forms, open_ended)
    question = asked(text)
    assert question is not None
    assert len(question.needed) == len(forms) - open_ended


def test_a_letter_stands_for_a_word_with_the_next_one():
    question = asked("ben m sick")
    assert question is not None
    assert [token for form, token in zip(question.forms, question.tokens, strict=True) if form == "msick"] == [2, 3]


@pytest.mark.parametrize(
    ("text", "needed"),
    [
        ("consulat ds pays-bas", [1, 3, 4]),
        ("parc e sidi bernoussi", [1, 3, 4]),
        ("parc sidi ds", [1, 2, 3]),
        ("pharmacie casblanca", [1]),
        ("casblanca", [1]),
        ("lycee marc", [1, 2]),
        ("كلية الطب بالدر البيضاء", [1, 2]),
    ],
)
def test_a_question_may_do_without_what_is_left_of_an_article_or_of_the_city(text, needed):
    question = asked(text)
    assert question is not None
    assert question.needed == needed


def test_the_code_of_a_district_is_one_word():
    assert forms("06.141.01.31") == ["06.141.01.31"]
    assert forms("Aïn Sebaâ 06.141.01") == ["ain", "sebaa", "06.141.01"]
    assert forms("12.5") == ["12", "5"]


def test_initials_are_one_word():
    assert forms("C.I.L.") == forms("C.I.L") == forms("cil") == ["cil"]
    assert forms("c.i") == ["ci"]
    assert forms("al-qods, d.o.") == ["qods", "do"]
    assert forms("3.5 m.a.l.l") == ["3", "5", "mall"]
    assert forms("abc.def") == ["abc", "def"]


def test_a_text_is_asked_for_whole_where_it_has_an_article():
    for text, whole in (("Les Hôpitaux", True), ("hôpitaux", False), ("المدارس", True), ("20août", False)):
        question = asked(text)
        assert question is not None
        assert question.whole == (text if whole else "")


@pytest.mark.parametrize(
    ("text", "begun"),
    [
        ("annexe 4", [False, True]),
        ("4 annexe", [False, False]),
        ("4", [False]),
        ("T1", [False, False]),
        ("3in", [True]),
    ],
)
def test_only_a_number_at_the_end_behind_other_words_may_be_begun(text, begun):
    question = asked(text)
    assert question is not None
    loose = dict(zip(question.tokens, question.loose, strict=True))
    assert list(loose.values()) == begun


def test_what_looks_like_an_article_may_be_the_words_own_letters():
    (whole,), (begun,) = words("كاليفورنيا"), words("كالي")
    assert whole.form.startswith(begun.form)
    (named,), (asked_for,) = words("الألفة"), words("ألفة")
    assert named.form == asked_for.form
    assert named.form in variants(words("الفة")[0])


@pytest.mark.parametrize("wrong", ["anfaa", "afna", "anva", "ana"])
def test_words_that_differ_by_a_letter_have_something_in_common(wrong):
    assert set(misspelt("anfa")) & set(misspelt(wrong))
    assert not set(misspelt("anfa")) & set(misspelt("oulfa"))


def test_of_short_words_little_is_left():
    assert misspelt("حن") == ["حن"]
    assert "حن" in misspelt("حسن")
    assert misspelt("ab") == []


def test_nothing_is_asked_without_a_word():
    for text in ("", " ", "%%%", "'\"\\", "\u200f\u202e", "…", "😀"):
        assert asked(text) is None


@hypothesis.given(st.text(max_size=MAX_TEXT))
def test_any_text_becomes_words_that_stay_what_they_are(text):
    found = words(text)
    for word in found:
        assert 0 <= word.start < word.end <= len(text)
        assert word.form
        assert not any(unicodedata.combining(letter) for letter in word.form if letter < "\u0600")
        assert sound(word.form).isascii()
    question = asked(text)
    assert (question is None) == (not found)
    if question is not None:
        lists = (question.forms, question.tokens, question.sounds, question.heard, question.misspelt, question.loose)
        assert len({len(part) for part in lists}) == 1
        assert set(question.needed) <= set(question.tokens)
