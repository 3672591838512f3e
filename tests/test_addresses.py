"""What people type into a cell, and the address it becomes."""

from __future__ import annotations

import subprocess
import sys
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from newsletter.audience.addresses import parse_address, parse_mailbox, suggestion
from newsletter.errors import AddressInvalid
from newsletter.model import Mailbox
from newsletter.smtputf8 import carried
from tests.conftest import thorough


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("ada@example.com", "ada@example.com"),
        ("  Ada.B+letters@EXAMPLE.Com \u00a0", "Ada.B+letters@example.com"),
        ("\ufeffada@example.org\u200b", "ada@example.org"),
        ("post@münchen.example", "post@xn--mnchen-3ya.example"),
        ("post@MÜNCHEN.example", "post@xn--mnchen-3ya.example"),
        ("post@straße.example", "post@xn--strae-oqa.example"),
        ("post@xn--mnchen-3ya.example", "post@xn--mnchen-3ya.example"),
        ("ada@ｅxample.com", "ada@example.com"),
        ("ada@letters.test", "ada@letters.test"),
        ("ada@letters.invalid", "ada@letters.invalid"),
        ("ada@localhost", "ada@localhost"),
        ("ada@LOCALHOST", "ada@localhost"),
        ("ada@letters.localhost", "ada@letters.localhost"),
        ("mailto:ada@example.com", "ada@example.com"),
        ("MAILTO:ada%2Bx@example.com?subject=hi", "ada+x@example.com"),
        ("Postmaster@example.com", "Postmaster@example.com"),
        ("-|!%/#@example.com", "-|!%/#@example.com"),
        ("a" * 64 + "@example.com", "a" * 64 + "@example.com"),
        ("Jörg.Ö+letters@EXAMPLE.com", "Jörg.Ö+letters@example.com"),
        ("jo\u0308rg@example.com", "jörg@example.com"),
        ("\u212aurt@example.com", "Kurt@example.com"),
        ("mailto:j%C3%B6rg@example.com", "jörg@example.com"),
        ("用户@例え.jp", "用户@xn--r8jz45g.jp"),
        ("संपर्क@डाटामेल.भारत", "संपर्क@xn--c2bd4bq1db8d.xn--h2brj9c"),
        ("دعم@example.org", "دعم@example.org"),
        ("😀@example.org", "😀@example.org"),
        ("ü" * 32 + "@example.com", "ü" * 32 + "@example.com"),
    ],
)
def test_an_address_has_one_spoken_form(typed: str, address: str) -> None:
    assert parse_address(typed) == address
    assert parse_address(address) == address


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("Ada Example <ada@example.com>", "Ada Example"),
        ("  Ada   Example< ada@example.com >", "Ada Example"),
        ('"Example, Ada" <ada@example.com>', "Example, Ada"),
        (r'"Ada \"A\" Example" <ada@example.com>', 'Ada "A" Example'),
        ("'Ada' <ada@example.com>", "Ada"),
        ("<ada@example.com>", ""),
        ("Jörg \U0001f469\u200d\U0001f4bb <ada@example.com>", "Jörg \U0001f469\u200d\U0001f4bb"),
        ("=?utf-8?q?=0A?= <ada@example.com>", "=?utf-8?q?=0A?="),
    ],
)
def test_a_mailbox_may_have_a_name(typed: str, name: str) -> None:
    assert parse_mailbox(typed) == Mailbox(name, "ada@example.com")


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("", "no address"),
        (" \t ", "no address"),
        ("ada", "no @"),
        ("<>", "no @"),
        ("ada@@example.com", "two @"),
        ("ada@example.com, eve@example.com", "two @"),
        ("a da@example.com", "space"),
        ("ada@exam ple.com", "space"),
        ("ada@example.com\r\nBcc: eve@example.com", "control character"),
        ("Ada\n<ada@example.com>", "control character"),
        ("a\x1b[2Jda@example.com", "control character"),
        ("a\0da@example.com", "control character"),
        ("a\x9bda@example.com", "control character"),
        ("ada\u2028@example.com", "control character"),
        ("mailto:ada%0D%0Ax@example.com", "control character"),
        ("a\u200bda@example.com", "invisible"),
        ("a\u202eda@example.com", "invisible"),
        ("ａda@example.com", "only look like it"),
        ("ﬁona@example.com", "'fiona@example.com'"),
        ("用户＠example.com", "no @"),
        ("用＠户@example.com", "look-alike"),
        ("o´brien@example.com", "look-alike"),
        ("jörg\u0085@example.com", "control character"),
        ("jörg\u2066@example.com", "invisible"),
        ("jö\u3000rg@example.com", "space"),
        ("jörg..b@example.com", "a sign or a dot"),
        ('"jörg"@example.com', "a sign or a dot"),
        ("jö\u037erg@example.com", "a sign or a dot"),
        ("ü" * 33 + "@example.com", "more than 64 octets"),
        ("jörg@[192.0.2.1]", "not an address"),
        ("jörg@exa_mple.com", "not an address"),
        ("ü" * 32 + "@" + ".".join(["a" * 46] * 4) + ".com", "too long"),
        ("a" * 65 + "@example.com", "too long"),
        ("ada@" + "a" * 64 + ".com", "so many characters"),
        ("ada@" + ".".join(["a" * 60] * 5), "too long"),
        ("x" * 5000, "too long"),
        ("ada@example", "not an address"),
        ("ada@.com", "not an address"),
        ("ada@-example.com", "not an address"),
        ("ada..b@example.com", "not an address"),
        (".ada@example.com", "not an address"),
        ("ada@example.com.", "not an address"),
        ("ada@[192.0.2.1]", "not an address"),
        ('"a b"@example.com', "space"),
        ('"ab"@example.com', "not an address"),
        ("ada@exa_mple.com", "not an address"),
        ("ada@xn--a.example", "not an address"),
        ("ada(comment)@example.com", "not an address"),
        ("@example.com", "not an address"),
        ("ada@", "not an address"),
        ("ada@.invalid", "not an address"),
        ("ada@-x.localhost", "not an address"),
    ],
)
def test_what_smtp_cannot_carry_is_refused_with_a_reason(typed: str, reason: str) -> None:
    with pytest.raises(AddressInvalid, match=reason):
        parse_address(typed)


