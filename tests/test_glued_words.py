"""Words whose length says that a converter has lost the spaces between them."""

import hashlib

import pytest

from longdoc import load

GLUED = (
    "ThisAgreementismadeonMay32021betweenNorthwindEstatesLLCandJaneRoewhoresidesatthePremisesinColumbusOhioandispayable"
)


def test_words_without_spaces_are_named_in_a_warning():
    document = load(f"Lease. {GLUED} monthly.\n\n{GLUED}".encode())
    assert document.warnings == (
        "2 words of 100 characters or more, the first on page 1: 'ThisAgreementismadeonMay32021betweenNort …'; "
        "spaces between words may have been lost before",
    )


@pytest.mark.parametrize(
    "word",
    [
        "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft",
        hashlib.sha512(b"").hexdigest(),
        "MKVLAAGIVGLCAKQWYTRDNEHPSF" * 5,
        "https://example.org/" + "a-path/" * 30,
        "本协议由双方于二零二一年五月三日签订" * 8,
        "_" * 200,
    ],
)
def test_other_long_words_are_no_reason_to_warn(word):
    assert load(f"See {word} there.".encode()).warnings == ()
