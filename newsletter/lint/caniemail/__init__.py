"""What mail clients support, from caniemail's facts: which clients there are, what each drops.

    clients()                    every Client: id, name, weight in percent of readers, drops_style;
                                 those with the most readers first. clients(letter.readership) for
                                 the weights of a publication.
    unsupported("gmail.ios")     an Unsupported: sets of properties, (property, word) pairs,
                                 functions, units, at-rules, media features, pseudos, selectors,
                                 elements, attributes and picture suffixes that it drops, and
                                 whether it drops <style> or reads conditional comments

Both are pure and remembered; the first call reads the table (1 ms, a client 20 ms). The table is
table.txt, made by `distil` from npm's package caniemail. The rules on it are `lint.compat`.
"""

from newsletter.lint.caniemail.clients import Client, client, clients
from newsletter.lint.caniemail.facts import facts
from newsletter.lint.caniemail.lens import Unsupported, unsupported

__all__ = ["Client", "Unsupported", "client", "clients", "facts", "unsupported"]
