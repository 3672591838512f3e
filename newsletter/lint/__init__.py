"""Everything about a letter that can be judged on this machine, before anybody gets it.

Enters: an issue with the mail one reader would get of it, or the bytes of any mail. Leaves:
Problems with file, line, code and remedy. Opens no connection, changes nothing.

A rule is one small function in one of the chapters of `lint.rules`. What mail clients support
stands in `lint.caniemail`; the chapter `lint.compat` makes a rule of each feature that can do harm.
"""

from newsletter.lint.check import check_issue, check_mail
from newsletter.lint.galley import Written

__all__ = ["Written", "check_issue", "check_mail"]
