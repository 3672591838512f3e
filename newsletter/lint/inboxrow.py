"""Rules on what the inbox shows before a mail is opened: sender, subject, preheader."""

from __future__ import annotations

import re

from newsletter.lint.galley import Galley
from newsletter.lint.page import Run, squeeze
from newsletter.lint.rule import Finding, Findings, error, note, warning

LONGEST_PREHEADER, SHORTEST_PREHEADER = 150, 40
LONGEST_SUBJECT = 150
PADDING = re.compile("[\u00ad\u034f\u200b-\u200d\u2007\ufeff]")
FAKE_REPLY = re.compile(r"\s*(re|fwd?|aw|wg|sv|tr)\s*:", re.IGNORECASE)
# Of them judges count more than a few against the sender.
SHOUT = re.compile(r"[!?$€£]{2,}|[!].*[!]")


def preheader(galley: Galley) -> Run | None:
    """The first text of the body, when it is hidden: what the inbox shows after the subject."""
    texts = (run for run in galley.page.runs if run.words or PADDING.search(run.text))
    first = next(texts, None)
    return first if first and first.ink.hidden and first.words else None


@error(
    "preheader-missing",
    "composition 65",
    "write  preheader:  in the front matter, or an article that begins with words",
)
def a_preheader_is_there(galley: Galley) -> Findings:
    """No preheader, so that the inbox shows the first words it finds: "View in browser"."""
    if galley.html is not None and preheader(galley) is None:
        written = galley.written
        # Without words in the article it is not the template that is to blame.
        about = () if written and not written.email.preheader else ("preheader",)
        yield Finding("no preheader at the top of the body", about=about)


@error(
    "preheader-same",
    "composition 65",
    "let it go on where the subject ends",
)
def a_preheader_adds_something(galley: Galley) -> Findings:
    """The preheader repeats the subject."""
    run = preheader(galley)
    if run and run.words.casefold().rstrip(".…") == squeeze(galley.subject).casefold():
        yield Finding("the preheader is the subject again", about=("preheader:", run.words))


@error(
    "preheader-long",
    "composition 65",
    "write  preheader:  with 40 to 130 characters",
    "Gmail, Apple Mail",
)
def a_preheader_is_not_too_long(galley: Galley) -> Findings:
    """The preheader has more than 150 characters, of which no inbox shows the rest."""
    run = preheader(galley)
    if run and len(run.words) > LONGEST_PREHEADER:
        yield Finding(f"preheader of {len(run.words)} characters", about=("preheader:", run.words))


@warning(
    "preheader-short",
    "composition 65",
    "write  preheader:  with 40 to 130 characters",
    "Gmail, Apple Mail",
)
def a_preheader_is_long_enough(galley: Galley) -> Findings:
    """The preheader has fewer than 40 characters."""
    run = preheader(galley)
    # A Chinese or Japanese character says as much as two or three letters.
    weight = sum(2 if ord(c) > 0x2E80 else 1 for c in run.words) if run else 0
    if run and weight < SHORTEST_PREHEADER:
        yield Finding(
            f'preheader of {len(run.words)} characters: "{run.words}"',
            about=("preheader:", run.words),
        )


@warning(
    "preheader-padding",
    "composition 66; ghost 25047",
    "put {{ padding }} after {{ preheader }} in email.html",
    "Gmail, Apple Mail",
)
def a_preheader_is_padded(galley: Galley) -> Findings:
    """Nothing keeps the first line of the letter out of the preheader."""
    run = preheader(galley)
    if run is None or len(run.words) >= LONGEST_PREHEADER - 20:
        return
    hidden = "".join(r.text for r in galley.page.runs if r.ink.hidden)
    if len(PADDING.findall(hidden)) < 20:
        yield Finding("no padding after the preheader", about=("{{ preheader }}",))


@warning(
    "preheader-color",
    "composition 65; SpamAssassin HTML_FONT_LOW_CONTRAST",
    "hide it by display:none and leave its colour alone",
)
def a_preheader_is_not_painted_over(galley: Galley) -> Findings:
    """The preheader has the colour of its background, a spammer's way of hiding."""
    run = preheader(galley)
    style = run.element.get("style", "") if run else ""
    if run and "color:" in style.replace(" ", "") and run.ink.colour == run.ink.ground:
        yield Finding(f"{run.ink.colour} on {run.ink.ground}", about=("preheader",))


