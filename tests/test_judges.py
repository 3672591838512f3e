"""Strangers look at our mails: two spam filters and two strict relays, with their own rules.

Every shipped article in every look, signed, with SPF, DKIM and DMARC that pass, scores below 0,
and is taken. Each judge has to refuse something as well, or it would prove nothing.
"""

from __future__ import annotations

from newsletter.delivery.worst_cases import worst_cases
from newsletter.model import Mail, Relay
from newsletter.smtp import open_transport
from newsletter.spamcheck import score
from tests.fake_dns import FakeDNS
from tests.judges import asked, exim, postfix, raw, rspamd, spamd
from tests.signed import RELAY_IP, looks, sender, shipped

SPAM = (
    b"From: Cheap Pills <a@example.com>\r\nTo: undisclosed-recipients:;\r\n"
    b"Subject: BUY VIAGRA NOW 100% GUARANTEED!!!\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: text/html\r\n\r\n"
    b"<html><body><font color=#ffffff>viagra cialis</font><img src=http://192.0.2.7/a.gif>"
    b"100% guaranteed! Act now! viagra cialis</body></html>\r\n"
)


def test_the_looks_are_found() -> None:
    assert "letter" in looks()


def test_spamassassin_scores_every_shipped_mail_below_0() -> None:
    who = sender()
    with FakeDNS(who.records) as dns, spamd(dns.port) as judge:
        scores = {
            name: score(judge, who.arrived(who.signed(mail), mail)) for name, mail in shipped()
        }
        assert score(judge, SPAM).points > 5
    high = {name: (each.points, each.costly) for name, each in scores.items() if each.points >= 0}
    assert high == {}
    passed = {"DKIM_VALID", "DKIM_VALID_AU", "SPF_PASS"}
    assert all(passed <= {rule.name for rule in each.rules} for each in scores.values())


def test_rspamd_scores_every_shipped_mail_below_0() -> None:
    who = sender()
    way = {"IP": RELAY_IP, "Helo": who.host, "Hostname": who.host}
    with FakeDNS(who.records) as dns, rspamd(dns.port) as judge:

        def said(content: bytes, mail: Mail) -> tuple[float, dict[str, float]]:
            fields = {**way, "From": mail.mail_from, "Rcpt": mail.rcpt_to}
            answer = asked(judge.port, content, fields)
            rules = {name: rule["score"] for name, rule in answer["symbols"].items()}
            return answer["score"], rules

        scores = {name: said(who.signed(mail), mail) for name, mail in shipped()}
        mail = next(shipped())[1]
        _, tampered = said(who.signed(mail).replace(b"Still", b"Shrill"), mail)
        assert score(judge, SPAM).points > 5
    assert "R_DKIM_REJECT" in tampered
    high = {
        name: (points, {rule: cost for rule, cost in rules.items() if cost > 0})
        for name, (points, rules) in scores.items()
        if points >= 0
    }
    assert high == {}
    passed = {"R_DKIM_ALLOW", "R_SPF_ALLOW", "DMARC_POLICY_ALLOW"}
    assert all(passed <= set(rules) for _, rules in scores.values())


def every_mail() -> list[Mail]:
    """Every shipped mail for the specimen's reader, and one article for each of the worst."""
    worst = [next(shipped(case.addressee))[1] for case in worst_cases(("city",))]
    return [*(mail for _, mail in shipped()), *worst]


def taken(relay: Relay, mails: list[Mail]) -> None:
    """Each mail is taken, from our own client."""
    with open_transport(relay) as transport:
        replies = list(transport.deliver(iter(mails), lambda _: None))
    assert [reply for _, reply in replies if reply.code != 250] == []
    assert len(replies) == len(mails)


REFUSED_BY_POSTFIX = {
    "a bare LF": (b"Precedence: bulk\r\n", b"Precedence: bulk\n"),
    "8 bits in a header": (b"Precedence: bulk", "Precedence: b\u00fclk".encode()),
    "a multipart in base64": (
        b"Content-Type: multipart",
        b"Content-Transfer-Encoding: base64\r\nContent-Type: multipart",
    ),
}


def test_a_strict_postfix_takes_every_shipped_mail() -> None:
    with postfix() as (relay, log):
        mails = every_mail()
        taken(relay, mails)
        for name, (old, new) in REFUSED_BY_POSTFIX.items():
            broken = mails[0]._replace(pieces=(mails[0].content.replace(old, new, 1),))
            assert broken.content != mails[0].content
            assert raw(relay, broken).startswith("5"), name
        assert "warning" not in log.read_text()


REFUSED_BY_EXIM = {
    "an encoded-word in an address": (b"From: Still Point <", b"From: <=?utf-8?q?x?=@b=C3.org <"),
    "a comma in a name": (b"From: Still Point", b"From: Still, Point"),
    "a From without address": (b"From: Still Point <", b"From: Still Point <x\r\nX: <"),
}


def test_exim_takes_every_shipped_mail() -> None:
    with exim() as (relay, log):
        mails = every_mail()
        taken(relay, mails)
        for name, (old, new) in REFUSED_BY_EXIM.items():
            broken = mails[0]._replace(pieces=(mails[0].content.replace(old, new, 1),))
            assert broken.content != mails[0].content
            assert raw(relay, broken).startswith("550"), name
        assert log.exists()
