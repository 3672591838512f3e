"""Everything about a letter that can be judged on this machine, before anybody gets it.

Enters: an issue with the mail one reader would get of it, or the bytes of any mail. Leaves:
Problems with file, line, code and remedy. Opens no connection, changes nothing.

A rule is one small function in one of the chapters of `lint.rules`. What a client is known to
support (caniemail) is a chapter to come: a module of rules that read `Galley.page` like all others.
"""

from newsletter.lint.check import check_issue, check_mail
from newsletter.lint.galley import Written

__all__ = ["Written", "check_issue", "check_mail"]