@error("subject-missing", "RFC 5322 3.6.5", "write  title:  or  subject:  in the front matter")
def a_subject_is_there(galley: Galley) -> Findings:
    """An empty subject."""
    field = galley.mail.first("Subject")
    if field is not None and not squeeze(galley.subject):
        yield Finding("the subject is empty", about=("subject:", "title:"), line=field.line)


@warning(
    "subject-long",
    "composition 65",
    "say the main thing in the first 50 characters; write  subject:  in the front matter",
    "phones",
)
def a_subject_is_not_too_long(galley: Galley) -> Findings:
    """A subject of more than 150 characters."""
    if len(galley.subject) > LONGEST_SUBJECT:
        yield Finding(
            f"subject of {len(galley.subject)} characters",
            about=("subject:", galley.subject),
            line=_line(galley),
        )


@warning(
    "subject-caps",
    "composition 74; SpamAssassin SUBJ_ALL_CAPS, rspamd SUBJ_ALL_CAPS",
    "write it as a sentence",
)
def a_subject_does_not_shout(galley: Galley) -> Findings:
    """A subject in capitals, or with !! in it."""
    letters = [c for c in galley.subject if c.isalpha()]
    shouts = len(letters) > 10 and sum(map(str.isupper, letters)) > 0.8 * len(letters)
    if shouts or SHOUT.search(galley.subject):
        yield Finding(
            f'"{galley.subject}" shouts', about=("subject:", galley.subject), line=_line(galley)
        )


@warning(
    "subject-reply",
    "deliverability 1 (Gmail: no misleading subject); CAN-SPAM 7704(a)(2)",
    "drop it: this is nobody's reply",
)
def a_subject_claims_no_conversation(galley: Galley) -> Findings:
    """A subject that begins with "Re:"."""
    if FAKE_REPLY.match(galley.subject):
        yield Finding(f'"{galley.subject}"', about=("subject:", galley.subject), line=_line(galley))


def _line(galley: Galley) -> int | None:
    field = galley.mail.first("Subject")
    return field.line if field else None


@note("subject-question", "rspamd SUBJECT_ENDS_QUESTION (1.0 of 15)", "put the question first")
def a_subject_ends_in_a_question(galley: Galley) -> Findings:
    """A subject that ends in a question mark, which costs a point at rspamd."""
    if galley.subject.rstrip().endswith("?"):
        yield Finding(f'"{galley.subject}"', about=("subject:", galley.subject), line=_line(galley))


@warning(
    "subject-repeated",
    "composition 9; mjml 2631",
    "write  subject:  in the front matter, another one for each issue",
    "Gmail",
)
def a_subject_is_new(galley: Galley) -> Findings:
    """The subject is that of the issue before, so that both lie in one conversation and what they
    share is folded away."""
    previous = galley.written.issue.previous if galley.written else None
    if previous and squeeze(previous.title).casefold() == squeeze(galley.subject).casefold():
        yield Finding(f'"{galley.subject}" again', about=("subject:", "title:"))


@note("preheader-number", "composition 67; email-bugs 103", "write it without the comma", "Gmail")
def a_preheader_has_no_large_number(galley: Galley) -> Findings:
    """A number with a comma in the preheader, which Gmail leaves out: 1,000 becomes 1000."""
    run = preheader(galley)
    if run and (match := re.search(r"\d,\d{3}\b", run.words)):
        yield Finding(f"{match[0]} in the preheader", about=("preheader:", match[0]))


@note("preheader-joiner", "composition 66; mjml 1943", "pad with U+2007 and U+034F", "mail.ru")
def a_preheader_is_padded_with_what_is_unseen(galley: Galley) -> Findings:
    """Zero-width non-joiners as padding, which mail.ru writes out as &zwnj;."""
    hidden = "".join(run.text for run in galley.page.runs if run.ink.hidden)
    if hidden.count("\u200c") > 3:
        yield Finding("U+200C in the padding", about=("&zwnj;", "padding"))
