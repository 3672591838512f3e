"""The relays people have, and what each of them wants.

Nothing enters; a table of frozen Presets leaves. It knows no credentials, no network and no
configuration file: `config` turns a preset and a `[relay.NAME]` table into a Relay, and `smtp`
asks for the sentence that explains a refused login. Ports and modes belong together: a relay that
has no implicit-TLS port hangs on 465 instead of refusing (Postmark). Tracking is switched off where
a field of the mail can say so: rewritten links break, and readers did not agree to it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from newsletter.model import Limits, Tls


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """What is known of a relay before its owner says anything.

    `kind` is Relay.kind; `host` may hold "{region}" and is empty where the owner must name it;
    `username` is set where it is the same for every customer. `login` says which credentials it
    wants (shown after a 535), `note` what to know before sending to a list. Four `connections` are
    where a relay on its own machine is fastest (20 are slower); mailbox providers get one.

    `limits` are those it publishes for everybody; `sold_by_day` that the owner must say how many a
    day were bought. `headers`, `replaces` and `once` are those of Relay, `once_for_h` for how many
    hours a mail is taken once. `signs`: it signs with DKIM by itself, once its pages say what to
    publish. `own_bounces`: it takes bounces itself, and readers see its envelope sender.
    """

    name: str
    kind: str = "smtp"
    host: str = ""
    port: int = 465
    tls: Tls = Tls.IMPLICIT
    username: str | None = None
    mails_per_connection: int = 100
    connections: int = 4
    limits: Limits = field(default_factory=Limits)
    sold_by_day: bool = False
    headers: tuple[tuple[str, str], ...] = ()
    replaces: tuple[str, ...] = ()
    once: str = ""
    once_for_h: int = 0
    signs: bool = True
    own_bounces: bool = True
    login: str = ""
    note: str = ""

    @property
    def needs_region(self) -> bool:
        return "{region}" in self.host

    @property
    def needs_host(self) -> bool:
        return self.kind in ("smtp", "lmtp") and not self.host

    def host_in(self, region: str) -> str:
        """The host for that region ("eu-west-1"); the same host for a relay without regions."""
        return self.host.replace("{region}", region)


_MAILGUN = (("X-Mailgun-Tag", "{issue}"), ("X-Mailgun-Track", "no"))
_SENDGRID = (
    '{"category":["{issue}"],"filters":{"clicktrack":{"settings":{"enable":0}},'
    '"opentrack":{"settings":{"enable":0}},"subscriptiontrack":{"settings":{"enable":0}}}}'
)
_SPARKPOST = (
    '{"campaign_id":"{issue}","options":{"open_tracking":false,"click_tracking":false,'
    '"transactional":false}}'
)

_ALL = (
    Preset(
        name="inbox",
        kind="inbox",
        host="127.0.0.1",
        port=0,
        tls=Tls.NONE,
        connections=1,
        signs=False,
        own_bounces=False,
        note="Mail goes to the inbox on this machine and to nobody else.",
    ),
    Preset(
        name="file",
        kind="file",
        port=0,
        tls=Tls.NONE,
        connections=1,
        signs=False,
        own_bounces=False,
        note="Each mail becomes an .eml file; nothing is sent.",
    ),
    Preset(
        name="maildir",
        kind="maildir",
        port=0,
        tls=Tls.NONE,
        connections=1,
        signs=False,
        own_bounces=False,
        note="Each mail is put into one Maildir, for a mail program to show; nothing is sent.",
    ),
    Preset(
        name="sendmail",
        kind="sendmail",
        port=0,
        tls=Tls.NONE,
        connections=4,
        signs=False,
        own_bounces=False,
        note="A program on this machine takes each mail: Postfix, Exim, msmtp, nullmailer. Who "
        "lists the processes of this machine sees to whom.",
    ),
    Preset(
        name="lmtp",
        kind="lmtp",
        port=24,
        tls=Tls.NONE,
        signs=False,
        own_bounces=False,
        login="Check username and password with whoever runs the mailboxes.",
        note="Into mailboxes on this machine (RFC 2033): the host is a name or the path of a "
        "socket.",
    ),
    Preset(
        name="smtp",
        signs=False,
        own_bounces=False,
        login="Check username and password with whoever runs the relay.",
    ),
    Preset(
        name="ses",
        host="email-smtp.{region}.amazonaws.com",
        limits=Limits(per_second=14),
        headers=(("X-SES-MESSAGE-TAGS", "issue={issue}"),),
        replaces=("Message-ID", "Date"),
        login="SES wants SMTP credentials (SES > SMTP settings), made for this one region, "
        "not the access key.",
        note="A new account is in the sandbox: 200 mails a day, 1 a second, to verified addresses "
        "only. SES replaces Message-ID and Date, and forwards bounces to the envelope sender.",
    ),
    Preset(
        name="postmark",
        host="smtp-broadcasts.postmarkapp.com",
        port=587,
        tls=Tls.STARTTLS,
        headers=(
            ("X-PM-Message-Stream", "broadcast"),
            ("X-PM-Tag", "{issue}"),
            ("X-PM-TrackOpens", "false"),
            ("X-PM-TrackLinks", "None"),
            ("X-PM-KeepID", "true"),
        ),
        login="Postmark wants the server token twice, as username and as password, or the SMTP "
        "token of a broadcast stream.",
        note="STARTTLS only: its port 465 hangs. Newsletters belong into a broadcast stream. Open "
        "tracking that is on for the whole server cannot be switched off by a mail.",
    ),
    Preset(
        name="mailgun",
        host="smtp.mailgun.org",
        headers=_MAILGUN,
        login="Mailgun wants the SMTP user of the sending domain (postmaster@your-domain), "
        "and knows EU domains only at the preset mailgun-eu.",
    ),
    Preset(
        name="mailgun-eu",
        host="smtp.eu.mailgun.org",
        headers=_MAILGUN,
        login="Mailgun wants the SMTP user of the sending domain (postmaster@your-domain), "
        "and knows US domains only at the preset mailgun.",
    ),
    Preset(
        name="sendgrid",
        host="smtp.sendgrid.net",
        username="apikey",
        mails_per_connection=4500,
        headers=(("X-SMTPAPI", _SENDGRID),),
        login='SendGrid wants the username "apikey", word for word, and an API key as password.',
        note="It takes 5,000 mails per connection.",
    ),
    Preset(
        name="resend",
        host="smtp.resend.com",
        username="resend",
        connections=1,
        limits=Limits(per_second=5),
        once="Resend-Idempotency-Key",
        once_for_h=24,
        login='Resend wants the username "resend" and an API key as password.',
        note="5 mails a second for the whole team; 100 a day on the free plan. It takes a mail "
        "only once within a day: one in doubt is offered to it again.",
    ),
    Preset(
        name="brevo",
        host="smtp-relay.brevo.com",
        headers=(("X-Mailin-custom", "issue:{issue}"),),
        login="Brevo wants an SMTP key (SMTP & API > SMTP), not the API key.",
        note="We know of no field that switches its tracking off: see its settings.",
    ),
    Preset(
        name="mailjet",
        host="in-v3.mailjet.com",
        headers=(
            ("X-Mailjet-Campaign", "{issue}"),
            ("X-Mailjet-TrackOpen", "0"),
            ("X-Mailjet-TrackClick", "0"),
        ),
        login="Mailjet wants the API key as username and the secret key as password.",
    ),
    Preset(
        name="sparkpost",
        host="smtp.sparkpostmail.com",
        port=587,
        tls=Tls.STARTTLS,
        username="SMTP_Injection",
        headers=(("X-MSYS-API", _SPARKPOST),),
        login='SparkPost wants the username "SMTP_Injection" and an API key that may send by SMTP.',
    ),
    Preset(
        name="smtp2go",
        host="mail.smtp2go.com",
        port=2525,
        tls=Tls.STARTTLS,
        login="SMTP2GO wants an SMTP user (Sending > SMTP Users), not the account's login.",
        note="New accounts are held to 1,000 mails a day. We know of no field that switches "
        "its tracking off: see its settings.",
    ),
    Preset(
        name="mailtrap",
        host="live.smtp.mailtrap.io",
        port=587,
        tls=Tls.STARTTLS,
        login="Mailtrap wants the SMTP credentials of the bulk or transactional stream.",
        note="We know of no field that switches its tracking off: see its settings.",
    ),
    Preset(
        name="forwardemail",
        host="smtp.forwardemail.net",
        login="Forward Email wants an alias as username and its generated password.",
    ),
    Preset(
        name="scaleway",
        host="smtp.tem.scaleway.com",
        login="Scaleway wants the project's ID as username and an API secret key as password.",
    ),
    Preset(
        name="gmail",
        host="smtp.gmail.com",
        connections=1,
        limits=Limits(per_second=1, per_day=450),
        login="Gmail wants an app password (2-step verification on), not the account's password.",
        note="Small lists only: 500 mails a day, then a block of up to 24 h. "
        "From must be the account or one of its aliases.",
    ),
    Preset(
        name="workspace",
        host="smtp.gmail.com",
        connections=1,
        limits=Limits(per_second=1, per_day=1900),
        login="Google wants an app password (2-step verification on), not the account's password.",
        note="Small lists only: 2,000 mails a day, then a block of up to 24 h. "
        "From must be the account or one of its aliases.",
    ),
    Preset(
        name="fastmail",
        host="smtp.fastmail.com",
        connections=1,
        sold_by_day=True,
        login="Fastmail wants an app password with SMTP access, not the account's password.",
        note="Limits depend on the plan; bulk mail may break the terms.",
    ),
    Preset(
        name="migadu",
        host="smtp.migadu.com",
        connections=1,
        sold_by_day=True,
        login="Migadu wants the whole address as username and that mailbox's password.",
        note="Plans limit outgoing mails a day; bulk mail may break the terms.",
    ),
)

PRESETS: Mapping[str, Preset] = MappingProxyType({preset.name: preset for preset in _ALL})


def preset_at(host: str) -> Preset | None:
    """The preset whose relay answers at that host, or None."""
    for preset in _ALL:
        pattern = re.escape(preset.host).replace(re.escape("{region}"), r"[a-z0-9-]+")
        if preset.kind == "smtp" and preset.host and re.fullmatch(pattern, host, re.IGNORECASE):
            return preset
    return None