@pytest.mark.parametrize("typed", ["a@b>\r\nRCPT TO:<c@example.com", "<a@b>> <c@example.com>"])
def test_attack_04_no_address_ends_a_command_early(typed: str) -> None:
    with pytest.raises(AddressInvalid):
        parse_address(typed)


def parsed_or_refused(text: str) -> tuple[str, str]:
    """The address and an empty complaint, or the other way round."""
    try:
        return parse_address(text), ""
    except AddressInvalid as error:
        return "", str(error)


@settings(max_examples=thorough(300, 75))
@given(
    st.text(max_size=60)
    | st.builds("{}@{}".format, st.text(max_size=12), st.text(max_size=12))
    | st.from_regex(r"[ -~]{0,10}@[a-z.-]{1,12}\.(com|invalid|test)", fullmatch=True)
)
@example("a@x.invalid.")
@example("a@\u3002localhost")
def test_attack_04_any_text_is_refused_safely_or_fits_an_smtp_command(text: str) -> None:
    address, complaint = parsed_or_refused(text)
    assert complaint.replace("\n", "").isprintable()
    assert len(complaint) < 400
    if complaint:
        return
    assert address.rpartition("@")[2].isascii()
    assert address.isprintable()
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        assert not set(unicodedata.normalize(form, address)) & set(' <>"(),:;[]\\')
        assert unicodedata.normalize(form, address).count("@") == 1
    assert address == unicodedata.normalize("NFC", address)
    assert address.isascii() or carried(address)
    assert len(address.encode()) <= 254
    assert len(address.rpartition("@")[0].encode()) <= 64
    assert parse_address(address) == address


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("ada@gmial.com", "ada@gmail.com"),
        ("ada@gmai.com", "ada@gmail.com"),
        ("ada@gmaill.com", "ada@gmail.com"),
        ("ada@gmsil.com", "ada@gmail.com"),
        ("ada@gmail.con", "ada@gmail.com"),
        ("ada@gmail.co", "ada@gmail.com"),
        ("ada@gmial.con", "ada@gmail.com"),
        ("Ada@HOTMIAL.com", "Ada@hotmail.com"),
        ("ada@outlok.com", "ada@outlook.com"),
        ("ada@yaho.com", "ada@yahoo.com"),
        ("ada@iclod.com", "ada@icloud.com"),
        ("ada@gmailcom", "ada@gmail.com"),
    ],
)
def test_a_slip_on_a_big_provider_gets_a_suggestion(typed: str, meant: str) -> None:
    assert suggestion(typed) == meant


@pytest.mark.parametrize(
    "domain",
    [
        *("gmail.com", "mail.com", "ymail.com", "email.com", "gmx.at", "love.com", "example.com"),
        *(
            "yahoo.it",
            "hotmail.es",
            "outlook.it",
            "proton.me",
            "web.de",
            "freenet.com",
            "localhost",
        ),
    ],
)
def test_a_real_domain_gets_none(domain: str) -> None:
    assert suggestion(f"ada@{domain}") is None


@given(st.text(max_size=30))
def test_any_text_may_be_asked_for_a_suggestion(text: str) -> None:
    suggestion(text)


def test_email_validator_is_imported_only_when_an_address_is_parsed() -> None:
    code = (
        "import sys, newsletter.audience.addresses, newsletter.audience.tokens, newsletter.mime\n"
        "heavy = {'email_validator', 'idna', 'dns', 'email', 'email.message', 'lxml'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert ran.stdout == "[]\n"
