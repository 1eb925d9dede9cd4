"""How names and questions become words."""

import re
import unicodedata

import hypothesis
import pytest
from hypothesis import strategies as st

from layers.search.find import MAX_TEXT, asked
from layers.search.normal import heard, misspelt, sound, variants, words


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
